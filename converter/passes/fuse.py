"""Fewer, larger operators: scales and offsets move into the weights, activations into what feeds them, explicit
padding into the convolution. Weights are computed in float64 and rounded once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..ir import Node, Tensor
from ..rewrite import any_, const, decline, maybe, op, rest, rule
from .common import UNARY, activation, add, f32, ints, is_float, mul, per_channel, same_shape
from .layout import REDUCE

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


_shape, _filters = any_("shape"), const("w")


@rule(op.ADD(op.TRANSPOSE_CONV(_shape, _filters, x, b, fused_activation_function="NONE").named("conv"), c))
def offset_into_transposed(g: Any, shape: Any, x: Any, w: Any, b: Any, c: Any, conv: Any, node: Any) -> Any:
    offset = _transposed_channels(w, b, c, conv, node)
    if offset is None:
        return decline("is not plain float32, or the offset does not vary by output channel only")
    bias = offset + (0 if b is None else b.array.astype(np.float64).reshape(-1))
    return g.TRANSPOSE_CONV(
        shape, w, x, g.constant(f32(bias)), options=conv.options, fused_activation_function=activation(node)
    )


@rule(op.MUL(op.TRANSPOSE_CONV(_shape, _filters, x, b, fused_activation_function="NONE").named("conv"), c))
def scale_into_transposed(g: Any, shape: Any, x: Any, w: Any, b: Any, c: Any, conv: Any, node: Any) -> Any:
    factor = _transposed_channels(w, b, c, conv, node)
    if factor is None or w.used > 1:
        return decline("is not plain float32, or the factor does not vary by output channel only")
    weights = g.constant(f32(w.array * factor.reshape(-1, 1, 1, 1)))
    bias = None if b is None else g.constant(f32(b.array.reshape(-1) * factor))
    return g.TRANSPOSE_CONV(shape, weights, x, bias, options=conv.options, fused_activation_function=activation(node))


def _transposed_channels(w: Tensor, b: Tensor | None, c: Tensor, conv: Node, node: Node) -> np.ndarray | None:
    if not is_float(conv.output, w, b, c) or (b is not None and not b.constant) or not w.shape:
        return None
    return per_channel(c, w.shape[0], 4) if same_shape(conv.output, node.output) else None


@rule(op("ADD", "MUL")(op.SLICE(op.TRANSPOSE_CONV(xs).named("conv"), const("begin"), const("size")), c))
def slice_behind_channels(g: Any, xs: Any, conv: Any, begin: Any, size: Any, c: Any, node: Any) -> Any:
    """A transposed convolution whose borders are cut off: what follows it comes closer."""
    made = conv.output
    if not is_float(made, c) or not made.shape or per_channel(c, made.shape[-1], 4) is None:
        return decline("does not vary by channel only")
    if (ints(begin) or [1])[-1] != 0 or node.output.shape is None or node.output.shape[-1] != made.shape[-1]:
        return decline("channels are cut off too")
    closer = g.op(node.op, made, c, options=node.options)
    closer.type = node.output.type
    return g.SLICE(closer, begin, size)


@rule(op("RELU", "RELU6", "RELU_N1_TO_1")(op.SLICE(op.TRANSPOSE_CONV(xs).named("conv"), const("begin"), const("size"))))
def slice_behind_activation(g: Any, conv: Any, begin: Any, size: Any, node: Any) -> Any:
    if not is_float(conv.output, node.output) or activation(conv) != "NONE":
        return decline("is not float32, or has an activation already")
    closer = g.op(node.op, conv.output)
    closer.type = node.output.type
    return g.SLICE(closer, begin, size)


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


def _into_all(before: Node) -> bool:
    """Whether several dense layers over their own weights, and nothing else, use a scale or offset."""
    t = before.output
    weights = [user.inputs[1] for user in t.users if user.op == "FULLY_CONNECTED" and user.inputs[0] is t]
    return (
        not t.outputs
        and len(weights) == len(t.users)
        and all(w is not None and w.constant and w.used == 1 and is_float(w) for w in weights)
    )


@rule(op(*MAC)(mul(x, c).named("before").shared(), w, b).named("mac"))
def scale_before(g: Any, x: Any, w: Any, b: Any, c: Any, mac: Any, before: Any) -> Any:
    if before.output.used > 1 and not _into_all(before):
        return decline("is used elsewhere too")
    parts = _weights(mac, w, b)
    if parts is None or not is_float(x, c) or not same_shape(x, before.output) or w.used > 1:
        return decline("weights are not plain float32 constants of their own")
    weights, bias, _ = parts
    n = _input_channels(mac, weights, x)
    factor = None if n is None else per_channel(c, n, len(x.shape))
    if factor is None:
        return decline("the factor does not vary by input channel only")
    return _rebuild(g, mac, x, weights * _spread(mac, factor, weights), bias, activation(mac))


@rule(op(*MAC)(add(x, c).named("before").shared(), w, b).named("mac"))
def offset_before(g: Any, x: Any, w: Any, b: Any, c: Any, mac: Any, before: Any) -> Any:
    if before.output.used > 1 and not _into_all(before):
        return decline("is used elsewhere too")
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


@rule(op(*MAC)(mul(x, mul(any_("y"), c)).named("before"), w, b).named("mac"))
def factor_of_gate(g: Any, x: Any, y: Any, w: Any, b: Any, c: Any, mac: Any) -> Any:
    """A number that scales a gate (hard-sigmoid divides by 6) goes into the weights behind the gated value."""
    parts = _weights(mac, w, b)
    if parts is None or not is_float(x, y, c) or c.array.size != 1 or w.used > 1:
        return decline("weights are not plain float32 constants of their own, or the factor is no number")
    weights, bias, _ = parts
    return _rebuild(g, mac, g.MUL(x, y), weights * float(c.array.reshape(-1)[0]), bias, activation(mac))


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


@rule(op.MUL(op.RESHAPE(x, any_("s")), c))
def reshape_behind_number(g: Any, x: Any, c: Any, node: Any) -> Any:
    if not is_float(x, c) or c.array.size != 1 or x.producer is None or x.producer.op not in MAC:
        return decline("nothing to come closer to, or not a number")
    if len(c.shape) > len(node.output.shape or ()):
        return decline("the constant has more dimensions")
    return _behind(g, g.MUL(x, g.constant(c.array.reshape(())), options=node.options), node)


@rule(op.RESHAPE(op(*REDUCE)(x, const("axes")).named("inner"), any_("s")))
def reduction_with_or_without_ones(g: Any, x: Any, axes: Any, inner: Any, node: Any) -> Any:
    which, shape = ints(axes), node.output.shape
    if x.shape is None or which is None or shape is None or shape.count(-1) > 1:
        return decline("the shape is not known")
    gone = {a % len(x.shape) for a in which}
    for keep in (False, True):
        made = [1 if i in gone else d for i, d in enumerate(x.shape) if keep or i not in gone]
        if tuple(made) == shape:
            return g.op(inner.op, x, axes, options=inner.options, keep_dims=keep)
    return decline("does more than drop or keep the reduced axes")


@rule(op(*REDUCE)(op.RESHAPE(x, any_("s")).named("reshape"), const("axes")))
def ones_behind_reduction(g: Any, x: Any, axes: Any, reshape: Any, node: Any) -> Any:
    """A reshape that only puts in or takes out dimensions of one: the reduction does not need it."""
    middle, which = reshape.output.shape, ints(axes)
    if x.shape is None or middle is None or which is None or not is_float(x) or x.shape.count(-1) > 1:
        return decline("the shape is not known")
    before = [i for i, d in enumerate(x.shape) if d != 1]
    after = [i for i, d in enumerate(middle) if d != 1]
    if [x.shape[i] for i in before] != [middle[i] for i in after]:
        return decline("does more than put in or take out ones")
    gone = {a % len(middle) for a in which}
    inner = [i for i, k in zip(before, after, strict=True) if k in gone]
    if not inner:
        return decline("reduces ones only")
    return _behind(g, g.op(node.op, x, g.constant(np.array(inner, np.int32)), keep_dims=False), node)


@rule(op.RESHAPE(op.FULLY_CONNECTED(op.RESHAPE(x, any_("s")).named("flat"), w, b).named("dense"), any_("t")))
def dense_of_any_rank(g: Any, x: Any, w: Any, b: Any, flat: Any, dense: Any, node: Any) -> Any:
    """A dense layer over sequences, as exporters that know matrices only write it."""
    before, after = x.shape, node.output.shape
    if not before or not after or not w.shape or before[:-1] != after[:-1] or before[:-1].count(-1) > 1:
        return decline("the reshapes do not undo each other")
    if before[-1] != w.shape[1] or after[-1] != w.shape[0] or (flat.output.shape or (0,))[-1] != w.shape[1]:
        return decline("mixes features")
    if not is_float(x, w, b):
        return decline("is not float32")
    return g.FULLY_CONNECTED(x, w, b, options=dense.options, keep_num_dims=True)


# ---- Products ----


def _leads_to_product(t: Tensor) -> bool:
    """Whether a factor of this operand would reach the weights of a dense layer: only its order changed since."""
    while t.producer is not None and t.producer.op in ("RESHAPE", "TRANSPOSE", "MUL") and t.used == 1:
        t = t.producer.inputs[0]  # type: ignore[assignment]
    node = t.producer
    return node is not None and node.op in MAC and t.used == 1 and activation(node) == "NONE"


@rule(op.MUL(op.BATCH_MATMUL(x, any_("y")).named("product"), c))
def number_into_product(g: Any, x: Any, y: Any, c: Any, product: Any, node: Any) -> Any:
    """Scores over the root of the depth: the factor goes to the weights of a dense layer, or to the smaller operand."""
    if not is_float(x, y, c) or c.array.size != 1 or len(c.shape) > len(node.output.shape or ()):
        return decline("is not a float32 number")
    if activation(node) != "NONE" or x.constant or y.constant:
        return decline("has an activation or a constant operand")
    factor = g.constant(c.array.reshape(()))
    if _leads_to_product(x) or (not _leads_to_product(y) and _smaller(x, node.output)):
        return g.BATCH_MATMUL(g.MUL(x, factor), y, options=product.options)
    if _leads_to_product(y) or _smaller(y, node.output):
        return g.BATCH_MATMUL(x, g.MUL(y, factor), options=product.options)
    return decline("the operands are larger")


def _smaller(a: Tensor, b: Tensor) -> bool:
    return a.static and b.static and math.prod(a.shape or ()) < math.prod(b.shape or ())


@rule(op.BATCH_MATMUL(mul(x, const("c1")), mul(any_("y"), const("c2"))).named("product"))
def numbers_of_product(g: Any, x: Any, y: Any, c1: Any, c2: Any, product: Any) -> Any:
    if not is_float(x, y, c1, c2) or c1.array.size != 1 or c2.array.size != 1:
        return decline("are no numbers")
    both = c1.array.astype(np.float64).reshape(()) * c2.array.reshape(())
    return g.BATCH_MATMUL(g.MUL(x, g.constant(f32(both))), y, options=product.options)


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
    scale_into_weights, offset_into_bias, offset_into_transposed, scale_into_transposed, slice_behind_channels,
    slice_behind_activation, activation_into_producer, relu6_of_relu, relu_of_relu, scale_before, offset_before,
    factor_of_gate, constants_together, reshape_behind_unary, reshape_behind_prelu, reshape_behind_binary,
    reshape_behind_number, reduction_with_or_without_ones, ones_behind_reduction, dense_of_any_rank,
    number_into_product, numbers_of_product, transpose_into_product_right, transpose_into_product_left,
    padding_into_convolution, padding_through_transpose,
]  # fmt: skip
