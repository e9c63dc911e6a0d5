"""ONNX operators over pictures: convolution, pooling, normalization, resizing.

ONNX has channels in axis 1, we have them last. `Planes` brings a tensor of rank 3 or 4 into NHWC, and a result back.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ir import Tensor
from .build import Builder, T, Unsupported
from .onnx_build import Call, op
from .onnx_ops_math import need_float
from .words import F, compute_reduced, f, normalized, same_pads


class Planes:
    """A tensor [N, C, H, W], or [N, C, W] with a height of one, as NHWC."""

    def __init__(self, b: Builder, x: Tensor, what: str) -> None:
        self.b = b
        self.rank = b.rank(x)
        if self.rank not in (3, 4):
            raise Unsupported(f"{what} over {max(self.rank - 2, 0)} dimensions is not supported, only over 1 and 2")
        self.dims = self.rank - 2
        moved = b.transpose(x, (0, *range(2, self.rank), 1))
        self.x: Tensor = b.expand(moved, [1]) if self.rank == 3 else moved

    def back(self, y: Tensor) -> Tensor:
        if self.rank == 3:
            y = self.b.squeeze(y, [1])
        return self.b.transpose(y, (0, self.rank - 1, *range(1, self.rank - 1)))

    def pair(self, values: Sequence[int] | None, fill: int) -> tuple[int, int]:
        """An attribute over the dimensions of the picture."""
        if values is None:
            return fill, fill
        if len(values) != self.dims:
            raise Unsupported(f"an attribute has {len(values)} values for {self.dims} dimensions")
        return (fill, int(values[0])) if self.dims == 1 else (int(values[0]), int(values[1]))

    def sides(self, values: Sequence[int] | None) -> list[tuple[int, int]]:
        """ONNX pads (begins, then ends) as (before, after) of height and width."""
        if values is None:
            return [(0, 0), (0, 0)]
        if len(values) != 2 * self.dims:
            raise Unsupported(f"{len(values)} pads for {self.dims} dimensions")
        made = [(int(values[i]), int(values[i + self.dims])) for i in range(self.dims)]
        return [(0, 0)] * (2 - self.dims) + made


def _window(
    c: Call, planes: Planes, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[tuple[int, int]] | None:
    """Padding of height and width; None: SAME."""
    if min(*strides, *dilations, *kernel) < 1:
        raise Unsupported("kernel, strides and dilations must be positive")
    auto = c.text("auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        return None
    if auto == "SAME_LOWER":
        size = planes.b.shape(planes.x)[1:3]
        if -1 in size:
            raise Unsupported("SAME_LOWER over a picture of open size is not supported", "fix the shapes of the inputs")
        return [same_pads(*a, True) for a in zip(size, kernel, strides, dilations, strict=True)]
    if auto == "VALID":
        return [(0, 0), (0, 0)]
    return planes.sides(c.attr("pads"))


def _padded(b: Builder, x: Tensor, sides: list[tuple[int, int]], value: float = 0) -> Tensor:
    if any(v < 0 for pair in sides for v in pair):
        raise Unsupported("negative padding is not supported here")
    return b.pad(x, [(0, 0), *sides, (0, 0)], value)


# ---- Convolution ----


@op("Conv")
def conv(c: Call) -> Tensor:
    b, x, w, bias = c.b, need_float(c), c[1], c.get(2)
    planes = Planes(b, x, "a convolution")
    if b.rank(w) != planes.rank or -1 in b.shape(w):
        raise Unsupported("the weights have another rank than the input, or an open shape")
    if planes.rank == 3:
        w = b.expand(w, [2])
    count, depth, *kernel = b.shape(w)
    strides, dilations = planes.pair(c.attr("strides"), 1), planes.pair(c.attr("dilations"), 1)
    group = c.attr("group", 1)
    channels = b.shape(planes.x)[3]
    if group < 1 or (channels >= 0 and channels != depth * group):
        raise Unsupported(f"{group} groups of {depth} channels do not fit an input of {channels}")
    sides = _window(c, planes, kernel, strides, dilations)
    given = planes.x if sides is None else _padded(b, planes.x, sides)
    common: dict[str, Any] = {
        "padding": "SAME" if sides is None else "VALID", "stride_h": strides[0], "stride_w": strides[1],
        "dilation_h_factor": dilations[0], "dilation_w_factor": dilations[1],
    }  # fmt: skip
    if bias is None:
        bias = b.const(np.zeros(count, np.float32))
    if depth == 1 and group > 1 and count % group == 0:
        filters = b.transpose(w, (1, 2, 3, 0))
        made = b.op("DEPTHWISE_CONV_2D", given, filters, bias, depth_multiplier=count // group, **common)
    else:
        made = b.op("CONV_2D", given, b.transpose(w, (0, 2, 3, 1)), bias, **common)
    return planes.back(made)


@op("ConvTranspose")
def conv_transpose(c: Call) -> Tensor:
    b, x, w, bias = c.b, need_float(c), c[1], c.get(2)
    planes = Planes(b, x, "a transposed convolution")
    if b.rank(w) != planes.rank or -1 in b.shape(w):
        raise Unsupported("the weights have another rank than the input, or an open shape")
    if planes.rank == 3:
        w = b.expand(w, [2])
    strides, dilations = planes.pair(c.attr("strides"), 1), planes.pair(c.attr("dilations"), 1)
    group, size = c.attr("group", 1), b.shape(planes.x)[1:3]
    if -1 in size or min(*strides, *dilations, group) < 1:
        raise Unsupported("a transposed convolution needs a picture of known size", "fix the shapes of the inputs")
    if dilations != (1, 1):
        if not w.constant:
            raise Unsupported("dilated weights must be constant")
        old = w.array
        spread = np.zeros(
            (*old.shape[:2], *((k - 1) * d + 1 for k, d in zip(old.shape[2:], dilations, strict=True))), np.float32
        )
        spread[:, :, :: dilations[0], :: dilations[1]] = old
        w = b.const(spread, w.name)
    depth, each, *kernel = b.shape(w)
    full = [(n - 1) * s + k for n, s, k in zip(size, strides, kernel, strict=True)]
    extra = planes.pair(c.attr("output_padding"), 0)
    wanted, sides = _transposed_size(c, planes, full, extra, strides, size)
    batch = b.shape(planes.x)[0]
    parts = []
    for k in range(group):
        given, filters = planes.x, w
        if group > 1:
            per = depth // group
            given = b.slice(given, [0, 0, 0, k * per], [-1, -1, -1, per])
            filters = b.slice(w, [k * per, 0, 0, 0], [per, -1, -1, -1])
        fits = all(
            same_pads(m, q, s, 1, False) == p and -(-m // s) == n
            for m, q, s, p, n in zip(wanted, kernel, strides, sides, size, strict=True)
        )
        target = wanted if fits else [max(n, p + m) for n, (p, _), m in zip(full, sides, wanted, strict=True)]
        if batch >= 0:
            out_shape = b.ints([batch, *target, each])
        else:
            out_shape = b.op("CONCATENATION", b.slice(b.shape_of(given), [0], [1]), b.ints([*target, each]), axis=0)
        part = b.op(
            "TRANSPOSE_CONV", out_shape, b.transpose(filters, (1, 2, 3, 0)), given,
            padding="SAME" if fits else "VALID", stride_h=strides[0], stride_w=strides[1],
        )  # fmt: skip
        if not fits:
            part = b.slice(part, [0, sides[0][0], sides[1][0], 0], [-1, *wanted, -1])
        parts.append(part)
    made = parts[0] if group == 1 else b.op("CONCATENATION", *parts, axis=3)
    return planes.back(made if bias is None else f(b, "ADD", made, bias))


def _transposed_size(
    c: Call, planes: Planes, full: list[int], extra: Sequence[int], strides: Sequence[int], size: Sequence[int]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Height and width of the result, and what is cut off the full one on each side."""
    auto = c.text("auto_pad", "NOTSET")
    given = c.attr("output_shape")
    if given is not None or auto.startswith("SAME"):
        wanted = list(planes.pair(given[-planes.dims :] if given is not None else None, 1))
        if given is None:
            wanted = [n * s for n, s in zip(size, strides, strict=True)]
        sides = []
        for whole, more, m in zip(full, extra, wanted, strict=True):
            total = max(whole + more - m, 0)
            sides.append((total // 2, total - total // 2) if auto != "SAME_LOWER" else (total - total // 2, total // 2))
        return wanted, sides
    sides = [(0, 0), (0, 0)] if auto == "VALID" else planes.sides(c.attr("pads"))
    wanted = [n + e - p - q for n, e, (p, q) in zip(full, extra, sides, strict=True)]
    if min(wanted) < 1 or min(v for s in sides for v in s) < 0:
        raise Unsupported("the padding leaves nothing of the result")
    return wanted, sides


# ---- Pooling ----


def _ceiled(c: Call, size: int, kernel: int, stride: int, dilation: int, side: tuple[int, int]) -> int:
    """How much must be added at the end so that the last, partial window is a whole one."""
    reach = (kernel - 1) * dilation + 1
    padded = size + sum(side)
    count = (-(-(padded - reach) // stride) if c.attr("ceil_mode", 0) else (padded - reach) // stride) + 1
    if c.attr("ceil_mode", 0) and (count - 1) * stride >= size + side[0]:
        count -= 1  # it would begin behind the picture
    return max((count - 1) * stride + reach - padded, 0)


@op("MaxPool")
def max_pool(c: Call) -> Tensor:
    b, x = c.b, c[0]
    if c.wants(1):
        raise Unsupported("the indices of MaxPool are not supported")
    kind = x.type
    if kind not in (F, T.INT8, T.UINT8):
        raise Unsupported(f"MaxPool of {kind.name} is not supported")
    if x.quantization is None and kind != F:
        x = b.cast(x, F)
    planes = Planes(b, x, "pooling")
    kernel, strides = planes.pair(c.attr("kernel_shape"), 1), planes.pair(c.attr("strides"), 1)
    dilations = planes.pair(c.attr("dilations"), 1)
    sides = _window(c, planes, kernel, strides, dilations)
    given = planes.x
    size = b.shape(given)[1:3]
    if sides is None and dilations != (1, 1):
        sides = [same_pads(*a, False) for a in zip(size, kernel, strides, dilations, strict=True)]
    if sides is not None:
        if c.attr("ceil_mode", 0) and -1 in size:
            raise Unsupported("ceil_mode over a picture of open size is not supported", "fix the shapes of the inputs")
        if -1 not in size:
            more = [_ceiled(c, *a) for a in zip(size, kernel, strides, dilations, sides, strict=True)]
            sides = [(p, q + e) for (p, q), e in zip(sides, more, strict=True)]
            if (
                dilations == (1, 1)
                and any(map(sum, sides))
                and all(
                    same_pads(*a, False) == s
                    for a, s in zip(zip(size, kernel, strides, (1, 1), strict=True), sides, strict=True)
                )
            ):
                sides = None  # SAME ignores what it adds, as this does
    if sides is not None:
        lowest = float(np.finfo(np.float32).min) if given.type == F else -128 if given.type == T.INT8 else 0
        given = _padded(b, given, sides, lowest)
    if dilations != (1, 1):
        made = _dilated_max(b, given, kernel, strides, dilations)
    else:
        made = b.op(
            "MAX_POOL_2D", given, padding="VALID" if sides is not None else "SAME", stride_h=strides[0],
            stride_w=strides[1], filter_height=kernel[0], filter_width=kernel[1],
        )  # fmt: skip
    return b.cast(planes.back(made), kind)


def _dilated_max(
    b: Builder, x: Tensor, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Tensor:
    size = b.shape(x)[1:3]
    if -1 in size or math.prod(kernel) > 64:
        raise Unsupported("a dilated MaxPool needs a picture of known size and a small kernel")
    counts = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(size, kernel, strides, dilations, strict=True)]
    made = None
    for at in itertools.product(*map(range, kernel)):
        begin = [0, at[0] * dilations[0], at[1] * dilations[1], 0]
        end = [0, *(p + (n - 1) * s + 1 for p, n, s in zip(begin[1:3], counts, strides, strict=True)), 0]
        part = b.op("STRIDED_SLICE", x, b.ints(begin), b.ints(end), b.ints([1, *strides, 1]), begin_mask=9, end_mask=9)
        made = part if made is None else f(b, "MAXIMUM", made, part)
    assert made is not None
    return made  # type: ignore[no-any-return]


@op("AveragePool")
def average_pool(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    planes = Planes(b, x, "pooling")
    kernel, strides = planes.pair(c.attr("kernel_shape"), 1), planes.pair(c.attr("strides"), 1)
    dilations = planes.pair(c.attr("dilations"), 1)
    sides = _window(c, planes, kernel, strides, dilations)
    size = b.shape(planes.x)[1:3]
    inside = bool(c.attr("count_include_pad", 0))
    common: dict[str, Any] = {
        "stride_h": strides[0],
        "stride_w": strides[1],
        "filter_height": kernel[0],
        "filter_width": kernel[1],
    }
    if sides == [(0, 0), (0, 0)] and not c.attr("ceil_mode", 0) and dilations == (1, 1):
        return planes.back(b.op("AVERAGE_POOL_2D", planes.x, padding="VALID", **common))
    if -1 in size:
        if dilations == (1, 1) and sides is None and not inside:
            return planes.back(b.op("AVERAGE_POOL_2D", planes.x, padding="SAME", **common))
        if dilations == (1, 1) and inside and sides is not None and not c.attr("ceil_mode", 0):
            return planes.back(b.op("AVERAGE_POOL_2D", _padded(b, planes.x, sides), padding="VALID", **common))
        raise Unsupported("this padding over a picture of open size is not supported", "fix the shapes of the inputs")
    same = [same_pads(*a, False) for a in zip(size, kernel, strides, dilations, strict=True)]
    if sides is None:
        sides = same
    more = [_ceiled(c, *a) for a in zip(size, kernel, strides, dilations, sides, strict=True)]
    if not inside and dilations == (1, 1) and [(p, q + e) for (p, q), e in zip(sides, more, strict=True)] == same:
        return planes.back(b.op("AVERAGE_POOL_2D", planes.x, padding="SAME", **common))
    whole = [(p, q + e) for (p, q), e in zip(sides, more, strict=True)]
    given = _padded(b, planes.x, whole)
    counts = []  # how many elements each window counts, along each axis
    for n, k, s, d, (p, q), e in zip(size, kernel, strides, dilations, sides, more, strict=True):
        here = np.zeros(p + n + q + e, np.float64)
        here[slice(0, p + n + q) if inside else slice(p, p + n)] = 1
        out = (len(here) - (k - 1) * d - 1) // s + 1
        counts.append(np.array([here[i * s : i * s + (k - 1) * d + 1 : d].sum() for i in range(out)]))
    factor = math.prod(kernel) / np.maximum(np.outer(*counts), 1)
    if dilations == (1, 1):
        made = b.op("AVERAGE_POOL_2D", given, padding="VALID", **common)
    else:
        channels = b.shape(planes.x)[3]
        if channels < 0:
            raise Unsupported("a dilated AveragePool needs a known number of channels")
        weights = np.full((1, *kernel, channels), 1 / math.prod(kernel), np.float32)
        made = b.op(
            "DEPTHWISE_CONV_2D", given, b.const(weights), b.const(np.zeros(channels, np.float32)), padding="VALID",
            stride_h=strides[0], stride_w=strides[1], depth_multiplier=1, dilation_h_factor=dilations[0],
            dilation_w_factor=dilations[1],
        )  # fmt: skip
    if not np.all(factor == 1):
        made = f(b, "MUL", made, b.const(factor.astype(np.float32)[None, :, :, None]))
    return planes.back(made)


def _everywhere(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        x = need_float(c)
        rank = c.b.rank(x)
        return compute_reduced(c.b, ours, x, range(2, rank), True) if rank > 2 else x

    return function


op("GlobalAveragePool")(_everywhere("MEAN"))
op("GlobalMaxPool")(_everywhere("REDUCE_MAX"))


@op("GlobalLpPool")
def global_lp_pool(c: Call) -> Tensor:
    b, x, p = c.b, need_float(c), c.attr("p", 2)
    axes = range(2, b.rank(x))
    if p == 1:
        return compute_reduced(b, "SUM", f(b, "ABS", x), axes, True)
    if p != 2:
        raise Unsupported(f"the norm of order {p} is not supported")
    return f(b, "SQRT", compute_reduced(b, "SUM", f(b, "MUL", x, x), axes, True))


# ---- Normalization ----


def _channels(b: Builder, t: Tensor, rank: int) -> Tensor:
    """A value per channel, shaped to meet [N, C, …]."""
    return b.reshape(t, [-1, *[1] * (rank - 2)]) if rank > 1 else t


@op("BatchNormalization")
def batch_normalization(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    if c.attr("training_mode", 0):
        raise Unsupported("BatchNormalization in training mode is not supported", "export the model for inference")
    rank, epsilon = b.rank(x), c.attr("epsilon", 1e-5)
    parts = [c[i] for i in range(1, 5)]
    if all(t.constant for t in parts):
        scale, bias, mean, var = (t.array.astype(np.float64).reshape(-1) for t in parts)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            factor = scale / np.sqrt(var + epsilon)
            offset = bias - mean * factor
        constants = [_channels(b, b.const(v.astype(np.float32)), rank) for v in (factor, offset)]
        return f(b, "ADD", f(b, "MUL", x, constants[0]), constants[1])
    scale_t, bias_t, mean_t, var_t = (_channels(b, t, rank) for t in parts)
    root = f(b, "SQRT", f(b, "ADD", var_t, epsilon))
    return f(b, "ADD", f(b, "MUL", f(b, "DIV", f(b, "SUB", x, mean_t), root), scale_t), bias_t)


@op("InstanceNormalization")
def instance_normalization(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    rank = b.rank(x)
    made, _, _ = normalized(b, x, range(2, rank), c.attr("epsilon", 1e-5))
    return f(b, "ADD", f(b, "MUL", made, _channels(b, c[1], rank)), _channels(b, c[2], rank))


@op("LayerNormalization")
def layer_normalization(c: Call) -> tuple[Tensor, ...]:
    b, x = c.b, need_float(c)
    rank = b.rank(x)
    axes = range(c.axis(c.attr("axis", -1), rank), rank)
    made, mean, inverse = normalized(b, x, axes, c.attr("epsilon", 1e-5))
    made = f(b, "MUL", made, c[1])
    return (made if c.get(2) is None else f(b, "ADD", made, c[2])), mean, inverse


@op("RMSNormalization", "SimplifiedLayerNormalization")
def rms_normalization(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    rank = b.rank(x)
    axes = range(c.axis(c.attr("axis", -1), rank), rank)
    mean = compute_reduced(b, "MEAN", f(b, "MUL", x, x), axes, True)
    return f(b, "MUL", f(b, "MUL", x, b.op("RSQRT", f(b, "ADD", mean, c.attr("epsilon", 1e-5)))), c[1])


@op("GroupNormalization")
def group_normalization(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    dims, groups = b.shape(x), c.attributes["num_groups"]
    if -1 in dims[1:] or groups < 1 or dims[1] % groups:
        raise Unsupported("GroupNormalization needs known dimensions that divide into the groups")
    flat = b.reshape(x, [dims[0], groups, math.prod(dims[1:]) // groups])
    made, _, _ = normalized(b, flat, [2], c.attr("epsilon", 1e-5))
    scale, bias = c[1], c[2]
    if b.shape(scale)[0] == groups != dims[1]:  # opset 18: by group
        column = [groups, 1]
        made = f(b, "ADD", f(b, "MUL", made, b.reshape(scale, column)), b.reshape(bias, column))
        return b.reshape(made, dims)
    rank = len(dims)
    return f(b, "ADD", f(b, "MUL", b.reshape(made, dims), _channels(b, scale, rank)), _channels(b, bias, rank))


@op("MeanVarianceNormalization")
def mean_variance_normalization(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    return normalized(b, x, [c.axis(a, b.rank(x)) for a in c.attr("axes", [0, 2, 3])], 1e-9)[0]


@op("LpNormalization")
def lp_normalization(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    axes = [c.axis(c.attr("axis", -1), b.rank(x))]
    if c.attr("p", 2) == 1:
        size = compute_reduced(b, "SUM", f(b, "ABS", x), axes, True)
    else:
        size = f(b, "SQRT", compute_reduced(b, "SUM", f(b, "MUL", x, x), axes, True))
    nothing = b.op("EQUAL", size, b.like(size, 0))  # zeros stay zeros
    return f(b, "DIV", x, b.op("SELECT_V2", nothing, b.like(size, 1), size))


@op("LRN")
def lrn(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    size = c.attributes["size"]
    if size % 2 == 0 or size < 1:
        raise Unsupported("LRN over an even number of channels is not supported")
    planes = Planes(b, x, "LRN")
    made = b.op(
        "LOCAL_RESPONSE_NORMALIZATION", planes.x, radius=size // 2, bias=c.attr("bias", 1.0),
        alpha=c.attr("alpha", 1e-4) / size, beta=c.attr("beta", 0.75),
    )  # fmt: skip
    return planes.back(made)


# ---- Resizing ----


@op("Resize", "Upsample")
def resize(c: Call) -> Tensor:
    b, x = c.b, need_float(c)
    dims = list(b.shape(x))
    rank = len(dims)
    axes = [c.axis(a, rank) for a in c.attr("axes", range(rank))]
    at = 1 if c.opset < 11 or c.op_type == "Upsample" else 2
    scales: list[float | None] = [1.0] * rank
    sizes: list[int | None] = [None] * rank
    if c.attr("scales") is not None:
        scales = [float(s) for s in c.attr("scales")]
    elif c.get(at) is not None and b.shape(c[at]) != (0,):
        for a, s in zip(axes, c.array(at, "scales").reshape(-1), strict=True):
            scales[a] = float(s)
    else:
        wanted = b.partial(c[3])
        if wanted is None:
            raise Unsupported("sizes must be known", "fix the shapes of the inputs")
        policy = c.text("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch" and all(isinstance(s, int) and dims[a] > 0 for a, s in zip(axes, wanted, strict=True)):
            ratios = [s / dims[a] for a, s in zip(axes, wanted, strict=True) if isinstance(s, int)]
            ratio = min(ratios) if policy == "not_larger" else max(ratios)
            wanted = [math.floor(dims[a] * ratio + 0.5) for a in axes]
        for a, s in zip(axes, wanted, strict=True):
            if isinstance(s, int):
                sizes[a], scales[a] = s, s / dims[a] if dims[a] > 0 else None
            elif s != (id(x), a):
                raise Unsupported("sizes must be known", "fix the shapes of the inputs")
    for a in range(rank):
        if sizes[a] is None and scales[a] != 1:
            if dims[a] < 0 or scales[a] is None:
                return _resize_open(c, x, scales)
            sizes[a] = math.floor(dims[a] * (scales[a] or 0))
    changed = [a for a in range(rank) if sizes[a] is not None and (sizes[a] != dims[a] or scales[a] != 1)]
    if any((sizes[a] or 0) < 1 or (sizes[a] or 0) > 1 << 24 or dims[a] < 1 for a in changed):
        raise Unsupported("resizing to or from nothing is not supported")
    if c.attr("antialias", 0) and any((scales[a] or 1) < 1 for a in changed):
        raise Unsupported("an antialiased Resize is not supported")
    maps = {a: _mapped(c, dims[a], int(sizes[a] or 0), float(scales[a] or 1)) for a in changed}
    if changed and rank in (3, 4) and min(changed) >= 2:
        made = _resize_operator(b, x, dims, sizes, maps, c.text("mode", "nearest"))
        if made is not None:
            return made
    for a in changed:
        indices, weights = maps[a]
        if indices is not None:
            x = b.op("GATHER", x, b.const(indices), axis=a)
        else:
            perm = [i for i in range(rank) if i != a] + [a]
            mixed = b.op("FULLY_CONNECTED", b.transpose(x, perm), b.const(weights), None, keep_num_dims=True)
            x = b.transpose(mixed, [int(i) for i in np.argsort(perm)])
    return x


def _mapped(c: Call, n: int, m: int, scale: float) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Along one axis: which element each result takes (nearest), or the matrix that mixes them (linear, cubic)."""
    mode = c.text("mode", "nearest")
    how = c.text("coordinate_transformation_mode", "half_pixel")
    if c.opset < 11 or c.op_type == "Upsample":
        how = "asymmetric"
    i = np.arange(m, dtype=np.float64)
    if how == "asymmetric":
        x = i / scale
    elif how == "align_corners":
        x = i * (n - 1) / (m - 1) if m > 1 else i * 0
    elif how in ("half_pixel", "half_pixel_symmetric") or (how == "pytorch_half_pixel" and m > 1):
        x = (i + 0.5) / scale - 0.5
        if how == "half_pixel_symmetric":
            x += n / 2 * (1 - m / (n * scale))
    elif how == "pytorch_half_pixel":
        x = i * 0
    else:
        raise Unsupported(f"coordinate_transformation_mode {how!r} is not supported")
    if mode == "nearest":
        rounding = c.text(
            "nearest_mode", "round_prefer_floor" if c.opset >= 11 and c.op_type != "Upsample" else "floor"
        )
        roundings: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "floor": np.floor,
            "ceil": np.ceil,
            "round_prefer_ceil": lambda v: np.floor(v + 0.5),
            "round_prefer_floor": lambda v: np.ceil(v - 0.5),
        }
        return np.clip(roundings[rounding](x), 0, n - 1).astype(np.int32), None
    if n * m > 1 << 24:
        raise Unsupported(f"resizing {n} pixels to {m} is too large")
    matrix = np.zeros((m, n))
    rows = np.arange(m)
    if mode == "linear":
        x = np.clip(x, 0, n - 1)
        low = np.floor(x).astype(int)
        np.add.at(matrix, (rows, low), 1 - (x - low))
        np.add.at(matrix, (rows, np.minimum(low + 1, n - 1)), x - low)
        return None, matrix.astype(np.float32)
    if mode != "cubic":
        raise Unsupported(f"mode {mode!r} is not supported")
    a = c.attr("cubic_coeff_a", -0.75)
    low = np.floor(x).astype(int)
    for k in (-1, 0, 1, 2):
        t = np.abs(x - (low + k))
        weight = np.where(t <= 1, ((a + 2) * t - (a + 3)) * t * t + 1, ((a * t - 5 * a) * t + 8 * a) * t - 4 * a)
        outside = (low + k < 0) | (low + k >= n)
        if c.attr("exclude_outside", 0):
            weight = np.where(outside, 0, weight)
        np.add.at(matrix, (rows, np.clip(low + k, 0, n - 1)), weight)
    return None, (matrix / matrix.sum(axis=1, keepdims=True)).astype(np.float32)


def _resize_operator(
    b: Builder,
    x: Tensor,
    dims: list[int],
    sizes: list[int | None],
    maps: dict[int, tuple[np.ndarray | None, np.ndarray | None]],
    mode: str,
) -> Tensor | None:
    """The resizing operator whose choice of coordinates gives the same map, if there is one."""
    if mode == "cubic":
        return None
    for align, half in ((False, True), (False, False), (True, False)):
        for a, (indices, weights) in maps.items():
            n, m = dims[a], int(sizes[a] or 0)
            i = np.arange(m)
            ratio = (n - 1) / (m - 1) if align and m > 1 else n / m
            if mode == "nearest":
                at = (i + (0.5 if half else 0)) * ratio
                ours = np.minimum(np.floor(at + 0.5) if align else np.floor(at + 1e-9), n - 1)
                fits = (
                    indices is not None
                    and np.array_equal(ours, indices)
                    and (not align or not np.any(np.abs(at % 1 - 0.5) < 1e-6))
                )
            else:
                at = np.clip((i + 0.5) * ratio - 0.5 if half else i * ratio, 0, n - 1)
                low = np.floor(at).astype(int)
                matrix = np.zeros((m, n))
                np.add.at(matrix, (i, low), 1 - (at - low))
                np.add.at(matrix, (i, np.minimum(low + 1, n - 1)), at - low)
                fits = weights is not None and bool(np.abs(matrix - weights).max() < 1e-5)
            if not fits:
                break
        else:
            planes = Planes(b, x, "resizing")
            known = b.shape(planes.x)
            target = [int(sizes[a] or dims[a]) if a >= 2 else 1 for a in range(len(dims) - 2, len(dims))]
            if -1 in target or -1 in known[1:3]:
                return None
            name = "RESIZE_NEAREST_NEIGHBOR" if mode == "nearest" else "RESIZE_BILINEAR"
            made = b.op(name, planes.x, b.ints(target), align_corners=align, half_pixel_centers=half)
            return planes.back(made)
    return None


def _resize_open(c: Call, x: Tensor, scales: Sequence[float | None]) -> Tensor:
    """A picture of open size, enlarged by whole numbers."""
    b = c.b
    mode, how = c.text("mode", "nearest"), c.text("coordinate_transformation_mode", "half_pixel")
    if c.opset < 11 or c.op_type == "Upsample":
        how = "asymmetric"
    whole = [int(s) if s is not None and s == int(s) else 0 for s in scales]
    nearest = mode == "nearest" and (
        (how == "asymmetric" and c.text("nearest_mode", "floor" if c.opset < 11 else "") == "floor")
        or (
            how in ("half_pixel", "pytorch_half_pixel")
            and c.text("nearest_mode", "round_prefer_floor") == "round_prefer_floor"
        )
    )
    linear = mode == "linear" and how in ("half_pixel", "pytorch_half_pixel", "asymmetric")
    if len(scales) != 4 or whole[:2] != [1, 1] or min(whole) < 1 or not (nearest or linear):
        raise Unsupported("this Resize of a picture of open size is not supported", "fix the shapes of the inputs")
    planes = Planes(b, x, "resizing")
    target = f(b, "MUL", b.slice(b.shape_of(planes.x), [1], [2]), b.ints(whole[2:]))
    half = linear and how != "asymmetric"
    made = b.op("RESIZE_NEAREST_NEIGHBOR" if nearest else "RESIZE_BILINEAR", planes.x, target, half_pixel_centers=half)
    return planes.back(made)
