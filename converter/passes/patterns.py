"""Formulas that have a name: hard-swish, GELU, SiLU, softmax, mean. Exporters write them out; one operator is faster,
rounds less and quantizes well."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..rewrite import any_, const, decline, op, rule
from .common import add, div, ints, is_float, mul, same_shape, sub

x, c, axes = any_("x"), const("c"), const("axes")


# ---- Activations ----

_relu6_of_x_plus_3 = op.RELU6(add(x, 3.0)) | op.ADD(x, 3.0, fused_activation_function="RELU6")


@rule(
    mul(x, mul(_relu6_of_x_plus_3, 1 / 6))
    | mul(mul(x, _relu6_of_x_plus_3), 1 / 6)
    | mul(mul(x, 1 / 6), _relu6_of_x_plus_3)
    | div(mul(x, _relu6_of_x_plus_3), 6.0)
    | mul(x, div(_relu6_of_x_plus_3, 6.0))
)
def hard_swish(g: Any, x: Any, node: Any) -> Any:
    return g.HARD_SWISH(x) if is_float(x) and same_shape(x, node.output) else decline("is not float32")


_line = add(mul(x, const("slope")), const("offset"))
_fused_line = op.ADD(mul(x, const("slope")), const("offset"), fused_activation_function="RELU")


@rule(op.MINIMUM(op.RELU(_line) | _fused_line, 1.0) | op.RELU(op.MINIMUM(_line, 1.0)))
def hard_sigmoid(g: Any, x: Any, slope: Any, offset: Any, node: Any) -> Any:
    """A line clamped to 0 … 1 is a sixth of a RELU6, which goes into what makes the line."""
    if not is_float(x, slope, offset) or slope.array.size != 1 or offset.array.size != 1:
        return decline("is not float32, or not one line")
    a, b = (6 * float(t.array.reshape(-1)[0]) for t in (slope, offset))
    if not same_shape(x, node.output):
        return decline("changes the shape")
    steep = x if abs(a - 1) < 1e-6 else g.MUL(x, g.constant(np.float32(a)))
    clamped = g.ADD(steep, g.constant(np.float32(b)), fused_activation_function="RELU6")
    return g.MUL(clamped, g.constant(np.float32(1 / 6)))


@rule(div(1.0, add(op.EXP(op.NEG(x)), 1.0)))
def logistic(g: Any, x: Any) -> Any:
    return g.LOGISTIC(x) if is_float(x) else decline("is not float32")


@rule(div(x, add(op.EXP(op.NEG(x)), 1.0)))
def silu(g: Any, x: Any, node: Any) -> Any:
    """x / (1 + e^-x): SiLU has no operator; x * LOGISTIC(x) is its form here."""
    return g.MUL(x, g.LOGISTIC(x)) if is_float(x) and same_shape(x, node.output) else decline("is not float32")


_cube = mul(op.SQUARE(x), x) | op.POW(x, 3.0) | mul(mul(x, x), x)
_square = mul(op.SQUARE(x), 0.044715) | mul(mul(x, 0.044715), x)
_inner = mul(add(x, mul(_cube, 0.044715)), 0.7978846) | mul(mul(x, 0.7978846), add(_square, 1.0))
_one_plus_tanh = add(op.TANH(_inner), 1.0)


@rule(mul(mul(x, 0.5), _one_plus_tanh) | mul(x, mul(_one_plus_tanh, 0.5)) | mul(mul(x, _one_plus_tanh), 0.5))
def gelu_tanh(g: Any, x: Any, node: Any) -> Any:
    return g.GELU(x, approximate=True) if is_float(x) and same_shape(x, node.output) else decline("is not float32")


# ---- Softmax ----

_largest = op.REDUCE_MAX(x, axes, keep_dims=True)
_e_shifted, _e = op.EXP(sub(x, _largest)), op.EXP(x)


@rule(div(_e_shifted, op.SUM(_e_shifted, const("last"), keep_dims=True)))
def softmax_shifted(g: Any, x: Any, axes: Any, last: Any) -> Any:
    rank = len(x.shape or ())
    if not is_float(x) or not rank or any(ints(a) not in ([-1], [rank - 1]) for a in (axes, last)):
        return decline("does not run along the last axis")
    return g.SOFTMAX(x, beta=1.0)


@rule(div(_e, op.SUM(_e, const("last"), keep_dims=True)))
def softmax(g: Any, x: Any, last: Any) -> Any:
    rank = len(x.shape or ())
    if not is_float(x) or not rank or ints(last) not in ([-1], [rank - 1]):
        return decline("does not run along the last axis")
    return g.SOFTMAX(x, beta=1.0)


@rule(op.LOG(op.SOFTMAX(x, beta=1.0)))
def log_softmax(g: Any, x: Any) -> Any:
    return g.LOG_SOFTMAX(x) if is_float(x) else decline("is not float32")


# ---- Means ----


@rule(op.AVERAGE_POOL_2D(x, padding="VALID", fused_activation_function="NONE").named("pool"))
def mean_by_pool(g: Any, x: Any, pool: Any) -> Any:
    if x.shape is None or not is_float(x):
        return decline("is not float32 of known shape")
    if (pool.option("filter_height"), pool.option("filter_width")) != x.shape[1:3]:
        return decline("the window is smaller than the picture")
    return g.MEAN(x, g.constant(np.array([1, 2], np.int32)), keep_dims=True)


@rule(mul(op.SUM(x, axes).named("total"), c))
def mean_by_sum(g: Any, x: Any, axes: Any, c: Any, total: Any) -> Any:
    which = ints(axes)
    if which is None or not x.static or not is_float(x) or c.array.size != 1:
        return decline("the number of elements is not known")
    count = int(np.prod([x.shape[a] for a in which]))
    if not count or abs(float(c.array.reshape(-1)[0]) * count - 1) > 1e-6:
        return decline("the factor is not one over the number of elements")
    return g.MEAN(x, axes, keep_dims=total.option("keep_dims"))


RULES = [
    hard_swish, hard_sigmoid, logistic, silu, gelu_tanh, softmax_shifted, softmax, log_softmax, mean_by_pool,
    mean_by_sum,
]  # fmt: skip
