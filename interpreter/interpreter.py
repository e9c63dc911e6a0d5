"""`samara.Interpreter`: the interface of `ai_edge_litert.interpreter.Interpreter` over our runtime.

A program written for LiteRT changes its import and nothing else. What is different, on purpose:

- Reading a tensor whose memory has been given to a later one raises; it never answers left-over bytes. With
  `experimental_preserve_all_tensors=True` every tensor stays readable.
- An Interpreter may be used from several threads: calls wait for each other. For work at the same time make one
  Interpreter per thread; `Model.interpreter()` of `samara.load` makes them share the file and its packed weights.
- Delegates and custom operators compiled against LiteRT cannot be loaded, which an error says; the op resolver type
  is accepted and changes nothing, because there is one set of kernels.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Mapping, Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from . import _native, arrays
from .arrays import Array
from .errors import ArgumentError, SamaraError, StateError, UnsupportedError
from .source import open_bytes, open_path

Details = dict[str, Any]


@enum.unique
class OpResolverType(enum.Enum):
    """Accepted for compatibility; Samara has one set of kernels."""

    AUTO = 0
    BUILTIN = 1
    BUILTIN_REF = 2
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 3


class Delegate:
    """LiteRT's handle of a delegate library. Samara cannot use such libraries, so making one always raises."""

    def __init__(self, library: str, options: Mapping[str, Any] | None = None) -> None:
        raise UnsupportedError(f"'{library}' is a LiteRT delegate; Samara runs models itself and loads no delegates")


def load_delegate(library: str, options: Mapping[str, Any] | None = None) -> Delegate:
    """Raises UnsupportedError, a ValueError as LiteRT raises when a delegate cannot be loaded."""
    return Delegate(library, options)


class _Lease:
    """Every numpy view of a session's memory holds the session's lease: its reference count tells if views live."""

    def __init__(self, session: _native.Session) -> None:
        self.session = session


_ndarray = np.ndarray
SMALL = 256  # elements; numpy gives up the GIL from 500 on


class Subgraph:
    """One subgraph of a model with a session of its own, in terms of numpy arrays."""

    def __init__(self, model: _native.Model, index: int, options: _native.Options) -> None:
        self.model = model
        self.index = index
        self.info = model.subgraph(index)
        self.session = _native.Session(model, index, options)
        self.ready = False
        self.resized = False
        self._lease = _Lease(self.session)
        self._tensors: dict[int, _native.TensorInfo] = {}
        # Views of inputs and outputs whose memory stays where it is until the next resize, and for inputs what a value
        # must be to be copied there as it is; under session.lock.
        self._fixed: dict[int, Array] = {}
        self._fits: dict[int, tuple[Array, np.dtype[Any], tuple[int, ...]]] = {}
        self._all_fixed: bool | None = None
        # Those of at most SMALL elements, which numpy copies without giving up the GIL: nobody can come between a look
        # into these dictionaries and the copy, so neither needs the lock, only that no run is under way.
        self.small_inputs: dict[int, tuple[Array, np.dtype[Any], tuple[int, ...]]] = {}
        self.small: dict[int, Array] = {}

    # The count is 2 when nobody else holds the lease: the attribute, and the argument of getrefcount.
    def safe(self) -> bool:
        return getrefcount(self._lease) == 2

    def ensure_safe(self) -> None:
        if not self.safe():
            raise RuntimeError(
                "a numpy array made by tensor() still refers to the memory of this interpreter; "
                "keep the function that tensor() returns, and drop the arrays it gives before this call"
            )

    def tensor(self, index: int) -> _native.TensorInfo:
        try:
            return self._tensors[index]
        except KeyError:
            return self._tensors.setdefault(index, self.model.tensor(self.index, index))

    def allocate(self) -> None:
        self._forget()
        self.session.prepare()
        if self.resized:
            self.session.reset()
        self.ready, self.resized = True, False

    def _forget(self) -> None:
        with self.session.lock:
            self._fixed.clear()
            self._fits.clear()
            self.small_inputs.clear()
            self.small.clear()
            self._all_fixed = None

    def _fix(self, index: int) -> None:
        """Remembers the view of an input or output, unless a shape of this subgraph is found only while running."""
        if self.resized or (index not in self.info.inputs and index not in self.info.outputs):
            return
        if self._all_fixed is None:
            self._all_fixed = not self.session.any_dynamic(self.info.n_tensors)
        view = self.session.view(index)
        if self._all_fixed and view.address and view.type != arrays.STRING and view.type not in arrays.SUB_BYTE:
            dtype = np.dtype(arrays.DTYPE[view.type])
            with self.session.lock:
                if not self.resized:
                    fixed = self._fixed[index] = arrays.lend(view.address, view.shape, dtype, self.session)
                    if index in self.info.inputs:
                        self._fits[index] = fixed, fixed.dtype, fixed.shape
                    if fixed.size <= SMALL:
                        self.small[index] = fixed
                        if index in self._fits:
                            self.small_inputs[index] = self._fits[index]

    def invoke(self) -> None:
        if not self.ready:
            raise StateError("invoke() came before allocate_tensors()", status="SAM_STATE", subgraph=self.index)
        self.session.invoke()

    def resize(self, index: int, shape: Sequence[int], strict: bool) -> None:
        before, self.resized = self.resized, True
        self._forget()
        try:
            self.session.resize(index, list(shape), strict)
        except SamaraError:
            self.resized = before
            raise

    def shape(self, index: int) -> tuple[int, ...]:
        fixed = self._fixed.get(index)
        return self.session.view(index).shape if fixed is None else fixed.shape

    def set(self, index: int, value: Any) -> None:
        session = self.session
        session.acquire()
        try:
            fits = self._fits.get(index)
            # Built-in types have one dtype object each; the others take the long way.
            if fits and type(value) is np.ndarray and value.dtype is fits[1] and value.shape == fits[2]:
                fits[0][...] = value
                return
        finally:
            session.release()
        if not self.ready:
            raise StateError("a tensor was set before allocate_tensors()", status="SAM_STATE", tensor=index)
        info = self.tensor(index)
        dtype, shape = np.dtype(arrays.DTYPE[info.type]), self.session.view(index).shape
        array = np.asarray(value)
        strings = info.type == arrays.STRING
        if array.dtype != dtype and not (strings and array.dtype.kind in "SUO"):
            got = arrays.type_name(array.dtype)
            raise ArgumentError(
                f"tensor {index} '{info.name}' holds {_native.TYPES[info.type]}, the value has type {got}",
                status="SAM_INVALID_ARGUMENT",
                tensor=index,
            )
        if array.shape != shape:
            raise ArgumentError(
                f"tensor {index} '{info.name}' has shape {list(shape)}, the value has shape {list(array.shape)}",
                status="SAM_INVALID_ARGUMENT",
                tensor=index,
            )
        if strings:
            self.session.write(index, arrays.pack_strings(array))
        elif info.type in arrays.SUB_BYTE:
            self.session.write(index, arrays.pack_bits(array, info.type))
        else:
            # The byte view also admits types that the buffer protocol has no letter for.
            self.session.write(index, np.ascontiguousarray(array).reshape(-1).view(np.uint8))
            self._fix(index)

    def _readable(self, index: int) -> _native.View:
        if not self.ready:
            raise StateError("a tensor was read before allocate_tensors()", status="SAM_STATE", tensor=index)
        view = self.session.view(index)
        if not view.address and view.bytes:
            name = self.tensor(index).name
            raise StateError(
                f"tensor {index} '{name}' has no value to read: its memory is used by another tensor or it was "
                "computed as part of another operator; experimental_preserve_all_tensors=True keeps all tensors",
                status="SAM_STATE",
                tensor=index,
            )
        return view

    def get(self, index: int) -> Array:
        session = self.session
        session.acquire()
        try:
            fixed = self._fixed.get(index)
            if fixed is not None:
                copy: Array = fixed.copy()
                return copy
        finally:
            session.release()
        info = self.tensor(index)
        view = self._readable(index)
        if info.type == arrays.STRING:
            raw = np.empty(view.bytes, np.uint8)
            self.session.read(index, raw)
            return arrays.unpack_strings(raw.tobytes(), view.shape)
        if info.type in arrays.SUB_BYTE:
            raw = np.empty(view.bytes, np.uint8)
            self.session.read(index, raw)
            count = int(np.prod(view.shape, dtype=np.int64))
            return arrays.unpack_bits(raw, info.type, count).reshape(view.shape)
        out = np.empty(view.shape, arrays.DTYPE[info.type])
        self.session.read(index, out.reshape(-1).view(np.uint8))
        self._fix(index)
        return out

    def view(self, index: int) -> Array:
        """The tensor's own memory."""
        info = self.tensor(index)
        view = self._readable(index)
        if info.type == arrays.STRING or info.type in arrays.SUB_BYTE:
            name = _native.TYPES[info.type]
            raise UnsupportedError(f"tensor {index} '{info.name}' is {name}, which numpy cannot view; use get_tensor()")
        dtype = np.dtype(arrays.DTYPE[info.type])
        if not view.bytes:
            return np.empty(view.shape, dtype)
        return arrays.lend(view.address, view.shape, dtype, self._lease)

    def details(self, index: int) -> Details:
        info = self.tensor(index)
        shape = np.array(self.shape(index), np.int32)
        one = len(info.scales) == 1
        return {
            "name": info.name,
            "index": index,
            "shape": shape,
            "shape_signature": np.array(info.signature, np.int32) if info.signature else shape.copy(),
            "dtype": arrays.DTYPE[info.type],
            "quantization": (info.scales[0], info.zero_points[0]) if one else (0.0, 0),
            "quantization_parameters": {
                "scales": np.array(info.scales, np.float32),
                "zero_points": np.array(info.zero_points, np.int32),
                "quantized_dimension": info.axis,
                "block_size": info.block_size,
            },
            "sparsity_parameters": {},
        }


class SignatureRunner:
    """Runs one signature: `runner(x=array, y=array)` answers a dictionary of named results.

    Made by Interpreter.get_signature_runner. Inputs take the shapes of the arrays passed.
    """

    def __init__(self, interpreter: Interpreter | None = None, signature_key: str | None = None) -> None:
        if not interpreter:
            raise ValueError("None interpreter provided.")
        if not signature_key:
            raise ValueError("None signature_key provided.")
        found = interpreter._signatures.get(signature_key)
        if found is None:
            known = ", ".join(f'"{key}"' for key in interpreter._signatures) or "none"
            raise ArgumentError(f'the model has no signature "{signature_key}"; it has: {known}')
        self._signature = found
        self._interpreter = interpreter
        self._signature_key = signature_key
        self._inputs = dict(sorted(found.inputs.items()))
        self._outputs = dict(sorted(found.outputs.items()))
        self._subgraph_index = found.subgraph

    def __call__(self, **kwargs: Any) -> dict[str, Array]:
        if len(kwargs) != len(self._inputs):
            names = ", ".join(self._inputs)
            raise ArgumentError(
                f'signature "{self._signature_key}" takes {len(self._inputs)} inputs ({names}), got {len(kwargs)}'
            )
        for name in kwargs:
            if name not in self._inputs:
                names = ", ".join(self._inputs)
                raise ArgumentError(f'signature "{self._signature_key}" has no input "{name}"; it has: {names}')
        sub = self._interpreter._subgraph(self._subgraph_index)
        sub.ensure_safe()
        values = {self._inputs[name]: np.asarray(value) for name, value in kwargs.items()}
        for index, value in values.items():
            if sub.shape(index) != value.shape:
                sub.resize(index, value.shape, False)
        if not sub.ready or sub.resized:
            sub.allocate()
        for index, value in values.items():
            sub.set(index, value)
        sub.invoke()
        return {name: sub.get(index) for name, index in self._outputs.items()}

    def get_input_details(self) -> dict[str, Details]:
        return {n: self._interpreter._get_tensor_details(i, self._subgraph_index) for n, i in self._inputs.items()}

    def get_output_details(self) -> dict[str, Details]:
        return {n: self._interpreter._get_tensor_details(i, self._subgraph_index) for n, i in self._outputs.items()}


class Interpreter:
    """Runs a model: allocate_tensors(), set_tensor(), invoke(), get_tensor().

    `model_path` or `model_content` (bytes) names the model. `num_threads` is 1 by default; results do not depend on
    it. Of the experimental arguments, `experimental_preserve_all_tensors` keeps every intermediate tensor readable and
    the others, which steer LiteRT's delegates, change nothing. After them come ours, by keyword only: `max_memory` and
    `max_ops` bound what the model may ask for, `profile` times every operator (see `steps`), `device` names a back end,
    `no_fusion` runs the operators one by one as the file lists them (same results), `no_winograd` sums
    convolutions in the order of the filter (slower, less memory for weights; floats the same up to rounding, see the C
    header), `allow_fp16` lets float32 models multiply in half precision where the processor can (faster, good to 1e-3
    to 1e-2), `weight_cache` names a file that keeps the repacked weights for the next process (see
    `weight_cache()`).
    """

    def __init__(
        self,
        model_path: Any = None,
        model_content: Any = None,
        experimental_delegates: Sequence[Any] | None = None,
        num_threads: int | None = None,
        experimental_op_resolver_type: OpResolverType = OpResolverType.AUTO,
        experimental_preserve_all_tensors: bool = False,
        experimental_disable_delegate_clustering: bool = False,
        experimental_default_delegate_latest_features: bool = False,
        experimental_compress_quantization_zero_points: bool = False,
        experimental_disable_delegate_node_fusion: bool = False,
        experimental_force_delegate_node_profiling: bool = False,
        *,
        max_memory: int | None = None,
        max_ops: int | None = None,
        profile: bool = False,
        device: str | None = None,
        no_fusion: bool = False,
        no_winograd: bool = False,
        allow_fp16: bool = False,
        weight_cache: str | os.PathLike[str] | None = None,
        _model: _native.Model | None = None,
    ) -> None:
        if not isinstance(experimental_op_resolver_type, OpResolverType):
            raise ArgumentError(f"{experimental_op_resolver_type!r} is not an OpResolverType")
        if num_threads is not None:
            if not isinstance(num_threads, int):
                raise ArgumentError(f"num_threads is an int; got {num_threads!r}")
            if num_threads < 1:
                raise ArgumentError(f"num_threads is 1 or more; got {num_threads}")
        if experimental_delegates:
            raise UnsupportedError("experimental_delegates: Samara runs models itself and loads no delegates")
        self._experimental_compress_quantization_zero_points = experimental_compress_quantization_zero_points
        self._options = _native.Options(
            threads=num_threads or 1,
            max_ops=max_ops,
            max_memory=max_memory,
            keep_all=bool(experimental_preserve_all_tensors),
            profile=profile,
            no_fusion=no_fusion,
            no_winograd=no_winograd,
            allow_fp16=allow_fp16,
            device=device,
            weight_cache=None if weight_cache is None else os.fspath(weight_cache),
        )
        if _model is not None:
            self._model = _model
        elif model_path and not model_content:
            self._model = open_path(model_path, self._options)
        elif model_content and not model_path:
            self._model = open_bytes(model_content, self._options)
        elif model_path:
            raise ArgumentError("pass model_path or model_content, not both")
        else:
            raise ArgumentError("pass model_path or model_content: neither names a model")
        self._signatures = {s.key: s for s in sorted(self._model.signatures())}
        self._subgraphs: dict[int, Subgraph] = {}
        self._main = self._subgraph(0)
        self._session, self._small, self._small_inputs = self._main.session, self._main.small, self._main.small_inputs

    def _subgraph(self, index: int) -> Subgraph:
        try:
            return self._subgraphs[index]
        except KeyError:
            if not 0 <= index < self._model.n_subgraphs:
                raise ArgumentError(
                    f"subgraph {index} does not exist; the model has {self._model.n_subgraphs}"
                ) from None
            return self._subgraphs.setdefault(index, Subgraph(self._model, index, self._options))

    # ---- Running ----

    def allocate_tensors(self) -> None:
        """Plans shapes and memory; needed before the first invoke and after a resize."""
        self._main.ensure_safe()
        self._main.allocate()

    def invoke(self) -> None:
        """Runs the model. The GIL is released meanwhile."""
        main = self._main
        if getrefcount(main._lease) != 2:  # safe(), without the call
            main.ensure_safe()
        if not main.ready:
            main.invoke()
        main.session.invoke()

    def cancel(self) -> None:
        """Makes the invoke that another thread runs stop with CancelledError before its next operator."""
        for sub in list(self._subgraphs.values()):
            sub.session.cancel()

    def set_tensor(self, tensor_index: int, value: Any) -> None:
        """Copies `value`, of the tensor's shape and type, into an input."""
        # What a small model would notice: one call, no lock (Subgraph.small says why). No call may come between the
        # look at `running` and the copy.
        if value.__class__ is _ndarray and tensor_index.__class__ is int and tensor_index in self._small_inputs:
            view, dtype, shape = self._small_inputs[tensor_index]
            if value.dtype is dtype and value.shape == shape and not self._session.running:
                view[...] = value
                return
        self._main.set(tensor_index if type(tensor_index) is int else _index(tensor_index), value)

    def get_tensor(self, tensor_index: int, subgraph_index: int = 0) -> Array:
        """A copy of a tensor's value."""
        if tensor_index.__class__ is int and not subgraph_index and tensor_index in self._small:
            small = self._small[tensor_index]
            if not self._session.running:
                copy: Array = small.copy()
                return copy
        sub = self._subgraph(_index(subgraph_index)) if subgraph_index else self._main
        return sub.get(tensor_index if type(tensor_index) is int else _index(tensor_index))

    def tensor(self, tensor_index: int) -> Callable[[], Array]:
        """A function that gives a numpy view of the tensor's own memory, to read and write without a copy.

        Keep the function, not the arrays: while one lives, allocate_tensors, resize_tensor_input and invoke raise.
        """
        index = _index(tensor_index)
        return lambda: self._main.view(index)

    def resize_tensor_input(self, input_index: int, tensor_size: Any, strict: bool = False) -> None:
        """Gives an input another shape, from the next allocate_tensors on.

        With `strict`, only dimensions that shape_signature leaves open (-1) may change.
        """
        self._main.ensure_safe()
        size = np.array(tensor_size, dtype=np.int32)
        if size.ndim != 1:
            raise ArgumentError(f"a shape is a sequence of ints; got {tensor_size!r}")
        self._main.resize(_index(input_index), size.tolist(), bool(strict))

    def reset_all_variables(self) -> None:
        """Sets the state of the model (variable tensors) back to zero."""
        for sub in self._subgraphs.values():
            sub.session.reset()

    # ---- What the model says ----

    def get_input_details(self) -> list[Details]:
        """One dictionary per input: name, index, shape, shape_signature, dtype, quantization, …"""
        return [self._main.details(i) for i in self._main.info.inputs]

    def get_output_details(self) -> list[Details]:
        return [self._main.details(i) for i in self._main.info.outputs]

    def get_tensor_details(self, subgraph_index: int = 0) -> list[Details]:
        sub = self._subgraph(_index(subgraph_index))
        return [sub.details(i) for i in range(sub.info.n_tensors)]

    def num_subgraphs(self) -> int:
        return self._model.n_subgraphs

    def get_signature_list(self) -> dict[str, dict[str, list[str]]]:
        """{key: {"inputs": [names], "outputs": [names]}}"""
        return {key: {"inputs": sorted(s.inputs), "outputs": sorted(s.outputs)} for key, s in self._signatures.items()}

    def get_signature_runner(self, signature_key: str | None = None) -> SignatureRunner:
        """A callable for one signature; the key may be left out if the model has exactly one."""
        if signature_key is None:
            if len(self._signatures) != 1:
                raise ArgumentError(f"the model has {len(self._signatures)} signatures; name one by signature_key")
            signature_key = next(iter(self._signatures))
        return SignatureRunner(interpreter=self, signature_key=signature_key)

    @property
    def experimental_compress_quantization_zero_points(self) -> bool:
        return self._experimental_compress_quantization_zero_points

    # ---- Ours ----

    def memory(self) -> dict[str, int]:
        """Bytes in use: arena, persistent, packed (shared by interpreters of one model), dynamic, model (the file)."""
        return self._main.session.memory()

    def weight_cache(self) -> _native.WeightCache:
        """What became of the file named by `weight_cache`: `mapped`, `packed` and `written` bytes, `problem`.

        Most of what loading costs is repacking weights. The first process writes them to that file, later ones map it:
        they repack nothing and share its pages. It is one file for each model, made anew when the model, the library
        or the processor is another, or the file is damaged. Where it cannot be written, a RuntimeWarning says why and
        the weights stay in memory. A file that is no weight cache is never overwritten (FileError). The answers are the
        same bytes with and without it.
        """
        return self._model.weight_cache()

    def steps(self) -> list[_native.Step]:
        """The plan in running order; with `profile=True`, with calls and nanoseconds."""
        return self._main.session.steps()

    # ---- Private in LiteRT, and used by programs all the same ----

    def _get_tensor_details(self, tensor_index: int, subgraph_index: int) -> Details:
        return self._subgraph(_index(subgraph_index)).details(_index(tensor_index))

    def _get_op_details(self, op_index: int) -> Details:
        node = self._model.node(0, _index(op_index))

        def dtypes(indices: tuple[int, ...]) -> list[type[np.generic]]:
            return [arrays.DTYPE[self._main.tensor(i).type] for i in indices if i >= 0]

        return {
            "index": int(op_index),
            "op_name": node.op,
            "inputs": np.array(node.inputs, np.int32),
            "outputs": np.array(node.outputs, np.int32),
            "operand_types": dtypes(node.inputs),
            "result_types": dtypes(node.outputs),
        }

    def _get_ops_details(self) -> list[Details]:
        return [self._get_op_details(i) for i in range(self._main.info.n_nodes)]

    def _get_full_signature_list(self) -> dict[str, dict[str, dict[str, int]]]:
        return {
            key: {"inputs": dict(sorted(s.inputs.items())), "outputs": dict(sorted(s.outputs.items()))}
            for key, s in self._signatures.items()
        }

    def _native_handle(self) -> int:
        return self._main.session.handle

    def _safe_to_run(self) -> bool:
        return self._main.safe()

    def _ensure_safe(self) -> None:
        self._main.ensure_safe()


class InterpreterWithCustomOps(Interpreter):
    """LiteRT's class for models with custom operators. Its registerers are LiteRT machine code and cannot be used."""

    def __init__(self, custom_op_registerers: Sequence[Any] | None = None, **kwargs: Any) -> None:
        if custom_op_registerers:
            names = ", ".join(str(r) for r in custom_op_registerers)
            raise UnsupportedError(f"custom_op_registerers: {names} are made for LiteRT; Samara cannot call them")
        super().__init__(**kwargs)


def _index(value: Any) -> int:
    """An int or a numpy integer; anything else is a TypeError, as in LiteRT."""
    if type(value) is int:
        return value
    try:
        return int(value.__index__())
    except AttributeError:
        raise TypeError(f"a tensor index is an int; got {value!r}") from None
