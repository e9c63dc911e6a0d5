"""The networks that people deploy, at their published sizes, in torch; weights are random."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def conv_bn(i, o, k=3, s=1, groups=1, act=nn.ReLU):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, act(inplace=True) if act else nn.Identity())


class SqueezeExcite(nn.Module):
    def __init__(self, channels, squeezed, act, gate=nn.Sigmoid):
        super().__init__()
        self.pool, self.gate = nn.AdaptiveAvgPool2d(1), gate()
        self.down, self.act, self.up = nn.Conv2d(channels, squeezed, 1), act(), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        return x * self.gate(self.up(self.act(self.down(self.pool(x)))))


class Inverted(nn.Module):
    """The block of MobileNetV2 and, with squeeze and excitation, of EfficientNet and MobileNetV3."""

    def __init__(self, i, hidden, o, k, s, act, se=None):
        super().__init__()
        self.add = s == 1 and i == o
        layers = [] if hidden == i else [conv_bn(i, hidden, 1, act=act)]
        layers += [conv_bn(hidden, hidden, k, s, groups=hidden, act=act)]
        layers += [] if se is None else [se(hidden)]
        self.body = nn.Sequential(*layers, conv_bn(hidden, o, 1, act=None))

    def forward(self, x):
        return x + self.body(x) if self.add else self.body(x)


class Classifier(nn.Module):
    def __init__(self, body, *head):
        super().__init__()
        self.body, self.head = body, nn.Sequential(*head)

    def forward(self, x):
        return self.head(torch.flatten(F.adaptive_avg_pool2d(self.body(x), 1), 1))


def mobilenet_v2():
    rows = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    layers, i = [conv_bn(3, 32, 3, 2, act=nn.ReLU6)], 32
    for expand, o, count, stride in rows:
        for n in range(count):
            layers.append(Inverted(i, i * expand, o, 3, stride if n == 0 else 1, nn.ReLU6))
            i = o
    return Classifier(
        nn.Sequential(*layers, conv_bn(320, 1280, 1, act=nn.ReLU6)), nn.Dropout(0.2), nn.Linear(1280, 1000)
    )


def mobilenet_v3_small():
    rows = [
        (3, 16, 16, True, nn.ReLU, 2), (3, 72, 24, False, nn.ReLU, 2), (3, 88, 24, False, nn.ReLU, 1),
        (5, 96, 40, True, nn.Hardswish, 2), (5, 240, 40, True, nn.Hardswish, 1), (5, 240, 40, True, nn.Hardswish, 1),
        (5, 120, 48, True, nn.Hardswish, 1), (5, 144, 48, True, nn.Hardswish, 1), (5, 288, 96, True, nn.Hardswish, 2),
        (5, 576, 96, True, nn.Hardswish, 1), (5, 576, 96, True, nn.Hardswish, 1),
    ]  # fmt: skip
    layers, i = [conv_bn(3, 16, 3, 2, act=nn.Hardswish)], 16
    for k, hidden, o, se, act, stride in rows:
        gate = (lambda h: SqueezeExcite(h, (h // 4 + 7) // 8 * 8, nn.ReLU, nn.Hardsigmoid)) if se else None
        layers.append(Inverted(i, hidden, o, k, stride, act, gate))
        i = o
    body = nn.Sequential(*layers, conv_bn(96, 576, 1, act=nn.Hardswish))
    return Classifier(body, nn.Linear(576, 1024), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(1024, 1000))


def efficientnet_b0():
    rows = [
        (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    ]  # fmt: skip
    layers, i = [conv_bn(3, 32, 3, 2, act=nn.SiLU)], 32
    for expand, o, count, stride, k in rows:
        for n in range(count):
            se = lambda h, i=i: SqueezeExcite(h, max(1, i // 4), nn.SiLU)  # noqa: E731
            layers.append(Inverted(i, i * expand, o, k, stride if n == 0 else 1, nn.SiLU, se))
            i = o
    return Classifier(
        nn.Sequential(*layers, conv_bn(320, 1280, 1, act=nn.SiLU)), nn.Dropout(0.2), nn.Linear(1280, 1000)
    )


class Residual(nn.Module):
    def __init__(self, i, o, s, body):
        super().__init__()
        self.body = body
        self.short = nn.Identity() if s == 1 and i == o else conv_bn(i, o, 1, s, act=None)

    def forward(self, x):
        return F.relu(self.body(x) + self.short(x))


def resnet(counts, bottleneck):
    layers, i = [conv_bn(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for level, count in enumerate(counts):
        width = 64 << level
        o = width * (4 if bottleneck else 1)
        for n in range(count):
            s = 2 if n == 0 and level else 1
            if bottleneck:
                body = nn.Sequential(conv_bn(i, width, 1), conv_bn(width, width, 3, s), conv_bn(width, o, 1, act=None))
            else:
                body = nn.Sequential(conv_bn(i, o, 3, s), conv_bn(o, o, 3, act=None))
            layers.append(Residual(i, o, s, body))
            i = o
    return Classifier(nn.Sequential(*layers), nn.Linear(i, 1000))


class Dense(nn.Module):
    def __init__(self, i, growth):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(i), nn.ReLU(), conv_bn(i, 4 * growth, 1), nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)
        )

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def densenet121():
    layers, i = [conv_bn(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for level, count in enumerate((6, 12, 24, 16)):
        for _ in range(count):
            layers.append(Dense(i, 32))
            i += 32
        if level < 3:
            layers += [nn.BatchNorm2d(i), nn.ReLU(), nn.Conv2d(i, i // 2, 1, bias=False), nn.AvgPool2d(2, 2)]
            i //= 2
    return Classifier(nn.Sequential(*layers, nn.BatchNorm2d(i), nn.ReLU()), nn.Linear(i, 1000))


class Shuffle(nn.Module):
    """The unit of ShuffleNetV2."""

    def __init__(self, i, o, s):
        super().__init__()
        half = o // 2
        first = i if s == 2 else half
        self.split = s == 1
        self.right = nn.Sequential(
            conv_bn(first, half, 1), conv_bn(half, half, 3, s, groups=half, act=None), conv_bn(half, half, 1)
        )
        self.left = nn.Sequential(conv_bn(i, i, 3, 2, groups=i, act=None), conv_bn(i, half, 1)) if s == 2 else None

    def forward(self, x):
        if self.split:
            a, b = x.chunk(2, 1)
            y = torch.cat([a, self.right(b)], 1)
        else:
            y = torch.cat([self.left(x), self.right(x)], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


def shufflenet_v2():
    layers, i = [conv_bn(3, 24, 3, 2), nn.MaxPool2d(3, 2, 1)], 24
    for o, count in ((116, 4), (232, 8), (464, 4)):
        for n in range(count):
            layers.append(Shuffle(i, o, 2 if n == 0 else 1))
            i = o
    return Classifier(nn.Sequential(*layers, conv_bn(464, 1024, 1)), nn.Linear(1024, 1000))


class UNet(nn.Module):
    def __init__(self, width=32, depth=4, classes=3):
        super().__init__()

        def double(i, o):
            return nn.Sequential(conv_bn(i, o), conv_bn(o, o))

        widths = [width << k for k in range(depth + 1)]
        self.down = nn.ModuleList([double(i, o) for i, o in zip([3, *widths], widths, strict=False)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * w, w, 2, 2) for w in widths[-2::-1]])
        self.right = nn.ModuleList([double(2 * w, w) for w in widths[-2::-1]])
        self.out = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        passed = []
        for block in self.down[:-1]:
            x = block(x)
            passed.append(x)
            x = F.max_pool2d(x, 2)
        x = self.down[-1](x)
        for up, right in zip(self.up, self.right, strict=True):
            x = right(torch.cat([passed.pop(), up(x)], 1))
        return self.out(x)


class CrossStage(nn.Module):
    """The block with two branches of the YOLO of today."""

    def __init__(self, i, o, count):
        super().__init__()
        self.first, h = conv_bn(i, o, 1, act=nn.SiLU), o // 2
        self.inner = nn.ModuleList(
            [nn.Sequential(conv_bn(h, h, act=nn.SiLU), conv_bn(h, h, act=nn.SiLU)) for _ in range(count)]
        )
        self.last = conv_bn(h * (2 + count), o, 1, act=nn.SiLU)

    def forward(self, x):
        parts = list(self.first(x).chunk(2, 1))
        for block in self.inner:
            parts.append(parts[-1] + block(parts[-1]))
        return self.last(torch.cat(parts, 1))


class Detector(nn.Module):
    """A small YOLO: pyramid pooling, two scales joined by nearest upsampling, boxes [N, 4 + classes, anchors]."""

    def __init__(self, classes=80, width=16):
        super().__init__()
        w = width
        down = lambda i, o: conv_bn(i, o, 3, 2, act=nn.SiLU)  # noqa: E731
        self.stem = nn.Sequential(down(3, w), down(w, 2 * w), CrossStage(2 * w, 2 * w, 1), down(2 * w, 4 * w))
        self.mid = CrossStage(4 * w, 4 * w, 2)
        self.deep = nn.Sequential(down(4 * w, 8 * w), CrossStage(8 * w, 8 * w, 1))
        self.squeeze, self.spread = conv_bn(8 * w, 4 * w, 1, act=nn.SiLU), conv_bn(16 * w, 8 * w, 1, act=nn.SiLU)
        self.join = CrossStage(12 * w, 4 * w, 1)
        self.boxes = nn.ModuleList([nn.Conv2d(c * w, 4, 1) for c in (4, 8)])
        self.scores = nn.ModuleList([nn.Conv2d(c * w, classes, 1) for c in (4, 8)])

    def forward(self, x):
        a = self.mid(self.stem(x))
        b = self.squeeze(self.deep(a))
        pooled = [b]
        for _ in range(3):
            pooled.append(F.max_pool2d(pooled[-1], 5, 1, 2))
        b = self.spread(torch.cat(pooled, 1))
        a = self.join(torch.cat([F.interpolate(b, scale_factor=2.0, mode="nearest"), a], 1))
        found = [
            torch.cat([box(y), score(y).sigmoid()], 1).flatten(2)
            for y, box, score in zip((a, b), self.boxes, self.scores, strict=True)
        ]
        return torch.cat(found, 2)


class Segmenter(nn.Module):
    """DeepLabV3 over a small body: dilated branches, pooled context, bilinear upsampling."""

    def __init__(self, classes=21):
        super().__init__()
        self.body = nn.Sequential(*(m for m in list(mobilenet_v2().body)[:14]))
        self.branches = nn.ModuleList(
            [conv_bn(96, 64, 1)]
            + [
                nn.Sequential(nn.Conv2d(96, 64, 3, padding=d, dilation=d, bias=False), nn.BatchNorm2d(64), nn.ReLU())
                for d in (6, 12)
            ]
        )
        self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_bn(96, 64, 1))
        self.out = nn.Sequential(conv_bn(256, 64, 1), nn.Conv2d(64, classes, 1))

    def forward(self, x):
        y = self.body(x)
        context = F.interpolate(self.pooled(y), size=y.shape[2:], mode="bilinear", align_corners=False)
        y = torch.cat([b(y) for b in self.branches] + [context], 1)
        return F.interpolate(self.out(y), size=x.shape[2:], mode="bilinear", align_corners=False)


class ConvNext(nn.Module):
    """A block of ConvNeXt: normalization and products over the channels, in the last axis."""

    def __init__(self, d):
        super().__init__()
        self.depth, self.norm = nn.Conv2d(d, d, 7, padding=3, groups=d), nn.LayerNorm(d, eps=1e-6)
        self.wide, self.narrow, self.gamma = nn.Linear(d, 4 * d), nn.Linear(4 * d, d), nn.Parameter(torch.rand(d))

    def forward(self, x):
        y = self.norm(self.depth(x).permute(0, 2, 3, 1))
        return x + (self.narrow(F.gelu(self.wide(y))) * self.gamma).permute(0, 3, 1, 2)


class NormFirst(nn.Module):
    """LayerNorm over the channels of [N, C, H, W]."""

    def __init__(self, d):
        super().__init__()
        self.norm = nn.LayerNorm(d, eps=1e-6)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def convnext():
    layers = [nn.Conv2d(3, 48, 4, 4), NormFirst(48)]
    for d, count in ((48, 2), (96, 2), (192, 4)):
        layers += [ConvNext(d) for _ in range(count)]
        if d < 192:
            layers += [NormFirst(d), nn.Conv2d(d, 2 * d, 2, 2)]
    return Classifier(nn.Sequential(*layers), nn.LayerNorm(192), nn.Linear(192, 1000))


class Transformer(nn.Module):
    """An encoder's layer over torch's own attention."""

    def __init__(self, d, heads, pre=True):
        super().__init__()
        self.pre, self.heads = pre, heads
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))
        self.a, self.b = nn.LayerNorm(d), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def attend(self, x, mask):
        n, t, d = x.shape
        q, k, v = (f(x).view(n, t, self.heads, d // self.heads).transpose(1, 2) for f in (self.q, self.k, self.v))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.o(y.transpose(1, 2).reshape(n, t, d))

    def forward(self, x, mask=None):
        if self.pre:
            x = x + self.attend(self.a(x), mask)
            return x + self.mlp(self.b(x))
        x = self.a(x + self.attend(x, mask))
        return self.b(x + self.mlp(x))


class ViT(nn.Module):
    """ViT-Tiny/16."""

    def __init__(self, d=192, depth=12, heads=3, size=224):
        super().__init__()
        self.patch, count = nn.Conv2d(3, d, 16, 16), (size // 16) ** 2
        self.token, self.place = nn.Parameter(torch.randn(1, 1, d)), nn.Parameter(torch.randn(1, 1 + count, d))
        self.body = nn.Sequential(*(Transformer(d, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, 1000)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
        return self.head(self.norm(self.body(x))[:, 0])


class Bert(nn.Module):
    """BERT of four layers, with a mask of tokens."""

    def __init__(self, d=256, depth=4, heads=4, words=2000):
        super().__init__()
        self.word, self.place = nn.Embedding(words, d), nn.Embedding(128, d)
        self.norm, self.pool = nn.LayerNorm(d), nn.Linear(d, d)
        self.body = nn.ModuleList([Transformer(d, heads, pre=False) for _ in range(depth)])

    def forward(self, tokens, mask):
        x = self.norm(self.word(tokens) + self.place(torch.arange(tokens.shape[1], device=tokens.device))[None])
        bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.body:
            x = layer(x, bias)
        return torch.tanh(self.pool(x[:, 0]))


NETWORKS = {  # name -> (network, size of the picture)
    "mobilenet_v2": (mobilenet_v2, 224),
    "mobilenet_v3_small": (mobilenet_v3_small, 224),
    "efficientnet_b0": (efficientnet_b0, 224),
    "resnet18": (lambda: resnet((2, 2, 2, 2), False), 224),
    "resnet50": (lambda: resnet((3, 4, 6, 3), True), 224),
    "densenet121": (densenet121, 224),
    "shufflenet_v2": (shufflenet_v2, 224),
    "unet": (UNet, 128),
    "detector": (Detector, 160),
    "segmenter": (Segmenter, 160),
    "convnext": (convnext, 96),
}
