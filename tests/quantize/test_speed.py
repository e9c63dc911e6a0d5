"""How long quantizing MobileNetV2 on 32 images takes, beside TensorFlow's converter; each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TENSORFLOW = """
import json, os, sys, time
os.environ["KERAS_BACKEND"], os.environ["TF_CPP_MIN_LOG_LEVEL"] = "tensorflow", "3"
import keras, numpy as np, tensorflow as tf
folder = sys.argv[1]
keras.utils.set_random_seed(0)
net = keras.applications.MobileNetV2(weights=None)
for layer in net.layers:  # statistics as a trained network has them, not 0 and 1
    if isinstance(layer, keras.layers.BatchNormalization):
        gamma, beta, mean, var = layer.get_weights()
        layer.set_weights([gamma, beta, mean + 0.1, var * 0.9])
images = np.load(folder + "/images.npy")
net.export(folder + "/net", format="tf_saved_model", verbose=False,
           input_signature=[keras.InputSpec(shape=(1, 224, 224, 3), dtype="float32", name="image")])
converter = tf.lite.TFLiteConverter.from_saved_model(folder + "/net")
open(folder + "/float.tflite", "wb").write(converter.convert())
start = time.perf_counter()
plain = tf.lite.TFLiteConverter.from_saved_model(folder + "/net").convert()
middle = time.perf_counter()
converter = tf.lite.TFLiteConverter.from_saved_model(folder + "/net")
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([image[None]] for image in images)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
data = converter.convert()
open(folder + "/tensorflow.tflite", "wb").write(data)
# What quantizing adds to converting.
print(json.dumps({"float": middle - start, "int8": time.perf_counter() - middle}))
"""

OURS = """
import json, resource, sys, time
import numpy as np
from samara.converter.export import from_bytes, to_bytes
from samara.converter.quantize import quantize
folder = sys.argv[1]
images = np.load(folder + "/images.npy")
data = open(folder + "/float.tflite", "rb").read()
start = time.perf_counter()
model = from_bytes(data)
name = next(iter(model.signatures[0].inputs))
quantize(model, "static_wi8_ai8", ({name: image[None]} for image in images))
result = to_bytes(model)
took = time.perf_counter() - start
open(folder + "/ours.tflite", "wb").write(result)
print(json.dumps({"int8": took, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def run(script: str, folder: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.mark.slow
def test_faster_than_tensorflow(tmp_path, capsys) -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("keras")
    import numpy as np

    images = np.random.default_rng(0).uniform(-1, 1, (32, 224, 224, 3)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    theirs = run(TENSORFLOW, tmp_path)
    mine = run(OURS, tmp_path)
    added = theirs["int8"] - theirs["float"]
    sizes = [(tmp_path / f"{name}.tflite").stat().st_size for name in ("float", "tensorflow", "ours")]
    with capsys.disabled():
        print(
            f"\nMobileNetV2, 32 images: ours {mine['int8']:.1f} s, {mine['peak_mb']} MB; TensorFlow "
            f"{theirs['int8']:.1f} s, {added:.1f} s of it more than converting to float32: "
            f"{theirs['int8'] / mine['int8']:.1f} x and {added / mine['int8']:.1f} x ours; bytes: "
            f"{sizes[0]} float32, {sizes[1]} TensorFlow, {sizes[2]} ours"
        )
    assert sizes[2] <= sizes[1]
