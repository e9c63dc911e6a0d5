"""QUANTIZE, DEQUANTIZE, CAST, FAKE_QUANT."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

Q = {"int8": (0.031, 5), "uint8": (0.031, 77), "int16": (0.00031, 0), "int32": (3e-7, 0), "int4": (0.4, 1)}


def quantize(a, b, x=None, y=None, shape=(7, 133), **extra):
    x, y = x or Q.get(a, (None, 0)), y or Q[b]
    low, high = (-5, 5) if a == "float32" else (-(2**24), 2**24) if a == "int32" else (None, None)
    inputs = [tensor(a, shape, *x, low=low, high=high)]
    return Case(f"quantize {a} {b} {x} {y}", "QUANTIZE", inputs, [tensor(b, None, *y)], version=2, **extra)


def dequantize(a, shape=(7, 133), version=2, **extra):
    inputs = [tensor(a, shape, *Q.get(a, (None, 0)))]
    return Case(f"dequantize {a}", "DEQUANTIZE", inputs, [tensor("float32")], version=version, **extra)


def per_axis(axis):
    scales = [0.1, 0.02, 0.3]
    shape = tuple(3 if i == axis else 4 + i for i in range(3))
    data = const("int8", shape, scales, 0, axis)
    where = tuple(-1 if i == axis else 1 for i in range(3))
    return Case(f"dequantize axis {axis}", "DEQUANTIZE", [data], [tensor("float32", shape)], version=5,
                oracle=lambda v: [v[0].astype(np.float32) * np.array(scales, np.float32).reshape(where)])  # fmt: skip


REAL = ("float32", "float16", "float64")
WHOLE = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")


def cast(a, b, **extra):
    low, high = (0, 100) if a != "bool" else (None, None)
    return Case(f"cast {a} {b}", "CAST", [tensor(a, (3, 111), low=low, high=high)], [tensor(b)],
                {"in_data_type": "FLOAT32", "out_data_type": "FLOAT32"}, **extra)  # fmt: skip


EDGES = np.array([np.nan, np.inf, -np.inf, 3e9, -3e9, 1e20, -1.9, 1.9, 127.9, 255.9, 256], np.float32)


def saturated(dtype):
    info = np.iinfo(dtype)
    values = [0 if np.isnan(x) else min(max(np.trunc(np.float64(x)), info.min), info.max) for x in EDGES]
    return np.array([int(v) if abs(v) < 2**62 else (info.max if v > 0 else info.min) for v in values], dtype)


CASES = [
    *[quantize("float32", d) for d in ("int8", "uint8", "int16")],
    *[quantize(a, b) for a in ("int8", "uint8", "int16") for b in ("int8", "uint8", "int16")
      if (a, b) != ("int16", "uint8")],
    quantize("int16", "int32"),
    *[quantize("int32", d) for d in ("int16", "int8")],
    quantize("int8", "uint8", (0.02, -3), (0.02, 125)),
    quantize("int8", "int8", (0.02, -3), (0.1, 4)),
    quantize("int16", "int8", (0.0001, 0), (0.02, 4)),
    quantize("int8", "int16", (0.3, 9), (0.0001, 0)),
    Case("quantize ties", "QUANTIZE", [const(np.arange(-300, 300, dtype=np.float32) / 2)], [tensor("int8", None, 1.0)],
         oracle=lambda v: [np.clip(np.rint(v[0]), -128, 127).astype(np.int8)]),
    Case("quantize edges", "QUANTIZE", [const(np.array([np.nan, np.inf, -np.inf, 1e30, -1e30], np.float32))],
         [tensor("uint8", None, 0.1, 9)], oracle=lambda v: [np.array([0, 255, 0, 255, 0], np.uint8)]),
    Case("quantize odd int4", "QUANTIZE", [tensor("float32", (3, 5))], [tensor("int4", None, 0.4, 1)], version=4,
         oracle=lambda v: [np.clip(np.rint(v[0] * np.float32(1 / np.float32(0.4))) + 1, -8, 7).astype(np.int8)]),
    Case("quantize axis", "QUANTIZE", [tensor("float32", (3, 7))], [tensor("int8", (3, 7), [0.1, 0.02, 0.3], 0, axis=0)],
         oracle=lambda v: [np.clip(np.rint(v[0] * (1 / np.array([[0.1], [0.02], [0.3]], np.float32))), -128, 127)
                           .astype(np.int8)]),
    Case("quantize to bool", "QUANTIZE", [tensor("float32", (3,))], [tensor("bool", (3,))], error="BOOL"),
    *[dequantize(d) for d in ("int8", "uint8", "int16")],
    dequantize("float16", version=3),
    Case("dequantize int4", "DEQUANTIZE", [const(np.arange(-8, 7, dtype=np.int8).reshape(3, 5), scale=0.4, dtype="int4")],
         [tensor("float32", (3, 5))], version=6, oracle=lambda v: [v[0].astype(np.float32) * np.float32(0.4)]),
    *[per_axis(axis) for axis in (0, 1, 2)],
    *[cast(a, b) for a in ("float32", "int32", "uint8", "bool", "int64") for b in ("float32", "int32", "uint8", "int64")],
    *[cast(a, b, oracle=lambda v, b=b: [v[0].astype(b)]) for a in (*REAL, *WHOLE, "bool") for b in (*REAL, *WHOLE, "bool")],
    cast("complex64", "float32", oracle=lambda v: [v[0].real]),
    cast("float32", "complex64", oracle=lambda v: [v[0].astype(np.complex64)]),
    *[Case(f"cast edges {d}", "CAST", [const(EDGES)], [tensor(d, (11,))], oracle=lambda v, d=d: [saturated(d)])
      for d in WHOLE],
    *[Case(f"cast many edges {d}", "CAST", [const(np.tile(EDGES, 9))], [tensor(d, (99,))],
           oracle=lambda v, d=d: [np.tile(saturated(d), 9)]) for d in WHOLE],
    Case("cast int4", "CAST", [const(np.array([-8, 7, 0, -1, 3], np.int8), dtype="int4")], [tensor("float32", (5,))],
         version=6, oracle=lambda v: [v[0].astype(np.float32)]),
    Case("cast string", "CAST", [tensor("string", (3,))], [tensor("float32", (3,))], error="STRING"),
    *[
        Case(f"fake quant {lo} {hi} {bits} {narrow}", "FAKE_QUANT", [tensor("float32", (999,), low=-9, high=9)],
             [tensor("float32")], {"min": lo, "max": hi, "num_bits": bits, "narrow_range": narrow})
        for lo, hi, bits, narrow in ((-6, 6, 8, False), (0, 6, 8, False), (-1.3, 5.2, 4, False), (-3, 0, 16, False))
    ],
    Case("fake quant bits", "FAKE_QUANT", [tensor("float32", (9,))], [tensor("float32")],
         {"min": -1.0, "max": 1.0, "num_bits": 33}, error="num_bits"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_quantize(case):
    check(case)
