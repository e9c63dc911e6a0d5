"""The table of the ONNX front end: ONNX name -> function from a `Call` to the outputs; build.py is what they use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ir import Tensor
from .build import Builder, Unsupported

OPS: dict[str, Callable[[Call], Any]] = {}


def op(*names: str) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Enters a function into the table."""

    def enter(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        for name in names:
            OPS[name] = function
        return function

    return enter


class Call:
    """One source node, as its function sees it."""

    def __init__(
        self,
        b: Builder,
        op_type: str,
        inputs: Sequence[Tensor | None],
        attributes: dict[str, Any],
        opset: int,
        outputs: Sequence[str],
    ) -> None:
        self.b = b
        self.op_type = op_type
        self.inputs = list(inputs)
        self.attributes = attributes
        self.opset = opset
        self.outputs = list(outputs)  # names; "" where nobody wants one

    def __len__(self) -> int:
        return len(self.inputs)

    def get(self, i: int) -> Tensor | None:
        return self.inputs[i] if i < len(self.inputs) else None

    def __getitem__(self, i: int) -> Tensor:
        t = self.get(i)
        if t is None:
            raise Unsupported(f"operand {i} is missing")
        return t

    def attr(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    def text(self, name: str, default: str = "") -> str:
        value = self.attributes.get(name, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def wants(self, i: int) -> bool:
        return i < len(self.outputs) and self.outputs[i] != ""

    def array(self, i: int, what: str) -> np.ndarray:
        """A constant operand's value."""
        t = self[i]
        if not t.constant:
            raise Unsupported(f"{what} must be constant", "export with constant folding, or with fixed shapes")
        return t.array

    def numbers(self, i: int, what: str) -> list[int]:
        return [int(v) for v in self.array(i, what).reshape(-1)]

    def axes(self, i: int, attribute: str = "axes") -> list[int] | None:
        """Axes, an operand in newer opsets and an attribute in older; None where absent."""
        if self.get(i) is not None:
            return self.numbers(i, attribute)
        found = self.attr(attribute)
        return None if found is None else [int(a) for a in found]

    def axis(self, value: int, rank: int) -> int:
        if not -rank <= value < max(rank, 1):
            raise Unsupported(f"axis {value} does not exist in {rank} dimensions")
        return value + rank if value < 0 else value
