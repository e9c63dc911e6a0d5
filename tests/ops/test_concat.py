"""CONCATENATION, PACK, UNPACK, SPLIT, SPLIT_V."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

JOINED = ["float32", "int8", "uint8", "int16", "int32", "int64", "bool"]


def join(name, dtype, shapes, axis, scales=None, out=None, **extra):
    quantized = [{} if scales is None else dict(zip(("scale", "zero_point"), s, strict=True)) for s in scales or shapes]
    target = {} if out is None else dict(zip(("scale", "zero_point"), out, strict=True))
    inputs = [tensor(dtype, s, **q) for s, q in zip(shapes, quantized, strict=True)]
    return Case(name, "CONCATENATION", inputs, [tensor(dtype, **target)], {"axis": axis}, version=2, **extra)


def split(name, dtype, shape, axis, n, **extra):
    inputs = [const(np.asarray(axis, np.int32)), tensor(dtype, shape)]
    return Case(name, "SPLIT", inputs, [tensor(dtype) for _ in range(n)], {"num_splits": n}, version=2, **extra)


def split_v(name, dtype, shape, sizes, axis, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(sizes, np.int32)), const(np.asarray(axis, np.int32))]
    return Case(name, "SPLIT_V", inputs, [tensor(dtype) for _ in sizes], {"num_splits": len(sizes)}, version=2, **extra)


SAME = (0.5, 3)
CASES = [
    *[
        join(f"concat {t} {a}", t, [(2, 3, 5)] * 3, a)
        for t in ("float32", "int32", "int64", "bool")
        for a in (0, 1, -1)
    ],
    *[
        join(f"concat {t} {a}", t, [(2, 3, 5)] * 2, a, [(0.5, z)] * 2, (0.5, z))
        for t, z in (("int8", 3), ("uint8", 3), ("int16", 0))
        for a in (0, 2)
    ],
    join("concat uneven", "float32", [(2, 1, 3), (2, 4, 3), (2, 0, 3)], 1),
    join("concat one", "float32", [(2, 3)], 0),
    join("concat large", "int8", [(1, 300, 500), (1, 20, 500)], 1, [SAME] * 2, SAME),
    join("concat uint8 rescaled", "uint8", [(3, 50), (3, 70), (3, 5)], 1, [(0.5, 3), (0.37, 100), (0.25, 0)], (0.5, 3)),
    join("concat uint8 rescaled rows", "uint8", [(3, 50), (2, 50)], 0, [(0.5, 3), (0.77, 100)], (0.6, 128)),
    join("concat int8 scales", "int8", [(3, 5), (3, 5)], 1, [(0.5, 3), (0.4, 3)], (0.5, 3), error="scale"),
    join("concat shapes", "float32", [(3, 5), (4, 5)], 1, error="elements in dimension"),
    join("concat axis", "float32", [(3, 5), (4, 5)], 2, error="axis"),
    Case(
        "concat int4",
        "CONCATENATION",
        [tensor("int4", (3, 3)), tensor("int4", (3, 2))],
        [tensor("int4")],
        {"axis": 1},
        version=6,
        oracle=lambda v: [np.concatenate(v, 1)],
    ),
    *[
        Case(f"pack {t} {a}", "PACK", [tensor(t, (2, 3))] * 4, [tensor(t)], {"values_count": 4, "axis": a}, version=2)
        for t in JOINED
        if t != "bool"
        for a in (0, -1)
    ],
    Case("pack scalars", "PACK", [tensor("int32", ())] * 3, [tensor("int32")], {"values_count": 3}, version=2),
    Case("pack count", "PACK", [tensor("int32", ())] * 3, [tensor("int32")], {"values_count": 2}, error="values_count"),
    *[
        Case(f"unpack {t} {a}", "UNPACK", [tensor(t, (3, 2, 3))], [tensor(t)] * 3, {"num": 3, "axis": a}, version=2)
        for t in ("float32", "int8", "uint8", "int16", "int32", "bool")
        for a in (0, -1)
    ],
    Case("unpack count", "UNPACK", [tensor("int8", (4, 2))], [tensor("int8")] * 3, {"num": 3}, error="outputs"),
    *[
        split(f"split {t} {a}", t, (4, 6, 2), a, 2)
        for t in ("float32", "int8", "uint8", "int16", "int32")
        for a in (0, 1, -1)
    ],
    split("split uneven", "float32", (4, 5), 1, 2, error="cannot be split"),
    *[
        split_v(f"split_v {t}", t, (4, 9), (2, -1, 3), 1)
        for t in ("float32", "int8", "uint8", "int16", "int32", "int64")
    ],
    split_v("split_v rows", "float32", (6, 3), (1, 2, 3), 0),
    split_v("split_v sum", "float32", (6, 3), (1, 2, 4), 0, error="add up"),
    split_v("split_v negative", "float32", (6, 3), (-1, -1, 4), 0, error="size 1"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_concat(case: Case) -> None:
    check(case)
