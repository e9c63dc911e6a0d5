"""Recurrent layers in the operators of the format; what the front ends share.

An LSTM over a known batch that starts from zero is one UNIDIRECTIONAL_SEQUENCE_LSTM. That operator keeps its state from
one run to the next, which the layers of ONNX and Keras do not; so a step goes before the first whose input closes all
gates: an added feature is large there and 0 elsewhere, and its weights are negative.

Everything else is written out over the steps, whose number must be known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir import Tensor
from .build import Builder, Unsupported
from .words import f, matmul_of

LONGEST = 512
"""Steps that may be written out."""


def steps_of(b: Builder, x: Tensor, w: np.ndarray, bias: np.ndarray | None, axis: int, backward: bool) -> list[Tensor]:
    """w x + bias (w: [gates * hidden, features]) for each step along `axis`, in the order in which they run."""
    count = b.shape(x)[axis]
    if not 0 < count <= LONGEST:
        raise Unsupported(
            f"a layer over {'an open number of' if count < 0 else count} steps cannot be written out",
            f"fix the length of the sequence to at most {LONGEST}",
        )
    add = None if bias is None else b.const(bias)
    every = b.op("FULLY_CONNECTED", x, b.const(w), add, keep_num_dims=True)
    return unpacked(b, every, axis, backward)


def unpacked(b: Builder, x: Tensor, axis: int, backward: bool) -> list[Tensor]:
    """The steps along `axis`, in the order in which they run."""
    count = b.shape(x)[axis]
    parts = list(b.op("UNPACK", x, num=count, axis=axis, outputs=count))
    return parts[::-1] if backward else parts


def times(b: Builder, h: Tensor | None, r: np.ndarray, bias: np.ndarray | None = None) -> Tensor | None:
    """r h + bias; None where h is zero and there is no bias."""
    if h is None:
        return None if bias is None else b.const(bias[None])
    if bias is not None:
        return b.op("FULLY_CONNECTED", h, b.const(r), b.const(bias))  # type: ignore[no-any-return]
    return matmul_of(b, h, b.const(np.ascontiguousarray(r.T)))


def plus(b: Builder, x: Tensor, y: Tensor | None) -> Tensor:
    return x if y is None else f(b, "ADD", x, y)


def lstm_operator(
    b: Builder,
    x: Tensor,
    w: np.ndarray,
    r: np.ndarray,
    bias: np.ndarray,
    *,
    axis: int,
    backward: bool = False,
    stateful: bool = False,
    title: str = "",
) -> Tensor:
    """All outputs [time, batch, hidden] (axis 0) or [batch, time, hidden] (axis 1), in the order in which they run.

    `w` is [4, hidden, features], `r` [4, hidden, hidden], `bias` [4, hidden]: input gate, forget gate, cell, output
    gate. The batch and the number of features must be known. `stateful`: from one run to the next, the state stays.
    """
    shape = b.shape(x)
    batch, width, n = shape[1 - axis], shape[2], w.shape[1]
    if backward:
        x = b.op("REVERSE_V2", x, b.ints([axis]))
    if not stateful:
        reach = 100 + float(np.abs(r).sum(axis=2).max(initial=0)) + float(np.abs(bias).max(initial=0))
        size = max(float(np.abs(w).max(initial=0)), 1e-3)  # the range of the weights stays what it is
        reset = np.zeros((1, batch, width + 1), np.float32)
        reset[:, :, width] = reach / size
        x = b.pad(x, [(0, 0), (0, 0), (0, 1)])
        x = b.op("CONCATENATION", b.const(reset if axis == 0 else reset.transpose(1, 0, 2)), x, axis=axis)
        closing = np.full((4, n, 1), -size, np.float32)
        closing[2] = 0
        w = np.concatenate([w, closing], axis=2)
    parts = [b.const(np.ascontiguousarray(v[g], np.float32)) for v in (w, r, bias) for g in range(4)]
    state = [b.graph.variable(f"{b.name}/{what}{title}", "FLOAT32", (batch, n)) for what in ("h", "c")]
    y: Tensor = b.op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", x, *parts[:8], None, None, None, *parts[8:], None, None, *state, None, None,
        None, None, fused_activation_function="TANH", time_major=axis == 0,
    )  # fmt: skip
    return y if stateful else b.slice(y, [1 - axis, axis, 0], [-1, -1, -1])


def last_step(b: Builder, y: Tensor, axis: int) -> Tensor:
    """The last step along axis 0 or 1."""
    steps = b.shape(y)[axis]
    if steps > 0:
        begin, size = [0, 0, 0], [-1, -1, -1]
        begin[axis], size[axis] = steps - 1, 1
        return b.squeeze(b.slice(y, begin, size), [axis])
    begin, others = [0, 0, 0], 0b111 & ~(1 << axis)
    begin[axis] = -1
    return b.op(  # type: ignore[no-any-return]
        "STRIDED_SLICE", y, b.ints(begin), b.ints([0, 0, 0]), b.ints([1, 1, 1]), begin_mask=others, end_mask=7,
        shrink_axis_mask=1 << axis,
    )  # fmt: skip


def lstm_step(
    b: Builder, gates: list[Tensor], state: Tensor | None, inner: Any, outer: Any, cell: Any
) -> tuple[Tensor, Tensor]:
    """Output and new cell state; gates: input, forget, cell, output, before their activations. No state is zero."""
    i, forget, new, o = gates
    fresh = f(b, "MUL", inner(i), outer(new))
    state = fresh if state is None else f(b, "ADD", f(b, "MUL", inner(forget), state), fresh)
    return f(b, "MUL", inner(o), cell(state)), state


def gru_step(
    b: Builder, gates: list[Tensor], h: Tensor | None, r: np.ndarray, late: np.ndarray | None, inner: Any, outer: Any
) -> Tensor:
    """The new state; gates: update, reset, new, before their activations; r: [3 * hidden, hidden].

    `late`: the bias [hidden] that belongs to the state where the reset gate comes behind the product; None: before it.
    """
    z, reset, new = gates
    n = r.shape[1]
    if h is None:  # the first step: only the bias behind the reset gate counts
        if late is not None and late.any():
            new = f(b, "ADD", new, f(b, "MUL", inner(reset), b.const(late)))
        new = outer(new)
        return f(b, "SUB", new, f(b, "MUL", inner(z), new))
    if late is None:
        z_h, r_h = b.op("SPLIT", b.const(np.int32(1)), times(b, h, r[: 2 * n]), num_splits=2, outputs=2)
        z, reset = inner(f(b, "ADD", z, z_h)), inner(f(b, "ADD", reset, r_h))
        new = outer(plus(b, new, times(b, f(b, "MUL", reset, h), r[2 * n :])))
    else:
        bias = np.concatenate([np.zeros(2 * n, np.float32), late])
        z_h, r_h, n_h = b.op("SPLIT", b.const(np.int32(1)), times(b, h, r, bias), num_splits=3, outputs=3)
        z, reset = inner(f(b, "ADD", z, z_h)), inner(f(b, "ADD", reset, r_h))
        new = outer(f(b, "ADD", new, f(b, "MUL", reset, n_h)))
    return f(b, "ADD", new, f(b, "MUL", z, f(b, "SUB", h, new)))
