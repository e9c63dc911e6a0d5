"""Tensor bytes as numpy arrays: element types, nibbles, strings.

numpy has no 4-bit, 2-bit or bfloat16 numbers. Reading widens the small integers to one byte each; bfloat16 is seen as
uint16 and the 8-bit floats as uint8: their raw bits.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from . import _native
from .errors import ArgumentError

Array = np.ndarray[Any, np.dtype[Any]]

_DTYPES: dict[str, type[np.generic]] = {
    "FLOAT32": np.float32,
    "FLOAT16": np.float16,
    "INT32": np.int32,
    "UINT8": np.uint8,
    "INT64": np.int64,
    "STRING": np.bytes_,
    "BOOL": np.bool_,
    "INT16": np.int16,
    "COMPLEX64": np.complex64,
    "INT8": np.int8,
    "FLOAT64": np.float64,
    "COMPLEX128": np.complex128,
    "UINT64": np.uint64,
    "RESOURCE": np.void,
    "VARIANT": np.void,
    "UINT32": np.uint32,
    "UINT16": np.uint16,
    "INT4": np.int8,
    "BFLOAT16": np.uint16,
    "INT2": np.int8,
    "UINT4": np.uint8,
    "FLOAT8_E4M3FN": np.uint8,
    "FLOAT8_E5M2": np.uint8,
}

# By the number of sam_type.
DTYPE: tuple[type[np.generic], ...] = tuple(_DTYPES[name] for name in _native.TYPES)
STRING = _native.TYPES.index("STRING")
SUB_BYTE = frozenset(i for i, bits in enumerate(_native.BITS) if 0 < bits < 8)
_BY_DTYPE = {np.dtype(d): name for name, d in reversed(_DTYPES.items()) if name not in ("INT4", "UINT4", "INT2")}


def type_name(dtype: np.dtype[Any]) -> str:
    """The format's name for a numpy type, as error messages say it."""
    return "STRING" if dtype.kind in "SUO" else _BY_DTYPE.get(dtype, str(dtype))


def unpack_bits(raw: Array, type_: int, count: int) -> Array:
    """Packed 4- or 2-bit numbers, low bits first, one per byte."""
    bits = _native.BITS[type_]
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    values: Array = (raw.view(np.uint8)[:, None] >> shifts & ((1 << bits) - 1)).reshape(-1)[:count]
    if _native.TYPES[type_].startswith("U"):
        return values
    sign = 1 << (bits - 1)
    signed: Array = (values.astype(np.int8) ^ sign) - np.int8(sign)
    return signed


def pack_bits(values: Array, type_: int) -> Array:
    """The inverse of unpack_bits. Values out of range are an error."""
    bits = _native.BITS[type_]
    signed = not _native.TYPES[type_].startswith("U")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    flat = values.reshape(-1)
    if flat.size and (flat.min() < low or flat.max() > high):
        name = _native.TYPES[type_]
        raise ArgumentError(f"{name} holds {low} to {high}; got values from {flat.min()} to {flat.max()}")
    per = 8 // bits
    codes = np.zeros(-(-flat.size // per) * per, np.uint8)
    codes[: flat.size] = flat.astype(np.uint8) & ((1 << bits) - 1)
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    packed: Array = np.bitwise_or.reduce(codes.reshape(-1, per) << shifts, axis=1).astype(np.uint8)
    return packed


def pack_strings(values: Array) -> bytes:
    """int32 count, count + 1 int32 offsets, the bytes."""
    items = [v if isinstance(v, bytes) else str(v).encode() for v in values.reshape(-1).tolist()]
    head = 4 * (len(items) + 2)
    offsets = np.cumsum([head, *map(len, items)], dtype=np.int64)
    if offsets[-1] > np.iinfo(np.int32).max:
        raise ArgumentError(f"a string tensor holds less than 2 GiB; got {offsets[-1]} bytes")
    return np.concatenate([[len(items)], offsets]).astype("<i4").tobytes() + b"".join(items)


def unpack_strings(data: bytes, shape: tuple[int, ...]) -> Array:
    """The inverse of pack_strings. No bytes at all are empty strings: an input that nobody wrote."""
    array = np.full(shape, b"", object)
    if data:
        offsets = np.frombuffer(data, "<i4", array.size + 1, 4).tolist()
        array.reshape(-1)[:] = [data[a:b] for a, b in pairwise(offsets)]
    return array


class _Memory:
    """Lends foreign memory to numpy; the array's base, so that `owner` outlives the array."""

    def __init__(self, address: int, shape: tuple[int, ...], dtype: np.dtype[Any], owner: object) -> None:
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": dtype.str, "data": (address, False)}
        self.owner = owner


def lend(address: int, shape: tuple[int, ...], dtype: np.dtype[Any], owner: object) -> Array:
    """A writable view of memory at `address` that keeps `owner` alive."""
    return np.asarray(_Memory(address, shape, dtype, owner))
