"""The runtime and its Python face. `import samara` gives all of it; `samara.interpreter` is where LiteRT programs look:

from samara.interpreter import Interpreter
"""

from __future__ import annotations

from ._native import isa, version
from .errors import (
    ArgumentError,
    CancelledError,
    DataError,
    DeviceError,
    FileError,
    InternalError,
    LimitError,
    MismatchError,
    ModelError,
    OutOfMemoryError,
    SamaraError,
    StateError,
    UnsupportedError,
)
from .interpreter import (
    Delegate,
    Interpreter,
    InterpreterWithCustomOps,
    OpResolverType,
    SignatureRunner,
    load_delegate,
)
from .model import Model, Signature, TensorSpec, load

__all__ = [
    "ArgumentError",
    "CancelledError",
    "DataError",
    "Delegate",
    "DeviceError",
    "FileError",
    "InternalError",
    "Interpreter",
    "InterpreterWithCustomOps",
    "LimitError",
    "MismatchError",
    "Model",
    "ModelError",
    "OpResolverType",
    "OutOfMemoryError",
    "SamaraError",
    "Signature",
    "SignatureRunner",
    "StateError",
    "TensorSpec",
    "UnsupportedError",
    "isa",
    "load",
    "load_delegate",
    "version",
]
