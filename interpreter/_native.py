"""The C library as Python objects: the only module that touches ffi.

`Model` and `Session` mirror sam_model and sam_session of samara.h one to one. A failing call raises the class of
errors.py that belongs to its status. cffi releases the GIL around every call.
"""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any, NamedTuple

from . import errors
from ._samara import ffi, lib

TYPES: tuple[str, ...] = tuple(ffi.string(lib.sam_type_name(t)).decode() for t in range(lib.SAM_TYPE_COUNT))
_invoke = lib.sam_session_invoke
BITS: tuple[int, ...] = tuple(lib.sam_type_bits(t) for t in range(lib.SAM_TYPE_COUNT))


class TensorInfo(NamedTuple):
    """A tensor as the file describes it."""

    id: int
    name: str
    type: int
    shape: tuple[int, ...]
    signature: tuple[int, ...]  # -1 where open; () if the file has none
    constant: bool
    variable: bool
    sparse: bool
    constant_bytes: int
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    block_size: int
    block_scales_tensor: int


class NodeInfo(NamedTuple):
    """An operator as the file lists it."""

    id: int
    op: str
    code: int
    custom: bool
    supported: bool
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]


class SubgraphInfo(NamedTuple):
    name: str
    n_tensors: int
    n_nodes: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class SignatureInfo(NamedTuple):
    key: str
    subgraph: int
    inputs: dict[str, int]
    outputs: dict[str, int]


class View(NamedTuple):
    """A tensor as it is in a session now. `address` is 0 while it has no bytes of its own."""

    type: int
    shape: tuple[int, ...]
    address: int
    bytes: int
    offset: int
    dynamic: bool


class Step(NamedTuple):
    """One step of the plan, after fusion."""

    node: int
    subgraph: int
    op: str
    name: str
    calls: int
    ns: int
    macs: int
    bytes: int


class WeightCache(NamedTuple):
    """What became of the weight cache of a model. `path` is None if it has none.

    Bytes of repacked weights: `mapped` lie in the file and are shared with other processes, `packed` were repacked by
    this process. `written`: size of the file, if this process wrote it. `problem`: why that failed, or "".
    """

    path: str | None
    mapped: int
    packed: int
    written: int
    problem: str


class Options(NamedTuple):
    """The choices of sam_options; None keeps the library's default."""

    threads: int | None = None
    max_ops: int | None = None
    max_depth: int | None = None
    max_memory: int | None = None
    keep_all: bool = False
    profile: bool = False
    no_fusion: bool = False
    no_winograd: bool = False
    allow_fp16: bool = False
    device: str | None = None
    weight_cache: str | None = None


def _text(pointer: Any) -> str:
    return "" if pointer == ffi.NULL else bytes(ffi.string(pointer)).decode("utf-8", "replace")


def _ints(pointer: Any, n: int) -> tuple[int, ...]:
    return tuple(ffi.unpack(pointer, n)) if n > 0 else ()


def _options(options: Options) -> tuple[Any, list[Any]]:
    """A sam_options, and what must stay alive as long as it is used."""
    c = ffi.new("sam_options *")
    lib.sam_options_init(c)
    for field in ("threads", "max_ops", "max_depth", "max_memory"):
        value = getattr(options, field)
        if value is not None:
            setattr(c, field, value)
    for field in ("keep_all", "profile", "no_fusion", "no_winograd", "allow_fp16"):
        setattr(c, field, getattr(options, field))
    keep = []
    for field in ("device", "weight_cache"):
        value = getattr(options, field)
        if value is not None:
            keep.append(ffi.new("char[]", os.fsencode(value)))
            setattr(c, field, keep[-1])
    return c, keep


def _raise(status: int, error: Any) -> None:
    message = _text(error.message) or _text(lib.sam_status_name(status))
    where = {
        key: value if value >= 0 else None
        for key, value in (("node", error.node), ("tensor", error.tensor), ("subgraph", error.subgraph))
    }
    cls = errors.BY_STATUS.get(status, errors.InternalError)
    raise cls(message, status=_text(lib.sam_status_name(status)), **where)


class Model:
    """A verified file. Immutable; threads may share it."""

    def __init__(self, pointer: Any, keep: Any, caches: bool) -> None:
        self._pointer = ffi.gc(pointer, lib.sam_model_free)
        self._keep = keep
        self._caches = caches

    @classmethod
    def open(cls, path: str | bytes | os.PathLike[Any], options: Options | None = None) -> Model:
        out, error = ffi.new("sam_model **"), ffi.new("sam_error *")
        c, keep = _options(options or Options())
        status = lib.sam_model_open(os.fsencode(path), c, out, error)
        if status:
            _raise(status, error)
        return cls(out[0], keep, c.weight_cache != ffi.NULL)

    @classmethod
    def from_bytes(cls, data: Any, options: Options | None = None) -> Model:
        """`bytes` are used where they lie (and kept alive); any other buffer is copied."""
        out, error = ffi.new("sam_model **"), ffi.new("sam_error *")
        c, keep = _options(options or Options())
        borrow = type(data) is bytes
        view = ffi.from_buffer(data)
        status = lib.sam_model_from_bytes(view, len(view), borrow, c, out, error)
        if status:
            _raise(status, error)
        return cls(out[0], (keep, data, view) if borrow else keep, c.weight_cache != ffi.NULL)

    @property
    def n_subgraphs(self) -> int:
        return int(lib.sam_model_subgraph_count(self._pointer))

    def subgraph(self, index: int) -> SubgraphInfo:
        info = ffi.new("sam_subgraph_info *")
        if lib.sam_model_subgraph(self._pointer, index, info):
            raise errors.ArgumentError(f"subgraph {index} does not exist; the model has {self.n_subgraphs}")
        return SubgraphInfo(
            _text(info.name),
            info.n_tensors,
            info.n_nodes,
            _ints(info.inputs, info.n_inputs),
            _ints(info.outputs, info.n_outputs),
        )

    def tensor(self, subgraph: int, index: int) -> TensorInfo:
        i = ffi.new("sam_tensor_info *")
        if not -(2**31) <= index < 2**31 or lib.sam_model_tensor(self._pointer, subgraph, index, i):
            count = self.subgraph(subgraph).n_tensors
            raise errors.ArgumentError(f"tensor {index} does not exist; subgraph {subgraph} has {count} tensors")
        return TensorInfo(
            index,
            _text(i.name),
            i.type,
            _ints(i.shape, i.rank),
            _ints(i.shape_signature, i.signature_rank),
            i.constant,
            i.variable,
            i.sparse,
            i.data_bytes,
            tuple(ffi.unpack(i.scales, i.n_scales)) if i.n_scales else (),
            _ints(i.zero_points, i.n_scales),
            i.quantized_dimension,
            i.block_size,
            i.block_scales_tensor,
        )

    def node(self, subgraph: int, index: int) -> NodeInfo:
        i = ffi.new("sam_node_info *")
        if not -(2**31) <= index < 2**31 or lib.sam_model_node(self._pointer, subgraph, index, i):
            count = self.subgraph(subgraph).n_nodes
            raise errors.ArgumentError(f"operator {index} does not exist; subgraph {subgraph} has {count} operators")
        return NodeInfo(
            index,
            _text(i.op),
            i.builtin_code,
            i.custom,
            i.supported,
            i.version,
            _ints(i.inputs, i.n_inputs),
            _ints(i.outputs, i.n_outputs),
            _ints(i.intermediates, i.n_intermediates),
        )

    def signatures(self) -> list[SignatureInfo]:
        found = []
        i = ffi.new("sam_signature_info *")
        for index in range(lib.sam_model_signature_count(self._pointer)):
            lib.sam_model_signature(self._pointer, index, i)
            inputs = {_text(i.input_names[k]): int(i.inputs[k]) for k in range(i.n_inputs)}
            outputs = {_text(i.output_names[k]): int(i.outputs[k]) for k in range(i.n_outputs)}
            found.append(SignatureInfo(_text(i.key), i.subgraph, inputs, outputs))
        return found

    def metadata(self) -> dict[str, bytes]:
        i = ffi.new("sam_metadata_info *")
        found = {}
        for index in range(lib.sam_model_metadata_count(self._pointer)):
            lib.sam_model_metadata(self._pointer, index, i)
            found[_text(i.name)] = bytes(ffi.buffer(i.data, i.bytes)) if i.data != ffi.NULL else b""
        return found

    def weight_cache(self) -> WeightCache:
        i = ffi.new("sam_weight_cache_info *")
        lib.sam_model_weight_cache(self._pointer, i)
        path = None if i.path == ffi.NULL else os.fsdecode(ffi.string(i.path))
        return WeightCache(path, int(i.mapped), int(i.packed), int(i.written), _text(i.problem))

    def warn(self) -> None:
        """Says once, as a RuntimeWarning, that the weight cache could not be written."""
        if self._caches and (problem := self.weight_cache().problem):
            self._caches = False
            warnings.warn(problem, RuntimeWarning, stacklevel=2)


class Session:
    """One subgraph ready to run. One thread at a time: a lock makes others wait, except for cancel()."""

    def __init__(self, model: Model, subgraph: int, options: Options | None = None) -> None:
        out = ffi.new("sam_session **")
        self._error = ffi.new("sam_error *")
        c, self._keep = _options(options or Options())
        self._view = ffi.new("sam_tensor_view *")
        self.lock = threading.Lock()
        self.running = False
        # `with` costs more than a small model takes to run: the calls of every invoke take the lock by hand.
        self.acquire, self.release = self.lock.acquire, self.lock.release
        status = lib.sam_session_create(model._pointer, subgraph, c, out, self._error)
        if status:
            _raise(status, self._error)
        self._pointer = ffi.gc(out[0], lib.sam_session_free)
        self._model = model
        model.warn()
        self.subgraph = subgraph

    def resize(self, tensor: int, shape: list[int], strict: bool) -> None:
        with self.lock:
            status = lib.sam_session_resize(self._pointer, tensor, len(shape), shape, strict, self._error)
            if status:
                _raise(status, self._error)

    def prepare(self) -> None:
        with self.lock:
            status = lib.sam_session_prepare(self._pointer, self._error)
            if status:
                _raise(status, self._error)

    def invoke(self) -> None:
        self.acquire()
        self.running = True
        try:
            status = _invoke(self._pointer, self._error)
            if status:
                _raise(status, self._error)
        finally:
            self.running = False
            self.release()

    def cancel(self) -> None:
        lib.sam_session_cancel(self._pointer)

    def reset(self) -> None:
        with self.lock:
            lib.sam_session_reset(self._pointer)

    def view(self, tensor: int) -> View:
        with self.lock:
            v = self._view
            status = lib.sam_session_tensor(self._pointer, tensor, v, self._error)
            if status:
                _raise(status, self._error)
            return View(v.type, _ints(v.shape, v.rank), int(ffi.cast("intptr_t", v.data)), v.bytes, v.offset, v.dynamic)

    def any_dynamic(self, n_tensors: int) -> bool:
        """Whether a shape of this subgraph is found only while running."""
        with self.lock:
            for tensor in range(n_tensors):
                status = lib.sam_session_tensor(self._pointer, tensor, self._view, self._error)
                if status:
                    _raise(status, self._error)
                if self._view.dynamic:
                    return True
            return False

    def write(self, tensor: int, data: Any) -> None:
        """`data` is anything with a contiguous buffer of exactly the tensor's size."""
        with self.lock:
            view = ffi.from_buffer(data)
            status = lib.sam_session_write(self._pointer, tensor, view, len(view), self._error)
            if status:
                _raise(status, self._error)

    def read(self, tensor: int, data: Any) -> None:
        """Fills the writable buffer `data`, of exactly the tensor's size."""
        with self.lock:
            view = ffi.from_buffer(data, require_writable=True)
            status = lib.sam_session_read(self._pointer, tensor, view, len(view), self._error)
            if status:
                _raise(status, self._error)

    def memory(self) -> dict[str, int]:
        info = ffi.new("sam_memory_info *")
        with self.lock:
            lib.sam_session_memory(self._pointer, info)
        return {k: int(getattr(info, k)) for k in ("arena", "persistent", "packed", "dynamic", "model")}

    def steps(self) -> list[Step]:
        i = ffi.new("sam_step_info *")
        found = []
        with self.lock:
            for index in range(lib.sam_session_step_count(self._pointer)):
                lib.sam_session_step(self._pointer, index, i)
                found.append(Step(i.node, i.subgraph, _text(i.op), _text(i.name), i.calls, i.ns, i.macs, i.bytes))
        return found

    def profile_reset(self) -> None:
        with self.lock:
            lib.sam_session_profile_reset(self._pointer)

    @property
    def handle(self) -> int:
        """The address of the sam_session, for C code that is handed it."""
        return int(ffi.cast("intptr_t", self._pointer))


def version() -> str:
    return _text(lib.sam_version())


def isa() -> str:
    """The instruction-set level the kernels run at."""
    return _text(lib.sam_isa())


def isa_force(level: str) -> bool:
    """Internal, for tests: sessions made from now on run at `level`. False if this machine lacks it."""
    return bool(lib.sam_isa_force(level.encode()))


def builtin_ops() -> list[tuple[str, int, frozenset[str]]]:
    """Name, highest version and supported element types of every operator of this build."""
    found: list[tuple[str, int, frozenset[str]]] = []
    version, types = ffi.new("int32_t *"), ffi.new("uint32_t *")
    while (name := lib.sam_builtin_op(len(found), version, types)) != ffi.NULL:
        supported = frozenset(t for i, t in enumerate(TYPES) if types[0] >> i & 1)
        found.append((_text(name), int(version[0]), supported))
    return found
