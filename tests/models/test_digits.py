"""The network of examples/digits: its files are there, small, and read digits nobody trained on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from paths import emulated

import samara

HERE = Path(__file__).resolve().parents[2] / "examples" / "digits"
LABELS = (HERE / "labels.txt").read_text().split()


def heldout():
    with np.load(HERE / "heldout.npz") as file:
        return file["images"].astype(np.float32) / 255, file["labels"]


def answers(run, images):
    """The class of each image, one invoke each, through an interpreter of LiteRT's interface."""
    run.allocate_tensors()
    (given,), (result,) = run.get_input_details(), run.get_output_details()
    found = []
    for image in images:
        if given["dtype"] == np.int8:
            scale, zero_point = given["quantization"]
            image = np.clip(np.round(image / scale) + zero_point, -128, 127).astype(np.int8)
        run.set_tensor(given["index"], image[None])
        run.invoke()
        found.append(int(run.get_tensor(result["index"]).argmax()))
    return np.array(found)


def test_files():
    files = [path for path in HERE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 300_000
    assert len(LABELS) == 10
    assert sorted(path.stem for path in (HERE / "images").glob("*.png")) == sorted(LABELS)
    images, labels = heldout()
    assert images.shape == (360, 8, 8, 1) and len(labels) == 360


@pytest.mark.parametrize("name", ["float", "int8"])
def test_accuracy(name):
    images, labels = heldout()
    run = samara.Interpreter(model_path=str(HERE / f"digits_{name}.tflite"))
    assert (answers(run, images) == labels).mean() >= 0.985


@pytest.mark.parametrize("name", ["float", "int8"])
def test_same_answers_as_litert(name):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    path = str(HERE / f"digits_{name}.tflite")
    images, _ = heldout()
    ours = answers(samara.Interpreter(model_path=path), images)
    theirs = answers(litert.Interpreter(model_path=path), images)
    assert (ours != theirs).sum() <= 1


@pytest.mark.parametrize("name", ["float", "int8"])
def test_png_images(name):
    pil = pytest.importorskip("PIL.Image")
    run = samara.Interpreter(model_path=str(HERE / f"digits_{name}.tflite"))
    for digit, label in enumerate(LABELS):
        image = pil.open(HERE / "images" / f"{label}.png").convert("L").resize((8, 8), pil.Resampling.BILINEAR)
        image = np.asarray(image, np.float32)[..., None] / 255
        assert answers(run, [image]) == digit, label


def test_heldout_digits_are_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    selection = pytest.importorskip("sklearn.model_selection")
    digits = datasets.load_digits()
    _, images, _, labels = selection.train_test_split(
        digits.images, digits.target, test_size=0.2, random_state=7, stratify=digits.target
    )
    ours, our_labels = heldout()
    assert np.array_equal(labels, our_labels)
    assert np.allclose(images[..., None] / 16, ours, atol=0.003)


@pytest.mark.skipif(emulated(), reason="this Python cannot start another")
def test_the_first_command_of_the_readme(tmp_path):
    """Converts the network to int8 and runs the program that classifies with both."""
    pytest.importorskip("h5py")
    pytest.importorskip("PIL")
    source, small = HERE / "digits.keras", tmp_path / "digits.tflite"
    calibration = HERE / "calibration.npz"
    samara.convert(source, recipe="static_wi8_ai8", calibration=calibration, io_dtype="int8", verify=False).save(small)
    command = [sys.executable, HERE / "classify.py", source, small]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    was, now = done.stdout.splitlines()
    assert was.endswith(" ".join(LABELS)) and now.endswith(" ".join(LABELS))
    rights = [float(line.split("bytes, ")[1].split("%")[0]) for line in (was, now)]
    assert rights[0] > 98 and abs(rights[0] - rights[1]) <= 0.3
    assert small.stat().st_size * 5 < source.stat().st_size
