"""PAD, PADV2, MIRROR_PAD."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

TYPES = ["float32", "int8", "uint8", "int16", "int32", "int64", "bool"]
SCALES = {"int8": (0.5, -7), "uint8": (0.5, 9), "int16": (0.5, 0)}


def quantized(dtype: str) -> dict:
    return dict(zip(("scale", "zero_point"), SCALES[dtype], strict=True)) if dtype in SCALES else {}


def case(name, op, dtype, shape, pads, *more, version=1, **extra):
    inputs = [tensor(dtype, shape, **quantized(dtype)), const(np.asarray(pads)), *more]
    return Case(name, op, inputs, [tensor(dtype, **quantized(dtype))], version=version, **extra)


IMAGE = np.array([[0, 0], [1, 2], [3, 1], [0, 0]], np.int32)
CASES = [
    *[case(f"pad {t}", "PAD", t, (2, 3, 5, 3), IMAGE, version=4) for t in TYPES],
    case("pad int64 paddings", "PAD", "float32", (2, 3), np.array([[1, 0], [0, 2]], np.int64)),
    case("pad channels", "PAD", "int8", (1, 4, 3, 5), [[1, 0], [0, 0], [0, 0], [2, 3]], version=2),
    case("pad rank 1", "PAD", "int8", (7,), [[3, 2]], version=2),
    case("pad rank 5", "PAD", "float32", (1, 2, 3, 2, 2), [[0, 1], [1, 0], [0, 0], [1, 1], [0, 2]]),
    case("pad by nothing", "PAD", "float32", (2, 2), [[0, 0], [0, 0]]),
    *[
        case(f"padv2 {t}", "PADV2", t, (2, 3, 5, 3), IMAGE, const(np.array([3], t), **quantized(t)), version=4)
        for t in TYPES
        if t != "bool"
    ],
    *[
        case(f"mirror {mode} {t}", "MIRROR_PAD", t, (2, 3, 4, 3), p, options={"mode": mode}, version=2)
        for t in ("float32", "int8", "uint8", "int16", "int32", "int64", "bool")
        for mode, p in (
            ("REFLECT", [[0, 1], [2, 1], [3, 0], [1, 2]]),
            ("SYMMETRIC", [[2, 1], [3, 2], [0, 4], [1, 3]]),
        )
    ],
    case("mirror rank 1", "MIRROR_PAD", "float32", (5,), [[4, 3]], options={"mode": "REFLECT"}),
    case("mirror too far", "MIRROR_PAD", "float32", (5,), [[5, 0]], options={"mode": "REFLECT"}, error="0 to 4"),
    case("pad negative", "PAD", "float32", (5,), [[-1, 0]], error="paddings of axis 0"),
    case("pad huge", "PAD", "float32", (5,), [[2**31 - 1, 2**31 - 1]], error="elements"),
    case("pad wrong count", "PAD", "float32", (5, 5), [[1, 0]], error="needs 4"),
    Case(
        "pad dynamic",
        "PAD",
        [tensor("float32", (2, 3)), tensor("int32", (2, 2), low=0, high=3)],
        [tensor("float32")],
    ),
    Case(
        "padv2 computed value",
        "PADV2",
        [tensor("float32", (2, 3)), const([[1, 0], [0, 2]]), tensor("float32", (1,))],
        [tensor("float32")],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_pad(case):
    check(case)
