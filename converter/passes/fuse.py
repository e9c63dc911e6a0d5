"""Fewer, larger operators: scales and offsets move into the weights, activations into what feeds them, explicit
padding into the convolution. Weights are computed in float64 and rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir import Node, Tensor
from ..rewrite import any_, const, decline, maybe, op, rest, rule
from .common import activation, add, f32, ints, is_float, mul, per_channel, same_shape
from .layout import UNARY

x, w, b, c, xs = any_("x"), const("w"), maybe("b"), const("c"), rest("xs")

MAC = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_POOLS = ("MAX_POOL_2D", "AVERAGE_POOL_2D")
_OUT_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}


def mac(*inputs: Any) -> Any:
    return op(*MAC)(*inputs, fused_activation_function="NONE").named("mac")


def _weights(mac: Node, w: Tensor, b: Tensor | None) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Weights and bias in float64, and the axis of the weights that is the output channel."""
    if not is_float(mac.outputs[0], w, b) or (b is not None and not b.constant) or w.sparsity is not None:
        return None
    if mac.op == "FULLY_CONNECTED" and getattr(mac.option("weights_format"), "name", "DEFAULT") != "DEFAULT":
        return None
    axis = _OUT_AXIS[mac.op]
    weights = w.array.astype(np.float64)
    bias = np.zeros(weights.shape[axis]) if b is None else b.array.astype(np.float64).reshape(-1)
    return weights, bias, axis


def _along(values: np.ndarray, axis: int, rank: int) -> np.ndarray:
    return values.reshape([-1 if i == axis else 1 for i in range(rank)])


def _rebuild(g: Any, mac: Node, x: Tensor, w: Any, bias: np.ndarray, act: Any) -> Any:
    weights = w if isinstance(w, Tensor) else g.constant(f32(w))
    return g.op(mac.op, x, weights, g.constant(f32(bias)), options=mac.options, fused_activation_function=act)


# ---- Behind the multiply-accumulate ----


@rule(op.MUL(mac(x, w, b), c))
def scale_into_weights(g: Any, x: Any, w: Any, b: Any, c: Any, mac: Any, node: Any) -> Any:
    parts = _weights(mac, w, b)
    if parts is None or not is_float(c):
        return decline("weights are not plain float32 constants")
    weights, bias, axis = parts
    factor = per_channel(c, weights.shape[axis], len(mac.output.shape or ()))
    if factor is None or not same_shape(mac.output, node.output) or w.used > 1:
        return decline("the factor does not vary by output channel only, or the weights have other users")
    return _rebuild(g, mac, x, weights * _along(factor, axis, weights.ndim), bias * factor, activation(node))


@rule(op.ADD(mac(x, w, b), c))
def offset_into_bias(g: Any, x: Any, w: Any, b: Any, c: Any, mac: Any, node: Any) -> Any:
    parts = _weights(mac, w, b)
    if parts is None or not is_float(c):
        return decline("weights are not plain float32 constants")
    weights, bias, axis = parts
    offset = per_channel(c, weights.shape[axis], len(mac.output.shape or ()))
    if offset is None or not same_shape(mac.output, node.output):
        return decline("the offset does not vary by output channel only")
    return _rebuild(g, mac, x, w, bias + offset, activation(node))


@rule(
    op("RELU", "RELU6", "RELU_N1_TO_1")(
        op(*MAC, "ADD", "SUB", "MUL", "DIV", "MAX_POOL_2D", "AVERAGE_POOL_2D", "TRANSPOSE_CONV", "L2_POOL_2D")(
            xs, fused_activation_function="NONE"
        ).named("inner")
    )
)
def activation_into_producer(g: Any, xs: Any, inner: Any, node: Any) -> Any:
    if not is_float(inner.output, node.output):
        return decline("is not float32")
    return g.op(inner.op, *xs, options=inner.options, fused_activation_function=node.op)


def _clamped(act: Any) -> bool:
    return getattr(act, "name", "") in ("RELU", "RELU6")


@rule(op("RELU6")(op(*MAC, "ADD", "SUB", "MUL", "DIV")(xs, fused_activation_function="RELU").named("inner")))
def relu6_of_relu(g: Any, xs: Any, inner: Any, node: Any) -> Any:
    if not is_float(inner.output, node.output):
        return decline("is not float32")
    return g.op(inner.op, *xs, options=inner.options, fused_activation_function="RELU6")


@rule(op.RELU(op(*MAC, "ADD", "SUB", "MUL", "DIV")(xs, fused_activation_function=_clamped).named("inner")))
def relu_of_relu(g: Any, inner: Any) -> Any:
    return inner.output


# ---- Before it ----


def _input_channels(mac: Node, w: np.ndarray, x: Tensor) -> int | None:
    """How many channels the input has, if the weights tell them apart (not in grouped convolutions)."""
    if x.shape is None or not x.shape or x.shape[-1] < 0:
        return None
    n = x.shape[-1]
    if mac.op == "DEPTHWISE_CONV_2D":
        return n if w.shape[3] % n == 0 else None
    return n if w.shape[-1] == n else None


def _spread(mac: Node, values: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Values by input channel, shaped to meet the weights."""
    if mac.op == "DEPTHWISE_CONV_2D":
        return np.repeat(values, w.shape[3] // len(values))
    return values


@rule(op(*MAC)(mul(x, c).named("before"), w, b).named("mac"))
def scale_before(g: Any, x: Any, w: Any, b: Any, c: Any, mac: Any, before: Any) -> Any:
    parts = _weights(mac, w, b)
    if parts is None or not is_float(x, c) or not same_shape(x, before.output) or w.used > 1:
        return decline("weights are not plain float32 constants of their own")
    weights, bias, _ = parts
    n = _input_channels(mac, weights, x)
    factor = None if n is None else per_channel(c, n, len(x.shape))
    if factor is None:
        return decline("the factor does not vary by input channel only")
    return _rebuild(g, mac, x, weights * _spread(mac, factor, weights), bias, activation(mac))


@rule(op(*MAC)(add(x, c).named("before"), w, b).named("mac"))
def offset_before(g: Any, x: Any, w: Any, b: Any, c: Any, mac: Any, before: Any) -> Any:
    parts = _weights(mac, w, b)
    if parts is None or not is_float(x, c) or not same_shape(x, before.output):
        return decline("weights are not plain float32 constants")
    weights, bias, _ = parts
    padded = mac.op != "FULLY_CONNECTED" and getattr(mac.option("padding"), "name", "") == "SAME"
    if padded and weights.shape[1:3] != (1, 1):
        return decline("the padding would have to be offset too")
    n = _input_channels(mac, weights, x)
    offset = None if n is None else per_channel(c, n, len(x.shape))
    if offset is None:
        return decline("the offset does not vary by input channel only")
    shifted = weights * _spread(mac, offset, weights)
    if mac.op == "DEPTHWISE_CONV_2D":
        extra = shifted.sum(axis=(0, 1, 2))
    else:
        extra = shifted.reshape(shifted.shape[0], -1).sum(axis=1)
    return _rebuild(g, mac, x, w, bias + extra, activation(mac))


@rule(add(add(x, const("c1")), const("c2")) | mul(mul(x, const("c1")), const("c2")))
def constants_together(g: Any, x: Any, c1: Any, c2: Any, node: Any) -> Any:
    if not is_float(x, c1, c2):
        return decline("is not float32")
    a, d = c1.array.astype(np.float64), c2.array.astype(np.float64)
    both = a + d if node.op == "ADD" else a * d
    if both.size > max(a.size, d.size):
        return decline("the constants together are larger")
    return g.op(node.op, x, g.constant(f32(both)))


# ---- Reshapes between ----

_SAME_BYTES = (*UNARY, "LEAKY_RELU")
_ELEMENTWISE = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM")


def _behind(g: Any, inner: Any, node: Node) -> Any:
    inner.type, inner.quantization = node.output.type, node.output.quantization
    shape = node.output.shape
    if shape is None or shape.count(-1) > 1:
        return decline("the shape is not known")
    return g.RESHAPE(inner, g.constant(np.array(shape, np.int32)))


@rule(op(*_SAME_BYTES)(op.RESHAPE(x, any_("s"))))
def reshape_behind_unary(g: Any, x: Any, node: Any) -> Any:
    """A convolution over time is one over pictures between two reshapes: what follows it comes closer."""
    if not is_float(x, node.output) or x.producer is None or x.producer.op not in (*MAC, *_POOLS):
        return decline("nothing to come closer to")
    return _behind(g, g.op(node.op, x, options=node.options), node)


@rule(op.PRELU(op.RESHAPE(x, any_("s")).named("reshape"), c))
def reshape_behind_prelu(g: Any, x: Any, c: Any, reshape: Any, node: Any) -> Any:
    before, after = x.shape, reshape.output.shape
    if not before or not after or before[-1] != after[-1] or c.array.size != before[-1] or c.shape[-1:] != before[-1:]:
        return decline("the slopes do not vary by channel")
    alpha = g.constant(c.array.reshape((1,) * (len(before) - 2) + (before[-1],)))
    return _behind(g, g.PRELU(x, alpha), node)


@rule(op(*_ELEMENTWISE)(op.RESHAPE(x, any_("s")).named("left"), op.RESHAPE(any_("y"), any_("t")).named("right")))
def reshape_behind_binary(g: Any, x: Any, y: Any, left: Any, right: Any, node: Any) -> Any:
    if not same_shape(x, y) or not same_shape(left.output, right.output) or not is_float(x, y):
        return decline("the operands have different shapes")
    return _behind(g, g.op(node.op, x, y, options=node.options), node)


# ---- Products ----


def _swaps_last_two(t: Tensor) -> bool:
    perm = ints(t) or []
    n = len(perm)
    return n >= 2 and perm == [*range(n - 2), n - 1, n - 2]


@rule(op.BATCH_MATMUL(x, op.TRANSPOSE(any_("y"), c)))
def transpose_into_product_right(g: Any, x: Any, y: Any, c: Any, node: Any) -> Any:
    if not _swaps_last_two(c):
        return decline("moves other axes than the last two")
    return g.BATCH_MATMUL(x, y, options=node.options, adj_y=not node.option("adj_y"))


@rule(op.BATCH_MATMUL(op.TRANSPOSE(x, c), any_("y")))
def transpose_into_product_left(g: Any, x: Any, y: Any, c: Any, node: Any) -> Any:
    if not _swaps_last_two(c):
        return decline("moves other axes than the last two")
    return g.BATCH_MATMUL(x, y, options=node.options, adj_x=not node.option("adj_x"))


# ---- Padding ----


@rule(op("CONV_2D", "DEPTHWISE_CONV_2D")(op.PAD(x, const("pads")), w, b, padding="VALID").named("conv"))
def padding_into_convolution(g: Any, x: Any, pads: Any, w: Any, b: Any, conv: Any) -> Any:
    problem = _not_same(x.shape, ints(pads), conv, w)
    return decline(problem) if problem else g.op(conv.op, x, w, b, options=conv.options, padding="SAME")


@rule(
    op("CONV_2D", "DEPTHWISE_CONV_2D")(op.TRANSPOSE(op.PAD(x, const("pads")), const("p")), w, b, padding="VALID").named(
        "conv"
    )
)
def padding_through_transpose(g: Any, x: Any, pads: Any, p: Any, w: Any, b: Any, conv: Any) -> Any:
    """The first convolution of a network whose input stays in another layout."""
    perm, amounts = ints(p), ints(pads)
    if perm is None or amounts is None or x.shape is None or len(amounts) != 2 * len(perm):
        return decline("the padding or the permutation is not known")
    turned = [amounts[2 * axis + side] for axis in perm for side in (0, 1)]
    problem = _not_same(tuple(x.shape[axis] for axis in perm), turned, conv, w)
    if problem:
        return decline(problem)
    return g.op(conv.op, g.TRANSPOSE(x, p), w, b, options=conv.options, padding="SAME")


def _not_same(shape: tuple[int, ...] | None, amounts: list[int] | None, conv: Node, w: Tensor) -> str | None:
    """Why padding by these amounts is not what SAME would do; None if it is."""
    if amounts is None or shape is None or w.shape is None or len(amounts) != 8 or -1 in shape[1:3]:
        return "the size of the picture is not known"
    if any(amounts[:2]) or any(amounts[6:]):
        return "pads batch or channels"
    for i, side in enumerate(("h", "w")):
        size, kernel = shape[1 + i], w.shape[1 + i]
        stride, dilation = conv.option(f"stride_{side}"), conv.option(f"dilation_{side}_factor")
        if stride < 1:
            return "the stride is impossible"
        total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
        if amounts[2 + 2 * i : 4 + 2 * i] != [total // 2, total - total // 2]:
            return "is not what SAME would pad"
    return None


RULES = [
    scale_into_weights, offset_into_bias, activation_into_producer, relu6_of_relu, relu_of_relu, scale_before,
    offset_before, constants_together, reshape_behind_unary, reshape_behind_prelu, reshape_behind_binary,
    transpose_into_product_right, transpose_into_product_left, padding_into_convolution, padding_through_transpose,
]  # fmt: skip
