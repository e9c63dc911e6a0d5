"""ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD POW ADD_N: types, broadcasting, activations, rounding."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

SHAPES = {
    "equal": ((2, 3, 5, 7), (2, 3, 5, 7)),
    "scalar": ((3, 5, 11), ()),
    "scalar first": ((), (37,)),
    "row": ((4, 6, 19), (19,)),
    "row first": ((19,), (4, 6, 19)),
    "channel": ((2, 5, 5, 9), (2, 1, 1, 9)),
    "column": ((2, 5, 5, 9), (2, 5, 5, 1)),
    "both": ((3, 1, 7), (1, 4, 1)),
    "ones": ((1, 1, 1), (1, 1)),
    "rank 5": ((2, 1, 3, 1, 5), (1, 4, 1, 2, 1)),
    "long": ((5003,), (5003,)),
    "empty": ((0, 3), (1, 3)),
}
NUMPY = {
    "ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "MAXIMUM": np.maximum, "MINIMUM": np.minimum,
    "DIV": np.divide,
}  # fmt: skip
ACTIVATED = ("ADD", "SUB", "MUL", "DIV")
NONE = {"fused_activation_function": "NONE"}


def options(op, activation="NONE"):
    return {"fused_activation_function": activation} if op in ACTIVATED else {}


def plain(op, dtype, shape, **extra):
    a, b = SHAPES[shape]
    low = {"DIV": 1, "FLOOR_DIV": 1, "FLOOR_MOD": 1, "POW": 0}.get(op) if "int" in dtype else None
    high = {"POW": 5}.get(op) if "int" in dtype else None
    if op == "POW" and dtype == "float32":
        low, high = 0.1, 3
    second = tensor(dtype, b, low=low, high=high if high else (120 if low == 1 else None))
    if "int" in dtype and low is None:
        second = tensor(dtype, b, low=-1000 if dtype != "int8" else -100, high=100)
    first = tensor(dtype, a, low=low if op == "POW" else None, high=high)
    return Case(f"{op} {dtype} {shape}", op, [first, second], [tensor(dtype)], options(op), **extra)


QUANT = {
    "int8": [(0.11, 3), (0.07, -9), (0.13, 1)],
    "uint8": [(0.11, 130), (0.07, 121), (0.13, 129)],
    "int16": [(0.0011, 0), (0.0007, 0), (0.0013, 0)],
}


def quantized(op, dtype, shape, activation="NONE", quant=None, version=2, atol=1, name="", **extra):
    (sa, za), (sb, zb), (sy, zy) = quant or QUANT[dtype]
    a, b = SHAPES[shape]
    inputs = [tensor(dtype, a, sa, za), tensor(dtype, b, sb, zb)]
    case = f"{op} {dtype} quantized {shape} {activation} {name}".strip()
    return Case(case, op, inputs, [tensor(dtype, None, sy, zy)], options(op, activation), version, atol, **extra)


def real(op, quant, lo, hi):
    """The result of real arithmetic, rounded: ours is within half a step of it (and a rounding error)."""
    (sa, za), (sb, zb), (sy, zy) = quant

    def oracle(values):
        a, b = (v.astype(np.float64) for v in values)
        y = NUMPY[op]((a - za) * sa, (b - zb) * sb) / sy + zy
        return [np.clip(np.rint(y), lo, hi).astype(values[0].dtype)]

    return oracle


FLOAT = ["ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "FLOOR_DIV", "FLOOR_MOD", "POW"]
LITERT_SHAPES = [s for s in SHAPES if s not in ("rank 5", "empty")]
SUBNORMAL = [(0.05, 3), (3e-5, -9), (0.05, 1)]

CASES = [
    *[plain(op, "float32", s) for op in FLOAT for s in LITERT_SHAPES],
    *[plain(op, "int32", s) for op in FLOAT for s in ("equal", "row", "scalar", "both")],
    *[plain(op, "int64", "row") for op in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "FLOOR_MOD")],
    *[plain(op, d, "row", version=2) for op in ("FLOOR_DIV", "FLOOR_MOD") for d in ("int8", "int16")],
    *[plain(op, "float32", "rank 5", oracle=lambda v, f=f: [f(*v)]) for op, f in NUMPY.items()],
    *[plain(op, "float32", "empty", oracle=lambda v, f=f: [f(*v)]) for op, f in NUMPY.items()],
    *[
        Case(f"{op} f32 {a}", op, [tensor("float32", (7, 9), low=-9, high=9)] * 2, [tensor("float32")], options(op, a))
        for op in ACTIVATED
        for a in ("RELU", "RELU6", "RELU_N1_TO_1")
    ],
    *[quantized(op, d, s) for op in ("ADD", "SUB", "MUL") for d in ("int8", "uint8") for s in LITERT_SHAPES],
    *[quantized("SUB", "int8", "equal", quant=SUBNORMAL), quantized("SQUARED_DIFFERENCE", "int8", "row")],
    *[quantized(op, d, "row", a) for op in ("ADD", "SUB", "MUL") for d in ("int8", "uint8") for a in ("RELU", "RELU6")],
    *[
        quantized(op, d, "long", oracle=real(op, QUANT[d], *lim), name="real")
        for op in ("ADD", "SUB", "MUL")
        for d, lim in (("int8", (-128, 127)), ("uint8", (0, 255)))
    ],
    *[quantized(op, "int16", s, atol=0) for op in ("ADD", "SUB", "MUL") for s in ("long", "row", "scalar", "both")],
    *[
        quantized(op, "int16", "long", atol=0, quant=[(2**a, 0), (2**b, 0), (2**y, 0)], name=f"powers {a} {b} {y}")
        for op in ("ADD", "SUB")
        for a, b, y in ((-12, -12, -12), (-14, -11, -11), (-11, -13, -11))
    ],
    *[quantized(op, "int16", "row", "RELU6", atol=0) for op in ("ADD", "SUB", "MUL")],
    *[
        Case(f"{op} {d} bytes {s}", op, [tensor(d, SHAPES[s][0], 0.1, z), tensor(d, SHAPES[s][1], 0.1, z)],
             [tensor(d, None, 0.1, z)], version=2)
        for op in ("MAXIMUM", "MINIMUM")
        for d, z in (("int8", -5), ("uint8", 99), ("int16", 0))
        for s in ("long", "row", "both")
    ],  # fmt: skip
    *[
        Case(f"{op} {d} short rows {a} {b}", op, [tensor(d, a, *q, low=lo), tensor(d, b, *q, low=lo)], [tensor(d, None, *q)],
             options(op), 2 if d in ("int8", "int16") else 1, atol=1 if d == "int8" else 0)
        for op in ("ADD", "SUB", "MUL")
        for d, q, lo in (("float32", (None, 0), None), ("int8", (0.1, 3), None), ("int16", (0.01, 0), None),
                         ("int32", (None, 0), -999), ("int64", (None, 0), -999))
        for a, b in (((64, 32, 3), (3,)), ((3,), (64, 32, 3)), ((2304, 1), (1, 17)), ((9, 60, 16), (9, 1, 16)),
                     ((40, 50, 2), (40, 50, 1)), ((2, 700, 61), (61,)), ((97, 61), (97, 1)), ((97, 1), (97, 61)))
    ],
    *[
        Case(f"{op} f16 {s}", op, [tensor("float16", SHAPES[s][0]), tensor("float16", SHAPES[s][1], low=0.5)],
             [tensor("float16")], options(op), rtol=1e-3,
             oracle=lambda v, f=f: [f(*(x.astype(np.float32) for x in v)).astype(np.float16)])
        for op, f in NUMPY.items()
        for s in ("long", "row", "column", "scalar first")
    ],
    Case("div uint8", "DIV", [tensor("uint8", (50, 7), 0.1, 128), tensor("uint8", (7,), 0.05, 0, low=20)],
         [tensor("uint8", None, 0.2, 120)], NONE, oracle=lambda v: [np.clip(np.rint(
         (v[0].astype(np.float64) - 128) * 0.1 / (v[1] * 0.05) / 0.2) + 120, 0, 255).astype(np.uint8)]),
    Case("div int8", "DIV", [tensor("int8", (50, 7), 0.1, low=-4, high=4), tensor("int8", (7,), 0.05, low=90)],
         [tensor("int8", None, 0.2)], NONE, oracle=lambda v: [np.rint(
         v[0].astype(np.float64) * 0.1 / (v[1] * 0.05) / 0.2).astype(np.int8)],
         peer_error="some small numbers by large ones give -128 or 127 instead of 0"),
    Case("mul uint32", "MUL", [tensor("uint32", (9,)), tensor("uint32", (9,))], [tensor("uint32")], NONE,
         oracle=lambda v: [v[0] * v[1]]),
    Case("mul complex", "MUL", [tensor("complex64", (3, 5)), tensor("complex64", (5,))], [tensor("complex64")], NONE,
         oracle=lambda v: [v[0] * v[1]]),
    Case("add wraps", "ADD", [tensor("int32", (99,)), tensor("int32", (99,))], [tensor("int32")], NONE,
         oracle=lambda v: [v[0] + v[1]]),
    Case("mul wraps", "MUL", [tensor("int32", (99,)), tensor("int32", (99,))], [tensor("int32")], NONE,
         oracle=lambda v: [v[0] * v[1]]),
    Case("floor div lowest", "FLOOR_DIV", [const([-(2**31), 7, -7]), const([-1, -2, 2])], [tensor("int32")],
         oracle=lambda v: [np.array([-(2**31), -4, -4], np.int32)]),
    Case("floor mod lowest", "FLOOR_MOD", [const([-(2**31), 7, -7]), const([-1, -2, 2])], [tensor("int32")],
         oracle=lambda v: [np.array([0, -1, 1], np.int32)]),
    Case("maximum nan", "MAXIMUM", [const([1.0, np.nan, 3.0]), const([2.0, 2.0, -1.0])], [tensor("float32")],
         oracle=lambda v: [np.array([2, np.nan, 3], np.float32)]),
    Case("resize", "ADD", [tensor("float32", (1, 3)), tensor("float32", (3,))], [tensor("float32")], NONE,
         resize={0: (5, 3)}),
    Case("huge scale", "ADD", [tensor("int8", (40,), 1e30, 3), tensor("int8", (40,), 1.0, 0)],
         [tensor("int8", None, 1e-3, 0)], NONE, oracle=lambda v: [np.where(v[0] == 3, np.clip(v[1] * 1000.0, -128, 127),
         np.where(v[0] > 3, 127, -128)).astype(np.int8)]),
    Case("div by zero", "DIV", [tensor("int32", (3,)), const([1, 0, 2])], [tensor("int32")], NONE, error="zero"),
    Case("mod by zero", "FLOOR_MOD", [tensor("int64", (3,)), const(np.array([1, 0, 2]))], [tensor("int64")],
         error="zero"),
    Case("pow negative", "POW", [tensor("int32", (3,)), const([1, -1, 2])], [tensor("int32")], error="negative"),
    Case("shapes", "ADD", [tensor("float32", (2, 3)), tensor("float32", (2, 4))], [tensor("float32")], NONE,
         error="broadcast"),
    Case("types", "ADD", [tensor("float32", (2,)), tensor("int32", (2,))], [tensor("float32")], NONE, error="INT32"),
    Case("no scale", "SUB", [tensor("int8", (2,)), tensor("int8", (2,))], [tensor("int8")], NONE, error="quantiz"),
    Case("fused tanh", "MUL", [tensor("float32", (2,)), tensor("float32", (2,))], [tensor("float32")],
         {"fused_activation_function": "TANH"}, error="activation"),
    *[Case(f"add n {d} {n}", "ADD_N", [tensor(d, (7, 999), low=-99, high=99)] * n, [tensor(d)])
      for d in ("float32", "int32") for n in (2, 3, 5)],
    Case("add n shapes", "ADD_N", [tensor("float32", (3,)), tensor("float32", (1,))], [tensor("float32")], error="shape"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_binary(case):
    check(case)
