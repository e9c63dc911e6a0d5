"""keras.applications through the Keras front end: the numbers of Keras, here and in LiteRT, and no transposes."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import sys

import numpy as np
import pytest
from convert_cost import cost
from litert_oracle import litert_run
from paths import ROOT, emulated
from samara.converter.export import to_bytes
from samara.converter.pipeline import optimize

import samara

keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

from samara.converter.frontends.keras import load  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

DIGITS = ROOT / "examples" / "digits" / "digits.keras"
NETWORKS = ["MobileNetV2", "MobileNetV3Small", "ResNet50", "EfficientNetB0", "DenseNet121"]


def network(name, size=224):
    """Random weights; statistics of batch normalization as training leaves them."""
    keras.utils.set_random_seed(1)
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            *rest, beta, mean, variance = layer.get_weights()
            new = [rng.uniform(0.8, 1.2, v.shape) for v in rest] + [rng.normal(0, 0.1, v.shape) for v in (beta, mean)]
            layer.set_weights([*new, rng.uniform(0.5, 1.5, variance.shape)])
    high = 255 if "preprocessing" in name or name.startswith(("MobileNetV3", "EfficientNet")) else 1
    return model, rng.uniform(0, high, (1, size, size, 3)).astype(np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_network(name, tmp_path):
    model, x = network(name)
    path = tmp_path / "net.keras"
    model.save(path)
    want = keras.ops.convert_to_numpy(model(x))
    made = optimize(load(path))
    assert not [n for n in made.main if n.op == "TRANSPOSE"]
    data = to_bytes(made)
    assert len(data) < path.stat().st_size
    interpreter = samara.Interpreter(model_content=data)
    (got,) = interpreter.get_signature_runner()(**{made.main.inputs[0].name: x}).values()
    for found in (got, litert_run(data, {made.main.inputs[0].name: x})[0]):
        assert found.shape == want.shape
        assert np.abs(found - want).max() <= 1e-4 * np.abs(want).max()


@pytest.mark.skipif(emulated() or sys.platform != "linux", reason="another machine's speed, or no figures of memory")
@pytest.mark.parametrize("flags", [(), ("--prove",)])
def test_time_and_memory(flags, tmp_path):
    """MobileNetV2: under 5 seconds of one processor, and 2.8 times the model in memory. The proof needs more: it runs
    the result, which has packed weights and an arena. Keras runs in another process."""
    model, _ = network("MobileNetV2")
    path = tmp_path / "net.keras"
    model.save(path)
    found = cost(path, DIGITS, *flags)
    assert found["reference"] == ("Keras" if flags else "")
    assert found["cpu"] < 5
    assert found["memory"] <= (4 if flags else 2.8) * found["size"]
