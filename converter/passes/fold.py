"""Constants are computed now: what depends on constants only is run once, in the runtime, and becomes a constant."""

from __future__ import annotations

import math

from .. import schema
from ..infer import InferenceError, evaluate
from ..ir import Graph, Model, Node, Tensor
from .dce import has_effect

_RANDOM = frozenset({"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL", "STABLEHLO_RNG_BIT_GENERATOR"})
_SHAPES = frozenset({"SHAPE", "RANK"})
LARGE = 1 << 14
"""A result above this many bytes is folded only if it is no larger than what it is made of."""


def run(model: Model) -> int:
    return sum(_fold(graph) for graph in model.graphs)


def _fold(graph: Graph) -> int:
    refused: set[Node] = set()
    while True:
        ready, frontier, stop = _foldable(graph, refused)
        if not frontier:
            return 0
        try:
            values = evaluate(frontier, stop)
        except InferenceError as error:
            # The runtime cannot run one of them: it stays, and what needs it.
            refused |= {error.node} if error.node is not None else ready
            continue
        for t in frontier:
            data = values[id(t)]
            if t.producer is not None and data.size:
                node = t.producer
                t.data, t.producer = data, None
                t.index = t.concrete = None
                spare = Tensor(t.name, t.type, t.shape)  # keeps the node whole until it goes
                spare.producer = node
                node.outputs = tuple(spare if o is t else o for o in node.outputs)
        folded = 0
        for node in reversed(graph.nodes):
            if node in ready and not any(t.used for t in node.outputs):
                graph.remove(node)
                folded += 1
        return folded


def _foldable(graph: Graph, refused: set[Node]) -> tuple[set[Node], list[Tensor], list[Tensor]]:
    """The nodes to run, the tensors that shall become constants, the tensors of which only the shape matters."""
    ready: set[Node] = set()
    known: set[int] = set()
    stop: list[Tensor] = []
    for node in graph:
        operands = [t for t in node.inputs if t is not None]
        if node in refused or has_effect(node) or node.op in _RANDOM or node.op == "DEQUANTIZE" or not node.outputs:
            continue
        shape_only = node.op in _SHAPES and operands[:1] and operands[0].static and not operands[0].constant
        if not shape_only and not all(t.constant or id(t) in known for t in operands):
            continue
        if not all(_worth(t, operands) for t in node.outputs):
            continue
        ready.add(node)
        known |= {id(t) for t in node.outputs}
        if shape_only and id(operands[0]) not in known:
            stop.append(operands[0])
    frontier = [
        t
        for node in graph
        if node in ready
        for t in node.outputs
        if not t.outputs and t.users and any(user not in ready for user in t.users)
    ]
    return ready, frontier, stop


def _worth(t: Tensor, operands: list[Tensor]) -> bool:
    if t.shape is None or t.type in (schema.TensorType.RESOURCE, schema.TensorType.VARIANT):
        return False
    size = _bytes(t)
    return size <= LARGE or size <= sum(_bytes(o) for o in operands)


def _bytes(t: Tensor) -> int:
    width = schema.numpy_dtype(t.type).itemsize if t.type is not None else 8
    return math.prod(t.shape) * width if t.shape is not None and t.static else 0
