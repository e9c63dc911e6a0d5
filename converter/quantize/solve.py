"""The solver: which nodes become integer, and which tensors share a scale. Nothing is changed here.

decide    a node becomes integer if its row allows it, its constants are there and its values were seen; data
          movement between two float operators stays float
unify     the SAME operands of a node become one group with one scale. Two groups are not made one where that would
          contradict a scale that is fixed, or cost a reader of the narrower one more than LOSS of its resolution:
          then the operand is requantized on its way into the node
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .. import schema
from ..ir import Graph, Node, Tensor
from .calibrate import Ranges
from .constraints import FREE, OWN, PLAIN, SAME, Bias, Constraint, Fixed, Row, Stays, Weight, row_of
from .masks import MASK
from .numbers import TINY, Params, is_real, params_in, params_of
from .recipe import Recipe
from .recurrent import RULES

LOSS = 1.5
"""A tensor that others read is not given a range wider than this many times its own for a neighbour's sake."""

HEADROOM = {"INT8": 1.0, "INT16": 2.0}
"""How much wider than what calibration saw. 16 bits can spare one, and unseen data exceed the range of the seen."""


@dataclass
class Solution:
    """`rows`: the nodes that become integer; `reasons`: why the others do not. `params`: how tensors are stored where
    they are stored as integers; `shared`: what the SAME operands of a node are stored by."""

    kind: str
    rows: dict[Node, Row] = field(default_factory=dict)
    reasons: dict[Node, str] = field(default_factory=dict)
    params: dict[Tensor, Params] = field(default_factory=dict)
    shared: dict[Node, Params] = field(default_factory=dict)


def solve(graph: Graph, recipe: Recipe, ranges: Ranges) -> Solution:
    found = Solution(recipe.activations)
    for node in graph:
        row = row_of("" if node.custom else node.op, recipe.activations)
        reason = _obstacle(node, row, recipe, ranges)
        if reason is None:
            assert isinstance(row, Row)
            found.rows[node] = row
        else:
            found.reasons[node] = reason
    _drop_islands(graph, found)
    _Unifier(graph, found, ranges).run()
    return found


def constraints(node: Node, row: Row) -> list[tuple[Tensor, Constraint]]:
    """The operands that are there, then the outputs, each with its constraint."""
    inputs = [(t, row.input(i)) for i, t in enumerate(node.inputs) if t is not None]
    return inputs + [(t, row.output(i)) for i, t in enumerate(node.outputs)]


# ---- Which nodes ----


def _obstacle(node: Node, row: Row | Stays, recipe: Recipe, ranges: Ranges) -> str | None:
    """Why a node cannot become integer; None if it can. "" for nodes that have nothing to do with real numbers."""
    if not any(is_real(t) for t in (*node.inputs, *node.outputs)):
        return ""
    if isinstance(row, Stays):
        return row.reason if row.real else ""
    if recipe.keeps(node):
        return "the recipe keeps it"
    for t, constraint in constraints(node, row):
        if constraint == PLAIN:
            continue
        if isinstance(constraint, (Weight, Bias)):
            what = "weights" if isinstance(constraint, Weight) else "bias"
            if not t.constant or t.sparsity is not None:
                return f"its {what} are {'sparse' if t.constant else 'computed while it runs'}"
            if not is_real(t) and not (isinstance(constraint, Weight) and int8_weight(t, constraint.axis)):
                return f"its {what} are {t.type.name} already"
        elif constraint == OWN:
            if not (is_real(t) and (t.constant or t.variable)):
                return f"its operand {t.name!r} is neither a float constant nor a state"
        elif not is_real(t):
            return f"its operand {t.name!r} is {getattr(t.type, 'name', t.type)}"
        elif not t.constant and not isinstance(constraint, Fixed):
            if id(t) in ranges.infinite:
                return f"{t.name!r} reaches infinity"
            if ranges.of(t) is None and _given(t, recipe.activations) is None:
                return f"the calibration data gave {t.name!r} no value"
    return RULES[node.op].obstacle(node) if OWN in row.inputs else None


def int8_weight(t: Tensor, axis: int | None) -> bool:
    """Whether a constant is what the integer kernels take as weights: int8 around zero, scales along the axis."""
    q = t.quantization
    if t.type != schema.TensorType.INT8 or q is None or q.scale is None or q.details is not None:
        return False
    around_zero = q.zero_point is None or not q.zero_point.any()
    return around_zero and (q.scale.size == 1 or q.axis == axis)


def _drop_islands(graph: Graph, found: Solution) -> None:
    """Data movement whose every neighbour is float gains nothing from integers."""
    seen: set[Node] = set()
    for start in graph:
        if start not in found.rows or start in seen or not _moves(start, found):
            continue
        island, integer, floats, waiting = [start], False, False, [start]
        seen.add(start)
        while waiting:
            node = waiting.pop()
            for t, constraint in constraints(node, found.rows[node]):
                if constraint != SAME:
                    continue
                for other in ([] if t.producer is None else [t.producer]) + list(t.users):
                    if other in seen and _moves(other, found):
                        continue
                    if _moves(other, found):
                        seen.add(other)
                        island.append(other)
                        waiting.append(other)
                    elif other in found.rows or other.op in ("QUANTIZE", "DEQUANTIZE"):
                        integer = True
                    else:
                        floats = True
        if floats and not integer:
            for node in island:
                del found.rows[node]
                found.reasons[node] = "it only moves values between float operators"


def _moves(node: Node, found: Solution) -> bool:
    row = found.rows.get(node)
    return row is not None and row.moves and SAME in row.outputs


# ---- Which scales ----


class _Group:
    """Tensors that are stored by one scale: `low`..`high`, or as `fixed` says."""

    def __init__(self, t: Tensor, low: float, high: float, fixed: Params | None = None) -> None:
        self.members = [t]
        self.fixed = fixed
        self.low, self.high = (low, high) if fixed is None else (fixed.low, fixed.high)


def _given(t: Tensor, kind: str) -> Params | None:
    """The scale a tensor comes with or goes into: the source has quantized parts already."""
    if t.producer is not None and t.producer.op == "DEQUANTIZE":
        source = t.producer.input(0)
        found = None if source is None else params_in(source)
        if found is not None and found.type == kind:
            return found
    for user in t.users:
        if user.op == "QUANTIZE":
            found = params_in(user.output)
            if found is not None and found.type == kind:
                return found
    return None


class _Unifier:
    def __init__(self, graph: Graph, found: Solution, ranges: Ranges) -> None:
        self.graph, self.found, self.ranges = graph, found, ranges
        self.groups: dict[Tensor, _Group] = {}

    def run(self) -> None:
        rows = self.found.rows
        shared: dict[Node, _Group] = {}
        for node in self.graph:
            if node not in rows:
                continue
            row = rows[node]
            for i, t in enumerate(node.outputs):
                constraint = row.output(i)
                if isinstance(constraint, Fixed):
                    kind = self.found.kind
                    self.groups[t] = _Group(t, 0, 0, Params(kind, *constraint.of(kind)))
                elif constraint != PLAIN:
                    self.group(t)
            if SAME in row.outputs:
                shared[node] = self._share(node, row)
            for i, operand in enumerate(node.inputs):
                if operand is not None and not operand.constant and row.input(i) == FREE:
                    self.group(operand)
        done: dict[int, Params] = {}
        for t, group in self.groups.items():
            if id(group) not in done:
                room = HEADROOM[self.found.kind]
                done[id(group)] = group.fixed or params_of(room * group.low, room * group.high, self.found.kind)
            self.found.params[t] = done[id(group)]
        for node, group in shared.items():
            self.found.shared[node] = self.found.params[group.members[0]]

    def group(self, t: Tensor) -> _Group:
        found = self.groups.get(t)
        if found is None:
            low, high = self.ranges.of(t) or (0.0, 0.0)
            found = self.groups[t] = _Group(t, low, high, _given(t, self.found.kind))
        return found

    def _share(self, node: Node, row: Row) -> _Group:
        same = [t for i, t in enumerate(node.outputs) if row.output(i) == SAME]
        group = self.group(same[0])
        for t in same[1:]:
            group = self._join(self.group(t), group)
        operands = [t for i, t in enumerate(node.inputs) if t is not None and row.input(i) == SAME]
        for t in operands:
            if t.constant and group.fixed is None:
                value = t.array
                value = value[np.isfinite(value) & ((value > MASK) | (same[0] not in self.ranges.logits))]
                if value.size:
                    group.low, group.high = min(group.low, float(value.min())), max(group.high, float(value.max()))
        for t in operands:
            other = None if t.constant else self.group(t)
            if other is not None and other is not group and self._agree(other, group):
                group = self._join(other, group)
        return group

    def _width(self, low: float, high: float) -> float:
        low, high = min(low, 0.0), max(high, 0.0)
        return 2 * max(-low, high) if self.found.kind == "INT16" else high - low

    def _agree(self, a: _Group, b: _Group) -> bool:
        """Whether group `a`, an operand's, may become one with `b`, the result's."""
        low, high = min(a.low, b.low), max(a.high, b.high)
        if a.fixed is not None and b.fixed is not None:
            return a.fixed == b.fixed
        fixed = a.fixed or b.fixed
        if fixed is not None:
            if low < fixed.low - fixed.scale or high > fixed.high + fixed.scale:
                return False
            low, high = fixed.low, fixed.high
        own = self._width(a.low, a.high)
        return own < TINY or self._width(low, high) <= LOSS * own or not any(map(self._read, a.members))

    def _read(self, t: Tensor) -> bool:
        """Whether somebody computes with the values of a tensor, rather than passes them on."""
        if t.outputs:
            return True
        for user in t.users:
            row = self.found.rows.get(user)
            if row is None or any(o is t and row.input(i) not in (SAME, PLAIN) for i, o in enumerate(user.inputs)):
                return True
        return False

    def _join(self, a: _Group, b: _Group) -> _Group:
        b.fixed = a.fixed or b.fixed
        b.low, b.high = min(a.low, b.low), max(a.high, b.high)
        b.members += a.members
        for t in a.members:
            self.groups[t] = b
        return b
