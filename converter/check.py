"""Whether a model can be converted, without converting it: everything that stands in the way, at once.

for problem in check("net.onnx").problems: print(problem.layer, problem.reason, problem.remedy)
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..interpreter.errors import UnsupportedError
from .convert import _Conversion, _operators
from .engines import Own
from .export import to_bytes
from .inputs import index_limits, input_specs, random_samples


class Problem(NamedTuple):
    """One blocker. `layer` is the source's operator or layer with its name; "" where it is the model as a whole."""

    layer: str
    reason: str
    remedy: str


class Check(NamedTuple):
    problems: list[Problem]
    operators: dict[str, int]
    """Of the converted model: name -> count; empty if there are problems."""
    quantization: Any = None
    """With a recipe: what each operator would become, and why some would stay float."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "convertible": not self.problems,
            "problems": [problem._asdict() for problem in self.problems],
            "operators": self.operators,
            "quantization": None if self.quantization is None else self.quantization.to_dict(),
        }


_LINE = re.compile(r"(?P<layer>\S+ '(?:[^']|'(?!: ))*'): (?P<reason>.*?)(?:; (?P<remedy>.*))?$")


def problems_of(error: UnsupportedError) -> list[Problem]:
    """The lines of a front end's complaint, taken apart."""
    found = []
    for line in str(error).splitlines():
        match = _LINE.match(line)
        if match:
            found.append(Problem(match["layer"], match["reason"], match["remedy"] or ""))
        else:
            reason, _, remedy = line.partition("; ")
            found.append(Problem("", reason, remedy))
    return found


def check(source: Any, recipe: Any = None, *, shapes: Mapping[str, Sequence[int]] | None = None) -> Check:
    """Reads, optimizes and, with a recipe, quantizes a model on random data, and keeps only what there is to say.

    Raises what `convert` raises, but for UnsupportedError, whose lines become problems.
    """
    try:
        work = _Conversion(source, shapes, (), True, recipe, None, None)
        model = work.read()
        specs, limits = input_specs(model), index_limits(model)
        engine = Own(to_bytes(model))
        work.improve(model)
        report = None
        if recipe is not None:
            samples = list(random_samples(specs, engine.takes, limits)) if work.recipe.static else None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that these are few samples
                report = work.quantized(model, samples)
        model.verify(complete=True)
        Own(to_bytes(model))
    except UnsupportedError as error:
        return Check(problems_of(error), {})
    return Check([], _operators(model), report)
