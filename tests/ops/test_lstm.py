"""UNIDIRECTIONAL_SEQUENCE_LSTM, LSTM, BIDIRECTIONAL_SEQUENCE_LSTM: float, hybrid and integer, several steps and invokes
in a row (the state lives in variable tensors)."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, Spec, check, const, tensor, variable

FLOAT = {"low": -0.5, "high": 0.5}


def weights(kind: str, rows: int, columns: int, scale: float = 0.004) -> Spec:
    if kind == "float32":
        return const("float32", (rows, columns), **FLOAT)
    return const("int8", (rows, columns), scale=scale, low=-127, high=127)


def vector(kind: str, n: int, scale: float | None = None, **spread: float) -> Spec:
    return const(kind, (n,), scale=scale, **(spread or FLOAT))


def operands(kind, x, h, c, cells, outputs, inputs, *, cifg, peephole, projection, norm, activation_scale=0.02):
    """The 24 inputs; kind float32, hybrid or integer."""
    whole = kind == "integer"
    w = "float32" if kind == "float32" else "int8"
    bias = {"low": -20000, "high": 20000} if whole else FLOAT
    b = ("int32", 4e-5) if whole else ("float32", None)
    wx = [weights(w, cells, inputs, 0.003) for _ in range(4)]
    wh = [weights(w, cells, outputs, 0.003) for _ in range(4)]
    if whole:
        holes = [const("int16", (cells,), scale=1e-5, low=-30000, high=30000) for _ in range(3)]
    elif w == "int8":
        holes = [const("int8", (cells,), scale=0.004, low=-127, high=127) for _ in range(3)]
    else:
        holes = [vector("float32", cells) for _ in range(3)]
    biases = [vector(b[0], cells, b[1], **bias) for _ in range(4)]
    norms = [
        const("int16", (cells,), scale=3e-5, low=5000, high=30000)
        if whole
        else vector("float32", cells, low=0.5, high=1.5)
        for _ in range(4)
    ]
    if cifg:
        wx[0] = wh[0] = holes[0] = biases[0] = norms[0] = None
    project = [weights(w, outputs, cells, 0.004), vector(b[0], outputs, b[1], **bias)] if projection else [None, None]
    return [
        x,
        *wx,
        *wh,
        *(holes if peephole else [None] * 3),
        *biases,
        *project,
        h,
        c,
        *(norms if norm else [None] * 4),
    ]


def lstm(
    name,
    kind,
    steps=5,
    batch=2,
    inputs=6,
    cells=8,
    outputs=None,
    *,
    time_major=True,
    cifg=False,
    peephole=False,
    norm=False,
    op="UNIDIRECTIONAL_SEQUENCE_LSTM",
    hidden_zero=-3,
    clip=0.0,
    proj_clip=0.0,
    activation="TANH",
    **extra,
):
    projection = outputs is not None
    outputs = outputs or cells
    shape = (batch, inputs) if op == "LSTM" else (steps, batch, inputs) if time_major else (batch, steps, inputs)
    options = {"fused_activation_function": activation, "cell_clip": clip, "proj_clip": proj_clip}
    if op == "LSTM":
        options["kernel_type"] = "FULL"
    else:
        options["time_major"] = time_major
    for key in ("asymmetric_quantize_inputs",):
        if key in extra:
            options[key] = extra.pop(key)
    intermediates = []
    if kind == "integer":
        x, y = tensor("int8", shape, 0.03, 4), tensor("int8", scale=0.008, zero_point=-2)
        h = variable("int8", (batch, outputs), 0.008, -2)
        c = variable("int16", (batch, cells), 2.0**-12)
        intermediates = [tensor("int16", (), 0.0005) for _ in range(4)]
        intermediates.append(tensor("int8", (), 0.008 if not projection else 0.006, hidden_zero if projection else -2))
    else:
        x, y = tensor("float32", shape), tensor("float32")
        h, c = variable("float32", (batch, outputs)), variable("float32", (batch, cells))
    inputs_ = operands(
        kind, x, h, c, cells, outputs, inputs, cifg=cifg, peephole=peephole, projection=projection, norm=norm
    )
    return Case(
        name, op, inputs_, [y], options, version=extra.pop("version", 3), intermediates=intermediates,
        steps=extra.pop("invokes", 3), **extra,
    )  # fmt: skip


def basic(name, batch=2, inputs=5, cells=7):
    floats = [tensor("float32", s) for s in ((batch, inputs), (batch, cells))]
    matrix = [const("float32", (4 * cells, inputs + cells), **FLOAT), vector("float32", 4 * cells)]
    options = {"fused_activation_function": "TANH", "kernel_type": "BASIC"}
    inputs_ = [*floats, *matrix, tensor("float32", (batch, cells))]
    return Case(name, "LSTM", inputs_, [tensor("float32") for _ in range(4)], options, version=2)


def both_ways(name, kind, merge=True, time_major=True, steps=4, batch=2, inputs=6, cells=8, **extra):
    one = [
        operands(
            kind, None, None, None, cells, cells, inputs, cifg=False, peephole=False, projection=False, norm=False
        )[1:18]
        for _ in range(2)
    ]
    x = tensor("float32", (steps, batch, inputs) if time_major else (batch, steps, inputs))
    states = [variable("float32", (batch, cells)) for _ in range(4)]
    options = {"fused_activation_function": "TANH", "merge_outputs": merge, "time_major": time_major}
    outputs = [tensor("float32") for _ in range(1 if merge else 2)]
    inputs_ = [x, *one[0], *one[1], *states, *[None] * 9]
    return Case(
        name,
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        inputs_,
        outputs,
        options,
        version=extra.pop("version", 1),
        steps=extra.pop("invokes", 2),
        **extra,
    )


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell(step, v, h, c, hole=(0, 0, 0), project=None):
    """One step of the formulas of Sak et al. (2014), in real numbers: i, f, g, o of the operands' order."""
    wx, wh, b = v[:4], v[4:8], v[8:]
    i, f, g, o = (step @ wx[k].T + h @ wh[k].T + b[k] for k in range(4))
    c = sigmoid(f + hole[1] * c) * c + sigmoid(i + hole[0] * c) * np.tanh(g)
    h = sigmoid(o + hole[2] * c) * np.tanh(c)
    return (h if project is None else np.clip(h, *project[2]) @ project[0].T + project[1]), c


def integer_projection_peephole(v):
    """What the integer operator approximates, from a state of zero; biases have the scale of the products they join."""
    x = (v[0] - 4.0) * 0.03
    w = [m * 0.003 for m in v[1:9]] + [b * 0.03 * 0.003 for b in v[12:16]]
    hole, project = [p * 1e-5 for p in v[9:12]], (v[16] * 0.004, v[17] * 0.006 * 0.004, (-0.768, 0.762))
    h, c, out = np.zeros((x.shape[1], v[16].shape[0])), np.zeros((x.shape[1], v[16].shape[1])), []
    for step in x:
        h, c = cell(step, w, h, c, hole, project)
        out.append(h)
    return [np.clip(np.rint(np.stack(out) / 0.008) - 2, -128, 127).astype(np.int8)]


def both_ways_merged(v):
    """The first invoke of a float, batch-major one with merged outputs."""
    sides = []
    for first, order in ((1, 1), (18, -1)):
        w = [*v[first : first + 8], *v[first + 11 : first + 15]]
        h = c = np.zeros((v[0].shape[0], w[0].shape[0]))
        out = []
        for step in v[0].swapaxes(0, 1)[::order]:
            h, c = cell(step, w, h, c)
            out.append(h)
        sides.append(np.stack(out[::order], 1))
    return [np.concatenate(sides, -1).astype(np.float32)]


# The quantized state may round to the other side where our float arithmetic differs in the last bit.
HYBRID = {"rtol": 0.01}
CASES = [
    lstm("float", "float32"),
    lstm("float batch major", "float32", time_major=False),
    lstm("float long", "float32", 60, 1, 17, 33),
    lstm("float clipped", "float32", clip=0.3),
    lstm("float relu", "float32", activation="RELU6"),
    lstm("float coupled", "float32", cifg=True),
    lstm("float peephole", "float32", peephole=True),
    lstm("float projection", "float32", outputs=5, proj_clip=0.2),
    lstm("float norm", "float32", norm=True),
    lstm("float everything", "float32", cifg=True, peephole=True, norm=True, outputs=5, time_major=False),
    lstm("float one step", "float32", op="LSTM"),
    lstm("hybrid", "hybrid", **HYBRID),
    lstm("hybrid asymmetric", "hybrid", asymmetric_quantize_inputs=True, **HYBRID),
    lstm("hybrid everything", "hybrid", cifg=True, peephole=True, norm=True, outputs=5, **HYBRID),
    lstm("hybrid one step", "hybrid", op="LSTM", **HYBRID),
    lstm("integer", "integer"),
    lstm("integer batch major", "integer", time_major=False),
    lstm("integer long", "integer", 60, 1, 17, 45),
    lstm("integer clipped", "integer", clip=0.3),
    lstm("integer peephole", "integer", peephole=True),
    lstm("integer norm", "integer", norm=True),
    lstm("integer coupled", "integer", cifg=True),
    lstm("integer projection", "integer", outputs=5, hidden_zero=0),
    lstm("integer projection clipped", "integer", outputs=5, hidden_zero=0, proj_clip=0.2),
    lstm("integer projection zero point", "integer", outputs=5),
    lstm("integer everything", "integer", cifg=True, peephole=True, norm=True, outputs=8),
    lstm("integer peephole projection", "integer", peephole=True, outputs=5, hidden_zero=0, invokes=1, atol=2,
         oracle=integer_projection_peephole,
         peer_error="peepholes are read with the number of outputs for the number of cells"),
    lstm("integer one step", "integer", op="LSTM", version=4),
    basic("basic"),
    both_ways("both ways", "float32"),
    both_ways("both ways apart", "float32", merge=False),
    both_ways("both ways batch major", "float32", time_major=False, merge=False, version=2),
    both_ways("both ways batch major merged", "float32", time_major=False, batch=1, version=2),
    both_ways("both ways batch major merged batch", "float32", time_major=False, batch=3, version=2, invokes=1,
              oracle=both_ways_merged, peer_error="batch-major with merged outputs takes states of other rows"),
    both_ways("both ways hybrid", "hybrid", **HYBRID),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_lstm(case: Case) -> None:
    check(case)
