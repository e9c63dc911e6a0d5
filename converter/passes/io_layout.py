"""The inputs and outputs of a channels-first network become channels-last, where that saves transposes.

`layout` leaves one transpose at an input of pictures and one at an output of masks: the network was made for
[N, C, H, W], its operators want [N, H, W, C]. Whoever feeds the network has pictures in the latter order anyway.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...interpreter.errors import UnsupportedError
from ..ir import Graph, Model, Tensor
from . import layout

PERMUTATIONS = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
"""By rank: from channels-first to channels-last."""


def channels_last(model: Model, keep: Iterable[str] = ()) -> dict[str, tuple[int, ...]]:
    """Turns inputs and outputs of rank 3 to 5 of the main graph from [N, C, …] to [N, …, C], except those in `keep`.

    One is turned if fewer elements are transposed afterwards, so one that no convolution needs otherwise stays. Call it
    on an optimized model; it is changed in place, and optimized again if anything was turned. Names stay, in signatures
    too. Answers {name: perm} of what was turned: `converted = source.transpose(perm)`, for outputs as for inputs.
    UnsupportedError: `keep` names what is neither an input nor an output.
    """
    from ..pipeline import optimize

    names = [*_names(model, outputs=False), *_names(model, outputs=True)]
    kept = set(keep)
    unknown = sorted(kept - set(names))
    if unknown:
        raise UnsupportedError(
            f"the layout of {unknown[0]!r} cannot be kept: the inputs and outputs are {', '.join(names)}"
        )
    waiting = [
        (outputs, i)
        for outputs in (False, True)
        for i, name in enumerate(_names(model, outputs=outputs))
        if name not in kept and _turnable(model.main, outputs, i)
    ]
    turned: list[tuple[bool, int]] = []
    for one in list(waiting):
        if _try(model, [one]):
            turned.append(one)
            waiting.remove(one)
    if len(waiting) > 1 and _try(model, waiting):  # operands of one operator turn together or not at all
        turned += waiting
    if turned:
        optimize(model)
    found = {}
    for outputs, i in turned:
        tensor = _ends(model.main, outputs)[i]
        found[_names(model, outputs=outputs)[i]] = PERMUTATIONS[len(tensor.shape or ())]
    return found


def _ends(graph: Graph, outputs: bool) -> list[Tensor]:
    return graph.outputs if outputs else graph.inputs


def _names(model: Model, *, outputs: bool) -> list[str]:
    """What the main graph's inputs or outputs are called: in its signature, else themselves."""
    called: dict[int, str] = {}
    for s in model.signatures:
        if s.graph is model.main:
            for name, t in (s.outputs if outputs else s.inputs).items():
                called.setdefault(id(t), name)
    return [called.get(id(t), t.name) for t in _ends(model.main, outputs)]


def _turnable(graph: Graph, outputs: bool, i: int) -> bool:
    t = _ends(graph, outputs)[i]
    if t.rank not in PERMUTATIONS or t.variable or (t.producer is None) is outputs:
        return False
    return layout.per_tensor(t) and t.outputs == int(outputs)


def _try(model: Model, ends: list[tuple[bool, int]]) -> bool:
    """Turns some inputs and outputs if that pays."""
    from ..pipeline import optimize
    from . import tidy

    before = _cost(model)
    if before == (0, 0, 0):
        return False
    trial = model.copy()
    for outputs, i in ends:
        _turn(trial, outputs, i)
    optimize(trial, [layout, tidy])
    if _cost(trial) >= before:
        return False
    model.__dict__.update(trial.__dict__)
    return True


def _cost(model: Model) -> tuple[int, int, int]:
    """What transposes move, how many there are, and how many reshapes (a transpose that moves nothing becomes one)."""
    return (*layout.cost(model), sum(node.op == "RESHAPE" for node in model.nodes()))


def _turn(model: Model, outputs: bool, i: int) -> None:
    graph = model.main
    t = _ends(graph, outputs)[i]
    assert t.shape is not None
    perm = PERMUTATIONS[len(t.shape)]
    shape = tuple(t.shape[a] for a in perm)
    if outputs:
        made = graph.op("TRANSPOSE", t, graph.constant(np.array(perm, np.int32)), type=t.type, shape=shape)
        made.quantization = t.quantization
        made.name, t.name = t.name, graph.unique_name(f"{t.name}/channels_first")
        graph.outputs = [made if one is t else one for one in graph.outputs]
        for s in model.signatures:
            s.outputs = {name: made if one is t else one for name, one in s.outputs.items()}
        return
    back = graph.constant(np.argsort(perm).astype(np.int32))
    name = graph.unique_name(f"{t.name}/channels_first")
    made = Tensor(name, t.type, t.shape, quantization=t.quantization)
    graph.replace_uses(t, made)
    turn = graph.op("TRANSPOSE", t, back, before=next(iter(graph), None), name=name, type=t.type, shape=t.shape)
    turn.quantization = t.quantization
    graph.replace_uses(made, turn)
    t.shape = shape
    t.concrete = None if t.concrete is None else tuple(t.concrete[a] for a in perm)
