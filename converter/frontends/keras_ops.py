"""Operations between layers of a functional Keras model: keras.ops by class, TensorFlow's functions by name.

Keras 3 keeps the fixed parameters of an operation in its configuration and the operands in its call; Keras 2 keeps all
in the call. `_given` finds either.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...interpreter.errors import ModelError
from ..ir import Tensor
from .build import Builder, T, Unsupported
from .keras_activations import FUNCTIONS, clip
from .keras_build import FIX_SHAPES, Call, flat, operation
from .keras_layers_core import concatenation
from .keras_layers_shape import reshaped
from .words import I32, I64, F, compute, compute_reduced, einsum_of, f, matmul_of, suited

_NOTHING: Any = object()


def _given(c: Call, names: str, place: int | None = None, default: Any = _NOTHING) -> Any:
    """A parameter: an argument by place, or by one of these names in the call or the configuration."""
    if place is not None and place < len(c.args):
        return c.args[place]
    for name in names.split():
        if name in c.kwargs:
            return c.kwargs[name]
        if name in c.config:
            return c.config[name]
    if default is _NOTHING:
        raise ModelError(f"{c.title}: the operation lacks {names.split()[0]}")
    return default


def _whole(c: Call, value: Any, what: str) -> int:
    if isinstance(value, Tensor) and value.constant and value.array.size == 1:
        value = value.array.reshape(-1)[0].item()
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0].item()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1 << 40:
        if isinstance(value, Tensor):
            raise Unsupported(f"{what} depends on data", "use a constant")
        raise ModelError(f"{c.title}: {what} is {str(value)[:60]}, needs a whole number")
    return value


def _wholes(c: Call, value: Any, what: str) -> list[int]:
    if isinstance(value, np.ndarray):
        value = value.reshape(-1).tolist()
    if isinstance(value, Tensor) and value.constant and value.array.dtype.kind in "iu":
        value = value.array.reshape(-1).tolist()
    return [_whole(c, v, what) for v in (value if isinstance(value, (list, tuple)) else [value])]


def _number(c: Call, value: Any, what: str) -> float:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0].item()
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e300:
        raise ModelError(f"{c.title}: {what} is {str(value)[:60]}, needs a number")
    return float(value)


def _tensors(c: Call, *given: Any, kind: Any = None) -> list[Tensor]:
    """Operands of one type: tensors, arrays and numbers, as Python and numpy promote them."""
    b = c.b
    tensors = [t for t in given if isinstance(t, Tensor)]
    arrays = [v for v in given if isinstance(v, (np.ndarray, list))]
    if kind is None:
        types = [t.type for t in tensors] + [F if np.asarray(v).dtype.kind == "f" else I32 for v in arrays]
        kind = F if F in types or any(isinstance(v, float) for v in given) else types[0] if types else I32
        if kind != F and len(set(types)) > 1:
            kind = I64 if I64 in types else I32
        if kind == T.BOOL and any(type(v) is int for v in given):
            kind = I32
    made = []
    for v in given:
        if not isinstance(v, Tensor):
            if not isinstance(v, (np.ndarray, list, int, float)):
                raise ModelError(f"{c.title}: an operand is {str(v)[:60]}, needs a tensor or a number")
            array = np.asarray(v)
            if array.dtype.kind not in "biuf":
                raise ModelError(f"{c.title}: an operand is not made of numbers")
            v = b.const(
                array.astype(np.float32)
                if array.dtype.kind == "f"
                else array.astype(np.int32)
                if array.dtype.kind in "iu"
                else array
            )
        made.append(b.cast(v, kind))
    return made


def _operand(c: Call, i: int = 0, names: str = "x") -> Tensor:
    """An operand as it is."""
    return _tensors(c, _given(c, names, i))[0]


def _real(c: Call) -> Tensor:
    return c.b.cast(_operand(c), F)


# ---- Element by element ----


def _binary(ours: str, real: bool = False) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        x, y = _tensors(c, _given(c, "x1 x", 0), _given(c, "x2 y", 1))
        if real or x.type == T.BOOL:
            x, y = (c.b.cast(t, F if real else I32) for t in (x, y))
        return compute(c.b, ours, x, y)

    return function


_BINARY = {
    "Add add": "ADD", "Subtract subtract sub": "SUB", "Multiply multiply mul": "MUL", "Maximum maximum": "MAXIMUM",
    "Minimum minimum": "MINIMUM", "Power pow": "POW", "Mod floormod mod": "FLOOR_MOD",
    "FloorDivide floordiv floor_div": "FLOOR_DIV",
}  # fmt: skip
_TF = ("math.", "__operators__.", "")


def tf(*names: str) -> list[str]:
    """The places where TensorFlow has a function of this name."""
    return [
        f"tf:{place}{name}" for name in names for place in (*_TF, "nn.", "linalg.", "compat.v1.", "compat.v1.math.")
    ]


def _enter(names: str, function: Callable[[Call], Any]) -> None:
    for name in names.split():
        operation(name, *tf(name))(function) if name[0].islower() else operation(name)(function)


for _names, _ours in _BINARY.items():
    _enter(_names, _binary(_ours))
_enter("TrueDivide Divide truediv divide div", _binary("DIV", True))


def _comparison(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        x, y = _tensors(c, _given(c, "x1 x", 0), _given(c, "x2 y", 1))
        if x.type not in (F, I32, I64):
            x, y = (c.b.cast(t, I32) for t in (x, y))
        return c.b.op(ours, x, y)  # type: ignore[no-any-return]

    return function


for _names, _ours in {
    "Greater greater gt": "GREATER", "GreaterEqual greater_equal ge": "GREATER_EQUAL", "Less less lt": "LESS",
    "LessEqual less_equal le": "LESS_EQUAL", "Equal equal eq": "EQUAL", "NotEqual not_equal ne": "NOT_EQUAL",
}.items():  # fmt: skip
    _enter(_names, _comparison(_ours))


def _logic(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        given = [_given(c, "x1 x", 0)] + ([] if ours == "LOGICAL_NOT" else [_given(c, "x2 y", 1)])
        return c.b.op(ours, *_tensors(c, *given, kind=T.BOOL))  # type: ignore[no-any-return]

    return function


for _names, _ours in {
    "LogicalAnd logical_and": "LOGICAL_AND", "LogicalOr logical_or": "LOGICAL_OR",
    "LogicalNot logical_not": "LOGICAL_NOT",
    "LogicalXor logical_xor": "NOT_EQUAL",
}.items():  # fmt: skip
    _enter(_names, _logic(_ours))


def _kept(ours: str) -> Callable[[Call], Tensor]:
    """An operator whose result has the type of the operand."""
    return lambda c: compute(c.b, ours, _operand(c))


def _formula(word: Callable[[Builder, Tensor], Tensor]) -> Callable[[Call], Tensor]:
    return lambda c: word(c.b, _real(c))


def _unary(ours: str) -> Callable[[Call], Tensor]:
    return lambda c: c.b.op(ours, _real(c))


for _names, _ours in {
    "Sqrt sqrt": "SQRT", "Rsqrt rsqrt": "RSQRT", "Exp exp": "EXP", "Log log": "LOG", "Floor floor": "FLOOR",
    "Ceil ceil": "CEIL", "Round round": "ROUND", "Sin sin": "SIN", "Cos cos": "COS", "Tanh tanh": "TANH",
    "Sigmoid sigmoid": "LOGISTIC", "Relu relu": "RELU", "Relu6 relu6": "RELU6",
}.items():  # fmt: skip
    _enter(_names, _unary(_ours))

for _names, _ours in {"Absolute Abs abs": "ABS", "Negative negative neg": "NEG", "Sign sign": "SIGN"}.items():
    _enter(_names, _kept(_ours))

for _names, _word in {
    "Square square": lambda b, x: f(b, "MUL", x, x),
    "Reciprocal reciprocal": lambda b, x: f(b, "DIV", 1.0, x),
    "Log1p log1p": lambda b, x: f(b, "LOG", f(b, "ADD", x, 1.0)),
    "Expm1 expm1": lambda b, x: f(b, "SUB", b.op("EXP", x), 1.0),
    "Log2 log2": lambda b, x: f(b, "MUL", b.op("LOG", x), 1 / math.log(2)),
    "OnesLike ones_like": lambda b, x: f(b, "ADD", f(b, "MUL", x, 0.0), 1.0),
    "ZerosLike zeros_like": lambda b, x: f(b, "MUL", x, 0.0),
}.items():
    _enter(_names, _formula(_word))

_enter("StopGradient stop_gradient Copy identity", lambda c: _operand(c))


def _activation(name: str, *parameters: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        values = []
        for names in parameters:
            value = _given(c, names, None, None)
            if value is None:
                break
            whole = names in ("axis", "approximate")
            values.append(
                (bool(value) if names == "approximate" else _whole(c, value, names))
                if whole
                else _number(c, value, names)
            )
        return FUNCTIONS[name](c.b, _real(c), *values)

    return function


for _names, _how in {
    "Softmax softmax": ("softmax", "axis"), "LogSoftmax log_softmax": ("log_softmax", "axis"),
    "Silu silu swish": ("silu",), "Gelu gelu": ("gelu", "approximate"), "Elu elu": ("elu", "alpha"),
    "Celu celu": ("celu", "alpha"),
    "LeakyRelu leaky_relu": ("leaky_relu", "negative_slope alpha"), "Selu selu": ("selu",),
    "Softplus softplus": ("softplus",), "Softsign softsign": ("softsign",), "HardSigmoid": ("hard_sigmoid",),
    "HardSilu": ("hard_silu",), "HardTanh": ("hard_tanh",), "LogSigmoid log_sigmoid": ("log_sigmoid",),
    "Glu": ("glu", "axis"), "HardShrink": ("hard_shrink", "threshold"), "SoftShrink": ("soft_shrink", "threshold"),
    "TanhShrink": ("tanh_shrink",), "SparsePlus": ("sparse_plus",), "SparseSigmoid": ("sparse_sigmoid",),
    "Squareplus": ("squareplus", "b"), "Sparsemax": ("sparsemax", "axis"), "Mish": ("mish",),
    "Threshold": ("threshold", "threshold_value threshold", "value default_value"),
}.items():  # fmt: skip
    _enter(_names, _activation(*_how))


@operation("ReLU")
def relu(c: Call) -> Tensor:
    slope, top, edge = (_given(c, name, None, None) for name in ("negative_slope", "max_value", "threshold"))
    return FUNCTIONS["relu"](
        c.b, _real(c), _number(c, slope or 0, "slope"), None if top is None else _number(c, top, "max_value"),
        _number(c, edge or 0, "threshold"),
    )  # fmt: skip


@operation("Clip", *tf("clip_by_value"))
def clip_op(c: Call) -> Tensor:
    low, high = (_number(c, _given(c, n, i), n) for i, n in ((1, "x_min clip_value_min"), (2, "x_max clip_value_max")))
    x = _operand(c, 0, "x t")
    if x.type == F and (low, high) == (0, 6):
        return c.b.op("RELU6", x)  # type: ignore[no-any-return]
    return clip(c.b, x, low, high)


@operation("Where", *tf("where", "where_v2"))
def where(c: Call) -> Tensor:
    condition, x, y = (_given(c, names, i) for i, names in enumerate(("condition", "x1 x", "x2 y")))
    (condition,) = _tensors(c, condition, kind=T.BOOL)
    return c.b.op("SELECT_V2", condition, *_tensors(c, x, y))  # type: ignore[no-any-return]


@operation("Cast", *tf("cast"))
def cast(c: Call) -> Tensor:
    from .keras import DTYPES

    wanted = _given(c, "dtype", 1, None) or c.front.dtypes.get(c.path)
    kind = DTYPES.get(wanted) if isinstance(wanted, str) else None
    if kind is None:
        raise Unsupported("the type to cast to is not known, or not supported")
    return c.b.cast(_operand(c), kind)


@operation("OneHot", *tf("one_hot"))
def one_hot(c: Call) -> Tensor:
    b, x = c.b, c.b.cast(_operand(c, 0, "x indices"), I32)
    n, axis = (
        _whole(c, _given(c, "num_classes depth", 1), "num_classes"),
        _whole(c, _given(c, "axis", None, -1), "axis"),
    )
    if not 0 < n < 1 << 24:
        raise ModelError(f"{c.title}: {n} classes")
    return b.op("ONE_HOT", x, b.const(np.int32(n)), b.const(np.float32(1)), b.const(np.float32(0)), axis=axis)  # type: ignore[no-any-return]


# ---- Along axes ----


def _axes(c: Call, x: Tensor, place: int | None = 1) -> list[int]:
    given = _given(c, "axis axes", place, None)
    rank = c.b.rank(x)
    return list(range(rank)) if given is None else c.axes(_wholes(c, given, "axis"), rank)


def _reduced(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        x = _operand(c, 0, "x input_tensor")
        keep = bool(_given(c, "keepdims keep_dims", 2, False))
        if ours == "MEAN":
            x = c.b.cast(x, F)
        if x.type == T.BOOL and ours == "SUM":
            x = c.b.cast(x, I32)
        axes = _axes(c, x)
        return compute_reduced(c.b, ours, x, axes, keep) if axes else x

    return function


for _names, _ours in {
    "Mean reduce_mean": "MEAN", "Sum reduce_sum": "SUM", "Max Amax reduce_max": "REDUCE_MAX",
    "Min Amin reduce_min": "REDUCE_MIN", "Prod reduce_prod": "REDUCE_PROD",
}.items():  # fmt: skip
    _enter(_names, _reduced(_ours))


@operation("Any", "All")
def any_all(c: Call) -> Tensor:
    (x,) = _tensors(c, _given(c, "x", 0), kind=T.BOOL)
    ours = "REDUCE_ANY" if c.kind == "Any" else "REDUCE_ALL"
    return c.b.op(ours, x, c.b.ints(_axes(c, x)), keep_dims=bool(_given(c, "keepdims", 2, False)))  # type: ignore[no-any-return]


@operation("Var", "Std", *tf("reduce_variance", "reduce_std"))
def variance(c: Call) -> Tensor:
    b, x = c.b, c.b.cast(_operand(c, 0, "x input_tensor"), F)
    axes = _axes(c, x)
    centred = f(b, "SUB", x, compute_reduced(b, "MEAN", x, axes, True))
    made = compute_reduced(b, "MEAN", f(b, "MUL", centred, centred), axes, bool(_given(c, "keepdims", 2, False)))
    return b.op("SQRT", made) if c.kind.lower().endswith("std") else made


@operation("Argmax", "Argmin", *tf("argmax", "argmin"))
def argmax(c: Call) -> Tensor:
    b, x = c.b, c.b.cast(_operand(c, 0, "x input"), F)
    axis = _given(c, "axis", 1, None)
    if axis is None:
        x, axis = b.reshape(x, [-1]), 0
    axis = c.axis(_whole(c, axis, "axis"), b.rank(x))
    name = "ARG_MAX" if "max" in c.kind.lower() else "ARG_MIN"
    made = b.op(name, x, b.const(np.int32(axis)), output_type="INT32")
    return b.expand(made, [axis]) if _given(c, "keepdims", None, False) else made


@operation("Cumsum", *tf("cumsum"))
def cumsum(c: Call) -> Tensor:
    b, x = c.b, _operand(c)
    axis = c.axis(_whole(c, _given(c, "axis", 1, 0), "axis"), b.rank(x))
    return b.cast(b.op("CUMSUM", *suited(b, "CUMSUM", x), b.const(np.int32(axis))), x.type)


@operation("TopK")
def top_k(c: Call) -> tuple[Tensor, Tensor]:
    b = c.b
    values, which = b.op("TOPK_V2", _real(c), b.const(np.int32(_whole(c, _given(c, "k", 1), "k"))), outputs=2)
    return values, which


@operation("Normalize", *tf("l2_normalize"))
def normalize(c: Call) -> Tensor:
    b, x = c.b, _real(c)
    if _given(c, "order", None, 2) != 2:
        raise Unsupported("only the norm of order 2 is supported")
    axes = c.axes(_wholes(c, _given(c, "axis", 1, -1), "axis"), b.rank(x))
    total = compute_reduced(b, "SUM", f(b, "MUL", x, x), axes, True)
    return f(
        b, "MUL", x, b.op("RSQRT", f(b, "MAXIMUM", total, _number(c, _given(c, "epsilon", None, 1e-12), "epsilon")))
    )


# ---- Products ----


@operation("Matmul", "Dot", *tf("matmul"))
def matmul(c: Call) -> Tensor:
    b = c.b
    x, y = _tensors(c, _given(c, "x1 a", 0), _given(c, "x2 b", 1), kind=F)
    for name in ("transpose_a", "transpose_b"):
        if _given(c, name, None, False):
            t = x if name.endswith("a") else y
            rank = b.rank(t)
            t = b.transpose(t, [*range(rank - 2), rank - 1, rank - 2])
            x, y = (t, y) if name.endswith("a") else (x, t)
    left, right = b.rank(x), b.rank(y)
    if not left or not right:
        return f(b, "MUL", x, y)
    if c.kind == "Dot" and right > 2:
        raise Unsupported("Dot with an operand of more than two dimensions is not supported", "use einsum")
    x = b.expand(x, [0]) if left == 1 else x
    y = b.expand(y, [1]) if right == 1 else y
    made = matmul_of(b, x, y)
    rank = b.rank(made)
    gone = [rank - 2] * (left == 1) + [rank - 1] * (right == 1)
    return b.squeeze(made, gone) if gone else made


@operation("Einsum", *tf("einsum"))
def einsum(c: Call) -> Tensor:
    equation = _given(c, "subscripts equation", None, None)
    given = c.args
    if equation is None and given:
        equation, given = given[0], given[1:]
    if not isinstance(equation, str):
        raise ModelError(f"{c.title}: the equation is not a text")
    return einsum_of(c.b, equation, _tensors(c, *given, kind=F))


# ---- Shapes ----


@operation("Reshape", *tf("reshape"))
def reshape(c: Call) -> Tensor:
    x, given = _operand(c, 0, "x tensor"), _given(c, "newshape shape", 1)
    given = [-1 if v is None else v for v in given] if isinstance(given, (list, tuple)) else given
    if any(isinstance(v, Tensor) and not v.constant for v in flat(given)):
        raise Unsupported("a shape that depends on data is not supported", "use numbers, with -1 for one dimension")
    shape = _wholes(c, given, "the shape")
    if any(d < -1 for d in shape) or shape.count(-1) > 1:
        raise ModelError(f"{c.title}: the shape {shape} is impossible")
    return reshaped(c, x, shape)


@operation("Transpose", *tf("transpose"))
def transpose(c: Call) -> Tensor:
    x = _operand(c, 0, "x a")
    axes = _given(c, "axes perm", 1, None)
    rank = c.b.rank(x)
    perm = list(range(rank))[::-1] if axes is None else [c.axis(a, rank) for a in _wholes(c, axes, "axes")]
    if sorted(perm) != list(range(rank)):
        raise ModelError(f"{c.title}: axes {perm} are no order of {rank} dimensions")
    return c.b.transpose(x, perm)


@operation("Swapaxes", "Moveaxis")
def moved_axes(c: Call) -> Tensor:
    x = _operand(c)
    rank = c.b.rank(x)
    p, q = (_whole(c, _given(c, names, i), "an axis") for i, names in ((1, "axis1 source"), (2, "axis2 destination")))
    p, q = c.axis(p, rank), c.axis(q, rank)
    perm = list(range(rank))
    if c.kind == "Swapaxes":
        perm[p], perm[q] = perm[q], perm[p]
    else:
        perm.insert(q, perm.pop(p))
    return c.b.transpose(x, perm)


@operation("ExpandDims", *tf("expand_dims"))
def expand_dims(c: Call) -> Tensor:
    x = _operand(c, 0, "x input")
    axes = _wholes(c, _given(c, "axis", 1), "axis")
    rank = c.b.rank(x) + len(axes)
    return c.b.expand(x, c.axes(axes, rank))


@operation("Squeeze", *tf("squeeze"))
def squeeze(c: Call) -> Tensor:
    x = _operand(c, 0, "x input")
    dims = c.b.shape(x)
    axes = _given(c, "axis", 1, None)
    gone = [i for i, d in enumerate(dims) if d == 1] if axes is None else c.axes(_wholes(c, axes, "axis"), len(dims))
    if any(dims[a] not in (1, -1) for a in gone):
        raise ModelError(f"{c.title}: axes {gone} of {list(dims)} are not one long")
    return c.b.squeeze(x, gone) if gone else x


@operation("Ravel")
def ravel(c: Call) -> Tensor:
    return reshaped(c, _operand(c), [-1])


def _listed(c: Call, names: str) -> list[Tensor]:
    given = _given(c, names, 0)
    return _tensors(c, *(given if isinstance(given, (list, tuple)) else [given]))


@operation("Concatenate", *tf("concat"))
def concatenate(c: Call) -> Tensor:
    return concatenation(c, _listed(c, "xs values"), _whole(c, _given(c, "axis", 1, 0), "axis"))


@operation("Stack", *tf("stack"))
def stack(c: Call) -> Tensor:
    given = _listed(c, "x xs values")
    axis = c.axis(_whole(c, _given(c, "axis", 1, 0), "axis"), c.b.rank(given[0]) + 1)
    return c.b.op("PACK", *given, values_count=len(given), axis=axis)  # type: ignore[no-any-return]


@operation("Unstack", *tf("unstack"))
def unstack(c: Call) -> Any:
    x = _operand(c, 0, "x value")
    axis = c.axis(_whole(c, _given(c, "axis", None, 0), "axis"), c.b.rank(x))
    n = c.size(x, axis, "the unstacked dimension")
    return c.b.op("UNPACK", x, num=n, axis=axis, outputs=n)


@operation("Split", *tf("split"))
def split(c: Call) -> Any:
    b, x = c.b, _operand(c, 0, "x value")
    parts, axis = _given(c, "indices_or_sections num_or_size_splits", 1), _whole(c, _given(c, "axis", 2, 0), "axis")
    axis = c.axis(axis, b.rank(x))
    if not isinstance(parts, (list, tuple, np.ndarray)):
        n = _whole(c, parts, "the number of parts")
        if not 0 < n < 1 << 12:
            raise ModelError(f"{c.title}: {n} parts")
        return (x,) if n == 1 else b.op("SPLIT", b.const(np.int32(axis)), x, num_splits=n, outputs=n)
    sizes = _wholes(c, parts, "the parts")
    if not c.kind.startswith("tf:"):  # where they begin
        ends = [*sizes, c.size(x, axis, "the split dimension")]
        sizes = [q - p for p, q in zip([0, *ends], ends, strict=False)]
    return b.op("SPLIT_V", x, b.ints(sizes), b.const(np.int32(axis)), num_splits=len(sizes), outputs=len(sizes))


@operation("GetItem", "tf:__operators__.getitem", "tf:strided_slice")
def get_item(c: Call) -> Tensor:
    b, x = c.b, _operand(c, 0, "x tensor")
    given = _given(c, "key slice_spec", 1)
    keys = list(given) if isinstance(given, (list, tuple)) else [given]
    dims = b.shape(x)
    taken = sum(k is not None and k is not Ellipsis for k in keys)
    if taken > len(dims):
        raise ModelError(f"{c.title}: {taken} indices into {len(dims)} dimensions")
    if Ellipsis not in [k for k in keys if isinstance(k, (type(Ellipsis), type(None)))]:
        keys.append(Ellipsis)
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[at : at + 1] = [slice(None)] * (len(dims) - taken)
    begin, end, step = [0] * len(dims), [0] * len(dims), [1] * len(dims)
    first = last = 0
    gone: list[int] = []
    new: list[int] = []
    axis = 0
    for k in keys:
        if k is None:
            new.append(axis - len(gone) + len(new))
            continue
        if isinstance(k, slice):
            begin[axis], end[axis], step[axis] = k.start or 0, k.stop or 0, 1 if k.step is None else k.step
            first |= (k.start is None) << axis
            last |= (k.stop is None) << axis
        else:
            begin[axis] = _whole(c, k, "an index")
            if dims[axis] >= 0 and not -dims[axis] <= begin[axis] < dims[axis]:
                raise ModelError(f"{c.title}: index {begin[axis]} does not exist in {dims[axis]}")
            end[axis] = begin[axis] + 1
            last |= (begin[axis] == -1) << axis
            gone.append(axis)
        axis += 1
    if 0 in step or any(abs(v) >= 1 << 31 for v in (*begin, *end, *step)):
        raise ModelError(f"{c.title}: its slice is impossible")
    if first != (1 << axis) - 1 or last != first or step != [1] * axis:
        shrink = sum(1 << a for a in gone)
        x = b.op(
            "STRIDED_SLICE", x, b.ints(begin), b.ints(end), b.ints(step), begin_mask=first, end_mask=last,
            shrink_axis_mask=shrink,
        )  # fmt: skip
    return b.expand(x, new)


@operation("Take", *tf("gather"))
def take(c: Call) -> Tensor:
    b, x = c.b, _operand(c, 0, "x params")
    axis = _given(c, "axis", None, None)
    axis = 0 if axis is None and c.kind.startswith("tf:") else axis
    if axis is None:
        x, axis = reshaped(c, x, [-1]), 0
    axis = c.axis(_whole(c, axis, "axis"), b.rank(x))
    (which,) = _tensors(c, _given(c, "indices", 1))
    which = b.cast(which, I32) if which.type not in (I32, I64) else which
    n = b.shape(x)[axis]
    if which.constant and (which.array < 0).any():
        if n < 0:
            raise Unsupported("a negative index into an open dimension is not supported", FIX_SHAPES)
        which = b.const(np.where(which.array < 0, which.array + n, which.array).astype(np.int32))
    return b.op("GATHER", x, which, axis=axis)  # type: ignore[no-any-return]


@operation("Tile", *tf("tile"))
def tile(c: Call) -> Tensor:
    b, x = c.b, _operand(c, 0, "x input")
    times = _wholes(c, _given(c, "repeats multiples", 1), "repeats")
    rank = max(b.rank(x), len(times))
    x = b.expand(x, range(rank - b.rank(x)))
    return b.op("TILE", x, b.ints([1] * (rank - len(times)) + times))  # type: ignore[no-any-return]


@operation("Repeat", *tf("repeat"))
def repeat(c: Call) -> Tensor:
    b, x = c.b, _operand(c, 0, "x input")
    (n,) = _wholes(c, _given(c, "repeats", 1), "repeats")
    axis = _given(c, "axis", 2, None)
    if axis is None:
        x, axis = reshaped(c, x, [-1]), 0
    return repeated(b, x, n, c.axis(_whole(c, axis, "axis"), b.rank(x)))


def repeated(b: Builder, x: Tensor, n: int, axis: int) -> Tensor:
    """Every element along an axis n times."""
    dims = b.shape(x)
    if n == 1:
        return x
    if dims[axis] < 0:
        raise Unsupported("repeating along an open dimension is not supported", FIX_SHAPES)
    return b.op("GATHER", x, b.ints([int(i) for i in np.repeat(np.arange(dims[axis]), n)]), axis=axis)  # type: ignore[no-any-return]


@operation("Flip", *tf("reverse"))
def flip(c: Call) -> Tensor:
    x = _operand(c, 0, "x tensor")
    return c.b.op("REVERSE_V2", x, c.b.ints(_axes(c, x)))  # type: ignore[no-any-return]


@operation("Pad", *tf("pad"))
def pad(c: Call) -> Tensor:
    b, x = c.b, _operand(c, 0, "x tensor")
    rank = b.rank(x)
    given = _wholes(c, list(flat(_plain(_given(c, "pad_width paddings", 1)))), "pad_width")
    given = given * 2 * rank if len(given) == 1 else given * rank if len(given) == 2 else given
    if len(given) != 2 * rank or min(given, default=0) < 0 or max(given, default=0) > 1 << 24:
        raise ModelError(f"{c.title}: {len(given)} paddings for {rank} dimensions")
    pads = list(zip(given[::2], given[1::2], strict=True))
    mode = str(_given(c, "mode", 2, "constant")).lower()
    if mode in ("reflect", "symmetric"):
        return b.op("MIRROR_PAD", x, b.const(np.array(pads, np.int32)), mode=mode.upper())  # type: ignore[no-any-return]
    if mode != "constant":
        raise Unsupported(f"padding by {mode} is not supported")
    return b.pad(x, pads, _number(c, _given(c, "constant_values", 3, None) or 0, "constant_values"))


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


@operation("BroadcastTo", *tf("broadcast_to"))
def broadcast_to(c: Call) -> Tensor:
    b, x = c.b, _operand(c, 0, "x input")
    return b.op("BROADCAST_TO", x, b.ints(_wholes(c, _given(c, "shape", 1), "the shape")))  # type: ignore[no-any-return]


@operation("Resize", *tf("image.resize"))
def resize(c: Call) -> Tensor:
    b, x = c.b, c.b.cast(_operand(c, 0, "images image"), F)
    size = _wholes(c, _given(c, "size", 1), "the size")
    method = str(_given(c, "interpolation method", 2, "bilinear")).lower()
    first = _given(c, "data_format", None, None) == "channels_first"
    if (
        method not in ("nearest", "bilinear")
        or b.rank(x) not in (3, 4)
        or len(size) != 2
        or min(size) < 1
        or _given(c, "antialias", None, False)
    ):
        raise Unsupported(f"resizing by {method} like this is not supported", "use nearest or bilinear")
    rank = b.rank(x)
    x = b.expand(x, [0]) if rank == 3 else x
    x = b.transpose(x, (0, 2, 3, 1)) if first else x
    name = "RESIZE_NEAREST_NEIGHBOR" if method == "nearest" else "RESIZE_BILINEAR"
    made = b.op(name, x, b.ints(size), half_pixel_centers=True)
    made = b.transpose(made, (0, 3, 1, 2)) if first else made
    return b.squeeze(made, [0]) if rank == 3 else made
