"""ONNX operators that move, select, copy and make elements, and those that compute with shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import schema
from ..ir import Tensor
from .build import Builder, Open, Unsupported
from .onnx_build import Call, op
from .onnx_ops_math import narrowed
from .words import I32, I64, compute, f

INT_MAX, INT_MIN = 2**31 - 1, -(2**31)


def int32(b: Builder, t: Tensor) -> Tensor:
    """Numbers that count or index, as the operators of the format take them."""
    if t.constant and t.type == I64:
        return b.const(np.clip(t.array, INT_MIN, INT_MAX).astype(np.int32))
    made = b.cast(t, I32)
    return b.remember(made, b.partial(t)) if made is not t else t


def vector(b: Builder, values: Sequence[int | Open | None], t: Tensor | None) -> Tensor:
    """A list as an int32 tensor; what is open is taken from the elements of `t`."""
    if all(isinstance(v, int) for v in values):
        return b.ints(v for v in values if isinstance(v, int))
    if t is None:
        raise Unsupported("a dimension is not known", "fix the shapes of the inputs")
    given = int32(b, t)
    parts = []
    i = 0
    while i < len(values):
        k = i + 1
        known = isinstance(values[i], int)
        while k < len(values) and isinstance(values[k], int) == known:
            k += 1
        parts.append(b.ints(v for v in values[i:k] if isinstance(v, int)) if known else b.slice(given, [i], [k - i]))
        i = k
    return b.op("CONCATENATION", *parts, axis=0) if len(parts) > 1 else parts[0]


def positive(b: Builder, which: Tensor, size: int) -> Tensor:
    """Indices counted from the front: ONNX counts negative ones from the end."""
    if which.constant:
        if size < 0 and (which.array < 0).any():
            raise Unsupported("a negative index into an open dimension is not supported")
        return b.const(np.where(which.array < 0, which.array + size, which.array).astype(which.array.dtype))
    if size < 0:
        return which
    return b.op("SELECT_V2", b.op("LESS", which, b.like(which, 0)), f(b, "ADD", which, size), which)  # type: ignore[no-any-return]


# ---- Shapes as values ----


@op("Shape")
def shape(c: Call) -> Tensor:
    b, x = c.b, c[0]
    dims = b.shape(x)
    start, end, _ = slice(c.attr("start", 0), c.attr("end")).indices(len(dims))
    values: list[int | Open] = [d if d >= 0 else Open(id(x), i) for i, d in enumerate(dims)][start:end]
    if all(isinstance(v, int) for v in values):
        return b.const(np.array(values, np.int64))
    b.keep.append(x)
    made = b.op("SHAPE", x, out_type="INT64")
    if (start, end) != (0, len(dims)):
        made = b.slice(made, [start], [max(end - start, 0)])
    return b.remember(made, values)


@op("Size")
def size(c: Call) -> Tensor:
    b, x = c.b, c[0]
    if b.static(x):
        return b.const(np.int64(math.prod(b.shape(x))))
    return b.op("REDUCE_PROD", b.op("SHAPE", x, out_type="INT64"), b.ints([0]), keep_dims=False)  # type: ignore[no-any-return]


@op("Reshape")
def reshape(c: Call) -> Tensor:
    b, x = c.b, c[0]
    given = c.get(1)
    if given is None:
        given = b.const(np.array(c.attr("shape"), np.int64))
    dims = b.shape(x)
    values = b.partial(given)
    if values is None:
        return b.op("RESHAPE", x, int32(b, given))  # type: ignore[no-any-return]
    if not c.attr("allowzero", 0):
        if any(v == 0 and i >= len(dims) for i, v in enumerate(values)):
            raise Unsupported("a zero in the shape stands behind the last dimension of the input")
        values = [(dims[i] if dims[i] >= 0 else Open(id(x), i)) if v == 0 else v for i, v in enumerate(values)]
    b.keep.append(x)
    made = _reshape_to(b, x, dims, values, given)
    return b.mark_zero(made) if id(x) in b.zeros else _carry(b, x, made)


def _carry(b: Builder, x: Tensor, made: Tensor) -> Tensor:
    """What is known of the elements stays known in another shape."""
    known = None if made.constant else b.partial(x)
    return made if known is None or b.rank(made) > 1 else b.remember(made, known)


def _reshape_to(b: Builder, x: Tensor, dims: Sequence[int], values: list[Any], given: Tensor) -> Tensor:
    opened = [i for i, v in enumerate(values) if isinstance(v, Open)]
    if not opened:
        return b.reshape(x, values)
    if len(opened) == 1 and -1 not in values:
        return b.reshape(x, [-1 if isinstance(v, Open) else v for v in values])
    if values == [d if d >= 0 else Open(id(x), i) for i, d in enumerate(dims)]:
        return x
    where = values[opened[0]]
    if len(opened) == 1 and where.tensor == id(x) and sum(d < 0 for d in dims) == 1:
        rest = math.prod(d for d in dims if d >= 0)  # the open dimension stays, so -1 is what the others leave
        others = math.prod(v for v in values if isinstance(v, int) and v >= 0)
        if others and rest % others == 0:
            return b.reshape(x, [-1 if isinstance(v, Open) else rest // others if v == -1 else v for v in values])
    if given.constant:  # only zeros made it open
        pieces = b.shape_of(x)
        parts = [b.slice(pieces, [v.axis], [1]) if isinstance(v, Open) else b.ints([v]) for v in values]
        target = b.op("CONCATENATION", *parts, axis=0)
    else:
        target = vector(b, values, given)
    made: Tensor = b.op("RESHAPE", x, target)
    made.shape = tuple(v if isinstance(v, int) else -1 for v in values)
    return made


@op("Flatten")
def flatten(c: Call) -> Tensor:
    b, x = c.b, c[0]
    dims = b.shape(x)
    axis = c.attr("axis", 1)
    axis = axis + len(dims) if axis < 0 else axis
    if not 0 <= axis <= len(dims):
        raise Unsupported(f"axis {axis} does not exist in {len(dims)} dimensions")
    sides = [-1 if min(part, default=0) < 0 else math.prod(part) for part in (dims[:axis], dims[axis:])]
    if sides == [-1, -1]:
        raise Unsupported("flattening leaves two open dimensions", "fix the shapes of the inputs")
    return b.reshape(x, sides)


@op("Transpose")
def transpose(c: Call) -> Tensor:
    rank = c.b.rank(c[0])
    perm = list(c.attr("perm", range(rank)[::-1]))
    if sorted(perm) != list(range(rank)):
        raise Unsupported(f"perm {perm} is no order of {rank} dimensions")
    return c.b.transpose(c[0], perm)


@op("Squeeze")
def squeeze(c: Call) -> Tensor:
    b, x = c.b, c[0]
    dims = b.shape(x)
    axes = c.axes(1)
    axes = [i for i, d in enumerate(dims) if d == 1] if axes is None else [c.axis(a, len(dims)) for a in axes]
    return _carry(b, x, b.squeeze(x, axes)) if axes else x


@op("Unsqueeze")
def unsqueeze(c: Call) -> Tensor:
    b, x = c.b, c[0]
    axes = c.axes(1) or []
    rank = b.rank(x) + len(axes)
    return _carry(b, x, b.expand(x, sorted(c.axis(a, rank) for a in axes)))


# ---- Parts and wholes ----


@op("Concat")
def concat(c: Call) -> Tensor:
    b = c.b
    given = [t for t in c.inputs if t is not None]
    rank = b.rank(c[0])
    axis = c.axis(c.attr("axis", 0), rank)
    if len(given) == 1:
        return given[0]
    made = b.op("CONCATENATION", *given, axis=axis)
    if rank == 1 and not made.constant:
        parts = [b.partial(t) for t in given]
        if all(p is not None for p in parts):
            return b.remember(made, [v for p in parts if p is not None for v in p])
    return made  # type: ignore[no-any-return]


@op("Split")
def split(c: Call) -> tuple[Tensor, ...]:
    b, x = c.b, c[0]
    rank = b.rank(x)
    axis = c.axis(c.attr("axis", 0), rank)
    sizes = c.axes(1, "split")
    count = len(sizes) if sizes is not None else int(c.attr("num_outputs", len(c.outputs)))
    whole = b.shape(x)[axis]
    if sizes is None and whole >= 0 and count > 0 and whole % count:
        each = -(-whole // count)
        sizes = [each] * (whole // each) + [whole % each] * (whole % each > 0)
        sizes += [0] * (count - len(sizes))
    where = b.const(np.int32(axis))
    if count == 1:
        return (x,)
    if sizes is None or len(set(sizes)) == 1:
        return b.op("SPLIT", where, x, num_splits=count, outputs=count)  # type: ignore[no-any-return]
    return b.op("SPLIT_V", x, b.ints(sizes), where, num_splits=count, outputs=count)  # type: ignore[no-any-return]


@op("Slice")
def slice_(c: Call) -> Tensor:
    b, x = c.b, c[0]
    dims = b.shape(x)
    rank = len(dims)
    if c.get(1) is None:  # before opset 10
        starts, ends = (b.const(np.array(c.attr(k), np.int64)) for k in ("starts", "ends"))
        axes, steps = c.attr("axes"), None
    else:
        starts, ends = c[1], c[2]
        axes = c.numbers(3, "axes") if c.get(3) is not None else None
        steps = c.numbers(4, "steps") if c.get(4) is not None else None
    n = b.shape(starts)[0]
    axes = list(range(n)) if axes is None else [c.axis(a, rank) for a in axes]
    steps = [1] * n if steps is None else steps
    if not len(axes) == len(steps) == n or 0 in steps:
        raise Unsupported("starts, axes and steps have different lengths, or a step is zero")
    first, last = b.partial(starts), b.partial(ends)
    known = [_range(dims[a], first, last, i, steps[i]) for i, a in enumerate(axes)]
    if all(k is not None for k in known):
        made = _slice_known(b, x, dims, axes, [k for k in known if k is not None])
    else:
        made = _slice_open(b, x, axes, starts, ends, steps)
    values = b.partial(x)
    if values is not None and rank == 1 and n == 1 and known[0] is not None and dims[0] >= 0:
        begin, end, step = known[0]
        return b.remember(made, values[slice(begin, None if end is None else end, step)])
    return made


def _range(d: int, first: Any, last: Any, i: int, step: int) -> tuple[int, int | None, int] | None:
    """Begin and end in a dimension as a Python slice has them, clamped where the dimension is known."""
    if first is None or last is None or not isinstance(first[i], int) or not isinstance(last[i], int):
        return None
    begin, end = first[i], last[i]
    if d >= 0:
        begin, end, step = slice(begin, end, step).indices(d)
        return begin, None if end < 0 else end, step
    if step > 0:
        return begin, None if end >= INT_MAX else end, step
    return (INT_MAX if begin >= INT_MAX else begin), None if end <= INT_MIN + 1 else end, step


def _slice_known(b: Builder, x: Tensor, dims: Sequence[int], axes: list[int], ranges: list[Any]) -> Tensor:
    rank = len(dims)
    begin, end, step = [0] * rank, [0] * rank, [1] * rank
    open_end = (1 << rank) - 1
    open_begin = 0
    plain = True
    sizes = [-1] * rank
    for a, (p, q, s) in zip(axes, ranges, strict=True):
        begin[a], step[a] = p, s
        plain = plain and s == 1 and (dims[a] >= 0 or (p >= 0 and (q is None or (q >= p and False))))
        if q is not None:
            end[a] = max(min(q, INT_MAX), INT_MIN)
            open_end &= ~(1 << a)
            sizes[a] = max(q - p, 0)
        if p >= INT_MAX:
            begin[a] = 0
            open_begin |= 1 << a
    if plain:
        if all(begin[a] == 0 and sizes[a] in (-1, dims[a]) for a in range(rank)):
            return x
        return b.op("SLICE", x, b.ints(begin), b.ints(sizes))  # type: ignore[no-any-return]
    begin = [max(min(v, INT_MAX), INT_MIN) for v in begin]
    return b.op("STRIDED_SLICE", x, b.ints(begin), b.ints(end), b.ints(step), begin_mask=open_begin, end_mask=open_end)  # type: ignore[no-any-return]


def _slice_open(b: Builder, x: Tensor, axes: list[int], starts: Tensor, ends: Tensor, steps: list[int]) -> Tensor:
    rank = b.rank(x)
    inside = {a: i for i, a in enumerate(axes)}
    step = [steps[inside[a]] if a in inside else 1 for a in range(rank)]
    mask = sum(1 << a for a in range(rank) if a not in inside)

    def by_axis(t: Tensor) -> Tensor:
        t = int32(b, t)
        parts = [b.slice(t, [inside[a]], [1]) if a in inside else b.ints([0]) for a in range(rank)]
        return b.op("CONCATENATION", *parts, axis=0) if rank > 1 else parts[0]

    return b.op("STRIDED_SLICE", x, by_axis(starts), by_axis(ends), b.ints(step), begin_mask=mask, end_mask=mask)  # type: ignore[no-any-return]


# ---- Gathering and scattering ----


@op("Gather")
def gather(c: Call) -> Tensor:
    b, x, which = c.b, c[0], c[1]
    rank = b.rank(x)
    axis = c.axis(c.attr("axis", 0), rank)
    if which.type not in (I32, I64):
        raise Unsupported(f"indices of type {which.type.name} are not supported")
    values = b.partial(x)
    if not (x.constant and axis == 0 and not which.constant):  # a table of embeddings is not indexed from its end
        which = positive(b, which, b.shape(x)[axis])
    if which.constant:
        which = int32(b, which)
    made = b.op("GATHER", x, which, axis=axis)
    if values is not None and rank == 1 and which.constant and which.array.ndim <= 1:
        return b.remember(made, [values[i] for i in which.array.reshape(-1)])
    return made  # type: ignore[no-any-return]


@op("GatherND")
def gather_nd(c: Call) -> Tensor:
    b, x, which = c.b, c[0], c[1]
    batch = c.attr("batch_dims", 0)
    if batch:
        dims, index = b.shape(x), b.shape(which)
        if -1 in index[:batch]:
            raise Unsupported("batch_dims over open dimensions is not supported", "fix the shapes of the inputs")
        grids = np.indices(index[:-1])[:batch]
        which = _wrapped(b, which, dims[batch:])
        which = b.op(
            "CONCATENATION",
            b.const(np.moveaxis(grids, 0, -1).astype(schema.numpy_dtype(which.type))),
            which,
            axis=len(index) - 1,
        )
    else:
        which = _wrapped(b, which, b.shape(x))
    return b.op("GATHER_ND", x, which)  # type: ignore[no-any-return]


def _wrapped(b: Builder, which: Tensor, dims: Sequence[int]) -> Tensor:
    """Coordinates counted from the front."""
    depth = b.shape(which)[-1]
    if depth < 0 or depth > len(dims):
        raise Unsupported("the length of the coordinates is not known, or is more than there are dimensions")
    if -1 in dims[:depth]:
        return which
    shift = np.array(dims[:depth], schema.numpy_dtype(which.type))
    if which.constant:
        return b.const(np.where(which.array < 0, which.array + shift, which.array))
    return b.op("SELECT_V2", b.op("LESS", which, b.like(which, 0)), b.op("ADD", which, b.const(shift)), which)  # type: ignore[no-any-return]


def _coordinates(c: Call, which: Tensor, axis: int, dims: Sequence[int]) -> Tensor:
    """One coordinate per element of `which`: its own, but along `axis` what it says."""
    b = c.b
    if not b.static(which):
        raise Unsupported("indices of open shape are not supported here", "fix the shapes of the inputs")
    which = positive(b, int32(b, which), dims[axis])
    grids = np.indices(b.shape(which)).astype(np.int32)
    parts = [which if i == axis else b.const(grids[i]) for i in range(len(dims))]
    return b.op("PACK", *parts, values_count=len(parts), axis=len(dims))  # type: ignore[no-any-return]


@op("GatherElements")
def gather_elements(c: Call) -> Tensor:
    b, x = c.b, c[0]
    dims = b.shape(x)
    return b.op("GATHER_ND", x, _coordinates(c, c[1], c.axis(c.attr("axis", 0), len(dims)), dims))  # type: ignore[no-any-return]


def _scatter(c: Call, which: Tensor) -> Tensor:
    b, x, updates = c.b, c[0], c[2]
    if not b.static(x):
        raise Unsupported("scattering into an open shape is not supported", "fix the shapes of the inputs")
    target = b.ints(b.shape(x))
    which = int32(b, which)
    mode = c.text("reduction", "none")
    if mode == "add":
        return compute(b, "ADD", x, b.op("SCATTER_ND", which, updates, target))
    if mode != "none":
        raise Unsupported(f"reduction {mode!r} is not supported")
    ones = b.const(np.ones(b.shape(updates), np.int32))
    hit = b.op("GREATER", b.op("SCATTER_ND", which, ones, target), b.const(np.int32(0)))
    return b.op("SELECT_V2", hit, b.op("SCATTER_ND", which, updates, target), x)  # type: ignore[no-any-return]


@op("ScatterND")
def scatter_nd(c: Call) -> Tensor:
    return _scatter(c, _wrapped(c.b, c[1], c.b.shape(c[0])))


@op("ScatterElements", "Scatter")
def scatter_elements(c: Call) -> Tensor:
    dims = c.b.shape(c[0])
    return _scatter(c, _coordinates(c, c[1], c.axis(c.attr("axis", 0), len(dims)), dims))


@op("OneHot")
def one_hot(c: Call) -> Tensor:
    b = c.b
    depth = int(c.array(1, "depth").reshape(-1)[0])
    which = c[0]
    which = positive(b, b.cast(which, I64) if which.type not in (I32, I64) else which, depth)
    pair = c[2]
    off, on = (b.reshape(b.slice(pair, [i], [1]), []) if not pair.constant else b.const(pair.array[i]) for i in (0, 1))
    rank = b.rank(which)
    axis = c.axis(c.attr("axis", -1), rank + 1)
    return b.op("ONE_HOT", which, b.const(np.int32(depth)), on, off, axis=-1 if axis == rank else axis)  # type: ignore[no-any-return]


@op("NonZero")
def non_zero(c: Call) -> Tensor:
    b, x = c.b, c[0]
    return b.transpose(b.op("WHERE", x), (1, 0))


# ---- Copies ----


@op("Expand")
def expand(c: Call) -> Tensor:
    b, x = c.b, c[0]
    dims = b.shape(x)
    target = b.partial(c[1])
    if target is None:
        made: Tensor = b.op("BROADCAST_TO", x, b.op("BROADCAST_ARGS", b.shape_of(x), int32(b, c[1])))
        return made
    rank = max(len(dims), len(target))
    have = [1] * (rank - len(dims)) + list(dims)
    want: list[Any] = [1] * (rank - len(target)) + target
    if all(
        w == 1 or w == h or (h < 0 and w == Open(id(x), i - rank + len(dims)))
        for i, (h, w) in enumerate(zip(have, want, strict=True))
    ):
        return b.expand(x, range(rank - len(dims)))
    if all(isinstance(w, int) and (h >= 0 or w != 1) for h, w in zip(have, want, strict=True)):
        made = b.op("BROADCAST_TO", x, b.ints(w if w != 1 else h for h, w in zip(have, want, strict=True)))
    else:
        made = b.op("BROADCAST_TO", x, b.op("BROADCAST_ARGS", b.shape_of(x), int32(b, c[1])))
        if not made.constant:
            made.shape = tuple(
                w if isinstance(w, int) and w != 1 else h if h != 1 else -1 if isinstance(w, Open) else 1
                for h, w in zip(have, want, strict=True)
            )
    return b.mark_zero(made) if b.is_zero(x) else made


@op("Tile")
def tile(c: Call) -> Tensor:
    return c.b.op("TILE", c[0], int32(c.b, c[1]))  # type: ignore[no-any-return]


@op("Pad")
def pad(c: Call) -> Tensor:
    b, x = c.b, c[0]
    dims = b.shape(x)
    pads = c.axes(1, "pads") or []
    fill = c.get(2)
    value = fill.array.reshape(-1)[0] if fill is not None and fill.constant and fill.array.size else c.attr("value", 0)
    axes = c.numbers(3, "axes") if c.get(3) is not None else list(range(len(dims)))
    if len(pads) != 2 * len(axes):
        raise Unsupported(f"{len(pads)} pads for {len(axes)} dimensions")
    amounts = [(0, 0)] * len(dims)
    for i, a in enumerate(axes):
        amounts[c.axis(a, len(dims))] = (pads[i], pads[i + len(axes)])
    if any(p < 0 or q < 0 for p, q in amounts):
        begin = [max(-p, 0) for p, _ in amounts]
        if any(d < 0 and q < 0 for d, (_, q) in zip(dims, amounts, strict=True)):
            raise Unsupported("cropping an open dimension at its end is not supported")
        sizes = [-1 if d < 0 else d - s - max(-q, 0) for d, s, (_, q) in zip(dims, begin, amounts, strict=True)]
        x = b.slice(x, begin, sizes)
        amounts = [(max(p, 0), max(q, 0)) for p, q in amounts]
        dims = b.shape(x)
    mode = c.text("mode", "constant")
    if mode == "constant":
        if fill is not None and not fill.constant:
            return b.op("PADV2", x, b.const(np.array(amounts, np.int32)), b.reshape(fill, []))  # type: ignore[no-any-return]
        return b.pad(x, amounts, value)
    if mode == "reflect" and all(d < 0 or max(p) < d for d, p in zip(dims, amounts, strict=True)):
        if not any(p or q for p, q in amounts):
            return x
        return b.op("MIRROR_PAD", x, b.const(np.array(amounts, np.int32)), mode="REFLECT")  # type: ignore[no-any-return]
    if mode not in ("reflect", "edge", "wrap"):
        raise Unsupported(f"mode {mode!r} is not supported")
    for axis, (p, q) in enumerate(amounts):
        if p or q:
            if dims[axis] < 1 or p + q > INT_MAX // 64:
                raise Unsupported(f"mode {mode!r} along an open dimension is not supported", "fix the shapes")
            which = np.pad(np.arange(dims[axis], dtype=np.int32), (p, q), mode=mode)  # type: ignore[call-overload]
            x = b.op("GATHER", x, b.const(which), axis=axis)
    return x


@op("Identity")
def identity(c: Call) -> Tensor:
    return c[0]


@op("Dropout")
def dropout(c: Call) -> tuple[Tensor, ...]:
    b, x = c.b, c[0]
    if c.get(2) is not None and not (c[2].constant and not c[2].array.any()):
        ratio = c.get(1)
        if ratio is None or not ratio.constant or ratio.array.any():
            raise Unsupported("dropout in training mode is not supported", "export the model for inference")
    if not c.wants(1):
        return (x,)
    return x, b.op("FILL", b.shape_of(x), b.const(np.bool_(True)))


# ---- Made from nothing ----


@op("Constant")
def constant(c: Call) -> Tensor:
    for name, dtype in (
        ("value", None), ("value_float", np.float32), ("value_floats", np.float32), ("value_int", np.int64),
        ("value_ints", np.int64),
    ):  # fmt: skip
        if name in c.attributes:
            return c.b.const(np.asarray(c.attributes[name], dtype))
    raise Unsupported("a constant of strings or a sparse one is not supported")


@op("ConstantOfShape")
def constant_of_shape(c: Call) -> Tensor:
    b = c.b
    value = np.asarray(c.attr("value", np.zeros(1, np.float32))).reshape(-1)[0]
    dims = b.partial(c[0])
    made: Tensor = b.op("FILL", int32(b, c[0]), b.const(value))
    if dims is not None and not made.constant:
        made.shape = tuple(v if isinstance(v, int) else -1 for v in dims)
    return b.mark_zero(made) if not value else made


@op("EyeLike")
def eye_like(c: Call) -> Tensor:
    b = c.b
    dims = b.shape(c[0])
    if -1 in dims or len(dims) != 2 or math.prod(dims) > 1 << 24:
        raise Unsupported("EyeLike of an open or huge shape is not supported")
    kind = narrowed(c.attr("dtype")) if c.attr("dtype") else c[0].type
    return b.const(np.eye(*dims, k=c.attr("k", 0)).astype(schema.numpy_dtype(kind)))


@op("Range")
def range_(c: Call) -> Tensor:
    b = c.b
    return b.op("RANGE", *[b.reshape(t, []) for t in c.inputs if t is not None])  # type: ignore[no-any-return]


@op("Trilu")
def trilu(c: Call) -> Tensor:
    b, x = c.b, c[0]
    rows, columns = b.shape(x)[-2:]
    if rows < 0 or columns < 0 or rows * columns > 1 << 24:
        raise Unsupported("Trilu of an open or huge shape is not supported", "fix the shapes of the inputs")
    k = c.numbers(1, "k")[0] if c.get(1) is not None else 0
    full = np.ones((rows, columns), bool)
    mask = np.triu(full, k) if c.attr("upper", 1) else np.tril(full, k)
    return b.op("SELECT_V2", b.const(mask), x, b.like(x, 0))  # type: ignore[no-any-return]


@op("ReverseSequence")
def reverse_sequence(c: Call) -> Tensor:
    return c.b.op(  # type: ignore[no-any-return]
        "REVERSE_SEQUENCE", c[0], c[1], seq_dim=c.attr("time_axis", 0), batch_dim=c.attr("batch_axis", 1)
    )


# ---- Blocks of pixels ----

TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


@op("DepthToSpace")
def depth_to_space(c: Call) -> Tensor:
    b, n = c.b, c.attributes["blocksize"]
    x = b.transpose(c[0], TO_NHWC)
    if c.text("mode", "DCR") == "CRD":  # channels counted the other way round
        channels = b.shape(x)[3]
        order = np.arange(channels, dtype=np.int32).reshape(-1, n * n).T.reshape(-1)
        x = b.op("GATHER", x, b.const(order), axis=3)
    return b.transpose(b.op("DEPTH_TO_SPACE", x, block_size=n), TO_NCHW)


@op("SpaceToDepth")
def space_to_depth(c: Call) -> Tensor:
    b, n = c.b, c.attributes["blocksize"]
    x = b.op("SPACE_TO_DEPTH", b.transpose(c[0], TO_NHWC), block_size=n)
    if c.text("mode", "DCR") == "CRD":
        order = np.arange(b.shape(x)[3], dtype=np.int32).reshape(n * n, -1).T.reshape(-1)
        x = b.op("GATHER", x, b.const(order), axis=3)
    return b.transpose(x, TO_NCHW)
