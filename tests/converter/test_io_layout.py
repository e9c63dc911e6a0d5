"""Inputs and outputs in the layout that pictures have: which are turned, and that the numbers are onnxruntime's."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from litert_oracle import litert_run
from samara.converter.export import from_bytes, to_bytes
from samara.converter.passes.io_layout import channels_last
from samara.converter.pipeline import optimize

import samara

torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
nn, F = torch.nn, torch.nn.functional

import onnx_networks as nets  # noqa: E402
from samara.converter.frontends.onnx import load  # noqa: E402


class Net(nn.Module):
    """A function of the inputs and some layers."""

    def __init__(self, run, **layers):
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *xs):
        return self.run(self, *xs)


def conv(i=3, o=4, k=3, **more):
    return nn.Conv2d(i, o, k, padding=k // 2, **more)


def picture(*shape):
    return torch.randn(*shape)


LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
P = picture(2, 3, 8, 9)
CASES = {  # name -> (network, inputs, what is turned, transposes left)
    "plain": (Net(lambda m, x: m.a(x), a=conv()), [P], "x0 y", 0),
    "one channel": (Net(lambda m, x: m.a(x).mean((2, 3)), a=conv(1)), [picture(2, 1, 8, 9)], "x0", 0),
    "time": (Net(lambda m, x: m.a(x), a=nn.Conv1d(3, 4, 3)), [picture(2, 3, 9)], "x0 y", 0),
    "volume": (
        Net(lambda m, x: m.a(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3), a=nn.Linear(3, 4)),
        [picture(2, 3, 5, 6, 7)], "x0 y", 0,
    ),
    "several users": (
        Net(lambda m, x: torch.cat([m.a(x), m.b(x), x * 2], 1), a=conv(), b=conv(k=5)), [P], "x0 y", 0,
    ),
    "normalized": (
        Net(lambda m, x: m.a((x - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / 0.2).relu(), a=conv()),
        [P], "x0 y", 0,
    ),
    "padded": (Net(lambda m, x: m.a(F.pad(x, (1, 1, 0, 2))), a=conv(stride=2)), [P], "x0 y", 0),
    "two inputs added": (Net(lambda m, x, y: m.a(x + y), a=conv()), [P, P], "x0 x1 y", 0),
    "an input of convolutions and one of a dense layer": (
        Net(lambda m, x, y: m.a(x) + m.b(y)[:, :, None, None], a=conv(), b=nn.Linear(5, 4)),
        [P, picture(2, 5)], "x0 y", 0,
    ),
    "flattened": (Net(lambda m, x: m.b(m.a(x).flatten(1)), a=conv(), b=nn.Linear(288, 5)), [P], "x0", 0),
    "classes": (Net(lambda m, x: m.a(x).softmax(1), a=conv()), [P], "x0 y", 0),
    "largest class": (Net(lambda m, x: m.a(x).argmax(1), a=conv()), [P], "x0", 0),
    "two outputs": (Net(lambda m, x: (m.a(x).relu(), m.b(m.a(x).relu())), a=conv(), b=conv(4)), [P], "x0 y y2", 0),
    "split": (Net(lambda m, x: sum(m.b(t) for t in m.a(x).split(2, 1)), a=conv(), b=conv(2)), [P], "x0 y", 0),
    "split unevenly": (
        Net(lambda m, x: torch.cat([t.relu() for t in m.a(x).split([1, 3], 1)][::-1], 1), a=conv()), [P], "x0 y", 0,
    ),
    "some channels": (Net(lambda m, x: m.b(m.a(x)[:, [0, 2]]), a=conv(), b=conv(2)), [P], "x0 y", 0),
    "one of the channels": (Net(lambda m, x: m.a(x)[:, 1], a=conv()), [P], "x0", 0),
    "every other pixel": (
        Net(
            lambda m, x: m.a(torch.cat([x[..., ::2, ::3], x[..., 1::2, ::3], x[:, :, ::2, 1::3]], 1)), a=conv(9)
        ),
        [P], "x0 y", 0,
    ),
    "repeated": (Net(lambda m, x: m.a(x).repeat(1, 1, 2, 1), a=conv()), [P], "x0 y", 0),
    "no convolution": (Net(lambda m, x: x.relu() + 1), [P], "", 0),
    "dense": (Net(lambda m, x: m.a(x.flatten(1)), a=nn.Linear(216, 4)), [P], "", 0),
    "channels last already": (
        Net(lambda m, x: m.a(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1), a=conv()), [picture(2, 8, 9, 3)], "", 0,
    ),
    "sequence": (Net(lambda m, x: m.a(x)[0], a=nn.LSTM(5, 6, batch_first=True)), [picture(2, 7, 5)], "", None),
}  # fmt: skip


def export(net, inputs, **options):
    outputs = ["y", "y2"][: 2 if net(*inputs).__class__ is tuple else 1]
    return nets.export(net, *inputs, outputs=outputs, **options)


def check(model, data, inputs, turned):
    """Both interpreters give onnxruntime's numbers, in the new layout."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    given = {f"x{i}": v.numpy() for i, v in enumerate(inputs)}
    want = session.run(None, given)
    feeds = {n: v.transpose(turned[n]) if n in turned else v for n, v in given.items()}
    again = from_bytes(to_bytes(model))
    assert list(again.signatures[0].inputs) == list(given)
    names = [o.name for o in session.get_outputs()]
    assert [o.name for o in again.main.outputs] == list(again.signatures[0].outputs) == names
    run = samara.Interpreter(model_content=to_bytes(model))
    for detail in run.get_input_details():
        run.resize_tensor_input(detail["index"], feeds[detail["name"]].shape)
    run.allocate_tensors()
    for detail in run.get_input_details():
        run.set_tensor(detail["index"], feeds[detail["name"]])
    run.invoke()
    ours = [run.get_tensor(d["index"]) for d in run.get_output_details()]
    for found in (ours, litert_run(to_bytes(model), feeds)):
        for name, a, b in zip(names, found, want, strict=True):
            b = b.transpose(turned[name]) if name in turned else b
            assert a.shape == b.shape
            assert np.abs(a - b).max() <= 1e-4 * max(np.abs(b).max(), 1e-3)


@pytest.mark.parametrize("batch", ["fixed", "open"])
@pytest.mark.parametrize("name", CASES)
def test_what_is_turned(name, batch):
    net, inputs, wanted, left = CASES[name]
    names = [f"x{i}" for i in range(len(inputs))] + ["y", "y2"]
    dynamic = {n: {0: "batch"} for n in names} if batch == "open" else None
    data = export(net, inputs, dynamic=dynamic)
    model = optimize(load(data))
    ranks = {t.name: len(t.shape) for t in (*model.main.inputs, *model.main.outputs)}
    turned = channels_last(model)
    model.verify(complete=True)
    assert turned == {n: LAST[ranks[n]] for n in wanted.split()}
    if left is not None:
        assert Counter(node.op for node in model.main)["TRANSPOSE"] == left
    check(model, data, inputs, turned)
    once = to_bytes(model)
    assert channels_last(model) == {} and to_bytes(model) == once


def test_shapes_and_open_dimensions():
    net, inputs, _, _ = CASES["plain"]
    data = export(net, inputs, dynamic={"x0": {0: "n", 2: "h", 3: "w"}, "y": {0: "n", 2: "h", 3: "w"}})
    model = optimize(load(data))
    assert channels_last(model) == {"x0": LAST[4], "y": LAST[4]}
    assert model.main.inputs[0].shape == (-1, -1, -1, 3) and model.main.outputs[0].shape == (-1, -1, -1, 4)
    check(model, data, inputs, {"x0": LAST[4], "y": LAST[4]})


@pytest.mark.parametrize("keep, turned", [("x0", "y"), ("y", "x0"), ("x0 y", "")])
def test_keep(keep, turned):
    net, inputs, _, _ = CASES["plain"]
    data = export(net, inputs)
    model = optimize(load(data))
    found = channels_last(model, keep=keep.split())
    assert list(found) == turned.split()
    check(model, data, inputs, found)


def test_keep_of_an_unknown_name():
    net, inputs, _, _ = CASES["plain"]
    model = optimize(load(export(net, inputs)))
    with pytest.raises(samara.UnsupportedError, match=r"layout of 'image' cannot be kept: .* are x0, y$"):
        channels_last(model, keep=["image"])


def test_signatures_name_the_ends():
    net, inputs, _, _ = CASES["plain"]
    model = optimize(load(export(net, inputs)))
    signature = model.signatures[0]
    signature.inputs = {"image": model.main.inputs[0]}
    signature.outputs = {"mask": model.main.outputs[0]}
    assert channels_last(model, keep=["mask"]) == {"image": LAST[4]}
    assert model.signatures[0].inputs == {"image": model.main.inputs[0]}
    assert model.signatures[0].outputs == {"mask": model.main.outputs[0]}
