"""ARG_MAX ARG_MIN, CUMSUM."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

NOT_NUMBERS = np.random.default_rng(1).normal(size=(40, 40)).astype(np.float32)
NOT_NUMBERS[[1, 7, 39], [0, 33, 39]] = np.nan

CASES = [
    *[
        Case(f"{op} {d} {o} {a}", op, [tensor(d, (3, 5, 7)), const(np.array(a, np.int32))], [tensor(o)],
             {"output_type": o.upper()}, version=2)
        for op in ("ARG_MAX", "ARG_MIN")
        for d in ("float32", "int8", "uint8", "int32")
        for o in ("int32", "int64")
        for a in (-1, 0, 1)
    ],
    Case("arg max ties", "ARG_MAX", [const(np.array([[1, 3, 3, 0], [2, 2, 2, 2]], np.int32)), const(np.array(1, np.int32))],
         [tensor("int32")], {"output_type": "INT32"}, oracle=lambda v: [np.array([1, 0], np.int32)]),
    Case("arg max empty", "ARG_MAX", [tensor("float32", (3, 0)), const(np.array(1, np.int32))], [tensor("int32")],
         {"output_type": "INT32"}, error="empty"),
    *[
        Case(f"cumsum {d} {a} {e} {r}", "CUMSUM", [tensor(d, (3, 5, 7), low=-99, high=99), const(np.array(a, np.int32))],
             [tensor(d)], {"exclusive": e, "reverse": r})
        for d in ("float32", "int32", "int64")
        for a in (0, 1, -1)
        for e in (False, True)
        for r in (False, True)
    ],
    *[Case(f"cumsum {d} {s} {a} {e}", "CUMSUM", [tensor(d, s, low=-99, high=99), const(np.array(a, np.int32))], [tensor(d)],
           {"exclusive": e, "reverse": e})
      for d in ("float32", "int32", "int64") for s, a in (((2, 5, 300), 1), ((22, 33), -1)) for e in (False, True)],
    *[Case(f"cumsum empty {s} {a}", "CUMSUM", [tensor("float32", s), const(np.array(a, np.int32))], [tensor("float32")],
           {"exclusive": False, "reverse": True}, oracle=lambda v: [v[0]]) for s in ((3, 0), (0, 3)) for a in (0, 1)],
    *[Case(f"{op} {d} {n}", op, [tensor(d, (30, n)), const(np.array(1, np.int32))], [tensor("int32")],
           {"output_type": "INT32"}, version=2)
      for op in ("ARG_MAX", "ARG_MIN") for d in ("float32", "int8", "uint8", "int32") for n in (1, 8, 100, 1001)],
    *[Case(f"{op} nan", op, [const(NOT_NUMBERS), const(np.array(1, np.int32))], [tensor("int32")],
           {"output_type": "INT32"}, oracle=lambda v, f=f: [np.where(np.isnan(v[0][:, 0]), 0, f(v[0], 1)).astype(np.int32)])
      for op, f in (("ARG_MAX", np.nanargmax), ("ARG_MIN", np.nanargmin))],
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_axis(case):
    check(case)
