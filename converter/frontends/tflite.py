""".tflite in, our graph out: nothing to translate, only to check. The runtime verifies the file before it is read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ...interpreter import _native
from ...interpreter.errors import FileError, SamaraError, UnsupportedError
from ...interpreter.source import open_source
from ..export import from_bytes
from ..infer import infer
from ..ir import GraphError, Model


def load(source: Any, shapes: Mapping[str, Sequence[int]] | None = None) -> Model:
    """Reads a .tflite model: a path or bytes. `shapes` gives inputs of the main graph other shapes."""
    open_source(source, _native.Options())
    model = from_bytes(content(source))
    if shapes:
        _reshape(model, shapes)
    return model


def content(source: Any) -> bytes:
    """The bytes of a file, or those that are given. FileError if it cannot be read."""
    if not isinstance(source, (str, os.PathLike)):
        return bytes(source)
    try:
        with open(source, "rb") as file:
            return file.read()
    except OSError as error:
        raise FileError(f"'{os.fspath(source)}' cannot be read: {error.strerror or error}") from None


def _reshape(model: Model, shapes: Mapping[str, Sequence[int]]) -> None:
    graph = model.main
    inputs = {t.name: t for t in graph.inputs}
    for s in model.signatures:
        if s.graph is graph:
            inputs.update(s.inputs)
    for name, shape in shapes.items():
        if name not in inputs:
            raise UnsupportedError(f"shapes names '{name}', the inputs are {', '.join(inputs) or 'none'}")
        t = inputs[name]
        if t.shape is not None and len(shape) != len(t.shape):
            raise UnsupportedError(f"input '{name}' has shape {list(t.shape)}, shapes says {list(shape)}")
        t.shape, t.concrete = tuple(int(d) for d in shape), None
    if any(node.graphs for node in graph):
        raise UnsupportedError("a model with control flow cannot get other shapes; resize its inputs when it runs")
    for node in graph:
        for t in node.outputs:
            t.shape = t.concrete = None
    try:
        infer(model)
    except (GraphError, SamaraError) as error:
        raise UnsupportedError(f"the model cannot take these shapes: {error}") from None
