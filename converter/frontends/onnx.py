"""ONNX in, our graph out.

    model = load("net.onnx")                        path, bytes or a loaded ModelProto
    model = load("net.onnx", shapes={"x": [1, 3, 224, 224]})

Every node of the source goes through one function of a table (onnx_ops_*.py). Operators whose channels lie in axis 1
become NHWC operators between explicit transposes; the `layout` pass removes those. Tensors of float16, bfloat16 and
float64 are computed in float32, between casts at the inputs and outputs of the graph.

What cannot be converted is collected, and reported at once. `onnx` is imported here, when a model is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...interpreter.errors import FileError, ModelError, SamaraError, UnsupportedError
from .. import schema
from ..ir import GraphError, Model, Signature, Tensor
from . import onnx_ops_math, onnx_ops_nn, onnx_ops_rnn, onnx_ops_shape  # noqa: F401  (fill the table)
from .build import Builder, Unsupported
from .onnx_build import OPS, Call
from .onnx_gelu import find_gelus

LOWEST_OPSET = 7
DOMAINS = ("", "ai.onnx")
_DEFECTS = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, MemoryError)
"""What attributes and operands of the wrong kind raise in the functions of the table."""

T = schema.TensorType
TYPES = {  # TensorProto.DataType -> the type of the graph
    1: T.FLOAT32, 2: T.UINT8, 3: T.INT8, 4: T.UINT16, 5: T.INT16, 6: T.INT32, 7: T.INT64, 9: T.BOOL, 10: T.FLOAT16,
    11: T.FLOAT64, 12: T.UINT32, 13: T.UINT64, 16: T.BFLOAT16,
}  # fmt: skip
NARROWED = (T.FLOAT16, T.FLOAT64, T.BFLOAT16)  # computed in float32


def load(source: Any, shapes: Mapping[str, Sequence[int]] | None = None) -> Model:
    """Reads an ONNX model: a path, bytes, or a ModelProto. `shapes` fixes the shapes of inputs by name."""
    proto, folder = _read(source)
    loader = _Loader(proto, folder, dict(shapes or {}))
    loader.owned = proto is not source
    del proto
    return loader.run()


def operators() -> set[str]:
    """The operators that can be converted."""
    return set(OPS)


def _read(source: Any) -> tuple[Any, Path | None]:
    onnx = _package()
    if isinstance(source, onnx.ModelProto):
        return source, None
    folder = None
    if isinstance(source, (str, os.PathLike)):
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise FileError(f"cannot read {os.fspath(source)!r}: {error.strerror or error}") from None
        folder = Path(source).resolve().parent
    elif isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    else:
        raise TypeError(f"an ONNX model is a path, bytes or a ModelProto, not {type(source).__name__}")
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except Exception as error:  # the class depends on the protobuf implementation
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise ModelError("not an ONNX model: its protobuf is damaged or cut short") from None
    if not proto.HasField("graph") or not proto.opset_import:
        raise ModelError("not an ONNX model: it has no graph or names no opset")
    return proto, folder


def _package() -> Any:
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError:
        raise ModuleNotFoundError(
            "reading ONNX models needs the package onnx; install it with: pip install samara[onnx]"
        ) from None
    return onnx


class _Loader:
    def __init__(self, proto: Any, folder: Path | None, shapes: dict[str, Sequence[int]]) -> None:
        self.onnx = _package()
        self.folder = folder
        self.shapes = shapes
        self.opset = 0
        for entry in proto.opset_import:
            if entry.domain in DOMAINS:
                self.opset = int(entry.version)
        if self.opset < LOWEST_OPSET:
            raise UnsupportedError(f"the model has opset {self.opset}, Samara reads {LOWEST_OPSET} and newer")
        if len(proto.functions):
            try:
                from onnx.inliner import inline_local_functions

                proto = inline_local_functions(proto)
            except Exception as error:
                raise ModelError(f"the functions of the model cannot be put in place: {error}") from None
        self.proto = proto
        self.b = Builder(proto.graph.name or "main")
        self.owned = False  # nobody else sees the proto: what has been read can go
        self.problems: list[str] = []
        self.reported: set[str] = set()
        self.used: set[str] = set()  # what some node or output takes

    # ---- The whole ----

    def run(self) -> Model:
        g = self.proto.graph
        if len(g.sparse_initializer):
            raise UnsupportedError("the model has sparse initializers; store them dense")
        values = self.initializers(g)
        self.b.graph.name = "main"
        names = [i.name for i in g.input if i.name not in values]
        unknown = sorted(set(self.shapes) - set(names))
        if unknown:
            raise UnsupportedError(f"shapes names {unknown[0]!r}, the inputs are {', '.join(names) or 'none'}")
        made = [self.input(info) for info in g.input if info.name not in values]
        if len({t.name for t in made}) != len(made):
            raise ModelError("two inputs of the model have the same name")
        signature = Signature("serving_default", self.b.graph, {t.name: t for t in made}, {})
        for t in made:
            values[t.name] = self.b.cast(t, T.FLOAT32) if t.type in NARROWED else t
        self.nodes(g, values)
        if self.problems:
            raise UnsupportedError("\n".join(self.problems))
        signature.outputs = self.outputs(g, values)
        return self.b.finished(f"converted from ONNX ({self.proto.producer_name or 'unknown'})", signature)

    def input(self, info: Any) -> Tensor:
        tensor = info.type.tensor_type
        if not info.type.HasField("tensor_type"):
            raise UnsupportedError(f"input {info.name!r} is a sequence, map or optional; Samara takes tensors")
        kind = TYPES.get(tensor.elem_type)
        if kind is None:
            raise UnsupportedError(f"input {info.name!r} has element type {self.type_name(tensor.elem_type)}")
        given = self.shapes.get(info.name)
        if not tensor.HasField("shape") and given is None:
            raise UnsupportedError(f"input {info.name!r} has no rank; give its shape: shapes={{{info.name!r}: [...]}}")
        dims = [d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim]
        dims = [-1 if d < 0 else int(d) for d in dims]
        if given is not None:
            fixed = [int(d) for d in given]
            if tensor.HasField("shape") and (
                len(fixed) != len(dims) or any(d not in (-1, f) and f != -1 for d, f in zip(dims, fixed, strict=True))
            ):
                raise UnsupportedError(f"input {info.name!r} has shape {dims}, shapes says {fixed}")
            dims = fixed
        if any(d > 0x7FFFFFFF or d < -1 for d in dims) or len(dims) > 32 or _bytes(dims) > 1 << 40:
            raise ModelError(f"input {info.name!r} has the impossible shape {dims}")
        return self.b.graph.input(info.name, kind, dims)

    def outputs(self, g: Any, values: dict[str, Tensor | None]) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        b = self.b
        taken = {t.name for t in b.graph.inputs}
        for info in g.output:
            t = values.get(info.name)
            if t is None:
                raise ModelError(f"output {info.name!r} is made by no node")
            kind = TYPES.get(info.type.tensor_type.elem_type)
            b.name = info.name
            if kind in NARROWED and t.type == T.FLOAT32:
                t = b.op("CAST", t, in_data_type=t.type, out_data_type=kind)
            t = b.own(t, info.name)
            if info.name in found:
                raise ModelError(f"two outputs of the model are called {info.name!r}")
            if info.name not in taken:
                t.name = info.name
            found[info.name] = b.graph.output(t)
        return found

    # ---- Nodes ----

    def nodes(self, g: Any, values: dict[str, Tensor | None]) -> None:
        """Translates the nodes of a graph in an order in which they can run."""
        self.used.update(name for node in g.node for name in (*node.input, *self.captured(node)))
        self.used.update(info.name for info in g.output)
        gelus = find_gelus(g, values, self.attributes)
        made = {name for node in g.node for name in node.output if name}
        poisoned: set[str] = set()
        waiting = list(g.node)
        for node in waiting:
            for name in node.input:
                if name and name not in values and name not in made:
                    raise ModelError(f"node {_title(node)} needs {name!r}, which is no input, initializer or output")
        while waiting:
            left = []
            for node in waiting:
                needs = [name for name in (*node.input, *self.captured(node)) if name and name in made]
                if any(name not in values and name not in poisoned for name in needs):
                    left.append(node)
                    continue
                if any(name in poisoned for name in needs):
                    if node.op_type not in OPS and node.op_type != "If":
                        self.unknown(node)
                    poisoned.update(name for name in node.output if name not in values)
                elif not self.node(node, values, gelus):
                    poisoned.update(name for name in node.output if name not in values)
            if len(left) == len(waiting):
                raise ModelError(f"the graph has a cycle through node {_title(left[0])}")
            waiting = left

    def captured(self, node: Any) -> list[str]:
        """Names that the bodies of a node take from outside."""
        names: list[str] = []
        for a in node.attribute:
            if a.HasField("g"):
                inner = {n for x in a.g.node for n in x.output} | {i.name for i in a.g.initializer}
                names += [n for x in a.g.node for n in x.input if n and n not in inner]
                names += [o.name for o in a.g.output if o.name not in inner]
        return names

    def unknown(self, node: Any) -> None:
        name = f"{node.domain}.{node.op_type}" if node.domain not in DOMAINS else node.op_type
        if name not in self.reported:
            self.reported.add(name)
            self.problem(
                node, f"operator {name} is not supported", "export it as simpler operators, or run it outside the model"
            )

    def problem(self, node: Any, reason: str, suggestion: str = "") -> None:
        self.problems.append(f"{_title(node)}: {reason}" + (f"; {suggestion}" if suggestion else ""))

    def node(self, node: Any, values: dict[str, Tensor | None], gelus: dict[str, tuple[str, bool]]) -> bool:
        b = self.b
        if node.op_type == "If" and node.domain in DOMAINS:
            return self.branch(node, values)
        known = node.domain in (*DOMAINS, "com.microsoft") and node.op_type in OPS
        if not known:
            self.unknown(node)
            return False
        b.name = node.output[0] if node.output else node.name
        try:
            gelu = gelus.get(node.output[0]) if node.output else None
            if gelu is not None and values.get(gelu[0]) is not None:
                results: Any = b.op("GELU", values[gelu[0]], approximate=gelu[1])
            else:
                inputs = [values[name] if name else None for name in node.input]
                wanted = [name if name in self.used else "" for name in node.output]
                call = Call(b, node.op_type, inputs, self.attributes(node), self.opset, wanted)
                results = OPS[node.op_type](call)
            results = results if isinstance(results, (tuple, list)) else (results,)
            for t in results:
                if t is not None:
                    b.shape(t)
        except Unsupported as error:
            self.problem(node, error.reason, error.suggestion)
            return False
        except UnsupportedError as error:
            self.problem(node, str(error))
            return False
        except (GraphError, SamaraError) as error:
            raise ModelError(f"node {_title(node)}: {error}") from None
        except _DEFECTS as error:
            raise ModelError(
                f"node {_title(node)}: its operands or attributes do not fit together ({error or type(error).__name__})"
            ) from None
        for name, t in zip(node.output, results, strict=False):
            if name:
                if name in values:
                    raise ModelError(f"node {_title(node)} makes {name!r}, which exists already")
                values[name] = t
        missing = [name for name in node.output[len(results) :] if name in self.used]
        if missing:
            self.problem(node, f"its output {missing[0]!r} is not supported")
            return False
        return True

    def branch(self, node: Any, values: dict[str, Tensor | None]) -> bool:
        """An If whose condition is known: the branch takes its place."""
        condition = values.get(node.input[0]) if node.input else None
        bodies = {a.name: a.g for a in node.attribute if a.HasField("g")}
        if condition is None or not condition.constant or len(bodies) != 2:
            self.problem(node, "the condition of If is not constant", "export with the branch decided")
            return False
        body = bodies.get("then_branch" if condition.array.reshape(-1)[:1].any() else "else_branch")
        if body is None:
            raise ModelError(f"node {_title(node)} lacks a branch")
        inner = dict(values)
        inner.update(self.initializers(body))
        before = len(self.problems)
        self.nodes(body, inner)
        if len(self.problems) > before:
            return False
        for name, info in zip(node.output, body.output, strict=False):
            if inner.get(info.name) is None:
                raise ModelError(f"node {_title(node)}: its branch has no {info.name!r}")
            values[name] = inner[info.name]
        return True

    # ---- Constants and attributes ----

    def initializers(self, g: Any) -> dict[str, Tensor | None]:
        found: dict[str, Tensor | None] = {}
        for proto in g.initializer:
            found[proto.name] = self.constant(proto, f"initializer {proto.name!r}", proto.name)
            if self.owned:
                proto.ClearField("raw_data")
        return found

    def constant(self, proto: Any, what: str, name: str) -> Tensor:
        return self.b.const(_narrow(self.array(proto, what)), name)

    def array(self, proto: Any, what: str) -> np.ndarray:
        if proto.data_type not in TYPES:
            raise UnsupportedError(f"{what} has element type {self.type_name(proto.data_type)}")
        dims = list(proto.dims)
        if any(d < 0 or d > 0x7FFFFFFF for d in dims) or _bytes(dims) > 1 << 40:
            raise ModelError(f"{what} has the impossible shape {dims}")
        if proto.data_location == self.onnx.TensorProto.EXTERNAL:
            return self.external(proto, what, dims)
        try:
            found = np.asarray(self.onnx.numpy_helper.to_array(proto))
        except (*_DEFECTS, RuntimeError) as error:
            raise ModelError(f"{what} has other data than its shape {dims} needs ({error})") from None
        if list(found.shape) != dims:
            raise ModelError(f"{what} has shape {list(found.shape)}, says {dims}")
        return found

    def external(self, proto: Any, what: str, dims: list[int]) -> np.ndarray:
        entry = {e.key: e.value for e in proto.external_data}
        location = entry.get("location", "")
        if self.folder is None:
            raise ModelError(f"{what} lies in the file {location!r}; load the model by its path")
        path = (self.folder / location).resolve()
        if not location or os.path.isabs(location) or self.folder not in path.parents:
            raise ModelError(f"{what} lies in {location!r}, which is outside the folder of the model")
        dtype = np.dtype(self.onnx.helper.tensor_dtype_to_np_dtype(proto.data_type))
        count = _bytes(dims, 1)
        try:
            offset, length = int(entry.get("offset", 0)), int(entry.get("length", count * dtype.itemsize))
            size = path.stat().st_size
            if not path.is_file() or offset < 0 or length != count * dtype.itemsize or offset + length > size:
                raise ModelError(f"{what} needs bytes {offset} to {offset + length} of {location!r}, which has {size}")
            data = np.fromfile(path, dtype.newbyteorder("<"), count, offset=offset)
        except ValueError as error:
            raise ModelError(f"{what}: {error}") from None
        except OSError as error:
            raise FileError(f"{what}: cannot read {location!r}: {error.strerror}") from None
        return data.reshape(dims)

    def attributes(self, node: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for a in node.attribute:
            if a.ref_attr_name:
                continue
            value = self.onnx.helper.get_attribute_value(a)
            if isinstance(value, self.onnx.TensorProto):
                value = _narrow(self.array(value, f"attribute {a.name!r} of node {_title(node)}"))
            found[a.name] = value
        return found

    def type_name(self, number: int) -> str:
        try:
            return str(self.onnx.TensorProto.DataType.Name(number))
        except ValueError:
            return str(number)


def _narrow(value: np.ndarray) -> np.ndarray:
    """Floating-point values as float32, the rest as it is."""
    if value.dtype.kind == "f" or value.dtype.name == "bfloat16":
        with np.errstate(over="ignore"):
            return value.astype(np.float32)
    return value


def _bytes(dims: Sequence[int], each: int = 8) -> int:
    total = each
    for d in dims:
        total *= max(int(d), 0) if d >= 0 else 1
    return total


def _title(node: Any) -> str:
    return f"{node.op_type} {(node.name or (node.output[0] if node.output else ''))!r}"
