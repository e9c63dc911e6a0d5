"""DEPTHWISE_CONV_2D: float32, int8, uint8, int16 x int8, float32 x int8.

int8 and uint8 follow the float rounding rule (one rounding, half to even), LiteRT's plain kernels a fixed-point one, so
the answers may differ by one; the cases of `model` are exact. LiteRT dies without a bias, and its hybrid kernel reads a
scale for each channel even if there is one: these are cases of `model` too.
"""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor


def scales(n, seed=1):
    return (np.random.default_rng(seed).uniform(0.5, 2, n) * 0.004).astype(np.float32)


def model(case):
    """The operator in numpy for multiplier 1 and no activation: float64, or int64 and the float rounding rule."""
    x_spec, w_spec, y_spec = case.inputs[0], case.inputs[1], case.outputs[0]
    o = case.options
    quantized = x_spec.scale is not None

    def run(values):
        x, w = values[0], values[1][0]
        kind = np.int64 if quantized else np.float64
        x = x.astype(kind) - (x_spec.zero_point if quantized else 0)
        if not quantized and w_spec.scale is not None:
            w = w * w_spec.scale
        w = w.astype(kind) - (w_spec.zero_point if quantized else 0)
        grid, borders = [], [(0, 0)]
        for size, k, s, d in zip(
            x.shape[1:3],
            w.shape[:2],
            (o["stride_h"], o["stride_w"]),
            (o["dilation_h_factor"], o["dilation_w_factor"]),
            strict=True,
        ):
            span = (k - 1) * d + 1
            n = -(-size // s) if o["padding"] == "SAME" else (size - span) // s + 1
            total = max(0, (n - 1) * s + span - size)
            borders.append((total // 2, total - total // 2))
            grid.append((n, s, d))
        x = np.pad(x, [*borders, (0, 0)])
        (oh, sh, dh), (ow, sw, dw) = grid
        y = np.zeros((x.shape[0], oh, ow, x.shape[3]), kind)
        for i in range(w.shape[0]):
            for j in range(w.shape[1]):
                y += x[:, i * dh :, j * dw :][:, : (oh - 1) * sh + 1 : sh, : (ow - 1) * sw + 1 : sw] * w[i, j]
        if len(values) > 2:
            y = y + values[2]
        if not quantized:
            return [y.astype(np.float32)]
        one = np.float32
        ratio = one(x_spec.scale) * np.asarray(w_spec.scale, one) / one(y_spec.scale)
        low, high = (-128, 127) if y_spec.dtype == "INT8" else (0, 255)
        y = np.rint(y.astype(one) * ratio).astype(np.int64) + y_spec.zero_point
        return [np.clip(y, low, high).astype(np.int8 if low else np.uint8)]

    case.oracle = run
    case.atol = 0
    return case


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
    computed=False,
    filter_zero=139,
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
            w = make("uint8", wide, scale=0.006, zero_point=filter_zero)
        else:
            w = make(
                filter_type,
                wide,
                scale=weight_scale,
                axis=3 if per_channel else 0,
                low=-7 if filter_type == "int4" else -127,
            )
        bias_scale = np.float32(in_scale) * np.float32(0.006 if dtype == "uint8" else weight_scale)
        b = make("int64" if dtype == "int16" else "int32", (n,), scale=bias_scale, low=-3000, high=3000)
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
    return Case(label, "DEPTHWISE_CONV_2D", [x, w, *([b] if bias else [])], [y], options, version, **extra)


def all_types(name, shape, types=("float32", "int8", "uint8", "int16"), **keys):
    for dtype in types:
        yield depthwise(name, dtype, shape, filter_type="float32" if dtype == "float32" else "int8", **keys)


CASES = [
    *all_types("odd", (2, 7, 9, 5)),
    *[
        depthwise(
            f"{n} channels, columns {w} stride {s}", "float32", (1, 7, w, n), filter_type="float32", stride=(s, s)
        )
        for n in (31, 37, 64, 128, 256)
        for w in (8, 9, 11)
        for s in (1, 2)
    ],
    *[
        depthwise(
            f"256 channels {k}x{k} stride {s}",
            "float32",
            (2, 9, 7, 256),
            filter_type="float32",
            stride=(s, s),
            kernel=(k, k),
            padding=padding,
            dilation=(1, d),
        )
        for k, padding, d in ((4, "SAME", 1), (5, "SAME", 1), (5, "VALID", 1), (7, "SAME", 1), (4, "SAME", 2))
        for s in (1, 2)
        if s == 1 or d == 1
    ],  # fmt: skip
    *all_types("valid", (1, 8, 7, 18), padding="VALID"),
    *all_types("stride 2", (2, 9, 8, 20), stride=(2, 2)),
    *all_types("stride 2 valid", (1, 8, 9, 64), stride=(2, 2), padding="VALID"),
    *all_types("stride 2, rows beyond the first cache", (1, 7, 113, 96), stride=(2, 2)),
    *all_types("strides differ", (1, 9, 8, 17), stride=(1, 2)),
    *all_types("stride 3", (1, 11, 10, 33), stride=(3, 3)),
    *all_types("5x5", (1, 9, 11, 40), kernel=(5, 5)),
    *all_types("5x5, two rows left", (1, 6, 7, 40), kernel=(5, 5)),
    *all_types("5x5 stride 2", (1, 9, 11, 24), kernel=(5, 5), stride=(2, 2)),
    *all_types("5x5 small image", (1, 3, 2, 16), kernel=(5, 5)),
    *all_types("wide kernel", (1, 5, 13, 8), kernel=(1, 7)),
    *all_types("one row of three columns", (2, 1, 29, 44), kernel=(1, 3)),
    depthwise("one row, stride 2", "float32", (1, 1, 30, 37), filter_type="float32", kernel=(1, 3), stride=(1, 2)),
    depthwise("one row, dilated", "float32", (1, 1, 30, 32), filter_type="float32", kernel=(1, 3), dilation=(1, 4)),
    *all_types("tall kernel", (1, 13, 5, 70), kernel=(10, 1), stride=(2, 1)),
    *all_types("7x7", (1, 9, 9, 130), kernel=(7, 7)),
    *all_types("1x1", (1, 4, 5, 37), kernel=(1, 1)),
    *all_types("2x2", (1, 6, 6, 48), kernel=(2, 2)),
    *all_types("whole image", (2, 6, 5, 19), kernel=(6, 5), padding="VALID"),
    *all_types("dilated", (1, 9, 10, 16), dilation=(2, 2)),
    *all_types("dilated apart", (1, 9, 12, 23), dilation=(3, 1)),
    *all_types("dilated wide", (1, 9, 12, 3), dilation=(1, 4)),
    *[
        depthwise(
            f"columns beyond {w} of {n}, {k} by {d} stride {s}",
            "float32",
            (2, 9, w, n),
            filter_type="float32",
            kernel=k,
            dilation=(d, d),
            stride=(s, s),
        )
        for w, n in ((26, 40), (31, 37))
        for k, d, s in (
            ((3, 3), 1, 1),
            ((3, 3), 2, 1),
            ((3, 3), 3, 1),
            ((1, 4), 3, 1),
            ((5, 5), 1, 1),
            ((5, 5), 2, 1),
            ((3, 7), 1, 1),
            ((3, 3), 1, 2),
            ((5, 5), 1, 2),
            ((2, 6), 1, 3),
        )
    ],  # fmt: skip
    *all_types("multiplier 8", (1, 11, 9, 1), multiplier=8, kernel=(5, 3), stride=(2, 2)),
    *all_types("multiplier 3", (2, 6, 7, 6), multiplier=3),
    *all_types("multiplier 2", (1, 6, 7, 32), multiplier=2),
    *all_types("relu", (1, 6, 7, 12), activation="RELU"),
    *all_types("relu6", (1, 6, 7, 36), activation="RELU6"),
    *all_types("relu1", (1, 6, 7, 4), activation="RELU_N1_TO_1"),
    *[model(case) for case in all_types("no bias", (1, 6, 7, 16), types=("float32", "int8", "uint8"), bias=False)],
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
        model(depthwise(f"exact {n} {k}x{k} stride {s}", t, (2, 9, 14, n), stride=(s, s), kernel=(k, k)))
        for t in ("int8", "uint8")
        for n in (3, 8, 16, 24, 32, 40, 64, 96, 130, 192)
        for s, k in ((1, 3), (2, 3), (1, 5), (2, 5), (1, 4))
    ],
    depthwise("per tensor", "int8", (1, 6, 7, 16), per_channel=False),
    depthwise("int4 weights", "int8", (1, 6, 7, 15), filter_type="int4"),
    depthwise("hybrid", "float32", (2, 6, 7, 15), rtol=1e-4),
    model(depthwise("hybrid per tensor", "float32", (1, 6, 7, 15), per_channel=False, rtol=0.02)),
    depthwise("hybrid multiplier", "float32", (1, 6, 7, 3), multiplier=4, stride=(2, 1), rtol=1e-4),
    model(depthwise("filter zero point 0", "uint8", (1, 6, 7, 18), filter_zero=0)),
    model(depthwise("filter zero point 255", "uint8", (1, 6, 7, 18), filter_zero=255)),
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
