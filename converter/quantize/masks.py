"""Masks: numbers like -1e9 or minus infinity that say "not this one" to a softmax or a maximum.

Counted into a range they would leave no resolution for anything else (and such scales end the reference engine's
process). In tensors that only lead to such operators, values below MASK are therefore left out of the range, which is
then widened by what makes a clipped mask still weigh nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir import Graph, Node, Tensor
from ..passes.common import activation
from .constraints import ROWS, Row

MASK = -1000.0
"""What no score is, and every mask."""

SINKS = {"SOFTMAX": 8.0, "LOG_SOFTMAX": 16.0, "MAX_POOL_2D": 0.0, "REDUCE_MAX": 0.0, "ARG_MAX": 0.0}
"""Operators in which a value weighs nothing that lies this far below the least real one."""

_PASSES = frozenset({"ADD", "SELECT", "SELECT_V2", "MAXIMUM", "CONCATENATION", "PACK", "PADV2"})


@dataclass(frozen=True)
class Logit:
    """A tensor whose masks may be clipped: `ends` are the operands of SINKS it leads to."""

    ends: frozenset[Tensor]
    margin: float


def logits(graph: Graph) -> dict[Tensor, Logit]:
    """The tensors all of whose readers lead, by moves and sums, to operators of SINKS."""
    found: dict[Tensor, Logit] = {}
    for node in reversed(graph.nodes):
        for t in node.outputs:
            _judge(t, found)
    for t in graph.inputs:
        _judge(t, found)
    return found


def _judge(t: Tensor, found: dict[Tensor, Logit]) -> None:
    if t.outputs or not t.users:
        return
    ends: set[Tensor] = set()
    margin = 0.0
    for user in t.users:
        if user.op in SINKS and not user.custom and user.inputs[0] is t:
            ends.add(t)
            margin = max(margin, SINKS[user.op])
        elif _passes(user) and all(o in found for o in user.outputs):
            for o in user.outputs:
                ends |= found[o].ends
                margin = max(margin, found[o].margin)
        else:
            return
    found[t] = Logit(frozenset(ends), margin)


def _passes(node: Node) -> bool:
    if node.custom:
        return False
    if node.op in _PASSES:
        return activation(node) == "NONE"
    row = ROWS.get(node.op)
    return isinstance(row, Row) and row.moves and activation(node) == "NONE" and node.op not in SINKS
