"""SVDF: float32, hybrid, int8, over several invokes."""

from __future__ import annotations

import pytest
from harness import Case, check, const, tensor, variable


def svdf(name, batch=2, inputs=7, units=5, rank=2, memory=4, activation="NONE", bias=True, weights="float32", **extra):
    filters = units * rank
    scale = None if weights == "float32" else 0.02
    return Case(
        name,
        "SVDF",
        [
            tensor("float32", (batch, inputs)),
            const(weights, (filters, inputs), scale=scale, low=None if scale is None else -127),
            const(weights, (filters, memory), scale=scale, low=None if scale is None else -127),
            const("float32", (units,)) if bias else None,
            variable("float32", (batch, filters * memory)),
        ],
        [tensor("float32")],
        {"rank": rank, "fused_activation_function": activation, "asymmetric_quantize_inputs": extra.pop("asym", False)},
        version=extra.pop("version", 1),
        steps=6,
        **extra,
    )


def svdf_int8(name, batch=2, inputs=7, units=5, rank=2, memory=4):
    filters = units * rank
    return Case(
        name,
        "SVDF",
        [
            tensor("int8", (batch, inputs), scale=0.05, zero_point=3),
            const("int8", (filters, inputs), scale=0.01, low=-127),
            const("int16", (filters, memory), scale=0.0005, low=-1000, high=1000),
            const("int32", (units,), scale=0.0000005, low=-9000, high=9000),
            variable("int16", (batch, filters * memory), scale=0.001),
        ],
        [tensor("int8", scale=0.02, zero_point=-5)],
        {"rank": rank, "fused_activation_function": "RELU"},
        version=3,
        steps=6,
    )


CASES = [
    svdf("svdf"),
    svdf("svdf rank 1", rank=1, memory=1),
    svdf("svdf relu no bias", activation="RELU", bias=False, memory=9),
    svdf("svdf hybrid", weights="int8", version=2, rtol=1e-4),
    svdf("svdf hybrid asymmetric", weights="int8", version=4, asym=True, rtol=1e-4),
    svdf_int8("svdf int8"),
    svdf_int8("svdf int8 large", batch=1, inputs=40, units=16, rank=1, memory=10),
    svdf("svdf wide", inputs=33, memory=16),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_svdf(case):
    check(case)
