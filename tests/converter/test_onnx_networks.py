"""Networks of torch through ONNX: the numbers of onnxruntime, here and in LiteRT, and no transpose too many."""

from __future__ import annotations

import numpy as np
import pytest
from litert_oracle import litert_run
from samara.converter.export import to_bytes
from samara.converter.pipeline import optimize

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from onnx_networks import NETWORKS, agree, expected, exported, ours  # noqa: E402
from samara.converter.frontends.onnx import load  # noqa: E402

BATCH = {"x0": {0: "batch"}, "y": {0: "batch"}}


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
