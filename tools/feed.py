"""From files to input arrays: pictures, .npy, .npz, raw bytes, random numbers.

A picture is resized to the input's height and width and converted to its channels. Then
    uint8 input   the pixels 0..255
    int8 input    the pixels minus 128
    float input   (pixel - mean) / std, by default 127.5 and 127.5: the range -1..1 that MobileNet networks take
With a mean and std given by the user or by the model's metadata, integer inputs too get the normalized value, quantized
with the tensor's scale and zero point. (For the usual scales that is the same as the pixels.)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from samara.interpreter.model import TensorSpec

from .common import Failure, shape_text

Array = np.ndarray[Any, np.dtype[Any]]
PICTURES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))


def quantize(real: Array, spec: TensorSpec) -> Array:
    """Real numbers in the integer type of a quantized tensor."""
    limits = np.iinfo(spec.dtype)
    assert spec.scale is not None
    scaled = np.rint(real.astype(np.float64) / spec.scale) + spec.zero_point
    quantized: Array = np.clip(scaled, limits.min, limits.max).astype(spec.dtype)
    return quantized


def dequantize(values: Array, spec: TensorSpec) -> Array:
    """The real numbers an output stands for; unquantized values as they are."""
    if spec.scale is None or values.dtype.kind not in "iu":
        return values
    return ((values.astype(np.float64) - spec.zero_point) * spec.scale).astype(np.float32)


def picture(
    path: str,
    spec: TensorSpec,
    shape: Sequence[int],
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Array:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise Failure(f"reading '{path}' needs Pillow: pip install 'samara[image]'") from None
    dims = list(shape)
    layout = dims[1:] if len(dims) in (3, 4) and dims[0] == 1 and not (len(dims) == 3 and dims[2] in (3, 4)) else dims
    if len(layout) == 2:
        layout = [*layout, 1]
    if len(layout) != 3 or layout[2] not in (1, 3, 4) or min(layout) < 1:
        raise Failure(
            f"'{path}' is a picture, but input '{spec.name}' has shape {shape_text(shape)}, "
            "not 1 x height x width x 1, 3 or 4"
        )
    height, width, channels = layout
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image) or image
            upright = upright.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
            if upright.size != (width, height):
                upright = upright.resize((width, height), Image.Resampling.BILINEAR)
            pixels = np.asarray(upright, np.uint8).reshape(height, width, channels)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise Failure(f"'{path}' cannot be read as a picture: {error}") from None
    values: Array
    if spec.dtype.kind == "f":
        low, spread = _normalization(path, mean or (127.5,), std or (127.5,), channels)
        values = ((pixels.astype(np.float32) - low) / spread).astype(spec.dtype)
    elif (mean or std) and spec.scale is not None:
        low, spread = _normalization(path, mean or (0.0,), std or (1.0,), channels)
        values = quantize((pixels.astype(np.float32) - low) / spread, spec)
    elif spec.dtype == np.uint8:
        values = pixels
    elif spec.dtype == np.int8:
        values = (pixels.astype(np.int16) - 128).astype(np.int8)
    elif spec.dtype == np.int16 and spec.scale is not None:
        values = quantize((pixels.astype(np.float32) - 127.5) / 127.5, spec)
    else:
        values = pixels.astype(spec.dtype)
    return values.reshape(dims)


def _normalization(path: str, mean: Sequence[float], std: Sequence[float], channels: int) -> tuple[Array, Array]:
    for name, values in (("mean", mean), ("std", std)):
        if len(values) not in (1, channels):
            raise Failure(f"'{path}': {len(values)} {name} values for {channels} channels; give 1 or {channels}")
    if not all(std):
        raise Failure("std is 0; it divides the pixels")
    return np.array(mean, np.float32), np.array(std, np.float32)


def adapt(array: Array, spec: TensorSpec, origin: str) -> Array:
    """An array from a file in the input's type: as it is, widened between floats or integers, or quantized."""
    if array.dtype == spec.dtype or (spec.dtype.kind == "S" and array.dtype.kind in "SUO"):
        return array
    if array.dtype.kind in "iub" and spec.dtype.kind in "iub" and spec.dtype.kind != "b":
        limits = np.iinfo(spec.dtype)
        if array.size and (array.min() < limits.min or array.max() > limits.max):
            raise Failure(
                f"{origin}: values from {array.min()} to {array.max()} do not fit input '{spec.name}' ({spec.dtype})"
            )
        return array.astype(spec.dtype)
    if spec.dtype.kind == "f" and array.dtype.kind in "fiub":
        return array.astype(spec.dtype)
    if array.dtype.kind == "f" and spec.scale is not None:
        return quantize(array, spec)
    raise Failure(f"{origin}: holds {array.dtype}, input '{spec.name}' takes {spec.dtype}")


def from_file(
    path: str,
    spec: TensorSpec,
    shape: Sequence[int],
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Array:
    """The value of input `spec` from one file; `shape` is what the input takes now."""
    if not os.path.exists(path):
        raise Failure(f"'{path}' does not exist")
    if os.path.isdir(path):
        raise Failure(f"'{path}' is a directory, not a file")
    suffix = os.path.splitext(path)[1].lower()
    if suffix in PICTURES:
        return picture(path, spec, shape, mean, std)
    if suffix in (".npy", ".npz"):
        try:
            loaded = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise Failure(f"'{path}' cannot be read as {suffix}: {error}") from None
        if suffix == ".npy":
            return fit_shape(adapt(loaded, spec, f"'{path}'"), spec, shape, f"'{path}'")
        with loaded as archive:
            if spec.name in archive.files:
                array = archive[spec.name]
            elif len(archive.files) == 1:
                array = archive[archive.files[0]]
            else:
                raise Failure(f"'{path}' has no array '{spec.name}'; it has: {', '.join(archive.files)}")
        return fit_shape(adapt(array, spec, f"'{path}'"), spec, shape, f"'{path}'")
    if suffix in (".onnx", ".tflite", ".keras", ".h5", ".pt"):
        raise Failure(f"'{path}' is a model, not data for input '{spec.name}'")
    count = int(np.prod(shape, dtype=np.int64))
    size = os.path.getsize(path)
    if size != count * spec.dtype.itemsize:
        raise Failure(
            f"'{path}' has {size} bytes; input '{spec.name}' ({spec.dtype} {shape_text(shape)}) takes "
            f"{count * spec.dtype.itemsize}"
        )
    return np.fromfile(path, spec.dtype).reshape(tuple(shape))


def fit_shape(array: Array, spec: TensorSpec, shape: Sequence[int], origin: str) -> Array:
    """The array itself, or with the leading 1 that the input has and the file lacks."""
    if len(array.shape) + 1 == len(shape) and shape[0] == 1 and array.shape == tuple(shape[1:]):
        return array[None]
    wrong = len(array.shape) != len(shape) or any(
        d not in (-1, a) for d, a in zip(spec.shape, array.shape, strict=False)
    )
    if wrong and array.shape != tuple(shape):
        raise Failure(
            f"{origin}: has shape {shape_text(array.shape)}, input '{spec.name}' takes {shape_text(spec.shape)}"
        )
    return array


def random(spec: TensorSpec, shape: Sequence[int], rng: np.random.Generator) -> Array:
    """Data for runs whose values do not matter: -1..1 for floats, all values for 8-bit, 0 and 1 for larger integers
    (they are mostly indices)."""
    size = tuple(shape)
    kind = spec.dtype.kind
    if kind == "f":
        return rng.uniform(-1, 1, size).astype(spec.dtype)
    if kind == "c":
        return (rng.uniform(-1, 1, size) + 1j * rng.uniform(-1, 1, size)).astype(spec.dtype)
    if kind in "iu" and (spec.dtype.itemsize == 1 or spec.scale is not None):
        limits = np.iinfo(spec.dtype)
        return rng.integers(limits.min, limits.max, size, spec.dtype, endpoint=True)
    if kind in "SO":
        return np.full(size, b"", object)
    return rng.integers(0, 2, size).astype(spec.dtype)
