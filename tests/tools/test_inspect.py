"""`samara inspect`, on a model made here and on all shared ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_driver import Cli, flatten_model, write


def test_text_and_json(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("INT8", scale=0.5, zero=3))
    for flags in ([], ["-v"], ["-vv"]):
        outcome = cli("inspect", model, *flags)
        assert outcome.code == 0
        for words in ("RESHAPE 1", "image", "1x2x2x3", "0.5 * (q - 3)", "plan: "):
            assert words in outcome.out
    found = cli("inspect", model, "--json").json
    assert found["schema"] == "samara.inspect/1"
    assert found["operator_counts"] == {"RESHAPE": 1}
    assert found["bytes"] == model.stat().st_size
    (graph,), (plan,) = found["subgraphs"], found["plans"]
    assert [t["name"] for t in graph["tensors"]] == ["image", "to", "scores"]
    assert graph["tensors"][1]["constant_bytes"] == 8
    assert plan["memory"]["model"] == found["bytes"]


def test_bad_models(cli: Cli, tmp_path: Path) -> None:
    cli.refuses(2, "does not exist", "inspect", tmp_path / "none.tflite")
    cli.refuses(5, "ONNX", "inspect", write(tmp_path / "net.onnx", b"\x08\x07\x12\x07pytorch"))


def test_unsupported_operators_are_shown(cli: Cli, tmp_path: Path) -> None:
    from samara.converter import schema

    model = schema.decode(flatten_model("INT8"))
    model.operator_codes[0] = schema.OperatorCode(builtin_code="CUSTOM", custom_code="MyOp")
    model.subgraphs[0].operators[0].builtin_options = None
    path = write(tmp_path / "c.tflite", schema.encode(model))
    outcome = cli("inspect", path, "-v")
    assert outcome.code == 0
    assert "unsupported here: MyOp" in outcome.out and "cannot run" in outcome.out


def test_shared_models(cli: Cli, models: Path) -> None:
    for path in sorted(models.rglob("*.tflite")):
        outcome = cli("inspect", path, "--json")
        assert outcome.code == 0, path
        assert outcome.json["operator_counts"]
    found = cli("inspect", models / "coral/mobilenet_v2_1.0_224_quant.tflite", "--json").json
    if "error" in found["plans"][0]:
        pytest.fail(found["plans"][0]["error"])
    assert 290e6 < found["plans"][0]["macs"] < 310e6
