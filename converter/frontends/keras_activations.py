"""Activation functions of Keras: by name, as a function object, or as a layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...interpreter.errors import ModelError
from ..ir import Tensor
from .build import Builder, Unsupported
from .keras_build import FIX_SHAPES, Call, layer
from .words import compute_reduced, f, last_axis, softplus_of

SELU_ALPHA, SELU_SCALE = 1.67326319217681884765625, 1.05070102214813232421875
MASKED = -3.4028234663852886e38 / 2
"""What Keras puts in the place of a masked score."""


def relu(b: Builder, x: Tensor, slope: float = 0, top: float | None = None, threshold: float = 0) -> Tensor:
    """x from the threshold on, slope (x - threshold) below, and at most `top`."""
    if threshold == 0 and slope == 0 and top == 6:
        return b.op("RELU6", x)  # type: ignore[no-any-return]
    if threshold == 0:
        x = b.op("RELU", x) if slope == 0 else b.op("LEAKY_RELU", x, alpha=slope)
    else:
        below = f(b, "MUL", f(b, "SUB", x, threshold), slope) if slope else b.like(x, 0)
        x = b.op("SELECT_V2", b.op("GREATER" if not slope else "GREATER_EQUAL", x, b.like(x, threshold)), x, below)
    return x if top is None else f(b, "MINIMUM", x, top)


def elu(b: Builder, x: Tensor, alpha: float = 1) -> Tensor:
    if alpha == 1:
        return b.op("ELU", x)  # type: ignore[no-any-return]
    return f(b, "ADD", b.op("RELU", x), f(b, "MUL", b.op("ELU", f(b, "MINIMUM", x, 0.0)), alpha))


def celu(b: Builder, x: Tensor, alpha: float = 1) -> Tensor:
    below = f(b, "MUL", b.op("ELU", f(b, "MUL", f(b, "MINIMUM", x, 0.0), 1 / alpha)), alpha)
    return f(b, "ADD", b.op("RELU", x), below)


def softmax(b: Builder, x: Tensor, axis: int = -1) -> Tensor:
    return last_axis(b, x, axis % b.rank(x), lambda t: b.op("SOFTMAX", t, beta=1.0))


def log_softmax(b: Builder, x: Tensor, axis: int = -1) -> Tensor:
    return last_axis(b, x, axis % b.rank(x), lambda t: b.op("LOG_SOFTMAX", t))


def clip(b: Builder, x: Tensor, low: float, high: float) -> Tensor:
    return f(b, "MINIMUM", f(b, "MAXIMUM", x, low), high)


def hard_sigmoid(b: Builder, x: Tensor) -> Tensor:
    return f(b, "MUL", b.op("RELU6", f(b, "ADD", x, 3.0)), 1 / 6)


def hard_sigmoid_2(b: Builder, x: Tensor) -> Tensor:
    """That of Keras 2: the slope is 0.2."""
    return clip(b, f(b, "ADD", f(b, "MUL", x, 0.2), 0.5), 0.0, 1.0)


def glu(b: Builder, x: Tensor, axis: int = -1) -> Tensor:
    left, gate = b.op("SPLIT", b.const(np.int32(axis % b.rank(x))), x, num_splits=2, outputs=2)
    return f(b, "MUL", left, b.op("LOGISTIC", gate))


def hard_shrink(b: Builder, x: Tensor, threshold: float = 0.5) -> Tensor:
    return b.op("SELECT_V2", b.op("GREATER", b.op("ABS", x), b.like(x, threshold)), x, b.like(x, 0))  # type: ignore[no-any-return]


def soft_shrink(b: Builder, x: Tensor, threshold: float = 0.5) -> Tensor:
    return f(b, "MUL", b.op("SIGN", x), b.op("RELU", f(b, "SUB", b.op("ABS", x), threshold)))


def sparse_plus(b: Builder, x: Tensor) -> Tensor:
    """0 up to -1, x from 1 on, and (x + 1)² / 4 between."""
    inner = f(b, "ADD", clip(b, x, -1.0, 1.0), 1.0)
    return f(b, "ADD", f(b, "MUL", f(b, "MUL", inner, inner), 0.25), b.op("RELU", f(b, "SUB", x, 1.0)))


def squareplus(b: Builder, x: Tensor, beta: float = 4) -> Tensor:
    return f(b, "MUL", f(b, "ADD", x, b.op("SQRT", f(b, "ADD", f(b, "MUL", x, x), float(beta)))), 0.5)


def sparsemax(b: Builder, x: Tensor, axis: int = -1) -> Tensor:
    """max(x - tau, 0) as Keras has it: tau sums all partial sums of the support, where the paper takes the last."""

    def work(t: Tensor) -> Tensor:
        n, last = b.shape(t)[-1], [b.rank(t) - 1]
        if n < 1:
            raise Unsupported("sparsemax over an open dimension is not supported", FIX_SHAPES)
        ordered, _ = b.op("TOPK_V2", t, b.const(np.int32(n)), outputs=2)
        sums = b.op("CUMSUM", ordered, b.const(np.int32(last[0])))
        limits = f(b, "DIV", f(b, "SUB", sums, 1.0), b.const(np.arange(1, n + 1, dtype=np.float32)))
        support = b.cast(b.op("GREATER", f(b, "SUB", ordered, limits), b.like(t, 0)), "FLOAT32")
        total = compute_reduced(b, "SUM", f(b, "MUL", sums, support), last, True)
        tau = f(b, "DIV", f(b, "SUB", total, 1.0), compute_reduced(b, "SUM", support, last, True))
        return b.op("RELU", f(b, "SUB", t, tau))  # type: ignore[no-any-return]

    return last_axis(b, x, axis % b.rank(x), work)


def _simple(name: str) -> Callable[[Builder, Tensor], Tensor]:
    return lambda b, x: b.op(name, x)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "linear": lambda b, x: x,
    "relu": relu,
    "relu6": lambda b, x: relu(b, x, 0, 6),
    "leaky_relu": lambda b, x, slope=0.2: relu(b, x, slope),
    "softmax": softmax,
    "log_softmax": log_softmax,
    "elu": elu,
    "celu": celu,
    "selu": lambda b, x: f(b, "MUL", elu(b, x, SELU_ALPHA), SELU_SCALE),
    "softplus": softplus_of,
    "softsign": lambda b, x: f(b, "DIV", x, f(b, "ADD", b.op("ABS", x), 1.0)),
    "tanh": _simple("TANH"),
    "sigmoid": _simple("LOGISTIC"),
    "exponential": _simple("EXP"),
    "silu": lambda b, x: f(b, "MUL", x, b.op("LOGISTIC", x)),
    "gelu": lambda b, x, approximate=False: b.op("GELU", x, approximate=approximate),
    "mish": lambda b, x: f(b, "MUL", x, b.op("TANH", softplus_of(b, x))),
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": lambda b, x: f(b, "MUL", x, hard_sigmoid(b, x)),
    "hard_tanh": lambda b, x: b.op("RELU_N1_TO_1", x),
    "hard_shrink": hard_shrink,
    "soft_shrink": soft_shrink,
    "tanh_shrink": lambda b, x: f(b, "SUB", x, b.op("TANH", x)),
    "log_sigmoid": lambda b, x: b.op("NEG", softplus_of(b, b.op("NEG", x))),
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": lambda b, x: f(b, "MUL", f(b, "ADD", clip(b, x, -1.0, 1.0), 1.0), 0.5),
    "squareplus": squareplus,
    "sparsemax": sparsemax,
    "glu": glu,
    "threshold": lambda b, x, threshold=0.0, value=0.0: b.op(
        "SELECT_V2", b.op("GREATER", x, b.like(x, threshold)), x, b.like(x, value)
    ),
}
ALIASES = {"swish": "silu", "hard_swish": "hard_silu", "ReLU": "relu", "Mish": "mish", "SiLU": "silu"}


def activation(c: Call, x: Tensor, name: str = "activation") -> Tensor:
    """What the field `name` of the configuration does to x."""
    return activation_of(c, x, c.config.get(name), name)


def activation_of(c: Call, x: Tensor, given: Any, name: str = "activation") -> Tensor:
    if given is None:
        return x
    if isinstance(given, dict):
        inner, kind = given.get("config"), given.get("class_name")
        if kind == "function" or (isinstance(inner, str) and given.get("module") != "builtins"):
            registered = given.get("registered_name")
            custom = isinstance(registered, str) and ">" in registered
            given = inner if not custom else registered
        elif kind == "__lambda__" or not isinstance(inner, dict):
            raise Unsupported("its activation is Python code, which is never run", "use an activation of Keras by name")
        else:
            (made,) = c.front.call(given, c.weights.inside(name), [x], {}, f"{c.path}/{name}")
            return made  # type: ignore[no-any-return]
    if not isinstance(given, str):
        raise ModelError(f"{c.title}: {name} is {str(given)[:60]!r}, needs the name of a function")
    given = ALIASES.get(given, given)
    if given == "hard_sigmoid" and c.version < (3,):
        return hard_sigmoid_2(c.b, x)
    function = FUNCTIONS.get(given)
    if function is None:
        raise Unsupported(f"the activation {given!r} is not supported", "use an activation of Keras by name")
    return function(c.b, x)


# ---- Layers ----


@layer("Activation", mask=True)
def activation_layer(c: Call) -> Tensor:
    return activation(c, c.x)


@layer("ReLU", mask=True)
def relu_layer(c: Call) -> Tensor:
    return relu(c.b, c.x, c.number("negative_slope", 0), c.maybe("max_value"), c.number("threshold", 0))


@layer("LeakyReLU", mask=True)
def leaky_relu_layer(c: Call) -> Tensor:
    return relu(c.b, c.x, c.number("negative_slope", c.config.get("alpha", 0.3)))


@layer("ThresholdedReLU", mask=True)
def thresholded_relu(c: Call) -> Tensor:
    return relu(c.b, c.x, 0, None, c.number("theta", 1.0))


@layer("ELU", mask=True)
def elu_layer(c: Call) -> Tensor:
    return elu(c.b, c.x, c.number("alpha", 1.0))


@layer("PReLU", mask=True)
def prelu(c: Call) -> Tensor:
    b, x = c.b, c.x
    dims = list(b.shape(x))[1:]
    shared = c.integers("shared_axes") if c.has("shared_axes") else []
    for a in shared:
        dims[c.axis(a, len(dims) + 1, "shared_axes") - 1] = 1
    alpha = c.weight(dims, "alpha")
    return b.op("PRELU", x, b.const(alpha, f"{c.path}/alpha"))  # type: ignore[no-any-return]


@layer("Softmax", mask=True)
def softmax_layer(c: Call) -> Tensor:
    b, x = c.b, c.x
    rank = b.rank(x)
    axes = c.axes(c.integers("axis", -1), rank)
    mask = c.argument(1, "mask")
    if isinstance(mask, Tensor):
        mask = b.op("GREATER", b.cast(mask, "FLOAT32"), b.const(np.float32(0.5)))
        x = b.op("SELECT_V2", mask, x, b.like(x, MASKED))
    if len(axes) == 1:
        return softmax(b, x, axes[0])
    dims = b.shape(x)
    perm = [i for i in range(rank) if i not in axes] + axes
    moved = b.transpose(x, perm)
    ends = [c.size(x, a, "a dimension of the softmax") for a in axes]
    heads = [dims[i] for i in perm[: rank - len(axes)]]
    if heads.count(-1) > 1:
        raise Unsupported("a softmax over several axes with several open dimensions is not supported", FIX_SHAPES)
    flat = b.op("SOFTMAX", b.reshape(moved, [*heads, math.prod(ends)]), beta=1.0)
    return b.transpose(b.reshape(flat, [*heads, *ends]), [int(i) for i in np.argsort(perm)])
