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
        old = name in ("NEG", "ELU", "ABS", "SUM", "REDUCE_PROD", "HARD_SWISH")
        self.model.operator_codes.append(schema.OperatorCode(builtin_code=name, version=1 if old else 3))
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


def test_no_winograd() -> None:
    """Winograd and direct sums are both near to the exact answer, and not the same."""
    rng = np.random.default_rng(5)
    values = rng.standard_normal((64, 3, 3, 64)).astype(np.float32)
    net = Net()
    x = net.tensor("float32", (1, 16, 16, 64))
    y = net.tensor("float32")
    bias = net.tensor("float32", value=np.zeros(64, np.float32))
    net.op("CONV_2D", [x, net.tensor("float32", value=values), bias], y, padding="VALID", stride_h=1, stride_w=1)
    model = net.bytes([x], [y])
    data = np.random.default_rng(11).standard_normal((1, 16, 16, 64)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(data.astype(np.float64), (3, 3), (1, 2))
    exact = np.einsum("nhwcij,oijc->nhwo", windows, values.astype(np.float64), optimize=True)
    (usual,), _ = run(model)
    (direct,), _ = run(model, no_winograd=True)
    for found in (usual, direct):
        assert np.abs(found - exact).max() < 3e-6 * np.abs(exact).max()
    assert usual.tobytes() != direct.tobytes()


def test_no_winograd_of_integers() -> None:
    """The same bytes from fewer bytes of weights."""
    rng = np.random.default_rng(5)
    net = Net()
    x = net.tensor("int8", (1, 16, 16, 64), 0.05, 3)
    values = rng.integers(-127, 128, (64, 3, 3, 64)).astype(np.int8)
    filters = net.tensor("int8", scale=0.01, value=values)
    bias = net.tensor("int32", scale=0.0005, value=rng.integers(-999, 1000, 64).astype(np.int32))
    y = net.tensor("int8", scale=0.4)
    net.op("CONV_2D", [x, filters, bias], y, padding="VALID", stride_h=1, stride_w=1)
    model = net.bytes([x], [y])
    packed = {}
    for no_winograd in (False, True):
        interpreter = samara.Interpreter(model_content=model, no_winograd=no_winograd)
        interpreter.allocate_tensors()
        packed[no_winograd] = interpreter.memory()["packed"]
    assert packed[True] < 1.1 * values.size + 4096
    assert packed[True] <= packed[False]
    (usual,), _ = run(model)
    (direct,), _ = run(model, no_winograd=True)
    assert usual.tobytes() == direct.tobytes()


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


def elementwise(kind: str, dtype: str, scalar: bool = True) -> tuple[bytes, int, int]:
    """A model, its operators, and its steps after merging. The input has every byte."""
    net = Net()
    zero = -3 if dtype == "int8" else 120
    x = net.tensor(dtype, (4, 64), 0.05, zero)

    def value(scale: float, at: int = zero) -> int:
        return net.tensor(dtype, (4, 64), scale, at)

    def constant(real: float, scale: float) -> int:
        return net.tensor(dtype, scale=scale, zero=zero, value=np.full(1 if scalar else 64, real / scale + zero, dtype))

    probability = value(1 / 256, -128 if dtype == "int8" else 0)
    if kind == "silu":
        y = net.op("MUL", [x, net.op("LOGISTIC", [x], probability)], value(0.04))
        return net.bytes([x], [y]), 2, 1
    if kind == "silu, gate read twice":
        gate = net.op("LOGISTIC", [x], probability)
        return net.bytes([x], [net.op("MUL", [gate, x], value(0.04)), gate]), 2, 2
    if kind == "hard-swish":
        shifted = net.op("ADD", [x, constant(3, 0.05)], value(0.06), fused_activation_function="RELU6")
        product = net.op("MUL", [shifted, x], value(0.2))
        y = net.op("MUL", [product, constant(1 / 6, 0.01)], value(0.05))
        return net.bytes([x], [y]), 3, 1  # a table, or with vectors a chain
    if kind == "requantized":
        other = {"int8": "uint8", "uint8": "int8"}[dtype]
        relu = net.op("RELU", [x], value(0.05))
        y = net.op("QUANTIZE", [relu], net.tensor(other, (4, 64), 0.1, 7))
        z = net.op("QUANTIZE", [y], value(0.2))
        return net.bytes([x], [z]), 3, 1
    relu = net.op("RELU", [x], value(0.05))  # two tensors
    y = net.op("MUL", [relu, net.op("TANH", [(b := net.tensor(dtype, (4, 64), 0.1, zero))], value(1 / 128, zero))],
               value(0.1))  # fmt: skip
    return net.bytes([x, b], [y]), 3, 2


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize(
    "kind", ["silu", "silu, gate read twice", "hard-swish", "hard-swish, vectors", "requantized", "two tensors"]
)
def test_elementwise_chains(kind: str, dtype: str) -> None:
    model, operators, steps = elementwise(kind.split(", vectors")[0], dtype, scalar="vectors" not in kind)
    everything = np.arange(256).astype(dtype).reshape(4, 64)
    answers = []
    for no_fusion in (False, True):
        interpreter = samara.Interpreter(model_content=model, no_fusion=no_fusion)
        interpreter.allocate_tensors()
        for d in interpreter.get_input_details():
            interpreter.set_tensor(d["index"], everything)
        interpreter.invoke()
        answers.append([interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()])
        assert len(interpreter.steps()) == (operators if no_fusion else steps)
    for a, b in zip(*answers, strict=True):
        np.testing.assert_array_equal(a, b)


def random_graph(dtype: str, shape: tuple[int, ...], seed: int) -> bytes:
    """Twenty elementwise operators on what is there already; those that nobody reads, and some more, are outputs."""
    rng = np.random.default_rng(seed)
    net = Net()
    quantized = dtype != "float32"

    def tensor(dtype: str = dtype, of: Any = shape, value: Any = None) -> int:
        small = dtype != "float32"
        return net.tensor(
            dtype, of, rng.uniform(0.02, 0.1) if small else None, int(rng.integers(-9, 9)) if small else 0, value
        )

    def constant(of: tuple[int, ...]) -> int:
        return tensor(value=(rng.integers(-99, 99, of) if quantized else rng.standard_normal(of)).astype(dtype))

    inputs = [tensor(), tensor()]
    values, read = list(inputs), set()
    for _ in range(20):
        x = int(rng.choice(values[-5:]))
        kind = rng.choice(["curve", "binary", "binary", "scalar", "vector", "row", "requantize", "silu"])
        read.add(x)
        if kind == "curve":
            names = ["LOGISTIC", "TANH", "ABS"] if quantized else ["LOGISTIC", "TANH", "ABS", "NEG", "RELU", "ELU"]
            y = net.op(str(rng.choice(names)), [x], tensor())
        elif kind == "silu":
            y = net.op("MUL", [x, net.op("LOGISTIC", [x], tensor())][:: int(rng.choice([1, -1]))], tensor())
        elif kind == "requantize":
            if quantized:
                y = net.op("QUANTIZE", [net.op("DEQUANTIZE", [x], tensor("float32"))], tensor())
            else:
                y = net.op("DEQUANTIZE", [net.op("QUANTIZE", [x], tensor("int8"))], tensor())
        else:
            of = {"scalar": (1,), "vector": shape[-1:], "row": (1, *shape[1:])}.get(str(kind))
            other = constant(of) if of else int(rng.choice(values))
            read.add(other)
            operands = [x, other] if rng.random() < 0.7 else [other, x]
            y = net.op(str(rng.choice(["ADD", "SUB", "MUL"])), operands, tensor())
        values.append(y)
    outputs = [v for v in values[2:] if v not in read or rng.random() < 0.1]
    return net.bytes(inputs, outputs)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("shape", [(1, 3), (2, 5, 7, 3), (3, 40, 41), (1, 33, 130)], ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_random_chains(dtype: str, shape: tuple[int, ...], seed: int) -> None:
    model = random_graph(dtype, shape, seed)
    plain, n_plain = run(model, no_fusion=True)
    for threads in (1, 2, 4):
        fused, n = run(model, num_threads=threads)
        assert n < n_plain
        for a, b in zip(fused, plain, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("kind", ["SUM", "MEAN", "REDUCE_MAX", "REDUCE_PROD"])
@pytest.mark.parametrize(
    ("shape", "axes", "fused"),
    [
        ((5, 7, 33), [2], True),
        ((40, 3, 7), [1, 2], True),  # many rows a tile
        ((3, 8192), [1], True),  # one row a tile
        ((2, 40000), [1], False),  # a row of floats that no tile has room for
        ((4, 6, 33), [1], False),  # not rows
        ((4, 6, 33), [0, 2], False),
        ((400,), [0], False),
    ],
    ids=str,
)
def test_chains_that_end_in_a_reduction(dtype: str, kind: str, shape: Any, axes: list[int], fused: bool) -> None:
    net = Net()
    quantized = dtype != "float32"

    def tensor(of: Any = shape) -> int:
        return net.tensor(dtype, of, 0.1 if quantized else None, 3 if quantized else 0)

    small = tuple(1 if i in axes else n for i, n in enumerate(shape))
    x, y = tensor(), tensor(small)
    inner = net.op("MUL", [net.op("SUB", [x, y], tensor()), x], tensor())
    axis = net.tensor("int32", value=np.array(axes, np.int32))
    z = net.op(kind, [inner, axis], tensor(small), keep_dims=True)
    model = net.bytes([x, y], [net.op("ABS", [z], tensor(small))])
    plain, n_plain = run(model, no_fusion=True)
    for threads in (1, 2, 4):
        answers, n = run(model, num_threads=threads)
        if fused or shape[-1] != 40000 or not quantized:
            assert n == n_plain - (2 if fused else 1)
        for a, b in zip(answers, plain, strict=True):
            assert a.tobytes() == b.tobytes()


def strips_of_rows(
    dtype: str, kernel: int, stride: int, links: str, batches: int, dilation: int = 1, height: int = 80
) -> bytes:
    """Pointwise (p), elementwise (e) and depthwise (d) operators, one behind the other, too large for a cache."""
    rng = np.random.default_rng(len(links) + kernel)
    net = Net()
    quantized = dtype != "float32"
    zero = 120 if dtype == "uint8" else 3
    depth, width = 8, 25

    def tensor(of: Any) -> int:
        return net.tensor(dtype, of, 0.1 if quantized else None, zero if quantized else 0)

    def filters(of: Any) -> int:
        values = rng.integers(0, 255, of) - (0 if dtype == "uint8" else 127)
        if not quantized:
            return net.tensor(dtype, value=rng.standard_normal(of).astype(dtype))
        return net.tensor(dtype, scale=0.01, zero=130 if dtype == "uint8" else 0, value=values.astype(dtype))

    def bias(n: int) -> int:
        kind = "int32" if quantized else "float32"
        return net.tensor(kind, scale=0.001 if quantized else None, value=rng.integers(-99, 99, n).astype(kind))

    x = first = tensor((batches, height, width, depth))
    for at, link in enumerate(links):
        if link == "p":
            depth = 12 if at and "d" in links[:at] else (160 if quantized else 64)
            options: dict[str, Any] = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
            y = tensor((batches, height, width, depth))
            weights = filters((depth, 1, 1, net.graph.tensors[x].shape[3]))
            x = net.op("CONV_2D", [x, weights, bias(depth)], y, **options)
        elif link == "e":
            x = net.op("HARD_SWISH", [x], tensor((batches, height, width, depth)))
        else:
            height, width = (height - 1) // stride + 1, (width - 1) // stride + 1
            options = {"padding": "SAME", "stride_h": stride, "stride_w": stride, "depth_multiplier": 1}
            options |= {"dilation_h_factor": dilation, "dilation_w_factor": dilation}
            y = tensor((batches, height, width, depth))
            weights = filters((1, kernel, kernel, depth))
            x = net.op("DEPTHWISE_CONV_2D", [x, weights, bias(depth)], y, **options)
    return net.bytes([first], [x])


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8"])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2), (1, 2)])
@pytest.mark.parametrize("links", ["pdp", "pd", "pedep", "ped"])
@pytest.mark.parametrize("batches", [1, 2])
def test_strips(dtype: str, kernel: int, stride: int, links: str, batches: int) -> None:
    model = strips_of_rows(dtype, kernel, stride, links, batches)
    plain, n_plain = run(model, no_fusion=True)
    for threads in (1, 2, 3):
        strips, n = run(model, num_threads=threads)
        assert n_plain == len(links) and (n == 1 or threads > 2)
        assert strips[0].tobytes() == plain[0].tobytes()


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("height", [81, 83, 97])
def test_strips_with_dilation(dtype: str, height: int) -> None:
    model = strips_of_rows(dtype, 3, 1, "pdp", 1, dilation=3, height=height)
    plain, _ = run(model, no_fusion=True)
    strips, n = run(model, num_threads=2)
    assert n == 1
    assert strips[0].tobytes() == plain[0].tobytes()


def test_strips_need_less_memory() -> None:
    model = strips_of_rows("float32", 3, 1, "pdp", 1)
    arenas = []
    for no_fusion in (False, True):
        interpreter = samara.Interpreter(model_content=model, no_fusion=no_fusion)
        interpreter.allocate_tensors()
        arenas.append(interpreter.memory()["arena"])
        macs = sum(step.macs for step in interpreter.steps())
        assert macs == 80 * 25 * (8 * 64 + 9 * 64 + 64 * 12)
    assert arenas[0] < 0.4 * arenas[1]


def test_chain_after_resize() -> None:
    """Another shape plans anew; a chain that it breaks gives right answers."""
    net = Net()
    x, y = net.tensor("float32", (4, 6)), net.tensor("float32", (1, 6))
    a = net.op("TANH", [y], net.tensor("float32", (1, 6)))
    b = net.op("ADD", [net.op("ABS", [a], net.tensor("float32", (1, 6))), x], net.tensor("float32", (4, 6)))
    model = net.bytes([x, y], [net.op("NEG", [b], net.tensor("float32", (4, 6)))])
    for rows in ((4, 1), (1, 1), (4, 4), (4, 1)):
        answers = []
        for no_fusion in (False, True):
            interpreter = samara.Interpreter(model_content=model, no_fusion=no_fusion)
            for d, n in zip(interpreter.get_input_details(), rows, strict=True):
                interpreter.resize_tensor_input(d["index"], [n, 6])
            interpreter.allocate_tensors()
            for d in interpreter.get_input_details():
                interpreter.set_tensor(d["index"], np.random.default_rng(1).standard_normal(d["shape"]).astype("f4"))
            interpreter.invoke()
            answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
        assert answers[0].tobytes() == answers[1].tobytes()


def test_the_inside_of_a_chain_cannot_be_read() -> None:
    net = Net()
    x = net.tensor("float32", (4, 6))
    inner = net.op("TANH", [x], net.tensor("float32", (4, 6)))
    model = net.bytes([x], [net.op("NEG", [inner], net.tensor("float32", (4, 6)))])
    interpreter = samara.Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.invoke()
    with pytest.raises(ValueError, match="part of another operator"):
        interpreter.get_tensor(inner)


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
