"""One way to say each thing, so that later passes have fewer forms to know: identities go, reshapes are RESHAPE,
subtraction and division by constants are addition and multiplication, clamps are RELUs, powers are what they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..rewrite import any_, const, decline, op, rest, rule
from .common import activation, add, broadcast, div, f32, ints, is_float, mul, same_shape, sub

x, y, c, s, xs = any_("x"), any_("y"), const("c"), any_("s"), rest("xs")


# ---- Reshapes ----


@rule(op("EXPAND_DIMS", "SQUEEZE")(x, xs))
def reshape_by_name(g: Any, x: Any, node: Any) -> Any:
    shape = node.outputs[0].shape
    if shape is None or shape.count(-1) > 1:
        return decline("the shape is not known")
    return g.RESHAPE(x, g.constant(np.array(shape, np.int32)))


@rule(op.RESHAPE(op.RESHAPE(x, any_("t")), s))
def reshape_of_reshape(g: Any, x: Any, node: Any) -> Any:
    shape = node.outputs[0].shape
    if shape is None or shape.count(-1) > 1:
        return decline("the shape is not known")
    return g.RESHAPE(x, g.constant(np.array(shape, np.int32)))


@rule(op.RESHAPE(x, any_("s")))
def reshape_to_constant(g: Any, x: Any, s: Any, node: Any) -> Any:
    shape = node.outputs[0].shape
    if s.constant:
        return decline("is constant already")
    if shape is None or shape.count(-1) > 1:
        return decline("the shape is not known")
    return g.RESHAPE(x, g.constant(np.array(shape, np.int32)))


# ---- Nothing happens ----


@rule(op("RESHAPE", "BROADCAST_TO", "TILE", "PAD", "MIRROR_PAD", "SLICE", "CONCATENATION", "SPLIT_V")(x, xs))
def same_shape_same_bytes(g: Any, x: Any, node: Any) -> Any:
    (out,) = node.outputs if len(node.outputs) == 1 else (None,)
    if out is None or (node.op == "CONCATENATION" and len(node.inputs) > 1):
        return decline("has several operands or results")
    return x if same_shape(x, out) and x.static else decline("changes the shape")


@rule(op.RESHAPE(x, any_("s")))
def reshape_to_itself(g: Any, x: Any, node: Any) -> Any:
    return x if same_shape(x, node.output) else decline("changes the shape")


@rule(op.GATHER(x, c, batch_dims=0))
def gather_in_order(g: Any, x: Any, c: Any, node: Any) -> Any:
    """All slices, each once, in their order: what torch.export makes of views by strides."""
    shape, axis = node.output.shape, int(node.option("axis"))
    if x.shape is None or shape is None or shape.count(-1) > 1 or not x.shape:
        return decline("the shape is not known")
    if not np.array_equal(c.array.ravel(), np.arange(x.shape[axis])):
        return decline("does not take every slice in order")
    return g.RESHAPE(x, g.constant(np.array(shape, np.int32)))


@rule(op.TRANSPOSE(x, c))
def transpose_to_itself(g: Any, x: Any, c: Any) -> Any:
    perm = ints(c) or []
    return x if perm == list(range(len(perm))) else decline("moves axes")


@rule(op.CAST(x))
def cast_to_itself(g: Any, x: Any, node: Any) -> Any:
    return x if x.type == node.output.type else decline("changes the type")


@rule(op.SPLIT(any_("a"), x, num_splits=1))
def split_in_one(g: Any, x: Any) -> Any:
    return x


@rule(op.CONCATENATION(x, fused_activation_function="NONE"))
def concat_of_one(g: Any, x: Any) -> Any:
    return x


@rule(add(x, 0.0) | mul(x, 1.0) | sub(x, 0.0) | div(x, 1.0) | op.POW(x, 1.0))
def neutral_element(g: Any, x: Any, node: Any) -> Any:
    if not is_float(x):
        return decline("is not float32")
    return x if same_shape(x, node.output) else decline("broadcasts")


# ---- Twice the same ----


@rule(op.CONCATENATION(xs, fused_activation_function="NONE").named("concat"))
def concat_of_concats(g: Any, xs: Any, concat: Any) -> Any:
    made: list[Any] = []
    for t in xs:
        inner = t.producer
        same = (
            inner is not None
            and inner.op == "CONCATENATION"
            and t.used == 1
            and not t.quantized
            and activation(inner) == "NONE"
            and _axis(inner) == _axis(concat)
        )
        made += inner.inputs if same else [t]
    if len(made) == len(xs):
        return decline("no operand is a concatenation of its own along the same axis")
    return g.CONCATENATION(*made, options=concat.options)


def _axis(concat: Any) -> int:
    rank = len(concat.output.shape or ())
    return int(concat.option("axis")) % max(rank, 1)


@rule(op.PAD(op.PAD(x, const("inner")), const("outer")))
def pad_of_pad(g: Any, x: Any, inner: Any, outer: Any, node: Any) -> Any:
    if x.quantized or inner.type != outer.type or inner.shape != outer.shape:
        return decline("is quantized, or the amounts do not fit together")
    return g.PAD(x, g.constant(inner.array + outer.array))


@rule(op.SLICE(op.SLICE(x, const("b1"), const("s1")), const("b2"), const("s2")))
def slice_of_slice(g: Any, x: Any, b1: Any, s1: Any, b2: Any, s2: Any, node: Any) -> Any:
    parts = [ints(t) for t in (b1, s1, b2, s2)]
    if any(v is None for v in parts) or b1.type != b2.type or b1.type != s1.type or s1.type != s2.type:
        return decline("the ranges do not fit together")
    begins, sizes = [], []
    for begin, size, more, last in zip(*parts, strict=True):
        begins.append(begin + more)
        sizes.append(last if last >= 0 else size - more if size >= 0 else -1)
    kind = b1.array.dtype
    return g.SLICE(x, g.constant(np.array(begins, kind)), g.constant(np.array(sizes, kind)))


# ---- Signs ----


@rule(add(x, op.NEG(y)))
def add_negative(g: Any, x: Any, y: Any) -> Any:
    return g.SUB(x, y) if is_float(x, y) and not y.constant else decline("is not float32")


@rule(op.NEG(op.NEG(x)) | op.LOGICAL_NOT(op.LOGICAL_NOT(x)))
def twice_is_none(g: Any, x: Any) -> Any:
    return x if not x.quantized else decline("is quantized")


# ---- One form of arithmetic ----


@rule(op.SUB(x, c))
def subtract_constant(g: Any, x: Any, c: Any, node: Any) -> Any:
    if not is_float(x, c):
        return decline("is not float32")
    return g.ADD(x, g.constant(-c.array), fused_activation_function=_activation(node))


@rule(op.DIV(x, c))
def divide_by_constant(g: Any, x: Any, c: Any, node: Any) -> Any:
    if not is_float(x, c) or not _invertible(c.array):
        return decline("is not float32, or the divisor has no safe reciprocal")
    return g.MUL(x, g.constant(f32(1 / c.array.astype(np.float64))), fused_activation_function=_activation(node))


def _activation(node: Any) -> Any:
    return node.option("fused_activation_function")


def _invertible(value: np.ndarray) -> bool:
    return bool(value.size) and bool(np.all(np.isfinite(value))) and bool(np.all(np.abs(value) > 1e-30))


@rule(op.MUL(x, x) | op.POW(x, 2.0))
def square(g: Any, x: Any, node: Any) -> Any:
    if not is_float(x) or (node.op == "MUL" and getattr(_activation(node), "name", "") != "NONE"):
        return decline("is not plain float32")
    return g.SQUARE(x)


@rule(op.POW(x, 0.5))
def square_root(g: Any, x: Any) -> Any:
    return g.SQRT(x) if is_float(x) else decline("is not float32")


@rule(op.POW(x, -0.5) | div(1.0, op.SQRT(x)))
def reciprocal_root(g: Any, x: Any) -> Any:
    return g.RSQRT(x) if is_float(x) else decline("is not float32")


@rule(op.DIV(y, op.SQRT(x)))
def divide_by_root(g: Any, x: Any, y: Any, node: Any) -> Any:
    if not is_float(x, y):
        return decline("is not float32")
    return g.MUL(y, g.RSQRT(x), fused_activation_function=_activation(node))


# ---- Clamps ----


@rule(op.MAXIMUM(x, 0.0))
def maximum_is_relu(g: Any, x: Any, node: Any) -> Any:
    return g.RELU(x) if is_float(x) and same_shape(x, node.output) else decline("is not float32")


@rule(op.MINIMUM(op.RELU(x), 6.0) | op.RELU(op.MINIMUM(x, 6.0)) | op.RELU6(op.RELU(x)) | op.RELU(op.RELU6(x)))
def relu6(g: Any, x: Any, node: Any) -> Any:
    return g.RELU6(x) if is_float(x) and same_shape(x, node.output) else decline("is not float32")


@rule(op.MINIMUM(op.MAXIMUM(x, -1.0), 1.0) | op.MAXIMUM(op.MINIMUM(x, 1.0), -1.0))
def relu_n1_to_1(g: Any, x: Any, node: Any) -> Any:
    return g.RELU_N1_TO_1(x) if is_float(x) and same_shape(x, node.output) else decline("is not float32")


@rule(op.MAXIMUM(x, mul(x, c)))
def leaky_relu(g: Any, x: Any, c: Any, node: Any) -> Any:
    if not is_float(x, c) or c.array.size != 1 or not same_shape(x, node.output):
        return decline("is not float32 times a number")
    slope = float(c.array.reshape(-1)[0])
    return g.LEAKY_RELU(x, alpha=slope) if 0 < slope < 1 else decline("the slope is not between 0 and 1")


@rule(op.RELU(op.RELU(x)))
def relu_twice(g: Any, x: Any) -> Any:
    return g.RELU(x) if is_float(x) else decline("is not float32")


# ---- Broadcasts that arithmetic does by itself ----


@rule(op("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM")(op.BROADCAST_TO(x, any_("t")), y))
def broadcast_left(g: Any, x: Any, y: Any, node: Any) -> Any:
    return _without_broadcast(g, x, y, node)


@rule(op("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM")(x, op.BROADCAST_TO(y, any_("t"))))
def broadcast_right(g: Any, x: Any, y: Any, node: Any) -> Any:
    return _without_broadcast(g, x, y, node)


def _without_broadcast(g: Any, a: Any, b: Any, node: Any) -> Any:
    if a.shape is None or b.shape is None or broadcast(a.shape, b.shape) != node.output.shape:
        return decline("the broadcast is needed")
    return g.op(node.op, a, b, options=node.options)


RULES = [
    reshape_by_name, reshape_of_reshape, reshape_to_constant, same_shape_same_bytes, reshape_to_itself,
    gather_in_order, transpose_to_itself, cast_to_itself, split_in_one, concat_of_one, neutral_element,
    concat_of_concats, pad_of_pad, slice_of_slice, add_negative, twice_is_none,
    subtract_constant, divide_by_constant, square, square_root, reciprocal_root, divide_by_root, maximum_is_relu, relu6,
    relu_n1_to_1, leaky_relu, relu_twice, broadcast_left, broadcast_right,
]  # fmt: skip
