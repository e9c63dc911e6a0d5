"""`samara.load`: a model as a function.

    model = samara.load("net.tflite")
    y = model(x)                      # one input; several: model(a, b), model(name=a, …), model({"name": a})

A model with one output answers an array, one with several a dictionary by output name. Inputs may have any shape the
network can take. The object may be called from many threads at once: each call takes a free session, or makes one, and
all sessions share the file and its packed weights. A model with state (variables) has one session, so that the state
has one meaning, and calls wait for each other; `reset()` sets the state back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from . import _native, arrays
from .arrays import Array
from .errors import ArgumentError
from .interpreter import Interpreter, Subgraph
from .source import Source, open_source


class TensorSpec(NamedTuple):
    """An input or output. `shape` has -1 where the size is open. Quantized: real = scale * (value - zero_point)."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float | None
    zero_point: int
    tensor: int


def _spec(model: _native.Model, subgraph: int, index: int, name: str | None) -> TensorSpec:
    info = model.tensor(subgraph, index)
    one = len(info.scales) == 1
    return TensorSpec(
        info.name if name is None else name,
        info.signature or info.shape,
        np.dtype(arrays.DTYPE[info.type]),
        info.scales[0] if one else None,
        info.zero_points[0] if one else 0,
        index,
    )


class Signature:
    """One entry point of a model, callable. `inputs` and `outputs` describe it."""

    def __init__(
        self,
        model: _native.Model,
        options: _native.Options,
        key: str,
        subgraph: int,
        inputs: list[TensorSpec],
        outputs: list[TensorSpec],
    ) -> None:
        self.key = key
        self.inputs = inputs
        self.outputs = outputs
        self._model = model
        self._options = options
        self._subgraph = subgraph
        self._names = ", ".join(spec.name for spec in inputs) or "none"
        self._by_name: dict[str, TensorSpec] = {}
        for spec in inputs:
            self._by_name.setdefault(model.tensor(subgraph, spec.tensor).name, spec)
        self._by_name.update({spec.name: spec for spec in inputs})
        count = model.subgraph(subgraph).n_tensors
        self._stateful = any(model.tensor(subgraph, i).variable for i in range(count))
        self._free: list[Subgraph] = []  # append and pop are atomic
        self._one = threading.Lock()
        self._session()

    def _session(self) -> None:
        """Adds a session to the free ones; at once in the constructor, so that a model that cannot run says so."""
        sub = Subgraph(self._model, self._subgraph, self._options)
        self._free.append(sub)

    def _match(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[int, Array]:
        if len(args) == 1 and not kwargs:
            if type(args[0]) is np.ndarray and len(self.inputs) == 1:
                return {self.inputs[0].tensor: _fit(args[0], self.inputs[0])}
            if isinstance(args[0], Mapping):
                kwargs = dict(args[0])
                args = ()
        if len(args) + len(kwargs) != len(self.inputs):
            given = len(args) + len(kwargs)
            raise ArgumentError(f"the model takes {len(self.inputs)} inputs ({self._names}), got {given}")
        values = {spec.tensor: _fit(value, spec) for spec, value in zip(self.inputs, args, strict=False)}
        for name, value in kwargs.items():
            spec = self._by_name.get(name)
            if spec is None:
                raise ArgumentError(f'the model has no input "{name}"; it has: {self._names}')
            if spec.tensor in values:
                raise ArgumentError(f'input "{spec.name}" was given twice')
            values[spec.tensor] = _fit(value, spec)
        return values

    def _run(self, sub: Subgraph, values: dict[int, Array]) -> list[Array]:
        for index, value in values.items():
            if sub.shape(index) != value.shape:
                sub.resize(index, value.shape, False)
        if not sub.ready or sub.resized:
            sub.allocate()
        for index, value in values.items():
            sub.set(index, value)
        sub.invoke()
        return [sub.get(spec.tensor) for spec in self.outputs]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values = self._match(args, kwargs)
        if self._stateful:
            with self._one:
                results = self._run(self._free[0], values)
        else:
            try:
                sub = self._free.pop()
            except IndexError:
                sub = Subgraph(self._model, self._subgraph, self._options)
            try:
                results = self._run(sub, values)
            finally:
                self._free.append(sub)
        if len(results) == 1:
            return results[0]
        return {spec.name: result for spec, result in zip(self.outputs, results, strict=True)}

    def reset(self) -> None:
        with self._one:
            for sub in list(self._free):
                sub.session.reset()

    def __repr__(self) -> str:
        def side(specs: list[TensorSpec]) -> str:
            return ", ".join(f"{s.name}: {s.dtype}{list(s.shape)}" for s in specs)

        return f"({side(self.inputs)}) -> ({side(self.outputs)})"


def _fit(value: Any, spec: TensorSpec) -> Array:
    """`value` in the input's type. Lists and numbers convert; an array converts only where no value can change
    meaning: between floats, and between integers when every value fits."""
    array: Array = value if type(value) is np.ndarray else np.asarray(value)
    if array.dtype == spec.dtype or (spec.dtype.kind == "S" and array.dtype.kind in "SUO"):
        return array
    if spec.dtype.kind in "fc" and array.dtype.kind in ("fiu" if not hasattr(value, "dtype") else "f"):
        return array.astype(spec.dtype)
    if spec.dtype.kind in "iu" and array.dtype.kind in "iu":
        limits = np.iinfo(spec.dtype)
        if array.size == 0 or (array.min() >= limits.min and array.max() <= limits.max):
            return array.astype(spec.dtype)
        raise ArgumentError(
            f'input "{spec.name}" is {spec.dtype}; values from {array.min()} to {array.max()} do not fit'
        )
    hint = ""
    if spec.scale is not None and array.dtype.kind == "f":
        hint = f" (quantize it first: value / {spec.scale:.6g} + {spec.zero_point})"
    raise ArgumentError(f'input "{spec.name}" is {spec.dtype}, got {array.dtype}{hint}')


class Model:
    """A loaded model. Calling it runs its main graph; `signatures` are its named entry points, callable alike."""

    def __init__(self, source: Source, options: _native.Options) -> None:
        self._options = options
        self._model = open_source(source, options)
        self.signatures: dict[str, Signature] = {}
        for s in self._model.signatures():
            self.signatures[s.key] = Signature(
                self._model,
                options,
                s.key,
                s.subgraph,
                [_spec(self._model, s.subgraph, i, n) for n, i in s.inputs.items()],
                [_spec(self._model, s.subgraph, i, n) for n, i in s.outputs.items()],
            )
        self._main = self._main_signature()

    def _main_signature(self) -> Signature:
        """The main graph in the order of the file, with the names of its signature where there is one."""
        info = self._model.subgraph(0)
        names_in: dict[int, str] = {}
        names_out: dict[int, str] = {}
        for s in self._model.signatures():
            if s.subgraph == 0:
                names_in = {i: n for n, i in s.inputs.items()}
                names_out = {i: n for n, i in s.outputs.items()}
                break
        return Signature(
            self._model,
            self._options,
            "",
            0,
            [_spec(self._model, 0, i, names_in.get(i)) for i in info.inputs],
            [_spec(self._model, 0, i, names_out.get(i)) for i in info.outputs],
        )

    @property
    def inputs(self) -> list[TensorSpec]:
        return self._main.inputs

    @property
    def outputs(self) -> list[TensorSpec]:
        return self._main.outputs

    @property
    def metadata(self) -> dict[str, bytes]:
        return self._model.metadata()

    def weight_cache(self) -> _native.WeightCache:
        """What became of the file named by `weight_cache`."""
        return self._model.weight_cache()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._main(*args, **kwargs)

    def reset(self) -> None:
        """Sets the state (variables) of a stateful model back to zero."""
        for signature in (self._main, *self.signatures.values()):
            signature.reset()

    def interpreter(self, **arguments: Any) -> Interpreter:
        """An Interpreter of its own that shares this model's file and packed weights."""
        arguments.setdefault("num_threads", self._options.threads)
        return Interpreter(_model=self._model, **arguments)

    def __repr__(self) -> str:
        return f"<samara model {self._main!r}>"


def load(
    source: Source,
    *,
    threads: int = 1,
    max_memory: int | None = None,
    max_ops: int | None = None,
    device: str | None = None,
    allow_fp16: bool = False,
    no_winograd: bool = False,
    weight_cache: str | os.PathLike[str] | None = None,
) -> Model:
    """Opens and verifies a `.tflite` file (a path, or the bytes) and makes it callable.

    `allow_fp16` lets a float32 model multiply in half precision on ARM processors that can: faster, answers good to
    1e-3 to 1e-2 of their range. `no_winograd` keeps the repacked weights of 3 x 3 convolutions small, and is slower.
    `weight_cache` names a file that keeps the repacked weights, so that the next process
    starts faster and shares them: one file for each model, made anew when model, library or processor change.
    `Model.weight_cache()` says what became of it.
    """
    if threads < 1:
        raise ArgumentError(f"threads is 1 or more; got {threads}")
    cache = None if weight_cache is None else os.fspath(weight_cache)
    options = _native.Options(
        threads=threads,
        max_memory=max_memory,
        max_ops=max_ops,
        device=device,
        allow_fp16=allow_fp16,
        no_winograd=no_winograd,
        weight_cache=cache,
    )
    return Model(source, options)
