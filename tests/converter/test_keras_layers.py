"""Keras layers, one case a line: built by Keras, saved in both formats, converted, and compared with Keras."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest
from samara.converter.export import to_bytes
from samara.converter.pipeline import optimize

import samara

keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

from keras import layers as L  # noqa: E402
from keras import ops  # noqa: E402
from samara.converter.frontends.keras import load  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(0)


def trained(model, seed=1):
    """Weights like those of a trained network: none is zero or one, variances are positive."""
    rng = np.random.default_rng(seed)
    for v in model.weights:
        low = 0.5 if "variance" in v.path else None
        value = rng.uniform(low, 1.5, v.shape) if low else rng.normal(0, 0.4, v.shape)
        if v.dtype in ("int32", "uint32", "int64"):
            continue
        v.assign(value.astype(np.float32))
    return model


def name_of(tensor):
    """That of the layer an input comes from."""
    return tensor._keras_history.operation.name


def data_for(model, batch=2):
    """Values for every input by name: normal numbers, or small whole ones."""
    rng = np.random.default_rng(2)
    made = {}
    for t in model.inputs:
        shape = [batch if i == 0 and d is None else 5 if d is None else d for i, d in enumerate(t.shape)]
        made[name_of(t)] = (
            rng.standard_normal(shape).astype(np.float32)
            if "float" in t.dtype
            else rng.integers(0, 5, shape).astype(t.dtype)
        )
    return made


def run(model, given):
    interpreter = samara.Interpreter(model_content=to_bytes(model))
    details = {d["name"]: d for d in interpreter.get_input_details()}
    for name, value in given.items():
        if tuple(details[name]["shape"]) != value.shape:
            interpreter.resize_tensor_input(details[name]["index"], value.shape)
    interpreter.allocate_tensors()
    for _ in range(2):  # nothing is left from one run to the next
        for name, value in given.items():
            interpreter.set_tensor(details[name]["index"], value)
        interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def wanted(model, given):
    if isinstance(getattr(model, "_inputs_struct", None), dict):
        found = model(given)
    else:
        found = model([given[name_of(t)] for t in model.inputs] if len(given) > 1 else next(iter(given.values())))
    found = keras.tree.flatten(found)
    return [keras.ops.convert_to_numpy(t) for t in found]


def same(model, tmp_path, tolerance=1e-5, formats=("keras", "h5"), shapes=None, batch=2, passes=True):
    """The converted model gives the numbers of Keras, in every format, before and after the passes."""
    trained(model)
    given = data_for(model, batch)
    want = wanted(model, given)
    for suffix in formats:
        path = tmp_path / f"model.{suffix}"
        model.save(path)
        made = load(path, shapes)
        agree(run(made, given), want, tolerance)
        if passes:
            agree(run(optimize(made), given), want, tolerance)
    return made


def agree(got, want, tolerance):
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape
        a, b = a.astype(np.float32), b.astype(np.float32)
        assert np.abs(a - b).max(initial=0) <= tolerance * max(np.abs(b).max(initial=0), 1e-3)


def sequential(*layers, shape, **options):
    return keras.Sequential([keras.Input(shape, **options), *layers])


FIRST = {"data_format": "channels_first"}
PICTURE, SIGNAL, VOLUME = (9, 8, 6), (11, 6), (5, 7, 6, 4)
LAYERS = {  # name -> (layers, shape of the input without the batch)
    "dense": (lambda: [L.Dense(5, "relu"), L.Dense(3, use_bias=False)], (7,)),
    "dense-rank-4": (lambda: [L.Dense(5, "tanh")], (3, 4, 7)),
    "conv1d": (lambda: [L.Conv1D(4, 3, activation="relu")], SIGNAL),
    "conv1d-causal": (lambda: [L.Conv1D(4, 3, padding="causal", dilation_rate=2)], SIGNAL),
    "conv1d-same": (lambda: [L.Conv1D(4, 4, padding="same", strides=2)], SIGNAL),
    "conv1d-groups": (lambda: [L.Conv1D(6, 3, groups=3)], SIGNAL),
    "conv2d": (lambda: [L.Conv2D(4, 3)], PICTURE),
    "conv2d-same": (lambda: [L.Conv2D(4, (3, 2), strides=2, padding="same", activation="relu6")], PICTURE),
    "conv2d-dilated": (lambda: [L.Conv2D(4, 3, dilation_rate=(2, 1), padding="same", use_bias=False)], PICTURE),
    "conv2d-groups": (lambda: [L.Conv2D(8, 3, groups=2)], PICTURE),
    "conv2d-groups-depthwise": (lambda: [L.Conv2D(12, 3, groups=6)], PICTURE),
    "conv3d": (lambda: [L.Conv3D(3, (2, 3, 3), strides=(2, 1, 2), padding="same")], VOLUME),
    "conv3d-valid": (lambda: [L.Conv3D(3, 2, dilation_rate=2)], VOLUME),
    "depthwise1d": (lambda: [L.DepthwiseConv1D(3, depth_multiplier=2, padding="same")], SIGNAL),
    "depthwise2d": (lambda: [L.DepthwiseConv2D(3, strides=2, padding="same")], PICTURE),
    "depthwise2d-many": (lambda: [L.DepthwiseConv2D((2, 3), depth_multiplier=3, activation="relu")], PICTURE),
    "separable1d": (lambda: [L.SeparableConv1D(5, 3, padding="same")], SIGNAL),
    "separable2d": (lambda: [L.SeparableConv2D(5, 3, depth_multiplier=2, activation="relu")], PICTURE),
    "transposed1d": (lambda: [L.Conv1DTranspose(4, 3, strides=2, padding="same")], SIGNAL),
    "transposed1d-valid": (lambda: [L.Conv1DTranspose(4, 3, strides=2)], SIGNAL),
    "transposed2d": (lambda: [L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")], PICTURE),
    "transposed2d-valid": (lambda: [L.Conv2DTranspose(4, (2, 3), strides=(3, 2), use_bias=False)], PICTURE),
    "transposed2d-wide": (lambda: [L.Conv2DTranspose(4, 4, strides=2, padding="same")], PICTURE),
    "transposed2d-dilated": (lambda: [L.Conv2DTranspose(4, 3, dilation_rate=2)], PICTURE),
    "max-pool": (lambda: [L.MaxPooling2D(3, 2, padding="same")], PICTURE),
    "max-pool-valid": (lambda: [L.MaxPooling2D((2, 3))], PICTURE),
    "max-pool1d": (lambda: [L.MaxPooling1D(2)], SIGNAL),
    "max-pool3d": (lambda: [L.MaxPooling3D(2, padding="same")], VOLUME),
    "average-pool": (lambda: [L.AveragePooling2D(3, 2)], PICTURE),
    "average-pool1d": (lambda: [L.AveragePooling1D(3, 1)], SIGNAL),
    "average-pool3d": (lambda: [L.AveragePooling3D((2, 3, 2), (1, 2, 2))], VOLUME),
    "global-average": (lambda: [L.GlobalAveragePooling2D()], PICTURE),
    "global-average-kept": (lambda: [L.GlobalAveragePooling2D(keepdims=True)], PICTURE),
    "global-max": (lambda: [L.GlobalMaxPooling2D()], PICTURE),
    "global-average1d": (lambda: [L.GlobalAveragePooling1D()], SIGNAL),
    "global-max3d": (lambda: [L.GlobalMaxPooling3D()], VOLUME),
    "adaptive-average": (lambda: [L.AdaptiveAveragePooling2D((3, 4))], PICTURE),
    "adaptive-average-uneven": (lambda: [L.AdaptiveAveragePooling2D((2, 3))], PICTURE),
    "adaptive-max": (lambda: [L.AdaptiveMaxPooling1D(4)], SIGNAL),
    "batch-norm": (lambda: [L.BatchNormalization()], PICTURE),
    "batch-norm-axis-1": (lambda: [L.BatchNormalization(axis=1, scale=False)], PICTURE),
    "batch-norm-flat": (lambda: [L.BatchNormalization(center=False, epsilon=1e-2)], (7,)),
    "layer-norm": (lambda: [L.LayerNormalization()], SIGNAL),
    "layer-norm-axes": (lambda: [L.LayerNormalization(axis=[1, 2])], SIGNAL),
    "rms-norm": (lambda: [L.RMSNormalization()], SIGNAL),
    "group-norm": (lambda: [L.GroupNormalization(3)], PICTURE),
    "group-norm-axis-1": (lambda: [L.GroupNormalization(3, axis=1)], PICTURE),
    "instance-norm": (lambda: [L.GroupNormalization(-1)], PICTURE),
    "unit-norm": (lambda: [L.UnitNormalization()], SIGNAL),
    "normalization": (lambda: [L.Normalization(mean=[1.0, 2, 3], variance=[2.0, 1, 4])], (5, 3)),
    "normalization-one": (lambda: [L.Normalization(axis=None, mean=1.5, variance=2.0)], (5, 3)),
    "rescaling": (lambda: [L.Rescaling(1 / 127.5, -1)], PICTURE),
    "rescaling-channels": (lambda: [L.Rescaling([0.5, 2, 3], [1, 2, 3])], (5, 3)),
    "relu": (lambda: [L.ReLU()], (50,)),
    "relu-max": (lambda: [L.ReLU(max_value=1.5)], (50,)),
    "relu6": (lambda: [L.ReLU(6)], (50,)),
    "relu-slope": (lambda: [L.ReLU(negative_slope=0.1, max_value=1)], (50,)),
    "relu-threshold": (lambda: [L.ReLU(threshold=0.4, negative_slope=0.2)], (50,)),
    "leaky-relu": (lambda: [L.LeakyReLU(negative_slope=0.2)], (50,)),
    "prelu": (lambda: [L.PReLU()], PICTURE),
    "prelu-shared": (lambda: [L.PReLU(shared_axes=[1, 2])], PICTURE),
    "elu": (lambda: [L.ELU(0.7)], (50,)),
    "softmax": (lambda: [L.Softmax()], SIGNAL),
    "softmax-axis-1": (lambda: [L.Softmax(axis=1)], SIGNAL),
    "softmax-axes": (lambda: [L.Softmax(axis=(1, 2))], SIGNAL),
    "flatten": (lambda: [L.Flatten(), L.Dense(3)], PICTURE),
    "reshape": (lambda: [L.Reshape((6, -1, 2))], PICTURE),
    "permute": (lambda: [L.Permute((3, 1, 2))], PICTURE),
    "repeat-vector": (lambda: [L.RepeatVector(3)], (5,)),
    "cropping1d": (lambda: [L.Cropping1D((1, 2))], SIGNAL),
    "cropping2d": (lambda: [L.Cropping2D(((1, 2), (0, 3)))], PICTURE),
    "cropping3d": (lambda: [L.Cropping3D(1)], VOLUME),
    "padding1d": (lambda: [L.ZeroPadding1D((1, 2))], SIGNAL),
    "padding2d": (lambda: [L.ZeroPadding2D(((1, 2), (0, 3)))], PICTURE),
    "padding3d": (lambda: [L.ZeroPadding3D(1)], VOLUME),
    "upsampling1d": (lambda: [L.UpSampling1D(3)], SIGNAL),
    "upsampling2d": (lambda: [L.UpSampling2D((2, 3))], PICTURE),
    "upsampling2d-bilinear": (lambda: [L.UpSampling2D(2, interpolation="bilinear")], PICTURE),
    "upsampling3d": (lambda: [L.UpSampling3D((1, 2, 3))], VOLUME),
    "resizing": (lambda: [L.Resizing(5, 12)], PICTURE),
    "resizing-nearest": (lambda: [L.Resizing(5, 12, interpolation="nearest")], PICTURE),
    "resizing-cropped": (lambda: [L.Resizing(5, 12, crop_to_aspect_ratio=True)], PICTURE),
    "resizing-padded": (lambda: [L.Resizing(5, 12, pad_to_aspect_ratio=True)], PICTURE),
    "center-crop": (lambda: [L.CenterCrop(5, 4)], PICTURE),
    "nothing": (lambda: [L.Dropout(0.5), L.GaussianNoise(1.0), L.SpatialDropout1D(0.2), L.Identity()], SIGNAL),
    "einsum-dense": (lambda: [L.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d", activation="relu")], SIGNAL),
    "einsum-dense-heads": (lambda: [L.EinsumDense("abc,cde->adbe", (2, None, 3), bias_axes="de")], SIGNAL),
    "einsum-dense-dots": (lambda: [L.EinsumDense("...x,xy->...y", 4, bias_axes="y")], SIGNAL),
    "lstm": (lambda: [L.LSTM(5)], SIGNAL),
    "lstm-sequences": (lambda: [L.LSTM(5, return_sequences=True), L.LSTM(4)], SIGNAL),
    "lstm-backwards": (lambda: [L.LSTM(5, go_backwards=True, return_sequences=True, use_bias=False)], SIGNAL),
    "lstm-activations": (lambda: [L.LSTM(5, activation="relu", recurrent_activation="hard_sigmoid")], SIGNAL),
    "gru": (lambda: [L.GRU(5, return_sequences=True), L.GRU(4, go_backwards=True)], SIGNAL),
    "gru-before": (lambda: [L.GRU(5, reset_after=False)], SIGNAL),
    "gru-without-bias": (lambda: [L.GRU(5, use_bias=False)], SIGNAL),
    "simple-rnn": (lambda: [L.SimpleRNN(5, return_sequences=True), L.SimpleRNN(4, activation="relu")], SIGNAL),
    "rnn-cells": (lambda: [L.RNN([L.LSTMCell(5), L.GRUCell(4), L.LSTMCell(3)], return_sequences=True)], SIGNAL),
    "rnn-cell": (lambda: [L.RNN(L.SimpleRNNCell(5))], SIGNAL),
    "bidirectional": (lambda: [L.Bidirectional(L.LSTM(5))], SIGNAL),
    "bidirectional-sequences": (lambda: [L.Bidirectional(L.GRU(5, return_sequences=True), merge_mode="sum")], SIGNAL),
    "bidirectional-mul": (lambda: [L.Bidirectional(L.SimpleRNN(5), merge_mode="mul")], SIGNAL),
    "bidirectional-ave": (lambda: [L.Bidirectional(L.LSTM(5), merge_mode="ave")], SIGNAL),
    "bidirectional-two": (
        lambda: [
            L.Bidirectional(
                L.LSTM(5, return_sequences=True), backward_layer=L.GRU(4, return_sequences=True, go_backwards=True)
            )
        ],
        SIGNAL,
    ),
    "time-distributed": (lambda: [L.TimeDistributed(L.Dense(4, "relu"))], SIGNAL),
    "time-distributed-conv": (lambda: [L.TimeDistributed(L.Conv2D(4, 3)), L.TimeDistributed(L.Flatten())], VOLUME),
    "masking": (lambda: [L.Masking(0.0), L.LSTM(5)], SIGNAL),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, tmp_path):
    make, shape = LAYERS[name]
    same(sequential(*make(), shape=shape), tmp_path)


FIRST_LAYERS = {
    "conv2d": lambda: [L.Conv2D(4, 3, padding="same", strides=2, **FIRST)],
    "depthwise2d": lambda: [L.DepthwiseConv2D(3, **FIRST)],
    "separable2d": lambda: [L.SeparableConv2D(4, 3, **FIRST)],
    "transposed2d": lambda: [L.Conv2DTranspose(4, 3, strides=2, **FIRST)],
    "max-pool": lambda: [L.MaxPooling2D(2, **FIRST)],
    "average-pool": lambda: [L.AveragePooling2D(2, **FIRST)],
    "global-average": lambda: [L.GlobalAveragePooling2D(**FIRST)],
    "padding": lambda: [L.ZeroPadding2D(1, **FIRST), L.Cropping2D(((1, 0), (2, 1)), **FIRST)],
    "upsampling": lambda: [L.UpSampling2D(2, **FIRST)],
    "flatten": lambda: [L.Flatten(**FIRST)],
    "adaptive": lambda: [L.AdaptiveAveragePooling2D(3, **FIRST)],
}


@pytest.mark.parametrize("name", FIRST_LAYERS)
def test_channels_first(name, tmp_path):
    same(sequential(*FIRST_LAYERS[name](), shape=(6, 9, 8)), tmp_path)


ACTIVATIONS = [
    "linear", "relu", "relu6", "leaky_relu", "softmax", "log_softmax", "elu", "celu", "selu", "softplus", "softsign",
    "tanh", "sigmoid", "exponential", "silu", "swish", "gelu", "mish", "hard_sigmoid", "hard_silu", "hard_tanh",
    "hard_shrink", "soft_shrink", "tanh_shrink", "log_sigmoid", "sparse_plus", "sparse_sigmoid", "squareplus",
    "sparsemax", "glu",
]  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name, tmp_path):
    same(sequential(L.Activation(name), shape=(5, 20)), tmp_path, tolerance=2e-5)


TENSORFLOW = {
    "average-pool": lambda: (keras.layers.AveragePooling2D(3, 2, padding="same"), mean_pooled),
    "transposed-output-padding": lambda: (
        keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1, use_bias=False),
        spread_out,
    ),
}
"""Where Keras on torch differs at the borders from Keras on TensorFlow and JAX: compared with a few lines of numpy."""


def mean_pooled(layer, x):
    """Windows of 3 every 2 steps over 9 x 8, padding not counted: from 0 - 1 up, from 0 on across."""
    made = np.zeros((len(x), 5, 4, x.shape[3]), np.float32)
    for i in range(5):
        for k in range(4):
            made[:, i, k] = x[:, max(2 * i - 1, 0) : 2 * i + 2, 2 * k : 2 * k + 3].mean(axis=(1, 2))
    return made


def spread_out(layer, x):
    """Every pixel adds its kernel at twice its place; the first 18 x 16 of it."""
    kernel = np.asarray(layer.get_weights()[0])
    made = np.zeros((len(x), 19, 17, 4), np.float32)
    for i in range(9):
        for k in range(8):
            made[:, 2 * i : 2 * i + 3, 2 * k : 2 * k + 3] += np.einsum("bc,hwfc->bhwf", x[:, i, k], kernel)
    return made[:, :18, :16]


@pytest.mark.parametrize("name", TENSORFLOW)
def test_as_on_tensorflow(name, tmp_path):
    layer, formula = TENSORFLOW[name]()
    model = trained(sequential(layer, shape=PICTURE))
    given = data_for(model)
    model.save(tmp_path / "model.keras")
    made = optimize(load(tmp_path / "model.keras"))
    agree(run(made, given), [formula(layer, next(iter(given.values())))], 1e-5)


def two(make, *shapes, **options):
    inputs = [keras.Input(s, **options) for s in shapes]
    return keras.Model(inputs, make(*inputs))


X, Y = (5, 4), (5, 4)
MERGES = {
    "add": lambda x, y: L.Add()([x, y, x]),
    "subtract": lambda x, y: L.Subtract()([x, y]),
    "multiply": lambda x, y: L.Multiply()([x, y]),
    "average": lambda x, y: L.Average()([x, y, y]),
    "maximum": lambda x, y: L.Maximum()([x, y]),
    "minimum": lambda x, y: L.Minimum()([x, y]),
    "concatenate": lambda x, y: L.Concatenate(axis=1)([x, y]),
    "dot": lambda x, y: L.Dot((1, 1))([x, y]),
    "dot-normalized": lambda x, y: L.Dot(2, normalize=True)([x, y]),
    "dot-flat": lambda x, y: L.Dot(1)([L.GlobalAveragePooling1D()(x), L.GlobalMaxPooling1D()(y)]),
    "attention": lambda x, y: L.Attention()([x, y]),
    "attention-scale": lambda x, y: L.Attention(use_scale=True)([x, y, x], use_causal_mask=True),
    "attention-concat": lambda x, y: L.Attention(score_mode="concat", use_scale=True)([x, y]),
    "attention-scores": lambda x, y: L.Attention()([x, y], return_attention_scores=True),
    "additive-attention": lambda x, y: L.AdditiveAttention()([x, y]),
    "multi-head": lambda x, y: L.MultiHeadAttention(2, 3)(x, y),
    "multi-head-causal": lambda x, y: L.MultiHeadAttention(2, 3, value_dim=5)(x, x, use_causal_mask=True),
    "multi-head-shape": lambda x, y: L.MultiHeadAttention(2, 3, output_shape=7, use_bias=False)(x, y, x),
    "multi-head-scores": lambda x, y: L.MultiHeadAttention(2, 3)(x, y, return_attention_scores=True),
    "multi-head-mask": lambda x, y: L.MultiHeadAttention(2, 3)(
        x, y, attention_mask=ops.matmul(x, ops.transpose(y, (0, 2, 1))) > 0.3
    ),
    "grouped-query": lambda x, y: L.GroupQueryAttention(3, 4, 2)(x, y),
    "grouped-query-causal": lambda x, y: L.GroupQueryAttention(3, 4, 2, use_bias=False)(x, x, use_causal_mask=True),
    "state": lambda x, y: L.LSTM(3, return_state=True)(x, initial_state=L.LSTM(3, return_state=True)(y)[1:]),
    "gru-state": lambda x, y: L.GRU(3, return_state=True, return_sequences=True)(x, initial_state=L.GRU(3)(y)),
    "bidirectional-states": lambda x, y: L.Bidirectional(L.LSTM(3, return_state=True))(x),
}  # fmt: skip


@pytest.mark.parametrize("name", MERGES)
def test_two_inputs(name, tmp_path):
    same(two(MERGES[name], X, Y), tmp_path)


# ---- Graphs ----


def shared():
    x, y = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    layer = L.Dense(6, "relu", name="twice")
    p, q = layer(x), layer(layer(y))
    return keras.Model([x, y], [L.Add(name="sum")([p, q]), L.Concatenate(name="both")([q, p])])


def nested():
    inner = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU()], name="inner")
    i = keras.Input((8, 8, 3))
    o = L.Conv2D(4, 3, name="conv")(i)
    side = keras.Model(i, [L.BatchNormalization()(o), L.GlobalAveragePooling2D()(o)], name="side")
    deep_in = keras.Input((8, 8, 3))
    deep = keras.Model(deep_in, L.Dense(3)(inner(deep_in)), name="deep")
    x = keras.Input((8, 8, 3))
    a, b = side(x)
    _, c = side(L.ZeroPadding2D(1)(L.Cropping2D(1)(x)))
    return keras.Model(x, [L.Flatten()(deep(x)), L.Add()([a, inner(x)]), L.Concatenate()([b, c])])


def frozen():
    """The weights of a frozen model stand in another order in a legacy file."""
    inner = keras.Sequential(
        [keras.Input((6,)), L.Dense(6), L.BatchNormalization(), L.Dense(6), L.BatchNormalization()], name="base"
    )
    inner.layers[0].trainable = False
    inner.layers[3].trainable = False
    return keras.Sequential([keras.Input((6,)), inner, L.Dense(2)])


def dictionaries():
    x, y = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    return keras.Model({"b": y, "a": x}, {"second": L.Dense(2)(y), "first": L.Dense(3)(x)})


def operations():
    x = keras.Input((6, 8), name="x")
    y = ops.reshape(x, (-1, 8)) * 2.0 + ops.convert_to_tensor(np.arange(8, dtype=np.float32))
    y = ops.reshape(1.0 / (1.0 + ops.exp(-y[:, 1:7:2])) ** 2, (-1, 6, 3))
    z = ops.mean(x, axis=-1, keepdims=True) - ops.max(x, axis=1, keepdims=True)
    z = ops.where(z > 0.1, z, ops.abs(z) * 0.5)
    w = ops.einsum("bij,bkj->bik", z, x)
    parts = ops.split(ops.concatenate([w, y], axis=-1), 3, axis=2)
    out = ops.stack([parts[0], parts[1] / 2.0, ops.maximum(parts[2], 0.0)], axis=1)
    first = ops.take(x, [0, -1, 2], axis=1)
    moved = ops.transpose(ops.expand_dims(first, 1), (0, 3, 1, 2))
    return keras.Model(
        x, [out, ops.squeeze(moved, 2), x[:, -1], x[..., None, 2], ops.clip(ops.sum(x, axis=(1, 2)), 0.0, 6.0)]
    )


def unit_ops():
    x = keras.Input((6, 4), name="x")
    y = ops.softmax(ops.relu6(x), axis=1) + ops.gelu(x) - ops.silu(x) * ops.leaky_relu(x, 0.3)
    y = ops.pad(y, ((0, 0), (1, 2), (0, 0)))
    y = ops.tile(y, (1, 1, 2)) + ops.repeat(ops.pad(x, [[0, 0], [3, 0], [0, 0]]), 2, axis=2)
    y = (
        ops.flip(y, axis=1)
        + ops.cumsum(y, axis=1)
        + ops.var(y, axis=2, keepdims=True)
        + ops.std(y, axis=1, keepdims=True)
    )
    return keras.Model(
        x,
        [
            ops.logical_and(y > 0, y < 1),
            ops.argmax(y, axis=2),
            ops.one_hot(ops.argmax(x, axis=2), 4),
            ops.cast(y, "int32"),
            y,
        ],
    )


def masks():
    ids = keras.Input((7,), dtype="int32", name="ids")
    x = L.Embedding(5, 6, mask_zero=True)(ids)
    y = L.Bidirectional(L.LSTM(4, return_sequences=True))(x)
    z = L.GRU(3)(L.Dropout(0.1)(y))
    return keras.Model(
        ids,
        [z, L.GlobalAveragePooling1D()(x), L.SimpleRNN(3, return_sequences=True)(x), L.MultiHeadAttention(2, 3)(x, x)],
    )


def transformer():
    ids = keras.Input((9,), dtype="int32", name="ids")
    x = L.Embedding(20, 16)(ids) + L.Embedding(9, 16)(ops.arange(9))
    for _ in range(2):
        x = L.LayerNormalization()(x + L.MultiHeadAttention(4, 4)(x, x))
        x = L.LayerNormalization()(x + L.Dense(16)(L.Dense(32, "gelu")(x)))
    return keras.Model(ids, L.Dense(3, "softmax")(x[:, 0]))


GRAPHS = {  # name -> (network, formats)
    "shared": (shared, ("keras", "h5")),
    "nested": (nested, ("keras", "h5")),
    "frozen": (frozen, ("keras", "h5")),
    "dictionaries": (dictionaries, ("keras",)),
    "operations": (operations, ("keras",)),
    "unit-ops": (unit_ops, ("keras",)),
    "masks": (masks, ("keras", "h5")),
    "transformer": (transformer, ("keras",)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graph(name, tmp_path):
    make, formats = GRAPHS[name]
    same(make(), tmp_path, formats=formats)


@pytest.mark.parametrize("name", ["lstm", "lstm-sequences", "lstm-backwards", "bidirectional"])
def test_fixed_batch_makes_one_operator(name, tmp_path):
    """With a known batch an LSTM is one operator for each direction, whose state does not outlive a run."""
    make, shape = LAYERS[name]
    model = sequential(*make(), shape=shape)
    made = same(model, tmp_path, shapes={name_of(model.inputs[0]): (2, *shape)}, tolerance=2e-5)
    found = [node.op for node in made.main]
    assert found.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == (1 if name.startswith("lstm") and "seq" not in name else 2)
    assert "LOGISTIC" not in found
