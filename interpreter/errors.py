"""What Samara raises. One class per cause; every message is one sentence that names the thing and the numbers.

All of them are RuntimeErrors, and those about a file or an argument are ValueErrors too, so a program written for
LiteRT catches what it caught before.
"""

from __future__ import annotations


class SamaraError(RuntimeError):
    """Base of all. `status` names the cause; `node`, `tensor` and `subgraph` are indices in the file, or None."""

    def __init__(
        self,
        message: str,
        *,
        status: str = "",
        node: int | None = None,
        tensor: int | None = None,
        subgraph: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.node = node
        self.tensor = tensor
        self.subgraph = subgraph


class ModelError(SamaraError, ValueError):
    """The bytes are not a well-formed model."""


class UnsupportedError(SamaraError, ValueError):
    """The model is well-formed but uses an operator, type or version that this build does not have."""


class ArgumentError(SamaraError, ValueError):
    """The caller passed a wrong index, name, shape, type or size."""


class OutOfMemoryError(SamaraError, MemoryError):
    """The machine has no more memory."""


class LimitError(SamaraError, MemoryError):
    """The model needs more than the limits the caller set (max_memory, max_ops, depth)."""


class DataError(SamaraError, ValueError):
    """A value met while running is impossible: an index out of range, a division by zero."""


class CancelledError(SamaraError):
    """cancel() was called."""


class FileError(SamaraError, OSError, ValueError):
    """The file could not be opened or read."""


class DeviceError(SamaraError):
    """The requested device is not available."""


class StateError(SamaraError, ValueError):
    """A call came at the wrong time: invoke before allocate_tensors, reading a tensor whose memory was reused."""


class MismatchError(SamaraError):
    """A converted model does not compute what its source does. `proof` has the numbers (samara.converter.proof)."""

    def __init__(self, message: str, *, proof: object = None) -> None:
        super().__init__(message)
        self.proof = proof


class InternalError(SamaraError):
    """A defect of Samara itself; please report it."""


# By the number of sam_status.
BY_STATUS: dict[int, type[SamaraError]] = {
    1: ModelError,
    2: UnsupportedError,
    3: ArgumentError,
    4: OutOfMemoryError,
    5: LimitError,
    6: DataError,
    7: CancelledError,
    8: FileError,
    9: DeviceError,
    10: StateError,
    11: InternalError,
}
