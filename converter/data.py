"""From files to input arrays: pictures, .npy, .npz, raw bytes, random numbers; and streams of them.

    from_file("cat.png", spec, shape)       the value of one input from one file
    samples("photos", specs)                {input name: array}, one after the other, from folders, arrays, generators

A picture is resized to the input's height and width and converted to its channels. Then
    uint8 input   the pixels 0..255
    int8 input    the pixels minus 128
    float input   (pixel - mean) / std, by default 127.5 and 127.5: the range -1..1 that MobileNet networks take
With a mean and std given by the user or by the model's metadata, integer inputs too get the normalized value, quantized
with the tensor's scale and zero point. (For the usual scales that is the same as the pixels.)
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..interpreter.errors import ArgumentError, FileError, SamaraError
from ..interpreter.model import TensorSpec

Array = np.ndarray[Any, np.dtype[Any]]
Sample = dict[str, Array]
PICTURES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))


MODELS = frozenset((".onnx", ".tflite", ".keras", ".h5", ".hdf5", ".pt", ".pth", ".pt2"))


def shape_text(shape: Sequence[int]) -> str:
    return "x".join("?" if d < 0 else str(d) for d in shape) if len(shape) else "scalar"


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
        raise ArgumentError(f"reading '{path}' needs Pillow: pip install 'samara[image]'") from None
    dims = list(shape)
    layout = dims[1:] if len(dims) in (3, 4) and dims[0] == 1 and not (len(dims) == 3 and dims[2] in (3, 4)) else dims
    if len(layout) == 2:
        layout = [*layout, 1]
    first = len(layout) == 3 and layout[2] not in (1, 3, 4) and layout[0] in (1, 3, 4)  # channels, height, width
    if first:
        layout = [*layout[1:], layout[0]]
    if len(layout) != 3 or layout[2] not in (1, 3, 4) or min(layout) < 1:
        raise ArgumentError(
            f"'{path}' is a picture, but input '{spec.name}' has shape {shape_text(shape)}, "
            "not 1 x height x width x 1, 3 or 4 (or 1 x 1, 3 or 4 x height x width)"
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
        raise ArgumentError(f"'{path}' cannot be read as a picture: {error}") from None
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
    return (values.transpose(2, 0, 1) if first else values).reshape(dims)


def _normalization(path: str, mean: Sequence[float], std: Sequence[float], channels: int) -> tuple[Array, Array]:
    for name, values in (("mean", mean), ("std", std)):
        if len(values) not in (1, channels):
            raise ArgumentError(f"'{path}': {len(values)} {name} values for {channels} channels; give 1 or {channels}")
    if not all(std):
        raise ArgumentError("std is 0; it divides the pixels")
    return np.array(mean, np.float32), np.array(std, np.float32)


def adapt(array: Array, spec: TensorSpec, origin: str) -> Array:
    """An array from a file in the input's type: as it is, widened between floats or integers, or quantized."""
    if array.dtype == spec.dtype or (spec.dtype.kind == "S" and array.dtype.kind in "SUO"):
        return array
    if array.dtype.kind in "iub" and spec.dtype.kind in "iub" and spec.dtype.kind != "b":
        limits = np.iinfo(spec.dtype)
        if array.size and (array.min() < limits.min or array.max() > limits.max):
            raise ArgumentError(
                f"{origin}: values from {array.min()} to {array.max()} do not fit input '{spec.name}' ({spec.dtype})"
            )
        return array.astype(spec.dtype)
    if spec.dtype.kind == "f" and array.dtype.kind in "fiub":
        return array.astype(spec.dtype)
    if array.dtype.kind == "f" and spec.scale is not None:
        return quantize(array, spec)
    raise ArgumentError(f"{origin}: holds {array.dtype}, input '{spec.name}' takes {spec.dtype}")


def from_file(
    path: str,
    spec: TensorSpec,
    shape: Sequence[int],
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Array:
    """The value of input `spec` from one file; `shape` is what the input takes now."""
    if not os.path.exists(path):
        raise ArgumentError(f"'{path}' does not exist")
    if os.path.isdir(path):
        raise ArgumentError(f"'{path}' is a directory, not a file")
    suffix = os.path.splitext(path)[1].lower()
    if suffix in PICTURES:
        return picture(path, spec, shape, mean, std)
    if suffix in (".npy", ".npz"):
        arrays = _arrays(path, [spec])
        if isinstance(arrays, dict):
            arrays = arrays[spec.name]
        return fit_shape(adapt(arrays, spec, f"'{path}'"), spec, shape, f"'{path}'")
    if suffix in MODELS:
        raise ArgumentError(f"'{path}' is a model, not data for input '{spec.name}'")
    count = int(np.prod(shape, dtype=np.int64))
    size = os.path.getsize(path)
    if size != count * spec.dtype.itemsize:
        raise ArgumentError(
            f"'{path}' has {size} bytes; input '{spec.name}' ({spec.dtype} {shape_text(shape)}) takes "
            f"{count * spec.dtype.itemsize}"
        )
    return np.fromfile(path, spec.dtype).reshape(tuple(shape))


def fit_shape(array: Array, spec: TensorSpec, shape: Sequence[int], origin: str) -> Array:
    """The array itself, or with the leading 1 that the input has and the file lacks. Open dimensions take any size."""

    def fits(dims: tuple[int, ...], wanted: Sequence[int]) -> bool:
        return len(dims) == len(wanted) and all(w in (-1, d) for d, w in zip(dims, wanted, strict=True))

    if fits(array.shape, shape) or fits(array.shape, spec.shape):
        return array
    one = len(spec.shape) == array.ndim + 1 and spec.shape[0] in (1, -1)
    if one and (fits(array.shape, tuple(shape)[1:]) or fits(array.shape, spec.shape[1:])):
        return array[None]
    raise ArgumentError(
        f"{origin}: has shape {shape_text(array.shape)}, input '{spec.name}' takes {shape_text(spec.shape)}"
    )


def random(spec: TensorSpec, shape: Sequence[int], rng: np.random.Generator, below: int = 2) -> Array:
    """Data for runs whose values do not matter: -1..1 for floats, all values for 8-bit, 0 to `below` - 1 for larger
    integers (they are mostly indices)."""
    size = tuple(shape)
    kind = spec.dtype.kind
    if kind == "f":
        return rng.uniform(-1, 1, size).astype(spec.dtype)
    if kind == "c":
        return (rng.uniform(-1, 1, size) + 1j * rng.uniform(-1, 1, size)).astype(spec.dtype)
    if kind in "iu" and below == 2 and (spec.dtype.itemsize == 1 or spec.scale is not None):
        limits = np.iinfo(spec.dtype)
        return rng.integers(limits.min, limits.max, size, spec.dtype, endpoint=True)
    if kind in "SO":
        return np.full(size, b"", object)
    return rng.integers(0, below, size).astype(spec.dtype)


# ---- Streams of samples ----


class Pixels(NamedTuple):
    """Samples whose pictures become (pixel - mean) / std; one number, or one per channel."""

    source: Any
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None


def samples(source: Any, inputs: Sequence[TensorSpec]) -> Iterator[Sample]:
    """What a model is calibrated on or compared with: {input name: array}, one sample after the other.

    `source` is a folder (pictures, .npy or .npz, one sample a file, in the order of their names), one such file, an
    array or a mapping of arrays whose first axis counts the samples, a function that answers an iterable, or an
    iterable of arrays (one input), of tuples in the order of the inputs, or of mappings by name. Arrays come as the
    inputs take them, the leading 1 may be missing. ArgumentError names what is missing, misshapen or not finite.
    """
    mean = std = None
    if isinstance(source, Pixels):
        source, mean, std = source
    if not inputs:
        raise ArgumentError("the model has no inputs, so it takes no data")
    if callable(source):
        source = source()
    count = -1
    for count, (origin, item) in enumerate(_items(source, inputs, mean, std)):  # noqa: B007
        yield _sample(item, inputs, origin)
    if count < 0:
        where = f"'{os.fspath(source)}'" if isinstance(source, (str, os.PathLike)) else "the data"
        raise ArgumentError(f"{where} has no samples; give at least one for {_names(inputs)}")


def _names(inputs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"'{spec.name}' ({spec.dtype} {shape_text(spec.shape)})" for spec in inputs)


def _items(
    source: Any, inputs: Sequence[TensorSpec], mean: Sequence[float] | None, std: Sequence[float] | None
) -> Iterator[tuple[str, Any]]:
    """(what to call it in an error, a sample that is not checked yet)."""
    if isinstance(source, (str, os.PathLike)):
        path = os.fsdecode(source)
        if os.path.isdir(path):
            yield from _folder(path, inputs, mean, std)
            return
        suffix = os.path.splitext(path)[1].lower()
        if suffix in PICTURES:
            yield f"'{path}'", _picture_for(path, inputs, mean, std)
            return
        if not os.path.exists(path):
            raise FileError(f"'{path}' does not exist")
        if suffix not in (".npy", ".npz"):
            what = "a model, not data" if suffix in MODELS else "no picture, .npy or .npz"
            raise ArgumentError(f"'{path}' is {what}; data are a folder of pictures or arrays, a .npy or a .npz file")
        yield from _stacked(_arrays(path, inputs), inputs, f"'{path}'")
    elif isinstance(source, (np.ndarray, Mapping)):
        yield from _stacked(source, inputs, "the data")
    elif isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray, memoryview)):
        for i, item in enumerate(source):
            yield f"sample {i}", item
    else:
        raise ArgumentError(
            f"data for {_names(inputs)} are a folder, a .npy or .npz file, an array or an iterable of arrays or "
            f"dictionaries, not {type(source).__name__}"
        )


def _folder(
    path: str, inputs: Sequence[TensorSpec], mean: Sequence[float] | None, std: Sequence[float] | None
) -> Iterator[tuple[str, Any]]:
    found = 0
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            file, suffix = os.path.join(folder, name), os.path.splitext(name)[1].lower()
            if suffix in PICTURES:
                yield f"'{file}'", _picture_for(file, inputs, mean, std)
            elif suffix in (".npy", ".npz"):
                yield f"'{file}'", _arrays(file, inputs)
            else:
                continue
            found += 1
    if not found:
        raise ArgumentError(f"'{path}' has no pictures, .npy or .npz files; put the samples there, one a file")


def _picture_for(
    path: str, inputs: Sequence[TensorSpec], mean: Sequence[float] | None, std: Sequence[float] | None
) -> Array:
    if len(inputs) != 1:
        raise ArgumentError(f"'{path}' is a picture, but the model takes {_names(inputs)}; use .npz files with these")
    (spec,) = inputs
    open_ = [i for i, d in enumerate(spec.shape) if d < 0]
    if open_ not in ([], [0]):
        raise ArgumentError(
            f"'{path}' is a picture, but the size of input '{spec.name}' is open ({shape_text(spec.shape)}); "
            f"fix it: --shape {spec.name}:1x224x224x3"
        )
    return picture(path, spec, [max(d, 1) for d in spec.shape], mean, std)


def _arrays(path: str, inputs: Sequence[TensorSpec]) -> Any:
    """The array of a .npy file, or those of a .npz file by the names of inputs. Nothing is unpickled."""
    try:
        loaded = np.load(path, allow_pickle=False, mmap_mode="r")
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            names = loaded.files
            if len(inputs) == len(names) == 1:  # the only array serves the only input, whatever its name
                return {inputs[0].name: loaded[names[0]]}
            return {spec.name: loaded[spec.name] for spec in inputs if _present(spec.name, names, f"'{path}'")}
    except SamaraError:
        raise
    except OSError as error:
        raise FileError(f"'{path}' cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, MemoryError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ArgumentError(f"'{path}' cannot be read as numpy data: {error or 'it does not fit in memory'}") from None


def _present(name: str, names: Iterable[Any], origin: str) -> bool:
    if name in names:
        return True
    has = ", ".join(map(str, names)) or "nothing"
    raise ArgumentError(f"{origin} has no array '{name}'; it has: {has}; name the arrays like the inputs")


def _named(arrays: Mapping[Any, Any], inputs: Sequence[TensorSpec], origin: str) -> dict[str, Any]:
    return {spec.name: arrays[spec.name] for spec in inputs if _present(spec.name, arrays, origin)}


def _stacked(arrays: Any, inputs: Sequence[TensorSpec], origin: str) -> Iterator[tuple[str, Any]]:
    """Arrays with the samples along a new first axis, or along the batch axis of the inputs."""
    if not isinstance(arrays, Mapping):
        if len(inputs) != 1:
            raise ArgumentError(f"{origin} is one array, the model takes {_names(inputs)}; give arrays by these names")
        arrays = {inputs[0].name: arrays}
    columns = {}
    for spec, array in zip(inputs, _named(arrays, inputs, origin).values(), strict=True):
        array = np.asarray(array)
        rank = len(spec.shape)
        if array.ndim == rank and rank and spec.shape[0] in (1, -1):
            array = array[:, None]
        elif array.ndim != rank + 1:
            raise ArgumentError(
                f"{origin}: has shape {shape_text(array.shape)}, input '{spec.name}' takes "
                f"{shape_text(spec.shape)}; the first axis counts the samples"
            )
        columns[spec.name] = array
    counts = {name: len(array) for name, array in columns.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{n} for '{name}'" for name, n in counts.items())
        raise ArgumentError(f"{origin}: the inputs have different numbers of samples: {told}")
    for i in range(next(iter(counts.values()))):
        yield f"{origin} sample {i}", {name: array[i] for name, array in columns.items()}


def _sample(item: Any, inputs: Sequence[TensorSpec], origin: str) -> Sample:
    if isinstance(item, Mapping):
        values = _named(item, inputs, origin)
    else:
        given = item if isinstance(item, tuple) or (isinstance(item, list) and _are_arrays(item)) else (item,)
        if len(given) != len(inputs):
            raise ArgumentError(f"{origin} has {len(given)} arrays, the model takes {_names(inputs)}")
        values = {spec.name: value for spec, value in zip(inputs, given, strict=True)}
    return {spec.name: _value(values[spec.name], spec, origin) for spec in inputs}


def _are_arrays(items: list[Any]) -> bool:
    return bool(items) and all(hasattr(item, "shape") for item in items)


def _value(value: Any, spec: TensorSpec, origin: str) -> Array:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ArgumentError(f"{origin}: the value of input '{spec.name}' is no array: {error}") from None
    if array.dtype.kind == "O" and spec.dtype.kind != "O":
        raise ArgumentError(f"{origin}: the value of input '{spec.name}' is {type(value).__name__}, not numbers")
    array = fit_shape(adapt(array, spec, origin), spec, [max(d, 1) for d in spec.shape], origin)
    if array.dtype.kind in "fc" and not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise ArgumentError(f"{origin}: {bad} of {array.size} values of input '{spec.name}' are NaN or infinite")
    if not array.size:
        raise ArgumentError(f"{origin}: the value of input '{spec.name}' is empty ({shape_text(array.shape)})")
    return np.ascontiguousarray(array)
