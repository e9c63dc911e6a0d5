"""The optimizer: PIPELINE is the whole story, in order. `optimize(model)` runs it until nothing changes.

samara convert … --dump-after fuse        prints the graph after a pass
SAMARA_TRACE=fuse                         prints what its rules did and why they did not
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import TextIO

from ..interpreter.errors import ArgumentError
from .infer import infer
from .ir import Model
from .passes import canonicalize, cse, dce, fold, fuse, layout, patterns, share, tidy
from .rewrite import rewrite
from .text import dump

PIPELINE: list[ModuleType] = [
    canonicalize,  # one way to say each thing
    fold,  # what is constant is computed
    dce,  # what nobody needs goes
    cse,  # what is equal is done once
    layout,  # transposes meet and cancel
    tidy,  # and what is left of them is said simply
    patterns,  # formulas that have a name
    fuse,  # scales, offsets, activations, padding into their neighbours
    canonicalize,
    dce,
    share,  # equal bytes lie in the file once
]

ROUNDS = 8
"""Passes enable each other; more rounds than this mean that two of them undo each other."""


def name_of(step: ModuleType) -> str:
    return step.__name__.rsplit(".", 1)[-1]


def apply(step: ModuleType, model: Model) -> int:
    """Runs one pass; answers how many changes it made."""
    rules = getattr(step, "RULES", None)
    if rules is not None:
        return rewrite(model, rules, name=name_of(step), infer=infer)
    return int(step.run(model))


def optimize(
    model: Model,
    passes: Sequence[ModuleType] = PIPELINE,
    *,
    dump_after: Iterable[str] = (),
    out: TextIO | None = None,
) -> Model:
    """Runs the passes over and over until none changes anything; the model is changed in place and returned."""
    wanted = set(dump_after)
    unknown = wanted - {name_of(step) for step in passes}
    if unknown:
        known = ", ".join(sorted({name_of(step) for step in passes}))
        raise ArgumentError(f"no pass is called {', '.join(sorted(unknown))}; there are: {known}")
    infer(model)
    for _ in range(ROUNDS):
        changes = 0
        for step in passes:
            changes += apply(step, model)
            infer(model)
            if name_of(step) in wanted:
                print(f"# after {name_of(step)}\n{dump(model)}", file=out or sys.stderr)
        if not changes:
            break
        # A memory plan made for the old tensors says nothing about the new ones.
        model.metadata = [(name, data) for name, data in model.metadata if name != "OfflineMemoryAllocation"]
    return model
