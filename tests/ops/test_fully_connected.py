"""FULLY_CONNECTED: every pair of types, one row and many, weights of 8, 4 and 2 bits, blockwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import Case, check, const, tensor
from samara.converter import schema

import samara


def scales(n: int) -> np.ndarray:
    return np.linspace(0.002, 0.02, n).astype(np.float32)


def bias(n: int, scale: Any = 0.0005, dtype: str = "int32") -> Any:
    return const(dtype, (n,), scale, low=-5000, high=5000)


CASES: list[Case] = []
for rows, depth, units in ((1, 17, 5), (1, 64, 33), (7, 40, 70), (3, 3, 1), (1, 1, 1), (13, 129, 16), (0, 4, 4)):
    key = f"{rows}x{depth}x{units}"
    out = 0.05 * np.sqrt(depth) * 0.9
    act = {"fused_activation_function": "RELU" if units % 2 else "NONE"}
    CASES += [
        Case(f"f32 {key}", "FULLY_CONNECTED",
             [tensor("float32", (rows, depth)), const("float32", (units, depth)), const("float32", (units,))],
             [tensor("float32")], act),
        Case(f"int8 {key}", "FULLY_CONNECTED",
             [tensor("int8", (rows, depth), 0.05, 9), const("int8", (units, depth), 0.01, low=-127), bias(units)],
             [tensor("int8", scale=out, zero_point=-5)], act, version=4, atol=1),
        Case(f"int8 channels {key}", "FULLY_CONNECTED",
             [tensor("int8", (rows, depth), 0.05, 9), const("int8", (units, depth), scales(units), low=-127),
              bias(units, 0.05 * scales(units))],
             [tensor("int8", scale=out, zero_point=-5)], act, version=12 if units > 1 else 4, atol=1),
        Case(f"int4 channels {key}", "FULLY_CONNECTED",
             [tensor("int8", (rows, depth), 0.05, 9), const("int4", (units, depth), scales(units), low=-7),
              bias(units, 0.05 * scales(units))],
             [tensor("int8", scale=out / 10)], act, version=12, atol=1,
             oracle=lambda v, a=act, o=out: [float_rule(v, 0.05, 9, a, o / 10, 0)]),
        Case(f"int2 channels {key}", "FULLY_CONNECTED",
             [tensor("int8", (rows, depth), 0.05, 9), const("int2", (units, depth), scales(units)), None],
             [tensor("int8", scale=out / 50)], act, version=14, atol=1,
             oracle=lambda v, a=act, o=out: [float_rule(v, 0.05, 9, a, o / 50, 0)]),
        Case(f"uint8 {key}", "FULLY_CONNECTED",
             [tensor("uint8", (rows, depth), 0.05, 120), const("uint8", (units, depth), 0.01, 140), bias(units)],
             [tensor("uint8", scale=out, zero_point=100)], act, atol=1),
        Case(f"int16 {key}", "FULLY_CONNECTED",
             [tensor("int16", (rows, depth), 0.0005), const("int8", (units, depth), 0.01, low=-127),
              bias(units, 0.000005, "int64")],
             [tensor("int16", scale=out / 200)], act, version=4),
        Case(f"int8 small weights {key}", "FULLY_CONNECTED",
             [tensor("int8", (rows, depth), 0.05, 9), const("int8", (units, depth), 0.01, low=-45, high=45), bias(units)],
             [tensor("int8", scale=out / 2, zero_point=-5)], act, version=4, atol=1),
        Case(f"hybrid small weights {key}", "FULLY_CONNECTED",
             [tensor("float32", (rows, depth), low=-1), const("int8", (units, depth), 0.01, low=-45, high=45),
              const("float32", (units,))],
             [tensor("float32")], {**act, "asymmetric_quantize_inputs": True}, version=9, rtol=2e-3),
        Case(f"hybrid {key}", "FULLY_CONNECTED",
             [tensor("float32", (rows, depth), low=-1), const("int8", (units, depth), 0.01, low=-127),
              const("float32", (units,))],
             [tensor("float32")], act, version=3, rtol=2e-3),
        Case(f"hybrid asymmetric {key}", "FULLY_CONNECTED",
             [tensor("float32", (rows, depth), low=-1), const("int8", (units, depth), 0.01, low=-127),
              const("float32", (units,))],
             [tensor("float32")], {**act, "asymmetric_quantize_inputs": True}, version=9, rtol=2e-3),
    ]  # fmt: skip


def float_rule(values: list[Any], scale: float, zero: int, act: dict[str, str], out: float, out_zero: int) -> Any:
    x, w, b = values
    acc = (x.astype(np.int64) - zero) @ w.astype(np.int64).T + (0 if b is None else b)
    factor = np.float32(scale) * scales(w.shape[0]) / np.float32(out)
    low = 0 if act["fused_activation_function"] == "RELU" else -128
    y = np.rint(acc.astype(np.float32) * factor) + out_zero
    return np.clip(y, low, 127).astype(np.int8)


def wide(values: list[Any]) -> Any:
    """int8 to int16 by the float rule."""
    x, w, b = values
    acc = (x.astype(np.int64) - 3) @ w.astype(np.int64).T + b
    factor = np.float64(np.float32(0.05)) * np.float64(np.float32(0.01)) / np.float64(np.float32(0.001))
    return np.clip(np.rint(acc.astype(np.float32) * np.float32(factor)), -32768, 32767).astype(np.int16)


X8, W8 = tensor("int8", (2, 3, 8), 0.05, 3), const("int8", (6, 8), 0.01)
BLOCK = np.linspace(0.01, 0.05, 10 * 2).astype(np.float16).reshape(10, 2)


def blockwise(values: list[Any], block_scales: np.ndarray = BLOCK, block: int = 32) -> list[np.ndarray]:
    x, w, b = values
    rows = []
    for row in x:
        low, high = float(min(row.min(), 0)), float(max(row.max(), 0))
        scale = (high - low) / 255
        ends = (-128 - low / scale, 127 - high / scale)
        zero = np.clip(np.round(ends[0] if 128 + abs(low / scale) < 127 + abs(high / scale) else ends[1]), -128, 127)
        rows.append((np.clip(np.rint(zero + row / scale), -128, 127) - zero) * scale)
    dense = w.astype(np.float64) * np.repeat(block_scales.astype(np.float64), block, axis=1)
    return [(np.asarray(rows) @ dense.T + b).astype(np.float32)]


def blockwise_case(rows: int, k: int, units: int, block: int, dtype: str, kind: Any) -> Case:
    step = np.linspace(0.01, 0.05, units * (k // block)).astype(kind).reshape(units, k // block)
    low = {"int2": -2, "int4": -8, "int8": -127}[dtype]
    return Case(
        f"blockwise {rows}x{k}x{units} {dtype} by {block} {np.dtype(kind).name}", "FULLY_CONNECTED",
        [tensor("float32", (rows, k), low=-1, high=2),
         const(dtype, (units, k), low=low, block_scales=step, block_size=block), const("float32", (units,))],
        [tensor("float32")], {"asymmetric_quantize_inputs": True}, 13, rtol=1e-5,
        oracle=lambda values: blockwise(values, step, block),
    )  # fmt: skip


CASES += [
    Case("keep dims", "FULLY_CONNECTED", [X8, W8, bias(6)], [tensor("int8", scale=0.1)], {"keep_num_dims": True}, 5,
         atol=1),
    Case("flatten", "FULLY_CONNECTED", [X8, W8, bias(6)], [tensor("int8", scale=0.1)], {}, 4, atol=1),
    Case("flatten uneven", "FULLY_CONNECTED", [tensor("float32", (4, 6)), const("float32", (3, 8)), None],
         [tensor("float32")], {}, 2),
    Case("no bias", "FULLY_CONNECTED", [X8, W8, None], [tensor("int8", scale=0.1)], {}, 4, atol=1),
    Case("two inputs", "FULLY_CONNECTED", [X8, W8], [tensor("int8", scale=0.1)], {}, 4, atol=1),
    Case("weights computed", "FULLY_CONNECTED",
         [tensor("float32", (3, 8)), tensor("float32", (6, 8)), const("float32", (6,))], [tensor("float32")], {}, 3),
    Case("int8 weights computed", "FULLY_CONNECTED",
         [tensor("int8", (3, 8), 0.05, 3), tensor("int8", (6, 8), 0.01, 2), bias(6)], [tensor("int8", scale=0.1)], {},
         4, atol=1),
    Case("bias computed", "FULLY_CONNECTED",
         [tensor("float32", (3, 8)), const("float32", (6, 8)), tensor("float32", (6,))], [tensor("float32")], {}, 3),
    Case("weight zero point", "FULLY_CONNECTED",
         [tensor("int8", (5, 30), 0.05, 3), const("int8", (6, 30), 0.01, 7), bias(6)],
         [tensor("int8", scale=0.2, zero_point=4)], {}, 4, atol=1),
    *(Case(f"to int16{name}", "FULLY_CONNECTED",
           [tensor("int8", (5, 30), 0.05, 3), const("int8", (units, 30), 0.01, low=low, high=-low), bias(units)],
           [tensor("int16", scale=0.001)],
           {}, 4, oracle=lambda v: [wide(v)], peer_error="int8 to int16 gives the largest number everywhere")
      for name, units, low in (("", 20, -127), (" wide", 300, -40))),
    Case("int16 narrow bias", "FULLY_CONNECTED",
         [tensor("int16", (5, 30), 0.0005), const("int8", (20, 30), 0.01), bias(20, 0.000005)],
         [tensor("int16", scale=0.001)], {"quantized_bias_type": "INT32"}, 11),
    Case("hybrid channels", "FULLY_CONNECTED",
         [tensor("float32", (5, 30)), const("int8", (20, 30), scales(20), low=-127), None], [tensor("float32")],
         {"asymmetric_quantize_inputs": True}, 12, rtol=2e-3),
    Case("hybrid int4", "FULLY_CONNECTED",
         [tensor("float32", (5, 30)), const("int4", (20, 30), 0.1, low=-7), const("float32", (20,))],
         [tensor("float32")], {"asymmetric_quantize_inputs": True}, 10, rtol=2e-3),
    Case("blockwise", "FULLY_CONNECTED",
         [tensor("float32", (3, 64)), const("int4", (10, 64), low=-7, block_scales=BLOCK, block_size=32),
          const("float32", (10,))],
         [tensor("float32")], {"asymmetric_quantize_inputs": True}, 13, rtol=1e-5, oracle=blockwise),
    *(blockwise_case(*numbers) for numbers in (
        (1, 256, 24, 32, "int4", np.float16), (4, 128, 8, 64, "int4", np.float32), (7, 384, 13, 128, "int4", np.float16),
        (37, 96, 20, 96, "int4", np.float32), (5, 64, 9, 32, "int2", np.float16), (3, 48, 10, 16, "int4", np.float16),
        (6, 64, 11, 32, "int8", np.float32))),
    Case("depth differs", "FULLY_CONNECTED", [tensor("float32", (2, 7)), const("float32", (3, 8)), None],
         [tensor("float32")], {}, 2, error="weights have 8 columns"),
    Case("shuffled", "FULLY_CONNECTED", [tensor("uint8", (2, 8), 0.1), const("uint8", (4, 8), 0.1), bias(4)],
         [tensor("int16", scale=0.1)], {"weights_format": "SHUFFLED4x16INT8"}, 2, error="weights format"),
    Case("bias type", "FULLY_CONNECTED", [X8, W8, const("float32", (6,))], [tensor("int8", scale=0.1)], {}, 4,
         error="has type FLOAT32, must be INT32"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fully_connected(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("real", [False, True], ids=["int8 activations", "hybrid"])
@pytest.mark.parametrize(
    "shape", [(1, 64, 40), (1, 136, 16), (5, 72, 33), (9, 24, 7), (300, 16, 8), (4, 50, 64)], ids=str
)
def test_int4_is_int8_in_half_the_bytes(real: bool, shape: tuple[int, int, int]) -> None:
    """The answers are those of the same weights as int8, and so are the bytes that stay packed, halved."""
    rows, depth, units = shape
    rng = np.random.default_rng(7)
    x: Any = rng.standard_normal((rows, depth)) if real else rng.integers(-128, 128, (rows, depth))
    weights = rng.integers(-8, 8, (units, depth)).astype(np.int8)
    answers, packed = [], []
    for dtype in ("int4", "int8"):
        nibbles = weights.reshape(-1).view(np.uint8) & 15
        data = nibbles[0::2] | nibbles[1::2] << 4 if dtype == "int4" else weights.reshape(-1).view(np.uint8)
        inputs = schema.Tensor(
            name="x",
            shape=[rows, depth],
            type="FLOAT32" if real else "INT8",
            quantization=None if real else scale(0.05, 3),
        )
        matrix = schema.Tensor(
            name="w", shape=[units, depth], type=dtype.upper(), buffer=1, quantization=scale(0.02, 0)
        )
        outputs = schema.Tensor(
            name="y",
            shape=[rows, units],
            type="FLOAT32" if real else "INT8",
            quantization=None if real else scale(0.2, -5),
        )
        node = schema.Operator(opcode_index=0, inputs=[0, 1], outputs=[2])
        schema.set_options(node, "FULLY_CONNECTED", {})
        graph = schema.SubGraph(
            tensors=[inputs, matrix, outputs], operators=[node], inputs=[0], outputs=[2], name="main"
        )
        code = schema.OperatorCode(builtin_code="FULLY_CONNECTED", version=10)
        buffers = [schema.Buffer(), schema.Buffer(data=data)]
        model = schema.encode(schema.Model(version=3, subgraphs=[graph], buffers=buffers, operator_codes=[code]))
        for threads in (1, 3):
            interpreter = samara.Interpreter(model_content=model, num_threads=threads)
            interpreter.allocate_tensors()
            interpreter.set_tensor(0, x.astype(np.float32 if real else np.int8))
            interpreter.invoke()
            answers.append(interpreter.get_tensor(2).tobytes())
        packed.append(interpreter.memory()["packed"])
    assert len(set(answers)) == 1
    panels = -(-units // 8) * 8 * depth
    if panels % 128 == 0 and depth % 8 == 0:
        assert packed[1] - packed[0] >= panels // 2


def scale(value: float, zero: int) -> Any:
    return schema.QuantizationParameters(scale=np.array([value], np.float32), zero_point=[zero])
