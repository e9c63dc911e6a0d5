"""How fast single operators are at the size users have, beside LiteRT in the same process, in turns, on one thread:

    python tests/operator_speed.py [WORD ...]     operators whose name has one of the words; all without

Prints microseconds (least of all turns), best first at the bottom: what is slower than LiteRT comes first. What LiteRT
refuses is left out; its own answers are not compared here (tests/ops does that).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import harness
import numpy as np
from harness import Case, const, tensor

F, Q, U, W, S = "float32", "int8", "uint8", "int16", "int32"
SCALE = {Q: (0.05, 3), U: (0.05, 130), W: (0.0005, 0)}


def operand(dtype: str, shape: Any = None, **more: Any) -> Any:
    return tensor(dtype, shape, *SCALE.get(dtype, ()), **more)


def one(
    name: str, op: str, inputs: list[Any], out: str, options: dict[str, Any] | None = None, version: int = 1
) -> Case:
    return Case(name, op, inputs, [operand(out)], options or {}, version)


def channel_weights(shape: tuple[int, ...], axis: int = 0) -> Any:
    return const(Q, shape, np.linspace(0.001, 0.002, shape[axis]), [0] * shape[axis], axis=axis, low=-127)


def with_bias(dtype: str, weights: Any, n: int) -> list[Any]:
    """Weights, and n zeros for their bias, whose scale is the product of theirs and the input's: XNNPACK looks."""
    scale = SCALE[dtype][0] * np.atleast_1d(weights.scale)
    return [weights, const(np.zeros(n, np.int64 if dtype == W else np.int32), None, scale, [0] * len(scale))]


def elementwise() -> Iterator[Case]:
    image = (1, 56, 56, 64)
    for op in ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "POW", "FLOOR_DIV", "FLOOR_MOD"):
        for d in (F, Q, U, W, S):
            if (op in ("DIV", "POW", "FLOOR_DIV", "FLOOR_MOD") and d not in (F, S)) or (
                op == "SQUARED_DIFFERENCE" and d in (U, W)
            ):
                continue
            low = 1 if d in (F, S) else None
            for name, other in (
                ("", image),
                (" channel", (64,)),
                (" pixel", (1, 56, 56, 1)),
                (" scalar", (1,)),
                (" row", (1, 1, 56, 64)),
            ):
                if name and op not in ("ADD", "MUL", "MAXIMUM", "DIV"):
                    continue
                yield one(
                    f"{op} {d}{name}",
                    op,
                    [operand(d, image, low=low, high=low and 3), operand(d, other, low=low, high=low and 3)],
                    d,
                    version=2 if d in (Q, W) else 1,
                )
    for op in ("EQUAL", "LESS", "GREATER_EQUAL"):
        for d in (F, Q, S):
            yield one(f"{op} {d}", op, [operand(d, image), operand(d, image)], "bool", version=2)
    for op in ("LOGICAL_AND", "LOGICAL_OR"):
        yield one(op, op, [tensor("bool", image), tensor("bool", image)], "bool")
    for op in (
        "ABS",
        "NEG",
        "SQRT",
        "RSQRT",
        "EXP",
        "LOG",
        "SIN",
        "COS",
        "TANH",
        "LOGISTIC",
        "ELU",
        "GELU",
        "HARD_SWISH",
        "LEAKY_RELU",
        "RELU",
        "RELU6",
        "RELU_N1_TO_1",
        "FLOOR",
        "CEIL",
        "ROUND",
        "SIGN",
        "SQUARE",
    ):
        for d in (F, Q, U, W):
            real = op in ("SQRT", "LOG", "RSQRT")
            options = {"LEAKY_RELU": {"alpha": 0.1}, "GELU": {"approximate": False}}.get(op, {})
            out = {
                "TANH": {Q: (1 / 128, 0), U: (1 / 128, 128), W: (1 / 32768, 0)},
                "LOGISTIC": {Q: (1 / 256, -128), U: (1 / 256, 0), W: (1 / 32768, 0)},
            }.get(op, SCALE).get(d, ())
            yield Case(
                f"{op} {d}",
                op,
                [operand(d, image, low=0.1 if real and d == F else None, high=3 if real and d == F else None)],
                [tensor(d, None, *out)],
                options,
                2 if d in (Q, W) else 1,
            )
    yield one("PRELU f32", "PRELU", [tensor(F, image), const(F, (1, 1, 64))], F)
    yield one("PRELU int8", "PRELU", [operand(Q, image), const(Q, (1, 1, 64), 0.01)], Q)
    for a, b in (
        (F, S),
        (S, F),
        (Q, F),
        (F, Q),
        (U, F),
        ("bool", F),
        (F, "bool"),
        (S, "int64"),
        ("int64", S),
        (F, "float16"),
        ("float16", F),
    ):
        yield one(f"CAST {a} {b}", "CAST", [tensor(a, image)], b)
    for d in (Q, U, W):
        yield one(f"QUANTIZE {d}", "QUANTIZE", [tensor(F, image)], d)
        yield one(f"DEQUANTIZE {d}", "DEQUANTIZE", [operand(d, image)], F, version=2)
    for a, b in ((Q, U), (U, Q), (W, Q), (Q, W)):
        yield one(f"QUANTIZE {a} {b}", "QUANTIZE", [operand(a, image)], b, version=2)
    yield one("DEQUANTIZE float16", "DEQUANTIZE", [tensor("float16", image)], F, version=3)
    for d in (F, Q, S):
        yield one(f"SELECT_V2 {d}", "SELECT_V2", [tensor("bool", image), operand(d, image), operand(d, image)], d)
        yield one(f"SELECT {d}", "SELECT", [tensor("bool", image), operand(d, image), operand(d, image)], d)
    yield one("SELECT_V2 f32 channel", "SELECT_V2", [tensor("bool", (64,)), tensor(F, image), tensor(F, image)], F)
    yield one("ADD_N f32", "ADD_N", [tensor(F, image)] * 3, F)


def reductions() -> Iterator[Case]:
    image = (1, 56, 56, 64)
    for op in ("SUM", "MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"):
        for d in (F, Q, U, W, S):
            for name, axes in (
                ("channels", [3]),
                ("pixels", [1, 2]),
                ("rows", [1]),
                ("columns", [2]),
                ("all", [0, 1, 2, 3]),
            ):
                if op in ("REDUCE_PROD", "REDUCE_MIN") and (d != F or name not in ("channels", "pixels")):
                    continue
                yield one(f"{op} {d} {name}", op, [operand(d, image), const(axes)], d, {"keep_dims": True}, 2)
    for op in ("REDUCE_ANY", "REDUCE_ALL"):
        yield one(op, op, [tensor("bool", image), const([3])], "bool")
    for op in ("ARG_MAX", "ARG_MIN"):
        for d in (F, Q, U):
            for axis in (3, 1):
                yield one(
                    f"{op} {d} axis {axis}", op, [operand(d, image), const([axis])], S, {"output_type": "INT32"}, 2
                )
    for d in (F, S):
        for axis in (3, 1):
            yield one(f"CUMSUM {d} axis {axis}", "CUMSUM", [tensor(d, image), const([axis])], d)
    for d in (F, Q, S):
        yield Case(f"TOPK_V2 {d}", "TOPK_V2", [operand(d, (64, 1000)), const([5])], [operand(d), tensor(S)], {}, 2)
    for d in (F, Q, U, W):
        out = {Q: (1 / 256, -128), U: (1 / 256, 0), W: (1 / 32768, 0)}.get(d, ())
        for shape in ((1, 1000), (512, 128), (8, 64, 64), (3136, 8)):
            yield Case(
                f"SOFTMAX {d} {shape}",
                "SOFTMAX",
                [operand(d, shape)],
                [tensor(d, None, *out)],
                {"beta": 1.0},
                3 if d == W else 2,
            )
        if d in (F, Q):
            low = {Q: (16 / 256, 127)}.get(d, ())
            yield Case(
                f"LOG_SOFTMAX {d}",
                "LOG_SOFTMAX",
                [operand(d, (512, 128))],
                [tensor(d, None, *low)],
                {},
                2 if d == Q else 1,
            )
            l2 = {Q: (1 / 128, 0)}.get(d, ())
            yield Case(
                f"L2_NORMALIZATION {d}",
                "L2_NORMALIZATION",
                [operand(d, (3136, 64))],
                [tensor(d, None, *l2)],
                {},
                2 if d == Q else 1,
            )
    yield one(
        "LOCAL_RESPONSE_NORMALIZATION",
        "LOCAL_RESPONSE_NORMALIZATION",
        [tensor(F, (1, 28, 28, 96))],
        F,
        {"radius": 2, "bias": 1.0, "alpha": 0.1, "beta": 0.75},
    )


def moves() -> Iterator[Case]:
    image = (1, 56, 56, 64)
    for d in (F, Q, W):
        for shape, perm in (
            (image, [0, 3, 1, 2]),
            (image, [0, 2, 1, 3]),
            ((1, 64, 56, 56), [0, 2, 3, 1]),
            ((8, 128, 64), [0, 2, 1]),
            ((1, 128, 8, 64), [0, 2, 1, 3]),
            ((512, 512), [1, 0]),
            ((4, 16, 16, 32, 3), [0, 3, 1, 2, 4]),
            ((2, 3, 40, 40, 85), [0, 1, 3, 4, 2]),
        ):
            yield one(f"TRANSPOSE {d} {shape} {perm}", "TRANSPOSE", [operand(d, shape), const(perm)], d, version=2)
        for axis in (1, 3):
            yield one(
                f"CONCATENATION {d} axis {axis}",
                "CONCATENATION",
                [operand(d, image), operand(d, image)],
                d,
                {"axis": axis},
                2,
            )
            yield one(
                f"CONCATENATION {d} narrow axis {axis}",
                "CONCATENATION",
                [operand(d, (1, 56, 56, 3)), operand(d, (1, 56, 56, 5) if axis == 3 else (1, 9, 56, 3))],
                d,
                {"axis": axis},
                2,
            )
            yield Case(
                f"SPLIT {d} axis {axis}",
                "SPLIT",
                [const(np.int32(axis)), operand(d, image)],
                [operand(d)] * 2,
                {"num_splits": 2},
                2,
            )
            yield Case(
                f"SPLIT_V {d} axis {axis}",
                "SPLIT_V",
                [operand(d, image), const([24, 32] if axis == 1 else [24, 40]), const(np.int32(axis))],
                [operand(d)] * 2,
                {"num_splits": 2},
                2,
            )
        yield one(
            f"SLICE {d} channels",
            "SLICE",
            [operand(d, image), const([0, 0, 0, 8]), const([1, 56, 56, 40])],
            d,
            version=2,
        )
        yield one(
            f"SLICE {d} rows", "SLICE", [operand(d, image), const([0, 8, 0, 0]), const([1, 40, 56, 64])], d, version=2
        )
        for name, b, e, s in (
            ("every second", [0, 0, 0, 0], [1, 56, 56, 64], [1, 2, 2, 1]),
            ("channels by 2", [0, 0, 0, 0], [1, 56, 56, 64], [1, 1, 1, 2]),
            ("crop", [0, 4, 4, 0], [1, 52, 52, 64], [1, 1, 1, 1]),
        ):
            yield one(
                f"STRIDED_SLICE {d} {name}",
                "STRIDED_SLICE",
                [operand(d, image), const(b), const(e), const(s)],
                d,
                {},
                2,
            )
        yield one(
            f"GATHER {d} rows",
            "GATHER",
            [operand(d, (5000, 64)), const(np.arange(0, 5000, 7, dtype=np.int32))],
            d,
            {"axis": 0},
            2,
        )
        yield one(
            f"GATHER {d} columns",
            "GATHER",
            [operand(d, (500, 64)), const(np.arange(0, 64, 3, dtype=np.int32))],
            d,
            {"axis": 1},
            2,
        )
        yield one(
            f"GATHER_ND {d}",
            "GATHER_ND",
            [
                operand(d, (64, 64, 32)),
                const(np.stack([np.arange(500) % 64, np.arange(500) * 7 % 64], 1).astype(np.int32)),
            ],
            d,
        )
        yield one(
            f"SCATTER_ND {d}",
            "SCATTER_ND",
            [const(np.arange(500, dtype=np.int32)[:, None]), operand(d, (500, 64)), const([1000, 64])],
            d,
        )
        yield one(f"PAD {d}", "PAD", [operand(d, image), const([[0, 0], [1, 1], [1, 1], [0, 0]])], d, version=2)
        yield one(
            f"PAD {d} channels", "PAD", [operand(d, image), const([[0, 0], [0, 0], [0, 0], [0, 8]])], d, version=2
        )
        yield one(
            f"MIRROR_PAD {d}",
            "MIRROR_PAD",
            [operand(d, image), const([[0, 0], [3, 3], [3, 3], [0, 0]])],
            d,
            {"mode": "REFLECT"},
        )
        yield one(f"TILE {d}", "TILE", [operand(d, (1, 28, 28, 64)), const([1, 2, 2, 1])], d)
        yield one(f"TILE {d} one", "TILE", [operand(d, (1, 1, 1, 64)), const([1, 56, 56, 1])], d)
        yield one(
            f"BROADCAST_TO {d}", "BROADCAST_TO", [operand(d, (1, 1, 1, 64)), const([1, 56, 56, 64])], d, version=2
        )
        yield one(
            f"BROADCAST_TO {d} channels",
            "BROADCAST_TO",
            [operand(d, (1, 56, 56, 1)), const([1, 56, 56, 64])],
            d,
            version=2,
        )
        yield one(f"PACK {d} axis 1", "PACK", [operand(d, (56, 64))] * 4, d, {"values_count": 4, "axis": 1}, 2)
        yield one(f"PACK {d} last", "PACK", [operand(d, (5600, 4))] * 4, d, {"values_count": 4, "axis": 2}, 2)
        yield Case(f"UNPACK {d}", "UNPACK", [operand(d, (56, 4, 64))], [operand(d)] * 4, {"num": 4, "axis": 1}, 2)
        yield one(f"SPACE_TO_DEPTH {d}", "SPACE_TO_DEPTH", [operand(d, (1, 112, 112, 16))], d, {"block_size": 2}, 2)
        yield one(f"DEPTH_TO_SPACE {d}", "DEPTH_TO_SPACE", [operand(d, (1, 56, 56, 64))], d, {"block_size": 2}, 2)
        yield one(
            f"SPACE_TO_BATCH_ND {d}",
            "SPACE_TO_BATCH_ND",
            [operand(d, image), const([2, 2]), const([[0, 0], [0, 0]])],
            d,
            {},
            2,
        )
        yield one(
            f"BATCH_TO_SPACE_ND {d}",
            "BATCH_TO_SPACE_ND",
            [operand(d, (4, 28, 28, 64)), const([2, 2]), const([[0, 0], [0, 0]])],
            d,
            {},
            2,
        )
        yield one(f"REVERSE_V2 {d}", "REVERSE_V2", [operand(d, image), const([2])], d)
        yield one(f"REVERSE_V2 {d} last", "REVERSE_V2", [operand(d, image), const([3])], d)
        yield one(
            f"REVERSE_SEQUENCE {d}",
            "REVERSE_SEQUENCE",
            [operand(d, (16, 100, 64)), const(np.full(16, 77, np.int32))],
            d,
            {"seq_dim": 1, "batch_dim": 0},
        )
        yield one(
            f"DYNAMIC_UPDATE_SLICE {d}",
            "DYNAMIC_UPDATE_SLICE",
            [operand(d, (1, 512, 8, 64)), operand(d, (1, 1, 8, 64)), const([0, 7, 0, 0])],
            d,
        )
        yield one(
            f"EMBEDDING_LOOKUP {d}",
            "EMBEDDING_LOOKUP",
            [
                const(np.arange(100, dtype=np.int32) * 31 % 1000),
                operand(d, (1000, 128)) if d != F else const(F, (1000, 128)),
            ],
            d,
        )
    yield one(
        "ONE_HOT",
        "ONE_HOT",
        [const(np.arange(500, dtype=np.int32) % 100), const(np.int32(100)), const(np.float32(1)), const(np.float32(0))],
        F,
        {"axis": -1},
    )
    yield one("WHERE", "WHERE", [tensor("bool", (64, 1000))], "int64")
    yield one("FILL", "FILL", [const([64, 1000]), tensor(F, ())], F, version=1)


def convolution(
    op: str, name: str, shape: Any, f: Any, axis: int, options: dict[str, Any], versions: tuple[int, ...]
) -> Iterator[Case]:
    """A filter of shape f, its output channels along `axis`, for every pair of types that has a version."""
    n, narrow = f[axis], channel_weights(f, axis)
    kinds = (
        ("f32", tensor(F, shape), [const(F, f), const(F, (n,))]),
        ("int8", operand(Q, shape), with_bias(Q, narrow, n)),
        ("uint8", operand(U, shape), with_bias(U, const(U, f, 0.01, 120), n)),
        ("int16", operand(W, shape), with_bias(W, narrow, n)),
        ("hybrid", tensor(F, shape), [narrow, const(F, (n,))]),
        (
            "int4",
            operand(Q, shape),
            with_bias(Q, const("int4", f, np.linspace(0.01, 0.02, n), [0] * n, axis=axis, low=-7), n),
        ),
    )
    for (kind, left, weights), version in zip(kinds, versions, strict=False):
        yield one(f"{op} {kind} {name}", op, [left, *weights], left.dtype.lower(), options, version)


def spatial() -> Iterator[Case]:
    window = {"padding": "SAME", "stride_h": 2, "stride_w": 2, "filter_height": 3, "filter_width": 3}
    for d in (F, Q, U, W):
        for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            yield one(f"{op} {d} 3x3 s2", op, [operand(d, (1, 112, 112, 64))], d, window, 2)
            yield one(
                f"{op} {d} 2x2 s2",
                op,
                [operand(d, (1, 112, 112, 16))],
                d,
                {**window, "filter_height": 2, "filter_width": 2, "padding": "VALID"},
                2,
            )
            yield one(
                f"{op} {d} 7x7",
                op,
                [operand(d, (1, 7, 7, 1024))],
                d,
                {**window, "filter_height": 7, "filter_width": 7, "padding": "VALID"},
                2,
            )
            yield one(
                f"{op} {d} 5x5 s1",
                op,
                [operand(d, (1, 20, 20, 256))],
                d,
                {**window, "stride_h": 1, "stride_w": 1, "filter_height": 5, "filter_width": 5},
                2,
            )
        for op in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"):
            for half in (False, True):
                yield one(
                    f"{op} {d} 2x half {half}",
                    op,
                    [operand(d, (1, 28, 28, 64)), const([56, 56])],
                    d,
                    {"align_corners": False, "half_pixel_centers": half},
                    3,
                )
            yield one(
                f"{op} {d} 3 channels",
                op,
                [operand(d, (1, 240, 320, 3)), const([224, 224])],
                d,
                {"align_corners": False, "half_pixel_centers": True},
                3,
            )
            yield one(
                f"{op} {d} 21 channels corners",
                op,
                [operand(d, (1, 33, 33, 21)), const([129, 129])],
                d,
                {"align_corners": True, "half_pixel_centers": False},
                3,
            )
    yield one("L2_POOL_2D", "L2_POOL_2D", [tensor(F, (1, 56, 56, 64))], F, window)

    step = {"padding": "SAME", "stride_h": 1, "stride_w": 1, "dilation_h_factor": 1, "dilation_w_factor": 1}
    for name, shape, f, more in (
        ("1x1", (1, 28, 28, 128), (256, 1, 1, 128), {}),
        ("3x3", (1, 28, 28, 64), (64, 3, 3, 64), {}),
        ("3x3 s2", (1, 56, 56, 64), (128, 3, 3, 64), {"stride_h": 2, "stride_w": 2}),
        ("7x7 s2 first", (1, 224, 224, 3), (64, 7, 7, 3), {"stride_h": 2, "stride_w": 2}),
        ("3x3 s2 first", (1, 224, 224, 3), (32, 3, 3, 3), {"stride_h": 2, "stride_w": 2}),
        ("3x3 dilated", (1, 28, 28, 64), (64, 3, 3, 64), {"dilation_h_factor": 2, "dilation_w_factor": 2}),
        ("groups", (1, 28, 28, 128), (128, 3, 3, 32), {}),
        ("5x5", (1, 28, 28, 32), (64, 5, 5, 32), {}),
        ("1x9", (1, 1, 400, 64), (64, 1, 9, 64), {}),
        ("3x1", (1, 100, 16, 32), (32, 3, 1, 32), {}),
        ("1x1 s2", (1, 56, 56, 64), (128, 1, 1, 64), {"stride_h": 2, "stride_w": 2}),
        ("to one", (1, 112, 112, 16), (1, 3, 3, 16), {}),
        ("to three", (1, 112, 112, 32), (3, 3, 3, 32), {}),
        ("gray", (1, 64, 64, 1), (16, 3, 3, 1), {}),
    ):
        yield from convolution("CONV_2D", name, shape, f, 0, {**step, **more}, (1, 3, 1, 4, 3, 7))
    for name, shape, k, m, more in (
        ("3x3", (1, 56, 56, 64), 3, 1, {}),
        ("3x3 s2", (1, 56, 56, 64), 3, 1, {"stride_h": 2, "stride_w": 2}),
        ("5x5", (1, 28, 28, 96), 5, 1, {}),
        ("5x5 s2", (1, 28, 28, 96), 5, 1, {"stride_h": 2, "stride_w": 2}),
        ("7x7", (1, 28, 28, 96), 7, 1, {}),
        ("3x3 dilated", (1, 28, 28, 96), 3, 1, {"dilation_h_factor": 2, "dilation_w_factor": 2}),
        ("times 8", (1, 49, 10, 1), 9, 8, {}),
        ("times 2", (1, 56, 56, 16), 3, 2, {}),
        ("3 channels", (1, 112, 112, 3), 3, 1, {}),
        ("1xk", (1, 1, 400, 64), 3, 1, {}),
    ):
        f = (1, 1 if name == "1xk" else k, k, shape[3] * m)
        yield from convolution(
            "DEPTHWISE_CONV_2D", name, shape, f, 3, {**step, **more, "depth_multiplier": m}, (2, 3, 2, 4, 6)
        )
    for name, shape, f, to in (
        ("2x2", (1, 28, 28, 64), (32, 2, 2, 64), 56),
        ("3x3", (1, 28, 28, 64), (32, 3, 3, 64), 56),
        ("4x4", (1, 28, 28, 64), (32, 4, 4, 64), 56),
        ("16x16 s8", (1, 16, 16, 21), (21, 16, 16, 21), 128),
    ):
        stride = to // shape[1]
        o = {"padding": "SAME", "stride_h": stride, "stride_w": stride}
        yield one(
            f"TRANSPOSE_CONV f32 {name}",
            "TRANSPOSE_CONV",
            [const([1, to, to, f[0]]), const(F, f), tensor(F, shape), const(F, (f[0],))],
            F,
            o,
            3,
        )
        weights, addend = with_bias(Q, channel_weights(f), f[0])
        yield one(
            f"TRANSPOSE_CONV int8 {name}",
            "TRANSPOSE_CONV",
            [const([1, to, to, f[0]]), weights, operand(Q, shape), addend],
            Q,
            o,
            3,
        )
        yield one(
            f"TRANSPOSE_CONV int16 {name}",
            "TRANSPOSE_CONV",
            [const([1, to, to, f[0]]), channel_weights(f), operand(W, shape)],
            W,
            o,
            4,
        )
    yield one(
        "CONV_3D",
        "CONV_3D",
        [tensor(F, (1, 8, 28, 28, 16)), const(F, (3, 3, 3, 16, 32)), const(F, (32,))],
        F,
        {
            "padding": "SAME",
            "stride_d": 1,
            "stride_h": 1,
            "stride_w": 1,
            "dilation_d_factor": 1,
            "dilation_h_factor": 1,
            "dilation_w_factor": 1,
        },
    )


def products() -> Iterator[Case]:
    for m, k, n in ((1, 1024, 1024), (8, 512, 512), (128, 256, 1024), (1, 64, 10), (400, 40, 40)):
        name = f"{m}x{k}x{n}"
        yield one(
            f"FULLY_CONNECTED f32 {name}", "FULLY_CONNECTED", [tensor(F, (m, k)), const(F, (n, k)), const(F, (n,))], F
        )
        yield one(
            f"FULLY_CONNECTED int8 {name}",
            "FULLY_CONNECTED",
            [operand(Q, (m, k)), *with_bias(Q, channel_weights((n, k)), n)],
            Q,
            {},
            12,
        )
        yield one(
            f"FULLY_CONNECTED int8 one scale {name}",
            "FULLY_CONNECTED",
            [operand(Q, (m, k)), *with_bias(Q, const(Q, (n, k), 0.01, low=-127), n)],
            Q,
            {},
            4,
        )
        yield one(
            f"FULLY_CONNECTED uint8 {name}",
            "FULLY_CONNECTED",
            [operand(U, (m, k)), *with_bias(U, const(U, (n, k), 0.01, 120), n)],
            U,
        )
        yield one(
            f"FULLY_CONNECTED int16 {name}",
            "FULLY_CONNECTED",
            [operand(W, (m, k)), const(Q, (n, k), 0.01, low=-127), None],
            W,
            {},
            7,
        )
        yield one(
            f"FULLY_CONNECTED hybrid {name}",
            "FULLY_CONNECTED",
            [tensor(F, (m, k)), channel_weights((n, k)), const(F, (n,))],
            F,
            {"asymmetric_quantize_inputs": True},
            12,
        )
        yield one(
            f"FULLY_CONNECTED hybrid int4 {name}",
            "FULLY_CONNECTED",
            [tensor(F, (m, k)), const("int4", (n, k), np.full(n, 0.1), [0] * n, low=-7), const(F, (n,))],
            F,
            {"asymmetric_quantize_inputs": True},
            12,
        )
        yield one(
            f"FULLY_CONNECTED int4 {name}",
            "FULLY_CONNECTED",
            [operand(Q, (m, k)), *with_bias(Q, const("int4", (n, k), np.full(n, 0.01), [0] * n, low=-7), n)],
            Q,
            {},
            12,
        )
        if k % 32 == 0:
            step = np.linspace(0.01, 0.05, n * (k // 32)).astype(np.float16).reshape(n, k // 32)
            yield one(
                f"FULLY_CONNECTED blockwise int4 {name}",
                "FULLY_CONNECTED",
                [tensor(F, (m, k)), const("int4", (n, k), low=-7, block_scales=step, block_size=32), const(F, (n,))],
                F,
                {"asymmetric_quantize_inputs": True},
                13,
            )
    for b, m, k, n in ((8, 128, 64, 128), (8, 128, 128, 64), (12, 1, 64, 512), (1, 256, 256, 256)):
        for adj in (False, True):
            right = (b, n, k) if adj else (b, k, n)
            name, o = f"{b}x{m}x{k}x{n}{' turned' if adj else ''}", {"adj_y": adj}
            yield one(f"BATCH_MATMUL f32 {name}", "BATCH_MATMUL", [tensor(F, (b, m, k)), tensor(F, right)], F, o)
            yield one(f"BATCH_MATMUL int8 {name}", "BATCH_MATMUL", [operand(Q, (b, m, k)), operand(Q, right)], Q, o, 2)
            yield one(f"BATCH_MATMUL int16 {name}", "BATCH_MATMUL", [operand(W, (b, m, k)), operand(W, right)], W, o, 3)
            yield one(
                f"BATCH_MATMUL hybrid {name}",
                "BATCH_MATMUL",
                [tensor(F, (b, m, k)), const(Q, right, 0.01, low=-127)],
                F,
                o,
                4,
            )


def interpreters(case: Case) -> list[Any]:
    """Ours and LiteRT's, with inputs, once run. The file states the outputs' shapes, as files of converters do: what
    XNNPACK takes over is decided by them."""
    from ai_edge_litert.interpreter import Interpreter

    import samara

    first = samara.Interpreter(model_content=harness.build(case)[0])
    first.allocate_tensors()
    for spec, details in zip(case.outputs, first.get_output_details(), strict=True):
        spec.shape = tuple(int(n) for n in details["shape"])
    data, steps = harness.build(case)
    made = [samara.Interpreter(model_content=data, num_threads=1), Interpreter(model_content=data, num_threads=1)]
    feed = [v for spec, v in zip(case.inputs, steps[0], strict=True) if spec is not None and spec.kind == "tensor"]
    for each in made:
        each.allocate_tensors()
        for details, value in zip(each.get_input_details(), feed, strict=True):
            each.set_tensor(details["index"], value)
        each.invoke()
    return made


TURNS = 10  # many and short: a processor's clock changes within tenths of a second


def measure(case: Case, seconds: float = 0.12) -> tuple[float, float]:
    """Least microseconds of ours and of LiteRT's invoke."""
    made = interpreters(case)
    best = [float("inf"), float("inf")]
    for _ in range(TURNS):
        for i, each in enumerate(made):
            end = time.perf_counter() + seconds / (2 * TURNS)
            while True:
                begin = time.perf_counter()
                each.invoke()
                now = time.perf_counter()
                best[i] = min(best[i], now - begin)
                if now > end:
                    break
    return best[0] * 1e6, best[1] * 1e6


def main(*words: str) -> None:
    rows = []
    for family in (elementwise, reductions, moves, spatial, products):
        for case in family():
            if words and not any(w.lower() in case.name.lower() for w in words):
                continue
            try:
                ours, theirs = measure(case)
            except (ValueError, RuntimeError) as error:
                print(f"left out: {case.name}: {str(error).splitlines()[0][:110]}", file=sys.stderr)
                continue
            rows.append((theirs / ours, case.name, ours, theirs))
    rows.sort()
    for ratio, name, ours, theirs in rows:
        print(f"{ratio:8.2f}  {ours:10.1f}  {theirs:10.1f}  {name}")
    if rows:
        mean = np.exp(np.mean([np.log(r[0]) for r in rows]))
        print(f"{len(rows)} operators, geometric mean {mean:.2f}, {sum(r[0] < 0.95 for r in rows)} below 0.95")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(*sys.argv[1:])
