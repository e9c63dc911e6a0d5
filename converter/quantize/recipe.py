"""Recipes: what becomes of weights and activations. A name, a dict, a JSON file, or a Recipe.

    {"recipe": "static_wi8_ai8", "calibration": "percentile", "percentile": 99.99, "per_channel": true,
     "keep_float": ["SOFTMAX", "head/*"]}

`keep_float` are patterns (* and ?) for names of operators or of nodes (a node is named by its first output).
"""

from __future__ import annotations

import dataclasses
import fnmatch
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...interpreter.errors import ArgumentError, FileError
from ..ir import Node

CALIBRATIONS = ("min-max", "percentile")


@dataclass(frozen=True)
class Recipe:
    """`activations`: INT8, INT16, or "" where they stay float32. `compute`: what the operators then do."""

    name: str
    weights: str  # INT8 or FLOAT16
    activations: str = ""
    compute: str = "integer"  # "integer", "dynamic" (float kernels with int8 weights), "float" (weights unpacked)
    calibration: str = "min-max"
    percentile: float = 99.99
    per_channel: bool = True
    keep_float: tuple[str, ...] = ()
    min_elements: int = 1024  # smaller weights stay, where activations do

    @property
    def static(self) -> bool:
        return bool(self.activations)

    def keeps(self, node: Node) -> bool:
        """Whether keep_float names the node."""
        names = (node.op, node_name(node))
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.keep_float for name in names)


RECIPES = {
    r.name: r
    for r in (
        Recipe("static_wi8_ai8", "INT8", "INT8"),
        Recipe("static_wi8_ai16", "INT8", "INT16"),
        Recipe("dynamic_wi8_afp32", "INT8", compute="dynamic"),
        Recipe("weight_only_wi8_afp32", "INT8", compute="float"),
        Recipe("float16", "FLOAT16", compute="float", min_elements=64),
    )
}

_KEYS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "calibration": (str, f"one of {', '.join(CALIBRATIONS)}"),
    "percentile": ((int, float), "a number above 50, at most 100"),
    "per_channel": (bool, "true or false"),
    "keep_float": ((list, tuple), "a list of patterns"),
    "min_elements": (int, "a number of elements"),
}


def node_name(node: Node) -> str:
    """What reports and keep_float call a node: the name of its first output."""
    return node.outputs[0].name if node.outputs else ""


def recipe_of(source: str | os.PathLike[str] | Mapping[str, Any] | Recipe) -> Recipe:
    """A Recipe from whatever names one. Raises ArgumentError that names the key and the choices, or FileError."""
    if isinstance(source, Recipe):
        return source
    if isinstance(source, Mapping):
        return _from_dict(source)
    text = os.fspath(source)
    if text in RECIPES:
        return RECIPES[text]
    if not text.endswith(".json"):
        raise ArgumentError(f"recipe {text!r} is unknown; there are: {', '.join(RECIPES)}, or a file *.json")
    try:
        read = json.loads(Path(text).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"recipe {text!r} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"recipe {text!r} is not JSON: {error}") from None
    if not isinstance(read, dict):
        raise ArgumentError(f"recipe {text!r} must be a JSON object with the key 'recipe'")
    return _from_dict(read)


def _from_dict(source: Mapping[str, Any]) -> Recipe:
    given = dict(source)
    name = given.pop("recipe", None)
    if not isinstance(name, str) or name not in RECIPES:
        what = "lacks the key 'recipe'" if name is None else f"names {name!r}, which is unknown"
        raise ArgumentError(f"the recipe {what}; 'recipe' is one of: {', '.join(RECIPES)}")
    for key, value in given.items():
        if key not in _KEYS:
            raise ArgumentError(
                f"the recipe has the key {key!r}, which is unknown; there are: recipe, {', '.join(_KEYS)}"
            )
        kind, choices = _KEYS[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ArgumentError(f"the recipe's {key!r} is {value!r}, must be {choices}")
    if given.get("calibration", CALIBRATIONS[0]) not in CALIBRATIONS:
        raise ArgumentError(
            f"the recipe's 'calibration' is {given['calibration']!r}, must be {_KEYS['calibration'][1]}"
        )
    if not 50 < given.get("percentile", 100) <= 100:
        raise ArgumentError(f"the recipe's 'percentile' is {given['percentile']}, must be {_KEYS['percentile'][1]}")
    if given.get("min_elements", 0) < 0:
        raise ArgumentError(f"the recipe's 'min_elements' is {given['min_elements']}, must be 0 or more")
    patterns = given.get("keep_float", ())
    if not all(isinstance(p, str) for p in patterns):
        raise ArgumentError("the recipe's 'keep_float' must hold strings: names of operators or nodes, with * and ?")
    given["keep_float"] = tuple(patterns)
    return dataclasses.replace(RECIPES[name], **given)
