"""The bytes of constants and of custom options as Python values: `pack`/`unpack` for tensors of every element type,
`decode_flexbuffer`/`encode_flexbuffer` for the attributes of custom operators and composites."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..interpreter.errors import ModelError

NUMPY = {
    "FLOAT32": "<f4", "FLOAT16": "<f2", "INT32": "<i4", "UINT8": "u1", "INT64": "<i8", "BOOL": "?", "INT16": "<i2",
    "COMPLEX64": "<c8", "INT8": "i1", "FLOAT64": "<f8", "COMPLEX128": "<c16", "UINT64": "<u8", "UINT32": "<u4",
    "UINT16": "<u2", "BFLOAT16": "<u2", "FLOAT8_E4M3FN": "u1", "FLOAT8_E5M2": "u1", "INT4": "i1", "INT2": "i1",
    "UINT4": "u1", "STRING": "O", "RESOURCE": "<i4",
}  # fmt: skip
PACKED_BITS = {"INT4": 4, "UINT4": 4, "INT2": 2}


def _type_name(type: Any) -> str:
    from . import schema

    return type if isinstance(type, str) else str(schema._load()["TensorType"](type).name)


def numpy_dtype(type: Any) -> np.dtype[Any]:
    """The dtype `unpack` gives for a TensorType (member, number or name). INT4, UINT4 and INT2 come one value per
    byte; BFLOAT16 and the 8-bit floats, which numpy lacks, as their bits."""
    name = _type_name(type)
    if name not in NUMPY:
        raise ValueError(f"{name} has no numpy type")
    return np.dtype(NUMPY[name])


def tensor_type(dtype: Any) -> Any:
    """The TensorType of a numpy dtype."""
    from . import schema

    wanted = np.dtype(dtype)
    for name, text in NUMPY.items():
        if np.dtype(text) == wanted.newbyteorder("<"):
            return schema._load()["TensorType"][name]
    if wanted.kind in "SU":
        return schema._load()["TensorType"].STRING
    raise ValueError(f"no tensor type for numpy's {wanted}")


def unpack(data: np.ndarray, type: Any, shape: Iterable[int]) -> np.ndarray:
    """The bytes of a constant -> a typed array (a view where it can be); strings as an object array of bytes."""
    name, shape = _type_name(type), tuple(int(d) for d in shape)
    count = 1
    for d in shape:
        count *= d
    if min(shape, default=0) < 0:
        raise ModelError(f"shape {list(shape)} has a negative dimension")
    if name == "STRING":
        return _unpack_strings(data, count).reshape(shape)
    dtype, bits = numpy_dtype(name), PACKED_BITS.get(name)
    needed = (count * bits + 7) // 8 if bits else count * dtype.itemsize
    if data.size < needed:
        raise ModelError(f"{data.size} bytes are too few for {name} {list(shape)}, which takes {needed}")
    data = data[:needed]
    if bits is None:
        return data.view(dtype).reshape(shape)
    parts = np.stack([(data >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)], axis=-1)
    values = parts.reshape(-1)[:count].astype(np.int8)
    if name != "UINT4":
        values = np.where(values >= 1 << (bits - 1), values - (1 << bits), values)
    return values.astype(dtype).reshape(shape)


def _unpack_strings(data: np.ndarray, count: int) -> np.ndarray:
    raw = data.tobytes()
    found = struct.unpack_from("<i", raw)[0] if len(raw) >= 4 else -1
    if found < count or len(raw) < 4 * (found + 2):
        raise ModelError(f"a STRING constant holds {found} strings in {len(raw)} bytes, its shape {count}")
    offsets = struct.unpack_from(f"<{found + 1}i", raw, 4)
    values = np.empty(count, object)
    for i in range(count):
        if not 0 <= offsets[i] <= offsets[i + 1] <= len(raw):
            raise ModelError(f"string {i} of a STRING constant lies outside its bytes")
        values[i] = raw[offsets[i] : offsets[i + 1]]
    return values


def pack(array: Any, type: Any) -> np.ndarray:
    """A typed array -> the bytes of a constant (uint8). The inverse of `unpack`."""
    name = _type_name(type)
    if name == "STRING":
        items = [s.encode() if isinstance(s, str) else bytes(s) for s in np.asarray(array, object).reshape(-1)]
        at = 4 * (len(items) + 2)
        offsets = [at]
        for item in items:
            offsets.append(offsets[-1] + len(item))
        head = struct.pack(f"<{len(items) + 2}i", len(items), *offsets)
        return np.frombuffer(head + b"".join(items), np.uint8)
    bits = PACKED_BITS.get(name)
    flat = np.ascontiguousarray(array, numpy_dtype(name)).reshape(-1)
    if bits is None:
        return flat.view(np.uint8)
    per_byte = 8 // bits
    padded = np.zeros(-(-flat.size // per_byte) * per_byte, np.uint8)
    padded[: flat.size] = flat.view(np.uint8) & ((1 << bits) - 1)
    packed = np.zeros(padded.size // per_byte, np.uint8)
    for i in range(per_byte):
        packed |= padded[i::per_byte] << (bits * i)
    return packed


# ---- Flexbuffers: custom options, composite attributes ----


def decode_flexbuffer(data: bytes | np.ndarray) -> Any:
    """A flexbuffer -> None, bool, int, float, str, bytes, list or dict. Raises `ModelError` on bytes that are none."""
    from flatbuffers import flexbuffers

    raw = np.frombuffer(data, np.uint8).tobytes()
    budget = [1000 + 4 * len(raw)]

    def walk(ref: Any, depth: int) -> Any:
        budget[0] -= 1
        if depth > 32 or budget[0] < 0:
            raise ModelError("the flexbuffer is nested too deeply or refers to itself")
        if ref.IsMap:
            found = ref.AsMap
            keys, values = found.Keys, found.Values
            if len(keys) > len(raw):
                raise ModelError("the flexbuffer has a map longer than its bytes")
            return {keys[i].AsKey: walk(values[i], depth + 1) for i in range(len(keys))}
        if ref.IsTypedVector or ref.IsFixedTypedVector:
            vector: Any = ref.AsTypedVector if ref.IsTypedVector else ref.AsFixedTypedVector
        elif ref.IsVector:
            vector = ref.AsVector
        else:
            return ref.AsBlob if ref.IsBlob else ref.Value
        if len(vector) > len(raw):
            raise ModelError("the flexbuffer has a vector longer than its bytes")
        return [walk(vector[i], depth + 1) for i in range(len(vector))]

    try:
        return walk(flexbuffers.GetRoot(raw), 0)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"not a flexbuffer: {error}") from None


def encode_flexbuffer(value: Any) -> bytes:
    """The inverse of `decode_flexbuffer`."""
    from flatbuffers import flexbuffers

    return bytes(flexbuffers.Dumps(value))
