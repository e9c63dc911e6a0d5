"""Whole networks: against published int8 files, against held-out data, and every float model by every recipe."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from paths import ROOT, shared_folder
from quantized import litert, ours, quantized, samples, sqnr, step
from samara.converter import frontends
from samara.converter.export import from_bytes, to_bytes
from samara.converter.pipeline import optimize
from samara.converter.quantize import RECIPES, quantize

MODELS = shared_folder("models")
TINY = None if MODELS is None else MODELS / "mlperf_tiny"
DIGITS = ROOT / "examples/digits"

needs_models = pytest.mark.skipif(MODELS is None, reason="the shared models are not here")


# ---- Beside published files ----


def photographs(size, count, seed, low, high):
    """Random square crops of the photographs, as the network takes them."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(seed)
    pictures = [image.open(path).convert("RGB") for path in sorted((MODELS / "coral").glob("*.bmp"))]
    made = []
    for i in range(count):
        picture = pictures[i % len(pictures)]
        side = int(min(picture.size) * rng.uniform(0.4, 1))
        x, y = (int(rng.integers(0, full - side + 1)) for full in picture.size)
        small = picture.crop((x, y, x + side, y + side)).resize((size, size), image.Resampling.BILINEAR)
        made.append((low + np.asarray(small, np.float32) / 255 * (high - low)).astype(np.float32)[None])
    return made


def floating(name: str, kind: str) -> bytes:
    """The float network as the published .tflite, or converted from the trained Keras file."""
    if kind == "tflite":
        return (TINY / f"{name}_f32.tflite").read_bytes()
    pytest.importorskip("h5py")
    return to_bytes(optimize(frontends.load(str(TINY / f"{name}.h5"))))


@needs_models
@pytest.mark.parametrize("kind", ["h5", "tflite"])
@pytest.mark.parametrize("name", ["resnet8", "vww", "ad01"])
def test_beside_the_published_int8_file(name: str, kind: str) -> None:
    """As near to the float network as the published file on the same data, and LiteRT gives our answers."""
    source, published = floating(name, kind), (TINY / f"{name}_int8.tflite").read_bytes()
    stored = from_bytes(published).main.inputs[0]
    scale, zero = float(stored.quantization.scale[0]), int(stored.quantization.zero_point[0])
    low, high = (-128 - zero) * scale, (127 - zero) * scale  # what the published file was calibrated for
    if len(stored.shape) == 4:
        calibration = photographs(stored.shape[1], 120, 0, low, high)
        test = photographs(stored.shape[1], 30, 1, low, high)
    else:
        rng = np.random.default_rng(0)
        calibration, test = (list(rng.uniform(low, high, (n, 1, 640)).astype(np.float32)) for n in (120, 30))
    model = from_bytes(source)
    (key,) = model.signatures[0].inputs if model.signatures else [model.main.inputs[0].name]
    report = quantize(model, "static_wi8_ai8", [{key: x} for x in calibration], io_dtype="int8")
    assert not report.kept
    result = to_bytes(model)
    want = [ours(source, {"x": x})[0] for x in test]
    mine = [ours(result, {"x": x})[0] for x in test]
    theirs = [ours(published, {"x": x})[0] for x in test]
    assert sqnr(want, mine) >= sqnr(want, theirs), f"{sqnr(want, mine):.2f} dB, published {sqnr(want, theirs):.2f} dB"
    other = [litert(result, {"x": x}, xnnpack=True)[0] for x in test]
    assert max(np.abs(a - b).max() for a, b in zip(mine, other, strict=True)) <= 1.01 * step(result)


# ---- The digits ----


@pytest.mark.parametrize("recipe", RECIPES)
def test_digits_stay_right(recipe: str) -> None:
    """Held-out accuracy within 0.3 points of float, calibrated on digits the test does not see."""
    data = pytest.importorskip("sklearn.datasets").load_digits()
    held = np.load(DIGITS / "heldout.npz")
    images = np.round(data.images * (255 / 16)).astype(np.uint8)[..., None]
    seen = {image.tobytes() for image in held["images"]}
    train = [i[None].astype(np.float32) / 255 for i in images if i.tobytes() not in seen][:300]
    source = (DIGITS / "digits_float.tflite").read_bytes()
    model = from_bytes(source)
    (key,) = model.signatures[0].inputs
    quantize(model, recipe, [{key: x} for x in train])
    result = to_bytes(model)

    def accuracy(content):
        import samara

        net = samara.load(content)
        right = [
            int(np.argmax(net(image[None].astype(np.float32) / 255)) == label)
            for image, label in zip(held["images"], held["labels"], strict=True)
        ]
        return 100 * np.mean(right)

    assert accuracy(result) >= accuracy(source) - 0.3
    assert len(result) < len(source) * 0.6


# ---- Every float model ----

FLOORS = {
    "static_wi8_ai8": 17, "static_wi8_ai16": 18, "dynamic_wi8_afp32": 18, "weight_only_wi8_afp32": 18, "float16": 45,
}  # fmt: skip
"""dB against float on noise, which the networks were not trained for; most are far above."""

BELOW = {
    ("simple_topk_op", "static_wi8_ai8"): 10,  # indices of nearly equal values
    ("kws_f32", "float16"): 30,  # its int8 convolutions round their inputs, to one side or the other
}


def float_models():
    if MODELS is None:
        return []
    found = []
    for path in sorted([*MODELS.glob("[!s]*/*.tflite"), DIGITS / "digits_float.tflite"]):
        if any(
            t is not None and t.type.name == "FLOAT32" for n in from_bytes(path.read_bytes()).nodes() for t in n.inputs
        ):
            found.append(path)
    return found


LITERT_REFUSES = {"simple_topk_op_runtime_k"}  # a shape that the run decides


OFTEN = ("static_wi8_ai8", "dynamic_wi8_afp32", "float16")


@needs_models
@pytest.mark.parametrize("recipe", [r if r in OFTEN else pytest.param(r, marks=pytest.mark.slow) for r in RECIPES])
@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=p.stem, marks=pytest.mark.slow if "torchaudio" in p.stem else ()) for p in float_models()],
)
def test_every_float_model(path, recipe: str) -> None:
    content = path.read_bytes()
    model = from_bytes(content)
    data = samples(model, 4 if path.stem.startswith("torchaudio") else 16, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        _, result, report = quantized(model, recipe, data)
    given = [{model.main.inputs[i].name: v for i, v in enumerate(s.values())} for s in data[:3]]
    want = [a for x in given for a in ours(content, x)]
    got = [a for x in given for a in ours(result, x)]
    assert sqnr(want, got) >= BELOW.get((path.stem, recipe), FLOORS[recipe]), str(report)
    if path.stem not in LITERT_REFUSES:
        theirs, other = ([a for x in given for a in litert(c, x, xnnpack=True)] for c in (content, result))
        assert sqnr(theirs, other) >= BELOW.get((path.stem, recipe), FLOORS[recipe])
