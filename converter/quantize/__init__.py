"""The quantizer: float32 graphs become integer ones (or keep float arithmetic with small weights).

report = quantize(model, "static_wi8_ai8", samples, io_dtype="int8")     # samples: iterable of {input name: array}

recipe.py       what is wanted            constraints.py  what every operator asks of its scales, as data
calibrate.py    ranges of activations     solve.py        which nodes, which tensors share a scale
apply.py        into the graph            weights.py      recipes that leave activations in float32
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ...interpreter.errors import ArgumentError
from ..infer import infer
from ..ir import Model
from . import static, weights
from .calibrate import Progress
from .recipe import RECIPES, Recipe, recipe_of
from .report import Entry, Report

__all__ = ["RECIPES", "Entry", "Recipe", "Report", "quantize", "recipe_of"]


def quantize(
    model: Model,
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe,
    calibration: Iterable[Mapping[str, Any]] | None = None,
    *,
    io_dtype: str | Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Quantizes a model in place. `calibration` is for static recipes: samples as {input name: array}, in float32 where
    the input is; it is read once, one sample at a time. `io_dtype`: "float32" (as is, the default), "int8", "uint8" or
    "int16" for all inputs and outputs that hold real numbers, or a dict of name: type.

    Raises ArgumentError for a recipe, type or sample that does not fit, DataError for NaN in constants or activations.
    """
    chosen = recipe_of(recipe)
    infer(model)
    if chosen.static:
        report = static.run(model, chosen, calibration, io_dtype, progress)
    else:
        if io_dtype is not None and set([io_dtype] if isinstance(io_dtype, str) else io_dtype.values()) != {"float32"}:
            raise ArgumentError(f"recipe {chosen.name} keeps inputs and outputs in float32; io_dtype is {io_dtype!r}")
        report = weights.run(model, chosen)
    # A memory plan made for the old tensors says nothing about the new ones.
    model.metadata = [(name, data) for name, data in model.metadata if name != "OfflineMemoryAllocation"]
    model.verify(complete=True)
    return report
