"""Recipes that leave activations in float32 and make the constants small.

    dynamic_wi8_afp32      int8 weights in operators that have kernels for them; they quantize their input row by row
    weight_only_wi8_afp32  int8 weights behind a DEQUANTIZE; the arithmetic is float32
    float16                all larger constants as float16 behind a DEQUANTIZE

The runtime computes a DEQUANTIZE of a constant once, when the model is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import schema
from ..ir import Graph, Model, Node, Quantization, Tensor, make_options
from ..passes import dce
from .constraints import Weight
from .numbers import Params, constant, finite, is_real, quantized_weight, weight_scales
from .recipe import Recipe, node_name
from .report import Entry, Report

_GATES = tuple((i, Weight(None)) for i in (*range(1, 12), 16))
_SECOND = tuple((i + 17, w) for i, w in _GATES)

WEIGHTS: dict[str, tuple[tuple[int, Weight], ...]] = {
    "BATCH_MATMUL": ((1, Weight(None)),),
    "BIDIRECTIONAL_SEQUENCE_LSTM": (*_GATES, *_SECOND),
    "BIDIRECTIONAL_SEQUENCE_RNN": tuple((i, Weight(None)) for i in (1, 2, 5, 6)),
    "CONV_2D": ((1, Weight(0)),),
    "DEPTHWISE_CONV_2D": ((1, Weight(3)),),
    "EMBEDDING_LOOKUP": ((1, Weight(0)),),
    "FULLY_CONNECTED": ((1, Weight(0)),),
    "GATHER": ((0, Weight(None)),),
    "LSTM": _GATES,
    "RNN": ((1, Weight(None)), (2, Weight(None))),
    "SVDF": ((1, Weight(None)), (2, Weight(None))),
    "TRANSPOSE_CONV": ((1, Weight(0)),),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _GATES,
    "UNIDIRECTIONAL_SEQUENCE_RNN": ((1, Weight(None)), (2, Weight(None))),
}
"""Operator -> its weights: operand and axis of the scales (None: its float kernels take one scale for all)."""

_UNPACKED = frozenset({"BIDIRECTIONAL_SEQUENCE_RNN"})
"""Operators whose kernels with int8 weights answer wrongly in LiteRT: theirs are unpacked in every recipe."""

MOST_HALF = float(np.finfo(np.float16).max)


def run(model: Model, recipe: Recipe) -> Report:
    report = Report(recipe.name)
    for graph in model.graphs:
        report.entries += shrink(graph, recipe, graph.nodes)
    dce.run(model)
    return report


def shrink(graph: Graph, recipe: Recipe, nodes: Iterable[Node]) -> list[Entry]:
    """Makes the constants of some nodes small; what became of each."""
    one = _Weights(graph, recipe)
    return [Entry(node_name(node), node.op, *one.node(node)) for node in nodes]


class _Weights:
    """Of one graph. Methods answer what a node became, and the reason if it stayed."""

    def __init__(self, graph: Graph, recipe: Recipe) -> None:
        self.graph, self.recipe = graph, recipe
        self.made: dict[tuple[Any, ...], Tensor] = {}

    def node(self, node: Node) -> tuple[str, str]:
        if not any(is_real(t) for t in (*node.inputs, *node.outputs)):
            return "", ""
        if self.recipe.keeps(node):
            return "float32", "the recipe keeps it"
        if self.recipe.weights == "FLOAT16":
            return self._half(node)
        if self.recipe.compute == "dynamic" and node.op == "GATHER" and node.inputs[0] in self.graph.outputs:
            return "float32", "its table is an output"
        return self._int8(node)

    # ---- float16 ----

    def _half(self, node: Node) -> tuple[str, str]:
        weights = [node.input(i) for i, _ in WEIGHTS.get("" if node.custom else node.op, ())]
        small = next((t for t in weights if t is not None and t.constant and not is_real(t)), None)
        if small is not None:  # with a bias that is no constant the reference engine refuses these
            return "float32", f"its weights are {small.type.name.lower()} already"
        inputs, changed, reason = list(node.inputs), False, "it has no constants"
        for i, t in enumerate(inputs):
            if t is None or not t.constant or not is_real(t) or t.sparsity is not None:
                continue
            if t.data is None or t.data.size // 4 < self.recipe.min_elements:
                reason = f"its constants have fewer than {self.recipe.min_elements} values"
                continue
            if (t, "half") not in self.made:
                value = t.array
                most = np.abs(value, where=np.isfinite(value), out=np.zeros_like(value)).max(initial=0.0)
                if most > MOST_HALF:
                    reason = f"its constant {t.name!r} holds {most:g}, float16 ends at {MOST_HALF:g}"
                    continue
                half = constant(t, value.astype(np.float16), "FLOAT16")
                self.made[t, "half"] = self._dequantized(half, t, node)
            inputs[i] = self.made[t, "half"]
            changed = True
        node.inputs = inputs
        return ("float16 weights", "") if changed else ("float32", reason)

    def _dequantized(self, small: Tensor, t: Tensor, before: Node) -> Tensor:
        name, small.name = t.name, self.graph.unique_name(f"{t.name}_{small.type.name.lower()}")
        made: Tensor = self.graph.op("DEQUANTIZE", small, type="FLOAT32", shape=t.shape, name=name, before=before)
        return made

    # ---- int8 ----

    def _int8(self, node: Node) -> tuple[str, str]:
        rows = WEIGHTS.get("" if node.custom else node.op, ())
        found = [(i, node.input(i), w) for i, w in rows if i < len(node.inputs)]
        given = [(i, t, w) for i, t, w in found if t is not None]
        if not given:
            return "float32", "its kernels take no int8 weights"
        if not all(t.constant and is_real(t) and t.sparsity is None for _, t, _ in given):
            kinds = {t.type.name for _, t, _ in given if t.constant and not is_real(t)}
            what = f"are {kinds.pop().lower()} already" if kinds else "are computed while it runs"
            return "float32", f"its weights {what}"
        values = sum(t.data.size // 4 for _, t, _ in given if t.data is not None)
        if values < self.recipe.min_elements:
            return "float32", f"its {values} weights are fewer than {self.recipe.min_elements}"
        inputs, dynamic = list(node.inputs), self.recipe.compute == "dynamic" and node.op not in _UNPACKED
        for i, t, w in given:
            small = self._small(t, w.axis if self.recipe.per_channel else None)
            if not dynamic:
                key = (t, "unpacked", w.axis)
                if key not in self.made:
                    self.made[key] = self._dequantized(small, t, node)
                small = self.made[key]
            inputs[i] = small
        node.inputs = inputs
        node.version = None
        if dynamic:
            self._dynamic(node)
        return "int8 weights", ""

    def _small(self, t: Tensor, axis: int | None) -> Tensor:
        key = (id(t.data), t.shape, axis)
        if key not in self.made:
            value = finite(t)
            self.made[key] = quantized_weight(t, value, weight_scales(value, axis), axis)
        made = self.made[key]
        return Tensor(made.name, made.type, made.shape, data=made.data, quantization=made.quantization)

    def _dynamic(self, node: Node) -> None:
        options = type(node.options) if node.options is not None else None
        table = schema.options_name(node.op)
        if "asymmetric_quantize_inputs" in getattr(options or getattr(schema, table or "", None), "_fields", ()):
            node.options = make_options(node.op, node.options, {"asymmetric_quantize_inputs": True})
        if node.op == "GATHER":  # it moves stored numbers; what it picks is unpacked
            out = node.output
            q = node.inputs[0].quantization  # type: ignore[union-attr]
            assert isinstance(q, Quantization) and q.scale is not None
            params = Params("INT8", float(q.scale[0]), 0)
            picked = Tensor(self.graph.unique_name(f"{out.name}_int8"), schema.TensorType.INT8, out.shape)
            picked.quantization = params.quantization()
            following = node._next
            node.outputs = (picked,)
            picked.producer, out.producer = node, None
            self.graph.insert(Node("DEQUANTIZE", [picked], [out]), following)
