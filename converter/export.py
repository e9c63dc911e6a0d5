"""IR <-> file: `from_bytes` and `to_bytes`. Going there and back loses nothing but numbering.

What the file numbers, the IR names by reference: operator codes, buffers, tensors, subgraphs. On the way back they are
numbered again: operator codes by first use, tensors in the order they had (new ones behind), and a buffer for every
constant; constants that hold the same array object share one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..interpreter.errors import ModelError
from . import schema
from .ir import SUBGRAPH_FIELDS, Graph, Model, Node, Quantization, Signature, Tensor


def from_bytes(data: bytes | bytearray | memoryview | np.ndarray) -> Model:
    """A .tflite file -> Model. Constants are views of `data`. Raises ModelError on bytes that make no graph."""
    return from_schema(schema.decode(data), room=4 * len(data) + 1000)


def to_bytes(model: Model, *, inline_limit: int = schema.INLINE_LIMIT) -> bytes:
    """Model -> a .tflite file. Tensors without type or shape are an error; run `infer` first."""
    return schema.encode(to_schema(model), inline_limit=inline_limit)


def to_numbered_bytes(model: Model) -> tuple[bytes, list[dict[int, int]]]:
    """The file, and for every graph the number each tensor has in it, by the tensor's id."""
    exporter = _Exporter(model)
    return schema.encode(exporter.file, inline_limit=schema.INLINE_LIMIT), exporter.numbers


# ---- File -> IR ----


def from_schema(file: Any, room: int = 1 << 62) -> Model:
    """A decoded file -> Model. `room` bounds the number of operands, which a hostile file can share between nodes."""
    model = Model(description=file.description)
    buffers = file.buffers or []
    model.graphs = [Graph(subgraph.name or "") for subgraph in file.subgraphs or ()]
    tensors = []
    for graph, subgraph in zip(model.graphs, file.subgraphs or (), strict=True):
        made = [_tensor(t, i, buffers) for i, t in enumerate(subgraph.tensors or ())]
        for t, source in zip(made, subgraph.tensors or (), strict=True):
            t.quantization = _quantization(source.quantization, made)
        room = _fill(graph, subgraph, made, file, model.graphs, room)
        tensors.append(made)
    for s in file.signature_defs or ():
        if not 0 <= s.subgraph_index < len(model.graphs):
            raise ModelError(f"signature {s.signature_key!r} is of subgraph {s.subgraph_index}, which does not exist")
        of = tensors[s.subgraph_index]
        sides = []
        for side in (s.inputs or (), s.outputs or ()):
            sides.append({m.name or "": _pick(of, m.tensor_index, f"signature {s.signature_key!r}") for m in side})
            if len(sides[-1]) != len(side):
                raise ModelError(f"signature {s.signature_key!r} names an input or output twice")
        signature = Signature(s.signature_key or "", model.graphs[s.subgraph_index], *sides)
        signature.deprecated_tag = s.deprecated_tag
        model.signatures.append(signature)
    for m in file.metadata or ():
        model.metadata.append((m.name or "", _data(buffers, m.buffer, f"metadata {m.name!r}")))
    if file.metadata_buffer is not None:
        model.metadata_buffers = [_data(buffers, b, "metadata_buffer") for b in file.metadata_buffer.tolist()]
    model.external_buffer_groups = file.external_buffer_groups
    model.external_buffers = file.external_buffers
    model.appended = file.appended
    return model


def _pick(items: list[Any], index: int, where: str) -> Any:
    if not 0 <= index < len(items):
        raise ModelError(f"{where}: index {index} is out of range, there are {len(items)}")
    return items[index]


def _data(buffers: list[Any], index: int, where: str) -> np.ndarray | None:
    """The bytes of a buffer; None if it is empty."""
    if index == 0:
        return None
    data = _pick(buffers, index, f"{where}: buffer").data
    return None if data is None or not data.size else data


def _tensor(source: Any, index: int, buffers: list[Any]) -> Tensor:
    shape = () if source.shape is None else tuple(source.shape.tolist())
    made = Tensor(source.name or "", source.type, shape, variable=source.is_variable)
    if source.shape_signature is not None and source.shape_signature.size == len(shape):
        signature = tuple(source.shape_signature.tolist())
        if -1 in signature:
            made.shape = signature
            if shape != tuple(max(d, 1) if d < 0 else d for d in signature):
                made.concrete = shape
    made.data = _data(buffers, source.buffer, f"tensor {index} {made.name!r}")
    made.has_rank = source.has_rank
    made.sparsity = source.sparsity
    made.variant_tensors = source.variant_tensors
    made.external_buffer = source.external_buffer
    made.index = index
    if made.data is not None and made.shape != shape:  # a constant's shape is never open
        made.shape, made.concrete = shape, None
    return made


def _quantization(source: Any, tensors: list[Tensor]) -> Quantization | None:
    if source is None:
        return None
    q = Quantization(axis=source.quantized_dimension, details=source.details)
    # Kept as the file has them: an absent vector and an empty one are told apart by nobody.
    q.scale, q.zero_point = _some(source.scale), _some(source.zero_point)
    q.min, q.max = _some(source.min), _some(source.max)
    if source.details is not None and hasattr(type(source.details), "scales"):
        q.scales = _pick(tensors, source.details.scales, "scales of a blockwise tensor")
        if source.details.zero_points >= 0:
            q.zero_points = _pick(tensors, source.details.zero_points, "zero points of a blockwise tensor")
    return q


def _some(vector: np.ndarray | None) -> np.ndarray | None:
    return None if vector is None or not vector.size else vector


def _fill(graph: Graph, subgraph: Any, tensors: list[Tensor], file: Any, graphs: list[Graph], room: int) -> int:
    where = f"subgraph {graph.name!r}"

    def pick(vector: np.ndarray | None, what: str, optional: bool = False) -> list[Any]:
        nonlocal room
        if vector is None:
            return []
        room -= vector.size
        if room < 0:
            raise ModelError("the operators refer to more operands than the file has room for")
        return [None if i == -1 and optional else _pick(tensors, i, what) for i in vector.tolist()]

    codes = file.operator_codes or []
    graph.inputs = pick(subgraph.inputs, f"{where} inputs")
    graph.debug_metadata_index = subgraph.debug_metadata_index
    for i, source in enumerate(subgraph.operators or ()):
        code = _pick(codes, source.opcode_index, f"{where} operator {i}: operator code")
        custom = code.builtin_code == 32
        op = (code.custom_code or "") if custom else schema.op_name(code.builtin_code)
        at = f"{where} operator {i} {op}"
        options = source.builtin_options if source.builtin_options is not None else source.builtin_options_2
        node = Node(op, pick(source.inputs, at, True), pick(source.outputs, at), options, custom=custom)
        node.version = code.version
        node.custom_options = source.custom_options
        node.custom_options_format = source.custom_options_format
        node.mutating_variable_inputs = source.mutating_variable_inputs
        if source.intermediates is not None:
            node.intermediates = pick(source.intermediates, at, True)
        node.debug_metadata_index = source.debug_metadata_index
        for field in ("subgraph", *SUBGRAPH_FIELDS):
            if options is not None and field in options._fields:
                value = getattr(options, field)
                if isinstance(value, np.ndarray):
                    node.graphs[field] = [_pick(graphs, g, f"{at}: subgraph") for g in value.tolist()]
                elif value is not None:
                    node.graphs[field] = _pick(graphs, value, f"{at}: subgraph")
        for t in node.outputs:
            if t.producer is not None or t.data is not None:
                raise ModelError(f"{at}: its output {t.name!r} is a constant or the output of another operator")
        if len({id(t) for t in node.outputs}) != len(node.outputs):
            raise ModelError(f"{at}: one tensor is several of its outputs")
        graph.insert(node)
    graph.outputs = pick(subgraph.outputs, f"{where} outputs")
    used = {id(t) for t in graph.tensors()}
    graph.unused = [t for t in tensors if id(t) not in used]
    return room


# ---- IR -> file ----


def to_schema(model: Model) -> Any:
    """Model -> the file's tables."""
    return _Exporter(model).file


class _Exporter:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.file = schema.Model(version=3, description=model.description)
        self.file.operator_codes = []
        self.file.buffers = [schema.Buffer()]
        self.codes: dict[tuple[str, bool, int], int] = {}
        self.by_data: dict[int, int] = {}
        self.numbers: list[dict[int, int]] = []  # per graph: id(tensor) -> its number
        self.graph_numbers = {id(g): i for i, g in enumerate(model.graphs)}
        self.file.subgraphs = [self.subgraph(g) for g in model.graphs]
        if model.signatures:
            self.file.signature_defs = [self.signature(s) for s in model.signatures]
        if model.metadata:
            rows = [schema.Metadata(name=name, buffer=self.buffer(data, new=True)) for name, data in model.metadata]
            self.file.metadata = rows
        if model.metadata_buffers is not None:
            self.file.metadata_buffer = [self.buffer(data) for data in model.metadata_buffers]
        self.file.external_buffer_groups = model.external_buffer_groups
        self.file.external_buffers = model.external_buffers
        self.file.appended = model.appended

    def buffer(self, data: np.ndarray | None, new: bool = False) -> int:
        if data is None:
            return 0
        found = self.by_data.get(id(data))
        if found is None or new:
            found = self.by_data[id(data)] = len(self.file.buffers)
            self.file.buffers.append(schema.Buffer(data=data))
        return found

    def signature(self, s: Signature) -> Any:
        number = self.graph_numbers[id(s.graph)]
        numbers = self.numbers[number]

        def maps(side: dict[str, Tensor]) -> list[Any]:
            return [schema.TensorMap(name=name, tensor_index=numbers[id(t)]) for name, t in side.items()]

        return schema.SignatureDef(
            inputs=maps(s.inputs),
            outputs=maps(s.outputs),
            signature_key=s.key,
            deprecated_tag=s.deprecated_tag,
            subgraph_index=number,
        )

    def subgraph(self, graph: Graph) -> Any:
        tensors = graph.tensors()
        order = sorted(tensors, key=lambda t: 1 << 60 if t.index is None else t.index)
        numbers = {id(t): i for i, t in enumerate(order)}
        self.numbers.append(numbers)
        return schema.SubGraph(
            name=graph.name,
            tensors=[self.tensor(t, numbers, graph) for t in order],
            inputs=[numbers[id(t)] for t in graph.inputs],
            outputs=[numbers[id(t)] for t in graph.outputs],
            operators=[self.operator(node, numbers) for node in graph],
            debug_metadata_index=graph.debug_metadata_index,
        )

    def tensor(self, t: Tensor, numbers: dict[int, int], graph: Graph) -> Any:
        if t.type is None or t.shape is None:
            raise ModelError(f"tensor {t.name!r} of graph {graph.name!r} has no type or shape yet")
        made = schema.Tensor(name=t.name, type=t.type, buffer=self.buffer(t.data), is_variable=t.variable)
        concrete = tuple(1 if d < 0 else d for d in t.shape)
        if concrete != t.shape:
            made.shape_signature = t.shape
            if t.concrete is not None and _fits(t.concrete, t.shape):
                concrete = t.concrete
        made.shape = concrete
        made.has_rank = t.has_rank
        made.sparsity = t.sparsity
        made.variant_tensors = t.variant_tensors
        made.external_buffer = t.external_buffer
        q = t.quantization
        if q is not None:
            details: Any = q.details
            if q.scales is not None and q.details is not None:
                details = type(q.details)()
                details.__dict__.update(q.details.__dict__)
                details.scales = numbers[id(q.scales)]
                details.zero_points = -1 if q.zero_points is None else numbers[id(q.zero_points)]
            made.quantization = schema.QuantizationParameters(
                min=q.min,
                max=q.max,
                scale=q.scale,
                zero_point=q.zero_point,
                details=details,
                quantized_dimension=q.axis,
            )
        return made

    def operator(self, node: Node, numbers: dict[int, int]) -> Any:
        from .versions import version_of

        version = node.version if node.version is not None else version_of(node)
        key = (node.op, node.custom, version)
        if key not in self.codes:
            self.codes[key] = len(self.file.operator_codes)
            if node.custom:
                code = schema.OperatorCode(builtin_code="CUSTOM", custom_code=node.op, version=version)
            else:
                code = schema.OperatorCode(builtin_code=_code(node.op), version=version)
            self.file.operator_codes.append(code)
        made = schema.Operator(
            opcode_index=self.codes[key],
            inputs=[-1 if t is None else numbers[id(t)] for t in node.inputs],
            outputs=[numbers[id(t)] for t in node.outputs],
            custom_options=node.custom_options,
            custom_options_format=node.custom_options_format,
            mutating_variable_inputs=node.mutating_variable_inputs,
            debug_metadata_index=node.debug_metadata_index,
        )
        if node.intermediates is not None:
            made.intermediates = [-1 if t is None else numbers[id(t)] for t in node.intermediates]
        options = node.options
        if options is not None:
            if node.graphs:
                options = type(options)()
                options.__dict__.update(node.options.__dict__)
                for field, value in node.graphs.items():
                    if isinstance(value, list):
                        value = [self.graph_numbers[id(g)] for g in value]
                        setattr(options, field, value)
                    else:
                        setattr(options, field, self.graph_numbers[id(value)])
            second = type(options).__name__ in schema.UNIONS["BuiltinOptions2"]
            setattr(made, "builtin_options_2" if second else "builtin_options", options)
        return made


def _fits(concrete: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(concrete) == len(shape) and all(c == d or d < 0 for c, d in zip(concrete, shape, strict=True))


def _code(op: str) -> int:
    if op.startswith("BUILTIN_"):
        return int(op[len("BUILTIN_") :])
    return int(schema.BuiltinOperator[op])
