"""The ONNX front end: interface, shapes, constants, errors, and what damaged files do."""

from __future__ import annotations

import random

import numpy as np
import pytest
from samara.converter.export import to_bytes
from samara.converter.pipeline import optimize

import samara

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from samara.converter.frontends.onnx import load, operators  # noqa: E402

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def model(nodes, inputs, outputs=("y",), constants=None, opset=17, **more):
    """A ModelProto; inputs as name -> shape or (type, shape)."""
    infos = []
    for name, shape in inputs.items():
        kind, dims = shape if isinstance(shape, tuple) else (FLOAT, shape)
        infos.append(helper.make_tensor_value_info(name, kind, dims))
    outs = [helper.make_tensor_value_info(n, more.get("output_type", FLOAT), None) for n in outputs]
    held = [numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()]
    graph = helper.make_graph(nodes, "g", infos, outs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def node(kind, inputs, outputs="y", **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), name=f"the_{kind}", **attributes)


def run(proto, *given, optimized=True, **options):
    made = load(proto, **options)
    if optimized:
        optimize(made)
    interpreter = samara.Interpreter(model_content=to_bytes(made))
    for detail, value in zip(interpreter.get_input_details(), given, strict=True):
        if tuple(detail["shape"]) != value.shape:
            interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    for detail, value in zip(interpreter.get_input_details(), given, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


RNG = np.random.default_rng(0)


def rand(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


# ---- Interface ----


def test_names_and_signature():
    made = load(model([node("Relu", "image", "mid"), node("Neg", "mid", "score")], {"image": [1, 4]}, ["score", "mid"]))
    (s,) = made.signatures
    assert s.key == "serving_default" and list(s.inputs) == ["image"] and list(s.outputs) == ["score", "mid"]
    assert [t.name for t in made.main.inputs] == ["image"] and [t.name for t in made.main.outputs] == ["score", "mid"]
    made.verify(complete=True)


def test_sources(tmp_path):
    proto = model([node("Relu", "x")], {"x": [2]})
    path = tmp_path / "net.onnx"
    onnx.save(proto, path)
    for source in (proto, proto.SerializeToString(), str(path), path):
        assert [n.op for n in load(source).main] == ["RELU"]


def test_outputs_that_are_inputs_constants_or_twice_the_same():
    proto = model(
        [node("Identity", "x", "a"), node("Relu", "x", "b"), node("Identity", "b", "c")],
        {"x": [2, 2]}, ["a", "b", "c", "k"], {"k": rand(3)},
    )  # fmt: skip
    x = rand(2, 2)
    a, b, c, k = run(proto, x)
    assert np.array_equal(a, x) and np.array_equal(b, np.maximum(x, 0)) and np.array_equal(b, c) and k.shape == (3,)
    assert list(load(proto).signatures[0].outputs) == ["a", "b", "c", "k"]


def test_half_and_double_are_computed_in_float():
    for kind, dtype in ((TensorProto.FLOAT16, np.float16), (TensorProto.DOUBLE, np.float64)):
        proto = model([node("Mul", "x k")], {"x": (kind, [3])}, constants={"k": np.array(2, dtype)}, output_type=kind)
        x = np.array([1, 2, 3], dtype)
        (y,) = run(proto, x)
        assert y.dtype == dtype and np.array_equal(y, x * 2)


def test_open_dimensions_and_fixed_ones():
    nodes = [
        node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n axis", "v"),
        node("Concat", "v rest", "t", axis=0), node("Reshape", "x t"),
    ]  # fmt: skip
    constants = {"zero": np.int64(0), "axis": np.array([0]), "rest": np.array([2, -1])}
    proto = model(nodes, {"x": ["batch", 6]}, constants=constants)
    made = load(proto)
    assert made.main.outputs[0].shape == (-1, 2, 3)
    assert [n.op for n in made.main] == ["RESHAPE"]
    assert run(proto, rand(5, 6))[0].shape == (5, 2, 3)
    fixed = load(proto, shapes={"x": [4, 6]})
    assert fixed.main.inputs[0].shape == (4, 6) and fixed.main.outputs[0].shape == (4, 2, 3)


def test_shapes_are_checked():
    proto = model([node("Relu", "x")], {"x": ["n", 6]})
    with pytest.raises(samara.UnsupportedError, match="'z'"):
        load(proto, shapes={"z": [1]})
    with pytest.raises(samara.UnsupportedError, match="shape"):
        load(proto, shapes={"x": [1, 7]})


def test_external_data(tmp_path):
    w = rand(3, 3)
    proto = model([node("MatMul", "x w")], {"x": [2, 3]}, constants={"w": w})
    path = tmp_path / "net.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    x = rand(2, 3)
    assert np.allclose(run(path, x)[0], x @ w, atol=1e-5)
    with pytest.raises(samara.ModelError, match="path"):
        load(path.read_bytes())
    for location, message in (
        ("../w.bin", "outside"), ("/etc/passwd", "outside"), ("", "outside"), ("gone.bin", "gone"),
    ):  # fmt: skip
        bad = onnx.load(path, load_external_data=False)
        next(e for e in bad.graph.initializer[0].external_data if e.key == "location").value = location
        path.with_name("bad.onnx").write_bytes(bad.SerializeToString())
        with pytest.raises(samara.SamaraError, match=message):
            load(path.with_name("bad.onnx"))
    (tmp_path / "w.bin").write_bytes(b"12")
    with pytest.raises(samara.ModelError, match="needs bytes"):
        load(path)


def test_link_out_of_the_folder(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(36))
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "w.bin").symlink_to(tmp_path / "secret")
    proto = model([node("MatMul", "x w")], {"x": [2, 3]}, constants={"w": rand(3, 3)})
    onnx.save(proto, inner / "net.onnx", save_as_external_data=True, location="v.bin", size_threshold=0)
    bad = onnx.load(inner / "net.onnx", load_external_data=False)
    next(e for e in bad.graph.initializer[0].external_data if e.key == "location").value = "w.bin"
    (inner / "net.onnx").write_bytes(bad.SerializeToString())
    with pytest.raises(samara.ModelError, match="outside"):
        load(inner / "net.onnx")


# ---- What is refused ----


def test_everything_unsupported_is_told_at_once():
    proto = model(
        [node("Det", "x", "a"), node("StringNormalizer", "a", "b"), node("MaxPool", "x", "c i", kernel_shape=[2, 2]),
         node("Relu", "b")],
        {"x": [1, 2, 8, 8]}, ["y", "c", "i"],
    )  # fmt: skip
    with pytest.raises(samara.UnsupportedError) as caught:
        load(proto)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert "the_Det" in lines[0] and "the_StringNormalizer" in lines[1] and "indices" in lines[2]


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (model([node("Add", "x b", "a"), node("Relu", "a", "b")], {"x": [2]}, ["b"]), "cycle"),
        (model([node("Add", "x w")], {"x": [2]}), "'w'"),
        (model([node("Relu", "x")], {"x": [2]}, ["z"]), "'z'"),
        (model([node("Relu", "x")], {"x": [2**40]}), "impossible"),
        (model([node("Relu", "x")], {"x": [2**31 - 1] * 4}), "impossible"),
        (model([node("Relu", "x"), node("Neg", "x")], {"x": [2]}), "exists already"),
        (model([node("ConstantOfShape", "k")], {}, constants={"k": np.array([2**31 - 1] * 3)}), "."),
        (model([node("Expand", "c k")], {}, constants={"c": rand(1), "k": np.array([2**31 - 1] * 2)}), "."),
        (model([node("Conv", "x w")], {"x": [1, 3, 8, 8]}, constants={"w": rand(4, 2, 3, 3)}), "groups"),
        (model([node("Conv", "x w", strides=[0, 0])], {"x": [1, 3, 8, 8]}, constants={"w": rand(4, 3, 2, 2)}), "must"),
        (model([node("Reshape", "x k")], {"x": [2, 3]}, constants={"k": np.array([5, -1])}), "."),
        (model([node("Relu", "x")], {"x": [2]}, opset=3), "opset"),
    ],
)  # fmt: skip
def test_refused(proto, message):
    with pytest.raises(samara.SamaraError, match=message):
        load(proto)


def test_absurd_initializer():
    proto = model([node("Add", "x w")], {"x": [2]}, constants={"w": rand(2)})
    proto.graph.initializer[0].dims[0] = 2**50
    with pytest.raises(samara.ModelError, match="impossible"):
        load(proto)
    proto.graph.initializer[0].dims[0] = 3
    with pytest.raises(samara.ModelError, match="shape"):
        load(proto)


def test_cut_short():
    data = model([node("Conv", "x w")], {"x": [1, 3, 8, 8]}, constants={"w": rand(4, 3, 3, 3)}).SerializeToString()
    for n in (0, 1, 10, len(data) // 2, len(data) - 1):
        with pytest.raises(samara.SamaraError):
            load(data[:n])
    with pytest.raises(samara.SamaraError):
        load(b"not a model at all")
    with pytest.raises(samara.FileError):
        load("/no/such/file.onnx")


# ---- Arithmetic that has no case among ONNX's own ----


def test_gelu_becomes_one_operator():
    nodes = [
        node("Div", "x root", "d"), node("Erf", "d", "e"), node("Add", "e one", "p"), node("Mul", "x p", "m"),
        node("Mul", "m half"),
    ]  # fmt: skip
    constants = {"root": np.float32(np.sqrt(2)), "one": np.float32(1), "half": np.float32(0.5)}
    made = load(model(nodes, {"x": [4]}, constants=constants))
    assert [n.op for n in made.main] == ["GELU"]


def test_gelu_is_looked_for_among_nodes_without_outputs():
    nodes = [
        node("Div", "x root", "d"), node("Erf", "d", "e"), node("Add", "e one", "p"), node("Mul", "x p", "m"),
        node("Mul", "m half"),
    ]  # fmt: skip
    del nodes[-1].output[:]
    constants = {"root": np.float32(np.sqrt(2)), "one": np.float32(1), "half": np.float32(0.5)}
    with pytest.raises(samara.SamaraError, match="made by no node"):
        load(model(nodes, {"x": [4]}, constants=constants))


def test_quantized_pair_keeps_its_scale():
    nodes = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z")]
    proto = model(nodes, {"x": [4]}, constants={"s": np.float32(0.5), "z": np.int8(3)})
    made = load(proto)
    assert [n.op for n in made.main] == ["QUANTIZE", "DEQUANTIZE"]
    assert made.main.nodes[0].output.quantization.scale[0] == 0.5
    assert np.array_equal(run(proto, np.array([0.2, 1.3, -70, 70], np.float32))[0], [0, 1.5, -65.5, 62])


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize(
    "options",
    [{"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}, {"strides": [2, 3], "pads": [0, 1, 2, 0]},
     {"strides": [1, 2], "dilations": [2, 1]}, {"auto_pad": "SAME_UPPER", "strides": [2, 2]}],
)  # fmt: skip
def test_transposed_convolution(options, group):
    runtime = pytest.importorskip("onnxruntime")
    w = rand(4, 6 // group, 3, 3)
    proto = model(
        [node("ConvTranspose", "x w b", group=group, **options)], {"x": [2, 4, 5, 6]}, constants={"w": w, "b": rand(6)}
    )
    x = rand(2, 4, 5, 6)
    session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    want = session.run(None, {"x": x})[0]
    assert np.allclose(run(proto, x)[0], want, atol=1e-4)


@pytest.mark.parametrize("kind", ["AveragePool", "MaxPool"])
@pytest.mark.parametrize(
    "options",
    [{"pads": [1, 1, 1, 1], "ceil_mode": 1}, {"pads": [0, 1, 1, 0]}, {"auto_pad": "SAME_LOWER"}, {"ceil_mode": 1}],
)
def test_pools(kind, options):
    runtime = pytest.importorskip("onnxruntime")
    for inside in (0, 1) if kind == "AveragePool" else (None,):
        more = {} if inside is None else {"count_include_pad": inside}
        proto = model([node(kind, "x", kernel_shape=[3, 2], strides=[2, 2], **options, **more)], {"x": [1, 3, 8, 9]})
        proto.ir_version = 8
        x = rand(1, 3, 8, 9)
        session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        want = session.run(None, {"x": x})[0]
        assert np.allclose(run(proto, x)[0], want, atol=1e-5), (options, inside)


def test_lstm_forgets_between_runs():
    n = 3
    constants = {"w": rand(1, 4 * n, 2), "r": rand(1, 4 * n, n), "b": rand(1, 8 * n)}
    made = load(model([node("LSTM", "x w r b", "y h", hidden_size=n)], {"x": [5, 2, 2]}, ["y", "h"], constants))
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in [k.op for k in made.main]
    interpreter = samara.Interpreter(model_content=to_bytes(made))
    interpreter.allocate_tensors()
    x = rand(5, 2, 2)
    results = []
    for _ in range(3):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        interpreter.invoke()
        results.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


def test_the_table_is_wide():
    assert len(operators()) >= 90


# ---- Damaged files ----


def _seeds():
    conv = [
        node("Conv", "x w b", "c", pads=[1, 1, 1, 1]), node("BatchNormalization", "c b b b b", "n"),
        node("Clip", "n lo hi", "r"), node("GlobalAveragePool", "r", "p"), node("Flatten", "p", "f"),
        node("Gemm", "f k", "y", transB=1),
    ]  # fmt: skip
    four = np.ones(4, np.float32)
    first = {"w": rand(4, 3, 3, 3), "b": four, "lo": np.float32(0), "hi": np.float32(6), "k": rand(5, 4)}
    yield model(conv, {"x": ["n", 3, 8, 8]}, constants=first)
    text = [
        node("Gather", "table t", "e"), node("MatMul", "e q", "m"), node("Transpose", "m", "r", perm=[0, 2, 1]),
        node("Softmax", "r", "s", axis=-1), node("Slice", "s st en ax", "l"), node("Concat", "l l", "y", axis=1),
    ]  # fmt: skip
    second = {
        "table": rand(10, 6), "q": rand(6, 6), "st": np.array([0]), "en": np.array([3]), "ax": np.array([1]),
    }  # fmt: skip
    yield model(text, {"t": (INT64, [2, 4])}, constants=second)
    recurrent = [
        node("LSTM", "x w r b", "s", hidden_size=3), node("Squeeze", "s one", "q"), node("Resize", "q  z", "u"),
        node("Pad", "u p", "y"),
    ]  # fmt: skip
    third = {
        "w": rand(1, 12, 2), "r": rand(1, 12, 3), "b": rand(1, 24), "one": np.array([1]),
        "z": np.array([1, 1, 2], np.float32), "p": np.array([0, 0, 1, 0, 0, 1]),
    }  # fmt: skip
    recurrent[2].input[:] = ["q", "", "z"]
    yield model(recurrent, {"x": [4, 1, 2]}, constants=third)


def mutate(data, rng):
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        i = rng.randrange(len(data))
        how = rng.random()
        if how < 0.5:
            data[i] = rng.randrange(256)
        elif how < 0.7:
            data[i] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif how < 0.8:
            del data[i : i + rng.randint(1, 8)]
        elif how < 0.9:
            data[i:i] = data[i : i + rng.randint(1, 16)]
        else:
            j = rng.randrange(len(data))
            data[i], data[j] = data[j], data[i]
    return bytes(data)


def damage(count, seed):
    """Loads `count` damaged models: each is refused with an error of ours in one piece, or makes a sound graph."""
    rng = random.Random(seed)
    seeds = [proto.SerializeToString() for proto in _seeds()]
    for data in seeds:
        load(data).verify(complete=True)
    refused = 0
    for _ in range(count):
        data = mutate(rng.choice(seeds), rng)
        try:
            load(data).verify()
        except samara.SamaraError as error:
            refused += 1
            assert str(error)
    assert 0 < refused < count


def test_damaged():
    damage(1500, 1)


@pytest.mark.slow
def test_damaged_many():
    damage(20000, 2)


def test_memory_stays_bounded():
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    damage(300, 3)
    for dims in ([2**31 - 1, 2**31 - 1], [1 << 20, 1 << 20], [1 << 16, 1 << 16]):
        with pytest.raises(samara.SamaraError):
            load(model([node("ConstantOfShape", "k", "c"), node("Relu", "c")], {}, constants={"k": np.array(dims)}))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 << 20
