"""Recipes: what they make of networks, their files, and what they refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from quantized import litert, network, ops, ours, quantized, samples, sqnr
from samara.converter.ir import Model
from samara.converter.quantize import RECIPES, quantize, recipe_of

import samara


def weights(*shape: int, scale: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(sum(shape)).standard_normal(shape) * scale).astype(np.float32)


def small_network(g, x):
    y = g.CONV_2D(
        x, g.constant(weights(16, 3, 3, 8), "w"), g.constant(weights(16), "b"), padding="SAME", stride_w=2, stride_h=2,
        fused_activation_function="RELU6",
    )  # fmt: skip
    y = g.RESHAPE(y, g.constant(np.array([1, 256], np.int32)))
    y = g.FULLY_CONNECTED(y, g.constant(weights(10, 256), "dense"), g.constant(weights(10), "dense_b"))
    return g.SOFTMAX(y, beta=1.0)


def model() -> Model:
    return network(small_network, ("x", (1, 8, 8, 8)))


# Of white noise through random weights; the floors are of the recipe, the margin some dB.
FLOORS = {
    "static_wi8_ai8": 30, "static_wi8_ai16": 35, "dynamic_wi8_afp32": 30, "weight_only_wi8_afp32": 35, "float16": 60,
}  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe(recipe: str) -> None:
    source, result, report = quantized(model(), recipe)
    given = samples(model(), 8, 99)
    want = [ours(source, x)[0] for x in given]
    got = [ours(result, x)[0] for x in given]
    other = [litert(result, x)[0] for x in given]
    assert sqnr(want, got) > FLOORS[recipe]
    assert sqnr(want, other) > FLOORS[recipe]
    assert len(result) < len(source) * (0.62 if recipe == "float16" else 0.45)
    assert report.changed >= 2


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "float32"])
@pytest.mark.parametrize("recipe", ["static_wi8_ai8", "static_wi8_ai16"])
def test_io_dtype(recipe: str, kind: str) -> None:
    source, result, _ = quantized(model(), recipe, io_dtype=kind)
    i = samara.Interpreter(model_content=result)
    for detail in (*i.get_input_details(), *i.get_output_details()):
        assert np.dtype(detail["dtype"]).name == kind
    assert [d["name"] for d in (*i.get_input_details(), *i.get_output_details())] == ["x", "y0"]
    given = samples(model(), 4, 7)
    want = [ours(source, x)[0] for x in given]
    assert sqnr(want, [ours(result, x)[0] for x in given]) > 28
    assert sqnr([ours(result, x)[0] for x in given], [litert(result, x)[0] for x in given]) > 40


def test_io_dtype_of_one_output() -> None:
    _, result, _ = quantized(model(), io_dtype={"x": "uint8"})
    i = samara.Interpreter(model_content=result)
    assert i.get_input_details()[0]["dtype"] == np.uint8
    assert i.get_output_details()[0]["dtype"] == np.float32


def test_keep_float() -> None:
    recipe = {"recipe": "static_wi8_ai8", "keep_float": ["SOFT*"]}
    _, result, report = quantized(model(), recipe, samples(model()))
    assert ops(result) == ["QUANTIZE", "CONV_2D", "RESHAPE", "FULLY_CONNECTED", "DEQUANTIZE", "SOFTMAX"]
    assert [(e.op, e.reason) for e in report.kept] == [("SOFTMAX", "the recipe keeps it")]
    assert "SOFTMAX y0: the recipe keeps it" in str(report)
    assert report.to_dict()["kept"] == 1


def test_per_tensor() -> None:
    recipe = {"recipe": "static_wi8_ai8", "per_channel": False}
    _, result, _ = quantized(model(), recipe, samples(model()))
    details = samara.Interpreter(model_content=result).get_tensor_details()
    assert all(len(d["quantization_parameters"]["scales"]) <= 1 for d in details)


def test_recipe_file(tmp_path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"recipe": "float16", "min_elements": 5}))
    assert recipe_of(path).min_elements == 5
    path.write_text("[1")
    with pytest.raises(samara.ArgumentError, match="is not JSON"):
        recipe_of(path)
    with pytest.raises(samara.FileError, match="cannot be read"):
        recipe_of(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("int8", "recipe 'int8' is unknown; there are: static_wi8_ai8, "),
        ({}, "lacks the key 'recipe'"),
        ({"recipe": "x"}, "names 'x', which is unknown; 'recipe' is one of: static_wi8_ai8"),
        ({"recipe": "float16", "colour": 1}, "has the key 'colour', which is unknown; there are: recipe, calibration"),
        ({"recipe": "float16", "per_channel": 1}, "'per_channel' is 1, must be true or false"),
        ({"recipe": "static_wi8_ai8", "calibration": "best"}, "must be one of min-max, percentile"),
        ({"recipe": "static_wi8_ai8", "percentile": 7}, "a number above 50"),
        ({"recipe": "static_wi8_ai8", "keep_float": "ADD"}, "must be a list of patterns"),
        ({"recipe": "static_wi8_ai8", "keep_float": [3]}, "must hold strings"),
    ],
)
def test_bad_recipes(recipe, message: str) -> None:
    with pytest.raises(samara.ArgumentError, match=message):
        recipe_of(recipe)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("static_wi8_ai8",), "needs calibration data: a hundred or more samples"),
        (("static_wi8_ai8", []), "the data given hold no sample"),
        (("static_wi8_ai8", [{"y": 1}]), "lacks 'x'; the network's inputs are: x"),
        (("static_wi8_ai8", [{"x": np.zeros((1, 8, 8, 7))}]), r"has shape \[1, 8, 8, 7\] for input 'x', which takes"),
        (("static_wi8_ai8", [], "int4"), "io_dtype is 'int4', must be one of float32, int8, uint8, int16"),
        (("static_wi8_ai8", [], {"z": "int8"}), "io_dtype names 'z'; the inputs and outputs are: x, y0"),
        (("float16", None, "int8"), "keeps inputs and outputs in float32"),
    ],
)
def test_refusals(arguments, message: str) -> None:
    recipe, data, io = (*arguments, None, None)[:3]
    with pytest.raises(samara.ArgumentError, match=message):
        quantize(model(), recipe, data, io_dtype=io)


def test_nan_in_data_and_weights() -> None:
    bad = {"x": np.full((1, 8, 8, 8), np.nan, np.float32)}
    with pytest.raises(samara.DataError, match="sample 1: 'x', an input, holds NaN"):
        quantize(model(), "static_wi8_ai8", [bad])
    broken = network(lambda g, x: g.FULLY_CONNECTED(x, g.constant(np.full((4, 4), np.nan, np.float32), "w"), None),
                     ("x", (1, 4)))  # fmt: skip
    for recipe in ("static_wi8_ai8", {"recipe": "dynamic_wi8_afp32", "min_elements": 1}):
        with pytest.raises(samara.DataError, match=r"the constant 'w' holds nan|'y0', the output of FULLY"):
            quantize(broken, recipe, samples(broken))
    made = network(lambda g, x: g.LOG(g.ABS(x)), ("x", (1, 4)))
    report = quantize(made, "static_wi8_ai8", [{"x": np.zeros((1, 4), np.float32)}])
    assert [e.reason for e in report.entries if e.op == "LOG"] == ["'y0' reaches infinity"]


def test_warnings() -> None:
    with pytest.warns(UserWarning, match="2 calibration samples hardly show"):
        quantize(model(), "static_wi8_ai8", samples(model(), 2))
    with pytest.warns(UserWarning, match="input 'x' is 0 throughout"):
        quantize(model(), "static_wi8_ai8", [{"x": np.zeros((1, 8, 8, 8), np.float32)}] * 8)


def test_progress_and_iterators() -> None:
    seen: list[tuple[int, int | None]] = []
    quantize(model(), "static_wi8_ai8", samples(model(), 9), progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (1, 9) and seen[-1] == (9, 9)
    seen.clear()
    data = iter(samples(model(), 9))
    quantize(model(), "static_wi8_ai8", data, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (9, None)
