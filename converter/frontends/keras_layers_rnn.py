"""Recurrent Keras layers: LSTM, GRU, SimpleRNN, RNN over cells, Bidirectional, TimeDistributed.

A cell projects the whole sequence at once (`enter`) and then steps through it. With a mask, a step that does not count
leaves the states as they are and repeats the last output. An LSTM whose batch is fixed becomes one operator
(recurrent.py), every other layer is written out over its steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...interpreter.errors import ModelError
from ..ir import Tensor
from .build import Unsupported
from .keras_activations import activation
from .keras_build import FIX_SHAPES, Call, flat, layer
from .recurrent import LONGEST, gru_step, last_step, lstm_operator, lstm_step, plus, times, unpacked
from .words import f


class Cell:
    """A step of a recurrent layer. `c` is the call whose configuration and weights (at `at`) it has."""

    gates = 1
    states = 1

    def __init__(self, c: Call, at: str) -> None:
        self.c, self.b = c, c.b
        self.at = at
        self.n = c.integer("units", low=1)

    def build(self, width: int) -> None:
        """Reads the weights; `width` is the number of features."""
        c, total = self.c, self.gates * self.n
        self.w = c.weight([width, total], "kernel", self.at).T
        self.r = c.weight([self.n, total], "recurrent_kernel", self.at).T
        self.bias = self.read_bias(total) if c.flag("use_bias", True) else np.zeros(total, np.float32)

    def read_bias(self, total: int) -> np.ndarray:
        return self.c.weight([total], "bias", self.at)

    def enter(self, x: Tensor) -> Tensor:
        """w x + bias of one step or of all."""
        b = self.b
        w, add = (
            b.const(np.ascontiguousarray(self.w), f"{self.c.path}/kernel"),
            b.const(self.bias, f"{self.c.path}/bias"),
        )
        return b.op("FULLY_CONNECTED", x, w, add, keep_num_dims=b.rank(x) > 2)  # type: ignore[no-any-return]

    def split(self, t: Tensor) -> list[Tensor]:
        return list(self.b.op("SPLIT", self.b.const(np.int32(1)), t, num_splits=self.gates, outputs=self.gates))

    def inner(self, t: Tensor) -> Tensor:
        default = "hard_sigmoid" if self.c.version < (2,) else "sigmoid"
        self.c.config.setdefault("recurrent_activation", default)
        return activation(self.c, t, "recurrent_activation")

    def outer(self, t: Tensor) -> Tensor:
        self.c.config.setdefault("activation", "tanh")
        return activation(self.c, t)

    def step(self, entered: Tensor, states: Sequence[Tensor | None]) -> list[Tensor]:
        """The new states; the first is the output. None: zero."""
        raise NotImplementedError


class SimpleCell(Cell):
    def step(self, entered: Tensor, states: Sequence[Tensor | None]) -> list[Tensor]:
        return [self.outer(plus(self.b, entered, times(self.b, states[0], self.r)))]


class LSTMCell(Cell):
    gates, states = 4, 2  # input, forget, cell, output; output and cell state

    def step(self, entered: Tensor, states: Sequence[Tensor | None]) -> list[Tensor]:
        gates = self.split(plus(self.b, entered, times(self.b, states[0], self.r)))
        return list(lstm_step(self.b, gates, states[1], self.inner, self.outer, self.outer))


class GRUCell(Cell):
    gates = 3  # update, reset, new

    def read_bias(self, total: int) -> np.ndarray:
        self.late: np.ndarray | None = None
        if not self.behind:
            return super().read_bias(total)
        ours, state = self.c.weight([2, total], "bias", self.at)
        self.late = state[2 * self.n :]
        return np.concatenate([ours[: 2 * self.n] + state[: 2 * self.n], ours[2 * self.n :]])

    @property
    def behind(self) -> bool:
        """Whether the reset gate comes behind the product with the state."""
        return self.c.flag("reset_after", self.c.version >= (2, 4))

    def build(self, width: int) -> None:
        super().build(width)
        if self.behind and not self.c.flag("use_bias", True):
            self.late = np.zeros(self.n, np.float32)
        elif not self.behind:
            self.late = None

    def step(self, entered: Tensor, states: Sequence[Tensor | None]) -> list[Tensor]:
        gates = self.split(entered)
        return [gru_step(self.b, gates, states[0], self.r, self.late, self.inner, self.outer)]


class Stack:
    """Cells one on top of the other."""

    def __init__(self, cells: list[Any]) -> None:
        self.cells = cells
        self.states = sum(cell.states for cell in cells)
        self.n = cells[-1].n

    def build(self, width: int) -> None:
        for cell in self.cells:
            cell.build(width)
            width = cell.n

    def enter(self, x: Tensor) -> Tensor:
        return self.cells[0].enter(x)  # type: ignore[no-any-return]

    def step(self, entered: Tensor, states: Sequence[Tensor | None]) -> list[Tensor]:
        found: list[Tensor] = []
        out, at = entered, 0
        for i, cell in enumerate(self.cells):
            made = cell.step(entered if i == 0 else cell.enter(out), states[at : at + cell.states])
            out = made[0]
            found += made
            at += cell.states
        self.out = out
        return found


CELLS = {"SimpleRNNCell": SimpleCell, "LSTMCell": LSTMCell, "GRUCell": GRUCell}
LAYERS_OF = {"SimpleRNN": SimpleCell, "LSTM": LSTMCell, "GRU": GRUCell, "CuDNNLSTM": LSTMCell}


def cell_of(c: Call, described: dict[str, Any], at: str) -> Any:
    """The cell that a configuration describes."""
    kind, config = described.get("class_name"), described.get("config")
    if not isinstance(kind, str) or not isinstance(config, dict):
        raise c.wrong("cell", "the description of a cell")
    if kind == "StackedRNNCells":
        inner = config.get("cells")
        if not isinstance(inner, list) or not inner or not all(isinstance(v, dict) for v in inner) or len(inner) > 64:
            raise c.wrong("cell", "a list of cells")
        used: dict[str, int] = {}
        cells = []
        for v in inner:
            stem = {"SimpleRNNCell": "simple_rnn_cell", "LSTMCell": "lstm_cell", "GRUCell": "gru_cell"}.get(
                str(v.get("class_name")), ""
            )
            used[stem] = used.get(stem, -1) + 1
            cells.append(cell_of(c, v, f"{at}/cells/{stem}" + (f"_{used[stem]}" if used[stem] else "")))
        return Stack(cells)
    if kind not in CELLS:
        raise Unsupported(f"cells of class {kind} are not supported", "use LSTM, GRU and SimpleRNN cells")
    return CELLS[kind](Call(c.b, kind, c.title, config, c.weights, [], {}, c.front, c.path), at)


@layer("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM")
def recurrent(c: Call) -> list[Tensor]:
    return _Run(c, LAYERS_OF[c.kind](c, "cell")).outputs()


@layer("RNN")
def rnn(c: Call) -> list[Tensor]:
    return _Run(c, cell_of(c, c.inner("cell"), "cell")).outputs()


class _Run:
    """One call of a recurrent layer."""

    def __init__(self, c: Call, cell: Any) -> None:
        self.c, self.b, self.cell = c, c.b, cell
        if not c.inputs:
            raise ModelError(f"{c.title}: it is called on nothing")
        self.x = c.b.cast(c.inputs[0], "FLOAT32")
        if c.b.rank(self.x) != 3:
            raise ModelError(f"{c.title}: the input has {c.b.rank(self.x)} dimensions, needs batch, time, features")
        if c.flag("time_major", False):
            raise Unsupported("time_major is not supported", "put the batch first")
        given = c.argument(1, "initial_state")
        states = [t for t in flat(given) if isinstance(t, Tensor)] or c.inputs[1:]
        if len(states) not in (0, cell.states):
            raise ModelError(f"{c.title}: {len(states)} initial states, the layer has {cell.states}")
        self.initial: list[Tensor | None] = list(states) or [None] * cell.states
        self.backward = c.flag("go_backwards", False)
        mask = c.argument(2, "mask")
        mask = mask if isinstance(mask, Tensor) else c.front.masks.get(id(c.inputs[0]))
        self.mask: Tensor | None = None if mask is None else c.b.cast(mask, "BOOL")
        cell.build(c.size(self.x, 2, "the number of features"))

    def outputs(self) -> list[Tensor]:
        c, b = self.c, self.b
        all_of_them, with_states = c.flag("return_sequences", False), c.flag("return_state", False)
        if self.is_operator(with_states):
            n = self.cell.n
            w, r = (v.reshape(4, n, -1) for v in (self.cell.w, self.cell.r))
            y = lstm_operator(
                b, self.x, w, r, self.cell.bias.reshape(4, n), axis=1, backward=self.backward,
                stateful=c.flag("stateful", False),
            )  # fmt: skip
            return [self.masked(y if all_of_them else last_step(b, y, 1))]
        if c.flag("stateful", False):
            raise Unsupported(
                "a stateful layer that is not a plain LSTM over a fixed batch is not supported",
                "pass the states: initial_state and return_state",
            )
        outs, states = self.written_out(all_of_them)
        made = b.op("PACK", *outs, values_count=len(outs), axis=1) if all_of_them else outs[-1]
        return [self.masked(made) if all_of_them else made, *(states if with_states else [])]

    def masked(self, y: Tensor) -> Tensor:
        """A sequence has the mask of the input."""
        if self.mask is not None and self.c.flag("return_sequences", False):
            self.c.front.set_mask(y, self.mask)
        return y

    def is_operator(self, with_states: bool) -> bool:
        cell, c = self.cell, self.c
        if not isinstance(cell, LSTMCell) or with_states or self.mask is not None or any(self.initial):
            return False
        usual = (c.config.get("activation", "tanh"), c.config.get("recurrent_activation", "sigmoid"))
        return usual == ("tanh", "sigmoid") and self.b.shape(self.x)[0] > 0

    def written_out(self, all_of_them: bool) -> tuple[list[Tensor], list[Tensor]]:
        """The outputs of the steps in the order in which they run, and the last states."""
        c, b, cell = self.c, self.b, self.cell
        count = b.shape(self.x)[1]
        if not 0 < count <= LONGEST:
            raise Unsupported(
                f"a layer over {'an open number of' if count < 0 else count} steps cannot be written out",
                f"fix the length of the sequence to at most {LONGEST}, or for an LSTM the batch",
            )
        steps = unpacked(b, cell.enter(self.x), 1, self.backward)
        marks = None
        if self.mask is not None:
            marks = [b.expand(t, [1]) for t in unpacked(b, self.mask, 1, self.backward)]
        states = list(self.initial)
        outs: list[Tensor] = []
        out: Tensor | None = None
        zero = c.flag("zero_output_for_mask", False)
        for i, step in enumerate(steps):
            made = cell.step(step, states)
            new = cell.out if isinstance(cell, Stack) else made[0]
            if marks is None:
                states, out = made, new
            else:
                states = [self.chosen(marks[i], v, old) for v, old in zip(made, states, strict=True)]
                out = self.chosen(marks[i], new, None if zero and all_of_them else out)
            outs.append(out)
        return outs, [t for t in states if t is not None]

    def chosen(self, mark: Tensor, new: Tensor, old: Tensor | None) -> Tensor:
        if old is None:
            return f(self.b, "MUL", new, self.b.cast(mark, "FLOAT32"))
        return self.b.op("SELECT_V2", mark, new, old)  # type: ignore[no-any-return]


# ---- Wrappers ----


@layer("Bidirectional")
def bidirectional(c: Call) -> list[Tensor]:
    b = c.b
    forward = c.inner("forward_layer") if c.has("forward_layer") else c.inner("layer")
    if c.has("backward_layer"):
        backward = c.inner("backward_layer")
    else:
        config = forward.get("config")
        if not isinstance(config, dict):
            raise c.wrong("layer", "the description of a layer")
        backward = {**forward, "config": {**config, "go_backwards": not config.get("go_backwards", False)}}
    states = [t for t in flat(c.argument(1, "initial_state")) if isinstance(t, Tensor)] or c.inputs[1:]
    if len(states) % 2:
        raise ModelError(f"{c.title}: {len(states)} initial states for two directions")
    half = len(states) // 2
    mask = c.argument(2, "mask")
    sides = []
    for described, at, own in ((forward, "forward_layer", states[:half]), (backward, "backward_layer", states[half:])):
        named = {"initial_state": own or None, "mask": mask}
        sides.append(c.front.call(described, c.weights.inside(at), [c.inputs[0]], named, f"{c.path}/{at}"))
    (y, *left), (z, *right) = sides
    config = forward.get("config", {})
    if config.get("return_sequences", False):
        z = b.op("REVERSE_V2", z, b.ints([1]))
    mode = c.config.get("merge_mode", "concat")
    if mode is None:
        made = [y, z]
    elif mode == "concat":
        made = [b.op("CONCATENATION", y, z, axis=b.rank(y) - 1)]
    elif mode == "ave":
        made = [f(b, "MUL", f(b, "ADD", y, z), 0.5)]
    elif mode in ("sum", "mul"):
        made = [f(b, "ADD" if mode == "sum" else "MUL", y, z)]
    else:
        raise c.wrong("merge_mode", "concat, sum, mul, ave or null")
    known = mask if isinstance(mask, Tensor) else c.front.masks.get(id(c.inputs[0]))
    if known is not None and config.get("return_sequences", False):
        for t in made:
            c.front.set_mask(t, known)
    return [*made, *left, *right]


ELEMENTWISE = (
    "Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Dropout", "Identity", "Rescaling", "LayerNormalization",
)  # fmt: skip
"""Layers that do to every step what they do to all at once (with axes from the end)."""


@layer("TimeDistributed", mask=True)
def time_distributed(c: Call) -> list[Tensor]:
    b, x = c.b, c.input
    described = c.inner("layer")
    weights = c.weights.inside("layer")
    dims = b.shape(x)
    if len(dims) < 2:
        raise ModelError(f"{c.title}: the input has {len(dims)} dimensions, needs batch, time and more")
    inner = described.get("config")
    last = isinstance(inner, dict) and inner.get("axis", -1) in (-1, [-1])
    if len(dims) > 2 and described["class_name"] in ELEMENTWISE and last:
        return c.front.call(described, weights, [x], {}, f"{c.path}/layer")  # type: ignore[no-any-return]
    if -1 in dims[2:] or dims[:2] == (-1, -1):
        raise Unsupported("steps of open size are not supported", FIX_SHAPES)
    total = -1 if -1 in dims[:2] else math.prod(dims[:2])
    flat_in = b.reshape(x, [total, *dims[2:]])
    results = c.front.call(described, weights, [flat_in], {}, f"{c.path}/layer")
    made = []
    for t in results:
        rest = b.shape(t)[1:]
        if -1 in rest:
            raise Unsupported("steps of open size are not supported", FIX_SHAPES)
        made.append(b.reshape(t, [*dims[:2], *rest]))
    return made


@layer("Wrapper")
def wrapper(c: Call) -> list[Tensor]:
    return c.front.call(c.inner("layer"), c.weights.inside("layer"), c.args, c.kwargs, f"{c.path}/layer")  # type: ignore[no-any-return]
