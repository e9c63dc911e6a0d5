"""TOPK_V2."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor


def topk(name, dtype, shape, k, **extra):
    inputs = [
        tensor(dtype, shape, low=extra.pop("low", None), high=extra.pop("high", None)),
        const(np.asarray(k, np.int32)),
    ]
    return Case(name, "TOPK_V2", inputs, [tensor(dtype), tensor("int32")], version=2, **extra)


CASES = [
    *[topk(t, t, (3, 50), 7) for t in ("float32", "int8", "uint8", "int16", "int32", "int64")],
    topk("ties", "int8", (5, 40), 11, low=0, high=3),
    topk("all", "float32", (2, 3, 9), 9),
    topk("none", "float32", (2, 9), 0, oracle=lambda v: [np.zeros((2, 0), np.float32), np.zeros((2, 0), np.int32)]),
    topk("too many", "float32", (2, 9), 10, error="k is 10"),
    Case(
        "found while running",
        "TOPK_V2",
        [tensor("float32", (3, 9)), tensor("int32", (), low=4, high=4)],
        [tensor("float32"), tensor("int32")],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_topk(case: Case) -> None:
    check(case)
