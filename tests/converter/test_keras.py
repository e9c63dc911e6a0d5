"""The Keras front end: every layer against Keras itself, saved in both formats."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import zipfile

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest
from paths import ROOT, emulated, shared_folder
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


# ---- Files that are damaged, hostile or foreign ----

X = {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 4], "dtype": "float32"}, "name": "x"}


def dense(name="d", source="x", call=0, **config):
    return {
        "class_name": "Dense", "name": name, "config": {"name": name, "units": 3, "activation": "linear", **config},
        "inbound_nodes": [[[source, call, 0, {}]]],
    }  # fmt: skip


def layer(kind, name="d", source="x", **config):
    return {**dense(name, source), "class_name": kind, "config": {"name": name, "trainable": True, **config}}


def functional(*layers, output="d"):
    config = {"name": "m", "layers": [X, *layers], "input_layers": [["x", 0, 0]], "output_layers": [[output, 0, 0]]}
    return {"class_name": "Functional", "config": config}


def archive(config, weights=None, **members):
    """A `.keras` archive; weights by path."""
    import h5py

    inner, out = io.BytesIO(), io.BytesIO()
    with h5py.File(inner, "w") as file:
        for path, value in (DENSE if weights is None else weights).items():
            file[path] = value
    text = config if isinstance(config, (str, bytes)) else json.dumps(config)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in {"config.json": text, "model.weights.h5": inner.getvalue(), **members}.items():
            if data is not None:
                z.writestr(name, data)
    return out.getvalue()


DENSE = {
    "layers/dense/vars/0": np.ones((4, 3), np.float32),
    "layers/dense/vars/1": np.zeros(3, np.float32),
    "layers/dense_1/vars/0": np.ones((3, 3), np.float32),
    "layers/dense_1/vars/1": np.zeros(3, np.float32),
}


def legacy(config, change=lambda file: None):
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights/d")
        group.attrs["weight_names"] = [b"d/kernel:0", b"d/bias:0"]
        group["d/kernel:0"], group["d/bias:0"] = DENSE["layers/dense/vars/0"], DENSE["layers/dense/vars/1"]
        change(file)
    return out.getvalue()


def test_small_models_load():
    for data in (archive(functional(dense())), legacy(functional(dense()))):
        (y,) = run(load(data), {"x": np.ones((1, 4), np.float32)}).values()
        assert np.array_equal(y, np.full((1, 3), 4, np.float32))


def deep(levels):
    model = functional(dense())
    for _ in range(levels):
        model = functional({**model, "name": "d", "inbound_nodes": [[["x", 0, 0, {}]]]})
    return model


def linked(kind):
    import h5py

    def change(file):
        group = file["model_weights/d"]
        del group["d/bias:0"]
        link = (
            h5py.ExternalLink("/etc/passwd", "/x")
            if kind == "external"
            else h5py.SoftLink("/model_weights/d/d/kernel:0")
        )
        group["d/bias:0"] = link

    return change


def outside(file):
    group = file["model_weights/d"]
    del group["d/bias:0"]
    group.create_dataset("d/bias:0", (3,), "f4", external=[("/etc/passwd", 0, 12)])


def huge(file):
    group = file["model_weights/d"]
    del group["d/bias:0"]
    group.create_dataset("d/bias:0", (1 << 36,), "f4", chunks=(1 << 20,), compression="gzip")


def endless():
    """A heap of texts whose free space is said to be empty: HDF5 itself would read on for ever."""
    data = bytearray(legacy(functional(dense())))
    at = data.index(b"GCOL") + 16
    while number := int.from_bytes(data[at : at + 2], "little"):
        at += 16 + (int.from_bytes(data[at + 8 : at + 16], "little") + 7) // 8 * 8
    assert number == 0
    data[at + 8 : at + 16] = bytes(8)
    return bytes(data)


WRONG = {  # name -> (data, what the sentence says)
    "empty": (lambda: b"", "neither a zip archive"),
    "text": (lambda: b"hello, world", "neither a zip archive"),
    "truncated": (lambda: archive(functional(dense()))[:-40], "damaged or cut short"),
    "damaged": (lambda: archive(functional(dense())).replace(b"config.json", b"config.jsom", 1), "damaged|no config"),
    "traversal": (lambda: archive(functional(dense()), **{"../evil": b"x"}), "leads out of it"),
    "absolute": (lambda: archive(functional(dense()), **{"/etc/evil": b"x"}), "leads out of it"),
    "bomb": (lambda: archive(functional(dense()), **{"model.weights.h5": bytes(80 << 20)}), "limit"),
    "no-config": (lambda: archive(None, **{"config.json": None, "a": b""}), "config.json"),
    "no-weights": (lambda: archive(functional(dense()), **{"model.weights.h5": None}), "model.weights.h5"),
    "no-hdf5": (lambda: archive(functional(dense()), **{"model.weights.h5": b"no"}), "HDF5 data is damaged"),
    "no-json": (lambda: archive("{'a': 1}"), "not JSON"),
    "nested-json": (lambda: archive("[" * 100_000), "nested too deeply"),
    "no-model": (lambda: archive([1, 2]), "describes no model"),
    "nested-models": (lambda: archive(deep(60)), "inside each other|nested too deeply"),
    "cycle": (lambda: archive(functional(dense("d", "e"), dense("e", "d"))), "cycle"),
    "no-source": (lambda: archive(functional(dense("d", "nobody"))), "'nobody', which does not exist"),
    "no-call": (lambda: archive(functional(dense("d", "x", 7))), "call 7 of 'x'"),
    "no-output": (lambda: archive(functional(dense("e"))), "no layer has that name"),
    "two-names": (lambda: archive(functional(dense(), dense())), "same name"),
    "missing-weights": (lambda: archive(functional(dense()), {}), "'d': the weight kernel is missing"),
    "wrong-weights": (
        lambda: archive(functional(dense(units=5))), r"kernel has the shape \[4, 3\].*needs \[4, 5\]",
    ),
    "text-weights": (lambda: archive(functional(dense()), {"layers/dense/vars/0": "abc"}), "element type"),
    "wrong-type": (lambda: archive(functional(dense(units="3"))), "units is '3', needs a whole number"),
    "negative": (lambda: archive(functional(dense(units=-3))), "units is -3"),
    "huge-units": (lambda: archive(functional(dense(units=1 << 60))), "units is"),
    "unknown-activation": (lambda: archive(functional(dense(activation="boom"))), "activation 'boom'"),
    "huge-shape": (lambda: archive(functional(layer("Reshape", target_shape=[1 << 30, 1 << 30]))), "elements"),
    "no-model-config": (lambda: legacy(None), "no model_config"),
    "weights-only": (lambda: legacy(None, lambda f: f.attrs.update(layer_names=[b"d"])), "save the whole model"),
    "external-link": (lambda: legacy(functional(dense()), linked("external")), "link to elsewhere"),
    "soft-link": (lambda: legacy(functional(dense()), linked("soft")), "link to elsewhere"),
    "external-data": (lambda: legacy(functional(dense()), outside), "another file"),
    "huge-data": (lambda: legacy(functional(dense()), huge), "would have"),
    "endless-heap": (endless, "no size"),
    "truncated-h5": (lambda: legacy(functional(dense()))[:2000], "damaged or cut short"),
    "legacy-missing": (
        lambda: legacy(functional(dense()), lambda f: f["model_weights/d"].__delitem__("d/bias:0")), "'d/bias:0'",
    ),
    "lambda": (lambda: archive(functional(layer("Lambda", function={"code": "x"}))), "never run"),
    "custom": (lambda: archive({"class_name": "MyModel", "config": {}}), "class MyModel.*functional"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name):
    make, message = WRONG[name]
    with pytest.raises((samara.ModelError, samara.UnsupportedError), match=message) as caught:
        load(make())
    assert len(str(caught.value)) < 500


def test_all_problems_at_once():
    model = functional(
        layer("Lambda", "one"), layer("Mystery", "two", "one"), dense("three", "two"), layer("Mystery", "four"),
        layer("Add", "d", "three"),
    )  # fmt: skip
    with pytest.raises(samara.UnsupportedError) as caught:
        load(archive(model))
    lines = str(caught.value).splitlines()
    assert sorted(line.split(":")[0] for line in lines) == ["Layer 'four'", "Layer 'one'", "Layer 'two'"]
    assert all(";" in line for line in lines)


def test_version_decides_what_hard_sigmoid_is():
    x = np.linspace(-4, 4, 12, dtype=np.float32).reshape(3, 4)
    model = functional(layer("Activation", activation="hard_sigmoid"))
    (old,) = run(load(legacy(model)), {"x": x[:1]}).values()
    (new,) = run(load(archive(model)), {"x": x[:1]}).values()
    close(old, np.clip(0.2 * x[:1] + 0.5, 0, 1))
    close(new, np.clip(x[:1] / 6 + 0.5, 0, 1))


def test_functions_between_layers_of_keras_2():
    """TensorFlow's functions as tf.keras 2 writes them."""

    def function(kind, name, source, function, arguments):
        return {"class_name": kind, "name": name, "config": {"name": name, "trainable": True, "function": function},
                "inbound_nodes": [[source, 0, 0, arguments]]}  # fmt: skip

    model = functional(
        function("TFOpLambda", "scaled", "x", "math.multiply", {"y": 0.5, "name": None}),
        function("TFOpLambda", "sum", "scaled", "__operators__.add", {"y": ["x", 0, 0]}),
        function("SlicingOpLambda", "part", "sum", "__operators__.getitem",
                 {"slice_spec": [{"start": None, "stop": None, "step": None}, {"start": 1, "stop": 3, "step": None}]}),
        function("TFOpLambda", "d", "part", "math.reduce_mean", {"axis": -1, "keepdims": True}),
    )  # fmt: skip
    x = np.arange(4, dtype=np.float32)[None]
    (y,) = run(load(legacy(model)), {"x": x}).values()
    close(y, np.array([[2.25]], np.float32))


def test_weights_of_half_precision():
    weights = {path: value.astype(np.float16) for path, value in DENSE.items()}
    policy = {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    model = load(archive(functional(dense(dtype=policy)), weights))
    assert all(t.type.name == "FLOAT32" for t in model.main.tensors() if t.constant)


def test_shapes_are_fixed_by_name():
    data = archive(functional(dense()))
    assert load(data).main.inputs[0].shape == (-1, 4)
    fixed = load(data, {"x": (8, 4)})
    assert fixed.main.inputs[0].shape == (8, 4) and fixed.main.outputs[0].shape == (8, 3)
    for shapes, message in (({"z": (1, 4)}, "'z'"), ({"x": (1, 5)}, "shape")):
        with pytest.raises(samara.UnsupportedError, match=message):
            load(data, shapes)


def test_nothing_else_is_imported():
    code = (
        "import sys, samara; assert not {'h5py', 'keras', 'onnx', 'torch'} & set(sys.modules);"
        "from samara.converter.frontends.keras import load; assert 'h5py' not in sys.modules;"
        f"load({str(ROOT / 'examples' / 'digits' / 'digits.keras')!r}); assert 'keras' not in sys.modules"
    )
    if not emulated():
        subprocess.run([sys.executable, "-c", code], check=True)


def test_damaged_at_random():
    rng = random.Random(1)
    good = [archive(functional(dense(), dense("e", "d"), output="e")), legacy(functional(dense()))]
    for _ in range(300):
        data = bytearray(rng.choice(good))
        for _ in range(rng.choice((1, 2, 8))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            load(bytes(data[: rng.randrange(len(data))] if rng.random() < 0.2 else data))
        except (samara.ModelError, samara.UnsupportedError) as error:
            assert str(error)
