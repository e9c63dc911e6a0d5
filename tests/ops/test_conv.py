"""CONV_2D: float, int8, uint8, int16, hybrid; windows, groups, tails of every kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import Case, check, const, tensor

SAME, VALID = "SAME", "VALID"


def options(padding: str = SAME, stride: Any = 1, dilation: Any = 1, act: str = "NONE", **more: Any) -> dict[str, Any]:
    sh, sw = stride if isinstance(stride, tuple) else (stride, stride)
    dh, dw = dilation if isinstance(dilation, tuple) else (dilation, dilation)
    return dict(
        padding=padding, stride_h=sh, stride_w=sw, dilation_h_factor=dh, dilation_w_factor=dw,
        fused_activation_function=act, **more,
    )  # fmt: skip


def scales(n: int, low: float = 0.002, high: float = 0.02) -> np.ndarray:
    return np.linspace(low, high, n).astype(np.float32)


# name: input shape, filter shape, options
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "pointwise": ((1, 5, 7, 9), (5, 1, 1, 9), options()),
    "pointwise wide": ((2, 6, 5, 40), (70, 1, 1, 40), options(act="RELU")),
    "pointwise stride": ((1, 7, 8, 12), (17, 1, 1, 12), options(VALID, 2)),
    "3x3 same": ((1, 7, 9, 8), (16, 3, 3, 8), options()),
    "3x3 valid": ((2, 6, 9, 16), (33, 3, 3, 16), options(VALID, act="RELU6")),
    "3x3 stride 2": ((1, 9, 11, 5), (7, 3, 3, 5), options(SAME, 2)),
    "first layer": ((1, 17, 15, 3), (16, 3, 3, 3), options(SAME, 2, act="RELU6")),
    "one channel": ((1, 20, 8, 1), (8, 10, 4, 1), options(SAME, 2)),
    "dilated": ((1, 11, 9, 4), (6, 3, 3, 4), options(SAME, 1, (2, 3))),
    "dilated valid": ((1, 11, 9, 4), (6, 3, 3, 4), options(VALID, 1, (2, 3))),
    "7x7 stride 2": ((1, 21, 19, 3), (10, 7, 7, 3), options(SAME, 2)),
    "1x7": ((1, 5, 13, 6), (4, 1, 7, 6), options(SAME, (1, 2))),
    "filter larger": ((1, 2, 2, 8), (4, 5, 5, 8), options()),
    "grouped": ((1, 6, 7, 12), (9, 3, 3, 4), options()),
    "grouped pointwise": ((2, 4, 5, 24), (8, 1, 1, 6), options(act="RELU")),
    "one pixel": ((3, 1, 1, 30), (11, 1, 1, 30), options()),
    "deep": ((1, 3, 3, 300), (20, 3, 3, 300), options()),
    "many channels": ((2, 12, 13, 40), (37, 3, 3, 40), options(act="RELU")),
    "many channels valid": ((1, 9, 26, 32), (64, 3, 3, 32), options(VALID)),
    "many channels odd": ((1, 13, 12, 35), (34, 3, 3, 35), options(act="RELU6")),
    "more channels": ((1, 8, 9, 230), (33, 3, 3, 230), options()),
    "four pixels of 16": ((1, 6, 8, 16), (32, 3, 3, 16), options()),
    "four pixels of 32": ((2, 5, 12, 32), (17, 3, 3, 32), options(act="RELU")),
    "rows beyond the image": ((1, 4, 5, 16), (8, 5, 3, 16), options(SAME, 1, (2, 1))),
    "rows beyond, stride 2": ((2, 9, 8, 24), (18, 5, 5, 24), options(SAME, 2)),
    "no pixels": ((0, 4, 4, 3), (2, 3, 3, 3), options()),
}

CASES: list[Case] = []
for key, (shape, filt, opts) in SHAPES.items():
    n = filt[0]
    depth = filt[1] * filt[2] * filt[3]
    out = 0.9 * np.sqrt(depth) * 0.05
    grouped = shape[3] != filt[3]
    CASES += [
        Case(
            f"f32 {key}", "CONV_2D", [tensor("float32", shape), const("float32", filt), const("float32", (n,))],
            [tensor("float32")], opts, version=6 if grouped else 1, rtol=1e-5,
        ),
        Case(
            f"int8 {key}", "CONV_2D",
            [
                tensor("int8", shape, 0.05, -7),
                const("int8", filt, scales(n), low=-127),
                const("int32", (n,), 0.05 * scales(n), low=-9000, high=9000),
            ],
            [tensor("int8", scale=out, zero_point=3)], opts, version=6 if grouped else 3, atol=1,
        ),
        Case(
            f"int16 {key}", "CONV_2D",
            [
                tensor("int16", shape, 0.0005),
                const("int8", filt, scales(n), low=-127),
                const("int64", (n,), 0.0005 * scales(n), low=-900000, high=900000),
            ],
            [tensor("int16", scale=out / 200)], opts, version=4,
            oracle=(lambda v: [np.zeros((0, 4, 4, 2), np.int16)]) if shape[0] == 0 else "litert",
        ),
    ]  # fmt: skip
    if not grouped:
        CASES += [
            Case(
                f"uint8 {key}", "CONV_2D",
                [
                    tensor("uint8", shape, 0.05, 120),
                    const("uint8", filt, 0.01, 131),
                    const("int32", (n,), 0.0005, low=-9000, high=9000),
                ],
                [tensor("uint8", scale=out, zero_point=110)], opts, atol=1,
            ),
        ]  # fmt: skip
# Sums at the ends of what Winograd's transforms of integers keep: 227 channels of -128 by -128 fill 26 bits.
CASES += [
    Case(
        f"int8 ends {low} {high} by {weight}", "CONV_2D",
        [
            tensor("int8", (1, 9, 8, 227), 0.05, 127 if low < 0 else -128, low=low, high=high),
            const("int8", (32, 3, 3, 227), 0.01, low=weight, high=weight if weight < 0 else None),
            const("int32", (32,), 0.0005, low=-9000, high=9000),
        ],
        [tensor("int8", scale=300.0)], options(), version=3, atol=1,
    )
    for low, high, weight in ((-128, -128, -128), (127, 127, -128), (127, 127, 127), (-128, 127, -128))
]  # fmt: skip
FEW = ((1, 6, 5, 10), (18, 3, 3, 10), options(act="RELU"))
CASES += [
    Case(
        "int8 per tensor", "CONV_2D",
        [tensor("int8", FEW[0], 0.05, 4), const("int8", FEW[1], 0.01), const("int32", (18,), 0.0005, low=-9, high=9)],
        [tensor("int8", scale=0.2, zero_point=-128)], FEW[2], version=3, atol=1,
    ),
    Case(
        "int8 no bias", "CONV_2D", [tensor("int8", FEW[0], 0.05, 4), const("int8", FEW[1], scales(18)), None],
        [tensor("int8", scale=0.2)], FEW[2], version=3,
        oracle=lambda v: [float_rule(v, 0.05, 0.2)],
    ),
    Case(
        "int8 two inputs", "CONV_2D", [tensor("int8", FEW[0], 0.05, 4), const("int8", FEW[1], scales(18))],
        [tensor("int8", scale=0.2)], FEW[2], version=3,
        oracle=lambda v: [float_rule(v, 0.05, 0.2)],
    ),
    Case(
        "int8 large scale", "CONV_2D",
        [tensor("int8", FEW[0], 0.5, 4), const("int8", FEW[1], scales(18)), const("int32", (18,), 1.0)],
        [tensor("int8", scale=0.003)], FEW[2], version=3, atol=1,
        oracle=lambda v: [float_rule(v, 0.5, 0.003)],
    ),
    Case(
        "int4 weights", "CONV_2D",
        [
            tensor("int8", FEW[0], 0.05, 4),
            const("int4", FEW[1], scales(18), low=-7),
            const("int32", (18,), 0.05 * scales(18), low=-99, high=99),
        ],
        [tensor("int8", scale=0.02)], FEW[2], version=7, atol=1,
    ),
    Case(
        "int16 narrow bias", "CONV_2D",
        [
            tensor("int16", FEW[0], 0.0005),
            const("int8", FEW[1], scales(18), low=-127),
            const("int32", (18,), 0.0005 * scales(18), low=-9000, high=9000),
        ],
        [tensor("int16", scale=0.01)], options(act="RELU", quantized_bias_type="INT32"), version=8,
    ),
    Case(
        "f32 weights computed", "CONV_2D",
        [tensor("float32", FEW[0]), tensor("float32", FEW[1]), tensor("float32", (18,))], [tensor("float32")], FEW[2],
    ),
    Case(
        "int8 resized", "CONV_2D",
        [
            tensor("int8", (1, 4, 4, 8), 0.05, 4),
            const("int8", (9, 3, 3, 8), scales(9)),
            const("int32", (9,), 0.05 * scales(9), low=-99, high=99),
        ],
        [tensor("int8", scale=0.3)], options(), version=3, atol=1, resize={0: (2, 9, 6, 8)},
    ),
]  # fmt: skip


# Weights that sums of four products in 16 bits mostly hold (common/fit.h), and some they do not.
for key in ("pointwise wide", "pointwise stride", "one pixel"):
    shape, filt, opts = SHAPES[key]
    n, out = filt[0], 0.04 * np.sqrt(filt[3]) * 0.9
    limit = np.where(np.arange(np.prod(filt)) % 29 == 0, 127, 40).reshape(filt)
    weights = np.random.default_rng(3).integers(-limit, limit + 1).astype(np.int8)
    CASES += [
        Case(
            f"int8 small weights {key}", "CONV_2D",
            [
                tensor("int8", shape, 0.05, -7),
                const(weights, scale=scales(n)),
                const("int32", (n,), 0.05 * scales(n), low=-9000, high=9000),
            ],
            [tensor("int8", scale=out, zero_point=3)], opts, version=3, atol=1,
        ),
        Case(
            f"uint8 small weights {key}", "CONV_2D",
            [
                tensor("uint8", shape, 0.05, 120),
                const((weights.astype(np.int16) + 128).astype(np.uint8), scale=0.01, zero_point=131),
                const("int32", (n,), 0.0005, low=-9000, high=9000),
            ],
            [tensor("uint8", scale=out, zero_point=110)], opts, atol=1,
        ),
    ]  # fmt: skip


def float_rule(values: list[Any], scale: float, out_scale: float) -> np.ndarray:
    """3x3 SAME with RELU over FEW, zero points 4 and 0, as the float rule has it."""
    x, w, bias = (*values, None)[:3]
    x = np.pad(x.astype(np.int64) - 4, ((0, 0), (1, 1), (1, 1), (0, 0)))
    acc = np.zeros((1, 6, 5, 18), np.int64)
    for i in range(3):
        for j in range(3):
            acc += np.einsum("bhwc,oc->bhwo", x[:, i : i + 6, j : j + 5], w[:, i, j].astype(np.int64))
    acc = (acc + (0 if bias is None else bias) + (1 << 31)) % (1 << 32) - (1 << 31)
    factor = np.float32(scale) * scales(18) / np.float32(out_scale)
    y = np.rint(np.clip(acc.astype(np.float32) * factor, 0, 127))
    return y.astype(np.int8)


for name, scale, act in (("per channel", scales(18), "RELU6"), ("per tensor", 0.01, "NONE")):
    CASES += [
        Case(
            f"hybrid {name}", "CONV_2D",
            [
                tensor("float32", (2, 6, 5, 10), low=-1, high=4),
                const("int8", (18, 3, 3, 10), scale, low=-127),
                const("float32", (18,)),
            ],
            [tensor("float32")], options(act=act), version=5, rtol=1e-3,
        ),
        Case(
            f"hybrid pointwise {name}", "CONV_2D",
            [
                tensor("float32", (2, 6, 5, 10), low=-1, high=4),
                const("int8", (18, 1, 1, 10), scale, low=-127),
                const("float32", (18,)),
            ],
            [tensor("float32")], options(), version=5, rtol=1e-3,
        ),
    ]  # fmt: skip

I8 = tensor("int8", (1, 5, 5, 4), 0.1)
BIAS = const("int32", (6,), 0.001)
CASES += [
    Case("channels differ", "CONV_2D", [I8, const("int8", (6, 3, 3, 3), 0.01), BIAS], [tensor("int8", scale=0.1)],
         options(), 3, error="filter has 3 input channels, input has 4"),
    Case("stride zero", "CONV_2D", [I8, const("int8", (6, 3, 3, 4), 0.01), BIAS], [tensor("int8", scale=0.1)],
         options(stride=0), 3, error="stride"),
    Case("dilation zero", "CONV_2D", [I8, const("int8", (6, 3, 3, 4), 0.01), BIAS], [tensor("int8", scale=0.1)],
         options(dilation=0), 3, error="dilation"),
    Case("bias length", "CONV_2D", [I8, const("int8", (6, 3, 3, 4), 0.01), const("int32", (5,), 0.001)],
         [tensor("int8", scale=0.1)], options(), 3, error="bias has 5 values"),
    Case("no scale", "CONV_2D", [tensor("int8", (1, 5, 5, 4)), const("int8", (6, 3, 3, 4), 0.01), BIAS],
         [tensor("int8", scale=0.1)], options(), 3, error="no quantization"),
    Case("rank", "CONV_2D", [tensor("float32", (5, 5, 4)), const("float32", (6, 3, 3, 4))], [tensor("float32")],
         options(), error="dimensions"),
    Case("tanh", "CONV_2D", [tensor("float32", (1, 5, 5, 4)), const("float32", (6, 3, 3, 4))], [tensor("float32")],
         options(act="TANH"), error="activation"),
    Case("weight type", "CONV_2D", [I8, const("float32", (6, 3, 3, 4), 0.01), BIAS], [tensor("int8", scale=0.1)],
         options(), 3, error="has type FLOAT32"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_conv(case: Case) -> None:
    check(case)
