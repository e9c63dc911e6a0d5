"""LSTM, GRU and RNN; recurrent.py is what they become."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from ..ir import Tensor
from .build import Unsupported
from .onnx_build import Call, op
from .onnx_ops_math import need_float
from .recurrent import gru_step, last_step, lstm_operator, plus, steps_of, times
from .words import f


class Layer:
    """What the recurrent operators share: operands by direction, and the way through time."""

    def __init__(self, c: Call, gates: int, states: int) -> None:
        self.c, self.b, self.gates = c, c.b, gates
        b = c.b
        self.batch_first = bool(c.attr("layout", 0))
        self.x = need_float(c)
        if b.rank(self.x) != 3:
            raise Unsupported("the input must have the dimensions time, batch, features")
        if self.batch_first:
            self.x = b.transpose(self.x, (1, 0, 2))
        self.w, self.r = c.array(1, "the weights"), c.array(2, "the recurrent weights")
        self.hidden = self.r.shape[2]
        if self.w.ndim != 3 or self.r.ndim != 3 or self.r.shape[1] != gates * self.hidden:
            raise Unsupported("the weights do not fit the operator")
        given = c.get(3)
        self.bias = (
            c.array(3, "the bias")
            if given is not None
            else np.zeros((len(self.w), 2 * gates * self.hidden), np.float32)
        )
        if c.get(4) is not None:
            lengths, steps = c[4], b.shape(self.x)[0]
            if not lengths.constant or not np.all(lengths.array == steps):
                raise Unsupported("sequence_lens is not supported", "export the model without packed sequences")
        direction = c.text("direction", "forward")
        self.backward = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
        if len(self.backward) != len(self.w) or c.attr("clip") is not None:
            raise Unsupported("the weights have another number of directions, or there is a clip")
        self.states = [c.get(5 + i) for i in range(states)]

    def bias_of(self, direction: int) -> np.ndarray:
        """That of the input and that of the state together."""
        half = self.gates * self.hidden
        with np.errstate(all="ignore"):
            return np.asarray(self.bias[direction][:half] + self.bias[direction][half:], np.float32)

    def initial(self, i: int, direction: int) -> Tensor | None:
        """A state at the start; None: zero."""
        t = self.states[i]
        if t is None or self.b.is_zero(t):
            return None
        if self.batch_first:
            t = self.b.transpose(t, (1, 0, 2))
        return self.b.squeeze(self.b.slice(t, [direction, 0, 0], [1, -1, -1]), [0])

    def activations(self, usual: list[str]) -> list[Callable[[Tensor], Tensor]]:
        names = self.c.attr("activations")
        given = [n.decode() if isinstance(n, bytes) else str(n) for n in names] if names else usual * len(self.backward)
        if self.c.attr("activation_alpha") is not None or self.c.attr("activation_beta") is not None:
            raise Unsupported("activations with parameters are not supported")
        known = {"sigmoid": "LOGISTIC", "tanh": "TANH", "relu": "RELU"}
        if any(n.lower() not in known for n in given) or given != given[: len(usual)] * len(self.backward):
            raise Unsupported(f"the activations {given} are not supported")
        return [functools.partial(self.b.op, known[n.lower()]) for n in given[: len(usual)]]

    def projected(self, direction: int, bias: np.ndarray) -> list[Tensor]:
        """w x + bias for every step, in the order in which they run: [batch, gates * hidden] each."""
        return steps_of(self.b, self.x, self.w[direction], bias, 0, self.backward[direction])

    def gate(self, t: Tensor) -> list[Tensor]:
        if self.gates == 1:
            return [t]
        return list(self.b.op("SPLIT", self.b.const(np.int32(1)), t, num_splits=self.gates, outputs=self.gates))

    def together(self, runs: list[list[Tensor]]) -> Tensor:
        """The outputs of all steps and directions: [time, directions, batch, hidden]."""
        b = self.b
        every = []
        for backward, run in zip(self.backward, runs, strict=True):
            ordered = run[::-1] if backward else run
            every.append(b.expand(b.op("PACK", *ordered, values_count=len(ordered), axis=0), [1]))
        return self.ordered(every)

    def ordered(self, every: list[Tensor]) -> Tensor:
        made: Tensor = self.b.op("CONCATENATION", *every, axis=1) if len(every) > 1 else every[0]
        return self.b.transpose(made, (2, 0, 1, 3)) if self.batch_first else made

    def last(self, states: list[Tensor]) -> Tensor:
        """The last states of all directions: [directions, batch, hidden]."""
        b = self.b
        every = [b.expand(t, [0]) for t in states]
        made: Tensor = b.op("CONCATENATION", *every, axis=0) if len(every) > 1 else every[0]
        return b.transpose(made, (1, 0, 2)) if self.batch_first else made


@op("LSTM")
def lstm(c: Call) -> tuple[Tensor | None, ...]:
    layer = Layer(c, 4, 2)
    n = layer.hidden
    peepholes = c.array(7, "the peepholes") if c.get(7) is not None else None
    if c.attr("input_forget", 0):
        raise Unsupported("input_forget is not supported")
    usual = ["Sigmoid", "Tanh", "Tanh"]
    custom = c.attr("activations") and [a.decode().lower() for a in c.attr("activations")] != [
        a.lower() for a in usual
    ] * len(layer.backward)
    plain = peepholes is None and not custom and not c.wants(2) and layer.b.shape(layer.x)[1] >= 0
    if plain and all(layer.initial(i, d) is None for i in (0, 1) for d in range(len(layer.backward))):
        return _lstm_operator(layer)
    b = layer.b
    inner, outer, cell = layer.activations(usual)
    runs, hs, cs = [], [], []
    for d in range(len(layer.backward)):
        h, state = layer.initial(0, d), layer.initial(1, d)
        run = []
        for step in layer.projected(d, layer.bias_of(d)):
            i, o, forget, new = layer.gate(plus(b, step, times(b, h, layer.r[d])))
            peep = None if peepholes is None else peepholes[d].reshape(3, n)  # input, output, forget
            if peep is not None and state is not None:
                i, forget = (
                    f(b, "ADD", t, f(b, "MUL", state, b.const(p))) for t, p in ((i, peep[0]), (forget, peep[2]))
                )
            fresh = f(b, "MUL", inner(i), outer(new))
            state = fresh if state is None else f(b, "ADD", f(b, "MUL", inner(forget), state), fresh)
            if peep is not None:
                o = f(b, "ADD", o, f(b, "MUL", state, b.const(peep[1])))
            h = f(b, "MUL", inner(o), cell(state))
            run.append(h)
        runs.append(run)
        hs.append(run[-1])
        cs.append(state)
    return layer.together(runs), layer.last(hs), layer.last([t for t in cs if t is not None])


def _lstm_operator(layer: Layer) -> tuple[Tensor | None, ...]:
    b, n = layer.b, layer.hidden
    width = b.shape(layer.x)[2]
    if width < 0:
        raise Unsupported("the number of features is open", "fix the shapes of the inputs")
    every, lasts = [], []
    order = [0, 2, 3, 1]  # ours: input, forget, cell, output
    for d, backward in enumerate(layer.backward):
        w, r = layer.w[d].reshape(4, n, width)[order], layer.r[d].reshape(4, n, n)[order]
        bias = layer.bias_of(d).reshape(4, n)[order]
        y = lstm_operator(b, layer.x, w, r, bias, axis=0, backward=backward, title=str(d))
        lasts.append(last_step(b, y, 0))
        every.append(b.expand(b.op("REVERSE_V2", y, b.ints([0])) if backward else y, [1]))
    return layer.ordered(every), layer.last(lasts)


@op("GRU")
def gru(c: Call) -> tuple[Tensor | None, ...]:
    layer = Layer(c, 3, 1)
    b, n = layer.b, layer.hidden
    inner, outer = layer.activations(["Sigmoid", "Tanh"])
    behind = bool(c.attr("linear_before_reset", 0))
    runs: list[list[Tensor]] = []
    for d in range(len(layer.backward)):
        wb, rb = layer.bias[d][: 3 * n].copy(), layer.bias[d][3 * n :]
        wb[: 2 * n] += rb[: 2 * n]
        if not behind:
            wb[2 * n :] += rb[2 * n :]
        h = layer.initial(0, d)
        run: list[Tensor] = []
        for step in layer.projected(d, wb):
            late = rb[2 * n :] if behind else None
            run.append(gru_step(b, layer.gate(step), h, layer.r[d], late, inner, outer))
            h = run[-1]
        runs.append(run)
    return layer.together(runs), layer.last([run[-1] for run in runs])


@op("RNN")
def rnn(c: Call) -> tuple[Tensor | None, ...]:
    layer = Layer(c, 1, 1)
    b = layer.b
    (act,) = layer.activations(["Tanh"])
    runs: list[list[Tensor]] = []
    for d in range(len(layer.backward)):
        h = layer.initial(0, d)
        run: list[Tensor] = []
        for step in layer.projected(d, layer.bias_of(d)):
            h = act(plus(b, step, times(b, h, layer.r[d])))
            run.append(h)
        runs.append(run)
    return layer.together(runs), layer.last([run[-1] for run in runs])
