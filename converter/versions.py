"""Which version of an operator a node needs: the lowest that has what it uses."""

from __future__ import annotations

from .ir import Node


def version_of(node: Node) -> int:
    return _LOWEST.get(node.op, 1)


_LOWEST = {"BROADCAST_TO": 2}
