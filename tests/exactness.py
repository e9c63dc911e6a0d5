"""How far float engines are from the exact answer: `python tests/exactness.py NET.tflite`.

It runs a convolutional float network in float64 (torch), in float32 (torch), in LiteRT and here, at every
instruction-set level, on one random input. The error is the largest difference in parts of the largest output.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter as LiteRT
from harness import levels
from samara.converter.export import from_bytes
from samara.converter.ir import Node
from samara.interpreter import _native
from torch.nn import functional as F

import samara

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "NONE": lambda y: y, "RELU": torch.relu, "RELU6": lambda y: y.clamp(0, 6),
}  # fmt: skip


def _padded(x: Any, node: Node, height: int, width: int, value: float = 0.0) -> Any:
    """An NCHW tensor with the format's SAME padding: the smaller half comes first."""
    if node.option("padding").name != "SAME":
        return x
    amounts: list[int] = []
    for size, window, stride in ((x.shape[3], width, "stride_w"), (x.shape[2], height, "stride_h")):
        step = node.option(stride)
        total = max((-(-size // step) - 1) * step + window - size, 0)
        amounts += [total // 2, total - total // 2]
    return F.pad(x, amounts, value=value)


def _convolve(node: Node, x: Any, w: Any, b: Any = None) -> Any:
    x = x.permute(0, 3, 1, 2)
    deep = node.op == "DEPTHWISE_CONV_2D"
    w = w.permute(3, 0, 1, 2) if deep else w.permute(0, 3, 1, 2)
    steps = (node.option("stride_h"), node.option("stride_w"))
    x = _padded(x, node, w.shape[2], w.shape[3])
    return F.conv2d(x, w, b, steps, groups=x.shape[1] if deep else 1).permute(0, 2, 3, 1)


def _pool(node: Node, x: Any) -> Any:
    most = node.op == "MAX_POOL_2D"
    window = (node.option("filter_height"), node.option("filter_width"))
    x = _padded(x.permute(0, 3, 1, 2), node, *window, -torch.inf if most else 0.0)
    steps = (node.option("stride_h"), node.option("stride_w"))
    return (F.max_pool2d if most else F.avg_pool2d)(x, window, steps).permute(0, 2, 3, 1)


OPS: dict[str, Callable[..., Any]] = {
    "CONV_2D": _convolve,
    "DEPTHWISE_CONV_2D": _convolve,
    "MAX_POOL_2D": _pool,
    "AVERAGE_POOL_2D": _pool,
    "ADD": lambda node, a, b: a + b,
    "PAD": lambda node, x, p: F.pad(x, [int(n) for pair in p.flip(0) for n in pair]),
    "MEAN": lambda node, x, axes: x.mean([int(a) for a in axes.reshape(-1)], keepdim=bool(node.option("keep_dims"))),
    "FULLY_CONNECTED": lambda node, x, w, b=None: F.linear(x.reshape(-1, w.shape[1]), w, b),
    "RESHAPE": lambda node, x, shape: x.reshape([int(d) for d in shape]),
    "SOFTMAX": lambda node, x: torch.softmax(x, -1),
}


def reference(data: bytes, x: np.ndarray, kind: Any) -> np.ndarray:
    """The first output, computed by torch in floats of `kind`."""
    graph = from_bytes(data).main
    values = {id(graph.inputs[0]): torch.tensor(x).to(kind)}
    for node in graph:
        operands = []
        for t in node.inputs:
            if t is not None and id(t) not in values:
                value = torch.tensor(np.array(t.array))
                values[id(t)] = value.to(kind) if value.is_floating_point() else value
            operands.append(None if t is None else values[id(t)])
        if node.op not in OPS:
            raise SystemExit(f"{node.op} is not known here")
        y = OPS[node.op](node, *operands)
        fused = node.option("fused_activation_function")
        values[id(node.output)] = ACTIVATIONS["NONE" if fused is None else fused.name](y)
    return np.asarray(values[id(graph.outputs[0])].double())


def main(path: str) -> None:
    data = Path(path).read_bytes()
    shape = [max(d, 1) for d in samara.load(data).inputs[0].shape]
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    exact = reference(data, x, torch.float64)

    def show(name: str, found: np.ndarray) -> None:
        error = np.abs(found.astype(np.float64).reshape(exact.shape) - exact).max() / np.abs(exact).max()
        print(f"{name:14} {error:.2g}")

    show("torch float32", reference(data, x, torch.float32))
    for name, engine in [("LiteRT", LiteRT), *((f"samara {level}", samara.Interpreter) for level in levels())]:
        if name.startswith("samara"):
            _native.isa_force(name.split()[1])
        interpreter = engine(model_content=data)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        interpreter.invoke()
        show(name, interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


if __name__ == "__main__":
    main(sys.argv[1])
