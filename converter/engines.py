"""Models that run on samples and tell what happens inside: ours, and the source's own where it is installed.

    engine.run({"x": array})       {output name: array}, in real numbers
    engine.trace({"x": array})     every value on the way, in running order: (name, what made it, array)

Inputs are real numbers too; an engine quantizes them for itself. `Own` runs a .tflite file, `OnnxRuntime` an ONNX model
as its exporter meant it, `Keras` a Keras model. The latter two are the outside truth of a conversion: they share
nothing with our front ends.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..interpreter import _native
from ..interpreter.errors import SamaraError
from ..interpreter.interpreter import Subgraph
from ..interpreter.model import TensorSpec, load
from . import data
from .data import Array, Sample


class Value(NamedTuple):
    """One tensor of a run. `op` is what made it, in the words of the engine's format."""

    name: str
    op: str
    array: Array


class Engine(Protocol):
    name: str

    def run(self, sample: Sample) -> dict[str, Array]: ...

    def trace(self, sample: Sample) -> Iterator[Value]: ...


class EngineError(Exception):
    """An engine that is not ours cannot run the model."""


# ---- Ours ----


class Own:
    """A .tflite model in our interpreter, by the names of its signature."""

    def __init__(self, content: bytes, name: str = "samara") -> None:
        self.name = name
        self.content = content
        self.model = load(content)
        named = self.model.signatures.get("serving_default")
        self._run = self.model._main if named is None or named._subgraph else named
        # The order of the file, with the names of the signature.
        self.inputs: list[TensorSpec] = self.model.inputs
        self.outputs: list[TensorSpec] = self.model.outputs

    def _given(self, sample: Mapping[str, Array]) -> Sample:
        return {spec.name: data.adapt(sample[spec.name], spec, "the sample") for spec in self.inputs}

    def run(self, sample: Mapping[str, Array]) -> dict[str, Array]:
        self.model.reset()
        found = self._run(self._given(sample))
        values = found if isinstance(found, dict) else {self.outputs[0].name: found}
        return {spec.name: data.dequantize(values[spec.name], spec) for spec in self.outputs}

    def trace(self, sample: Mapping[str, Array]) -> Iterator[Value]:
        native = self.model._model
        sub = Subgraph(native, 0, _native.Options(keep_all=True, no_fusion=True))
        given = self._given(sample)
        for spec in self.inputs:
            sub.resize(spec.tensor, given[spec.name].shape, False)
        sub.allocate()
        for spec in self.inputs:
            sub.set(spec.tensor, given[spec.name])
        sub.invoke()
        names = {spec.tensor: spec.name for spec in self.outputs}
        for i in range(sub.info.n_nodes):
            node = native.node(0, i)
            for index in node.outputs:
                info = native.tensor(0, index)
                try:
                    value = sub.get(index)
                except SamaraError:
                    continue  # a resource, or what control flow did not make
                yield Value(names.get(index, info.name), node.op, _real(value, info))

    def takes(self, shapes: Mapping[str, Sequence[int]]) -> bool:
        """Whether the network can run with inputs of these shapes."""
        sub = Subgraph(self.model._model, 0, _native.Options())
        try:
            for spec in self.inputs:
                sub.resize(spec.tensor, shapes[spec.name], False)
            sub.allocate()
        except SamaraError:
            return False
        return True


def _real(value: Array, info: _native.TensorInfo) -> Array:
    if not info.scales or value.dtype.kind not in "iu":
        return value
    shape = [1] * value.ndim
    if len(info.scales) > 1:
        shape[info.axis] = len(info.scales)
    scales, zeros = np.array(info.scales), np.array(info.zero_points)
    real: Array = ((value.astype(np.float64) - zeros.reshape(shape)) * scales.reshape(shape)).astype(np.float32)
    return real


# ---- onnxruntime ----


class OnnxRuntime:
    """An ONNX model (path, bytes or ModelProto) in onnxruntime; EngineError where that is missing or refuses it."""

    name = "onnxruntime"

    def __init__(self, source: Any) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise EngineError("onnxruntime is not installed") from None
        self._runtime = onnxruntime
        self._source = source
        if isinstance(source, (str, os.PathLike)):
            self._session = self._open(os.fspath(source))
        else:
            self._session = self._open(source if isinstance(source, bytes) else _proto_bytes(source))

    def _open(self, model: Any) -> Any:
        options = self._runtime.SessionOptions()
        options.log_severity_level = 4
        # The model as it is written, and no copies of its weights: it runs a few times only.
        options.graph_optimization_level = self._runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.disable_prepacking", "1")
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        try:
            return self._runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own classes, none of which says more than the text
            raise EngineError(f"onnxruntime refuses the model: {_first_line(error)}") from None

    def _results(self, session: Any, sample: Sample) -> dict[str, Array]:
        names = [output.name for output in session.get_outputs()]
        wanted = {i.name for i in session.get_inputs()}
        try:
            found = session.run(names, {name: value for name, value in sample.items() if name in wanted})
        except Exception as error:
            raise EngineError(f"onnxruntime cannot run the model: {_first_line(error)}") from None
        return {name: np.asarray(value) for name, value in zip(names, found, strict=True)}

    def run(self, sample: Sample) -> dict[str, Array]:
        return self._results(self._session, sample)

    def trace(self, sample: Sample) -> Iterator[Value]:
        """By a copy of the model in which every value is an output."""
        import onnx

        if isinstance(self._source, (str, os.PathLike)):
            proto = onnx.load(os.fspath(self._source))
        elif isinstance(self._source, onnx.ModelProto):
            proto = onnx.ModelProto()
            proto.CopyFrom(self._source)
        else:
            proto = onnx.load_from_string(bytes(self._source))
        made = {name: node.op_type for node in proto.graph.node for name in node.output if name}
        present = {output.name for output in proto.graph.output}
        proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made if name not in present)
        values = self._results(self._open(proto.SerializeToString()), sample)
        for name, op in made.items():
            yield Value(name, op, values[name])


def _proto_bytes(source: Any) -> bytes:
    serialize = getattr(source, "SerializeToString", None)
    return bytes(source) if serialize is None else bytes(serialize())


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


# ---- Keras ----


class Keras:
    """A keras.Model, or a file of one, in Keras; EngineError where that is missing or refuses it.

    A file is opened by Keras only if all it names are Keras's own layers, initializers and the like: the reader of
    Keras imports what a file names, and we execute nothing from a file.
    """

    name = "Keras"

    def __init__(self, source: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """`inputs` and `outputs` are the names that our front end gave, in the order of the model."""
        if isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)):
            self._model: Any = load_keras(source)
        else:
            self._model = source
        self._inputs, self._outputs = list(inputs), list(outputs)
        if len(self._model.inputs) != len(self._inputs):
            raise EngineError(f"Keras sees {len(self._model.inputs)} inputs, the graph has {len(self._inputs)}")

    def _call(self, model: Any, sample: Sample) -> list[Array]:
        import keras

        given = [sample[name] for name in self._inputs]
        try:
            with warnings.catch_warnings(), _no_gradients():
                warnings.simplefilter("ignore")  # about nested inputs
                flat = keras.tree.flatten(model(given[0] if len(given) == 1 else given, training=False))
        except Exception as error:
            raise EngineError(f"Keras cannot run the model: {_first_line(error)}") from None
        return [np.asarray(keras.ops.convert_to_numpy(value)) for value in flat]

    def run(self, sample: Sample) -> dict[str, Array]:
        found = self._call(self._model, sample)
        if len(found) != len(self._outputs):
            raise EngineError(f"Keras gives {len(found)} outputs, the graph {len(self._outputs)}")
        return dict(zip(self._outputs, found, strict=True))

    def trace(self, sample: Sample) -> Iterator[Value]:
        """The outputs of the layers, by their names."""
        import keras

        layers = [layer for layer in self._model.layers if type(layer).__name__ != "InputLayer"]
        try:
            inside = keras.Model(self._model.inputs, [layer.output for layer in layers])
        except (AttributeError, ValueError):
            return  # layers that are called more than once, or from a subclassed model
        for layer, value in zip(layers, self._call(inside, sample), strict=False):
            yield Value(layer.name, type(layer).__name__, value)


def _no_gradients() -> contextlib.AbstractContextManager[Any]:
    """torch keeps every value on the way for them."""
    import keras

    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    context: contextlib.AbstractContextManager[Any] = torch.no_grad()
    return context


_MODULES = frozenset({
    "keras", "keras.layers", "keras.models", "keras.initializers", "keras.regularizers", "keras.constraints",
    "keras.activations", "keras.src.models.functional", "keras.src.models.sequential", "builtins",
})  # fmt: skip
_CODE = frozenset({"function", "Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})


def load_keras(source: Any) -> Any:
    """Through Keras's own reader, without what training left, after a look at every name in the file's config."""
    config = _config(source)
    if not _harmless(config):
        raise EngineError("the file names things that are not Keras's own layers, so Keras does not get to see it")
    try:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if not installed("tensorflow"):  # Keras's default
            os.environ.setdefault("KERAS_BACKEND", "torch" if installed("torch") else "jax")
        import keras
    except Exception as error:  # a backend that is missing or broken says so in many ways
        raise EngineError(f"Keras cannot be imported: {_first_line(error)}") from None
    path = source
    try:
        if isinstance(source, (bytes, bytearray, memoryview)):
            import tempfile

            with tempfile.TemporaryDirectory() as folder:
                suffix = ".keras" if bytes(source[:2]) == b"PK" else ".h5"
                path = os.path.join(folder, f"model{suffix}")
                with open(path, "wb") as file:
                    file.write(source)
                return keras.models.load_model(path, compile=False, safe_mode=True)
        return keras.models.load_model(os.fspath(path), compile=False, safe_mode=True)
    except Exception as error:
        raise EngineError(f"Keras refuses the model: {_first_line(error)}") from None


def _config(source: Any) -> Any:
    """The JSON that describes the layers."""
    is_path = isinstance(source, (str, os.PathLike))
    try:
        if (not is_path and bytes(source[:2]) == b"PK") or (is_path and zipfile.is_zipfile(source)):
            with zipfile.ZipFile(source if is_path else io.BytesIO(source)) as archive:
                return json.loads(archive.read("config.json"))
        import h5py

        with h5py.File(source if is_path else io.BytesIO(source), "r") as file:
            return json.loads(file.attrs["model_config"])
    except Exception as error:
        raise EngineError(f"the config cannot be read: {_first_line(error)}") from None


def _harmless(config: Any) -> bool:
    """Whether a config names nothing outside Keras and no code."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            module = value.get("module")
            if module is not None and module not in _MODULES:
                return False
            if value.get("class_name") in _CODE or value.get("registered_name") not in (
                None, value.get("class_name"), "Functional", "Sequential", "Model",
            ):  # fmt: skip
                return False
            waiting += [v for k, v in value.items() if k not in ("compile_config", "build_config")]
    return True


def installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    import importlib.util

    return package in sys.modules or importlib.util.find_spec(package) is not None
