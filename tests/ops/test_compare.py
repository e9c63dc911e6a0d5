"""EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL, LOGICAL_*, BITWISE_XOR, RIGHT_SHIFT."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, tensor

COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")
SHAPES = (((5, 7), (5, 7)), ((3, 4, 9), (9,)), ((3, 1, 5), (4, 1)), ((), (17,)))


def compare(op, dtype, a, b, **extra):
    low, high = (-2, 2) if dtype != "uint8" else (0, 3)
    if dtype == "bool":
        low = high = None
    inputs = [tensor(dtype, s, low=low, high=high) for s in (a, b)]
    return Case(f"{op} {dtype} {a} {b}", op, inputs, [tensor("bool")], **extra)


def quantized(op, dtype, sa, sb):
    z = 128 if dtype == "uint8" else 0
    inputs = [tensor(dtype, (300,), sa, z - 3), tensor(dtype, (300,), sb, z + 7)]
    return Case(f"{op} {dtype} quantized {sa} {sb}", op, inputs, [tensor("bool")], version=2)


XOR, SHIFT = np.bitwise_xor, np.right_shift

CASES = [
    *[compare(op, d, a, b) for op in COMPARISONS for d in ("float32", "int32", "int64") for a, b in SHAPES],
    *[compare(op, "bool", a, b) for op in COMPARISONS[:2] for a, b in SHAPES],
    *[
        quantized(op, d, sa, sb)
        for op in COMPARISONS
        for d in ("int8", "uint8")
        for sa, sb in ((0.1, 0.1), (0.5, 0.02), (0.03, 0.9))
    ],
    *[
        Case(f"{op} {a} {b}", op, [tensor("bool", a), tensor("bool", b)], [tensor("bool")])
        for op in ("LOGICAL_AND", "LOGICAL_OR")
        for a, b in SHAPES
    ],
    Case("not", "LOGICAL_NOT", [tensor("bool", (5, 3))], [tensor("bool")]),
    *[
        Case(f"xor {d}", "BITWISE_XOR", [tensor(d, (5, 3)), tensor(d, (3,))], [tensor(d)], oracle=lambda v: [XOR(*v)])
        for d in ("int8", "uint8", "int16", "uint16", "int32", "uint32")
    ],
    *[
        Case(
            f"shift {d}",
            "RIGHT_SHIFT",
            [tensor(d, (5, 3)), tensor(d, (3,), low=0, high=7)],
            [tensor(d)],
            oracle=lambda v: [SHIFT(*v)],
        )
        for d in ("int8", "uint8", "int16", "uint16", "int32", "uint32")
    ],  # fmt: skip
    Case(
        "shift far",
        "RIGHT_SHIFT",
        [tensor("int32", (9,)), tensor("int32", (9,), low=32, high=99)],
        [tensor("int32")],
        oracle=lambda v: [v[0] >> 31],
    ),  # fmt: skip
    Case("output type", "LESS", [tensor("int32", (3,)), tensor("int32", (3,))], [tensor("int32")], error="BOOL"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_compare(case):
    check(case)
