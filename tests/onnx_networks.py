"""Small networks of the kinds people train with torch, as ONNX bytes, and what onnxruntime and we make of them."""

from __future__ import annotations

import io
import logging
import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from samara.converter.export import to_bytes
from torch import nn
from torch.nn import functional as F

import samara


def randomize_norms(net):
    """Statistics, scales and offsets of norms are random, so that folding shows."""
    torch.manual_seed(0)
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm2d, nn.BatchNorm1d)):
            m.running_mean.normal_(0, 0.3)
            m.running_var.uniform_(0.5, 1.5)
        if isinstance(m, (nn.BatchNorm2d, nn.BatchNorm1d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)):
            nn.init.uniform_(m.weight, 0.5, 1.5)
            nn.init.normal_(m.bias, 0, 0.3)


def export(net, *inputs, opset=17, dynamic=None, randomize=True, outputs=("y",)):
    """The network in ONNX, as torch writes it."""
    if randomize:
        randomize_norms(net)
    out = io.BytesIO()
    names = [f"x{i}" for i in range(len(inputs))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(), inputs, out, opset_version=opset, dynamo=False, input_names=names, output_names=list(outputs),
            dynamic_axes=dynamic,
        )  # fmt: skip
    return out.getvalue()


def dynamo(net, *inputs, outputs=("y",)):
    """The network as torch's newer exporter writes it."""
    pytest.importorskip("onnxscript")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    randomize_norms(net)
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net.eval(), inputs, dynamo=True, input_names=[f"x{i}" for i in range(len(inputs))],
            output_names=list(outputs), verbose=False,
        )  # fmt: skip
    program.save(out)
    return out.getvalue()


def conv_bn(i, o, k=3, s=1, groups=1, act=nn.ReLU6):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, act()) if act else nn.Sequential(*layers)


class Inverted(nn.Module):
    """MobileNetV2's block; with `se` and SiLU, EfficientNet's."""

    def __init__(self, i, o, stride, expand, se=False, act=nn.ReLU6):
        super().__init__()
        h = i * expand
        self.use = stride == 1 and i == o
        self.expand = conv_bn(i, h, 1, act=act)
        self.depth = conv_bn(h, h, 3, stride, groups=h, act=act)
        self.se = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(h, h // 4, 1), nn.SiLU(), nn.Conv2d(h // 4, h, 1), nn.Sigmoid()
        ) if se else None  # fmt: skip
        self.project = conv_bn(h, o, 1, act=None)

    def forward(self, x):
        y = self.depth(self.expand(x))
        if self.se is not None:
            y = y * self.se(y)
        y = self.project(y)
        return x + y if self.use else y


class MobileNet(nn.Module):
    def __init__(self, se=False, act=nn.ReLU6):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(3, 8, 3, 2, act=act), Inverted(8, 16, 2, 2, se, act), Inverted(16, 16, 1, 4, se, act),
            Inverted(16, 24, 2, 4, se, act), Inverted(24, 24, 1, 4, se, act), conv_bn(24, 48, 1, act=act),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(48, 10))

    def forward(self, x):
        return self.head(F.adaptive_avg_pool2d(self.body(x), 1).flatten(1))


class Residual(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.a, self.b = conv_bn(i, o, 3, stride, act=nn.ReLU), conv_bn(o, o, 3, act=None)
        self.short = conv_bn(i, o, 1, stride, act=None) if stride != 1 or i != o else nn.Identity()

    def forward(self, x):
        return F.relu(self.b(self.a(x)) + self.short(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, 8, 7, 2, act=nn.ReLU), nn.MaxPool2d(3, 2, 1))
        self.body = nn.Sequential(Residual(8, 8, 1), Residual(8, 16, 2), Residual(16, 16, 1), Residual(16, 32, 2))
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.body(self.stem(x)), (1, 1)), 1))


class UNet(nn.Module):
    def __init__(self, upsample=False):
        super().__init__()

        def double(i, o):
            return nn.Sequential(conv_bn(i, o, act=nn.ReLU), conv_bn(o, o, act=nn.ReLU))

        self.down = nn.ModuleList([double(3, 8), double(8, 16), double(16, 32)])
        if upsample:
            self.up = nn.ModuleList(
                [nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(i, i // 2, 1)) for i in (32, 16)]
            )
        else:
            self.up = nn.ModuleList([nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 3, 2, 1, 1)])
        self.right = nn.ModuleList([double(32, 16), double(16, 8)])
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.down[0](x)
        b = self.down[1](F.max_pool2d(a, 2))
        y = self.down[2](F.avg_pool2d(b, 2))
        y = self.right[0](torch.cat([b, self.up[0](y)], 1))
        y = self.right[1](torch.cat([a, self.up[1](y)], 1))
        return torch.softmax(self.out(y), 1)


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x, mask=None):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        score = q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5
        if mask is not None:
            score = score.masked_fill(mask[:, None, None, :] == 0, -1e4)
        return self.out((score.softmax(-1) @ v).transpose(1, 2).reshape(n, t, d))


class Block(nn.Module):
    """A transformer's layer; `pre`: the norm comes first."""

    def __init__(self, d, heads, pre=True):
        super().__init__()
        self.pre, self.attention = pre, Attention(d, heads)
        self.a, self.b = nn.LayerNorm(d), nn.LayerNorm(d, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x, mask=None):
        if self.pre:
            x = x + self.attention(self.a(x), mask)
            return x + self.mlp(self.b(x))
        x = self.a(x + self.attention(x, mask))
        return self.b(x + self.mlp(x))


class ViT(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.patch = nn.Conv2d(3, d, 8, 8)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, d)), nn.Parameter(torch.randn(1, 17, d))
        self.body = nn.Sequential(Block(d, 4), Block(d, 4))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
        return self.head(self.norm(self.body(x))[:, 0])


class Bert(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.word, self.place = nn.Embedding(100, d), nn.Embedding(32, d)
        self.norm, self.a, self.b = nn.LayerNorm(d), Block(d, 4, pre=False), Block(d, 4, pre=False)
        self.pool = nn.Linear(d, d)

    def forward(self, tokens, mask):
        x = self.word(tokens) + self.place(torch.arange(tokens.shape[1], device=tokens.device))[None]
        x = self.b(self.a(self.norm(x), mask), mask)
        return torch.tanh(self.pool(x[:, 0]))


class Recurrent(nn.Module):
    def __init__(self, kind, bidirectional=False, layers=1):
        super().__init__()
        self.rnn = kind(12, 16, layers, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(32 if bidirectional else 16, 5)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


class Speech(nn.Module):
    """Convolution over time."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(12, 16, 3, padding=1), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 16, 5, 2, 2, groups=16),
            nn.Conv1d(16, 24, 1), nn.Hardswish(), nn.MaxPool1d(2), nn.Conv1d(24, 24, 3, dilation=2), nn.PReLU(24),
        )  # fmt: skip
        self.fc = nn.Linear(24, 5)

    def forward(self, x):
        return self.fc(self.body(x).mean(-1))


class Mixed(nn.Module):
    """Shuffled channels, group and instance norms, pixel shuffle, padding."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 16, 3, 2, padding=1, groups=1), nn.Conv2d(16, 16, 3, padding=1, groups=4)
        self.norm, self.inst, self.c = nn.GroupNorm(4, 16), nn.InstanceNorm2d(16, affine=True), nn.Conv2d(16, 12, 3)

    def forward(self, x):
        y = F.leaky_relu(self.inst(self.a(x)), 0.1)
        n, c, h, w = y.shape
        y = y.view(n, 4, c // 4, h, w).transpose(1, 2).reshape(n, c, h, w)
        y = F.elu(self.norm(self.b(y)))
        return F.pixel_shuffle(self.c(F.pad(y, (1, 1, 1, 1), mode="reflect")), 2)


# ---- As cases ----


def picture(size=64):
    return torch.randn(1, 3, size, size)


def sequence(batch=2, steps=9):
    return torch.randn(batch, steps, 12)


NETWORKS = {  # name -> (network, inputs, transposes that may be left)
    "mobilenet": (MobileNet, lambda: (picture(),), 0),
    "efficientnet": (lambda: MobileNet(se=True, act=torch.nn.SiLU), lambda: (picture(),), 0),
    "hardswish": (lambda: MobileNet(se=True, act=torch.nn.Hardswish), lambda: (picture(),), 0),
    "resnet": (ResNet, lambda: (picture(),), 0),
    "unet": (UNet, lambda: (picture(32),), 0),
    "unet-upsample": (lambda: UNet(upsample=True), lambda: (picture(32),), 0),
    "vit": (ViT, lambda: (picture(32),), None),
    "bert": (Bert, lambda: (torch.randint(0, 100, (2, 12)), torch.ones(2, 12, dtype=torch.long)), None),
    "lstm": (lambda: Recurrent(torch.nn.LSTM), lambda: (sequence(),), None),
    "lstm-bidirectional": (lambda: Recurrent(torch.nn.LSTM, True, 2), lambda: (sequence(),), None),
    "gru": (lambda: Recurrent(torch.nn.GRU), lambda: (sequence(),), None),
    "gru-bidirectional": (lambda: Recurrent(torch.nn.GRU, True, 2), lambda: (sequence(),), None),
    "rnn": (lambda: Recurrent(torch.nn.RNN), lambda: (sequence(),), None),
    "speech": (Speech, lambda: (torch.randn(2, 12, 40),), None),
    "mixed": (Mixed, lambda: (picture(32),), None),
}


def exported(name, **options):
    make, inputs, _ = NETWORKS[name]
    torch.manual_seed(1)
    net, given = make(), inputs()
    return export(net, *given, **options), [t.numpy() for t in given]


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
