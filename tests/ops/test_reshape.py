"""RESHAPE, SQUEEZE, EXPAND_DIMS, BITCAST, SHAPE, RANK."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

TYPES = ["float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool"]


def ints(*values: int) -> np.ndarray:
    return np.asarray(values, np.int32)


def reshape(name, dtype, shape, new, option=None, **extra):
    inputs = [tensor(dtype, shape)] + ([] if new is None else [const(ints(*new))])
    return Case(name, "RESHAPE", inputs, [tensor(dtype)], {} if option is None else {"new_shape": option}, **extra)


CASES = [
    *[reshape(f"reshape {t}", t, (2, 3, 4), (4, -1)) for t in TYPES],
    reshape("reshape by option", "float32", (2, 6), None, [3, 4]),
    reshape("reshape to a scalar", "float32", (1, 1), None, [0]),
    reshape("reshape both", "float32", (2, 6), (12,), [3, 4]),
    reshape("reshape nothing", "float32", (0, 3), (3, -1), oracle=lambda v: [np.zeros((3, 0), np.float32)]),
    reshape("reshape size", "float32", (2, 6), (5, 2), error="elements"),
    reshape("reshape two open", "float32", (2, 6), (-1, -1), error="two"),
    reshape("reshape negative", "float32", (2, 6), (-2, -6), error="dimension -2"),
    Case(
        "reshape int4",
        "RESHAPE",
        [tensor("int4", (3, 3)), const(ints(9))],
        [tensor("int4")],
        oracle=lambda v: [v[0].reshape(9)],
    ),
    Case(
        "reshape unknown shape",
        "RESHAPE",
        [tensor("float32", (2, 6)), tensor("int32", (2,), low=-1, high=-1)],
        [tensor("float32")],
        error="two",
    ),
    *[Case(f"squeeze {t}", "SQUEEZE", [tensor(t, (1, 3, 1, 2))], [tensor(t)]) for t in TYPES],
    Case("squeeze some", "SQUEEZE", [tensor("int8", (1, 3, 1, 2))], [tensor("int8")], {"squeeze_dims": [-2]}),
    Case(
        "squeeze wide", "SQUEEZE", [tensor("int8", (1, 3))], [tensor("int8")], {"squeeze_dims": [1]}, error="3 elements"
    ),
    *[
        Case(f"expand {t} {axis}", "EXPAND_DIMS", [tensor(t, (2, 3)), const(ints(axis))], [tensor(t)])
        for t in ("float32", "int8", "int64")
        for axis in (0, 2, -1, -3)
    ],
    Case("expand outside", "EXPAND_DIMS", [tensor("int8", (2, 3)), const(ints(3))], [tensor("int8")], error="axis"),
    Case("bitcast same", "BITCAST", [tensor("float32", (2, 3))], [tensor("int32")]),
    Case("bitcast smaller", "BITCAST", [tensor("int32", (2, 3))], [tensor("int8")]),
    Case("bitcast larger", "BITCAST", [tensor("int8", (3, 8))], [tensor("float64")]),
    Case("bitcast wrong", "BITCAST", [tensor("int8", (3, 7))], [tensor("int64")], error="last dimension"),
    Case("shape", "SHAPE", [tensor("float32", (2, 3, 5))], [tensor("int32")], {"out_type": "INT32"}),
    Case("shape 64", "SHAPE", [tensor("int8", (2, 3, 5))], [tensor("int64")], {"out_type": "INT64"}),
    Case(
        "shape resized", "SHAPE", [tensor("int8", (2, 3))], [tensor("int32")], {"out_type": "INT32"}, resize={0: (7, 5)}
    ),
    Case("rank", "RANK", [tensor("float32", (2, 3, 5))], [tensor("int32")]),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reshape(case: Case) -> None:
    check(case)
