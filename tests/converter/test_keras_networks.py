"""keras.applications through the Keras front end: the numbers of Keras, here and in LiteRT, and no transposes."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import subprocess
import sys

import numpy as np
import pytest
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


MEASURE = """
import sys, time
import samara.converter.frontends.keras as front
from samara.converter.export import to_bytes
from samara.converter.pipeline import optimize

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024

to_bytes(optimize(front.load(sys.argv[2])))  # what is imported on the way is no part of it
before, begin = peak(), time.process_time()
data = to_bytes(optimize(front.load(sys.argv[1])))
print(time.process_time() - begin, peak() - before)
"""


def test_time_and_memory(tmp_path):
    """MobileNetV2: under 5 seconds of one processor; three times the model in memory, and 2 MB for its 150 layers."""
    if emulated():
        pytest.skip("another machine's speed says nothing")
    model, _ = network("MobileNetV2")
    path = tmp_path / "net.keras"
    model.save(path)
    out = subprocess.run(
        [sys.executable, "-c", MEASURE, path, DIGITS], check=True, capture_output=True, text=True
    ).stdout
    seconds, memory = (float(v) for v in out.split())
    print(f"{seconds:.2f} s of processor, {memory / path.stat().st_size:.2f} times the file")
    assert seconds < 5
    assert memory <= 3 * path.stat().st_size + (2 << 20)
