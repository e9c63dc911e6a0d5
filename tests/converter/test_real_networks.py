"""Networks at their published sizes, exported by both of torch's exporters: the numbers of onnxruntime, here and in
LiteRT; how many operators and transposes are left; time and memory of a conversion."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from convert_cost import cost
from litert_oracle import litert_run
from paths import emulated
from samara.converter.export import to_bytes
from samara.converter.passes.io_layout import channels_last
from samara.converter.pipeline import PIPELINE, apply, name_of, optimize

torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnx_networks as nets  # noqa: E402
import real_networks as real  # noqa: E402
from onnx_networks import NETWORKS, agree, expected, exported, ours  # noqa: E402
from samara.converter.frontends.onnx import load  # noqa: E402

MOST = {  # name -> operators and transposes that may be left, with inputs and outputs in channels-last
    "mobilenet_v2": (69, 0),
    "mobilenet_v3_small": (103, 0),
    "efficientnet_b0": (243, 0),
    "resnet18": (36, 0),
    "resnet50": (77, 0),
    "densenet121": (310, 0),
    "shufflenet_v2": (158, 16),  # one shuffle of channels each
    "unet": (31, 0),
    "detector": (110, 0),
    "segmenter": (61, 0),
    "convnext": (131, 0),
    "vit": (423, 48),  # four in the attention of each of 12 layers
    "bert": (174, 16),
}


def network(name):
    torch.manual_seed(3)
    if name == "vit":
        return real.ViT(), [torch.randn(1, 3, 224, 224)]
    if name == "bert":
        mask = torch.ones(2, 32, dtype=torch.long)
        mask[1, 20:] = 0
        return real.Bert(), [torch.randint(0, 2000, (2, 32)), mask]
    make, size = real.NETWORKS[name]
    return make(), [torch.randn(1, 3, size, size)]


def turned(values, perms, prefix):
    return [v.transpose(perms.get(f"{prefix}{i}" if prefix == "x" else "y", range(v.ndim))) for i, v in values]


def check(data, given, most):
    want = expected(data, given)
    model = optimize(load(data))
    perms = channels_last(model)
    model.verify(complete=True)
    feeds = turned(enumerate(given), perms, "x")
    results = turned(enumerate(want), perms, "y")
    agree(ours(model, feeds), results)
    agree(litert_run(to_bytes(model), {f"x{i}": v for i, v in enumerate(feeds)}), results)
    counts = Counter(node.op for node in model.main)
    print(dict(counts))
    assert (len(model.main), counts["TRANSPOSE"]) <= most and counts["TRANSPOSE"] <= most[1]


@pytest.mark.slow
@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
@pytest.mark.parametrize("name", MOST)
def test_real_network(name, exporter):
    net, inputs = network(name)
    data = nets.export(net, *inputs) if exporter == "torchscript" else nets.dynamo(net, *inputs)
    check(data, [v.numpy() for v in inputs], MOST[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_small_network_of_the_other_exporter(name):
    make, inputs, _ = NETWORKS[name]
    torch.manual_seed(1)
    net, given = make(), inputs()
    check(nets.dynamo(net, *given), [v.numpy() for v in given], (1000, 4))


@pytest.mark.parametrize("name", [*NETWORKS, *(pytest.param(n, marks=pytest.mark.slow) for n in MOST)])
def test_laws_of_passes(name):
    """One pass after the other: a second run changes nothing, the graph is whole, the numbers stay."""
    if name in NETWORKS:
        data, given = exported(name)
    else:
        net, inputs = network(name)
        data, given = nets.export(net, *inputs), [v.numpy() for v in inputs]
    want = expected(data, given)
    model = load(data)
    for step in PIPELINE:
        changes = apply(step, model)
        model.verify(complete=True)
        once = to_bytes(model)
        assert apply(step, model) == 0, name_of(step)
        assert to_bytes(model) == once, name_of(step)
        if changes:
            agree(ours(model, given), want)
    optimize(model)
    once = to_bytes(model)
    assert to_bytes(optimize(model)) == once


@pytest.mark.slow
@pytest.mark.skipif(emulated() or sys.platform != "linux", reason="another machine's speed, or no figures of memory")
@pytest.mark.parametrize("flags", [(), ("--prove",)])
@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet50", "densenet121"])
def test_time_and_memory(name, flags, tmp_path):
    """In under 5 s of the processor, and 2.8 times the model above the packages' own memory; with the proof, which runs
    the result, 4 times."""
    net, inputs = network(name)
    path, small = tmp_path / "net.onnx", tmp_path / "small.onnx"
    path.write_bytes(nets.export(net, *inputs))
    small.write_bytes(exported("mobilenet")[0])
    del net
    found = cost(path, small, *flags)
    assert found["cpu"] < 5 and found["memory"] < (4 if flags else 2.8) * found["size"]
