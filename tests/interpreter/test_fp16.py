"""`allow_fp16`: float32 models in half precision where the processor has it, and no other byte anywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import Case, build, const, tensor
from paths import shared_folder
from samara.interpreter import _native

import samara

HALVES = _native.isa() in ("neonfp16", "neoni8mm")
TOLERANCE = 3e-3  # of the largest answer
_FOLDERS = [folder for name in ("models", "bench") if (folder := shared_folder(name)) is not None]
MODELS = [path for folder in _FOLDERS for path in sorted(folder.rglob("*f32.tflite"))]


def answers(model: Any, feeds: list[np.ndarray] | None = None, **options: Any) -> list[np.ndarray]:
    interpreter = samara.Interpreter(**{"model_path" if isinstance(model, Path) else "model_content": model}, **options)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(3)
    for i, d in enumerate(interpreter.get_input_details()):
        data = feeds[i] if feeds else rng.standard_normal(d["shape"]).astype(np.float32)
        interpreter.set_tensor(d["index"], data.astype(d["dtype"]))
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def conv(shape: tuple[int, ...], filters: int, kernel: int, size: float = 1, groups: int = 1, **options: Any) -> Case:
    """A convolution of an input of this shape; `size` of the weights. A group has shape[3] / groups channels."""
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1} | options
    weights = const("float32", (filters, kernel, kernel, shape[3] // groups), low=-size, high=size)
    inputs = [tensor("float32", shape), weights, const("float32", (filters,), low=-size, high=size)]
    return Case("conv", "CONV_2D", inputs, [tensor("float32")], options, version=3)


def product(op: str, shape: tuple[int, ...], weights: Any, **options: Any) -> Case:
    w = const("float32", weights) if isinstance(weights, tuple) else const(weights)
    inputs = [tensor("float32", shape), w] + [None] * (op == "FULLY_CONNECTED")
    return Case("product", op, inputs, [tensor("float32")], options, version=3)


OPERATORS = {
    "pointwise": conv((1, 9, 7, 32), 24, 1),
    "pointwise, few channels": conv((2, 5, 5, 3), 5, 1),
    "pointwise, stride 2": conv((1, 9, 9, 40), 19, 1, stride_h=2, stride_w=2),
    "first layer": conv((1, 17, 17, 3), 16, 3, stride_h=2, stride_w=2),
    "3 x 3": conv((1, 8, 8, 20), 33, 3),
    "3 x 3, many channels": conv((1, 16, 16, 64), 40, 3),
    "5 x 5, dilated": conv((1, 12, 12, 9), 8, 5, dilation_h_factor=2, dilation_w_factor=2),
    "groups": conv((1, 6, 6, 24), 30, 3, groups=3),
    "large weights": conv((1, 5, 5, 50), 20, 1, size=1e30),
    "small weights": conv((1, 5, 5, 50), 20, 1, size=1e-30),
    "FULLY_CONNECTED, one row": product("FULLY_CONNECTED", (1, 300), (10, 300)),
    "FULLY_CONNECTED": product("FULLY_CONNECTED", (21, 70), (37, 70)),
    "BATCH_MATMUL": product("BATCH_MATMUL", (2, 13, 40), (2, 40, 18)),
    "BATCH_MATMUL, turned": product("BATCH_MATMUL", (2, 13, 40), (18, 40), adj_y=True),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str) -> None:
    model = build(OPERATORS[name])[0]
    (plain,), (half,) = answers(model), answers(model, allow_fp16=True)
    assert np.abs(plain - half).max() <= TOLERANCE * np.abs(plain).max()
    assert (plain.tobytes() == half.tobytes()) == (not HALVES)
    assert half.tobytes() == answers(model, allow_fp16=True, num_threads=2)[0].tobytes()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models(path: Path) -> None:
    try:
        plain = answers(path)
    except samara.SamaraError as error:
        pytest.skip(f"does not run on such inputs: {error}")
    for a, b in zip(plain, answers(path, allow_fp16=True), strict=True):
        if HALVES:
            assert np.abs(a - b).max() <= 1e-2 * np.abs(a).max()
        else:
            assert a.tobytes() == b.tobytes()


def test_only_inputs_beyond_halves_are_infinite() -> None:
    """Sums may be larger than halves can be; an element of the input that is makes its own row infinite, no other."""
    model, _ = build(product("FULLY_CONNECTED", (3, 64), np.full((16, 64), 3e4, np.float32)))
    data = np.full((3, 64), 65000, np.float32)
    data[1, 5] = 7e4
    (plain,), (half,) = answers(model, [data]), answers(model, [data], allow_fp16=True)
    assert np.isfinite(plain).all()
    assert np.isinf(half[1]).all() == HALVES
    assert np.allclose(half[::2], plain[::2], rtol=TOLERANCE)


def test_weight_cache_holds_both_forms(tmp_path: Path) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(build(OPERATORS["FULLY_CONNECTED"])[0])
    cache = tmp_path / "net.cache"
    expected = {allow: answers(model, allow_fp16=allow) for allow in (False, True)}
    for allow in (False, True, True, False):
        found = answers(model, allow_fp16=allow, weight_cache=cache)
        assert [a.tobytes() for a in found] == [a.tobytes() for a in expected[allow]]


def test_packed_bytes_are_half() -> None:
    model = build(product("FULLY_CONNECTED", (4, 512), (64, 512)))[0]
    packed = []
    for allow in (False, True):
        interpreter = samara.Interpreter(model_content=model, allow_fp16=allow)
        interpreter.allocate_tensors()
        packed.append(interpreter.weight_cache().packed)
    assert packed[1] < 0.51 * packed[0] if HALVES else packed[1] == packed[0]


def test_levels_below_change_nothing() -> None:
    """`SAMARA_ISA` decides: a level without half-precision arithmetic takes none."""
    model, best = build(OPERATORS["pointwise"])[0], _native.isa()
    try:
        for level in ("scalar", "neon", "neondot", "neoninorder", "avx2"):
            if _native.isa_force(level):
                assert answers(model)[0].tobytes() == answers(model, allow_fp16=True)[0].tobytes()
    finally:
        _native.isa_force(best)
