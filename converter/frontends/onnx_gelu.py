"""GELU as exporters write it out: x * 0.5 * (1 + Erf(x / sqrt(2))), its factors in any order."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def find_gelus(
    g: Any, values: dict[str, Any], attributes: Callable[[Any], dict[str, Any]]
) -> dict[str, tuple[str, bool]]:
    """The last node's output -> (x, approximate) for each GELU of the graph."""
    if not any(node.op_type == "Erf" for node in g.node):
        return {}
    maker: dict[str, Any] = {}
    users: dict[str, list[Any]] = {}
    nodes = [node for node in g.node if node.output]  # a damaged file may have others
    for node in nodes:
        for name in node.output:
            maker[name] = node
        for name in node.input:
            users.setdefault(name, []).append(node)

    def number(name: str) -> float | None:
        t = values.get(name)
        array = t.array if t is not None and t.constant else None
        if name in maker and maker[name].op_type == "Constant":
            array = attributes(maker[name]).get("value")
        return float(array.reshape(-1)[0]) if array is not None and hasattr(array, "size") and array.size == 1 else None

    def only_user(name: str, kind: str) -> Any:
        found = users.get(name, [])
        return found[0] if len(found) == 1 and found[0].op_type == kind and len(found[0].input) == 2 else None

    def other(node: Any, name: str) -> str:
        return str(node.input[1] if node.input[0] == name else node.input[0])

    made: dict[str, tuple[str, bool]] = {}
    for erf in nodes:
        inner = maker.get(erf.input[0]) if erf.op_type == "Erf" and erf.input else None
        if inner is None or inner.op_type not in ("Div", "Mul") or len(inner.input) != 2:
            continue
        x, factor = inner.input[0], number(inner.input[1])
        if factor is None and inner.op_type == "Mul":
            x, factor = inner.input[1], number(inner.input[0])
        wanted = math.sqrt(2) if inner.op_type == "Div" else math.sqrt(0.5)
        plus = only_user(erf.output[0], "Add")
        if factor is None or abs(factor - wanted) > 1e-3 or plus is None or number(other(plus, erf.output[0])) != 1:
            continue
        name, seen_x, seen_half = plus.output[0], False, False
        while not (seen_x and seen_half):
            times = only_user(name, "Mul")
            if times is None:
                break
            what = other(times, name)
            product = maker.get(what)
            if what == x and not seen_x:
                seen_x = True
            elif number(what) == 0.5 and not seen_half:
                seen_half = True
            elif (
                product is not None
                and product.op_type == "Mul"
                and len(product.input) == 2
                and not (seen_x or seen_half)
            ):
                a, c = product.input
                if not ((a == x and number(c) == 0.5) or (c == x and number(a) == 0.5)):
                    break
                seen_x = seen_half = True
            else:
                break
            name = times.output[0]
        if seen_x and seen_half:
            made[name] = (x, False)
    return made
