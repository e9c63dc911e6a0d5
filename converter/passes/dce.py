"""Dead code: nodes whose results nobody uses, tensors nobody refers to, subgraphs nobody calls."""

from __future__ import annotations

from ..ir import Graph, Model, Node

EFFECTS = frozenset(
    {
        "ASSIGN_VARIABLE", "CALL_ONCE", "HASHTABLE_IMPORT", "WHILE", "IF", "CALL", "STABLEHLO_COMPOSITE", "VAR_HANDLE",
        "HASHTABLE", "READ_VARIABLE", "STABLEHLO_WHILE", "STABLEHLO_CASE",
    }
)  # fmt: skip
"""Operators that do more than answer (or whose subgraphs may)."""


def has_effect(node: Node) -> bool:
    return node.custom or node.op in EFFECTS or any(t is not None and t.variable for t in node.inputs)


def run(model: Model) -> int:
    changes = 0
    for graph in model.graphs:
        kept = {id(t) for s in model.signatures if s.graph is graph for t in s.outputs.values()}
        for node in reversed(graph.nodes):
            if not has_effect(node) and not any(t.used or id(t) in kept for t in node.outputs):
                graph.remove(node)
                changes += 1
        changes += len(graph.unused)
        graph.unused = []
    alive: dict[int, Graph] = {}
    waiting = model.graphs[:1] + [s.graph for s in model.signatures]
    while waiting:
        graph = waiting.pop()
        if id(graph) not in alive:
            alive[id(graph)] = graph
            waiting += [g for node in graph for g in node.all_graphs()]
    changes += len(model.graphs) - len(alive)
    model.graphs = [g for g in model.graphs if id(g) in alive]
    return changes
