"""Puts a solution into the graph: integer operators, constants as integers, QUANTIZE and DEQUANTIZE in between.

A tensor keeps its object and name and takes the type its producer gives it; whoever wants it in another form reads a
conversion, made once, before its first reader.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...interpreter.errors import DataError
from .. import schema
from ..ir import Graph, Model, Node, Tensor, make_options
from .calibrate import Ranges
from .constraints import FREE, OWN, PLAIN, SAME, Bias, Row, Weight
from .masks import MASK
from .numbers import (
    Params,
    constant,
    finite,
    is_real,
    least_scales,
    params_in,
    params_of,
    quantized_bias,
    quantized_weight,
    stored,
    weight_scales,
)
from .recipe import Recipe
from .recurrent import RULES
from .solve import Solution

IO_TYPES = ("float32", "int8", "uint8", "int16")


class Rewriter:
    """One graph. `io`: types of its inputs and outputs by tensor; the others stay float32."""

    def __init__(
        self, model: Model, graph: Graph, found: Solution, ranges: Ranges, recipe: Recipe, io: dict[Tensor, str]
    ) -> None:
        self.model, self.graph, self.found, self.ranges, self.recipe, self.io = model, graph, found, ranges, recipe, io
        self.now: dict[Tensor, Params] = {}  # the tensors that are integers already
        self.forms: dict[tuple[Tensor, Params | None], Tensor] = {}
        self.constants: dict[tuple[Any, ...], Tensor] = {}
        self.redundant: list[Node] = []

    def run(self) -> None:
        for t in self.graph.inputs:
            kind = self.io.get(t, "float32")
            if is_real(t) and kind != "float32":
                self._becomes(t, self._params(t).as_type(kind.upper()))
        for node in self.graph.nodes:
            row = self.found.rows.get(node)
            if row is not None:
                self._integer(node, row)
            else:
                self._float(node)
        self._outputs()
        for node in self.redundant:  # not before: its readers take integers, and must not be given float instead
            self.graph.replace_uses(node.output, node.inputs[0])  # type: ignore[arg-type]
            self.graph.remove(node)

    def _params(self, t: Tensor) -> Params:
        """How a tensor is stored, or would be: its readers may all be float."""
        found = self.found.params.get(t)
        if found is None:
            low, high = self.ranges.of(t) or (0.0, 0.0)
            found = params_of(low, high, self.found.kind)
        return found

    def _becomes(self, t: Tensor, params: Params) -> None:
        t.type = schema.TensorType[params.type]
        t.quantization = params.quantization()
        self.now[t] = params

    # ---- Conversions ----

    def form(self, t: Tensor, wanted: Params | None, before: Node | None) -> Tensor:
        """A tensor stored as `wanted` says (None: float32)."""
        now = self.now.get(t)
        if now == wanted:
            return t
        if now is None and t.producer is not None and t.producer.op == "DEQUANTIZE":
            source = t.producer.input(0)
            if source is not None and params_in(source) == wanted:
                return source
        made = self.forms.get((t, wanted))
        if made is None and now is not None and wanted is not None and (now.type, wanted.type) == ("INT16", "UINT8"):
            t = self.form(t, wanted.as_type("INT8"), before)  # the reference engine has no direct conversion
            made = self.forms.get((t, wanted))
        if made is None:
            name = self.graph.unique_name(f"{t.name}_{'float' if wanted is None else wanted.type.lower()}")
            if wanted is None:
                made = self.graph.op("DEQUANTIZE", t, type="FLOAT32", shape=t.shape, name=name, before=before)
            else:
                made = self.graph.op(
                    "QUANTIZE", t, type=wanted.type, shape=t.shape, name=name, before=before,
                    quantization=wanted.quantization(),
                )  # fmt: skip
            made.concrete = t.concrete
            self.forms[t, wanted] = made
        return made

    def _outputs(self) -> None:
        outputs = self.graph.outputs
        for i, t in enumerate(outputs):
            kind = self.io.get(t, "float32")
            if t in self.now or is_real(t):
                wanted = None if kind == "float32" else self._params(t).as_type(kind.upper())
                final = self._constant(t, wanted) if t.constant and wanted else self.form(t, wanted, None)
                if final is not t:
                    outputs[i] = final
                    final.name, t.name = t.name, self.graph.unique_name(f"{t.name}_{self._word(t)}")
                    for s in self.model.signatures:
                        if s.graph is self.graph:
                            s.outputs = {name: final if o is t else o for name, o in s.outputs.items()}
        self.graph.outputs = outputs

    def _word(self, t: Tensor) -> str:
        return self.now[t].type.lower() if t in self.now else "float"

    # ---- Nodes ----

    def _float(self, node: Node) -> None:
        if node.op == "QUANTIZE" and node.input(0) in self.now:
            self._requantize(node)
        elif any(t in self.now for t in node.inputs):
            node.inputs = tuple(self.form(t, None, node) if t is not None and t in self.now else t for t in node.inputs)

    def _requantize(self, node: Node) -> None:
        """A QUANTIZE of the source whose operand is integer now: between integers, or nothing at all."""
        t = node.inputs[0]
        assert t is not None
        out = node.output
        if params_in(out) == self.now[t] and not out.outputs:
            self.redundant.append(node)
        node.version = None

    def _integer(self, node: Node, row: Row) -> None:
        made: list[Tensor | None] = []
        for i, t in enumerate(node.inputs):
            constraint = row.input(i)
            if t is None or constraint in (PLAIN, OWN) or isinstance(constraint, (Weight, Bias)):
                made.append(t)
            elif constraint == SAME:
                shared = self.found.shared[node]
                made.append(self._constant(t, shared) if t.constant else self.form(t, shared, node))
            else:
                assert constraint == FREE
                made.append(self._free_constant(t, node) if t.constant else self.form(t, self.found.params[t], node))
        for i in range(len(made)):
            constraint = row.input(i)
            if isinstance(constraint, Weight):
                self._weigh(made, i, constraint, row)
        if OWN in row.inputs:
            RULES[node.op].rewrite(self, node, made)
        node.inputs = made
        for i, t in enumerate(node.outputs):
            if row.output(i) != PLAIN:
                self._becomes(t, self.found.params[t])
        node.version = None
        if node.op in ("ADD", "SUB") and self.found.kind == "INT16":
            node.options = make_options(node.op, node.options, {"pot_scale_int16": False})

    # ---- Constants ----

    def _constant(self, t: Tensor, params: Params) -> Tensor:
        key = (id(t.data), t.shape, params)
        if key not in self.constants:
            value = t.array
            if np.isnan(value).any():
                raise DataError(f"the constant {t.name!r} holds nan; it cannot be quantized: repair the source network")
            self.constants[key] = constant(t, stored(value, params), params.type, params.quantization())
        return self.constants[key]

    def _free_constant(self, t: Tensor, node: Node) -> Tensor:
        logit = node.outputs[0] in self.ranges.logits
        value = t.array[t.array > MASK] if logit else finite(t)
        low, high = float(value.min(initial=0.0)), float(value.max(initial=0.0))
        if logit and value.size < t.array.size:  # a mask that is added
            low -= self.ranges.mask_depth(node.outputs[0]) + sum(map(abs, self.ranges.of(node.outputs[0]) or ()))
        return self._constant(t, params_of(low, high, self.found.kind))

    def _weigh(self, made: list[Tensor | None], i: int, constraint: Weight, row: Row) -> None:
        """The weights at operand i, and the bias in their units."""
        t = made[i]
        assert t is not None
        axis = constraint.axis if self.recipe.per_channel else None
        at = next((k for k in range(len(made)) if row.input(k) == Bias(_input_of(row), i)), None)
        bias = None if at is None else made[at]
        source = made[_input_of(row)]
        assert source is not None and source.quantization is not None and source.quantization.scale is not None
        input_scale = float(source.quantization.scale[0])
        real_bias = None if bias is None else finite(bias)
        if is_real(t):
            made[i] = self._real_weight(t, axis, real_bias, input_scale)
        made_q = made[i].quantization  # type: ignore[union-attr]
        assert made_q is not None and made_q.scale is not None
        if bias is not None and real_bias is not None and at is not None:
            scales = made_q.scale.astype(np.float64) * input_scale
            kind = "INT32" if self.found.kind == "INT8" else "INT64"
            key = (id(bias.data), "bias", kind, scales.tobytes())
            if key not in self.constants:
                self.constants[key] = quantized_bias(bias, real_bias, scales, kind)
            made[at] = self.constants[key]

    def _real_weight(self, t: Tensor, axis: int | None, bias: np.ndarray | None, input_scale: float) -> Tensor:
        key: tuple[Any, ...] = (id(t.data), t.shape, "scales", axis)
        if key not in self.constants:
            value = finite(t)
            scales = weight_scales(value, axis)
            self.constants[key] = quantized_weight(t, value, scales, axis)
        made = self.constants[key]
        if bias is None or self.found.kind != "INT8":
            return made
        assert made.quantization is not None and made.quantization.scale is not None
        scales = made.quantization.scale.astype(np.float64)
        least = least_scales(bias.reshape(-1), input_scale)
        if axis is None or least.size != scales.size:
            least = np.full(scales.size, least.max(initial=0.0))
        if (least > scales).any():  # this bias would overflow: coarser weights for it
            wider = np.maximum(scales, least * (1 + 1e-6))
            made = quantized_weight(t, finite(t), wider, axis)
        return made


def _input_of(row: Row) -> int:
    """The operand that a row's weights multiply."""
    return next(c.input for c in row.inputs if isinstance(c, Bias))
