"""Networks as people train them with torch, by every recipe: near the float network, in both engines."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
from quantized import litert, ours, quantized, samples, sqnr
from samara.converter import frontends
from samara.converter.export import from_bytes, to_bytes
from samara.converter.pipeline import optimize
from samara.converter.quantize import RECIPES

import samara

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
import onnx_networks as networks  # noqa: E402
from torch import nn  # noqa: E402

IMAGE = (1, 3, 32, 32)
NETWORKS = {
    "mobilenet": lambda: (networks.MobileNet(), IMAGE),
    "efficientnet": lambda: (networks.MobileNet(se=True, act=nn.SiLU), IMAGE),
    "mobilenet_v3": lambda: (networks.MobileNet(se=True, act=nn.Hardswish), IMAGE),
    "resnet": lambda: (networks.ResNet(), (1, 3, 64, 64)),
    "unet": lambda: (networks.UNet(), IMAGE),
    "unet_resize": lambda: (networks.UNet(upsample=True), IMAGE),
    "vit": lambda: (networks.ViT(), IMAGE),
    "bert": lambda: (networks.Bert(), None),
    "lstm": lambda: (networks.Recurrent(nn.LSTM), (1, 9, 12)),
    "two_way_lstm": lambda: (networks.Recurrent(nn.LSTM, True), (1, 9, 12)),
    "gru": lambda: (networks.Recurrent(nn.GRU), (1, 9, 12)),
    "speech": lambda: (networks.Speech(), (1, 12, 64)),
    "mixed": lambda: (networks.Mixed(), IMAGE),
}
FLOORS = {
    "static_wi8_ai8": 27, "static_wi8_ai16": 38, "dynamic_wi8_afp32": 34, "weight_only_wi8_afp32": 38, "float16": 62,
}  # fmt: skip
"""dB against float, on noise; weights are random too."""


@functools.cache
def source(name: str) -> bytes:
    torch.manual_seed(1)
    net, shape = NETWORKS[name]()
    if shape is None:
        inputs = (torch.randint(0, 100, (1, 16)), torch.ones(1, 16, dtype=torch.int64))
    else:
        inputs = (torch.randn(*shape),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = frontends.load(networks.export(net, *inputs))
    return to_bytes(optimize(model))


@pytest.mark.parametrize(
    "recipe", [r if r == "static_wi8_ai8" else pytest.param(r, marks=pytest.mark.slow) for r in RECIPES]
)
@pytest.mark.parametrize("name", NETWORKS)
def test_network(name: str, recipe: str) -> None:
    content = source(name)
    model = from_bytes(content)
    data = samples(model, 200, 1, -2, 2)
    chosen = recipe if recipe.startswith("static") else {"recipe": recipe, "min_elements": 256}
    _, result, report = quantized(model, chosen, data)
    given = samples(from_bytes(content), 8, 9, -2, 2)
    want = [a for x in given for a in ours(content, x)]
    got = [a for x in given for a in ours(result, x)]
    other = [a for x in given for a in litert(result, x)]
    assert sqnr(want, got) >= FLOORS[recipe], str(report)
    assert sqnr(want, other) >= FLOORS[recipe] - 1
    if recipe == "static_wi8_ai8":
        allowed = {"vit": 5, "bert": 5, "mixed": 2}.get(name, 0)
        assert len(report.kept) <= allowed, str(report)


@pytest.mark.parametrize("name", ["lstm", "two_way_lstm"])
def test_state_starts_from_zero_in_every_run(name: str) -> None:
    """The operator keeps its state; the source does not. int8 gates must close as float ones do."""
    model = from_bytes(source(name))
    _, result, _ = quantized(model, "static_wi8_ai8", samples(model, 200, 1, -2, 2))
    given = samples(from_bytes(source(name)), 6, 9, -2, 2)
    interpreter = samara.Interpreter(model_content=result)
    interpreter.allocate_tensors()
    (at,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    fresh, going = [], []
    for x in given:
        (value,) = x.values()
        fresh.append(ours(result, x)[0])
        interpreter.set_tensor(at["index"], value)
        interpreter.invoke()
        going.append(np.array(interpreter.get_tensor(out["index"])))
    assert sqnr(fresh, going) > 35
