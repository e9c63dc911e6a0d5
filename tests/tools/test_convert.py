"""`samara convert`, `quantize`, `compare`, `check`: files, exit codes, JSON."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from cli_driver import Cli, flatten_model, write

onnx = pytest.importorskip("onnx")


def model(name: str = "Relu", batch: int = 1) -> bytes:
    helper = onnx.helper
    rng = np.random.default_rng(0)
    weights = onnx.numpy_helper.from_array(rng.normal(size=(6, 3, 3, 3)).astype(np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], "conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            helper.make_node(name, ["c"], ["y"], "last"),
        ],
        "net",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [batch, 3, 8, 8])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [batch, 6, 8, 8])],
        [weights],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


def test_convert_compare_check(cli: Cli, tmp_path: Path) -> None:
    source, target = write(tmp_path / "net.onnx", model()), tmp_path / "net.tflite"
    told = cli("convert", source, "-o", target)
    assert told.code == 0, told.err
    assert "operators   " in told.out and "SQNR" in told.out and "channels-last" in told.out
    assert f"wrote {target}" in told.err
    assert sorted(os.listdir(tmp_path)) == ["net.onnx", "net.tflite"]
    json = cli("convert", source, "-o", target, "--json", "--force", "--keep-layout", "x", "--keep-layout", "y").json
    assert json["schema"] == "samara.convert/1" and json["transposes"] == 2 and json["proof"]["samples"] == 2
    assert json["bytes"] == target.stat().st_size

    json = cli("compare", source, target, "--json", "--min-sqnr", 80).json
    assert json["schema"] == "samara.compare/1" and json["outputs"][0]["max_error"] < 1e-4
    assert [row["name"] for row in json["layers"]] == ["y"]
    assert cli("check", source, "--json").json["convertible"]
    assert cli("convert", target, "-o", tmp_path / "again.tflite", "-q").err == ""


def test_exit_codes(cli: Cli, tmp_path: Path) -> None:
    source, target = write(tmp_path / "net.onnx", model()), tmp_path / "net.tflite"
    cli.refuses(2, "does not exist", "convert", tmp_path / "none.onnx", "-o", target)
    cli.refuses(2, "is not a directory", "convert", source, "-o", tmp_path / "no" / "net.tflite")
    cli.refuses(2, "needs calibration data", "convert", source, "-o", target, "--recipe", "static_wi8_ai8")
    cli.refuses(2, "float64x", "convert", source, "-o", target, "--recipe", "float16", "--io-dtype", "float64x")
    cli.refuses(2, "is not a shape", "convert", source, "-o", target, "--shape", "x:axb")
    cli.refuses(2, "give one of them", "convert", source, "-o", target, "--no-verify", "--inputs", "x")
    cli.refuses(2, "no pass is called", "convert", source, "-o", target, "--dump-after", "nothing")
    cli.refuses(3, "Mystery", "convert", write(tmp_path / "odd.onnx", model("Mystery")), "-o", target)
    cli.refuses(5, "damaged or cut short", "convert", write(tmp_path / "cut.onnx", model()[:-50]), "-o", target)
    cli.refuses(5, "is empty", "convert", write(tmp_path / "empty.onnx", b""), "-o", target)
    assert not target.exists()
    write(target, b"mine")
    cli.refuses(2, "--force", "convert", source, "-o", target)
    assert target.read_bytes() == b"mine"
    other = write(tmp_path / "other.onnx", model("Neg"))
    outcome = cli("compare", source, other, "--tolerance", 0.1)
    assert outcome.code == 4 and "differs by" in outcome.err
    outcome = cli("compare", source, other, "--min-sqnr", 40)
    assert outcome.code == 4 and "below 40 dB" in outcome.err
    small = write(tmp_path / "flat.tflite", flatten_model("FLOAT32"))
    cli.refuses(2, "do not compare", "compare", source, small)


def test_check_prints_a_table(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "odd.onnx", model("Mystery"))
    outcome = cli("check", source)
    assert outcome.code == 3 and "Mystery 'last'" in outcome.out and "remedy" in outcome.out
    (problem,) = cli("check", source, "--json").json["problems"]
    assert set(problem) == {"layer", "reason", "remedy"}
    assert cli("check", write(tmp_path / "net.onnx", model()), "-v").out.count("CONV_2D") == 1


def test_dump_after_and_shapes(cli: Cli, tmp_path: Path) -> None:
    source, target = write(tmp_path / "net.onnx", model()), tmp_path / "net.tflite"
    outcome = cli("convert", source, "-o", target, "--dump-after", "layout", "--dump-after", "fuse")
    assert outcome.code == 0 and "# after layout" in outcome.err and "# after fuse" in outcome.err
    json = cli("convert", source, "-o", target, "--force", "--json", "--no-optimize", "--no-verify").json
    assert json["proof"] is None and json["transposes"] == 2


FOREIGN = {
    "net.pt": (b"PK\x03\x04", 5, "damaged zip"),
    "array.npy": (b"\x93NUMPY\x01\x00", 5, "a numpy array"),
    "net.pkl": (b"\x80\x02}q\x00.", 5, "executes"),
    "net.pb": (b"\x0a\x00\x12", 3, "TensorFlow graph"),
    "model.json": (b'{"format": "layers-model"}', 5, "TensorFlow.js"),
    "net.h5": (b"not hdf5 at all", 5, "its name says .h5, so it is damaged"),
    "net.tflite": (b"\x00\x00\x00\x00TFL3", 5, ""),
    "photo.png": (b"\x89PNG\r\n", 5, "a picture"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files(cli: Cli, tmp_path: Path, name: str) -> None:
    data, code, words = FOREIGN[name]
    cli.refuses(code, words, "convert", write(tmp_path / name, data), "-o", tmp_path / "out.tflite")
    assert os.listdir(tmp_path) == [name]


def test_foreign_folders(cli: Cli, tmp_path: Path) -> None:
    cli.refuses(3, "a folder, not a model file", "convert", tmp_path, "-o", tmp_path / "o.tflite")
    write(tmp_path / "saved_model.pb", b"")
    cli.refuses(3, "SavedModel folder", "convert", tmp_path, "-o", tmp_path / "o.tflite")
