"""FILL, RANGE, ZEROS_LIKE, UNIQUE, MATRIX_DIAG, MATRIX_SET_DIAG, SEGMENT_SUM, UNSORTED_SEGMENT_*."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

TYPES = ["float32", "int8", "uint8", "int16", "int32", "int64", "bool"]


def fill(name, dtype, dims, index=np.int32, **extra):
    return Case(name, "FILL", [const(np.asarray(dims, index)), tensor(dtype, ())], [tensor(dtype)], **extra)


def span(name, dtype, start, limit, step, **extra):
    return Case(name, "RANGE", [const(np.asarray(v, dtype)) for v in (start, limit, step)], [tensor(dtype)], **extra)


def segments(name, dtype, shape, ids, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(ids, np.int32))]
    return Case(name, "SEGMENT_SUM", inputs, [tensor(dtype)], **extra)


def unsorted(name, op, dtype, shape, ids, n, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(ids, np.int32)), const(np.asarray(n, np.int32))]
    return Case(name, f"UNSORTED_SEGMENT_{op}", inputs, [tensor(dtype)], **extra)


CASES = [
    *[fill(f"fill {t}", t, (3, 7)) for t in TYPES],
    fill("fill int64", "float32", (3, 7), np.int64),
    fill("fill scalar", "float32", np.zeros((0,), np.int32)),
    fill("fill negative", "float32", (3, -7), error="-7"),
    Case(
        "fill found while running",
        "FILL",
        [tensor("int32", (2,), low=3, high=3), tensor("float32", ())],
        [tensor("float32")],
    ),
    *[span(f"range {t}", t, 3, 18, 4) for t in ("float32", "int32", "int64")],
    span("range down", "int32", 18, 3, -4),
    span("range fraction", "float32", 0.5, 2.1, 0.1),
    span("range empty", "int32", 3, 3, 1, oracle=lambda v: [np.zeros(0, np.int32)]),
    span("range endless", "int32", 3, 9, 0, error="no range"),
    span("range wrong way", "float32", 3, 9, -1, error="no range"),
    *[Case(f"zeros {t}", "ZEROS_LIKE", [tensor(t, (3, 5))], [tensor(t)]) for t in ("float32", "int32", "int64")],
    *[
        Case(
            f"unique {t}",
            "UNIQUE",
            [tensor(t, (60,), low=0, high=20)],
            [tensor(t), tensor("int32")],
            {"idx_out_type": "INT32"},
        )
        for t in ("int8", "uint8", "int16", "int32", "int64")
    ],
    Case(
        "unique float",
        "UNIQUE",
        [const(np.float32([1, 3, 1, 2, 3]))],
        [tensor("float32"), tensor("int64")],
        {"idx_out_type": "INT64"},
    ),
    *[Case(f"diag {t}", "MATRIX_DIAG", [tensor(t, (2, 3, 5))], [tensor(t)]) for t in TYPES if t != "bool"],
    Case(
        "diag bool",
        "MATRIX_DIAG",
        [tensor("bool", (2, 5))],
        [tensor("bool")],
        oracle=lambda v: [np.eye(5, dtype=np.bool_) & v[0][..., None]],
        peer_error="writes past the end of a bool matrix",
    ),
    *[
        Case(f"set diag {t} {m}", "MATRIX_SET_DIAG", [tensor(t, (2, *m)), tensor(t, (2, min(m)))], [tensor(t)])
        for t in TYPES
        if t != "bool"
        for m in ((3, 5), (5, 3))
    ],
    Case(
        "set diag shape",
        "MATRIX_SET_DIAG",
        [tensor("int8", (2, 3, 5)), tensor("int8", (2, 5))],
        [tensor("int8")],
        error="diagonal",
    ),
    *[segments(f"segment {t}", t, (6, 3), (0, 0, 1, 2, 2, 2)) for t in ("float32", "int32")],
    segments(
        "segment gap",
        "int32",
        (3, 4),
        (0, 2, 2),
        oracle=lambda v: [np.stack([v[0][0], np.zeros(4, np.int32), v[0][1] + v[0][2]])],
    ),
    segments("segment order", "float32", (3, 3), (0, 2, 1), error="must not be below"),
    segments("segment negative", "float32", (3, 3), (-1, 0, 1), error="segment id -1"),
    *[
        unsorted(f"unsorted {op} {t}", op, t, (6, 3), (2, 0, 2, 4, -1, 0), 5)
        for op in ("SUM", "PROD", "MAX", "MIN")
        for t in ("float32", "int32")
    ],
    unsorted("unsorted rank 2", "SUM", "float32", (2, 3, 4), [[0, 1, 0], [2, 1, 1]], 3),
    unsorted("unsorted outside", "SUM", "float32", (3, 3), (0, 2, 5), 5, error="segment id 5"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_generate(case: Case) -> None:
    check(case)
