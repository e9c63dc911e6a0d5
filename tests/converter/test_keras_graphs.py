"""Optimized Keras networks beside what TensorFlow's converter made of them: no more operators, no more bytes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from paths import shared_folder
from samara.converter.export import from_bytes, to_bytes
from samara.converter.pipeline import optimize

pytest.importorskip("h5py")

from samara.converter.frontends.keras import load


@pytest.mark.parametrize("name", ["resnet8", "vww", "ad01"])
def test_published_networks(name):
    folder = shared_folder("models")
    if folder is None or not (folder / "mlperf_tiny" / f"{name}.h5").exists():
        pytest.skip("no shared models; set SAMARA_MODELS")
    published = (folder / "mlperf_tiny" / f"{name}_f32.tflite").read_bytes()
    model = optimize(load(str(folder / "mlperf_tiny" / f"{name}.h5")))
    data = to_bytes(model)
    print(f"{name}: {len(model.main)} operators, {len(data)} bytes; published {len(published)} bytes")
    assert len(model.main) <= len(from_bytes(published).main)
    assert len(data) <= len(published)
    assert not [node for node in model.main if node.op == "TRANSPOSE"]


MOST = {  # operators that may be left: what TensorFlow's converter gives MobileNetV2, fewer for MobileNetV3 (118)
    "MobileNetV2": 65,
    "MobileNetV3Small": 106,
    "ResNet50": 75,
    "EfficientNetB0": 239,
    "DenseNet121": 311,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MOST)
def test_applications(name, tmp_path):
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    network = getattr(keras.applications, name)(weights=None)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            count = layer.moving_mean.shape[0]
            layer.moving_mean.assign(rng.normal(0, 0.1, count))
            layer.moving_variance.assign(rng.uniform(0.5, 1.5, count))
    network.save(tmp_path / "net.keras")
    model = optimize(load(str(tmp_path / "net.keras")))
    model.verify(complete=True)
    counts = Counter(node.op for node in model.main)
    print(name, len(model.main), dict(counts))
    assert len(model.main) <= MOST[name]
    assert counts["TRANSPOSE"] == 0
