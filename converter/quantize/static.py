"""Static recipes: activations are integers, by ranges that calibration saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ...interpreter.errors import ArgumentError
from ..ir import Graph, Model, Node, Tensor
from ..passes import dce
from .apply import IO_TYPES, Rewriter
from .calibrate import Progress, entry_points, observe
from .constraints import Row
from .numbers import is_real
from .recipe import Recipe, node_name
from .recurrent import looks
from .report import Entry, Report
from .resets import spread
from .solve import Solution, solve
from .weights import shrink


def run(
    model: Model,
    recipe: Recipe,
    calibration: Iterable[Mapping[str, Any]] | None,
    io_dtype: str | Mapping[str, str] | None,
    progress: Progress | None,
) -> Report:
    if calibration is None:
        raise ArgumentError(
            f"recipe {recipe.name} needs calibration data: a hundred or more samples of what the network will meet"
        )
    io = _io(model, io_dtype)
    graphs = list({id(s.graph): s.graph for s in entry_points(model)}.values())
    tensors = {graph: _observed(graph) for graph in graphs}
    watched = looks([node for graph in graphs for node in graph if recipe.activations == "INT8"])
    ranges = observe(model, tensors, calibration, recipe, progress=progress, looks=watched)
    if not ranges.samples:
        raise ArgumentError(f"recipe {recipe.name} needs calibration data, and the data given hold no sample")
    report = Report(recipe.name, ranges.samples)
    for graph in model.graphs:
        if graph not in graphs:
            why = "it stands in a subgraph of control flow or of a composite"
            report.entries += [_entry(n, None, why if _computes(n) else "", recipe) for n in graph]
            continue
        if recipe.activations == "INT8":
            spread(graph, ranges, recipe)
        found = solve(graph, recipe, ranges)
        entries = {n: _entry(n, found, found.reasons.get(n, ""), recipe) for n in graph}
        report.ranges.update({t.name: (p.low, p.high) for t, p in found.params.items()})
        Rewriter(model, graph, found, ranges, recipe, io).run()
        left = [n for n, entry in entries.items() if entry.became == "float32" and n.graph is graph]
        weights = dataclasses.replace(recipe, activations="", compute="dynamic")
        for n, small in zip(left, shrink(graph, weights, left), strict=True):
            if small.became != "float32":
                entries[n] = dataclasses.replace(entries[n], became=small.became)
        report.entries += entries.values()
    dce.run(model)
    return report


def _computes(node: Node) -> bool:
    return any(is_real(t) for t in (*node.inputs, *node.outputs))


def _observed(graph: Graph) -> list[Tensor]:
    """The float tensors of a graph that nodes make or that are given."""
    seen: dict[int, Tensor] = {id(t): t for t in graph.inputs if is_real(t)}
    for node in graph:
        seen.update({id(t): t for t in node.outputs if is_real(t)})
    return list(seen.values())


def _entry(node: Node, found: Solution | None, reason: str, recipe: Recipe) -> Entry:
    row: Row | None = None if found is None else found.rows.get(node)
    if row is not None:
        plain = row.moves and not any(is_real(t) for t in node.outputs)
        became = "" if plain else recipe.activations.lower()
        return Entry(node_name(node), node.op, became)
    return Entry(node_name(node), node.op, "float32" if reason else "", reason)


def _io(model: Model, wanted: str | Mapping[str, str] | None) -> dict[Tensor, str]:
    """The types of real inputs and outputs, by tensor."""
    if wanted is None:
        return {}
    sides = [(name, t) for s in entry_points(model) for side in (s.inputs, s.outputs) for name, t in side.items()]
    choices = ", ".join(IO_TYPES)
    if isinstance(wanted, str):
        if wanted not in IO_TYPES:
            raise ArgumentError(f"io_dtype is {wanted!r}, must be one of {choices}, or a dict of name: type")
        return {t: wanted for _, t in sides if is_real(t)}
    by_name = dict(sides)
    for name, kind in wanted.items():
        if name not in by_name:
            raise ArgumentError(f"io_dtype names {name!r}; the inputs and outputs are: {', '.join(by_name)}")
        if kind not in IO_TYPES:
            raise ArgumentError(f"io_dtype of {name!r} is {kind!r}, must be one of {choices}")
        if not is_real(by_name[name]):
            have = by_name[name].type.name.lower()
            raise ArgumentError(f"io_dtype of {name!r} is {kind!r}, but it is {have}: only float32 can be quantized")
    return {t: wanted[name] for name, t in sides if name in wanted}
