"""Types, shapes and values, asked from the runtime: the operators' own C code is the one home of inference.

    infer(model)                     fills in every missing type and shape; InferenceError names the node that objects
    evaluate([tensor, …])            the values of tensors that depend on constants only

Both cut the nodes they need out of the graph, write them as a small model, and let the runtime prepare or run it.
A tensor's type must be in that model beforehand; `result_types` states it from the format's rules, and the operator's
`prepare` refuses a wrong one. Open dimensions are found by preparing twice, with different sizes in the open places of
the inputs: what differs afterwards is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..interpreter import _native
from ..interpreter.errors import SamaraError, UnsupportedError
from . import schema
from .export import to_bytes
from .ir import Graph, GraphError, Model, Node, Quantization, Tensor


class InferenceError(GraphError):
    """The runtime refuses a node; `.node` is it."""

    def __init__(self, message: str, node: Node | None = None) -> None:
        super().__init__(message)
        self.node = node


# ---- Types ----

_BOOL = frozenset(
    {
        "EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "LOGICAL_AND", "LOGICAL_OR",
        "LOGICAL_NOT", "REDUCE_ANY", "REDUCE_ALL",
    }
)  # fmt: skip
_OPTION = {  # the options field that says the type
    "CAST": "out_data_type", "SHAPE": "out_type", "ARG_MAX": "output_type", "ARG_MIN": "output_type",
}  # fmt: skip
_LIKE_INPUT = {  # the operand whose type the output has, where it is not the first
    "SPLIT": 1, "SELECT": 1, "SELECT_V2": 1, "ONE_HOT": 2, "EMBEDDING_LOOKUP": 1, "FILL": 1, "TRANSPOSE_CONV": 2,
    "CONV_3D_TRANSPOSE": 2, "SPARSE_TO_DENSE": 2, "SCATTER_ND": 1, "HASHTABLE_FIND": 2,
}  # fmt: skip
_FIXED = {
    "RANK": "INT32", "WHERE": "INT64", "BUCKETIZE": "INT32", "DEQUANTIZE": "FLOAT32", "IMAG": "FLOAT32",
    "REAL": "FLOAT32", "COMPLEX_ABS": "FLOAT32", "RFFT2D": "COMPLEX64", "RANDOM_UNIFORM": "FLOAT32",
    "RANDOM_STANDARD_NORMAL": "FLOAT32", "VAR_HANDLE": "RESOURCE", "HASHTABLE": "RESOURCE", "MULTINOMIAL": "INT64",
    "HASHTABLE_SIZE": "INT64",
}  # fmt: skip


def result_types(node: Node) -> list[Any]:
    """The types of a node's outputs by the rules of the format; None where only whoever built it can know."""
    kinds = schema.TensorType
    n = len(node.outputs)
    if node.custom:
        return [None] * n
    if node.op in _BOOL:
        return [kinds.BOOL] * n
    if node.op in _OPTION:
        return [kinds(node.option(_OPTION[node.op]))] * n
    if node.op in _FIXED:
        return [kinds[_FIXED[node.op]]] * n
    if node.op == "QUANTIZE":
        return [None] * n
    for field in ("then_subgraph_index", "body_subgraph_index", "decomposition_subgraph_index"):
        if field in node.graphs:
            return [t.type for t in node.graphs[field].outputs][:n]
    like = node.input(_LIKE_INPUT.get(node.op, 0))
    kind = None if like is None else like.type
    if node.op in ("TOPK_V2", "UNIQUE"):
        return [kind, kinds.INT32 if node.op == "TOPK_V2" else kinds(node.option("idx_out_type"))][:n]
    if node.op == "HASHTABLE_LOOKUP":
        values = node.input(2)
        return [None if values is None else values.type, kinds.UINT8][:n]
    return [kind] * n


def infer_types(model: Model) -> None:
    for _ in range(len(model.graphs) + 1):  # bodies of control flow may stand before or after their caller
        missing = 0
        for graph in model.graphs:
            for node in graph:
                for t, kind in zip(node.outputs, result_types(node), strict=False):
                    if t.type is None:
                        t.type = kind
                    missing += t.type is None
        if not missing:
            return
    for graph in model.graphs:
        for node in graph:
            for t in node.outputs:
                if t.type is None:
                    raise InferenceError(f"{node.op} {t.name!r}: the type of its output must be given", node)


# ---- Cutting nodes out ----


class Cut:
    """Some nodes of a graph as a model of their own: `inputs` are given, constants come along."""

    def __init__(self, nodes: Sequence[Node], inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self.nodes = list(nodes)
        self.clones: dict[int, Tensor] = {}
        graph = Graph("cut")
        for t in inputs:
            made = self.clone(t)
            made.data = None
            made.variable = False
            made.quantization = t.quantization
            graph.inputs.append(made)
        for node in self.nodes:
            made_node = Node(
                node.op,
                [self.clone(t) for t in node.inputs],
                [self._must(t) for t in node.outputs],
                node.options,
                custom=node.custom,
                version=node.version,
            )
            made_node.graphs = node.graphs
            made_node.custom_options = node.custom_options
            made_node.custom_options_format = node.custom_options_format
            made_node.mutating_variable_inputs = node.mutating_variable_inputs
            if node.intermediates is not None:
                made_node.intermediates = [self.clone(t) for t in node.intermediates]
            graph.insert(made_node)
        graph.outputs = [self._must(t) for t in outputs]
        self.graph = graph
        self.model = Model([graph])
        seen = {id(graph)}
        waiting = [g for node in self.nodes for g in node.all_graphs()]
        while waiting:
            g = waiting.pop(0)
            if id(g) not in seen:
                seen.add(id(g))
                self.model.graphs.append(g)
                waiting += [inner for node in g for inner in node.all_graphs()]

    def _must(self, t: Tensor) -> Tensor:
        made: Tensor = self.clone(t)
        return made

    def clone(self, t: Tensor | None) -> Any:
        if t is None:
            return None
        made = self.clones.get(id(t))
        if made is None:
            made = Tensor(t.name, t.type, t.shape if t.shape is not None else (), data=t.data, variable=t.variable)
            self.clones[id(t)] = made
            made.sparsity, made.variant_tensors = t.sparsity, t.variant_tensors
            made.concrete = t.concrete
            q = t.quantization
            if q is not None and (q.scales is not None or q.zero_points is not None):
                q2 = Quantization(q.scale, q.zero_point, q.axis, min=q.min, max=q.max, details=q.details)
                q2.scales, q2.zero_points = self.clone(q.scales), self.clone(q.zero_points)
                q = q2
            made.quantization = q
        return made

    def session(self, *, keep_all: bool = False) -> tuple[_native.Session, dict[int, int]]:
        """A session of the cut and the number of each tensor (by id of the original) in it."""
        data = to_bytes(self.model)
        numbers = {id(t): i for i, t in enumerate(self.graph.tensors())}
        options = _native.Options(keep_all=keep_all, no_fusion=keep_all)
        session = _native.Session(_native.Model.from_bytes(data, options), 0, options)
        return session, {key: numbers[id(made)] for key, made in self.clones.items() if id(made) in numbers}

    def blame(self, error: SamaraError) -> InferenceError:
        node = self.nodes[error.node] if error.node is not None and error.subgraph in (0, None) else None
        return InferenceError(str(error), node)


# ---- Shapes ----


def infer(model: Model) -> None:
    """Gives every tensor of every graph a type and a shape."""
    infer_types(model)
    for graph in model.graphs:
        _infer_shapes(graph)


def _infer_shapes(graph: Graph) -> None:
    if all(t.shape is not None for node in graph for t in node.outputs):
        return
    needed = _needed(graph)
    while True:
        made = {id(t) for node in needed for t in node.outputs}
        inputs: dict[int, Tensor] = {}
        for node in needed:
            for t in node.inputs:
                if t is not None and id(t) not in made and not t.constant and not t.variable:
                    inputs[id(t)] = t
        unknown = [t for node in needed for t in node.outputs if t.shape is None]
        if not unknown:
            return
        try:
            _prepare(needed, list(inputs.values()), unknown)
            return
        except UnsupportedError as error:
            culprit = None if error.node is None else needed[error.node]
            if culprit is None or any(t.shape is None for t in culprit.outputs):
                raise InferenceError(str(error), culprit) from None
            needed.remove(culprit)  # its file says its shapes; go on around it


def _needed(graph: Graph) -> list[Node]:
    """The nodes whose shapes are unknown, and what computes shapes for them."""
    wanted: set[Node] = {node for node in graph if any(t.shape is None for t in node.outputs)}
    waiting = list(wanted)
    while waiting:
        for t in waiting.pop().inputs:
            if t is None or t.producer is None or t.producer in wanted:
                continue
            if t.shape is None or (len(t.shape) <= 1 and t.type in (schema.TensorType.INT32, schema.TensorType.INT64)):
                wanted.add(t.producer)
                waiting.append(t.producer)
    return [node for node in graph if node in wanted]


LARGE = 1 << 14
"""A floating-point constant above this many bytes says nothing about shapes but its own."""


def _prepare(nodes: list[Node], inputs: list[Tensor], unknown: list[Tensor]) -> None:
    """Weights go in as inputs, which saves copying them; where an operator wants them constant, as they are."""
    large = {
        id(t): t
        for node in nodes
        for t in node.inputs
        if t is not None and t.data is not None and t.data.nbytes > LARGE and not t.sparsity and not t.quantized
        if t.type == schema.TensorType.FLOAT32
    }
    if large:
        try:
            return _prepare_cut(nodes, [*inputs, *large.values()], unknown)
        except (InferenceError, UnsupportedError):
            pass
    return _prepare_cut(nodes, inputs, unknown)


def _prepare_cut(nodes: list[Node], inputs: list[Tensor], unknown: list[Tensor]) -> None:
    try:
        _prepare_sized(nodes, inputs, unknown)
    except InferenceError:
        # The file's own sizes, ones mostly, may be smaller than a window: with larger ones it may fit.
        small = [t for t in inputs if t.shape is not None and -1 in t.shape[1:]]
        if not small:
            raise
        for t in small:
            t.concrete = _grown(t)
        _prepare_sized(nodes, inputs, unknown)


ROOMY = 32
"""A size of pictures that is larger than windows."""


def _grown(t: Tensor) -> tuple[int, ...]:
    """The sizes of an open tensor with at least ROOMY in its open places, but few in the first: the batch."""
    shape = t.shape or ()
    own = t.concrete or tuple(max(d, 1) for d in shape)
    return tuple(max(n, ROOMY) if d < 0 and i else n for i, (d, n) in enumerate(zip(shape, own, strict=True)))


def _prepare_sized(nodes: list[Node], inputs: list[Tensor], unknown: list[Tensor]) -> None:
    cut = Cut(nodes, inputs, unknown)
    try:
        session, numbers = cut.session()
        sizes = first = _shapes(session, numbers, inputs, unknown, 0)
    except UnsupportedError:
        raise
    except SamaraError as error:
        raise cut.blame(error) from None
    open_inputs = [t for t in inputs if t.shape is not None and -1 in t.shape]
    if open_inputs:
        for size in _sizes(open_inputs):
            try:
                second = _shapes(session, numbers, inputs, unknown, size)
            except SamaraError:
                continue  # this size does not fit the network; another may
            first = [_merge(a, b) for a, b in zip(first, second, strict=True)]
    for t, shape, own in zip(unknown, first, sizes, strict=True):
        t.shape = shape
        own = tuple(1 if d < 0 else d for d in own)  # open whatever the inputs' sizes are
        t.concrete = own if -1 in shape and any(d != 1 for d, s in zip(own, shape, strict=True) if s < 0) else None


def _sizes(inputs: list[Tensor]) -> Sequence[int]:
    """What multiplies the file's own sizes in the open places; windows and strides hide small differences."""
    if all(t.shape is not None and -1 not in t.shape[1:] for t in inputs):
        return (2, 3)  # the batch alone
    return (1, 2, 3, 4)


def _merge(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    if len(a) != len(b):
        return a
    return tuple(x if x == y else -1 for x, y in zip(a, b, strict=True))


def _shapes(
    session: _native.Session, numbers: dict[int, int], inputs: list[Tensor], unknown: list[Tensor], size: int
) -> list[tuple[int, ...]]:
    """The shapes with `size` times the file's own sizes in the open places of the inputs (0: as the file has them)."""
    for t in inputs:
        if size and t.shape is not None and -1 in t.shape:
            own = t.concrete or [1] * len(t.shape)
            session.resize(numbers[id(t)], [size * n if d < 0 else d for d, n in zip(t.shape, own, strict=True)], False)
    session.prepare()
    views = [session.view(numbers[id(t)]) for t in unknown]
    if any(v.dynamic for v in views):
        session.invoke()  # with zeros: shapes that depend on values are open, but their rank is known
        views = [
            v if not v.dynamic else v._replace(shape=(-1,) * len(session.view(numbers[id(t)]).shape))
            for v, t in zip(views, unknown, strict=True)
        ]
    return [tuple(v.shape) for v in views]


# ---- Values ----


def evaluate(tensors: Iterable[Tensor], stop: Iterable[Tensor] = ()) -> dict[int, np.ndarray]:
    """Runs what the tensors depend on; id -> bytes as a constant holds them (uint8).

    Everything must lead back to constants, or to `stop`: static tensors whose shape alone matters (fed with zeros).
    """
    wanted = list(tensors)
    fed = {id(t): t for t in stop}
    nodes: dict[Node, None] = {}
    waiting = [t.producer for t in wanted if t.producer is not None]
    while waiting:
        node = waiting.pop()
        if node in nodes:
            continue
        nodes[node] = None
        for t in node.inputs:
            if t is not None and not t.constant and id(t) not in fed:
                if t.producer is None:
                    raise InferenceError(f"{t} has no constant value", node)
                waiting.append(t.producer)
    graph = wanted[0].producer.graph if wanted and wanted[0].producer is not None else None
    if graph is None:
        return {}
    ordered = [node for node in graph if node in nodes]
    return run(ordered, {key: (t, None) for key, t in fed.items()}, wanted)


def run(
    nodes: list[Node], feeds: dict[int, tuple[Tensor, np.ndarray | None]], wanted: list[Tensor]
) -> dict[int, np.ndarray]:
    """Runs nodes on given values (None: zeros); id of each wanted tensor -> its bytes. Records shapes found."""
    cut = Cut(nodes, [t for t, _ in feeds.values()], wanted)
    try:
        session, numbers = cut.session()
        session.prepare()
        for key, (_, value) in feeds.items():
            if value is not None:
                session.write(numbers[key], value)
        session.invoke()
        found = {}
        for t in wanted:
            view = session.view(numbers[id(t)])
            data = np.empty(view.bytes, np.uint8)
            if view.bytes:
                session.read(numbers[id(t)], data)
            if t.shape is None or -1 in t.shape:
                t.shape = tuple(view.shape)
            found[id(t)] = data
    except SamaraError as error:
        raise cut.blame(error) from None
    return found
