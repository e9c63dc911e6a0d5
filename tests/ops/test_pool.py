"""AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D, LOCAL_RESPONSE_NORMALIZATION."""

from __future__ import annotations

import pytest
from harness import Case, check, tensor

SCALES = {
    "int8": {"scale": 0.05, "zero_point": -7},
    "uint8": {"scale": 0.05, "zero_point": 99},
    "int16": {"scale": 2e-4},
}
VERSION = {"float32": 1, "uint8": 1, "int8": 2, "int16": 3}


def t(dtype, shape=None):
    return tensor(dtype, shape, **SCALES.get(dtype, {}))


def pool(name, op, dtype, shape, filter=(2, 2), stride=(1, 1), padding="SAME", activation="NONE", **extra):
    options = {
        "padding": padding,
        "filter_height": filter[0],
        "filter_width": filter[1],
        "stride_h": stride[0],
        "stride_w": stride[1],
        "fused_activation_function": activation,
    }
    version = VERSION[dtype] if op != "L2_POOL_2D" else 1
    return Case(f"{name} {dtype} {op[:-8].lower()}", op, [t(dtype, shape)], [t(dtype)], options, version, **extra)


PAIRS = [(op, d) for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D") for d in VERSION]
PAIRS.append(("L2_POOL_2D", "float32"))
CASES = [
    *[pool("same", op, d, (2, 7, 5, 3), (3, 3), (2, 2)) for op, d in PAIRS],
    *[pool("valid", op, d, (1, 9, 8, 21), (3, 2), (2, 3), "VALID") for op, d in PAIRS],
    *[pool("large", op, d, (1, 4, 3, 5), (9, 7), (2, 1)) for op, d in PAIRS],
    *[pool("whole", op, d, (2, 7, 7, 133), (7, 7), (1, 1), "VALID") for op, d in PAIRS],
    *[pool("relu6", op, d, (1, 5, 5, 40), (2, 2), (2, 2), "VALID", "RELU6") for op, d in PAIRS],
    *[pool("relu1", op, d, (1, 5, 5, 17), (2, 2), (1, 1), "SAME", "RELU_N1_TO_1") for op, d in PAIRS],
    *[pool("one channel", op, d, (1, 11, 13, 1), (2, 2), (2, 2)) for op, d in PAIRS],
    *[pool("many channels", op, d, (1, 4, 4, 200), (3, 3), (1, 1)) for op, d in PAIRS],
    pool("stride 0", "MAX_POOL_2D", "int8", (1, 4, 4, 2), (2, 2), (0, 1), error="stride"),
    pool("filter 0", "MAX_POOL_2D", "int8", (1, 4, 4, 2), (2, 0), (1, 1), error="filter"),
    pool("filter negative", "AVERAGE_POOL_2D", "float32", (1, 4, 4, 2), (-1, 2), (1, 1), error="filter"),
    pool("too large", "AVERAGE_POOL_2D", "float32", (1, 4, 4, 2), (5, 2), (1, 1), "VALID", error="window"),
    pool("far", "AVERAGE_POOL_2D", "float32", (1, 4, 4, 2), (2**31 - 1, 2), (1, 1), error="spans"),
    pool("empty batch", "AVERAGE_POOL_2D", "float32", (0, 4, 4, 2), (2, 2), oracle=lambda v: [v[0]]),
    *[
        Case(
            f"lrn radius {radius}",
            "LOCAL_RESPONSE_NORMALIZATION",
            [tensor("float32", (2, 3, 3, channels))],
            [tensor("float32")],
            {"radius": radius, "bias": 1.5, "alpha": 0.25, "beta": beta},
        )
        for radius, channels, beta in ((0, 4, 1.0), (2, 9, 0.5), (5, 7, 0.75), (9, 3, 0.3))
    ],
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_pool(case):
    check(case)
