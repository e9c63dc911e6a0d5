"""Optimized Keras networks beside what TensorFlow's converter made of them: no more operators, no more bytes."""

from __future__ import annotations

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
