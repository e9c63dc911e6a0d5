"""`samara run`: pictures and arrays in, answers out, and one sentence for everything that is wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_driver import Cli, flatten_model, write
from harness import Case, build, const, tensor
from paths import emulated

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits" / "digits_int8.tflite"
PIXELS = np.array([[[10, 20, 30], [40, 250, 60]], [[70, 80, 90], [100, 110, 120]]], np.uint8)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "p.png"
    image.fromarray(PIXELS).save(path)
    return path


def values(outcome: Any) -> np.ndarray:
    assert outcome.code == 0, outcome.err
    assert outcome.json["schema"] == "samara.run/1"
    return np.array(outcome.json["runs"][0]["outputs"][0]["values"]).reshape(-1)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero", "options", "wanted"),
    [
        ("UINT8", None, 0, [], PIXELS),
        ("UINT8", 1 / 128, 128, [], PIXELS),
        ("INT8", 1 / 255, -128, [], PIXELS.astype(int) - 128),
        ("FLOAT32", None, 0, [], (PIXELS - 127.5) / 127.5),
        ("FLOAT32", None, 0, ["--mean", 0, "--std", 255], PIXELS / 255),
        ("FLOAT32", None, 0, ["--mean", "1,2,3", "--std", "2"], (PIXELS - [1.0, 2, 3]) / 2),
        (
            "INT8",
            1 / 128,
            0,
            ["--mean", 127.5, "--std", 127.5],
            np.clip(np.rint((PIXELS / 127.5 - 1) * 128), -128, 127),
        ),
    ],
)
def test_pictures(
    cli: Cli, tmp_path: Path, picture: Path, dtype: str, scale: Any, zero: int, options: list[Any], wanted: Any
) -> None:
    model = write(tmp_path / "m.tflite", flatten_model(dtype, scale=scale, zero=zero))
    got = values(cli("run", model, picture, "--json", *options))
    assert np.allclose(got, np.asarray(wanted).reshape(-1), atol=1e-6)


def test_a_picture_is_resized_and_made_gray(cli: Cli, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (31, 17), (50, 50, 50)).save(tmp_path / "big.bmp")
    model = write(tmp_path / "m.tflite", flatten_model("UINT8", (1, 4, 5, 1)))
    assert values(cli("run", model, tmp_path / "big.bmp", "--json")).tolist() == [50] * 20


def test_labels_and_several_pictures(cli: Cli, tmp_path: Path, picture: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("UINT8", scale=1 / 256))
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(f"{i} thing{i}" for i in range(12)))
    outcome = cli("run", model, picture, picture, "--labels", labels, "--top", 2)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert len(lines) == 6 and str(picture) in lines[0]
    assert lines[1].split() == ["0.9766", "4", "thing4"]
    top = cli("run", model, picture, "--labels", labels, "--top", 1, "--json").json["runs"][0]["outputs"][0]["top"]
    assert top == [{"index": 4, "label": "thing4", "score": 250 / 256}]


def test_arrays_in_and_out(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    x = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "short.npy", x[0].astype(np.float64))
    np.savez(tmp_path / "x.npz", image=x)
    x.tofile(tmp_path / "x.bin")
    out = tmp_path / "o.npz"
    for name in ("x.npy", "short.npy", "x.npz", "x.bin"):
        assert cli("run", model, "--input", f"image={tmp_path / name}", "-o", out, "--force").code == 0
        with np.load(out) as saved:
            assert saved["scores"].tolist() == [list(range(12))]
    cli.refuses(2, "--force", "run", model, tmp_path / "x.npy", "-o", out)
    assert cli("run", model, tmp_path / "x.npy", "-o", tmp_path / "o.npy").code == 0
    assert np.load(tmp_path / "o.npy").tolist() == [list(range(12))]
    assert not list(tmp_path.glob("*.part"))


def test_real_numbers_for_a_quantized_input(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("INT8", (1, 3), 0.5, 1))
    np.save(tmp_path / "x.npy", np.array([[0.0, 10.0, -1000.0]]))
    assert values(cli("run", model, tmp_path / "x.npy", "--json")).tolist() == [1, 21, -128]


def test_seed_fills_inputs(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    one, two = (values(cli("run", model, "--seed", 7, "--json")) for _ in range(2))
    assert np.array_equal(one, two) and len(set(one.tolist())) == 12


def test_bad_input_is_one_sentence(cli: Cli, tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("INT8", scale=0.1))
    np.save(tmp_path / "wide.npy", np.zeros((1, 2, 2, 4), np.int8))
    np.save(tmp_path / "big.npy", np.full((1, 2, 2, 3), 1000))
    np.save(tmp_path / "text.npy", np.array(["a"]))
    np.save(tmp_path / "object.npy", np.array([{}], object))
    np.savez(tmp_path / "two.npz", a=np.zeros(1), b=np.zeros(1))
    refused = {
        "wide.npy": "has shape 1x2x2x4",
        "big.npy": "do not fit",
        "text.npy": "holds <U1",
        "object.npy": "cannot be read",
        "two.npz": "no array 'image'",
        "none.npy": "does not exist",
    }
    for name, words in refused.items():
        cli.refuses(2, words, "run", model, tmp_path / name)
    write(tmp_path / "x.raw", b"12345")
    cli.refuses(2, "5 bytes", "run", model, tmp_path / "x.raw")
    write(tmp_path / "broken.png", b"\x89PNG\r\n\x1a\n broken")
    cli.refuses(2, "cannot be read as a picture", "run", model, tmp_path / "broken.png")
    cli.refuses(2, "is a directory", "run", model, tmp_path)
    cli.refuses(2, "got no data", "run", model)
    cli.refuses(2, "no input 'z'", "run", model, "--input", f"z={picture}")
    cli.refuses(2, "no signature", "run", model, picture, "--signature", "z")
    cli.refuses(2, "is not a file", "run", model, picture, "--labels", tmp_path / "none.txt")
    cli.refuses(2, "not a shape", "run", model, picture, "--shape", "image:1xax3")
    cli.refuses(2, "not a directory", "run", model, picture, "-o", tmp_path / "no/where.npz")
    cli.refuses(2, "2 mean values", "run", model, picture, "--mean", "1,2")
    cli.refuses(2, "not a number", "run", model, picture, "--mean", "x")
    monkeypatch.setitem(sys.modules, "PIL", None)
    cli.refuses(2, "samara[image]", "run", model, picture)


def test_bad_models(cli: Cli, tmp_path: Path) -> None:
    cli.refuses(2, "does not exist", "run", tmp_path / "none.tflite")
    cli.refuses(2, "is a directory", "run", tmp_path)
    cli.refuses(5, "is empty", "run", write(tmp_path / "e.tflite", b""))
    cli.refuses(5, "ONNX", "run", write(tmp_path / "net.onnx", b"\x08\x07\x12\x07pytorch"))
    cli.refuses(5, "not a valid model", "run", write(tmp_path / "t.tflite", flatten_model("INT8")[:100]))
    custom = flatten_model("INT8").replace(b"main", b"niam")
    from samara.converter import schema

    model = schema.decode(custom)
    model.operator_codes[0] = schema.OperatorCode(builtin_code="CUSTOM", custom_code="MyOp")
    model.subgraphs[0].operators[0].builtin_options = None
    cli.refuses(3, "MyOp", "run", write(tmp_path / "c.tflite", schema.encode(model)), "--seed", 0)


def test_photographs(cli: Cli, models: Path) -> None:
    pytest.importorskip("PIL")
    coral = models / "coral"
    words = {"cat": "cat", "bird": "chickadee", "sunflower": "daisy", "grace_hopper": "uniform"}
    for stem in ("mobilenet_v2_1.0_224_quant", "tf2_mobilenet_v2_1.0_224_ptq"):
        files = [coral / f"{name}.bmp" for name in words]
        outcome = cli("run", coral / f"{stem}.tflite", *files, "--labels", coral / "imagenet_labels.txt", "--json")
        best = [run["outputs"][0]["top"][0]["label"] for run in outcome.json["runs"]]
        assert all(word in label for word, label in zip(words.values(), best, strict=True)), best


def test_closed_output_is_quiet(tmp_path: Path) -> None:
    import subprocess

    if emulated():
        pytest.skip("starts other programs")
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = f"'{sys.executable}' -m samara.tools run '{model}' --seed 1 --json | head -c 1"
    answer = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert answer.stderr == ""


def test_strings(cli: Cli, tmp_path: Path) -> None:
    case = Case("strings", "GATHER", [tensor("string", (3,)), const([2, 0])], [tensor("string")], {"axis": 0})
    model = write(tmp_path / "m.tflite", build(case)[0])
    np.save(tmp_path / "x.npy", np.array(["one", "", "drei"]))
    outcome = cli("run", model, tmp_path / "x.npy", "-o", tmp_path / "o.npy", "--json")
    assert values(outcome).tolist() == ["drei", "one"]
    assert np.load(tmp_path / "o.npy").tolist() == [b"drei", b"one"]


def test_weight_cache(cli: Cli, tmp_path: Path) -> None:
    cache = tmp_path / "net.cache"
    plain = cli("run", DIGITS, "--seed", 1, "--json")
    for _ in range(2):  # written, then mapped
        outcome = cli("run", DIGITS, "--seed", 1, "--json", "--weight-cache", cache)
        assert (outcome.code, outcome.err, values(outcome).tolist()) == (0, "", values(plain).tolist())
        assert cache.stat().st_size > 0
    outcome = cli("run", DIGITS, "--seed", 1, "--weight-cache", tmp_path / "missing" / "net.cache")
    assert outcome.code == 0
    assert outcome.err.startswith("note: cannot write the weight cache") and len(outcome.err.splitlines()) == 1
    assert "name a file that can be written" in outcome.err
    cli.refuses(2, "is no weight cache and would", "run", DIGITS, "--seed", 1, "--weight-cache", __file__)
