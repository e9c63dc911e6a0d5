"""Small Keras networks as files, between them most kinds of layers; needs keras."""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras

L = keras.layers


def convolutional() -> Any:
    x = inputs = L.Input((8, 8, 3), name="image")
    x = L.Rescaling(1 / 127.5, offset=-1)(x)
    x = L.ZeroPadding2D(1)(x)
    x = L.Conv2D(6, 3, strides=2, use_bias=False)(x)
    x = s = L.ReLU(6.0)(L.BatchNormalization()(x))
    x = L.DepthwiseConv2D(3, padding="same", activation="swish")(x)
    g = L.Dense(6, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    x = L.Add()([L.Multiply()([x, g]), s])
    x = L.Concatenate()([L.UpSampling2D(2)(x), L.Conv2DTranspose(4, 2, strides=2)(x)])
    x = L.AveragePooling2D(2)(L.SeparableConv2D(5, 3, padding="same")(x))
    x = L.Dense(4)(L.Flatten()(x))
    return keras.Model(inputs, L.Softmax(name="scores")(x), name="convolutional")


def sequence() -> Any:
    x = inputs = L.Input((6,), dtype="int32", name="tokens")
    x = L.Embedding(11, 8)(x)
    y = L.LayerNormalization()(x)
    x = L.Add()([x, L.MultiHeadAttention(2, 4)(y, y)])
    x = L.Dense(8, activation="gelu")(x)
    x = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
    x = L.GRU(4)(x)
    return keras.Model(inputs, L.Dense(2, activation="tanh")(x), name="sequence")


def dense() -> Any:
    return keras.Sequential(
        [L.Input((10,)), L.Dense(7, "relu"), L.BatchNormalization(), L.Dropout(0.5), L.LeakyReLU(), L.Dense(3)],
        name="dense",
    )


NETWORKS = [convolutional, sequence, dense]


def saved(make: Any, suffix: str) -> bytes:
    """The file that Keras writes, `.keras` or `.h5`; the same every time."""
    keras.utils.set_random_seed(1)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"model{suffix}"
        make().save(path)
        data = path.read_bytes()
    if suffix == ".h5":
        return data
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "metadata.json":  # has the date
                content = b"{}"
            elif name == "config.json":  # has addresses of objects
                content = re.sub(rb', "shared_object_id": \d+', b"", content)
            target.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


if __name__ == "__main__":  # python keras_small.py SUFFIX FOLDER: writes them all
    for make in NETWORKS:
        (Path(sys.argv[2]) / f"{make.__name__}{sys.argv[1]}").write_bytes(saved(make, sys.argv[1]))
