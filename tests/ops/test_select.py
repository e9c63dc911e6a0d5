"""SELECT, SELECT_V2, WHERE."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor


def select(op, dtype, c, a, b, **extra):
    q = {"int8": (0.1, 3), "uint8": (0.1, 3), "int16": (0.1, 0)}.get(dtype, (None, 0))
    inputs = [tensor("bool", c), tensor(dtype, a, *q), tensor(dtype, b, *q)]
    return Case(f"{op} {dtype} {c} {a} {b}", op, inputs, [tensor(dtype, None, *q)], **extra)


def numpy_where(values):
    return [np.argwhere(values[0]).astype(np.int64)]


CASES = [
    *[select("SELECT", d, (3, 5), (3, 5), (3, 5)) for d in ("float32", "int32", "int64", "int16", "int8", "bool")],
    select("SELECT", "float32", (3,), (3, 5, 2), (3, 5, 2)),
    select("SELECT", "int32", (), (7, 5), (7, 5)),
    *[select("SELECT_V2", d, (3, 5), (3, 5), (3, 5)) for d in ("float32", "int32", "int64", "int16", "int8", "bool")],
    select("SELECT_V2", "float32", (4, 1), (1, 5), (5,)),
    select("SELECT_V2", "float32", (1, 5), (), ()),
    select("SELECT_V2", "int8", (2, 3, 4), (4,), (2, 1, 1)),
    select("SELECT_V2", "float32", (), (6001,), (6001,)),
    select("SELECT_V2", "float32", (0, 3), (1, 3), (1,), oracle=lambda v: [np.where(*v)]),
    Case("select shapes", "SELECT", [tensor("bool", (2,)), tensor("float32", (3, 2)), tensor("float32", (3, 2))],
         [tensor("float32")], error="condition"),
    *[
        Case(f"where {d} {s}", "WHERE", [tensor(d, s, low=-1, high=1) if d != "bool" else tensor(d, s)],
             [tensor("int64")])
        for d in ("bool", "int32", "int64", "int8")
        for s in ((7,), (3, 5), (2, 3, 4), (1003,), (3, 2, 200))
    ],
    Case("where nothing", "WHERE", [const(np.zeros((4, 5), np.bool_))], [tensor("int64")], oracle=numpy_where),
    Case("where float", "WHERE", [const(np.array([0, 1.5, -0.0, np.nan], np.float32))], [tensor("int64")],
         oracle=numpy_where),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_select(case):
    check(case)
