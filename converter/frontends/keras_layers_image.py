"""Keras layers over pictures and signals: convolution, pooling, resizing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...interpreter.errors import ModelError
from ..ir import Tensor
from .build import Builder, Unsupported
from .keras_activations import activation
from .keras_build import FIX_SHAPES, Call, layer
from .keras_layers_shape import cropped
from .words import compute_reduced, f, same_pads


class Picture:
    """A tensor with one or two dimensions between batch and channels, as [batch, height, width, channels]."""

    def __init__(self, c: Call, x: Tensor, dims: int) -> None:
        self.c, self.b, self.dims = c, c.b, dims
        moved = c.last(x)
        self.x: Tensor = c.b.expand(moved, [1]) if dims == 1 else moved

    def back(self, y: Tensor) -> Tensor:
        return self.c.back(self.b.squeeze(y, [1]) if self.dims == 1 else y)

    def pair(self, name: str, default: Any = 1) -> tuple[int, int]:
        found = self.c.tuple_of(name, self.dims, default)
        return (1, found[0]) if self.dims == 1 else (found[0], found[1])

    def size(self) -> tuple[int, int]:
        _, height, width, _ = self.b.shape(self.x)
        return height, width


def padding_of(c: Call, allowed: Sequence[str] = ("valid", "same")) -> str:
    padding = c.text("padding", "valid").lower()
    if padding not in allowed:
        raise c.wrong("padding", " or ".join(allowed))
    return padding


# ---- Convolution ----


def _dims(c: Call) -> int:
    return int(next(s for s in c.kind if s.isdigit()))


def _bias(c: Call, n: int) -> np.ndarray:
    return c.weight([n], "bias") if c.flag("use_bias", True) else np.zeros(n, np.float32)


def _strided(
    c: Call, picture: Picture, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[Tensor, dict[str, Any]]:
    """The picture, padded where the operators cannot, and what the operators' options say."""
    padding = padding_of(c, ("valid", "same", "causal"))
    x = picture.x
    if padding == "causal":
        if picture.dims != 1:
            raise c.wrong("padding", "valid or same")
        x = picture.b.pad(x, [(0, 0), (0, 0), ((kernel[1] - 1) * dilations[1], 0), (0, 0)])
    return x, {
        "padding": "SAME" if padding == "same" else "VALID", "stride_h": strides[0], "stride_w": strides[1],
        "dilation_h_factor": dilations[0], "dilation_w_factor": dilations[1],
    }  # fmt: skip


def _wide(kernel: np.ndarray, dims: int) -> np.ndarray:
    """A kernel over one dimension as one over two."""
    return kernel[None] if dims == 1 else kernel


@layer("Conv1D", "Conv2D", "Convolution1D", "Convolution2D")
def conv(c: Call) -> Tensor:
    dims = _dims(c)
    picture = Picture(c, c.ranked(dims + 2), dims)
    channels = c.size(picture.x, 3, "the number of channels")
    filters, groups = c.integer("filters", low=1), c.integer("groups", 1, low=1)
    if channels % groups or filters % groups:
        raise ModelError(f"{c.title}: {groups} groups do not divide {channels} channels and {filters} filters")
    size = c.tuple_of("kernel_size", dims)
    kernel = _wide(c.weight([*size, channels // groups, filters], "kernel"), dims)
    bias = _bias(c, filters)
    x, options = _strided(c, picture, kernel.shape[:2], picture.pair("strides"), picture.pair("dilation_rate"))
    made = _convolved(c, x, kernel, bias, groups, options)
    return activation(c, picture.back(made))


def _convolved(
    c: Call, x: Tensor, kernel: np.ndarray, bias: np.ndarray, groups: int, options: dict[str, Any]
) -> Tensor:
    b = c.b
    depth, count = kernel.shape[2:]
    add = b.const(bias, f"{c.path}/bias")
    if depth == 1 and groups > 1:
        w = b.const(kernel.transpose(2, 0, 1, 3), f"{c.path}/kernel")
        return b.op("DEPTHWISE_CONV_2D", x, w, add, depth_multiplier=count // groups, **options)  # type: ignore[no-any-return]
    w = b.const(np.ascontiguousarray(kernel.transpose(3, 0, 1, 2)), f"{c.path}/kernel")
    return b.op("CONV_2D", x, w, add, **options)  # type: ignore[no-any-return]


def _depthwise(c: Call, x: Tensor, kernel: np.ndarray, bias: np.ndarray, options: dict[str, Any]) -> Tensor:
    b = c.b
    height, width, channels, multiplier = kernel.shape
    w = b.const(kernel.reshape(1, height, width, channels * multiplier), f"{c.path}/kernel")
    add = b.const(bias, f"{c.path}/bias")
    return b.op("DEPTHWISE_CONV_2D", x, w, add, depth_multiplier=multiplier, **options)  # type: ignore[no-any-return]


@layer("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise_conv(c: Call) -> Tensor:
    dims = _dims(c)
    picture = Picture(c, c.ranked(dims + 2), dims)
    channels, multiplier = c.size(picture.x, 3, "the number of channels"), c.integer("depth_multiplier", 1, low=1)
    kernel = _wide(c.weight([*c.tuple_of("kernel_size", dims), channels, multiplier], "kernel"), dims)
    bias = _bias(c, channels * multiplier)
    x, options = _strided(c, picture, kernel.shape[:2], picture.pair("strides"), picture.pair("dilation_rate"))
    return activation(c, picture.back(_depthwise(c, x, kernel, bias, options)))


@layer("SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D")
def separable_conv(c: Call) -> Tensor:
    dims = _dims(c)
    picture = Picture(c, c.ranked(dims + 2), dims)
    channels, multiplier = c.size(picture.x, 3, "the number of channels"), c.integer("depth_multiplier", 1, low=1)
    filters = c.integer("filters", low=1)
    kernel = _wide(c.weight([*c.tuple_of("kernel_size", dims), channels, multiplier], "depthwise_kernel"), dims)
    pointwise = _wide(c.weight([*[1] * dims, channels * multiplier, filters], "pointwise_kernel"), dims)
    bias = _bias(c, filters)
    x, options = _strided(c, picture, kernel.shape[:2], picture.pair("strides"), picture.pair("dilation_rate"))
    between = _depthwise(c, x, kernel, np.zeros(channels * multiplier, np.float32), options)
    plain = {"padding": "VALID", "stride_h": 1, "stride_w": 1}
    return activation(c, picture.back(_convolved(c, between, pointwise, bias, 1, plain)))


@layer("Conv1DTranspose", "Conv2DTranspose", "Convolution2DTranspose")
def conv_transpose(c: Call) -> Tensor:
    b, dims = c.b, _dims(c)
    picture = Picture(c, c.ranked(dims + 2), dims)
    channels, filters = c.size(picture.x, 3, "the number of channels"), c.integer("filters", low=1)
    kernel = _wide(c.weight([*c.tuple_of("kernel_size", dims), filters, channels], "kernel"), dims)
    bias = _bias(c, filters) if c.flag("use_bias", True) else None
    strides, dilations = picture.pair("strides"), picture.pair("dilation_rate")
    padding = padding_of(c)
    size = picture.size()
    if -1 in size:
        raise Unsupported("a transposed convolution needs a picture of known size", FIX_SHAPES)
    if dilations != (1, 1):
        spread = np.zeros(
            [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], dilations, strict=True)] + [filters, channels],
            np.float32,
        )
        spread[:: dilations[0], :: dilations[1]] = kernel
        kernel = spread
    extra = c.tuple_of("output_padding", dims, low=0) if c.has("output_padding") else [None] * dims
    extra = [None, *extra] if dims == 1 else extra
    full, wanted, cut = [], [], []
    for axis, (n, k, s, more) in enumerate(zip(size, kernel.shape[:2], strides, extra, strict=True)):
        whole = (n - 1) * s + k
        if dims == 1 and axis == 0:
            length, before = 1, 0
        else:
            if more is None:
                length = n * s if padding == "same" else whole + max(s - k, 0)
            else:
                length = whole - (2 * (k // 2) if padding == "same" else 0) + more
            before = same_pads(length, k, s, 1, False)[0] if padding == "same" else 0
        if length < 1:
            raise ModelError(f"{c.title}: the padding leaves nothing of the result")
        full.append(whole)
        wanted.append(length)
        cut.append(before)
    made = _transposed(c, picture.x, kernel, strides, full, wanted, cut)
    if bias is not None:
        made = f(b, "ADD", made, b.const(bias, f"{c.path}/bias"))
    return activation(c, picture.back(made))


def _transposed(
    c: Call, x: Tensor, kernel: np.ndarray, strides: Sequence[int], full: list[int], wanted: list[int], cut: list[int]
) -> Tensor:
    """The full result from `cut` on, in the size `wanted`."""
    b = c.b
    batch, height, width, _ = b.shape(x)
    filters = kernel.shape[2]
    same = all(
        same_pads(m, k, s, 1, False)[0] == p and -(-m // s) == n
        for m, k, s, p, n in zip(wanted, kernel.shape[:2], strides, cut, (height, width), strict=True)
    )
    target = wanted if same else [max(n, p + m) for n, p, m in zip(full, cut, wanted, strict=True)]
    if batch >= 0:
        shape = b.ints([batch, *target, filters])
    else:
        shape = b.op("CONCATENATION", b.slice(b.shape_of(x), [0], [1]), b.ints([*target, filters]), axis=0)
    w = b.const(np.ascontiguousarray(kernel.transpose(2, 0, 1, 3)), f"{c.path}/kernel")
    made = b.op(
        "TRANSPOSE_CONV", shape, w, x, padding="SAME" if same else "VALID", stride_h=strides[0], stride_w=strides[1]
    )
    return made if same else b.slice(made, [0, *cut, 0], [-1, *wanted, -1])


@layer("Conv3D")
def conv_3d(c: Call) -> Tensor:
    """A sum of two-dimensional convolutions, one for each slice of the kernel."""
    b = c.b
    x = c.last(c.ranked(5))
    channels = c.size(x, 4, "the number of channels")
    filters, groups = c.integer("filters", low=1), c.integer("groups", 1, low=1)
    size, strides, dilations = (c.tuple_of(n, 3, 1) for n in ("kernel_size", "strides", "dilation_rate"))
    kernel = c.weight([*size, channels // max(groups, 1), filters], "kernel")
    bias = _bias(c, filters)
    depth = c.size(x, 1, "the depth of the volume")
    if padding_of(c) == "same":
        x = b.pad(x, [(0, 0), same_pads(depth, size[0], strides[0], dilations[0], False), *[(0, 0)] * 3])
        depth = b.shape(x)[1]
    count = (depth - (size[0] - 1) * dilations[0] - 1) // strides[0] + 1
    batch, _, height, width, _ = b.shape(x)
    if count < 1 or [height, width].count(-1):
        raise Unsupported("a convolution over a volume of open size, or of less than the kernel", FIX_SHAPES)
    options = {
        "padding": "SAME" if padding_of(c) == "same" else "VALID", "stride_h": strides[1], "stride_w": strides[2],
        "dilation_h_factor": dilations[1], "dilation_w_factor": dilations[2],
    }  # fmt: skip
    made = None
    for k in range(size[0]):
        begin = k * dilations[0]
        part = b.op(
            "STRIDED_SLICE", x, b.ints([0, begin, 0, 0, 0]), b.ints([0, begin + (count - 1) * strides[0] + 1, 0, 0, 0]),
            b.ints([1, strides[0], 1, 1, 1]), begin_mask=0b11101, end_mask=0b11101,
        )  # fmt: skip
        flat = b.reshape(part, [batch * count if batch >= 0 else -1, height, width, channels])
        term = _convolved(c, flat, kernel[k], bias if k == 0 else np.zeros_like(bias), groups, options)
        made = term if made is None else f(b, "ADD", made, term)
    assert made is not None
    return activation(c, c.back(b.reshape(made, [batch, count, *b.shape(made)[1:]])))


# ---- Pooling ----


@layer("MaxPooling1D", "MaxPooling2D", "MaxPool1D", "MaxPool2D", "AveragePooling1D", "AveragePooling2D", "AvgPool2D")
def pooling(c: Call) -> Tensor:
    dims = _dims(c)
    picture = Picture(c, c.ranked(dims + 2), dims)
    size = picture.pair("pool_size", 2)
    strides = picture.pair("strides", list(size[2 - dims :])) if c.has("strides") else size
    return picture.back(_pooled(c, picture.x, size, strides, padding_of(c)))


def _pooled(c: Call, x: Tensor, size: Sequence[int], strides: Sequence[int], padding: str) -> Tensor:
    name = "MAX_POOL_2D" if c.kind.startswith("Max") else "AVERAGE_POOL_2D"
    return c.b.op(  # type: ignore[no-any-return]
        name, x, padding=padding.upper(), stride_h=strides[0], stride_w=strides[1], filter_height=size[0],
        filter_width=size[1],
    )  # fmt: skip


@layer("MaxPooling3D", "MaxPool3D", "AveragePooling3D", "AvgPool3D")
def pooling_3d(c: Call) -> Tensor:
    """Over height and width, then over the depth: both the largest and the mean of what counts factor so."""
    b = c.b
    x = c.last(c.ranked(5))
    size = c.tuple_of("pool_size", 3, 2)
    strides = c.tuple_of("strides", 3) if c.has("strides") else size
    batch, depth, height, width, channels = b.shape(x)
    if -1 in (depth, height, width):
        raise Unsupported("pooling over a volume of open size is not supported", FIX_SHAPES)
    padding = padding_of(c)
    flat = _pooled(
        c, b.reshape(x, [batch * depth if batch >= 0 else -1, height, width, channels]), size[1:], strides[1:], padding
    )
    _, height, width, _ = b.shape(flat)
    made = _pooled(c, b.reshape(flat, [batch, depth, height * width, channels]), (size[0], 1), (strides[0], 1), padding)
    return c.back(b.reshape(made, [batch, b.shape(made)[1], height, width, channels]))


def _everywhere(ours: str) -> Callable[[Call], Tensor]:
    def function(c: Call) -> Tensor:
        dims = _dims(c)
        b, x = c.b, c.ranked(dims + 2)
        axes = range(2, dims + 2) if c.channels_first else range(1, dims + 1)
        mask = c.front.masks.get(id(c.input)) if dims == 1 and ours == "MEAN" else None
        if mask is not None:
            return _masked_mean(c, x, mask, axes[0])
        return compute_reduced(b, ours, x, axes, c.flag("keepdims", False))

    return function


def _masked_mean(c: Call, x: Tensor, mask: Tensor, axis: int) -> Tensor:
    b = c.b
    weight = b.expand(b.cast(mask, "FLOAT32"), [3 - axis])
    keep = c.flag("keepdims", False)
    total = compute_reduced(b, "SUM", f(b, "MUL", x, weight), [axis], keep)
    return f(b, "DIV", total, compute_reduced(b, "SUM", weight, [axis], keep))


for _dimension in "123":
    for _name in ("GlobalAveragePooling", "GlobalAvgPool"):
        layer(f"{_name}{_dimension}D")(_everywhere("MEAN"))
    for _name in ("GlobalMaxPooling", "GlobalMaxPool"):
        layer(f"{_name}{_dimension}D")(_everywhere("REDUCE_MAX"))


@layer(*(f"Adaptive{kind}Pooling{dims}D" for kind in ("Average", "Max") for dims in "123"))
def adaptive_pooling(c: Call) -> Tensor:
    """Element i of m takes what lies from i n / m, rounded down, to (i + 1) n / m, rounded up."""
    b, dims = c.b, _dims(c)
    x = c.last(c.ranked(dims + 2))
    name = "REDUCE_MAX" if "Max" in c.kind else "MEAN"
    for axis, m in enumerate(c.tuple_of("output_size", dims), 1):
        n = c.size(x, axis, "a dimension of the picture")
        shape = b.shape(x)
        if n % m == 0 and shape.count(-1) <= 1:
            whole = b.reshape(x, [*shape[:axis], m, n // m, *shape[axis + 1 :]])
            x = compute_reduced(b, name, whole, [axis + 1], False)
            continue
        if m > 1 << 10:
            raise Unsupported(f"adaptive pooling of {n} elements to {m} is not supported")
        parts = []
        for i in range(m):
            low, high = i * n // m, -(-(i + 1) * n // m)
            begin, size = [0] * len(shape), [-1] * len(shape)
            begin[axis], size[axis] = low, high - low
            parts.append(compute_reduced(b, name, b.slice(x, begin, size), [axis], True))
        x = b.op("CONCATENATION", *parts, axis=axis) if m > 1 else parts[0]
    return c.back(x)


# ---- Resizing ----


def _resized(b: Builder, x: Tensor, size: Tensor, method: str) -> Tensor:
    name = "RESIZE_NEAREST_NEIGHBOR" if method == "nearest" else "RESIZE_BILINEAR"
    return b.op(name, x, size, half_pixel_centers=True)  # type: ignore[no-any-return]


@layer("UpSampling1D", "UpSampling2D")
def upsampling(c: Call) -> Tensor:
    b, dims = c.b, _dims(c)
    picture = Picture(c, c.ranked(dims + 2), dims)
    factors = picture.pair("size", 2)
    method = c.text("interpolation", "nearest")
    if method not in ("nearest", "bilinear"):
        raise Unsupported(f"the interpolation {method} is not supported", "use nearest or bilinear")
    height, width = picture.size()
    if max(height, 1) * factors[0] > 1 << 24 or max(width, 1) * factors[1] > 1 << 24:
        raise ModelError(f"{c.title}: the result would be larger than {1 << 24}")
    if -1 in (height, width):
        target = f(b, "MUL", b.slice(b.shape_of(picture.x), [1], [2]), b.ints(factors))
    else:
        target = b.ints([height * factors[0], width * factors[1]])
    return picture.back(_resized(b, picture.x, target, method))


@layer("UpSampling3D")
def upsampling_3d(c: Call) -> Tensor:
    b = c.b
    x = c.last(c.ranked(5))
    for axis, times in enumerate(c.tuple_of("size", 3, 2), 1):
        if times > 1:
            shape = b.shape(x)
            if shape.count(-1) > 1:
                raise Unsupported("a volume of open size is not supported", FIX_SHAPES)
            multiples = [1] * 6
            multiples[axis + 1] = times
            wide = b.op("TILE", b.reshape(x, [*shape[: axis + 1], 1, *shape[axis + 1 :]]), b.ints(multiples))
            x = b.reshape(wide, [*shape[:axis], shape[axis] * times if shape[axis] >= 0 else -1, *shape[axis + 1 :]])
    return c.back(x)


@layer("Resizing")
def resizing(c: Call) -> Tensor:
    b, x = c.b, c.x
    height, width = c.integer("height", low=1), c.integer("width", low=1)
    if max(height, width) > 1 << 20:
        raise ModelError(f"{c.title}: {height} x {width} is too large")
    method = c.text("interpolation", "bilinear")
    if method not in ("nearest", "bilinear") or c.flag("antialias", False):
        raise Unsupported(f"resizing by {method} or with antialias is not supported", "use nearest or bilinear")
    alone = b.rank(x) == 3
    x = c.last(b.expand(x, [0]) if alone else c.ranked(4))
    if c.flag("crop_to_aspect_ratio", False) or c.flag("pad_to_aspect_ratio", False):
        x = _to_ratio(c, x, height, width)
    made = c.back(_resized(b, x, b.ints([height, width]), method))
    return b.squeeze(made, [0]) if alone else made


def _to_ratio(c: Call, x: Tensor, height: int, width: int) -> Tensor:
    """Cuts or pads the picture to the proportions of the result."""
    h, w = c.size(x, 1, "the height"), c.size(x, 2, "the width")
    if c.flag("crop_to_aspect_ratio", False):
        ch, cw = min(h, int(w * height / width)), min(w, int(h * width / height))
        top, left = (h - ch) // 2, (w - cw) // 2
        return cropped(c, x, [(0, 0), (top, h - ch - top), (left, w - cw - left), (0, 0)])
    ph, pw = max(h, int(w * height / width)), max(w, int(h * width / height))
    top, left = (ph - h) // 2, (pw - w) // 2  # the same on both sides, even where one pixel is missing then
    pads = [(0, 0), (top, top), (left, left), (0, 0)]
    return c.b.pad(x, pads, c.number("fill_value", 0.0))


@layer("CenterCrop")
def center_crop(c: Call) -> Tensor:
    b, x = c.b, c.x
    height, width = c.integer("height", low=1), c.integer("width", low=1)
    alone = b.rank(x) == 3
    x = c.last(b.expand(x, [0]) if alone else c.ranked(4))
    h, w = c.size(x, 1, "the height"), c.size(x, 2, "the width")
    if h >= height and w >= width:
        top, left = (h - height) // 2, (w - width) // 2
        made = cropped(c, x, [(0, 0), (top, h - height - top), (left, w - width - left), (0, 0)])
    else:  # it is enlarged until it covers the result
        ch, cw = min(h, int(w * height / width)), min(w, int(h * width / height))
        top, left = (h - ch) // 2, (w - cw) // 2
        covered = cropped(c, x, [(0, 0), (top, h - ch - top), (left, w - cw - left), (0, 0)])
        made = _resized(b, covered, b.ints([height, width]), "bilinear")
    made = c.back(made)
    return b.squeeze(made, [0]) if alone else made
