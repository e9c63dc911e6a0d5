"""ONNX operators that compute: element by element, along axes, and products of matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..ir import Quantization, Tensor
from .build import Open, T, Unsupported
from .onnx_build import Call, op
from .words import (
    ARITHMETIC,
    I32,
    I64,
    F,
    compute,
    compute_reduced,
    einsum_of,
    f,
    last_axis,
    matmul_of,
    softplus_of,
    suited,
)


def need_float(c: Call, i: int = 0) -> Tensor:
    x = c[i]
    if x.type != F:
        raise Unsupported(f"operand {i} has type {x.type.name}, needs a floating-point type")
    return x


# ---- Two operands and more ----


def _binary(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        b, x, y = c.b, c[0], c[1]
        made = compute(b, ours, x, y)
        left, right = b.partial(x), b.partial(y)
        if left is not None and right is not None and ours in _ON_NUMBERS and 1 in (len(left), len(right), 1):
            n = max(len(left), len(right))
            left, right = (v * n if len(v) == 1 else v for v in (left, right))
            values = [_ON_NUMBERS[ours](p, q) for p, q in zip(left, right, strict=False)]
            if len(left) == len(right) == n and None not in values:
                return b.remember(made, values)
        return made

    return function


def _both(function: Callable[[int, int], Any]) -> Callable[[Any, Any], Any]:
    return lambda p, q: function(p, q) if isinstance(p, int) and isinstance(q, int) else None


def _truncated(u: int, v: int) -> Any:
    return None if v == 0 else abs(u) // abs(v) * (1 if (u < 0) == (v < 0) else -1)


_ON_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "ADD": lambda p, q: p if q == 0 else q if p == 0 else _both(lambda u, v: u + v)(p, q),
    "SUB": lambda p, q: p if q == 0 else _both(lambda u, v: u - v)(p, q),
    "MUL": lambda p, q: p if q == 1 else q if p == 1 else _both(lambda u, v: u * v)(p, q),
    "DIV": lambda p, q: p if q == 1 else _both(_truncated)(p, q),
}

for _name, _ours in {"Add": "ADD", "Sub": "SUB", "Mul": "MUL", "Div": "DIV"}.items():
    op(_name)(_binary(_ours))


@op("Pow")
def pow_(c: Call) -> Tensor:
    x, y = c[0], c[1]
    if x.type != F and y.type == F:
        return c.b.cast(c.b.op("POW", c.b.cast(x, F), y), x.type)
    return compute(c.b, "POW", x, y)


@op("Mod")
def mod(c: Call) -> Tensor:
    b, x, y = c.b, c[0], c[1]
    if not c.attr("fmod", 0):
        return compute(b, "FLOOR_MOD", x, y)
    return compute(b, "MUL", compute(b, "SIGN", x), compute(b, "FLOOR_MOD", compute(b, "ABS", x), compute(b, "ABS", y)))


def _variadic(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        made = c[0]
        for i in range(1, len(c)):
            made = compute(c.b, ours, made, c[i])
        return made

    return function


for _name, _ours in {"Min": "MINIMUM", "Max": "MAXIMUM", "Sum": "ADD"}.items():
    op(_name)(_variadic(_ours))


@op("Mean")
def mean_of_operands(c: Call) -> Tensor:
    return f(c.b, "MUL", _variadic("ADD")(c), 1 / len(c))


def _equal(p: int | Open, q: int | Open) -> bool | None:
    """Whether two elements of shapes are equal; None: not known. A dimension is never negative."""
    if p == q:
        return True
    if isinstance(p, int) and isinstance(q, int):
        return False
    return False if (isinstance(p, int) and p < 0) or (isinstance(q, int) and q < 0) else None


def _comparison(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        b = c.b
        made: Tensor = b.op(ours, *suited(b, ours, c[0], c[1]))
        left, right = b.partial(c[0]), b.partial(c[1])
        if ours != "EQUAL" or made.constant or left is None or right is None or b.rank(made) != 1:
            return made
        left, right = (v * max(len(left), len(right)) if len(v) == 1 else v for v in (left, right))
        known = [_equal(p, q) for p, q in zip(left, right, strict=True)]
        return made if None in known else b.remember(made, [int(bool(k)) for k in known])

    return function


for _name, _ours in {
    "Equal": "EQUAL", "Less": "LESS", "LessOrEqual": "LESS_EQUAL", "Greater": "GREATER",
    "GreaterOrEqual": "GREATER_EQUAL",
}.items():  # fmt: skip
    op(_name)(_comparison(_ours))


def _logic(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        return c.b.op(ours, *c.inputs)  # type: ignore[no-any-return]

    return function


for _name, _ours in {"And": "LOGICAL_AND", "Or": "LOGICAL_OR", "Xor": "NOT_EQUAL", "Not": "LOGICAL_NOT"}.items():
    op(_name)(_logic(_ours))


@op("Where")
def where(c: Call) -> Tensor:
    b = c.b
    made: Tensor = b.op("SELECT_V2", c[0], c[1], c[2])
    parts = [p for p in map(b.partial, (c[0], c[1], c[2])) if p is not None]
    if len(parts) < 3 or made.constant:
        return made
    n = max(map(len, parts))
    spread = [v * n if len(v) == 1 else v for v in parts]
    if any(len(v) != n for v in spread):
        return made
    return b.remember(made, [p if k else q for k, p, q in zip(*spread, strict=True)])


# ---- One operand ----


def _unary(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        return compute(c.b, ours, c[0] if ours in ARITHMETIC else need_float(c))

    return function


for _name, _ours in {
    "Abs": "ABS", "Neg": "NEG", "Sign": "SIGN", "Sqrt": "SQRT", "Exp": "EXP", "Log": "LOG", "Floor": "FLOOR",
    "Ceil": "CEIL", "Round": "ROUND", "Sin": "SIN", "Cos": "COS", "Sigmoid": "LOGISTIC", "Tanh": "TANH",
    "HardSwish": "HARD_SWISH",
}.items():  # fmt: skip
    op(_name)(_unary(_ours))


@op("Relu")
def relu(c: Call) -> Tensor:
    return c.b.op("RELU", c[0]) if c[0].type == F else f(c.b, "MAXIMUM", c[0], 0)


@op("Reciprocal")
def reciprocal(c: Call) -> Tensor:
    return f(c.b, "DIV", 1, need_float(c))


@op("Tan")
def tan(c: Call) -> Tensor:
    return f(c.b, "DIV", f(c.b, "SIN", need_float(c)), f(c.b, "COS", c[0]))


@op("Sinh", "Cosh")
def sinh_cosh(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    both = f(b, "SUB" if c.op_type == "Sinh" else "ADD", f(b, "EXP", x), f(b, "EXP", f(b, "NEG", x)))
    return f(b, "MUL", both, 0.5)


@op("Asinh", "Acosh")
def asinh_acosh(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    if c.op_type == "Acosh":
        return f(b, "LOG", f(b, "ADD", x, f(b, "SQRT", f(b, "SUB", f(b, "MUL", x, x), 1.0))))
    size = f(b, "ABS", x)
    return f(
        b, "MUL", f(b, "SIGN", x), f(b, "LOG", f(b, "ADD", size, f(b, "SQRT", f(b, "ADD", f(b, "MUL", x, x), 1.0))))
    )


@op("Atanh")
def atanh(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    return f(b, "MUL", f(b, "LOG", f(b, "DIV", f(b, "ADD", x, 1.0), f(b, "SUB", 1.0, x))), 0.5)


@op("Erf")
def erf(c: Call) -> Tensor:
    """sign(x) (1 - p(t) e^-x²) with t = 1 / (1 + 0.3275911 |x|): the error is below 5e-7 (Abramowitz, Stegun)."""
    b, x = c.b, need_float(c)
    size = f(b, "ABS", x)
    t = f(b, "DIV", 1.0, f(b, "ADD", f(b, "MUL", size, 0.3275911), 1.0))
    p = f(b, "MUL", t, 1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        p = f(b, "MUL", f(b, "ADD", p, factor), t)
    return f(b, "MUL", f(b, "SIGN", x), f(b, "SUB", 1.0, f(b, "MUL", p, f(b, "EXP", f(b, "NEG", f(b, "MUL", x, x))))))


@op("IsNaN")
def is_nan(c: Call) -> Tensor:
    return c.b.op("NOT_EQUAL", need_float(c), c[0])  # type: ignore[no-any-return]


@op("IsInf")
def is_inf(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    if c.attr("detect_negative", 1) and c.attr("detect_positive", 1):
        return b.op("EQUAL", b.op("ABS", x), b.like(x, math.inf))  # type: ignore[no-any-return]
    if not c.attr("detect_negative", 1) and not c.attr("detect_positive", 1):
        return b.op("LESS", x, b.like(x, -math.inf))  # type: ignore[no-any-return]
    return b.op("EQUAL", x, b.like(x, math.inf if c.attr("detect_positive", 1) else -math.inf))  # type: ignore[no-any-return]


# ---- Activations ----


@op("Clip")
def clip(c: Call) -> Tensor:
    b, x = c.b, c[0]
    low, high = c.get(1), c.get(2)
    if c.opset < 11:
        low = b.like(x, c.attributes["min"]) if "min" in c.attributes else None
        high = b.like(x, c.attributes["max"]) if "max" in c.attributes else None
    ends = [
        float(t.array.reshape(-1)[0]) if t is not None and t.constant and t.array.size == 1 else None
        for t in (low, high)
    ]
    if x.type == F and ends == [0, 6]:
        return b.op("RELU6", x)  # type: ignore[no-any-return]
    if x.type == F and ends == [-1, 1]:
        return b.op("RELU_N1_TO_1", x)  # type: ignore[no-any-return]
    if x.type == F and low is not None and ends[0] == 0:
        x, low = b.op("RELU", x), None
    if low is not None:
        x = compute(b, "MAXIMUM", x, low)
    return x if high is None else compute(b, "MINIMUM", x, high)


@op("HardSigmoid")
def hard_sigmoid(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    alpha, beta = c.attr("alpha", 0.2), c.attr("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-5 and beta == 0.5:
        return f(b, "MUL", b.op("RELU6", f(b, "ADD", x, 3.0)), 1 / 6)
    return f(b, "MINIMUM", b.op("RELU", f(b, "ADD", f(b, "MUL", x, alpha), beta)), 1.0)


@op("LeakyRelu")
def leaky_relu(c: Call) -> Tensor:
    return c.b.op("LEAKY_RELU", need_float(c), alpha=c.attr("alpha", 0.01))  # type: ignore[no-any-return]


@op("PRelu")
def prelu(c: Call) -> Tensor:
    b, x, slope = c.b, need_float(c), c[1]
    rank = b.rank(x)
    if slope.constant and rank > 1:
        alpha = slope.array
        while alpha.ndim > rank - 1 and alpha.shape[0] == 1:
            alpha = alpha[0]
        if alpha.ndim < rank:
            alpha = alpha.reshape((1,) * (rank - 1 - alpha.ndim) + alpha.shape)
            return b.op("PRELU", x, b.const(alpha))  # type: ignore[no-any-return]
    return f(b, "SUB", b.op("RELU", x), f(b, "MUL", b.op("RELU", f(b, "NEG", x)), slope))


@op("Elu", "Celu", "Selu")
def elu(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    alpha = c.attr("alpha", 1.67326319217681884765625 if c.op_type == "Selu" else 1.0)
    if alpha == 1 and c.op_type != "Selu":
        return b.op("ELU", x)  # type: ignore[no-any-return]
    below = f(b, "MINIMUM", x, 0.0)
    if c.op_type == "Celu":
        below = f(b, "DIV", below, alpha)
    both = f(b, "ADD", b.op("RELU", x), f(b, "MUL", b.op("ELU", below), alpha))
    return f(b, "MUL", both, c.attr("gamma", 1.05070102214813232421875)) if c.op_type == "Selu" else both


@op("Gelu", "FastGelu")
def gelu(c: Call) -> Tensor:
    if len(c) > 1:
        raise Unsupported("a GELU with a bias is not supported")
    return c.b.op("GELU", need_float(c), approximate=c.text("approximate", "none") == "tanh" or c.op_type == "FastGelu")  # type: ignore[no-any-return]


@op("Softplus")
def softplus(c: Call) -> Tensor:
    return softplus_of(c.b, need_float(c))


@op("Softsign")
def softsign(c: Call) -> Tensor:
    return f(c.b, "DIV", need_float(c), f(c.b, "ADD", f(c.b, "ABS", c[0]), 1.0))


@op("Mish")
def mish(c: Call) -> Tensor:
    return f(c.b, "MUL", c[0], c.b.op("TANH", softplus_of(c.b, need_float(c))))


@op("Swish")
def swish(c: Call) -> Tensor:
    alpha = c.attr("alpha", 1.0)
    inner = need_float(c) if alpha == 1 else f(c.b, "MUL", c[0], alpha)
    return f(c.b, "MUL", c[0], c.b.op("LOGISTIC", inner))


@op("ThresholdedRelu")
def thresholded_relu(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    return b.op("SELECT_V2", b.op("GREATER", x, b.like(x, c.attr("alpha", 1.0))), x, b.like(x, 0))  # type: ignore[no-any-return]


@op("Shrink")
def shrink(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    edge, bias = c.attr("lambd", 0.5), c.attr("bias", 0.0)
    upper = b.op("SELECT_V2", b.op("GREATER", x, b.like(x, edge)), f(b, "SUB", x, bias), b.like(x, 0))
    return b.op("SELECT_V2", b.op("LESS", x, b.like(x, -edge)), f(b, "ADD", x, bias), upper)  # type: ignore[no-any-return]


@op("Softmax", "LogSoftmax")
def softmax(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    rank = b.rank(x)
    axis = c.axis(c.attr("axis", -1 if c.opset >= 13 else 1), rank)

    def work(t: Tensor) -> Tensor:
        return b.op("SOFTMAX", t, beta=1.0) if c.op_type == "Softmax" else b.op("LOG_SOFTMAX", t)  # type: ignore[no-any-return]

    if c.opset >= 13 or axis == rank - 1:
        return last_axis(b, x, axis, work)
    shape = b.shape(x)  # older: over everything from the axis on
    if -1 in shape[axis:] or shape[:axis].count(-1) > 1:
        raise Unsupported("the old Softmax needs the dimensions behind its axis", "fix the shapes of the inputs")
    flat = work(b.reshape(x, [*shape[:axis], math.prod(shape[axis:])]))
    return b.reshape(flat, shape)


@op("Hardmax")
def hardmax(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    axis = c.axis(c.attr("axis", -1), b.rank(x))
    size = b.shape(x)[axis]
    if size < 0 or (c.opset < 13 and axis != b.rank(x) - 1):
        raise Unsupported("Hardmax needs a known axis of opset 13 or newer")
    which = b.op("ARG_MAX", x, b.const(np.int32(axis)), output_type="INT32")
    return b.op("ONE_HOT", which, b.const(np.int32(size)), b.like(x, 1), b.like(x, 0), axis=axis)  # type: ignore[no-any-return]


# ---- Along axes ----


def _reduced(ours: str, before: str | None = None, after: str | None = None) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        b, x = c.b, c[0]
        axes = c.axes(1)
        rank = b.rank(x)
        if not axes and c.attr("noop_with_empty_axes", 0):
            axes = []
            if before is None and after is None:
                return x
        elif not axes:
            axes = list(range(rank))
        axes = sorted({c.axis(a, rank) for a in axes})
        if before is not None:
            x = compute(b, "MUL", x, x) if before == "SQUARE" else compute(b, before, x)
        keep = bool(c.attr("keepdims", 1))
        if x.type == T.BOOL:
            x = b.op({"REDUCE_MAX": "REDUCE_ANY", "REDUCE_MIN": "REDUCE_ALL"}[ours], x, b.ints(axes), keep_dims=keep)
        elif axes:
            x = compute_reduced(b, ours, x, axes, keep)
        return x if after is None else compute(b, after, x)

    return function


_REDUCTIONS: dict[str, tuple[Any, ...]] = {
    "ReduceMean": ("MEAN",),
    "ReduceSum": ("SUM",),
    "ReduceMax": ("REDUCE_MAX",),
    "ReduceMin": ("REDUCE_MIN",),
    "ReduceProd": ("REDUCE_PROD",),
    "ReduceL1": ("SUM", "ABS"),
    "ReduceL2": ("SUM", "SQUARE", "SQRT"),
    "ReduceSumSquare": ("SUM", "SQUARE"),
    "ReduceLogSum": ("SUM", None, "LOG"),
}
for _name, _how in _REDUCTIONS.items():
    op(_name)(_reduced(*_how))


@op("ReduceLogSumExp")
def reduce_log_sum_exp(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    rank = b.rank(x)
    axes = sorted({c.axis(a, rank) for a in c.axes(1) or range(rank)})
    top = compute_reduced(b, "REDUCE_MAX", x, axes, True)
    made = f(b, "ADD", f(b, "LOG", compute_reduced(b, "SUM", f(b, "EXP", f(b, "SUB", x, top)), axes, True)), top)
    return made if c.attr("keepdims", 1) else b.squeeze(made, axes)


@op("ArgMax", "ArgMin")
def arg_max(c: Call) -> Tensor:
    b = c.b
    ours = "ARG_MAX" if c.op_type == "ArgMax" else "ARG_MIN"
    (x,) = suited(b, ours, c[0])
    rank = b.rank(x)
    axis = c.axis(c.attr("axis", 0), rank)
    which = b.const(np.int32(axis))
    if c.attr("select_last_index", 0):
        size = b.shape(x)[axis]
        if size < 0:
            raise Unsupported("select_last_index along an open dimension is not supported")
        back = b.op(ours, b.op("REVERSE_V2", x, b.ints([axis])), which, output_type="INT64")
        made = f(b, "SUB", size - 1, back)
    else:
        made = b.op(ours, x, which, output_type="INT64")
    return b.expand(made, [axis]) if c.attr("keepdims", 1) else made


@op("CumSum")
def cumsum(c: Call) -> Tensor:
    b = c.b
    (axis,) = c.numbers(1, "the axis")
    ends = {"exclusive": bool(c.attr("exclusive", 0)), "reverse": bool(c.attr("reverse", 0))}
    made = b.op("CUMSUM", *suited(b, "CUMSUM", c[0]), b.const(np.int32(c.axis(axis, b.rank(c[0])))), **ends)
    return b.cast(made, c[0].type)


@op("TopK")
def topk(c: Call) -> tuple[Tensor, Tensor]:
    b, x = c.b, c[0]
    rank = b.rank(x)
    axis = c.axis(c.attr("axis", -1), rank)
    k = int(c.array(1, "k").reshape(-1)[0]) if len(c) > 1 else int(c.attr("k", 1))
    perm = [i for i in range(rank) if i != axis] + [axis]
    (given,) = suited(b, "TOPK_V2", b.transpose(x, perm))
    smallest = not c.attr("largest", 1)
    if smallest:
        given = compute(b, "NEG", given)
    values, which = b.op("TOPK_V2", given, b.const(np.int32(k)), outputs=2)
    if smallest:
        values = compute(b, "NEG", values)
    back = [int(i) for i in np.argsort(perm)]
    return b.transpose(b.cast(values, x.type), back), b.transpose(b.cast(which, I64), back)


# ---- Products of matrices ----


@op("MatMul")
def matmul(c: Call) -> Tensor:
    b, x, y = c.b, c[0], c[1]
    if x.type != F:
        raise Unsupported(f"a product of {x.type.name} matrices is not supported")
    left, right = b.rank(x), b.rank(y)
    if not left or not right:
        raise Unsupported("a scalar has no matrix product")
    if left == 1:
        x = b.expand(x, [0])
    if right == 1:
        y = b.expand(y, [1])
    made = matmul_of(b, x, y)
    rank = b.rank(made)
    gone = [rank - 2] * (left == 1) + [rank - 1] * (right == 1)
    return b.squeeze(made, gone) if gone else made


@op("Gemm")
def gemm(c: Call) -> Tensor:
    b, x, y, bias = c.b, need_float(c), c[1], c.get(2)
    alpha, beta = c.attr("alpha", 1.0), c.attr("beta", 1.0)
    if c.attr("transA", 0):
        x = b.transpose(x, (1, 0))
    units = b.transpose(y, () if b.rank(y) != 2 else (0, 1) if c.attr("transB", 0) else (1, 0))
    if bias is not None and beta != 1:
        bias = f(b, "MUL", bias, beta)
    if alpha != 1:
        units = f(b, "MUL", units, alpha)
    flat = bias
    n = b.shape(units)[0]
    if bias is not None and bias.constant and bias.array.size in (1, n) and bias.array.shape[-1:] in ((), (1,), (n,)):
        flat = b.const(np.broadcast_to(bias.array.reshape(-1), (n,)))
    inside = flat if units.constant and flat is not None and b.rank(flat) == 1 and flat.constant else None
    made = b.op("FULLY_CONNECTED", x, units, inside) if units.constant else b.op("BATCH_MATMUL", x, units, adj_y=True)
    return made if bias is None or inside is not None else f(b, "ADD", made, bias)


@op("Einsum")
def einsum(c: Call) -> Tensor:
    return einsum_of(c.b, c.text("equation"), [c[i] for i in range(len(c))])


# ---- Types and quantization ----


def narrowed(number: int) -> Any:
    """The type here of an ONNX element type."""
    from .onnx import NARROWED, TYPES

    kind = TYPES.get(number)
    if kind is None:
        raise Unsupported(f"element type {number} is not supported")
    return F if kind in NARROWED else kind


@op("Cast")
def cast(c: Call) -> Tensor:
    b, x = c.b, c[0]
    made = b.cast(x, narrowed(c.attr("to")))
    values = b.partial(x)
    return b.remember(made, values) if values is not None and made.type in (I32, I64) else made


@op("CastLike")
def cast_like(c: Call) -> Tensor:
    return c.b.cast(c[0], c[1].type)


_RANGES = {T.INT8: (-128, 127), T.UINT8: (0, 255), T.INT16: (-32768, 32767), T.UINT16: (0, 65535)}


def _along(c: Call, t: Tensor, rank: int) -> Tensor:
    """Scales or zero points, shaped to meet the tensor: one for all, one per slice of an axis, or one per block."""
    b = c.b
    if b.rank(t) == 0 or b.shape(t) == (1,):
        return b.reshape(t, [])
    axis = c.axis(c.attr("axis", 1), rank)
    if c.attr("block_size", 0):
        if not t.constant:
            raise Unsupported("scales of blocks must be constant")
        size = b.shape(c[0])[axis]
        return b.const(np.repeat(t.array, c.attr("block_size"), axis).take(range(max(size, 0)), axis))
    return b.reshape(t, [-1 if i == axis else 1 for i in range(rank)]) if b.rank(t) == 1 else t


@op("QuantizeLinear")
def quantize_linear(c: Call) -> Tensor:
    b, x, scale, zero = c.b, need_float(c), c[1], c.get(2)
    kind = zero.type if zero is not None else narrowed(c.attr("output_dtype") or 2)
    if kind not in _RANGES:
        raise Unsupported(f"quantizing to {kind.name} is not supported")
    offset = 0 if zero is None else None
    if zero is not None and zero.constant and zero.array.size == 1:
        offset = int(zero.array.reshape(-1)[0])
    plain = kind in (T.INT8, T.UINT8) or (kind == T.INT16 and offset == 0)
    if plain and offset is not None and scale.constant and scale.array.size == 1:
        q = Quantization(scale.array.reshape(-1), [offset])
        return b.op("QUANTIZE", x, kind=kind, quantization=q)  # type: ignore[no-any-return]
    rank = b.rank(x)
    made = b.op("ROUND", f(b, "DIV", x, _along(c, scale, rank)))
    if zero is not None:
        made = f(b, "ADD", made, b.cast(_along(c, zero, rank), F))
    low, high = _RANGES[kind]
    return b.cast(f(b, "MINIMUM", f(b, "MAXIMUM", made, low), high), kind)


@op("DequantizeLinear")
def dequantize_linear(c: Call) -> Tensor:
    b, x, scale, zero = c.b, c[0], c[1], c.get(2)
    known = scale.constant and (zero is None or zero.constant)
    if known and not x.constant and scale.array.size == 1 and x.type in (T.INT8, T.UINT8, T.INT16):
        offset = 0 if zero is None else int(zero.array.reshape(-1)[0])
        q = Quantization(scale.array.reshape(-1), [offset])
        if x.quantization is None and x.producer is None and not x.users:
            x.quantization = q
        if x.quantization == q:
            return b.op("DEQUANTIZE", x)  # type: ignore[no-any-return]
    rank = b.rank(x)
    if x.constant:
        x = b.const(x.array.astype(np.int32)) if x.type != I32 else x
    whole = b.cast(x, F)
    if zero is not None and not (zero.constant and b.is_zero(zero)):
        whole = f(b, "SUB", whole, b.cast(_along(c, zero, rank), F))
    return f(b, "MUL", whole, _along(c, scale, rank))
