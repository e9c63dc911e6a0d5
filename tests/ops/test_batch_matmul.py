"""BATCH_MATMUL: types, both sides turned, broadcast batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import Case, check, const, tensor

# x, y, adj_x, adj_y
SHAPES = {
    "plain": ((5, 7), (7, 9), False, False),
    "batch": ((3, 4, 17), (3, 17, 6), False, False),
    "adj y": ((2, 3, 8, 20), (2, 3, 33, 20), False, True),
    "adj x": ((2, 20, 8), (2, 20, 5), True, False),
    "adj both": ((2, 20, 8), (2, 5, 20), True, True),
    "broadcast y": ((4, 2, 6, 10), (10, 12), False, False),
    "broadcast x": ((6, 10), (3, 10, 12), False, False),
    "broadcast both": ((2, 1, 5, 10), (3, 10, 12), False, False),
    "vector": ((1, 65), (65, 40), False, False),
    "vectors": ((5, 1, 64), (5, 64, 600), False, False),
    "vectors adj y": ((5, 1, 19), (5, 47, 19), False, True),
    "vectors adj both": ((2, 70, 1), (2, 13, 70), True, True),
    "vector broadcast x": ((1, 10), (3, 10, 5), False, False),
    "vector broadcast y": ((4, 1, 10), (10, 12), False, False),
}


def hybrid(values: list[Any], adj_x: bool, adj_y: bool, asymmetric: bool) -> list[np.ndarray]:
    """Every row of x quantized by itself."""
    x, y = (v.astype(np.float64) for v in values)
    x, y = x.swapaxes(-1, -2) if adj_x else x, y.swapaxes(-1, -2) if adj_y else y
    low, high = np.minimum(x.min(-1, keepdims=True), 0), np.maximum(x.max(-1, keepdims=True), 0)
    if asymmetric:
        scale = (high - low) / 255
        from_low, from_high = -128 - low / scale, 127 - high / scale
        zero = np.round(np.where(128 - low / scale < 127 + high / scale, from_low, from_high)).clip(-128, 127)
        x = (np.round(x / scale + zero).clip(-128, 127) - zero) * scale
    else:
        scale = np.maximum(-low, high) / 127
        x = np.round(x / scale) * scale
    return [(x @ (y * np.float32(0.02))).astype(np.float32)]


def bytes_product(values: list[Any], adj_x: bool, adj_y: bool) -> np.ndarray:
    """The uint8 cases below."""
    x, y = (v.astype(np.float64) for v in values)
    x, y = x.swapaxes(-1, -2) if adj_x else x, y.swapaxes(-1, -2) if adj_y else y
    return np.clip(np.rint((x - 131) @ (y - 120) * (0.05 * 0.03 / 0.9)) + 129, 0, 255).astype(np.uint8)


WRONG_ROWS = "with two batch dimensions rows are scaled by the factors of other rows"
CASES = []
for key, (x, y, adj_x, adj_y) in SHAPES.items():
    opts = {"adj_x": adj_x, "adj_y": adj_y}
    for constant in (False, True):
        right = const if constant else tensor
        name = f"{key}{' constant' * constant}"
        CASES += [
            Case(f"f32 {name}", "BATCH_MATMUL", [tensor("float32", x), right("float32", y)], [tensor("float32")], opts),
            Case(f"int8 {name}", "BATCH_MATMUL", [tensor("int8", x, 0.05, 3), right("int8", y, 0.03, -9)],
                 [tensor("int8", scale=0.9, zero_point=1)], opts, version=2, atol=1),
        ]  # fmt: skip
    CASES += [
        Case(f"uint8 {key}", "BATCH_MATMUL", [tensor("uint8", x, 0.05, 131), tensor("uint8", y, 0.03, 120)],
             [tensor("uint8", scale=0.9, zero_point=129)], opts, version=2,
             oracle=lambda v, a=adj_x, b=adj_y: [bytes_product(v, a, b)], atol=1),
        Case(f"int16 {key}", "BATCH_MATMUL", [tensor("int16", x, 0.0005), tensor("int16", y, 0.0003)],
             [tensor("int16", scale=0.001)], opts, version=3),
        Case(f"hybrid {key}", "BATCH_MATMUL", [tensor("float32", x), const("int8", y, 0.02, low=-127)],
             [tensor("float32")],
             opts, version=1, rtol=2e-3, oracle=lambda v, a=adj_x, b=adj_y: hybrid(v, a, b, False),
             peer_error=WRONG_ROWS if key in ("adj y", "broadcast y") else ""),
        Case(f"hybrid asymmetric {key}", "BATCH_MATMUL", [tensor("float32", x, low=-1),
              const("int8", y, 0.02, low=-127)],
             [tensor("float32")], {**opts, "asymmetric_quantize_inputs": True}, version=4, rtol=2e-3,
             oracle=lambda v, a=adj_x, b=adj_y: hybrid(v, a, b, True)),
    ]  # fmt: skip

CASES += [
    Case("depth", "BATCH_MATMUL", [tensor("float32", (4, 5)), tensor("float32", (6, 7))], [tensor("float32")], {},
         error="has depth 5"),
    Case("batches", "BATCH_MATMUL", [tensor("float32", (2, 4, 5)), tensor("float32", (3, 5, 7))], [tensor("float32")],
         {}, error="broadcast"),
    Case("rank", "BATCH_MATMUL", [tensor("float32", (5,)), tensor("float32", (5, 7))], [tensor("float32")], {},
         error="dimensions"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_batch_matmul(case: Case) -> None:
    check(case)
