"""DEPTHWISE_CONV_2D: float32, int8, uint8, int16 x int8, float32 x int8.

int8 and uint8 follow the float rounding rule (one rounding, half to even), LiteRT's plain kernels a fixed-point one: the
answers may differ by one. XNNPACK follows the same rule as we do on x86: cases with that oracle are exact.
"""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor


def scales(n, seed=1):
    return (np.random.default_rng(seed).uniform(0.5, 2, n) * 0.004).astype(np.float32)


def depthwise(
    name,
    dtype,
    shape,
    kernel=(3, 3),
    stride=(1, 1),
    padding="SAME",
    multiplier=1,
    dilation=(1, 1),
    activation="NONE",
    bias=True,
    per_channel=True,
    filter_type="int8",
    bias_type=None,
    computed=False,
    **extra,
):
    n = shape[3] * multiplier
    taps = kernel[0] * kernel[1]
    wide = (1, kernel[0], kernel[1], n)
    options = {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h_factor": dilation[0],
        "dilation_w_factor": dilation[1],
        "depth_multiplier": multiplier,
        "fused_activation_function": activation,
    }
    weight_scale = scales(n) if per_channel else 0.006
    make = tensor if computed else const
    if dtype == "float32":
        x, y = tensor(dtype, shape), tensor(dtype)
        if filter_type == "float32":
            w = make("float32", wide)
        else:
            w = make(filter_type, wide, scale=weight_scale, axis=3 if per_channel else 0, low=-127)
        b = make("float32", (n,))
    else:
        in_scale = {"int8": 0.05, "uint8": 0.05, "int16": 2e-4}[dtype]
        zero = {"int8": -11, "uint8": 120, "int16": 0}[dtype]
        x = tensor(dtype, shape, scale=in_scale, zero_point=zero)
        out_scale = in_scale * 0.5 * taps**0.5
        y = tensor(dtype, scale=out_scale, zero_point={"int8": 5, "uint8": 101, "int16": 0}[dtype])
        if dtype == "uint8":
            w = make("uint8", wide, scale=0.006, zero_point=139)
        else:
            w = make(
                filter_type,
                wide,
                scale=weight_scale,
                axis=3 if per_channel else 0,
                low=-7 if filter_type == "int4" else -127,
            )
        b = make(bias_type or {"int16": "int64"}.get(dtype, "int32"), (n,), low=-3000, high=3000)
        extra.setdefault("atol", 1)
    label = f"{name} {dtype}" + ("" if filter_type in (dtype, "int8") or dtype == "uint8" else f" x {filter_type}")
    version = (
        7
        if filter_type == "int4"
        else 6
        if dtype == "float32" and filter_type != dtype
        else 5
        if dtype == "int16"
        else 3
    )
    return Case(label, "DEPTHWISE_CONV_2D", [x, w, b if bias else None], [y], options, version, **extra)


def all_types(name, shape, types=("float32", "int8", "uint8", "int16"), **keys):
    for dtype in types:
        yield depthwise(name, dtype, shape, filter_type="float32" if dtype == "float32" else "int8", **keys)


CASES = [
    *all_types("odd", (2, 7, 9, 5)),
    *all_types("valid", (1, 8, 7, 18), padding="VALID"),
    *all_types("stride 2", (2, 9, 8, 20), stride=(2, 2)),
    *all_types("stride 2 valid", (1, 8, 9, 64), stride=(2, 2), padding="VALID"),
    *all_types("strides differ", (1, 9, 8, 17), stride=(1, 2)),
    *all_types("stride 3", (1, 11, 10, 33), stride=(3, 3)),
    *all_types("5x5", (1, 9, 11, 40), kernel=(5, 5)),
    *all_types("5x5 stride 2", (1, 9, 11, 24), kernel=(5, 5), stride=(2, 2)),
    *all_types("5x5 small image", (1, 3, 2, 16), kernel=(5, 5)),
    *all_types("wide kernel", (1, 5, 13, 8), kernel=(1, 7)),
    *all_types("tall kernel", (1, 13, 5, 70), kernel=(10, 1), stride=(2, 1)),
    *all_types("7x7", (1, 9, 9, 130), kernel=(7, 7)),
    *all_types("1x1", (1, 4, 5, 37), kernel=(1, 1)),
    *all_types("2x2", (1, 6, 6, 48), kernel=(2, 2)),
    *all_types("whole image", (2, 6, 5, 19), kernel=(6, 5), padding="VALID"),
    *all_types("dilated", (1, 9, 10, 16), dilation=(2, 2)),
    *all_types("dilated apart", (1, 9, 12, 23), dilation=(3, 1)),
    *all_types("dilated wide", (1, 9, 12, 3), dilation=(1, 4)),
    *all_types("multiplier 8", (1, 11, 9, 1), multiplier=8, kernel=(5, 3), stride=(2, 2)),
    *all_types("multiplier 3", (2, 6, 7, 6), multiplier=3),
    *all_types("multiplier 2", (1, 6, 7, 32), multiplier=2),
    *all_types("relu", (1, 6, 7, 12), activation="RELU"),
    *all_types("relu6", (1, 6, 7, 36), activation="RELU6"),
    *all_types("relu1", (1, 6, 7, 4), activation="RELU_N1_TO_1"),
    *all_types("no bias", (1, 6, 7, 16), types=("float32", "int8"), bias=False),
    *[
        all_case
        for n in (1, 2, 4, 8, 16, 24, 32, 48, 64, 65, 96, 100, 128, 144)
        for all_case in (
            depthwise(f"{n} channels", "int8", (1, 6, 9, n)),
            depthwise(f"{n} channels stride 2", "int8", (1, 7, 9, n), stride=(2, 2)),
            depthwise(f"{n} channels", "uint8", (1, 5, 6, n)),
        )
    ],
    *[
        depthwise(f"exact {n}", "int8", (1, 9, 12, n), stride=(s, s), kernel=(k, k), oracle="xnnpack", atol=0)
        for n, s, k in ((8, 1, 3), (32, 1, 3), (40, 2, 3), (64, 1, 3), (96, 2, 3), (144, 1, 3), (72, 1, 5), (16, 2, 5))
    ],
    depthwise("per tensor", "int8", (1, 6, 7, 16), per_channel=False),
    depthwise("int4 weights", "int8", (1, 6, 7, 15), filter_type="int4"),
    depthwise("int4 weights", "int16", (1, 6, 7, 15), filter_type="int4"),
    depthwise("bias int32", "int16", (1, 6, 7, 15), bias_type="int32"),
    depthwise("hybrid", "float32", (2, 6, 7, 15), rtol=1e-4),
    depthwise("hybrid per tensor", "float32", (1, 6, 7, 15), per_channel=False, rtol=1e-4),
    depthwise("hybrid multiplier", "float32", (1, 6, 7, 3), multiplier=4, stride=(2, 1), rtol=1e-4),
    depthwise("computed filter", "float32", (1, 6, 7, 18), filter_type="float32", computed=True),
    depthwise("computed filter", "int8", (1, 6, 7, 18), computed=True),
    depthwise("computed filter", "uint8", (1, 6, 7, 18), computed=True),
    depthwise("stride 0", "int8", (1, 6, 7, 4), stride=(0, 1), error="stride"),
    depthwise("dilation 0", "int8", (1, 6, 7, 4), dilation=(1, 0), error="dilation"),
    depthwise("dilation huge", "float32", (1, 6, 7, 4), filter_type="float32", dilation=(1, 2**31 - 1), error="spans"),
    depthwise("window too large", "int8", (1, 6, 7, 4), kernel=(9, 3), padding="VALID", error="window"),
    depthwise("tanh", "int8", (1, 6, 7, 4), activation="TANH", error="activation"),
    Case(
        "wrong channels",
        "DEPTHWISE_CONV_2D",
        [tensor("float32", (1, 4, 4, 4)), const("float32", (1, 3, 3, 6)), const("float32", (6,))],
        [tensor("float32")],
        {"stride_h": 1, "stride_w": 1},
        error="no multiple",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_depthwise(case):
    check(case)
