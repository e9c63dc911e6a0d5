"""Keras layers: dense ones, embeddings, normalization, merging, and those that do nothing outside training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ...interpreter.errors import ModelError
from ..ir import Tensor
from .build import Builder, T, Unsupported
from .keras_activations import activation
from .keras_build import FIX_SHAPES, Call, layer
from .words import compute_reduced, einsum_of, f, normalized

I32 = T.INT32


@layer(
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "GaussianNoise",
    "AlphaDropout", "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomTranslation", "RandomContrast", "RandomBrightness", "RandomHeight", "RandomWidth", "RandomShear",
    "RandomSaturation", "RandomHue", "RandomSharpness", "RandomColorJitter", "RandomColorDegeneration",
    "RandomGrayscale", "RandomPosterization", "RandomInvert", "RandomErasing", "RandomPerspective",
    "RandomElasticTransform", "RandomGaussianBlur", "RandAugment", "AugMix", "MixUp", "CutMix",
    mask=True,
)  # fmt: skip
def nothing(c: Call) -> Tensor:
    return c.input


# ---- Dense ----


@layer("Dense", mask=True)
def dense(c: Call) -> Tensor:
    b, x = c.b, c.x
    rank, units = b.rank(x), c.integer("units", low=1)
    if rank < 2:
        raise ModelError(f"{c.title}: the input has {rank} dimensions, needs 2 or more")
    kernel = c.weight([b.shape(x)[-1], units], "kernel")
    bias = c.weight([units], "bias") if c.flag("use_bias", True) else None
    return activation(c, product(c, x, kernel, bias), "activation")


def product(c: Call, x: Tensor, kernel: np.ndarray, bias: np.ndarray | None) -> Tensor:
    """x kernel + bias over the last dimension."""
    b = c.b
    w = b.const(np.ascontiguousarray(kernel.T), f"{c.path}/kernel")
    add = None if bias is None else b.const(bias, f"{c.path}/bias")
    return b.op("FULLY_CONNECTED", x, w, add, keep_num_dims=b.rank(x) > 2)  # type: ignore[no-any-return]


@layer("EinsumDense")
def einsum_dense(c: Call) -> Tensor:
    b, x = c.b, c.x
    equation = c.text("equation").replace(" ", "")
    kernel = c.weight(None, "kernel")
    made = einsum_of(b, equation, [x, b.const(kernel, f"{c.path}/kernel")])
    if c.text("bias_axes", ""):  # its shape meets that of the result
        made = f(b, "ADD", made, b.const(c.weight(None, "bias"), f"{c.path}/bias"))
    return activation(c, made)


@layer("Embedding")
def embedding(c: Call) -> Tensor:
    b, ids = c.b, c.input
    table = c.weight([c.integer("input_dim", low=1), c.integer("output_dim", low=1)], "embeddings")
    if ids.type not in (I32, T.INT64):
        ids = b.cast(ids, I32)
    if c.flag("mask_zero", False):
        mask = b.op("NOT_EQUAL", ids, b.like(ids, 0))
        b.shape(mask)
    made: Tensor = b.op("GATHER", b.const(table, f"{c.path}/embeddings"), ids, axis=0)
    if c.flag("mask_zero", False):
        c.front.set_mask(made, mask)
    return made


@layer("Masking")
def masking(c: Call) -> Tensor:
    b, x = c.b, c.x
    differs = b.op("NOT_EQUAL", x, b.like(x, c.number("mask_value", 0.0)))
    last = b.rank(x) - 1
    mask = b.op("REDUCE_ANY", differs, b.ints([last]), keep_dims=False)
    kept = b.op("REDUCE_ANY", differs, b.ints([last]), keep_dims=True)
    b.shape(mask)
    made = f(b, "MUL", x, b.cast(kept, "FLOAT32"))
    c.front.set_mask(made, mask)
    return made


# ---- Normalization ----


def _along(c: Call, x: Tensor, axes: Sequence[int], value: np.ndarray, what: str) -> Tensor:
    """Weights that belong to some axes of x, shaped to meet it."""
    rank = c.b.rank(x)
    if list(axes) == list(range(rank - len(axes), rank)):
        return c.b.const(value, f"{c.path}/{what}")
    shape = [1] * rank
    for a, n in zip(axes, value.shape, strict=True):
        shape[a] = n
    return c.b.const(value.reshape(shape[min(axes) :]), f"{c.path}/{what}")


def _sizes(c: Call, x: Tensor, axes: Sequence[int]) -> list[int]:
    return [c.size(x, a, "the normalized dimension") for a in axes]


@layer("BatchNormalization", "BatchNormalizationV1", "SyncBatchNormalization", mask=True)
def batch_normalization(c: Call) -> Tensor:
    b, x = c.b, c.x
    axes = c.axes(c.integers("axis", -1), b.rank(x))
    if len(axes) != 1:
        raise Unsupported("a BatchNormalization over several axes is not supported", "normalize over one axis")
    shape = _sizes(c, x, axes)
    if c.flag("renorm", False) and c.version < (3,):
        raise Unsupported("batch renormalization is not supported", "train without renorm")
    scale = c.weight(shape, "gamma") if c.flag("scale", True) else np.ones(shape, np.float32)
    offset = c.weight(shape, "beta") if c.flag("center", True) else np.zeros(shape, np.float32)
    mean, var = (c.weight(shape, what).astype(np.float64) for what in ("moving_mean", "moving_variance"))
    with np.errstate(all="ignore"):
        factor = scale / np.sqrt(var + c.number("epsilon", 1e-3))
        shift = offset - mean * factor
        parts = [_along(c, x, axes, v.astype(np.float32), w) for v, w in ((factor, "scale"), (shift, "offset"))]
    return f(b, "ADD", f(b, "MUL", x, parts[0]), parts[1])


@layer("LayerNormalization", mask=True)
def layer_normalization(c: Call) -> Tensor:
    b, x = c.b, c.x
    axes = c.axes(c.integers("axis", -1), b.rank(x))
    shape, epsilon = _sizes(c, x, axes), c.number("epsilon", 1e-3)
    made, _, inverse = normalized(b, x, axes, epsilon)
    if c.flag("rms_scaling", False):
        return f(b, "MUL", f(b, "MUL", x, inverse), _along(c, x, axes, c.weight(shape, "gamma"), "gamma"))
    if c.flag("scale", True):
        made = f(b, "MUL", made, _along(c, x, axes, c.weight(shape, "gamma"), "gamma"))
    if c.flag("center", True):
        made = f(b, "ADD", made, _along(c, x, axes, c.weight(shape, "beta"), "beta"))
    return made


@layer("RMSNormalization", mask=True)
def rms_normalization(c: Call) -> Tensor:
    b, x = c.b, c.x
    axes = c.axes(c.integers("axis", -1), b.rank(x))
    mean = compute_reduced(b, "MEAN", f(b, "MUL", x, x), axes, True)
    made = f(b, "MUL", x, b.op("RSQRT", f(b, "ADD", mean, c.number("epsilon", 1e-6))))
    return f(b, "MUL", made, _along(c, x, axes, c.weight(_sizes(c, x, axes), "scale"), "scale"))


@layer("GroupNormalization", mask=True)
def group_normalization(c: Call) -> Tensor:
    b, x = c.b, c.x
    rank, groups = b.rank(x), c.integer("groups", 32)
    axis = c.axis(c.integer("axis", -1), rank)
    channels = c.size(x, axis, "the number of channels")
    groups = channels if groups == -1 else groups
    dims = list(b.shape(x))
    if axis == 0 or groups < 1 or channels % groups or -1 in dims[1:]:
        raise Unsupported(
            f"{groups} groups of {channels} channels over open dimensions, or that do not divide them", FIX_SHAPES
        )
    perm = [i for i in range(rank) if i != axis] + [axis]
    moved = b.transpose(x, perm)
    count = math.prod(dims[1:]) // channels
    flat = b.reshape(moved, [dims[0], count, groups, channels // groups])
    made, _, _ = normalized(b, flat, [1, 3], c.number("epsilon", 1e-3))
    made = b.reshape(made, [dims[p] for p in perm])
    if c.flag("scale", True):
        made = f(b, "MUL", made, b.const(c.weight([channels], "gamma"), f"{c.path}/gamma"))
    if c.flag("center", True):
        made = f(b, "ADD", made, b.const(c.weight([channels], "beta"), f"{c.path}/beta"))
    return b.transpose(made, [int(i) for i in np.argsort(perm)])


@layer("UnitNormalization", mask=True)
def unit_normalization(c: Call) -> Tensor:
    b, x = c.b, c.x
    axes = c.axes(c.integers("axis", -1), b.rank(x))
    total = compute_reduced(b, "SUM", f(b, "MUL", x, x), axes, True)
    return f(b, "MUL", x, b.op("RSQRT", f(b, "MAXIMUM", total, 1e-12)))


@layer("Normalization")
def normalization(c: Call) -> Tensor:
    b, x = c.b, c.x
    rank = b.rank(x)
    axes = c.axes(c.integers("axis", -1), rank) if c.has("axis") else []
    if "axis" in c.config and isinstance(c.config["axis"], list) and not c.config["axis"]:
        axes = []
    shape = _sizes(c, x, axes)
    mean, var = c.array("mean"), c.array("variance")
    if mean is None or var is None:
        mean, var = c.weight(None, "mean"), c.weight(None, "variance")
    try:
        mean, var = (np.broadcast_to(v.reshape(shape) if v.size == math.prod(shape) else v, shape) for v in (mean, var))
    except ValueError:
        raise ModelError(f"{c.title}: mean and variance of the shape {list(mean.shape)} do not fit {shape}") from None
    with np.errstate(all="ignore"):
        root = np.maximum(np.sqrt(var.astype(np.float64)), 1e-7)
        inverse = bool(c.flag("invert", False))
        factor, shift = (root, mean) if inverse else (1 / root, -mean / root)
        parts = [_along(c, x, axes, v.astype(np.float32), w) if axes else b.const(np.float32(v), f"{c.path}/{w}")
                 for v, w in ((factor, "scale"), (shift, "offset"))]  # fmt: skip
    return f(b, "ADD", f(b, "MUL", x, parts[0]), parts[1])


@layer("Rescaling", mask=True)
def rescaling(c: Call) -> Tensor:
    b, x = c.b, c.x
    scale, offset = c.array("scale"), c.array("offset")
    if scale is not None and np.any(scale != 1):
        x = f(b, "MUL", x, b.const(scale, f"{c.path}/scale"))
    if offset is not None and np.any(offset != 0):
        x = f(b, "ADD", x, b.const(offset, f"{c.path}/offset"))
    return x


# ---- Merging ----


def _met(b: Builder, given: Sequence[Tensor]) -> list[Tensor]:
    """Operands of one type and rank; Keras puts the missing dimensions behind the batch."""
    rank = max(b.rank(t) for t in given)
    wide = [b.cast(t, "FLOAT32") for t in given] if len({t.type for t in given}) > 1 else list(given)
    return [b.expand(t, range(1, 1 + rank - b.rank(t))) if b.rank(t) not in (0, rank) else t for t in wide]


def _merge(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        if not c.inputs:
            raise ModelError(f"{c.title}: it is called on nothing")
        if ours == "SUB" and len(c.inputs) != 2:
            raise ModelError(f"{c.title}: it is called on {len(c.inputs)} tensors instead of two")
        made, *others = _met(c.b, c.inputs)
        for t in others:
            made = f(c.b, ours, made, t)
        return made

    return function


for _name, _ours in {
    "Add": "ADD", "Subtract": "SUB", "Multiply": "MUL", "Maximum": "MAXIMUM", "Minimum": "MINIMUM",
}.items():  # fmt: skip
    layer(_name, mask=True)(_merge(_ours))


@layer("Average", mask=True)
def average(c: Call) -> Tensor:
    return f(c.b, "MUL", _merge("ADD")(c), 1 / len(c.inputs))


@layer("Concatenate", mask=True)
def concatenate(c: Call) -> Tensor:
    return concatenation(c, c.inputs, c.integer("axis", -1))


def concatenation(c: Call, given: Sequence[Tensor], axis: int) -> Tensor:
    b = c.b
    if not given:
        raise ModelError(f"{c.title}: it is called on nothing")
    given = [b.cast(t, "FLOAT32") for t in given] if len({t.type for t in given}) > 1 else given
    if len(given) == 1:
        return given[0]
    return b.op("CONCATENATION", *given, axis=c.axis(axis, b.rank(given[0])))  # type: ignore[no-any-return]


@layer("Dot")
def dot(c: Call) -> Tensor:
    b = c.b
    if len(c.inputs) != 2:
        raise ModelError(f"{c.title}: it is called on {len(c.inputs)} tensors instead of two")
    x, y = (b.cast(t, "FLOAT32") for t in c.inputs)
    axes = c.integers("axes")
    axes = axes * 2 if len(axes) == 1 else axes
    if len(axes) != 2:
        raise c.wrong("axes", "one or two whole numbers")
    p, q = c.axis(axes[0], b.rank(x), "axes"), c.axis(axes[1], b.rank(y), "axes")
    if c.flag("normalize", False):
        x, y = (_normalized_to_one(b, t, a) for t, a in ((x, p), (y, q)))
    return batch_dot(c, x, y, p, q)


def _normalized_to_one(b: Builder, x: Tensor, axis: int) -> Tensor:
    total = compute_reduced(b, "SUM", f(b, "MUL", x, x), [axis], True)
    return f(b, "MUL", x, b.op("RSQRT", f(b, "MAXIMUM", total, 1e-12)))


def batch_dot(c: Call, x: Tensor, y: Tensor, p: int, q: int) -> Tensor:
    """The sum over axis p of x and q of y, for each element of the batch."""
    b = c.b
    if 0 in (p, q):
        raise ModelError(f"{c.title}: a dot product over the batch is not defined")
    left = ["z" if i == 0 else "s" if i == p else "abcdefg"[i - 1] for i in range(b.rank(x))]
    right = ["z" if i == 0 else "s" if i == q else "hijklmn"[i - 1] for i in range(b.rank(y))]
    out = [s for s in left if s != "s"] + [s for s in right if s not in "zs"]
    made = einsum_of(b, f"{''.join(left)},{''.join(right)}->{''.join(out)}", [x, y])
    return b.expand(made, [1]) if len(out) == 1 else made
