"""The converter's graph: what front ends build, passes rewrite and the exporter writes.

    from samara.converter.ir import Graph, Model

    g = Graph("main")
    x = g.input("image", "FLOAT32", [-1, 8, 8, 1])                  # -1: open dimension
    w = g.constant(np.zeros((16, 3, 3, 1), np.float32), "w")        # a constant Tensor
    b = g.constant(np.zeros(16, np.float32), "b")
    y = g.CONV_2D(x, w, b, padding="SAME", stride_w=1, stride_h=1)  # any operator of the format; fields of its options
    p, q = g.SPLIT(g.constant(np.int32(3)), y, num_splits=2, outputs=2)
    g.output(g.RELU(p), "left")
    g.output(g.op("Mine", q, custom_options={"gain": 2}), "right")  # an unknown name is a custom operator
    model = Model([g])
    infer(model)                     # converter/infer.py: types and shapes, from the operators' own C code
    data = to_bytes(model)           # converter/export.py

    Model ── graphs ─> Graph ── linked list ─> Node ── inputs, outputs ─> Tensor
                                                ^                           │
                                                └──── producer, users ──────┘

A Tensor that no one has typed yet has `type` or `shape` None; `infer` fills them in. A Node's operands are set by
assigning `node.inputs` or `node.set_input`, never by changing the tuple's tensors in place: that keeps `users` right.
Nodes run in list order, so an operand's producer stands before its user; `verify` says where that does not hold.

Subgraphs (control flow, composites) are Graph objects in `node.graphs`, by the name of the options field that holds
their number in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from . import schema

SUBGRAPH_FIELDS = (
    "then_subgraph_index", "else_subgraph_index", "cond_subgraph_index", "body_subgraph_index", "init_subgraph_index",
    "decomposition_subgraph_index", "comparator_subgraph_index", "update_computation_subgraph_index",
    "branch_subgraph_indices", "called_computations",
)  # fmt: skip
"""Fields of options tables that hold subgraph numbers. CallOptions.subgraph is one too, by its own name."""


class GraphError(ValueError):
    """A graph breaks a rule of the IR; the message lists every place."""


class Quantization:
    """real = scale * (q - zero_point): one scale, or one per slice of `axis`.

    Blockwise weights have `details` (a schema table) and their scales and zero points in tensors of their own.
    """

    __slots__ = ("axis", "details", "max", "min", "scale", "scales", "zero_point", "zero_points")

    def __init__(
        self,
        scale: Any = None,
        zero_point: Any = None,
        axis: int = 0,
        *,
        min: Any = None,  # the schema's names
        max: Any = None,
        details: schema.Table | None = None,
        scales: Tensor | None = None,
        zero_points: Tensor | None = None,
    ) -> None:
        self.scale = None if scale is None else np.atleast_1d(np.asarray(scale, np.float32))
        if zero_point is None and self.scale is not None:
            zero_point = np.zeros(self.scale.size, np.int64)
        self.zero_point = None if zero_point is None else np.atleast_1d(np.asarray(zero_point, np.int64))
        self.axis = int(axis)
        self.min = None if min is None else np.atleast_1d(np.asarray(min, np.float32))
        self.max = None if max is None else np.atleast_1d(np.asarray(max, np.float32))
        self.details = details
        self.scales = scales
        self.zero_points = zero_points

    @property
    def quantized(self) -> bool:
        """Whether the integers mean something else than themselves (min and max alone say nothing at run time)."""
        return (self.scale is not None and self.scale.size > 0) or self.details is not None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantization):
            return NotImplemented
        return (
            schema._same(self.scale, other.scale)
            and schema._same(self.zero_point, other.zero_point)
            and schema._same(self.min, other.min)
            and schema._same(self.max, other.max)
            and self.axis == other.axis
            and self.details == other.details
            and self.scales is other.scales
            and self.zero_points is other.zero_points
        )

    __hash__ = None  # type: ignore[assignment]


class Tensor:
    """A value: made by a node, given from outside (graph input, variable), or constant (`data`).

    `shape` has -1 for open dimensions and is None before inference. `data` are a constant's bytes as the file has
    them (uint8); tensors that hold the same array object share one buffer in the file. `array` is them typed.
    """

    __slots__ = (
        "concrete", "data", "external_buffer", "graph", "has_rank", "index", "name", "outputs", "producer",
        "quantization", "shape", "sparsity", "type", "users", "variable", "variant_tensors",
    )  # fmt: skip

    def __init__(
        self,
        name: str = "",
        type: Any = None,
        shape: Iterable[int] | None = None,
        *,
        data: np.ndarray | None = None,
        quantization: Quantization | None = None,
        variable: bool = False,
    ) -> None:
        self.name = name
        self.type = schema.TensorType[type] if isinstance(type, str) else type
        self.shape = None if shape is None else tuple(int(d) for d in shape)
        self.data = data
        self.quantization = quantization
        self.variable = variable
        self.concrete: tuple[int, ...] | None = None  # the file's shape where it is not `shape` with 1 for -1
        self.has_rank = False
        self.sparsity: schema.Table | None = None
        self.variant_tensors: list[schema.Table] | None = None
        self.external_buffer = 0
        self.index: int | None = None  # its number in the file it came from
        self.producer: Node | None = None
        self.users: dict[Node, int] = {}  # node -> how many of its operands are this tensor
        self.outputs = 0  # how many graph outputs are this tensor

    @property
    def constant(self) -> bool:
        return self.data is not None

    @property
    def array(self) -> np.ndarray:
        """A constant's value: typed, in shape; INT4 and its like one value per element."""
        if self.data is None or self.shape is None:
            raise GraphError(f"{self} is not a constant")
        return schema.unpack(self.data, self.type, self.shape)

    @property
    def real(self) -> np.ndarray:
        """A constant's value with its quantization applied, as float32 (float64 and integers without one as is)."""
        value, q = self.array, self.quantization
        if q is None or q.scale is None or not q.scale.size or value.dtype.kind not in "iu":
            return value
        shape = [1] * value.ndim
        if q.scale.size > 1:
            shape[q.axis] = q.scale.size
        offset = q.zero_point if q.zero_point is not None and q.zero_point.size else np.zeros(1, np.int64)
        return ((value.astype(np.int64) - offset.reshape(shape)) * q.scale.reshape(shape)).astype(np.float32)

    @property
    def static(self) -> bool:
        """Whether every dimension is known and fixed."""
        return self.shape is not None and min(self.shape, default=0) >= 0

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    @property
    def quantized(self) -> bool:
        return self.quantization is not None and self.quantization.quantized

    @property
    def used(self) -> int:
        """How many operands and graph outputs are this tensor."""
        return sum(self.users.values()) + self.outputs

    def __repr__(self) -> str:
        kind = "?" if self.type is None else getattr(self.type, "name", str(self.type))
        shape = "[?]" if self.shape is None else str(list(self.shape)).replace(" ", "")
        return f"<{'constant' if self.constant else 'tensor'} {self.name!r} {kind}{shape}>"


class Node:
    """One operator. `op` is its name in the format, or a custom code (`custom` is then True)."""

    __slots__ = (
        "_inputs", "_next", "_prev", "custom", "custom_options", "custom_options_format", "debug_metadata_index",
        "graph", "graphs", "intermediates", "mutating_variable_inputs", "op", "options", "outputs", "version",
    )  # fmt: skip

    def __init__(
        self,
        op: str,
        inputs: Sequence[Tensor | None],
        outputs: Sequence[Tensor],
        options: schema.Table | None = None,
        *,
        custom: bool = False,
        version: int | None = None,
    ) -> None:
        self.op = op
        self.custom = custom
        self.options = options
        self.version = version  # None: the lowest that has what the node uses (export chooses)
        self.graphs: dict[str, Any] = {}  # options field -> Graph, or list of them
        self.custom_options: np.ndarray | None = None
        self.custom_options_format: Any = 0
        self.mutating_variable_inputs: np.ndarray | None = None
        self.intermediates: list[Tensor | None] | None = None
        self.debug_metadata_index = -1
        self.graph: Graph | None = None
        self._prev: Node | None = None
        self._next: Node | None = None
        self._inputs: tuple[Tensor | None, ...] = tuple(inputs)
        self.outputs: tuple[Tensor, ...] = tuple(outputs)

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The operands; None where an optional one is absent."""
        return self._inputs

    @inputs.setter
    def inputs(self, values: Iterable[Tensor | None]) -> None:
        if self.graph is not None:
            self._forget()
        self._inputs = tuple(values)
        if self.graph is not None:
            self._register()

    def set_input(self, i: int, value: Tensor | None) -> None:
        self.inputs = (*self._inputs[:i], value, *self._inputs[i + 1 :])

    def input(self, i: int) -> Tensor | None:
        """Operand i; None where it is absent or the list ends before it."""
        return self._inputs[i] if i < len(self._inputs) else None

    @property
    def output(self) -> Tensor:
        """The only output."""
        (one,) = self.outputs
        return one

    def option(self, name: str, default: Any = None) -> Any:
        """A field of the options; the schema's default where the node has none."""
        if self.options is not None:
            return getattr(self.options, name, default)
        table = schema.options_name(self.op) if not self.custom else None
        return default if table is None else getattr(getattr(schema, table), name, default)

    def attributes(self) -> Any:
        """The decoded custom options (a flexbuffer), or None."""
        return None if self.custom_options is None else schema.decode_flexbuffer(self.custom_options)

    def all_graphs(self) -> Iterator[Graph]:
        for value in self.graphs.values():
            yield from value if isinstance(value, list) else (value,)

    def _register(self) -> None:
        for t in self._inputs:
            if t is not None:
                t.users[self] = t.users.get(self, 0) + 1

    def _forget(self) -> None:
        for t in self._inputs:
            if t is not None:
                t.users.pop(self, None)

    def __repr__(self) -> str:
        return f"<{self.op} {self.outputs[0].name!r}>" if self.outputs else f"<{self.op}>"


class Graph:
    """Nodes in running order, with inputs and outputs. `graph.NAME(…)` appends an operator; see the module."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.inputs: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self.unused: list[Tensor] = []  # tensors of the file that no node and no output refers to
        self.debug_metadata_index = -1
        self._first: Node | None = None
        self._last: Node | None = None
        self._count = 0
        self._names: dict[str, int] = {}

    # ---- Building ----

    def input(self, name: str, type: Any, shape: Iterable[int], quantization: Quantization | None = None) -> Tensor:
        made = Tensor(name, type, shape, quantization=quantization)
        self.inputs.append(made)
        return made

    def output(self, tensor: Tensor, name: str | None = None) -> Tensor:
        """Makes a tensor an output; a name renames it."""
        if name is not None:
            tensor.name = name
        self.outputs = [*self.outputs, tensor]
        return tensor

    def constant(
        self, value: Any, name: str = "", type: Any = None, quantization: Quantization | None = None
    ) -> Tensor:
        """A constant of `value`'s shape. `type` tells what numpy cannot (INT4, BFLOAT16, …)."""
        array = np.asarray(value)
        kind = schema.tensor_type(array.dtype) if type is None else type
        kind = schema.TensorType[kind] if isinstance(kind, str) else kind
        return Tensor(name, kind, array.shape, data=schema.pack(array, kind), quantization=quantization)

    def variable(self, name: str, type: Any, shape: Iterable[int], quantization: Quantization | None = None) -> Tensor:
        """State that lives from one run to the next, zero at first."""
        return Tensor(name, type, shape, quantization=quantization, variable=True)

    def op(
        self,
        op: str,
        *inputs: Tensor | None,
        options: schema.Table | None = None,
        outputs: int | None = None,
        name: str = "",
        type: Any = None,
        shape: Iterable[int] | None = None,
        quantization: Quantization | None = None,
        version: int | None = None,
        custom_options: Any = None,
        before: Node | None = None,
        **fields: Any,
    ) -> Any:
        """Appends an operator (or inserts it before a node) and answers its output, or a tuple if `outputs` is given.

        `fields` are the options: numbers, enum names, or Graphs where the format has subgraph numbers. With both
        `options` and `fields`, a copy of the former changed by the latter. `type`, `shape` and `quantization` are
        those of the (first) output, where they are known already.
        """
        builtin = op in schema.BuiltinOperator.__members__
        made = [
            Tensor(name if i == 0 else f"{name}:{i}" if name else "") for i in range(1 if outputs is None else outputs)
        ]
        if made:
            made[0].type = schema.TensorType[type] if isinstance(type, str) else type
            made[0].shape = None if shape is None else tuple(int(d) for d in shape)
            made[0].quantization = quantization
        node = Node(op, inputs, made, custom=not builtin, version=version)
        graphs = {key: fields.pop(key) for key in list(fields) if _is_graph(fields[key])}
        if builtin:
            node.options = make_options(op, options, fields)
            node.graphs = graphs
        elif fields or graphs:
            raise GraphError(f"{op} is no operator of the format; give a custom operator custom_options={{…}}")
        elif custom_options is not None:
            if not isinstance(custom_options, (bytes, np.ndarray)):
                custom_options = schema.encode_flexbuffer(custom_options)
            node.custom_options = np.frombuffer(custom_options, np.uint8)
        self.insert(node, before)
        return made[0] if outputs is None else tuple(made)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.isupper():
            raise AttributeError(name)
        return lambda *inputs, **fields: self.op(name, *inputs, **fields)

    # ---- The list of nodes ----

    @property
    def outputs(self) -> list[Tensor]:
        """Assign a new list to change it; appending to it would go unnoticed."""
        return list(self._outputs)

    @outputs.setter
    def outputs(self, values: Iterable[Tensor]) -> None:
        for t in self._outputs:
            t.outputs -= 1
        self._outputs = list(values)
        for t in self._outputs:
            t.outputs += 1

    @property
    def nodes(self) -> list[Node]:
        """The nodes in running order (a copy: safe to change the graph meanwhile)."""
        return list(self)

    def __iter__(self) -> Iterator[Node]:
        node = self._first
        while node is not None:
            following = node._next
            yield node
            node = following

    def __len__(self) -> int:
        return self._count

    def insert(self, node: Node, before: Node | None = None) -> Node:
        """Puts a node before another, or at the end."""
        if node.graph is not None:
            raise GraphError(f"{node} already stands in a graph")
        after = before._prev if before is not None else self._last
        node._prev, node._next, node.graph = after, before, self
        if after is None:
            self._first = node
        else:
            after._next = node
        if before is None:
            self._last = node
        else:
            before._prev = node
        self._count += 1
        node._register()
        for t in node.outputs:
            if t.producer is not None and t.producer is not node:
                raise GraphError(f"{t} is the output of {t.producer} and of {node}")
            t.producer = node
        return node

    def remove(self, node: Node) -> None:
        """Takes a node out; its outputs lose their producer."""
        if node.graph is not self:
            raise GraphError(f"{node} does not stand in graph {self.name!r}")
        before, after = node._prev, node._next
        if before is None:
            self._first = after
        else:
            before._next = after
        if after is None:
            self._last = before
        else:
            after._prev = before
        self._count -= 1
        node._forget()
        node.graph = node._prev = node._next = None
        for t in node.outputs:
            if t.producer is node:
                t.producer = None

    def replace_uses(self, old: Tensor, new: Tensor) -> None:
        """Every operand and graph output that is `old` becomes `new`."""
        for user in list(old.users):
            user.inputs = tuple(new if t is old else t for t in user.inputs)
        if old.outputs:
            self.outputs = [new if t is old else t for t in self._outputs]

    def sort(self) -> None:
        """Orders the nodes so that every operand is made before it is used, keeping the order where it is free."""
        waiting: dict[Node, int] = {}
        ready: list[Node] = []
        for node in self:
            waiting[node] = sum(1 for t in {*node.inputs} if t is not None and t.producer is not None)
        position = {node: i for i, node in enumerate(waiting)}
        import heapq

        heap = [position[node] for node, n in waiting.items() if n == 0]
        heapq.heapify(heap)
        nodes = list(waiting)
        while heap:
            node = nodes[heapq.heappop(heap)]
            ready.append(node)
            for t in node.outputs:
                for user in t.users:
                    if user in waiting:
                        waiting[user] -= 1
                        if waiting[user] == 0:
                            heapq.heappush(heap, position[user])
        if len(ready) != len(nodes):
            stuck = next(node for node in nodes if waiting[node] > 0)
            raise GraphError(f"graph {self.name!r} has a cycle through {stuck}")
        for i, node in enumerate(ready):
            node._prev = ready[i - 1] if i else None
            node._next = ready[i + 1] if i + 1 < len(ready) else None
        self._first, self._last = (ready[0], ready[-1]) if ready else (None, None)

    def unique_name(self, wanted: str) -> str:
        """`wanted`, or `wanted_1`, …: not given out before."""
        if not self._names:
            for t in self.tensors():
                self._names.setdefault(t.name, 0)
        name = wanted
        while name in self._names:
            self._names[wanted] += 1
            name = f"{wanted}_{self._names[wanted]}"
        self._names[name] = 0
        return name

    # ---- Tensors ----

    def tensors(self) -> list[Tensor]:
        """Every tensor once: inputs, then in the order of the nodes, then what only quantization or nobody uses."""
        found: dict[int, Tensor] = {}

        def add(t: Tensor | None) -> None:
            if t is not None and id(t) not in found:
                found[id(t)] = t
                if t.quantization is not None:
                    add(t.quantization.scales)
                    add(t.quantization.zero_points)

        for t in self.inputs:
            add(t)
        for node in self:
            for operand in node.inputs:
                add(operand)
            for t in node.outputs:
                add(t)
            for operand in node.intermediates or ():
                add(operand)
        for t in self._outputs:
            add(t)
        for t in self.unused:
            add(t)
        return list(found.values())

    def __repr__(self) -> str:
        return f"<graph {self.name!r}: {self._count} nodes, {len(self.inputs)} inputs, {len(self._outputs)} outputs>"


def _is_graph(value: Any) -> bool:
    return isinstance(value, Graph) or (isinstance(value, list) and bool(value) and isinstance(value[0], Graph))


def make_options(op: str, options: schema.Table | None, fields: dict[str, Any]) -> schema.Table | None:
    """The options table of an operator: `options`, or a copy of it changed by `fields`, or a new one."""
    if options is not None and not fields:
        return options
    table = schema.options_name(op)
    if table is None:
        if fields:
            raise GraphError(f"{op} takes no options, got {', '.join(fields)}")
        return None
    made: schema.Table = getattr(schema, table)()
    if options is not None:
        if type(options) is not type(made):
            raise GraphError(f"{op} takes {table}, not {type(options).__name__}")
        made.__dict__.update(options.__dict__)
    for key, value in fields.items():
        setattr(made, key, value)
    return made


class Signature:
    """A named entry point: names of inputs and outputs of a graph."""

    __slots__ = ("deprecated_tag", "graph", "inputs", "key", "outputs")

    def __init__(self, key: str, graph: Graph, inputs: dict[str, Tensor], outputs: dict[str, Tensor]) -> None:
        self.key = key
        self.graph = graph
        self.inputs = inputs
        self.outputs = outputs
        self.deprecated_tag: str | None = None


class Model:
    """Graphs (the first is the main one), signatures, metadata (name -> bytes)."""

    def __init__(self, graphs: Iterable[Graph] = (), description: str | None = None) -> None:
        self.graphs = list(graphs)
        self.description = description
        self.signatures: list[Signature] = []
        self.metadata: list[tuple[str, np.ndarray | None]] = []
        self.metadata_buffers: list[np.ndarray | None] | None = None  # the deprecated Model.metadata_buffer
        self.external_buffer_groups: list[schema.Table] | None = None
        self.external_buffers: list[schema.Table] | None = None
        self.appended: np.ndarray | None = None  # the archive of associated files behind the model

    @property
    def main(self) -> Graph:
        return self.graphs[0]

    def nodes(self) -> Iterator[Node]:
        for graph in self.graphs:
            yield from graph

    def add_signature(self, key: str = "serving_default", graph: Graph | None = None) -> Signature:
        """An entry point with the names of the graph's tensors."""
        graph = graph or self.main
        inputs = {t.name: t for t in graph.inputs}
        made = Signature(key, graph, inputs, {t.name: t for t in graph.outputs})
        self.signatures.append(made)
        return made

    def replace_output(self, graph: Graph, old: Tensor, new: Tensor) -> None:
        """`graph.replace_uses`, and the signatures too."""
        graph.replace_uses(old, new)
        for s in self.signatures:
            if s.graph is graph:
                s.outputs = {name: new if t is old else t for name, t in s.outputs.items()}

    def copy(self) -> Model:
        """A copy that shares nothing but the bytes of constants."""
        from .export import from_schema, to_schema

        return from_schema(to_schema(self))

    def verify(self, *, complete: bool = False) -> None:
        verify(self, complete=complete)

    def __repr__(self) -> str:
        return f"<model: {', '.join(map(repr, self.graphs))}>"


# ---- Rules of a well-formed graph ----


def verify(model: Model, *, complete: bool = False) -> None:
    """Raises GraphError with every broken rule, each with its place. `complete`: every tensor is typed and shaped."""
    problems: list[str] = []
    if not model.graphs:
        problems.append("the model has no graphs")
    known = {id(g) for g in model.graphs}
    for graph in model.graphs:
        _verify_graph(graph, known, problems, complete)
    for s in model.signatures:
        if id(s.graph) not in known:
            problems.append(f"signature {s.key!r}: its graph is not in the model")
            continue
        inside = {id(t) for t in s.graph.tensors()}
        for name, t in [*s.inputs.items(), *s.outputs.items()]:
            if id(t) not in inside:
                problems.append(f"signature {s.key!r}: {name!r} leads to {t}, which is not in graph {s.graph.name!r}")
    if problems:
        more = f"\n… and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise GraphError("\n".join(problems[:20]) + more)


def _verify_graph(graph: Graph, known: set[int], problems: list[str], complete: bool) -> None:
    defined = {id(t) for t in graph.inputs}
    users: dict[int, dict[Node, int]] = {}
    for i, t in enumerate(graph.inputs):
        if t.constant or t.producer is not None:
            problems.append(f"graph {graph.name!r}: input {i} {t} is {'constant' if t.constant else 'made by a node'}")
    for i, node in enumerate(graph):
        where = f"graph {graph.name!r} node {i} {node.op} {node.outputs[0].name if node.outputs else ''!r}"
        if node.graph is not graph:
            problems.append(f"{where}: does not know its graph")
        for k, operand in enumerate(node.inputs):
            if operand is None:
                continue
            counts = users.setdefault(id(operand), {})
            counts[node] = counts.get(node, 0) + 1
            if not (id(operand) in defined or _given(operand)):
                late = "before it is made" if operand.producer is not None and operand.producer.graph is graph else (
                    "which nothing makes"
                )  # fmt: skip
                problems.append(f"{where}: operand {k} {operand} is used {late}")
        for k, t in enumerate(node.outputs):
            if id(t) in defined:
                problems.append(f"{where}: output {k} {t} is made twice or is an input")
            if t.constant:
                problems.append(f"{where}: output {k} {t} is a constant")
            if t.producer is not node:
                problems.append(f"{where}: output {k} {t} thinks {t.producer} makes it")
            defined.add(id(t))
        _verify_options(node, where, known, problems)
    counted: dict[int, int] = {}
    for i, t in enumerate(graph.outputs):
        counted[id(t)] = counted.get(id(t), 0) + 1
        if not (id(t) in defined or _given(t)):
            problems.append(f"graph {graph.name!r}: output {i} {t} is made by nothing")
    for t in graph.tensors():
        where = f"graph {graph.name!r} tensor {t.name!r}"
        if t.users != users.get(id(t), {}):
            problems.append(f"{where}: its users are {list(t.users)}, the nodes say {list(users.get(id(t), {}))}")
        if t.outputs != counted.get(id(t), 0):
            problems.append(f"{where}: counts {t.outputs} graph outputs, the graph has {counted.get(id(t), 0)}")
        _verify_tensor(t, where, problems, complete)


def _given(t: Tensor) -> bool:
    """Has a value without a node: constant, variable, in another file, or empty."""
    return t.constant or t.variable or t.external_buffer != 0 or (t.producer is None and 0 in (t.shape or ()))


def _verify_options(node: Node, where: str, known: set[int], problems: list[str]) -> None:
    if not node.custom:
        if node.op not in schema.BuiltinOperator.__members__ and not node.op.startswith("BUILTIN_"):
            problems.append(f"{where}: {node.op} is no operator of the format")
        table = schema.options_name(node.op)
        if node.options is not None and type(node.options).__name__ != table:
            problems.append(f"{where}: its options are {type(node.options).__name__}, {node.op} takes {table}")
    for field, value in node.graphs.items():
        if not hasattr(type(node.options), field):
            problems.append(f"{where}: its options have no field {field}")
        for g in value if isinstance(value, list) else [value]:
            if id(g) not in known:
                problems.append(f"{where}: {field} leads to {g}, which is not in the model")


def _verify_tensor(t: Tensor, where: str, problems: list[str], complete: bool) -> None:
    if complete and (t.type is None or t.shape is None):
        problems.append(f"{where}: has no {'type' if t.type is None else 'shape'}")
    if t.shape is not None and min(t.shape, default=0) < -1:
        problems.append(f"{where}: shape {list(t.shape)} is impossible")
    if t.constant:
        if t.type is None or t.shape is None or not t.static:
            problems.append(f"{where}: a constant of {t.type} {t.shape} says not what it is")
        elif not t.sparsity:
            try:
                t.array  # noqa: B018
            except ValueError as error:
                problems.append(f"{where}: {error}")
        if t.variable:
            problems.append(f"{where}: is both constant and variable")
    q = t.quantization
    if q is None or q.scale is None or not q.scale.size:
        return
    if q.zero_point is None or q.zero_point.size != q.scale.size:
        problems.append(
            f"{where}: {q.scale.size} scales but {0 if q.zero_point is None else q.zero_point.size} zero points"
        )
    if q.scale.size > 1 and t.shape is not None and not t.sparsity:
        axis = 0 if len(t.shape) == 1 else q.axis  # biases in the field carry the axis of their filter
        slices = t.shape[axis] if 0 <= axis < len(t.shape) else None
        if slices is None or slices not in (q.scale.size, -1):
            problems.append(f"{where}: {q.scale.size} scales along axis {q.axis} of shape {list(t.shape)}")
