"""Networks of torch through ONNX: the numbers of onnxruntime, here and in LiteRT, and no transpose too many."""

from __future__ import annotations

import numpy as np
import pytest
from litert_oracle import litert_run
from samara.converter.export import to_bytes
from samara.converter.pipeline import optimize

import samara

torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnx_networks as nets  # noqa: E402
from samara.converter.frontends.onnx import load  # noqa: E402


def picture(size=64):
    return torch.randn(1, 3, size, size)


def sequence(batch=2, steps=9):
    return torch.randn(batch, steps, 12)


BATCH = {"x0": {0: "batch"}, "y": {0: "batch"}}
NETWORKS = {  # name -> (network, inputs, transposes that may be left)
    "mobilenet": (lambda: nets.MobileNet(), lambda: (picture(),), 0),
    "efficientnet": (lambda: nets.MobileNet(se=True, act=torch.nn.SiLU), lambda: (picture(),), 0),
    "hardswish": (lambda: nets.MobileNet(se=True, act=torch.nn.Hardswish), lambda: (picture(),), 0),
    "resnet": (nets.ResNet, lambda: (picture(),), 0),
    "unet": (nets.UNet, lambda: (picture(32),), 0),
    "unet-upsample": (lambda: nets.UNet(upsample=True), lambda: (picture(32),), 0),
    "vit": (nets.ViT, lambda: (picture(32),), None),
    "bert": (nets.Bert, lambda: (torch.randint(0, 100, (2, 12)), torch.ones(2, 12, dtype=torch.long)), None),
    "lstm": (lambda: nets.Recurrent(torch.nn.LSTM), lambda: (sequence(),), None),
    "lstm-bidirectional": (lambda: nets.Recurrent(torch.nn.LSTM, True, 2), lambda: (sequence(),), None),
    "gru": (lambda: nets.Recurrent(torch.nn.GRU), lambda: (sequence(),), None),
    "gru-bidirectional": (lambda: nets.Recurrent(torch.nn.GRU, True, 2), lambda: (sequence(),), None),
    "rnn": (lambda: nets.Recurrent(torch.nn.RNN), lambda: (sequence(),), None),
    "speech": (nets.Speech, lambda: (torch.randn(2, 12, 40),), None),
    "mixed": (nets.Mixed, lambda: (picture(32),), None),
}
PICTURES = [name for name, (_, _, allowed) in NETWORKS.items() if allowed is not None]


def exported(name, **options):
    make, inputs, _ = NETWORKS[name]
    torch.manual_seed(1)
    net, given = make(), inputs()
    return nets.export(net, *given, **options), [t.numpy() for t in given]


def expected(data, given):
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: v for i, v in zip(session.get_inputs(), given, strict=True)})


def ours(model, given, runs=1):
    interpreter = samara.Interpreter(model_content=to_bytes(model))
    for detail in interpreter.get_input_details():
        value = given[int(detail["name"][1:])]
        if tuple(detail["shape"]) != value.shape:
            interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    for _ in range(runs):
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], given[int(detail["name"][1:])])
        interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def agree(got, want, tolerance=1e-4):
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert np.abs(a - b).max(initial=0) <= tolerance * max(np.abs(b).max(initial=0), 1e-3)


def inner_transposes(model):
    """Transposes that are not at an input or an output of the graph."""
    graph = model.main
    ends = {id(t) for t in (*graph.inputs, *graph.outputs)}
    return [
        node
        for node in graph
        if node.op == "TRANSPOSE" and not any(id(t) in ends for t in (*node.inputs[:1], *node.outputs))
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_network(name):
    data, given = exported(name)
    want = expected(data, given)
    model = load(data)
    agree(ours(model, given), want)
    optimize(model)
    agree(ours(model, given), want)
    agree(ours(model, given, runs=2), want)  # nothing is left from one run to the next
    allowed = NETWORKS[name][2]
    if allowed is not None:
        assert len(inner_transposes(model)) <= allowed
    found = litert_run(to_bytes(model), {f"x{i}": v for i, v in enumerate(given)})
    agree(found, want)


@pytest.mark.parametrize("name", ["mobilenet", "efficientnet", "resnet", "vit", "bert", "lstm", "gru"])
def test_open_batch(name):
    if name == "bert":
        dynamic = {"x0": {0: "batch"}, "x1": {0: "batch"}, "y": {0: "batch"}}
    else:
        dynamic = BATCH
    data, given = exported(name, dynamic=dynamic)
    more = [np.concatenate([v, v[::-1] * (1 if v.dtype.kind == "i" else 2)]) for v in given]
    want = expected(data, more)
    model = load(data)
    assert model.main.inputs[0].shape[0] == -1
    if name not in ("lstm", "gru"):
        assert model.main.outputs[0].shape[0] == -1
    agree(ours(model, more), want)
    optimize(model)
    agree(ours(model, more), want)
    fixed = load(data, shapes={f"x{i}": v.shape for i, v in enumerate(more)})
    assert fixed.main.inputs[0].shape == more[0].shape
    agree(ours(optimize(fixed), more), want)


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_opsets(opset):
    for name in ("mobilenet", "unet", "vit"):
        data, given = exported(name, opset=opset)
        agree(ours(optimize(load(data)), given), expected(data, given))
