"""SOFTMAX, LOG_SOFTMAX, L2_NORMALIZATION."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, tensor

SHAPES = ((1, 10), (3, 1), (7, 33), (2, 3, 5), (2, 3, 4, 65), (1, 1001))
BYTE = {"int8": 0, "uint8": 128}


def softmax(dtype, shape, x=None, y=None, beta=1.0, low=None, high=None, **extra):
    name = f"softmax {dtype} {shape} {x} {beta} {high}"
    inputs = [tensor(dtype, shape, *(x or (None, 0)), low=low, high=high)]
    return Case(name, "SOFTMAX", inputs, [tensor(extra.pop("out", dtype), None, *(y or (None, 0)))], {"beta": beta},
                extra.pop("version", 1), **extra)  # fmt: skip


def out(dtype):
    return (1 / 256, -128 + BYTE[dtype])


CASES = [
    *[softmax("float32", s, low=-9, high=9) for s in SHAPES],
    softmax("float32", (5, 17), beta=0.3),
    softmax("float16", (5, 173), rtol=2e-3, oracle=lambda v: [
        ((e := np.exp(v[0].astype(np.float32))) / e.sum(-1, keepdims=True)).astype(np.float16)]),
    softmax("uint8", (3, 700), (0.05, 3), (1 / 256, 0), version=2),
    softmax("float32", (4, 100), low=-1000, high=1000),
    softmax("float32", (0, 7), oracle=lambda v: [v[0]]),
    softmax("float32", (7, 0), oracle=lambda v: [v[0]]),
    *[softmax(d, s, (scale, 7 + BYTE[d]), out(d), version=2) for d in BYTE for s in SHAPES for scale in (0.02, 0.13, 0.6)],
    *[softmax(d, (9, 50), (0.1, BYTE[d]), out(d), beta=2.5, version=2) for d in BYTE],
    *[softmax(d, (9, 50), (0.1, BYTE[d]), (1 / 32768, 0), out="int16", version=3, atol=3) for d in ("int8",)],
    *[softmax("int16", s, (2e-4, 0), (1 / 32768, 0), version=3) for s in SHAPES],
    softmax("int16", (8, 40), (1e-3, 0), (1 / 32768, 0), version=3),
    *[Case(f"log softmax f32 {s}", "LOG_SOFTMAX", [tensor("float32", s, low=-9, high=9)], [tensor("float32")])
      for s in SHAPES],
    *[Case(f"log softmax {d} {s}", "LOG_SOFTMAX", [tensor(d, s, 0.06, 3 + BYTE[d])],
           [tensor(d, None, 16 / 256, 127 + BYTE[d])], version=2) for d in BYTE for s in SHAPES],
    *[Case(f"l2 f32 {s}", "L2_NORMALIZATION", [tensor("float32", s)], [tensor("float32")],
           {"fused_activation_function": "NONE"}) for s in SHAPES],
    *[Case(f"l2 {d} {s}", "L2_NORMALIZATION", [tensor(d, s, 0.06, 3 + BYTE[d])], [tensor(d, None, 1 / 128, BYTE[d])],
           {"fused_activation_function": "NONE"}, version=2) for d in BYTE for s in SHAPES],
    Case("l2 zeros", "L2_NORMALIZATION", [tensor("float32", (3, 4), low=0, high=0)], [tensor("float32")],
         {"fused_activation_function": "NONE"}, oracle=lambda v: [np.zeros((3, 4), np.float32)]),
    Case("softmax scalar", "SOFTMAX", [tensor("float32", ())], [tensor("float32")], {"beta": 1.0}, error="dimension"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_softmax(case):
    check(case)
