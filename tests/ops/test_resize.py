"""RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

SCALES = {
    "int8": {"scale": 0.05, "zero_point": -7},
    "uint8": {"scale": 0.05, "zero_point": 99},
    "int16": {"scale": 2e-4},
}
MODES = {"plain": {}, "corners": {"align_corners": True}, "centers": {"half_pixel_centers": True}}
TYPES = ["float32", "int8", "uint8", "int16"]


def resize(name, op, dtype, shape, size, mode="plain", **extra):
    spec = SCALES.get(dtype, {})
    made = None
    if op == "RESIZE_BILINEAR" and dtype in ("int8", "uint8") and "error" not in extra:
        extra["oracle"] = "xnnpack"  # takes only outputs whose shape the file tells
        made = (shape[0], *size, shape[3])
    return Case(
        f"{name} {op[7:14].lower()} {dtype} {mode}",
        op,
        [tensor(dtype, shape, **spec), const(np.array(size, np.int32))],
        [tensor(dtype, made, **spec)],
        MODES[mode],
        4 if dtype == "int16" else 3,
        **extra,
    )


OPS = ["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"]
ALL = [(op, d, m) for op in OPS for d in TYPES for m in MODES]
CASES = [
    *[resize("up", op, d, (2, 4, 5, 3), (9, 8), m) for op, d, m in ALL],
    *[resize("down", op, d, (1, 9, 11, 7), (4, 5), m) for op, d, m in ALL],
    *[resize("double", op, d, (1, 5, 6, 16), (10, 12), m) for op, d, m in ALL],
    *[resize("wide", op, d, (1, 3, 4, 33), (5, 7), m) for op, d, m in ALL],
    *[resize("gray", op, d, (1, 6, 5, 1), (7, 13), m) for op, d, m in ALL],
    *[resize("to one pixel", op, d, (1, 6, 5, 2), (1, 1), m) for op, d, m in ALL],
    *[resize("from one pixel", op, d, (1, 1, 1, 4), (3, 2), m) for op, d, m in ALL],
    *[resize("same", op, d, (1, 3, 4, 2), (3, 4), m) for op, d, m in ALL],
    *[resize("other", "RESIZE_NEAREST_NEIGHBOR", d, (1, 3, 4, 2), (5, 6)) for d in ("int32", "bool", "float16")],
    resize("nothing", "RESIZE_BILINEAR", "int8", (1, 3, 4, 2), (0, 6), error="above 0"),
    resize("negative", "RESIZE_NEAREST_NEIGHBOR", "int8", (1, 3, 4, 2), (1, -6), error="above 0"),
    resize("three sizes", "RESIZE_BILINEAR", "int8", (1, 3, 4, 2), (1, 6, 2), error="vector of 2"),
    Case(
        "resize to a computed size",
        "RESIZE_BILINEAR",
        [tensor("float32", (1, 4, 5, 3)), tensor("int32", (2,), low=1, high=9)],
        [tensor("float32")],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_resize(case):
    check(case)
