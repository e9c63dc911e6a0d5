"""Merged operators give the same bytes as the operators of the file, and are merged only where they may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paths import shared_folder
from samara.converter import schema

import samara

SHARED = shared_folder("models")
MODELS = sorted(SHARED.rglob("*.tflite")) if SHARED else []
DTYPES = ["float32", "int8", "uint8", "int16"]


class Net:
    """A graph in the making: tensors by name, operators in order."""

    def __init__(self) -> None:
        self.graph = schema.SubGraph(tensors=[], operators=[], name="main")
        self.model = schema.Model(version=3, subgraphs=[self.graph], buffers=[schema.Buffer()], operator_codes=[])

    def tensor(self, dtype: str, shape: Any = (), scale: Any = None, zero: int = 0, value: Any = None) -> int:
        buffer = 0
        if value is not None:
            self.model.buffers.append(schema.Buffer(data=np.ascontiguousarray(value).view(np.uint8).ravel()))
            buffer, shape = len(self.model.buffers) - 1, value.shape
        quantization = None
        if scale is not None:
            quantization = schema.QuantizationParameters(scale=np.array([scale], np.float32), zero_point=[zero])
        name = f"t{len(self.graph.tensors)}"
        self.graph.tensors.append(
            schema.Tensor(
                name=name,
                shape=list(shape),
                type=dtype.upper(),
                buffer=buffer,
                quantization=quantization,
                has_rank=True,
            )
        )
        return len(self.graph.tensors) - 1

    def op(self, name: str, inputs: list[int], output: int, **options: Any) -> int:
        self.model.operator_codes.append(schema.OperatorCode(builtin_code=name, version=3))
        operator = schema.Operator(opcode_index=len(self.model.operator_codes) - 1, inputs=inputs, outputs=[output])
        schema.set_options(operator, name, options)
        self.graph.operators.append(operator)
        return output

    def bytes(self, inputs: list[int], outputs: list[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = inputs, outputs
        return schema.encode(self.model)


def padded_convolution(
    op: str, dtype: str, borders: list[list[int]], padding: str = "VALID", kernel: int = 3, twice: bool = False,
    same_scale: bool = True,
) -> bytes:  # fmt: skip
    rng = np.random.default_rng(3)
    net = Net()
    quantized = dtype != "float32"
    zero = 5 if dtype in ("int8", "uint8") else 0
    scale = 0.1 if quantized else None
    x = net.tensor(dtype, (2, 9, 7, 6), scale, zero)
    amounts = net.tensor("int32", value=np.array(borders, np.int32))
    padded = net.op("PAD", [x, amounts], net.tensor(dtype, (), scale and (scale if same_scale else 0.2), zero))
    weights_type = {"int16": "int8"}.get(dtype, dtype)
    shape = (4, kernel, kernel, 6) if op == "CONV_2D" else (1, kernel, kernel, 6)
    values = rng.integers(-100, 100, shape) if quantized else rng.standard_normal(shape)
    if dtype == "uint8":
        values = values + 128
    weights = net.tensor(
        weights_type, scale=0.02 if quantized else None, zero=128 if dtype == "uint8" else 0,
        value=values.astype(weights_type),
    )  # fmt: skip
    bias_type = {"float32": "float32", "int16": "int64"}.get(dtype, "int32")
    channels = 4 if op == "CONV_2D" else 6
    bias = net.tensor(
        bias_type, scale=0.1 * 0.02 if quantized else None, value=rng.integers(-9, 9, channels).astype(bias_type)
    )
    y = net.tensor(dtype, (), 0.3 if quantized else None, zero)
    options: dict[str, Any] = {"padding": padding, "stride_h": 2, "stride_w": 1}
    if op == "DEPTHWISE_CONV_2D":
        options["depth_multiplier"] = 1
    net.op(op, [padded, weights, bias], y, **options)
    return net.bytes([x], [y, padded] if twice else [y])


def run(model: Any, **options: Any) -> tuple[list[np.ndarray], int]:
    interpreter = samara.Interpreter(model_content=model, **options)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(11)
    for d in interpreter.get_input_details():
        if d["dtype"] == np.float32:
            value: Any = rng.standard_normal(d["shape"])
        else:
            value = rng.integers(0, 100, d["shape"])
        interpreter.set_tensor(d["index"], value.astype(d["dtype"]))
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()], len(interpreter.steps())


def check(model: bytes, steps: int) -> None:
    fused, n = run(model)
    plain, n_plain = run(model, no_fusion=True)
    assert (n, n_plain) == (steps, 2)
    for a, b in zip(fused, plain, strict=True):
        assert a.dtype == b.dtype and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("op", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("borders", [[1, 1, 1, 1], [0, 1, 0, 1], [2, 0, 0, 3], [0, 0, 0, 0]], ids=str)
def test_pad_is_merged(op: str, dtype: str, borders: list[int]) -> None:
    top, bottom, left, right = borders
    check(padded_convolution(op, dtype, [[0, 0], [top, bottom], [left, right], [0, 0]]), 1)


def test_pad_of_a_pointwise_convolution() -> None:
    check(padded_convolution("CONV_2D", "int8", [[0, 0], [1, 2], [3, 0], [0, 0]], kernel=1), 1)


KEPT = {
    "two readers": {"twice": True},
    "SAME": {"padding": "SAME"},
    "wide": {"borders": [[0, 0], [65, 0], [0, 0], [0, 0]]},
    "batch": {"borders": [[1, 0], [1, 1], [1, 1], [0, 0]]},
    "other scale": {"same_scale": False},
}


@pytest.mark.parametrize("case", KEPT)
def test_pad_is_kept(case: str) -> None:
    arguments: dict[str, Any] = {"borders": [[0, 0], [1, 1], [1, 1], [0, 0]], **KEPT[case]}
    model = padded_convolution("CONV_2D", "int8", **arguments)
    if case == "other scale":
        with pytest.raises(samara.SamaraError, match="scale"):
            run(model)
    else:
        check(model, 2)


@pytest.mark.parametrize("path", MODELS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_shared_models_without_fusion(path: Path) -> None:
    try:
        fused, _ = run(path.read_bytes())
    except samara.SamaraError as error:
        with pytest.raises(samara.SamaraError, match=error.args[0].split(":")[0]):
            run(path.read_bytes(), no_fusion=True)
        return
    plain, _ = run(path.read_bytes(), no_fusion=True)
    for a, b in zip(fused, plain, strict=True):
        assert a.tobytes() == b.tobytes()
