"""SLICE, STRIDED_SLICE, DYNAMIC_UPDATE_SLICE, REVERSE_V2, REVERSE_SEQUENCE."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

TYPES = ["float32", "int8", "uint8", "int16", "int32", "int64", "bool"]


def part(name, dtype, shape, begin, size, index=np.int32, version=2, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(begin, index)), const(np.asarray(size, index))]
    return Case(name, "SLICE", inputs, [tensor(dtype)], version=version, **extra)


def stride(name, dtype, shape, begin, end, step, version=2, **extra):
    options = {k: extra.pop(k) for k in list(extra) if k.endswith("mask") or k == "offset"}
    inputs = [tensor(dtype, shape), *[const(np.asarray(v, np.int32)) for v in (begin, end, step)]]
    return Case(name, "STRIDED_SLICE", inputs, [tensor(dtype)], options, version=version, **extra)


def update(name, dtype, shape, piece, start, **extra):
    inputs = [tensor(dtype, shape), tensor(dtype, piece), const(np.asarray(start, np.int32))]
    return Case(name, "DYNAMIC_UPDATE_SLICE", inputs, [tensor(dtype)], **extra)


def lengths(name, dtype, shape, values, seq, batch, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(values, np.int32))]
    return Case(name, "REVERSE_SEQUENCE", inputs, [tensor(dtype)], {"seq_dim": seq, "batch_dim": batch}, **extra)


def masked(index):
    return lambda v: [np.ascontiguousarray(v[0][index])]


CASES = [
    *[part(f"slice {t}", t, (3, 5, 4), (1, 0, 2), (2, 4, -1)) for t in TYPES],
    part("slice int64 indices", "float32", (3, 5), (1, 2), (1, 3), np.int64),
    part("slice rank 5", "float32", (2, 3, 2, 3, 2), (0, 1, 0, 1, 0), (2, 2, 1, 2, 2), version=5),
    part(
        "slice rank 7",
        "float32",
        (2, 3, 2, 1, 2, 3, 2),
        (0, 1, 0, 0, 1, 1, 0),
        (2, 2, 1, 1, 1, 2, 2),
        oracle=masked(np.s_[0:2, 1:3, 0:1, 0:1, 1:2, 1:3, 0:2]),
    ),
    part("slice nothing", "float32", (3, 5), (1, 5), (2, 0), oracle=masked(np.s_[1:3, 5:5])),
    part("slice outside", "float32", (3, 5), (1, 2), (1, 4), error="dimension 1"),
    part("slice before", "float32", (3, 5), (-1, 2), (1, 1), error="dimension 0"),
    part("slice int4", "int4", (3, 5), (1, 1), (2, 3), version=6, oracle=masked(np.s_[1:3, 1:4])),
    *[stride(f"stride {t}", t, (4, 6, 5), (0, 1, 0), (4, 6, 5), (2, 3, 2)) for t in TYPES],
    stride("stride negative", "float32", (4, 6), (3, -1), (-5, -6), (-1, -2)),
    stride("stride begin end masks", "float32", (4, 6), (1, 2), (3, 4), (1, 1), begin_mask=1, end_mask=2),
    stride("stride masks backwards", "float32", (4, 6), (1, 2), (3, 4), (-1, -1), begin_mask=3, end_mask=3),
    stride("stride shrink", "int8", (4, 6, 3), (1, 0, -1), (2, 6, 3), (1, 2, 1), shrink_axis_mask=5),
    stride("stride shrink all", "float32", (4,), (2,), (3,), (1,), shrink_axis_mask=1),
    stride("stride clamped", "float32", (4, 6), (-9, 2), (9, 99), (1, 1)),
    stride("stride rank 5", "float32", (2, 3, 2, 3, 2), (0, 0, 0, 1, 0), (2, 3, 2, 3, 2), (1, 2, 1, 1, 1)),
    stride("stride empty", "float32", (4, 6), (3, 0), (1, 6), (1, 1), oracle=masked(np.s_[3:1, 0:6])),
    stride("stride new axis", "float32", (4, 6), (0, 1, 0), (0, 4, 6), (1, 2, 1), version=6, new_axis_mask=1),
    stride("stride new axis inside", "int8", (4, 6), (1, 0, 0), (4, 0, 6), (2, 1, 4), version=6, new_axis_mask=2),
    stride("stride ellipsis", "float32", (2, 3, 4, 5), (1, 0, 1), (2, 0, 4), (1, 1, 2), version=6, ellipsis_mask=2),
    stride("stride ellipsis last", "float32", (3, 4, 5), (1, 0), (3, 0), (1, 1), version=6, ellipsis_mask=2),
    stride(
        "stride ellipsis new axis",
        "float32",
        (3, 4, 5),
        (1, 0, 0, 1),
        (3, 0, 0, 3),
        (1, 1, 1, 1),
        version=6,
        ellipsis_mask=2,
        new_axis_mask=4,
        oracle=masked(np.s_[1:3, ..., None, 1:3]),
    ),
    stride(
        "stride shrink ellipsis",
        "float32",
        (3, 4, 5),
        (0, 2),
        (0, 3),
        (1, 1),
        ellipsis_mask=1,
        shrink_axis_mask=2,
        version=6,
        oracle=masked(np.s_[..., 2]),
    ),
    stride("stride fewer indices", "float32", (3, 4, 5), (1,), (3,), (1,), oracle=masked(np.s_[1:3])),
    stride("stride offset", "float32", (6, 5), (2, 1), (3, 2), (1, 1), version=8, offset=True),
    stride("stride zero", "float32", (4, 6), (0, 0), (4, 6), (0, 1), error="stride 0"),
    stride("stride index outside", "float32", (4, 6), (4, 0), (5, 6), (1, 1), shrink_axis_mask=1, error="outside"),
    stride("stride too many", "float32", (4,), (0, 0), (4, 6), (1, 1), error="indexed"),
    *[update(f"update {t}", t, (4, 5, 3), (2, 5, 2), (1, 0, 1)) for t in TYPES],
    update("update clamped", "float32", (4, 5), (2, 3), (3, -7)),
    update("update all", "float32", (4, 5), (4, 5), (1, 1)),
    update("update too large", "float32", (4, 5), (2, 6), (0, 0), error="dimension 1"),
    update(
        "update int4",
        "int4",
        (4, 5),
        (2, 3),
        (1, 1),
        oracle=lambda v: [
            np.concatenate([v[0][:1], np.concatenate([v[0][1:3, :1], v[1], v[0][1:3, 4:]], 1), v[0][3:]])
        ],
    ),
    *[
        Case(
            f"reverse {t} {axes}", "REVERSE_V2", [tensor(t, (3, 4, 5)), const(np.asarray(axes, np.int32))], [tensor(t)]
        )
        for t in TYPES
        for axes in ([0], [2], [1])
    ],
    Case(
        "reverse two",
        "REVERSE_V2",
        [tensor("float32", (3, 4, 5)), const(np.asarray([0, -1], np.int32))],
        [tensor("float32")],
        oracle=masked(np.s_[::-1, :, ::-1]),
    ),
    Case(
        "reverse twice",
        "REVERSE_V2",
        [tensor("float32", (3, 4, 5)), const(np.asarray([2, -1], np.int32))],
        [tensor("float32")],
        error="twice",
    ),
    *[lengths(f"sequence {t}", t, (3, 7, 2), (7, 0, 3), 1, 0) for t in ("float32", "uint8", "int16", "int32", "int64")],
    lengths("sequence batch last", "float32", (5, 2, 3), (1, 5, 2), 0, 2),
    lengths("sequence too long", "float32", (3, 7), (7, 0, 8), 1, 0, error="length 8"),
    lengths("sequence same", "float32", (3, 7), (7, 0, 7), 0, 0, error="batch_dim"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_slice(case: Case) -> None:
    check(case)
