"""TRANSPOSE_CONV: phases with and without taps, padding, every type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import Case, check, const, tensor


def scales(n: int) -> np.ndarray:
    return np.linspace(0.002, 0.02, n).astype(np.float32)


# input, filter, output shape, padding, strides
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], str, tuple[int, int]]] = {
    "stride 2 same": ((1, 4, 5, 6), (3, 3, 3, 6), (1, 8, 10, 3), "SAME", (2, 2)),
    "stride 2 valid": ((1, 4, 5, 6), (3, 3, 3, 6), (1, 9, 11, 3), "VALID", (2, 2)),
    "stride 1": ((2, 5, 4, 8), (17, 3, 3, 8), (2, 5, 4, 17), "SAME", (1, 1)),
    "4x4": ((1, 3, 3, 10), (5, 4, 4, 10), (1, 6, 6, 5), "SAME", (2, 2)),
    "2x2": ((1, 5, 5, 16), (8, 2, 2, 16), (1, 10, 10, 8), "VALID", (2, 2)),
    "gaps": ((1, 3, 4, 5), (4, 1, 2, 5), (1, 9, 12, 4), "SAME", (3, 3)),
    "uneven": ((1, 4, 3, 7), (6, 5, 2, 7), (1, 4, 9, 6), "SAME", (1, 3)),
    "line": ((1, 1, 9, 12), (12, 1, 8, 12), (1, 1, 36, 12), "SAME", (1, 4)),
}

CASES: list[Case] = []
for key, (x, w, y, padding, (sh, sw)) in SHAPES.items():
    n = w[0]
    opts: dict[str, Any] = {"padding": padding, "stride_h": sh, "stride_w": sw}
    shape = const(np.array(y, np.int32))
    CASES += [
        Case(f"f32 {key}", "TRANSPOSE_CONV", [shape, const("float32", w), tensor("float32", x)],
             [tensor("float32")], opts),
        Case(f"f32 bias {key}", "TRANSPOSE_CONV",
             [shape, const("float32", w), tensor("float32", x), const("float32", (n,))], [tensor("float32")],
             {**opts, "fused_activation_function": "RELU"}, 4),
        Case(f"int8 {key}", "TRANSPOSE_CONV",
             [shape, const("int8", w, scales(n), low=-127), tensor("int8", x, 0.05, 7),
              const("int32", (n,), 0.05 * scales(n), low=-5000, high=5000)],
             [tensor("int8", scale=0.3, zero_point=-4)], opts, 3, atol=1),
        Case(f"uint8 {key}", "TRANSPOSE_CONV",
             [shape, const("uint8", w, 0.01, 130), tensor("uint8", x, 0.05, 120)],
             [tensor("uint8", scale=0.3, zero_point=128)], opts, 1, atol=1),
        Case(f"int16 {key}", "TRANSPOSE_CONV",
             [shape, const("int8", w, scales(n), low=-127), tensor("int16", x, 0.0005),
              const("int64", (n,), 0.0005 * scales(n), low=-500000, high=500000)],
             [tensor("int16", scale=0.002)], opts, 3),
        Case(f"hybrid {key}", "TRANSPOSE_CONV",
             [shape, const("int8", w, scales(n), low=-127), tensor("float32", x, low=-1), const("float32", (n,))],
             [tensor("float32")], opts, 5, rtol=2e-3),
    ]  # fmt: skip

CASES += [
    Case("shape computed", "TRANSPOSE_CONV",
         [tensor("int32", (4,), low=1, high=1), const("float32", (1, 2, 2, 3)), tensor("float32", (1, 1, 1, 3))],
         [tensor("float32")], {"padding": "SAME", "stride_h": 2, "stride_w": 2}),
    Case("channels", "TRANSPOSE_CONV",
         [const(np.array([1, 4, 4, 2], np.int32)), const("float32", (2, 3, 3, 5)), tensor("float32", (1, 2, 2, 4))],
         [tensor("float32")], {"padding": "SAME", "stride_h": 2, "stride_w": 2}, error="filter has 5 input channels"),
    Case("stride", "TRANSPOSE_CONV",
         [const(np.array([1, 4, 4, 2], np.int32)), const("float32", (2, 3, 3, 4)), tensor("float32", (1, 2, 2, 4))],
         [tensor("float32")], {"padding": "SAME", "stride_h": 0, "stride_w": 2}, error="strides are 0 and 2"),
    Case("negative shape", "TRANSPOSE_CONV",
         [const(np.array([1, -4, 4, 2], np.int32)), const("float32", (2, 3, 3, 4)), tensor("float32", (1, 2, 2, 4))],
         [tensor("float32")], {"padding": "SAME", "stride_h": 2, "stride_w": 2}, error="output dimension 1 is -4"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_transpose_conv(case: Case) -> None:
    check(case)
