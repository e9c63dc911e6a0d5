"""Words that several passes use: patterns of plain arithmetic, questions about tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import schema
from ..ir import Node, Tensor
from ..rewrite import Op, op

UNARY = (
    "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "ELU", "GELU", "HARD_SWISH", "LOGISTIC", "TANH",
    "ABS", "NEG", "EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "SIN", "COS", "FLOOR", "CEIL", "ROUND", "SIGN",
    "LOGICAL_NOT", "CAST", "QUANTIZE", "DEQUANTIZE",
)  # fmt: skip
BINARY = (
    "ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "POW", "FLOOR_DIV", "FLOOR_MOD", "EQUAL",
    "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "LOGICAL_AND", "LOGICAL_OR", "PRELU",
)  # fmt: skip
"""Elementwise operators of one operand, and of two."""


def add(a: Any, b: Any) -> Op:
    return op.ADD(a, b, fused_activation_function="NONE")  # type: ignore[no-any-return]


def sub(a: Any, b: Any) -> Op:
    return op.SUB(a, b, fused_activation_function="NONE")  # type: ignore[no-any-return]


def mul(a: Any, b: Any) -> Op:
    return op.MUL(a, b, fused_activation_function="NONE")  # type: ignore[no-any-return]


def div(a: Any, b: Any) -> Op:
    return op.DIV(a, b, fused_activation_function="NONE")  # type: ignore[no-any-return]


def is_float(*tensors: Tensor | None) -> bool:
    """float32 and nothing else: arithmetic may be rearranged."""
    return all(t is None or (t.type == schema.TensorType.FLOAT32 and not t.quantized) for t in tensors)


def known(*tensors: Tensor) -> bool:
    return all(t.shape is not None for t in tensors)


def same_shape(a: Tensor, b: Tensor) -> bool:
    """Certainly the same: known and equal. With several open dimensions (which could have traded sizes) one must also
    be computed from the other element by element."""
    if a.shape is None or a.shape != b.shape:
        return False
    return a.shape.count(-1) <= 1 or _elementwise(b, a, 8) or _elementwise(a, b, 8)


def _elementwise(t: Tensor, source: Tensor, depth: int) -> bool:
    """Whether `t` comes from `source` by elementwise operators, with constants that cannot make it larger."""
    if t is source:
        return True
    node = t.producer
    if node is None or node.custom or node.op not in (*UNARY, *BINARY) or depth == 0:
        return False
    return all(
        operand is not None
        and (_fits(operand.shape, source.shape) if operand.constant else _elementwise(operand, source, depth - 1))
        for operand in node.inputs
    )


def _fits(constant: tuple[int, ...] | None, shape: tuple[int, ...] | None) -> bool:
    if constant is None or shape is None or len(constant) > len(shape):
        return False
    return all(c in (1, d) for c, d in zip(reversed(constant), reversed(shape), strict=False))


def ints(t: Tensor | None) -> list[int] | None:
    """The values of a constant of integers."""
    if t is None or t.data is None or t.array.dtype.kind not in "iu":
        return None
    return [int(v) for v in t.array.reshape(-1)]


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """The numpy broadcast of two shapes; None where it cannot be told (open dimensions against others)."""
    n = max(len(a), len(b))
    out = []
    for x, y in zip((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b, strict=True):
        if x == y or y == 1:
            out.append(x)
        elif x == 1:
            out.append(y)
        else:
            return None
    return tuple(out)


def per_channel(c: Tensor, channels: int, rank: int) -> np.ndarray | None:
    """A constant that varies along the last axis only, as float64 [channels]; None if it varies otherwise."""
    if c.data is None or not is_float(c) or len(c.shape or ()) > rank:
        return None
    value = c.array.astype(np.float64)
    if value.size == 1:
        return np.full(channels, value.reshape(-1)[0])
    if value.size == channels and value.shape[-1] == channels:
        return value.reshape(channels)
    return None


def f32(value: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(value, np.float32)


def fingerprint(data: np.ndarray) -> int:
    """A hash that looks at a few places of large data only: what may be equal is compared in full anyway."""
    if data.size <= 4096:
        return hash(data.tobytes())
    return hash((data[:1024].tobytes(), data[-1024:].tobytes(), data[:: data.size // 1024].tobytes()))


def activation(node: Node) -> str:
    return str(getattr(node.option("fused_activation_function"), "name", "NONE"))
