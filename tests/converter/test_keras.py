"""The Keras front end: every layer against Keras itself, saved in both formats."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest
from paths import ROOT, shared_folder
from samara.converter.export import from_bytes, to_bytes
from samara.converter.pipeline import optimize

import samara

pytest.importorskip("h5py")

from samara.converter.frontends.keras import load


def run(model, given):
    """The outputs by name; inputs by name."""
    interpreter = samara.Interpreter(model_content=to_bytes(model))
    runner = interpreter.get_signature_runner()
    return runner(**given)


def close(got, want, tolerance=1e-5):
    assert got.shape == want.shape
    assert np.abs(got - want).max(initial=0) <= tolerance * max(np.abs(want).max(initial=0), 1e-3)


MLPERF = {
    "resnet8": (255, True),
    "vww": (1, True),
    "ad01": (1, False),
}  # highest value; the published file has its weights


@pytest.mark.parametrize("name", MLPERF)
def test_mlperf_tiny(name):
    folder = shared_folder("models")
    if folder is None:
        pytest.skip("the shared models are absent")
    folder = folder / "mlperf_tiny"
    model = optimize(load(folder / f"{name}.h5"))
    published = from_bytes((folder / f"{name}_f32.tflite").read_bytes())
    high, same = MLPERF[name]
    shape = model.main.inputs[0].shape
    assert shape[0] == -1
    x = np.random.default_rng(0).uniform(0, high, (1, *shape[1:])).astype(np.float32)
    assert len(model.main.nodes) <= len(published.main.nodes)
    assert len(to_bytes(model)) <= (folder / f"{name}_f32.tflite").stat().st_size
    (got,) = run(model, {"input_1": x}).values()
    if same:
        (want,) = run(published, {"input_1": x}).values() if published.signatures else positional(published, x)
        close(got, want)
    keras = pytest.importorskip("keras")

    class Depthwise(keras.layers.DepthwiseConv2D):
        """Keras 3 refuses the field that Keras 2 wrote."""

        def __init__(self, *args, groups=1, **more):
            super().__init__(*args, **more)

    reference = keras.models.load_model(folder / f"{name}.h5", {"DepthwiseConv2D": Depthwise}, compile=False)
    close(got, np.asarray(reference.predict_on_batch(x)))


def positional(model, x):
    interpreter = samara.Interpreter(model_content=to_bytes(model))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return [interpreter.get_tensor(interpreter.get_output_details()[0]["index"])]


def test_digits():
    model = optimize(load(ROOT / "examples" / "digits" / "digits.keras"))
    held = np.load(ROOT / "examples" / "digits" / "heldout.npz")
    images = held["images"][:64].astype(np.float32) / 255
    assert list(model.signatures[0].inputs) == ["image"] and list(model.signatures[0].outputs) == ["digit"]
    published = samara.Interpreter(model_path=str(ROOT / "examples" / "digits" / "digits_float.tflite"))
    published.allocate_tensors()
    got = run(model, {"image": images})["digit"]
    for image, scores in zip(images, got, strict=True):
        published.set_tensor(published.get_input_details()[0]["index"], image[None])
        published.invoke()
        close(scores[None], published.get_tensor(published.get_output_details()[0]["index"]))
