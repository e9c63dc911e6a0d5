"""What tensors are called: as in the source, each name once.

Front ends give everything they make for one source operator its name, and rewrites append operators to names
(`conv1/relu6`). `settle` leaves every name to the last tensor that has it, and makes the others unique.
"""

from __future__ import annotations

from . import schema
from .ir import Graph, Model, Tensor

_OPERATORS = frozenset(schema.BuiltinOperator.__members__)


def stem(name: str) -> str:
    """The name without the operators that rewrites have appended, `_1` and the like behind them included."""
    while True:
        front, slash, last = name.rpartition("/")
        word = last.upper()
        if not slash or not (word in _OPERATORS or word.rstrip("0123456789").rstrip("_") in _OPERATORS):
            return name
        name = front


def settle(model: Model) -> None:
    """Renames tensors; inputs and outputs of graphs keep their names."""
    for graph in model.graphs:
        _settle(graph)


def _settle(graph: Graph) -> None:
    taken = {t.name for t in (*graph.inputs, *graph.outputs)}
    fixed = {id(t) for t in (*graph.inputs, *graph.outputs)}

    def rename(t: Tensor, wanted: str, kind: str) -> None:
        if id(t) in fixed:
            return
        fixed.add(id(t))
        name, count = wanted, 0
        if name in taken or not name:
            wanted = name = f"{wanted}/{kind}" if wanted else kind
        while name in taken:
            count += 1
            name = f"{wanted}_{count}"
        taken.add(name)
        t.name = name

    for node in reversed(graph.nodes):
        for t in reversed(node.outputs):
            rename(t, stem(t.name), node.op.lower())
    for node in graph:
        for operand in node.inputs:
            if operand is not None and operand.producer is None:
                rename(operand, operand.name, "const")
