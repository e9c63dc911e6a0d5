"""Scales and integers: ranges become scales, constants become integers. real = scale * (q - zero_point)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...interpreter.errors import DataError
from .. import schema
from ..ir import Quantization, Tensor

LIMITS = {"INT8": (-128, 127), "UINT8": (0, 255), "INT16": (-32768, 32767)}
TINY = 1e-30
"""A range or weight below this is zero: its scale would fall out of float32's normal numbers."""


class Params(NamedTuple):
    """How a tensor stores real numbers."""

    type: str
    scale: float
    zero_point: int

    @property
    def low(self) -> float:
        """The least real number it can store."""
        return (LIMITS[self.type][0] - self.zero_point) * self.scale

    @property
    def high(self) -> float:
        return (LIMITS[self.type][1] - self.zero_point) * self.scale

    def quantization(self) -> Quantization:
        return Quantization(self.scale, self.zero_point)

    def as_type(self, kind: str) -> Params:
        """The same real numbers in another type, as nearly as it can."""
        if kind == self.type:
            return self
        if {kind, self.type} == {"INT8", "UINT8"}:
            return Params(kind, self.scale, self.zero_point + (128 if kind == "UINT8" else -128))
        return params_of(self.low, self.high, kind)


def params_of(low: float, high: float, kind: str) -> Params:
    """The scale that stores low..high and exactly 0; INT16 is symmetric, as its kernels want it."""
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if high - low < TINY:
        high = 1.0
    least, most = LIMITS[kind]
    if kind == "INT16":
        return Params(kind, float(np.float32(max(-low, high) / most)), 0)
    scale = float(np.float32((high - low) / (most - least)))
    zero_point = int(min(max(round(least - low / scale), least), most))
    return Params(kind, scale, zero_point)


def params_in(t: Tensor) -> Params | None:
    """The parameters that a tensor has already, if it is one of the types above with one scale."""
    q, kind = t.quantization, getattr(t.type, "name", "")
    if kind not in LIMITS or q is None or q.scale is None or q.scale.size != 1 or q.zero_point is None:
        return None
    return Params(kind, float(q.scale[0]), int(q.zero_point[0]))


def stored(value: np.ndarray, params: Params) -> np.ndarray:
    """The integers of real numbers, rounded to nearest; numbers out of range become the nearest that is in it."""
    least, most = LIMITS[params.type]
    q = np.rint(value.astype(np.float64) / params.scale) + params.zero_point
    made: np.ndarray = np.clip(q, least, most).astype(schema.numpy_dtype(params.type))
    return made


def finite(t: Tensor) -> np.ndarray:
    """A constant's values; DataError if one is NaN or infinite."""
    value = t.real
    if not np.isfinite(value).all():
        bad = value[~np.isfinite(value)].flat[0]
        raise DataError(f"the constant {t.name!r} holds {bad}; it cannot be quantized: repair the source network")
    return value


def weight_scales(value: np.ndarray, axis: int | None) -> np.ndarray:
    """The scale of each slice of an axis (or one for all) that makes its largest value 127; float64."""
    if axis is None:
        largest = np.abs(value).max(initial=0.0, keepdims=True).reshape(1)
    else:
        others = tuple(i for i in range(value.ndim) if i != axis % value.ndim)
        largest = np.maximum(value.max(axis=others, initial=0.0), -value.min(axis=others, initial=0.0))
    scales = largest.astype(np.float64) / 127
    # A slice of zeros stores zeros by any scale; an ordinary one keeps products of scales ordinary.
    ordinary = scales.max(initial=0.0)
    made: np.ndarray = np.where(scales < TINY, ordinary if ordinary >= TINY else 1 / 127, scales)
    return made


def quantized_weight(t: Tensor, value: np.ndarray, scales: np.ndarray, axis: int | None) -> Tensor:
    """int8 in -127..127 around zero."""
    scales = scales.astype(np.float32)
    shape = [1] * value.ndim
    if axis is not None and value.ndim:
        shape[axis] = scales.size
    factor = (1 / scales.astype(np.float64)).astype(np.float32).reshape(shape)
    q = np.multiply(value, factor, dtype=np.float32)
    np.rint(q, out=q)
    np.clip(q, -127, 127, out=q)
    return constant(t, q.astype(np.int8), "INT8", Quantization(scales, np.zeros(scales.size, np.int64), axis or 0))


def quantized_bias(t: Tensor, value: np.ndarray, scales: np.ndarray, kind: str) -> Tensor:
    """Integers of type `kind` (INT32, INT64), one scale a value or one for all; float64 scales."""
    q = np.rint(value.astype(np.float64) / scales)
    limit = (1 << 31) - 1 if kind == "INT32" else (1 << 62)
    q = np.clip(q, -limit, limit).astype(np.int64)
    made = q.astype(schema.numpy_dtype(kind))
    return constant(t, made, kind, Quantization(scales.astype(np.float32), np.zeros(scales.size, np.int64), 0))


def least_scales(bias: np.ndarray, input_scale: float) -> np.ndarray:
    """The least weight scales by which a bias still fits into int32 with half of the range left for the sum."""
    made: np.ndarray = np.abs(bias).astype(np.float64) / (input_scale * (1 << 30))
    return made


def constant(t: Tensor, value: np.ndarray, kind: str, quantization: Quantization | None = None) -> Tensor:
    """A new constant with the name of `t`."""
    made = schema.TensorType[kind]
    return Tensor(t.name, made, value.shape, data=schema.pack(value, made), quantization=quantization)


def power_of_two(limit: float) -> float:
    """The least power of two that is no less than `limit`."""
    return float(2.0 ** math.ceil(math.log2(limit))) if limit > 0 else 1.0


def is_real(t: Tensor | None) -> bool:
    """Whether a tensor holds plain float32 numbers."""
    kind: Any = None if t is None else t.type
    return t is not None and kind == schema.TensorType.FLOAT32
