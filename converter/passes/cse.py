"""Common subexpressions: equal constants are one tensor, equal computations are done once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir import Model, Node, Quantization, Tensor
from .common import fingerprint
from .dce import has_effect
from .fold import _RANDOM


def run(model: Model) -> int:
    changes = 0
    for graph in model.graphs:
        constants: dict[Any, Tensor] = {}
        nodes: dict[Any, Node] = {}
        for t in graph.tensors():
            if t.data is None or not t.users or t.sparsity is not None or t.variant_tensors or t.outputs:
                continue
            key: Any = (t.type, t.shape, t.data.size, fingerprint(t.data), _quantization(t.quantization))
            same = constants.setdefault(key, t)
            if same is not t and same.data is not None and np.array_equal(same.data, t.data):
                graph.replace_uses(t, same)
                changes += 1
        for node in graph.nodes:
            if has_effect(node) or node.op in _RANDOM or node.graphs or node.intermediates:
                continue
            key = (
                node.op,
                tuple(id(t) for t in node.inputs),
                repr(_fields(node)),
                tuple((t.type, _quantization(t.quantization)) for t in node.outputs),
            )
            same_node = nodes.setdefault(key, node)
            if same_node is node or any(t.outputs for t in node.outputs):
                continue
            for old, new in zip(node.outputs, same_node.outputs, strict=True):
                graph.replace_uses(old, new)
            graph.remove(node)
            changes += 1
    return changes


def _fields(node: Node) -> Any:
    options = node.options
    if options is None:
        return None
    values = [getattr(options, name) for name in options._fields]
    return [v.tobytes() if isinstance(v, np.ndarray) else v.hex() if isinstance(v, float) else v for v in values]


def _quantization(q: Quantization | None) -> Any:
    if q is None:
        return None
    vectors = tuple(None if v is None else v.tobytes() for v in (q.scale, q.zero_point, q.min, q.max))
    return (*vectors, q.axis, id(q.scales), id(q.zero_points), id(q.details))
