"""Which tensors share a scale, where conversions stand, which nodes stay float."""

from __future__ import annotations

import numpy as np
import pytest
from quantized import litert, network, ops, ours, quantized, samples, sqnr
from samara.converter.export import from_bytes, to_bytes
from samara.converter.infer import infer
from samara.converter.ir import Graph, Model, Tensor
from samara.converter.quantize import quantize

import samara

X = ("x", (1, 8))


def dense(g: Graph, x: Tensor, seed: int = 0, scale: float = 0.3, n: int = 8, **options) -> Tensor:
    rng = np.random.default_rng(seed)
    w = g.constant((rng.standard_normal((n, x.shape[-1] if x.shape else 8)) * scale).astype(np.float32), f"w{seed}")
    return g.FULLY_CONNECTED(x, w, g.constant(np.zeros(n, np.float32), f"b{seed}"), shape=(1, n), **options)


def int8(build, *inputs, data=None, recipe="static_wi8_ai8", **options):
    model = network(build, *(inputs or (X,)))
    return quantized(model, recipe, data or samples(network(build, *(inputs or (X,))), 32), **options)


def scales(data: bytes) -> dict[str, tuple[float, int]]:
    """(scale, zero point) of the activations, by name."""
    found = {}
    for t in from_bytes(data).main.tensors():
        if t.quantization is not None and t.quantization.scale is not None and not t.constant:
            found[t.name] = (float(t.quantization.scale[0]), int(t.quantization.zero_point[0]))
    return found


def concatenated(small: float, read: bool):
    """Two branches of different ranges meet; `read`: the small one has another reader."""

    def build(g, x):
        a, b = dense(g, x, 1, small), dense(g, x, 2, 1.0)
        y = dense(g, g.CONCATENATION(a, b, axis=1, shape=(1, 16)), 3)
        return (y, dense(g, a, 4)) if read else y

    return build


def test_a_branch_that_only_a_concatenation_reads_takes_its_scale() -> None:
    _, result, _ = int8(concatenated(0.01, False))
    assert ops(result).count("QUANTIZE") == 1, "of the input alone"
    joined = next(n for n in from_bytes(result).main if n.op == "CONCATENATION")
    assert len({t.quantization.scale[0] for t in (*joined.inputs, joined.output)}) == 1


def test_a_branch_that_others_read_keeps_its_own_scale() -> None:
    source, result, _ = int8(concatenated(0.01, True))
    assert ops(result).count("QUANTIZE") == 2
    given = samples(from_bytes(source), 8, 3)
    for k in (0, 1):
        want = [ours(source, x)[k] for x in given]
        assert sqnr(want, [ours(result, x)[k] for x in given]) > 30
        assert sqnr(want, [litert(result, x)[k] for x in given]) > 30


def test_fixed_scales_meet_through_a_conversion() -> None:
    def build(g, x):
        return g.CONCATENATION(g.LOGISTIC(x), g.TANH(x), axis=1), g.CONCATENATION(g.LOGISTIC(x), g.LOGISTIC(x), axis=1)

    _, result, _ = int8(build)
    model = from_bytes(result)
    mixed, same = (n for n in model.main if n.op == "CONCATENATION")
    # The sum of the two ranges is that of tanh; the logistic is converted on its way in.
    assert sorted(t.producer.op for t in mixed.inputs) == ["QUANTIZE", "TANH"]
    assert [t.producer.op for t in same.inputs] == ["LOGISTIC", "LOGISTIC"]
    assert same.output.quantization.scale[0] == np.float32(1 / 256)


def test_fixed_scale_goes_through_movement() -> None:
    _, result, _ = int8(lambda g, x: g.RESHAPE(g.SOFTMAX(x, beta=1.0), g.constant(np.array([8], np.int32))))
    assert ops(result) == ["QUANTIZE", "SOFTMAX", "RESHAPE", "DEQUANTIZE"]
    assert set(list(scales(result).values())[1:]) == {(1 / 256, -128)}


def test_a_pool_has_the_scale_of_its_operand() -> None:
    def build(g, x):
        y = g.RESHAPE(x, g.constant(np.array([1, 2, 4, 1], np.int32)))
        return g.MAX_POOL_2D(y, padding="VALID", stride_w=2, stride_h=2, filter_width=2, filter_height=2)

    _, result, _ = int8(build)
    assert len(set(scales(result).values())) == 1


def test_one_constant_for_two_users_with_different_needs() -> None:
    """A table that is multiplied and gathered from, and weights with two biases."""

    def build(g, x):
        shared = g.constant(np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8), "shared")
        y = g.ADD(g.FULLY_CONNECTED(x, shared, None, shape=(1, 8)), g.MUL(x, shared))
        return g.CONCATENATION(y, g.constant(np.full((8, 8), 3, np.float32)), axis=0)

    source, result, report = int8(build)
    assert not report.kept
    given = samples(from_bytes(source), 4, 2)
    assert sqnr([ours(source, x)[0] for x in given], [litert(result, x)[0] for x in given]) > 30


def test_large_bias_gets_coarser_weights() -> None:
    """A bias of 1e6 in units of 1e-9 would not fit into int32."""

    def build(g, x):
        w, b = np.full((2, 8), 1e-7, np.float32), np.array([1e3, 1e-6], np.float32)
        return g.FULLY_CONNECTED(x, g.constant(w), g.constant(b))

    source, result, _ = int8(build)
    given = samples(from_bytes(source), 4, 2)
    assert sqnr([ours(source, x)[0] for x in given], [litert(result, x)[0] for x in given]) > 40


def test_channels_of_zeros() -> None:
    def build(g, x):
        w = np.zeros((4, 8), np.float32)
        w[2] = 0.5
        return g.FULLY_CONNECTED(x, g.constant(w), g.constant(np.array([0, 1, 0, -1], np.float32)))

    source, result, _ = int8(build)
    given = samples(from_bytes(source), 4, 2)
    assert sqnr([ours(source, x)[0] for x in given], [litert(result, x)[0] for x in given]) > 38


def test_islands() -> None:
    """COS has no integer kernel: around it and movement beside it, floats; the rest is integer."""

    def build(g, x):
        y = dense(g, x, 1)
        z = g.COS(g.RESHAPE(g.COS(y), g.constant(np.array([1, 8], np.int32))))
        return dense(g, z, 2)

    _, result, report = int8(build)
    assert ops(result) == [
        "QUANTIZE", "FULLY_CONNECTED", "DEQUANTIZE", "COS", "RESHAPE", "COS", "QUANTIZE", "FULLY_CONNECTED",
        "DEQUANTIZE",
    ]  # fmt: skip
    assert {e.op: e.reason for e in report.kept} == {
        "COS": "it has no integer kernel", "RESHAPE": "it only moves values between float operators",
    }  # fmt: skip


def test_quantized_parts_are_honoured() -> None:
    """A second quantization of a partly quantized network joins its parts without conversions between them."""
    model = network(lambda g, x: g.TANH(dense(g, dense(g, x, 1), 2)), X)
    data = samples(network(lambda g, x: dense(g, x, 1), X), 32)
    quantize(model, {"recipe": "static_wi8_ai8", "keep_float": ["TANH"]}, data)
    assert [n.op for n in model.main] == ["QUANTIZE", "FULLY_CONNECTED", "FULLY_CONNECTED", "DEQUANTIZE", "TANH"]
    quantize(model, "static_wi8_ai8", data)
    assert [n.op for n in model.main] == ["QUANTIZE", "FULLY_CONNECTED", "FULLY_CONNECTED", "TANH", "DEQUANTIZE"]
    inner = model.main.nodes[3].inputs[0]
    assert inner is not None and inner.producer is model.main.nodes[2]
    samara.Interpreter(model_content=to_bytes(model)).allocate_tensors()


def test_int8_weights_of_dynamic_models_become_integer_ones() -> None:
    model = network(lambda g, x: dense(g, x, 1), X)
    quantize(model, {"recipe": "dynamic_wi8_afp32", "min_elements": 1})
    before = model.main.nodes[0].inputs[1].array  # type: ignore[union-attr]
    quantize(model, "static_wi8_ai8", samples(model, 32))
    node = next(n for n in model.main if n.op == "FULLY_CONNECTED")
    assert node.output.type.name == "INT8"
    assert np.array_equal(node.inputs[1].array, before)  # type: ignore[union-attr]


def test_several_inputs_outputs_and_passed_through() -> None:
    def build(g, a, b):
        y = g.ADD(a, b)
        return y, g.MUL(y, a), b, y  # which names them anew: y3, y1, y2, y3

    model = network(build, ("a", (1, 8)), ("b", (1, 8)))
    source, result, _ = quantized(model, io_dtype={"a": "int8", "y3": "float32", "y1": "uint8"})
    given = samples(from_bytes(source), 4, 2)
    for k in range(4):
        want = [ours(source, x)[k] for x in given]
        assert sqnr(want, [ours(result, x)[k] for x in given]) > 30
        assert sqnr(want, [litert(result, x)[k] for x in given]) > 30


def test_open_batch() -> None:
    """Ranges come from samples of any batch; the result still takes any."""
    model = network(lambda g, x: g.SOFTMAX(dense(g, x, 1), beta=1.0), ("x", (-1, 8)))
    rng = np.random.default_rng(0)
    data = [{"x": rng.standard_normal((n, 8)).astype(np.float32)} for n in (1, 4, 3, 1, 2, 1, 1, 1)]
    _, result, _ = quantized(model, "static_wi8_ai8", data)
    assert ours(result, {"x": rng.standard_normal((5, 8)).astype(np.float32)})[0].shape == (5, 8)


def test_signatures_name_inputs_and_outputs() -> None:
    """Names of a signature, not of tensors; two entry points, each with samples of its own."""
    graphs = []
    for name in ("first", "second"):
        g = Graph(name)
        g.output(g.TANH(g.input(f"tensor_{name}", "FLOAT32", (1, 4))), f"out_{name}")
        graphs.append(g)
    model = Model(graphs)
    for g in graphs:
        s = model.add_signature(g.name, g)
        s.inputs = {f"in_{g.name}": g.inputs[0]}
        s.outputs = {"y": g.outputs[0]}
    infer(model)
    value = np.linspace(-1, 1, 4, dtype=np.float32)[None]
    report = quantize(model, "static_wi8_ai8", [{"in_first": value}, {"in_second": 3 * value}] * 8)
    assert not report.kept
    interpreter = samara.Interpreter(model_content=to_bytes(model))
    for key, factor in (("first", 1), ("second", 3)):
        got = interpreter.get_signature_runner(key)(**{f"in_{key}": factor * value})["y"]
        assert np.abs(got - np.tanh(factor * value)).max() < 0.02


@pytest.mark.parametrize("kind", ["static_wi8_ai8", "float16", "dynamic_wi8_afp32"])
def test_control_flow_stays_as_it_is(kind: str) -> None:
    body = Graph("decomposition")
    body.output(body.TANH(body.input("a", "FLOAT32", (1, 8))), "b")
    g = Graph("main")
    y = g.STABLEHLO_COMPOSITE(
        g.input("x", "FLOAT32", (1, 8)), name="my.tanh", decomposition_subgraph_index=body, version=1
    )
    g.output(g.TANH(y), "y0")
    model = Model([g, body])
    infer(Model([body]))
    infer(model)
    data = samples(model, 16)
    source, result, report = quantized(model, kind, data)
    assert sqnr([ours(source, data[0])[0]], [ours(result, data[0])[0]]) > 30
    if kind == "static_wi8_ai8":
        assert {e.reason for e in report.kept} == {
            "its decomposition is a graph of its own", "it stands in a subgraph of control flow or of a composite",
        }  # fmt: skip
