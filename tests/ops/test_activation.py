"""RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LOGISTIC TANH HARD_SWISH GELU ELU LEAKY_RELU PRELU."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

CLAMPS = ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1")
CURVES = ("LOGISTIC", "TANH", "HARD_SWISH", "ELU")


def f32(op, shape=(3, 333), low=-8, high=8, **extra):
    options = extra.pop("options", {})
    name = f"{op} f32 {shape} {low} {high} {options}"
    return Case(name, op, [tensor("float32", shape, low=low, high=high)], [tensor("float32")], options, **extra)


def quantized(op, dtype, x, y, version=2, **extra):
    options = extra.pop("options", {})
    inputs = [tensor(dtype, (7, 301), *x)]
    return Case(f"{op} {dtype} {x} {y} {options}", op, inputs, [tensor(dtype, None, *y)], options, version, **extra)


BYTE = {"int8": 0, "uint8": 128}


def moved(dtype, scale, zero_point):
    return (scale, zero_point + BYTE[dtype])


def prelu_int16(v):
    x, slope = v[0].astype(np.float64), v[1] * 0.00003
    return [np.clip(np.rint(np.where(x >= 0, x, x * slope)), -32768, 32767).astype(np.int16)]


CASES = [
    *[f32(op) for op in (*CLAMPS, *CURVES)],
    *[f32(op, (4001,), -40, 40) for op in ("LOGISTIC", "TANH", "HARD_SWISH", "ELU")],
    *[f32(op, (4001,), -1e-3, 1e-3) for op in ("LOGISTIC", "TANH", "HARD_SWISH", "ELU")],
    *[Case(f"{op} f16", op, [tensor("float16", (3, 333), low=-8, high=8)], [tensor("float16")], rtol=2e-3,
           oracle=lambda v, f=f: [f(v[0].astype(np.float32)).astype(np.float16)])
      for op, f in (("LOGISTIC", lambda x: 1 / (1 + np.exp(-x))), ("TANH", np.tanh), ("RELU", lambda x: np.maximum(x, 0)),
                    ("HARD_SWISH", lambda x: x * np.clip(x + 3, 0, 6) / 6))],
    *[f32("GELU", (1999,), options={"approximate": a}) for a in (True, False)],
    *[f32("LEAKY_RELU", options={"alpha": a}) for a in (0.1, 0.0, 1.5)],
    *[f32(op, (0, 4), oracle=lambda v: [v[0]]) for op in (*CLAMPS, *CURVES)],
    *[
        quantized(op, d, moved(d, 0.07, -11), moved(d, 0.05, 4), 1 if "1" in op else 2)
        for op in CLAMPS
        for d in BYTE
    ],
    *[quantized(op, d, moved(d, 0.05, 4), moved(d, 0.05, 4)) for op in ("RELU", "RELU6") for d in BYTE],
    *[quantized(op, "int16", (0.0007, 0), (0.0005, 0)) for op in ("RELU", "RELU6")],
    *[quantized("LOGISTIC", d, moved(d, s, 9), moved(d, 1 / 256, -128)) for d in BYTE for s in (0.01, 0.06, 0.4)],
    *[quantized("TANH", d, moved(d, s, 9), moved(d, 1 / 128, 0)) for d in BYTE for s in (0.01, 0.06, 0.4)],
    *[
        quantized("HARD_SWISH", d, moved(d, sx, -20), moved(d, sy, -100), 1)
        for d in BYTE
        for sx, sy in ((0.05, 0.03), (0.01, 0.01), (0.2, 0.11), (0.03, 0.05))
    ],
    *[quantized("ELU", "int8", (s, 5), (0.04, -60), 1) for s in (0.02, 0.1)],
    *[
        quantized("GELU", d, moved(d, s, 5), moved(d, 0.03, -90), options={"approximate": a})
        for d in BYTE
        for s in (0.02, 0.06)
        for a in (False, True)
    ],
    *[
        quantized("LEAKY_RELU", d, moved(d, 0.07, 5), moved(d, 0.05, -9), options={"alpha": a})
        for d in BYTE
        for a in (0.1, 0.33, 1.7)
    ],
    *[quantized("LEAKY_RELU", "int16", (0.0007, 0), (0.0005, 0), options={"alpha": a}) for a in (0.1, 0.33)],
    *[
        quantized(op, "int16", (s, 0), (2**-15, 0), 3)
        for op in ("LOGISTIC", "TANH")
        for s in (2**-12, 2**-11, 1e-4, 3e-4, 7e-4, 1e-5, 2**-10)
    ],
    *[
        Case(f"{op} int16 large {s}", op, [tensor("int16", (40, 1001), s)],
             [tensor("int16", None, *((2**-15, 0) if op != "GELU" else (s, 0)))], version=3 if op != "GELU" else 2,
             options={"approximate": True} if op == "GELU" else {})
        for op in ("LOGISTIC", "TANH", "GELU")
        for s in (1e-7, 3e-4, 0.01)
    ],
    quantized("LOGISTIC", "int16", (1e-4, 0), (1e-4, 0), 3, error="1/32768"),
    *[
        Case(f"prelu f32 {a}", "PRELU", [tensor("float32", (2, 5, 5, 9)), const("float32", a)], [tensor("float32")])
        for a in ((1, 1, 9), (5, 5, 9), (1,), (5, 5, 1))
    ],
    *[
        Case(f"prelu {d} {a}", "PRELU", [tensor(d, (2, 5, 5, 9), *moved(d, 0.1, 7)), const(d, a, *moved(d, 0.01, -3))],
             [tensor(d, None, *moved(d, 0.08, -5))])
        for d in BYTE
        for a in ((1, 1, 9), (5, 5, 9))
    ],
    Case("prelu int16", "PRELU", [tensor("int16", (2, 5, 5, 9), 0.0005), const("int16", (1, 1, 9), 0.00003)],
         [tensor("int16", None, 0.0005)], atol=1, oracle=prelu_int16,
         peer_error="negative int16 numbers are scaled wrongly"),
    Case("prelu wide alpha", "PRELU", [tensor("float32", (5, 1)), const("float32", (5, 4))], [tensor("float32")],
         error="alpha"),
    Case("tanh nan", "TANH", [const(np.array([np.nan, np.inf, -np.inf, 0], np.float32))], [tensor("float32")],
         oracle=lambda v: [np.tanh(v[0])]),
    Case("logistic far", "LOGISTIC", [const(np.array([np.inf, -np.inf, 100, -100, 0], np.float32))],
         [tensor("float32")], oracle=lambda v: [np.array([1, 0, 1, 3.8e-44, 0.5], np.float32)]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_activation(case):
    check(case)
