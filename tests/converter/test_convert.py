"""samara.convert, samara.compare and samara.check: the results, the proof and the search for a mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from paths import emulated
from samara.converter import pipeline
from samara.converter.export import from_bytes, to_bytes
from samara.converter.infer import infer
from samara.converter.ir import Graph, Model

import samara

onnx = pytest.importorskip("onnx")
helper = onnx.helper


def network(channels: int = 4, batch: Any = 1) -> Any:
    """Conv, ReLU, a residual block, pooling and a dense layer, as a channels-first exporter writes them."""
    rng = np.random.default_rng(0)

    def w(name: str, *shape: int) -> Any:
        return onnx.numpy_helper.from_array(rng.uniform(-0.5, 0.5, shape).astype(np.float32), name)

    c = channels
    weights = [w("w1", c, 3, 3, 3), w("b1", c), w("w2", c, c, 3, 3), w("b2", c), w("w3", c, 5), w("b3", 5)]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "first", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "act"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], "second", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["r1", "c2"], ["s"], "sum"),
        helper.make_node("GlobalAveragePool", ["s"], ["p"], "pool"),
        helper.make_node("Flatten", ["p"], ["f"], "flat"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"], "dense"),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [batch, 3, 8, 6])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [batch, 5])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def embedding(rows: int = 7) -> Any:
    table = onnx.numpy_helper.from_array(np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32), "table")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["e"], "embed"), helper.make_node("Relu", ["e"], ["y"], "act")],
        "net",
        [helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["n", "steps"])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [table],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def spoiled() -> Iterator[None]:
    """A pass behind `fuse` that doubles the weights of the second convolution."""
    spoil: Any = ModuleType("spoil")

    def run(model: Model) -> int:
        convolutions = [node for node in model.main if node.op == "CONV_2D"]
        if len(convolutions) < 2 or getattr(model, "spoiled", False):
            return 0
        model.spoiled = True  # type: ignore[attr-defined]
        w = convolutions[1].inputs[1]
        convolutions[1].set_input(1, model.main.constant(w.array * 2, w.name))
        return 1

    spoil.run = run
    pipeline.PIPELINE.insert(8, spoil)
    yield
    pipeline.PIPELINE.remove(spoil)


# ---- convert ----


def test_every_source_gives_the_same(tmp_path: Path) -> None:
    proto = network()
    path = tmp_path / "net.onnx"
    path.write_bytes(proto.SerializeToString())
    results = [samara.convert(s) for s in (proto, path, str(path), path.read_bytes(), bytearray(path.read_bytes()))]
    assert len({bytes(result) for result in results}) == 1
    again = samara.convert(bytes(results[0]))
    assert bytes(samara.convert(results[0])) == bytes(again)
    assert again.report.layouts == {} and again.report.before == again.report.after


def test_the_model_object(tmp_path: Path) -> None:
    model = samara.convert(network())
    assert model.size == len(bytes(model)) == model.report.bytes
    assert [(i.name, i.shape) for i in model.inputs] == [("x", (1, 8, 6, 3))] and model.outputs[0].name == "y"
    assert model.report.layouts == {"x": (0, 2, 3, 1)} and model.report.transposes == 0
    x = np.random.default_rng(1).normal(size=(1, 8, 6, 3)).astype(np.float32)
    model.save(tmp_path / "net.tflite")
    assert os.listdir(tmp_path) == ["net.tflite"]
    loaded = samara.load(tmp_path / "net.tflite")
    assert np.array_equal(model.run(x), loaded(x)) and np.array_equal(model(x=x), loaded(x))
    assert len(list(model.graph.main)) == sum(model.report.after.values())
    proof = model.report.proof
    assert proof is not None and proof.outputs[0].max_error < 1e-5 and "SQNR" in str(model.report)
    told = model.report.to_dict()
    assert told["operators_before"]["CONV_2D"] == 2 and told["proof"]["outputs"][0]["name"] == "y"


def test_names_are_those_of_the_source() -> None:
    graph = samara.convert(network()).graph.main
    names = [t.name for t in graph.tensors()]
    assert len(set(names)) == len(names)
    assert {"x", "r1", "s", "y", "w1", "b2"} <= set(names) and not [n for n in names if "/relu" in n]


def test_options() -> None:
    kept = samara.convert(network(), keep_layout=["x"])
    assert kept.inputs[0].shape == (1, 3, 8, 6) and kept.report.transposes == 1
    plain = samara.convert(network(), optimize=False, verify=False)
    assert plain.report.proof is None and plain.report.transposes >= 4 and plain.inputs[0].shape == (1, 3, 8, 6)
    wide = samara.convert(network(batch="n"), shapes={"x": [3, 3, 8, 6]})
    assert wide.inputs[0].shape == (3, 8, 6, 3)
    open_ = samara.convert(network(batch="n"))
    assert open_.inputs[0].shape == (-1, 8, 6, 3)
    assert open_(np.zeros((5, 8, 6, 3), np.float32)).shape == (5, 5)
    given = samara.convert(network(), verify=np.zeros((3, 3, 8, 6), np.float32))
    assert given.report.proof.samples == 3


def test_random_indices_stay_in_the_table() -> None:
    for rows in (1, 7):
        result = samara.convert(embedding(rows))
        assert result.report.proof.outputs[0].max_error == 0


def test_proof_without_the_sources_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    from samara.converter import convert, proof

    for module in (convert, proof):
        monkeypatch.setattr(module, "installed", lambda _: False)
    assert samara.convert(network()).report.proof.reference == "the graph as it was read"


def test_a_wrong_pass_is_found(spoiled: None) -> None:
    with pytest.raises(samara.MismatchError) as error:
        samara.convert(network())
    text = str(error.value)
    assert ("output 'y' differs by" in text and "the pass 'spoil'" in text and "CONV_2D" in text) or "ADD" in text
    assert error.value.proof.failed
    assert samara.convert(network(), verify=False).report.proof is None


def test_an_engine_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers what it answers here; one that ends is an error with its name."""
    if emulated():
        pytest.skip("this Python cannot start another")
    pytest.importorskip("onnxruntime")
    from samara.converter import elsewhere
    from samara.converter.elsewhere import Elsewhere
    from samara.converter.engines import EngineError, OnnxRuntime

    path, sample = tmp_path / "net.onnx", {"x": np.random.default_rng(0).normal(size=(1, 3, 8, 6)).astype(np.float32)}
    path.write_bytes(network().SerializeToString())
    here = OnnxRuntime(path)
    with Elsewhere("onnx", path) as there:
        there.open(["x"], ["y"])
        for (name, a), (other, b) in zip(here.run(sample).items(), there.run(sample).items(), strict=True):
            assert name == other and np.array_equal(a, b)
        for value, other in zip(here.trace(sample), there.trace(sample), strict=True):
            assert value[:2] == other[:2] and np.array_equal(value.array, other.array)
        with pytest.raises(EngineError, match="cannot run"):
            there.run({"x": np.zeros((1, 7), np.float32)})
        there._process.kill()
        with pytest.raises(EngineError, match="onnxruntime ended without an answer"):
            there.run(sample)
    path.write_bytes(b"no model")
    with Elsewhere("onnx", path) as there, pytest.raises(EngineError, match="refuses"):
        there.open(["x"], ["y"])
    path.write_bytes(network().SerializeToString())
    monkeypatch.setattr(elsewhere, "HEAVY", 0)
    assert samara.convert(path).report.proof.reference == "onnxruntime"
    monkeypatch.setattr(sys, "executable", "")
    assert samara.convert(path).report.proof.reference == "onnxruntime"


def test_a_wrong_front_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    from samara.converter.frontends import onnx as front

    monkeypatch.setitem(front.OPS, "Add", lambda call: call.b.op("SUB", *call.inputs))
    with pytest.raises(samara.MismatchError, match=r"begins in the front end, at Add 's'"):
        samara.convert(network())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"calibration": [1]}, "calibration data need a recipe"),
        ({"io_dtype": "int8"}, "io_dtype needs a recipe"),
        ({"keep_layout": ["z"]}, "'z'"),
        ({"shapes": {"z": [1]}}, "'z'"),
        ({"verify": {"z": np.zeros((1, 3, 8, 6))}}, "has no array 'x'"),
        ({"verify": [np.full((3, 8, 6), np.nan)]}, "NaN"),
    ],
)
def test_wrong_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises((samara.ArgumentError, samara.UnsupportedError)) as error:
        samara.convert(network(), **options)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_save_is_whole_or_not_at_all(tmp_path: Path) -> None:
    model = samara.convert(network(), verify=False)
    with pytest.raises(samara.FileError, match="cannot be written"):
        model.save(tmp_path / "missing" / "net.tflite")
    (tmp_path / "folder.tflite").mkdir()
    with pytest.raises(samara.FileError, match="cannot be written"):
        model.save(tmp_path / "folder.tflite")
    assert os.listdir(tmp_path) == ["folder.tflite"]


# ---- Recipes ----


def batches(count: int = 8) -> np.ndarray:
    return np.random.default_rng(3).uniform(-1, 1, (count, 3, 8, 6)).astype(np.float32)


@pytest.mark.filterwarnings("ignore:.*calibration samples")
@pytest.mark.parametrize(
    ("recipe", "kind", "floor"),
    [
        ("static_wi8_ai8", "int8", 25),
        ("static_wi8_ai16", "int16", 35),
        ("dynamic_wi8_afp32", "weights", 30),
        ("weight_only_wi8_afp32", "weights", 30),
        ("float16", "float16", 50),
    ],
)
def test_recipes(recipe: str, kind: str, floor: float) -> None:
    static = recipe.startswith("static")
    model = samara.convert(network(32), recipe=recipe, calibration=batches() if static else None)
    assert model.report.proof.kind == kind and model.report.proof.outputs[0].sqnr > floor
    assert model.report.proof.samples == (4 if static else 2)
    assert model.report.quantization.changed >= 1 and model.report.transposes == 0
    assert model.size < samara.convert(network(32)).size
    again = samara.quantize(samara.convert(network(32), keep_layout=["x"]), recipe, calibration=batches())
    assert again.report.proof.outputs[0].sqnr > floor
    layers = {row.name: row for row in samara.compare(network(32), model, batches()).layers}
    assert layers["r1"].sqnr > floor and layers["y"].sqnr > floor


@pytest.mark.filterwarnings("ignore:.*calibration samples")
def test_quantized_inputs_and_outputs() -> None:
    model = samara.convert(network(), recipe="static_wi8_ai8", calibration=batches(), io_dtype="int8")
    assert model.inputs[0].dtype == np.int8 and model.outputs[0].dtype == np.int8
    assert model.report.proof.outputs[0].sqnr > 25
    mixed = samara.convert(network(), recipe="static_wi8_ai8", calibration=batches(), io_dtype={"x": "uint8"})
    assert mixed.inputs[0].dtype == np.uint8 and mixed.outputs[0].dtype == np.float32


@pytest.mark.filterwarnings("ignore:.*calibration samples")
def test_a_wrong_scale_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from samara.converter import convert

    right = convert.quantizer.quantize

    def spoil(model: Model, *arguments: Any, **options: Any) -> Any:
        report = right(model, *arguments, **options)
        dense = next(node for node in model.main if node.op == "FULLY_CONNECTED")
        w = dense.inputs[1]
        dense.set_input(1, model.main.constant(-w.array, w.name, quantization=w.quantization))
        return report

    monkeypatch.setattr(convert.quantizer, "quantize", spoil)
    with pytest.raises(samara.MismatchError, match=r"SQNR of .* begins in the quantizer, at FULLY_CONNECTED 'y'"):
        samara.convert(network(), recipe="static_wi8_ai8", calibration=batches())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipe": "static_wi8_ai8"}, "needs calibration data"),
        ({"recipe": "static_wi8_ai8", "calibration": []}, "has no samples"),
        ({"recipe": "static_wi8_ai8", "calibration": [{"z": 1}]}, "has no array 'x'"),
        ({"recipe": "static_wi8_ai8", "calibration": batches()[:, :2]}, "has shape 1x2x8x6, input 'x' takes 1x3x8x6"),
        ({"recipe": "static_wi8_ai8", "calibration": batches() * np.nan}, "NaN"),
        ({"recipe": "static_wi7_ai8", "calibration": batches()}, "static_wi7_ai8"),
        ({"recipe": "float16", "io_dtype": "int8"}, "io_dtype"),
        ({"recipe": {"name": 1}}, "recipe"),
    ],
)
def test_wrong_recipes_and_data(options: dict[str, Any], words: str) -> None:
    with pytest.raises(samara.ArgumentError) as error:
        samara.convert(network(), **options)
    assert words in str(error.value) and "\n" not in str(error.value)


# ---- compare ----


def test_compare_pairs_layers_by_name() -> None:
    found = samara.compare(network(), samara.convert(network()))
    assert found.samples == 2 and [row.name for row in found.outputs] == ["y"]
    names = [row.name for row in found.layers]
    assert {"r1", "s", "y"} <= set(names)
    assert all(row.relative < 1e-5 for row in found.layers), found
    other = network()
    weights = onnx.numpy_helper.to_array(other.graph.initializer[2]) * 1.5
    other.graph.initializer[2].CopyFrom(onnx.numpy_helper.from_array(weights, "w2"))
    changed = samara.compare(network(), samara.convert(other))
    rows = {row.name: row for row in changed.layers}
    assert rows["r1"].sqnr > 100 and rows["s"].sqnr < 20 and changed.worst.name in ("c2", "s", "p", "y")


def test_compare_pairs_by_order_without_names() -> None:
    model = samara.convert(network()).graph.copy()
    data = to_bytes(model)
    for i, t in enumerate(model.main.tensors()):
        t.name = f"t{i}"
    model.signatures = []
    found = samara.compare(data, to_bytes(model))
    assert len(found.layers) == len(model.main) and all(row.max_error == 0 for row in found.layers)


def test_compare_models_that_do_not_fit() -> None:
    with pytest.raises(samara.ArgumentError, match="2 inputs, the second 1"):
        g = Graph("main")
        g.output(g.ADD(g.input("a", "FLOAT32", [2]), g.input("b", "FLOAT32", [2])), "y")
        two = Model([g])
        infer(two)
        samara.compare(to_bytes(two), network())
    shorter = network()
    del shorter.graph.node[-1]
    shorter.graph.output[0].CopyFrom(helper.make_tensor_value_info("f", onnx.TensorProto.FLOAT, [1, 4]))
    with pytest.raises(samara.DataError, match="they do not compare"):
        samara.compare(network(), shorter)


# ---- check ----


def test_check_names_everything_at_once() -> None:
    proto = network()
    for name, kind in (("first", "Mystery"), ("dense", "Riddle")):
        (node,) = (n for n in proto.graph.node if n.name == name)
        node.op_type = kind
    found = samara.check(proto)
    assert [p.layer for p in found.problems] == ["Mystery 'first'", "Riddle 'dense'"]
    assert all(p.reason and p.remedy for p in found.problems)
    fine = samara.check(network())
    assert not fine.problems and fine.operators["CONV_2D"] == 2


# ---- The import surface ----


@pytest.mark.skipif(emulated(), reason="this Python cannot start another")
def test_import_is_light() -> None:
    code = (
        "import sys, samara; samara.convert; samara.quantize; samara.compare; samara.check\n"
        "print(sorted({'onnx', 'h5py', 'keras', 'torch', 'PIL', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = "import sys, samara; print([m for m in sys.modules if m.startswith('samara.converter')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_results_reopen() -> None:
    model = samara.convert(network())
    assert to_bytes(from_bytes(bytes(model))) == bytes(model)
