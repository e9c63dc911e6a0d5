"""Keras layers that move, cut and repeat elements."""

from __future__ import annotations

import math

import numpy as np

from ...interpreter.errors import ModelError
from ..ir import Tensor
from .build import Unsupported
from .keras_build import FIX_SHAPES, Call, layer


@layer("Flatten", mask=False)
def flatten(c: Call) -> Tensor:
    b = c.b
    x = c.last(c.input)
    dims = b.shape(x)
    if not dims:
        raise ModelError(f"{c.title}: the input has no dimensions")
    rest = -1 if -1 in dims[1:] else math.prod(dims[1:])
    if rest == -1 and dims[0] == -1:
        raise Unsupported("flattening leaves two open dimensions", FIX_SHAPES)
    return b.reshape(x, [dims[0], rest])


def reshaped(c: Call, x: Tensor, shape: list[int]) -> Tensor:
    """x in a shape of which one dimension may be -1; the first may be the open batch besides."""
    b = c.b
    dims = b.shape(x)
    if shape.count(-1) > 1 and shape[0] == -1 and dims[0] == -1 and -1 not in dims[1:]:
        known = math.prod(d for d in shape if d >= 0)
        total = math.prod(dims[1:])
        if shape.count(-1) == 2 and known and total % known == 0:
            at = shape.index(-1, 1)
            shape = [*shape[:at], total // known, *shape[at + 1 :]]
    if shape.count(-1) > 1:
        raise Unsupported("the new shape has two open dimensions", FIX_SHAPES)
    if -1 not in dims:
        known, total = math.prod(d for d in shape if d >= 0), math.prod(dims)
        if (total != known) if -1 not in shape else (known == 0 or total % known):
            raise ModelError(f"{c.title}: {list(dims)} has other elements than {shape}")
        if -1 in shape and known:
            shape = [total // known if d == -1 else d for d in shape]
    return b.reshape(x, shape)


@layer("Reshape")
def reshape(c: Call) -> Tensor:
    x = c.input
    return reshaped(c, x, [c.b.shape(x)[0], *c.integers("target_shape", low=-1)])


@layer("Permute")
def permute(c: Call) -> Tensor:
    x, dims = c.input, c.integers("dims")
    if sorted(dims) != list(range(1, c.b.rank(x))):
        raise ModelError(f"{c.title}: dims {dims} are no order of the {c.b.rank(x) - 1} dimensions behind the batch")
    return c.b.transpose(x, [0, *dims])


@layer("RepeatVector")
def repeat_vector(c: Call) -> Tensor:
    b, x, n = c.b, c.input, c.integer("n", low=1)
    if b.rank(x) != 2:
        raise ModelError(f"{c.title}: the input has {b.rank(x)} dimensions, needs 2")
    return b.op("TILE", b.expand(x, [1]), b.ints([1, n, 1]))  # type: ignore[no-any-return]


def pairs(c: Call, name: str, dims: int) -> list[tuple[int, int]]:
    """(before, after) for each dimension of a picture: one number, one for each, or two for each."""
    value = c.config.get(name, 1)
    value = list(value) if isinstance(value, (list, tuple)) else [value]
    if dims == 1 and len(value) == 2 and all(isinstance(v, int) for v in value):
        value = [value]
    value = value * dims if len(value) == 1 else value
    made = []
    for v in value:
        both = list(v) if isinstance(v, (list, tuple)) else [v, v]
        if len(both) != 2 or any(not isinstance(n, int) or isinstance(n, bool) or not 0 <= n < 1 << 24 for n in both):
            raise c.wrong(name, f"{dims} numbers or pairs of numbers")
        made.append((both[0], both[1]))
    if len(made) != dims:
        raise c.wrong(name, f"{dims} numbers or pairs of numbers")
    return made


def spatial(c: Call, rank: int) -> list[int]:
    """The axes of a picture."""
    return list(range(2, rank)) if c.channels_first else list(range(1, rank - 1))


@layer("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def zero_padding(c: Call) -> Tensor:
    dims = int(c.kind[-2])
    x = c.input
    rank = c.b.rank(x)
    if rank != dims + 2:
        raise ModelError(f"{c.title}: the input has {rank} dimensions, needs {dims + 2}")
    pads = [(0, 0)] * rank
    for a, pair in zip(spatial(c, rank), pairs(c, "padding", dims), strict=True):
        pads[a] = pair
    return c.b.pad(x, pads)


@layer("Cropping1D", "Cropping2D", "Cropping3D")
def cropping(c: Call) -> Tensor:
    dims = int(c.kind[-2])
    x = c.input
    rank = c.b.rank(x)
    if rank != dims + 2:
        raise ModelError(f"{c.title}: the input has {rank} dimensions, needs {dims + 2}")
    cuts = [(0, 0)] * rank
    for a, pair in zip(spatial(c, rank), pairs(c, "cropping", dims), strict=True):
        cuts[a] = pair
    return cropped(c, x, cuts)


def cropped(c: Call, x: Tensor, cuts: list[tuple[int, int]]) -> Tensor:
    """Without the first and last elements along each axis."""
    b = c.b
    dims = b.shape(x)
    for d, (p, q) in zip(dims, cuts, strict=True):
        if 0 <= d <= p + q and p + q:
            raise ModelError(f"{c.title}: cutting {p} and {q} off {d} leaves nothing")
    if all(d >= 0 or not q for d, (_, q) in zip(dims, cuts, strict=True)):
        return b.slice(
            x, [p for p, _ in cuts], [-1 if not q else d - p - q for d, (p, q) in zip(dims, cuts, strict=True)]
        )
    begin, end = [p for p, _ in cuts], [-q for _, q in cuts]
    mask = sum(1 << i for i, (_, q) in enumerate(cuts) if not q)
    return b.op("STRIDED_SLICE", x, b.ints(begin), b.ints(end), b.ints([1] * len(dims)), end_mask=mask)  # type: ignore[no-any-return]


@layer("CategoryEncoding")
def category_encoding(c: Call) -> Tensor:
    b, x, n = c.b, c.input, c.integer("num_tokens", low=1)
    if c.text("output_mode", "multi_hot") != "one_hot":
        raise Unsupported("only the output mode one_hot is supported", "do the preprocessing outside the model")
    one, zero = b.const(np.float32(1)), b.const(np.float32(0))
    dims = b.shape(x)
    if dims and dims[-1] == 1:
        x = b.squeeze(x, [len(dims) - 1])
    return b.op("ONE_HOT", b.cast(x, "INT32"), b.const(np.int32(n)), one, zero, axis=-1)  # type: ignore[no-any-return]
