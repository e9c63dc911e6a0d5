"""Trains the handwritten-digits network of this folder and writes everything else in it but classify.py.

    pip install keras tensorflow-cpu scikit-learn pillow
    python examples/digits/train.py

The data are the 1,797 handwritten digits that ship inside scikit-learn (8x8 pixels, 17 grey levels). One fifth, the
same for every run, is held out: the network never sees it, and the accuracies and the images are of it.

    digits.keras          the trained network: convolutions, a depthwise one, batch normalization, 10 classes
    digits_float.tflite   the same as float32
    digits_int8.tflite    the same as int8, calibrated on training images
    heldout.npz           images (uint8, 0..255) and labels of the held-out digits
    calibration.npz       200 training images as the network takes them, to calibrate int8 on
    images/*.png          one clearly written held-out digit of each class, enlarged to 64x64; the name says the class
    labels.txt            the names of the classes
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
SEED = 7
LABELS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, held-out images and labels; images as uint8 [n, 8, 8, 1]."""
    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    train_x, test_x, train_y, test_y = train_test_split(
        images, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )
    return train_x, train_y, test_x, test_y


def network() -> keras.Model:
    """About 16,000 weights. Pixels enter as 0..1."""
    layers = keras.layers
    x = inputs = layers.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(32, 3, padding="same", strides=2, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = shortcut = layers.ReLU()(x)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(32, 1, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(layers.Add()([x, shortcut]))
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x), name="digits")


def moved(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Copies shifted by up to one pixel, a little lighter or darker and noisy."""
    out = np.zeros_like(images)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for i, (dy, dx) in enumerate(rng.integers(0, 3, (len(images), 2))):
        out[i] = padded[i, dy : dy + 8, dx : dx + 8]
    out = out * rng.uniform(0.8, 1.1, (len(images), 1, 1, 1)) + rng.normal(0, 0.03, images.shape)
    return np.clip(out, 0, 1).astype(np.float32)


def train(images: np.ndarray, labels: np.ndarray) -> keras.Model:
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    x = np.concatenate([images] + [moved(images, rng) for _ in range(5)])
    y = np.tile(labels, 6)
    model = network()
    epochs, batch = 25, 128
    rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(x) // batch))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)
    plain = network()  # without the optimizer's state, which would triple the file
    plain.set_weights(model.get_weights())
    return plain


def to_tflite(model: keras.Model, calibration: np.ndarray | None) -> bytes:
    """Float, or int8 throughout if there are images to calibrate on."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        signature = [keras.InputSpec(shape=(1, 8, 8, 1), dtype="float32", name="image")]
        model.export(folder, format="tf_saved_model", verbose=False, input_signature=signature)
        return _convert(tf.lite.TFLiteConverter.from_saved_model(folder), calibration)


def _convert(converter: Any, calibration: np.ndarray | None) -> bytes:
    import tensorflow as tf

    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def accuracy(tflite: bytes, images: np.ndarray, labels: np.ndarray) -> float:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=tflite)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    right = 0
    for image, label in zip(images, labels, strict=True):
        if source["dtype"] == np.int8:
            scale, zero_point = source["quantization"]
            image = np.clip(np.round(image / scale) + zero_point, -128, 127).astype(np.int8)
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        right += int(interpreter.get_tensor(target["index"]).argmax() == label)
    return right / len(labels)


def pictures(images: np.ndarray) -> Iterator[Image.Image]:
    for image in images:
        yield Image.fromarray(image[..., 0]).resize((64, 64), Image.Resampling.BICUBIC)


def legible(model: keras.Model, picture: Image.Image, digit: int) -> bool:
    """Whether the enlarged digit is still read, however a program shrinks it."""
    ways = (Image.Resampling.BILINEAR, Image.Resampling.BOX, Image.Resampling.NEAREST, Image.Resampling.BICUBIC)
    small = np.stack([np.asarray(picture.resize((8, 8), way), np.float32) / 255 for way in ways])[..., None]
    scores = model.predict(small, verbose=0)
    return bool(np.all(scores[:, digit] > 0.8))


def main() -> None:
    train_x, train_y, test_x, test_y = data()
    train_f, test_f = (x.astype(np.float32) / 255 for x in (train_x, test_x))
    model = train(train_f, train_y)

    model.save(HERE / "digits.keras")
    float_bytes, int8_bytes = to_tflite(model, None), to_tflite(model, train_f[:200])
    (HERE / "digits_float.tflite").write_bytes(float_bytes)
    (HERE / "digits_int8.tflite").write_bytes(int8_bytes)
    (HERE / "labels.txt").write_text("".join(f"{name}\n" for name in LABELS))
    np.savez_compressed(HERE / "heldout.npz", images=test_x, labels=test_y.astype(np.uint8))
    np.savez_compressed(HERE / "calibration.npz", image=train_f[:200])
    (HERE / "images").mkdir(exist_ok=True)
    for digit, name in enumerate(LABELS):
        picture = next(p for p in pictures(test_x[test_y == digit]) if legible(model, p, digit))
        picture.save(HERE / "images" / f"{name}.png")

    keras_accuracy = (model.predict(test_f, verbose=0).argmax(1) == test_y).mean()
    print(f"{len(test_y)} held-out digits: Keras {keras_accuracy:.2%}")
    for name, data_ in (("float", float_bytes), ("int8", int8_bytes)):
        print(f"  digits_{name}.tflite  {len(data_):6} bytes  {accuracy(data_, test_f, test_y):.2%}")


if __name__ == "__main__":
    main()
