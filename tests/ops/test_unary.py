"""ABS NEG SQRT RSQRT SQUARE EXP LOG SIN COS FLOOR CEIL ROUND SIGN."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

POSITIVE = ("SQRT", "RSQRT", "LOG")
FLOAT = ("ABS", "NEG", "SQRT", "RSQRT", "SQUARE", "EXP", "LOG", "SIN", "COS", "FLOOR", "CEIL", "ROUND", "SIGN")


def unary(op, dtype, shape, low=None, high=None, **extra):
    if op in POSITIVE and low is None:
        low = 0.01 if dtype == "float32" else None
    return Case(f"{op} {dtype} {shape}", op, [tensor(dtype, shape, low=low, high=high)], [tensor(dtype)], **extra)


def quantized(op, dtype, x, y, low=None, **extra):
    return Case(
        f"{op} {dtype} {x} {y}",
        op,
        [tensor(dtype, (5, 211), *x, low=low)],
        [tensor(dtype, None, *y)],
        version=2,
        **extra,
    )


def real(f, x):
    """f in float64; where it has no value, NaN without a warning."""
    with np.errstate(all="ignore"):
        return f(x.astype(np.float64)).astype(np.float32)


SPECIAL = np.array([0, -0.0, np.inf, -np.inf, 1e-30, 1e30, -1e30, 88.7, -87.3, -103.9, 0.5, 1.5, 2.5, -0.5], np.float32)

CASES = [
    *[unary(op, "float32", s) for op in FLOAT for s in ((5, 7), (1,), (3, 1021))],
    *[unary(op, "float32", (0, 3), oracle=lambda v: [v[0]]) for op in FLOAT],
    *[unary(op, "float32", (4000,), -80, 80) for op in ("EXP", "FLOOR", "CEIL", "ROUND", "ABS")],
    *[unary(op, "float32", (999,), -1000, 1000) for op in ("SIN", "COS")],
    *[
        Case(
            f"{op} special",
            op,
            [const(np.tile(SPECIAL, n))],
            [tensor("float32")],
            oracle=lambda v, f=f: [real(f, v[0])],
        )
        for op, f in (("SIN", np.sin), ("COS", np.cos), ("LOG", np.log))
        for n in (1, 60)
    ],
    *[
        unary(op, "float32", (1999,), -limit, limit, rtol=1e-6, atol=0, oracle=lambda v, f=f: [real(f, v[0])])
        for op, f in (("SIN", np.sin), ("COS", np.cos))
        for limit in (99999, 1e9)
    ],
    *[unary(op, "float32", (999,), 1e-20, 1e20) for op in POSITIVE],
    *[unary(op, "int32", (77,)) for op in ("ABS", "NEG", "SIGN")],
    unary("NEG", "int64", (77,)),
    *[
        unary(op, "float16", (5, 91), rtol=1e-3, oracle=lambda v, f=f: [f(v[0].astype(np.float32)).astype(np.float16)])
        for op, f in (("NEG", np.negative), ("FLOOR", np.floor), ("EXP", np.exp), ("SIN", np.sin), ("ABS", np.abs))
    ],
    unary("SIGN", "float64", (77,)),
    *[
        Case(f"{op} special", op, [const(SPECIAL)], [tensor("float32")], oracle=lambda v, f=f: [f(v[0])])
        for op, f in (("FLOOR", np.floor), ("CEIL", np.ceil), ("ROUND", np.rint), ("SIGN", np.sign), ("ABS", np.abs))
    ],
    quantized("ABS", "int8", (0.1, 3), (0.1, 3)),
    quantized("ABS", "int8", (0.1, 3), (0.17, -20)),
    quantized("ABS", "int16", (0.001, 0), (0.0017, 0)),
    quantized("RSQRT", "int8", (0.1, -128), (0.03, -120)),
    quantized("RSQRT", "int8", (0.1, -3), (0.03, -120), low=-2),
    *[quantized("EXP", d, *q) for d, q in (("int8", ((0.03, 5), (0.2, -128))), ("int16", ((0.0001, 0), (0.001, 0))))],
    quantized("LOG", "int8", (0.1, -128), (0.05, -20)),
    quantized("LOG", "int16", (0.001, 0), (0.0005, 0)),
    quantized("SQRT", "int8", (0.1, -128), (0.05, -100)),
    quantized("SQRT", "int16", (0.001, 0), (0.0005, 0), low=0),
    quantized("RSQRT", "int16", (0.001, 0), (0.0005, 0), low=0),
    Case("floor int32", "FLOOR", [tensor("int32", (3,))], [tensor("int32")], error="INT32"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_unary(case):
    check(case)
