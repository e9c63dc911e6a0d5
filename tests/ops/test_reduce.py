"""MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

SHAPE = (2, 7, 5, 19)
AXES = ([1, 2], [3], [0], [-1, 1], [0, 1, 2, 3], [2, 2, -2], [0, 3], [1])


def reduce(op, dtype, axes, keep=False, shape=SHAPE, x=None, y=None, low=None, high=None, **extra):
    axis = tensor("int32", np.shape(axes)) if extra.pop("late", False) else const(np.array(axes, np.int32))
    inputs = [tensor(dtype, shape, *(x or (None, 0)), low=low, high=high), axis]
    name = f"{op} {dtype} {shape} {axes} {keep} {x}"
    return Case(name, op, inputs, [tensor(dtype, None, *(y or (None, 0)))], {"keep_dims": keep},
                extra.pop("version", 1), **extra)  # fmt: skip


def real(function, x, y, limits):
    def oracle(values):
        r = function((values[0].astype(np.float64) - x[1]) * x[0], axis=tuple(values[1]))
        return [np.clip(np.rint(r / y[0]) + y[1], *limits).astype(values[0].dtype)]

    return oracle


BYTE = {"int8": (-128, 127), "uint8": (0, 255)}

NOT_NUMBERS = np.random.default_rng(1).normal(size=(40, 40)).astype(np.float32)
NOT_NUMBERS[[1, 7, 39], [0, 33, 39]] = np.nan

CASES = [
    *[reduce(op, "float32", a, k) for op in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN") for a in AXES for k in (False, True)],
    *[reduce("REDUCE_PROD", "float32", a, low=0.8, high=1.2) for a in AXES],
    *[reduce(op, d, a, low=-9, high=9) for op in ("SUM", "REDUCE_MAX", "REDUCE_MIN", "MEAN", "REDUCE_PROD")
      for d in ("int32", "int64") for a in ([1, 2], [3])],
    *[reduce(op, "bool", a, k) for op in ("REDUCE_ANY", "REDUCE_ALL") for a in AXES[:4] for k in (False, True)],
    *[reduce("MEAN", d, a, k, x=(0.11, 7 + (d == "uint8") * 100), y=(0.07, 3 + (d == "uint8") * 128), version=2,
             atol=1)
      for d in BYTE for a in AXES for k in (False, True)],
    *[reduce("MEAN", "int16", a, x=(0.0011, 0), y=(0.0007, 0), version=3) for a in AXES],
    *[reduce("MEAN", "int8", [1, 2], shape=(1, n, n, c), x=(0.05, -3), y=(0.05, -3), version=2, atol=1)
      for n, c in ((1, 33), (7, 27), (31, 33))],
    *[reduce("SUM", d, a, x=(0.02, 7), y=(0.3, 3), version=2, oracle=real(np.sum, (0.02, 7), (0.3, 3), lim), atol=1)
      for d, lim in BYTE.items() for a in ([1, 2], [3])],
    *[reduce("SUM", d, a, x=(0.02, 7), y=(0.3, 3), version=2, atol=1) for d in BYTE for a in ([1, 2], [3])],
    *[reduce(op, d, a, x=(0.02, 0), y=(0.02, 0), version=2) for op in ("REDUCE_MAX", "REDUCE_MIN")
      for d in (*BYTE, "int16") for a in ([1, 2], [3], [0, 2])],
    *[reduce(op, "float16", [1, 2], rtol=1e-3, oracle=lambda v, f=f: [f(v[0].astype(np.float64), (1, 2)).astype(np.float16)])
      for op, f in (("MEAN", np.mean), ("SUM", np.sum), ("REDUCE_MAX", np.max), ("REDUCE_MIN", np.min))],
    reduce("REDUCE_PROD", "int8", [1], shape=(4, 3), x=(0.02, 7), y=(0.05, 3), version=2, atol=1),
    reduce("SUM", "float32", [1, 2], shape=(1, 300, 40, 3)),
    reduce("SUM", "float32", [0], shape=(200, 520)),
    *[reduce(op, d, a, shape=s, x=x, y=x, version=3 if op != "SUM" else 2, atol=int(x is not None))
      for op in ("SUM", "MEAN", "REDUCE_MAX") for s, a in (((2, 40000, 3), [1]), ((3, 40000), [1]), ((5, 3, 300), [0, 2]))
      for d, x in (("int8", (0.02, 7)), ("uint8", (0.02, 7)), ("int16", (0.002, 0)), ("int32", None), ("float32", None))
      if (op, d) != ("SUM", "int16")],
    *[reduce(op, "bool", [1], shape=(3, 40000)) for op in ("REDUCE_ANY", "REDUCE_ALL")],
    *[Case(f"{op} nan {axis}", op, [const(NOT_NUMBERS), const(np.array([axis], np.int32))],
           [tensor("float32")], {"keep_dims": False}, oracle=lambda v, f=f, axis=axis: [f(v[0], axis)])
      for op, f in (("REDUCE_MAX", np.max), ("REDUCE_MIN", np.min)) for axis in (0, 1)],
    reduce("SUM", "float32", [1], shape=(3, 0), oracle=lambda v: [np.zeros(3, np.float32)]),
    reduce("REDUCE_MAX", "float32", [0], shape=(5, 0), oracle=lambda v: [np.zeros(0, np.float32)]),
    reduce("MEAN", "float32", [4], error="axis"),
    reduce("SUM", "float32", [-5], error="axis"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reduce(case):
    check(case)
