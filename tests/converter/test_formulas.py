"""What is left of formulas that torch's exporters write out: one operator where the format has one."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
nn, F = torch.nn, torch.nn.functional

import onnx_networks as nets  # noqa: E402
from samara.converter.frontends.onnx import load  # noqa: E402
from samara.converter.pipeline import optimize  # noqa: E402

SILU = {"LOGISTIC": 1, "MUL": 1}
NORM = {"MEAN": 2, "SUB": 1, "SQUARE": 1, "ADD": 1, "RSQRT": 1, "MUL": 1}
RMS = {"SQUARE": 1, "MEAN": 1, "ADD": 1, "RSQRT": 1, "MUL": 1}


def mean(x):
    return x.mean(-1, keepdim=True)


FORMULAS = {  # name -> (formula over [2, 5, 16], operators)
    "silu": (F.silu, SILU),
    "silu by sigmoid": (lambda x: x * torch.sigmoid(x), SILU),
    "silu by exp": (lambda x: x / (1 + torch.exp(-x)), SILU),
    "hard-swish": (F.hardswish, {"HARD_SWISH": 1}),
    "hard-swish by relu6": (lambda x: x * F.relu6(x + 3) / 6, {"HARD_SWISH": 1}),
    "hard-swish by clamp": (lambda x: x * torch.clamp(x + 3, 0, 6) / 6, {"HARD_SWISH": 1}),
    "hard-swish by clamp to 1": (lambda x: x * torch.clamp(x / 6 + 0.5, 0, 1), {"HARD_SWISH": 1}),
    "hard-swish by hard-sigmoid": (lambda x: x * F.hardsigmoid(x), {"HARD_SWISH": 1}),
    "hard-sigmoid": (F.hardsigmoid, {"ADD": 1, "MUL": 1}),
    "hard-sigmoid of Keras": (lambda x: torch.clamp(0.2 * x + 0.5, 0, 1), {"ADD": 1, "MUL": 2}),
    "gelu": (F.gelu, {"GELU": 1}),
    "gelu by erf": (lambda x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0))), {"GELU": 1}),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), {"GELU": 1}),
    "gelu by tanh and pow": (
        lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0)))),
        {"GELU": 1},
    ),
    "gelu by tanh and squares": (
        lambda x: 0.5 * x * (1 + torch.tanh(x * 0.7978845608 * (1 + 0.044715 * x * x))), {"GELU": 1},
    ),
    "gelu by sigmoid": (lambda x: x * torch.sigmoid(1.702 * x), {"MUL": 2, "LOGISTIC": 1}),
    "softmax": (lambda x: F.softmax(x, -1), {"SOFTMAX": 1}),
    "softmax by exp": (lambda x: torch.exp(x) / torch.exp(x).sum(-1, keepdim=True), {"SOFTMAX": 1}),
    "softmax of the middle": (lambda x: F.softmax(x, 1), {"TRANSPOSE": 2, "SOFTMAX": 1}),
    "log-softmax": (lambda x: F.log_softmax(x, -1), {"LOG_SOFTMAX": 1}),
    "layer-norm": (lambda x: F.layer_norm(x, (16,)), NORM),
    "layer-norm by means": (lambda x: (x - mean(x)) / torch.sqrt(mean((x - mean(x)) ** 2) + 1e-5), NORM),
    "layer-norm by variance": (
        lambda x: (x - mean(x)) / torch.sqrt(x.var(-1, keepdim=True, unbiased=False) + 1e-5), NORM,
    ),
    "root mean square": (lambda x: x * torch.rsqrt(mean(x.pow(2)) + 1e-6), RMS),
    "root mean square by products": (lambda x: x / torch.sqrt(mean(x * x) + 1e-6), RMS),
    "relu by clamp": (lambda x: torch.clamp(x, min=0), {"RELU": 1}),
    "relu by maximum": (lambda x: torch.maximum(x, torch.tensor(0.0)), {"RELU": 1}),
    "relu6 by clamp": (lambda x: torch.clamp(x, 0, 6), {"RELU6": 1}),
    "relu twice": (lambda x: F.relu(F.relu(x)), {"RELU": 1}),
    "hard-tanh": (F.hardtanh, {"RELU_N1_TO_1": 1}),
    "hard-tanh by clamp": (lambda x: torch.clamp(x, -1, 1), {"RELU_N1_TO_1": 1}),
    "leaky relu": (lambda x: F.leaky_relu(x, 0.1), {"LEAKY_RELU": 1}),
    "leaky relu by maximum": (lambda x: torch.maximum(x, 0.1 * x), {"LEAKY_RELU": 1}),
    "square by product": (lambda x: x * x, {"SQUARE": 1}),
    "square by power": (lambda x: x**2, {"SQUARE": 1}),
    "root by power": (lambda x: torch.abs(x) ** 0.5, {"ABS": 1, "SQRT": 1}),
    "products of numbers": (lambda x: x * 2 * 3 / 4, {"MUL": 1}),
    "sums of numbers": (lambda x: x + 1 - 2 + 3, {"ADD": 1}),
    "difference": (lambda x: x.abs() + (-x), {"ABS": 1, "SUB": 1}),
    "global pool": (lambda x: F.avg_pool1d(x, 16).flatten(1), {"MEAN": 1}),
    "mean": (lambda x: x.mean((1, 2)), {"MEAN": 1}),
    "mean and back": (lambda x: x.mean(1)[:, None, :], {"MEAN": 1}),
    "gate": (lambda x: F.glu(x, -1), {"SPLIT": 1, "LOGISTIC": 1, "MUL": 1}),
    "joined twice": (
        lambda x: torch.cat([torch.cat([x, -x], 1), x.abs()], 1), {"NEG": 1, "ABS": 1, "CONCATENATION": 1},
    ),
    "broadcast": (lambda x: x + x.mean(1, keepdim=True).expand(-1, 5, -1), {"MEAN": 1, "ADD": 1}),
    "padded twice": (lambda x: F.pad(F.pad(x, (1, 1)), (0, 0, 1, 1)), {"PAD": 1}),
    "cut twice": (lambda x: x[:, 1:][:, :, 2:], {"SLICE": 1}),
    "dense of sequences": (
        lambda x: (x.reshape(10, 16) @ torch.eye(16)[:, :4] + 1).reshape(2, 5, 4), {"FULLY_CONNECTED": 1},
    ),
}  # fmt: skip


class Formulas(nn.Module):
    def forward(self, *xs):
        return tuple(formula(x) for (formula, _), x in zip(FORMULAS.values(), xs, strict=True))


def cone(t):
    """The operators that make a tensor."""
    seen, waiting = set(), [t]
    while waiting:
        node = waiting.pop().producer
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [i for i in node.inputs if i is not None]
    return dict(Counter(node.op for node in seen))


@pytest.mark.parametrize("exporter", ["torchscript", pytest.param("dynamo", marks=pytest.mark.slow)])
def test_formulas(exporter):
    torch.manual_seed(1)
    given = [torch.randn(2, 5, 16) for _ in FORMULAS]
    names = [f"y{i}" for i in range(len(FORMULAS))]
    export = nets.export if exporter == "torchscript" else nets.dynamo
    data = export(Formulas(), *given, outputs=names)
    model = optimize(load(data))
    arrays = [x.numpy() for x in given]
    got = nets.ours(model, arrays)
    for name, a, b in zip(FORMULAS, got, nets.expected(data, arrays), strict=True):
        assert a.shape == b.shape and np.allclose(a, b, rtol=1e-4, atol=1e-5), name
    found = {name: cone(t) for name, t in zip(FORMULAS, model.main.outputs, strict=True)}
    wanted = {name: ops for name, (_, ops) in FORMULAS.items()}
    more = {n: (found[n], w) for n, w in wanted.items() if sum(found[n].values()) > sum(w.values())}
    assert (more if exporter == "dynamo" else {n: f for n, f in found.items() if f != wanted[n]}) == {}
