"""LSTM and SVDF: operators with state, whose inner values have scales too. RULES: operator -> how it is looked at and
rewritten; their OWN operands are this file's business.

What an integer LSTM wants (the operands are the format's; i, f, g, o are the gates):

    x, y, h             int8; y and the hidden state h share one scale
    weights             int8 around zero, one scale a matrix          peepholes, norms    int16 around zero
    bias                int32 in s_x * s_w, or with norms in s_norm * 2^-10
    cell state          int16, a power of two
    intermediates 0-3   with norms: int16, the gates before them;     4: int8, the hidden value before a projection
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import schema
from ..ir import Node, Quantization, Tensor
from ..passes.common import activation
from .calibrate import Look
from .numbers import (
    Params,
    constant,
    finite,
    is_real,
    params_of,
    power_of_two,
    quantized_bias,
    quantized_weight,
    weight_scales,
)

if TYPE_CHECKING:
    from .apply import Rewriter

Value = Callable[[Tensor], np.ndarray]

INPUT, FORGET, CELL, OUTPUT = range(4)
W, R, PEEPHOLE, BIAS, PROJECTION, PROJECTION_BIAS, H, C, NORM = 1, 5, 9, 12, 16, 17, 18, 19, 20


@dataclass(frozen=True)
class Rule:
    """`obstacle`: why a node cannot be integer, or None. `look`: its inner values. `rewrite`: its OWN operands."""

    obstacle: Callable[[Node], str | None]
    look: Look
    rewrite: Callable[[Rewriter, Node, list[Tensor | None]], None]


# ---- LSTM ----


def _lstm_obstacle(node: Node) -> str | None:
    if activation(node) != "TANH":
        return f"its integer kernel computes with TANH, not {activation(node)}"
    if node.option("diagonal_recurrent_tensors"):
        return "its recurrent weights are diagonal"
    return None


def _sigmoid(x: np.ndarray) -> np.ndarray:
    made: np.ndarray = 0.5 * (1 + np.tanh(0.5 * x))
    return made


def _lstm_look(node: Node, value: Value) -> dict[str, np.ndarray]:
    """The formulas of Sak et al. (2014), with layer norms as the format has them; x is [steps, batch, inputs]."""

    def operand(i: int) -> np.ndarray | None:
        t = node.input(i)
        return None if t is None else t.real if t.constant else value(t)

    x, h, c = operand(0), operand(H), operand(C)
    assert x is not None and h is not None and c is not None
    if not node.option("time_major"):
        x = x.swapaxes(0, 1)
    w, r, bias, norm = ([operand(at + k) for k in range(4)] for at in (W, R, BIAS, NORM))
    peephole = {INPUT: operand(PEEPHOLE), FORGET: operand(PEEPHOLE + 1), OUTPUT: operand(PEEPHOLE + 2)}
    projection, projection_bias = operand(PROJECTION), operand(PROJECTION_BIAS)
    seen: dict[str, list[np.ndarray]] = {name: [] for name in ("cell", "hidden", *map(_gate_name, range(4)))}

    def gate(k: int, step: np.ndarray, cell: np.ndarray) -> np.ndarray:
        wk, rk, bk = w[k], r[k], bias[k]
        assert wk is not None and rk is not None and bk is not None
        z: np.ndarray = step @ wk.T + h @ rk.T
        hole = peephole.get(k)
        if hole is not None:
            z = z + hole * cell
        factor = norm[k]
        if factor is not None:
            seen[_gate_name(k)].append(z)
            z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-8) * factor
        z = z + bk
        return z

    clip, projection_clip = node.option("cell_clip"), node.option("proj_clip")
    for step in x:
        f, g = _sigmoid(gate(FORGET, step, c)), np.tanh(gate(CELL, step, c))
        i = 1 - f if w[INPUT] is None else _sigmoid(gate(INPUT, step, c))
        c = f * c + i * g
        c = np.clip(c, -clip, clip) if clip else c
        h = _sigmoid(gate(OUTPUT, step, c)) * np.tanh(c)
        seen["cell"].append(c)
        seen["hidden"].append(h)
        if projection is not None:
            h = h @ projection.T + (0 if projection_bias is None else projection_bias)
            h = np.clip(h, -projection_clip, projection_clip) if projection_clip else h
    made: dict[str, np.ndarray] = {name: np.concatenate(values) for name, values in seen.items() if values}
    return made


def _gate_name(k: int) -> str:
    return f"gate{k}"


def _lstm_rewrite(to: Rewriter, node: Node, made: list[Tensor | None]) -> None:
    out, x = to.found.params[node.outputs[0]], _scale(made[0])
    cell = max(map(abs, to.ranges.inner(node, "cell") or (0.0, 1.0)))
    exponent = min(max(round(np.log2(power_of_two(max(cell, 1e-9)))) - 15, -15), -9)
    normed = made[NORM + FORGET] is not None
    inner = to.ranges.inner(node, "hidden") or (-1.0, 1.0)
    hidden = params_of(*inner, "INT8") if made[PROJECTION] is not None else out
    for i in (*range(W, PEEPHOLE), PROJECTION):
        made[i] = _weight(made[i])
    for i in (*range(PEEPHOLE, BIAS), *range(NORM, NORM + 4)):
        if i < len(made):
            made[i] = _int16(made[i], 32767)
    for k in range(4):
        unit = _scale(made[NORM + k]) * 2.0**-10 if normed and made[NORM + k] is not None else x * _scale(made[W + k])
        made[BIAS + k] = _bias(made[BIAS + k], unit)
    made[PROJECTION_BIAS] = _bias(made[PROJECTION_BIAS], _scale(made[PROJECTION]) * hidden.scale)
    _state(to, made[H], out)
    _state(to, made[C], Params("INT16", 2.0**exponent, 0))
    node.intermediates = [_intermediate(to, node, k, normed) for k in range(4)]
    node.intermediates.append(_inner_tensor(to, node, "hidden", hidden))


def _intermediate(to: Rewriter, node: Node, k: int, normed: bool) -> Tensor:
    seen = to.ranges.inner(node, _gate_name(k))
    if not normed or seen is None:
        return Tensor(to.graph.unique_name(f"{node.outputs[0].name}_gate{k}"), schema.TensorType.FLOAT32, (0,))
    return _inner_tensor(to, node, _gate_name(k), params_of(*seen, "INT16"))


def _inner_tensor(to: Rewriter, node: Node, name: str, params: Params) -> Tensor:
    name = to.graph.unique_name(f"{node.outputs[0].name}_{name}")
    return Tensor(name, schema.TensorType[params.type], (0,), quantization=params.quantization())


# ---- SVDF ----


def _svdf_obstacle(node: Node) -> str | None:
    if activation(node) != "RELU":
        return f"its integer kernel computes with RELU, not {activation(node)}"
    return None


def _svdf_look(node: Node, value: Value) -> dict[str, np.ndarray]:
    x, feature = node.inputs[:2]
    assert x is not None and feature is not None
    return {"state": value(x) @ feature.real.T}


def _svdf_rewrite(to: Rewriter, node: Node, made: list[Tensor | None]) -> None:
    made[1] = _weight(made[1])
    time = made[2]
    assert time is not None and time.shape is not None
    # 10 bits, or fewer where the sum over time would leave int32.
    most = min(511, (1 << 30) // (32767 * max(time.shape[1] * int(node.option("rank")), 1)))
    made[2] = _int16(time, max(most, 1))
    low, high = to.ranges.inner(node, "state") or (0.0, 1.0)
    state = params_of(low, high, "INT16")
    made[3] = _bias(made[3], state.scale * _scale(made[2]))
    _state(to, made[4], state)


# ---- Both ----


def _scale(t: Tensor | None) -> float:
    q = None if t is None else t.quantization
    return 1.0 if q is None or q.scale is None else float(q.scale[0])


def _weight(t: Tensor | None) -> Tensor | None:
    if t is None:
        return None
    value = finite(t)
    return quantized_weight(t, value, weight_scales(value, None), None)


def _int16(t: Tensor | None, most: int) -> Tensor | None:
    if t is None:
        return None
    value = finite(t)
    scale = np.float32(weight_scales(value, None)[0] * 127 / most)
    q = np.clip(np.rint(value / scale), -most, most).astype(np.int16)
    return constant(t, q, "INT16", Quantization(scale, 0))


def _bias(t: Tensor | None, unit: float) -> Tensor | None:
    return None if t is None else quantized_bias(t, finite(t), np.array([unit]), "INT32")


def _state(to: Rewriter, t: Tensor | None, params: Params) -> None:
    assert t is not None
    t.type, t.quantization = schema.TensorType[params.type], params.quantization()
    to.now[t] = params


RULES: dict[str, Rule] = {
    "SVDF": Rule(_svdf_obstacle, _svdf_look, _svdf_rewrite),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Rule(_lstm_obstacle, _lstm_look, _lstm_rewrite),
}


def looks(nodes: list[Node]) -> dict[Node, Look]:
    """What to watch inside these nodes during calibration."""
    rules = {node: RULES[node.op] for node in nodes if not node.custom and node.op in RULES}
    return {node: rule.look for node, rule in rules.items() if is_real(node.inputs[0]) and rule.obstacle(node) is None}
