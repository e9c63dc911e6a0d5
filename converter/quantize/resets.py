"""The step that closes an LSTM's gates, made fit for int8.

Front ends put a step before the first one that makes the state start from zero: an added feature, 0 in the other steps,
is so large in it that all gates close. One int8 scale cannot hold that number and the data. `spread` uses several added
features instead, none larger than the data:

    CONCATENATION([0 … 0 400], PAD(x, 1))   ->   CONCATENATION([0 … 0 2 2 2 … 2], PAD(PAD(x, 1), n - 1))
"""

from __future__ import annotations

import math

import numpy as np

from .. import schema
from ..ir import Graph, Node, Tensor
from .calibrate import Ranges
from .recipe import Recipe
from .recurrent import RULES, W

EXACT = 90.0
"""What front ends add to the sum that closes a gate so that it is closed in float32; int16 gates end at 8."""

MOST = 64
"""So many features more than the data have, at the most."""


def spread(graph: Graph, ranges: Ranges, recipe: Recipe) -> None:
    for node in graph.nodes:
        if node.op == "UNIDIRECTIONAL_SEQUENCE_LSTM" and not node.custom and not recipe.keeps(node):
            found = _reset(node) if RULES[node.op].obstacle(node) is None else None
            if found is not None:
                _spread(graph, node, *found, ranges)


def _reset(node: Node) -> tuple[Node, float, float] | None:
    """(the CONCATENATION, the large number, the size of the weights it meets) of an LSTM that has such a step."""
    x = node.inputs[0]
    joined = None if x is None else x.producer
    if x is None or joined is None or joined.op != "CONCATENATION" or x.used != 1 or len(joined.inputs) != 2:
        return None
    axis = 0 if node.option("time_major") else 1
    if joined.option("axis") != axis:
        return None
    first, rest = joined.inputs
    weights = [node.input(W + k) for k in range(4)]
    if first is None or rest is None or not first.constant or not all(w is not None and w.constant for w in weights):
        return None
    row = first.array
    if row.ndim != 3 or row.shape[axis] != 1 or row[..., :-1].any() or not (row[..., -1] == row[0, 0, -1]).all():
        return None
    last = np.stack([w.real[:, -1] for w in weights if w is not None])
    number, size = float(row[0, 0, -1]), float(-last.min())
    closes = number > 0 and size > 0 and np.isin(last, (0.0, last.min())).all() and number * size > EXACT
    return (joined, number, size) if closes else None


def _spread(graph: Graph, node: Node, joined: Node, number: float, size: float, ranges: Ranges) -> None:
    row, rest = joined.inputs
    assert row is not None and rest is not None and rest.shape is not None and row.shape is not None
    low, high = ranges.of(rest) or (0.0, 1.0)
    most = max(-low, high, 1e-6)
    needed = number * size - EXACT
    n = min(math.ceil(needed / (size * most)), MOST + rest.shape[-1])
    value = needed / (size * n)
    value, sign = (value, 1.0) if high >= -low else (-value, -1.0)
    edges = np.zeros((3, 2), np.int32)
    edges[2, 1] = n - 1
    wide: Tensor = graph.op(
        "PAD", rest, graph.constant(edges), type="FLOAT32", shape=(*rest.shape[:-1], rest.shape[-1] + n - 1),
        name=graph.unique_name(f"{rest.name}_wide"), before=joined,
    )  # fmt: skip
    first = np.zeros((*row.shape[:-1], row.shape[-1] + n - 1), np.float32)
    first[..., row.shape[-1] - 1 :] = value
    joined.inputs = (graph.constant(first, row.name), wide)
    out = joined.output
    assert out.shape is not None
    out.shape, out.concrete = (*out.shape[:-1], wide.shape[-1]), None  # type: ignore[index]
    inputs = list(node.inputs)
    for k in range(W, W + 4):
        old = inputs[k]
        assert old is not None
        columns = [old.real[:, :-1], np.repeat(sign * old.real[:, -1:], n, axis=1)]
        inputs[k] = graph.constant(np.concatenate(columns, axis=1).astype(np.float32), old.name)
        assert inputs[k].type == schema.TensorType.FLOAT32  # type: ignore[union-attr]
    node.inputs = inputs
    ranges.assign(wide, low, high)
    ranges.assign(out, min(low, value), max(high, value))
