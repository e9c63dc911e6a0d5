"""SPACE_TO_DEPTH, DEPTH_TO_SPACE, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

SCALES = {"int8": {"scale": 0.5, "zero_point": -7}, "uint8": {"scale": 0.5, "zero_point": 9}, "int16": {"scale": 0.5}}


def t(dtype, shape=None):
    return tensor(dtype, shape, **SCALES.get(dtype, {}))


def batch(name, op, dtype, shape, block, borders, **extra):
    inputs = [t(dtype, shape), const(np.array(block, np.int32)), const(np.array(borders, np.int32))]
    return Case(name, op, inputs, [t(dtype)], version=2, **extra)


DEPTH_TYPES = ["float32", "int8", "uint8", "int32", "int64"]
BATCH_TYPES = ["float32", "int8", "uint8", "int16", "int32", "int64"]
CASES = [
    *[Case(f"s2d {d}", "SPACE_TO_DEPTH", [t(d, (2, 4, 6, 3))], [t(d)], {"block_size": 2}) for d in DEPTH_TYPES],
    *[Case(f"d2s {d}", "DEPTH_TO_SPACE", [t(d, (2, 3, 2, 18))], [t(d)], {"block_size": 3}) for d in DEPTH_TYPES],
    Case("s2d block 1", "SPACE_TO_DEPTH", [t("float32", (1, 2, 3, 4))], [t("float32")], {"block_size": 1}),
    Case("s2d odd", "SPACE_TO_DEPTH", [t("float32", (1, 3, 4, 1))], [t("float32")], {"block_size": 2}, error="divide"),
    Case("s2d zero", "SPACE_TO_DEPTH", [t("float32", (1, 3, 4, 1))], [t("float32")], {"block_size": 0}, error="block"),
    Case("d2s odd", "DEPTH_TO_SPACE", [t("float32", (1, 3, 4, 6))], [t("float32")], {"block_size": 2}, error="divide"),
    *[batch(f"s2b {d}", "SPACE_TO_BATCH_ND", d, (2, 3, 5, 2), (2, 3), [[1, 0], [2, 2]]) for d in BATCH_TYPES],
    *[batch(f"b2s {d}", "BATCH_TO_SPACE_ND", d, (12, 3, 2, 2), (2, 3), [[1, 0], [2, 1]]) for d in BATCH_TYPES],
    batch("s2b rank 3", "SPACE_TO_BATCH_ND", "float32", (2, 5, 3), (3,), [[1, 3]]),
    batch("b2s rank 3", "BATCH_TO_SPACE_ND", "float32", (6, 5, 3), (3,), [[1, 3]]),
    batch("s2b no blocks", "SPACE_TO_BATCH_ND", "int8", (1, 2, 2, 1), (1, 1), [[0, 0], [0, 0]]),
    batch("s2b odd", "SPACE_TO_BATCH_ND", "float32", (1, 3, 3, 1), (2, 2), [[0, 0], [0, 1]], error="divide"),
    batch("b2s batch", "BATCH_TO_SPACE_ND", "float32", (3, 3, 3, 1), (2, 2), [[0, 0], [0, 1]], error="batch of 3"),
    batch("b2s crop", "BATCH_TO_SPACE_ND", "float32", (4, 3, 3, 1), (2, 2), [[0, 7], [0, 1]], error="crops"),
    batch("b2s zero block", "BATCH_TO_SPACE_ND", "float32", (4, 3, 3, 1), (2, 0), [[0, 0], [0, 1]], error="above 0"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_space(case):
    check(case)
