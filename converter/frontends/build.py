"""What the front ends build with: a graph whose tensors know their types and shapes.

    y = b.op("ADD", x, b.const(np.float32(1)))      an operator of ours; computed at once if all operands are constants
    b.shape(y)                                      asked from the runtime when first needed; -1 is open
    b.transpose(x, (0, 2, 3, 1))                    constants are turned now, the rest by a TRANSPOSE

A function of a front end raises `Unsupported` with a reason and a suggestion where the source asks for what we cannot
say. Formulas that several front ends need are in words.py.

Some sources compute shapes by operators (ONNX: Shape, Gather, Concat …). Those of static tensors are constants here.
With open dimensions `b.partial` knows a small integer tensor element by element: a number, or an `Open` that stands
for a dimension of a tensor; so a Reshape to [batch, 8, 64] becomes one to [-1, 8, 64], whatever computed the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...interpreter import _native
from ...interpreter.errors import ModelError, SamaraError, UnsupportedError
from .. import schema
from ..infer import Cut, InferenceError, _prepare, infer, result_types
from ..ir import Graph, GraphError, Model, Node, Signature, Tensor

FOLD_LIMIT = 1 << 26
"""A constant above this many bytes is computed now only if it is no larger than what it is made of."""

MEMORY = 1 << 31
"""Bytes the runtime may use to compute one constant or one shape."""

T = schema.TensorType
INTS = (T.INT32, T.INT64)


class Unsupported(Exception):
    """An operator asks for something that cannot be converted."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


class Open(NamedTuple):
    """The number that dimension `axis` of a tensor will be."""

    tensor: int  # its id
    axis: int


class Builder:
    """A graph under construction."""

    def __init__(self, name: str = "main") -> None:
        self.graph = Graph(name)
        self.name = ""  # of the source node, for what it makes
        self.order: dict[Node, int] = {}
        self.pending: list[Node] = []
        self._partial: dict[int, list[int | Open]] = {}
        self.zeros: set[int] = set()  # ids of tensors that are zero whatever their open dimensions are
        self.keep: list[Tensor] = []  # whose ids stand in the tables above

    # ---- Making ----

    def const(self, value: Any, name: str = "") -> Tensor:
        return self.graph.constant(np.asarray(value, order="C"), name or self.name)

    def ints(self, values: Iterable[int]) -> Tensor:
        return self.const(np.array(list(values), np.int32))

    def op(self, name: str, *inputs: Tensor | None, outputs: int | None = None, kind: Any = None, **fields: Any) -> Any:
        """Appends an operator; its output, or a tuple if `outputs` is given. `kind`: the type no rule says."""
        made = self.graph.op(name, *inputs, outputs=outputs or 1, name=self.name, type=kind, **fields)
        node: Node = made[0].producer
        for t, found in zip(made, result_types(node), strict=True):
            if t.type is None:
                t.type = found
        self.order[node] = len(self.order)
        if all(t is None or t.constant for t in inputs) and self._fold(node, made):
            return made[0] if outputs is None else made
        self.pending.append(node)
        return made[0] if outputs is None else made

    def _fold(self, node: Node, made: Sequence[Tensor]) -> bool:
        cut = Cut([node], [], list(made))
        given = sum(t.data.nbytes for t in node.inputs if t is not None and t.data is not None)
        try:
            session, numbers = self._session(cut)
            session.prepare()
            views = [session.view(numbers[id(t)]) for t in made]
            if sum(v.bytes for v in views) > max(FOLD_LIMIT, given):
                return False
            session.invoke()
            views = [session.view(numbers[id(t)]) for t in made]
            if sum(v.bytes for v in views) > max(FOLD_LIMIT, given):
                return False
            for t, view in zip(made, views, strict=True):
                data = np.empty(view.bytes, np.uint8)
                if view.bytes:
                    session.read(numbers[id(t)], data)
                t.data, t.shape = data, tuple(view.shape)
        except UnsupportedError as error:
            raise Unsupported(str(error)) from None
        except SamaraError as error:
            raise cut.blame(error) from None
        self.graph.remove(node)
        return True

    def _session(self, cut: Cut) -> tuple[_native.Session, dict[int, int]]:
        from ..export import to_bytes

        options = _native.Options(max_memory=MEMORY)
        session = _native.Session(_native.Model.from_bytes(to_bytes(cut.model), options), 0, options)
        numbers = {id(t): i for i, t in enumerate(cut.graph.tensors())}
        return session, {key: numbers[id(made)] for key, made in cut.clones.items() if id(made) in numbers}

    # ---- Knowing ----

    def shape(self, t: Tensor) -> tuple[int, ...]:
        if t.shape is None:
            self._settle()
        if t.shape is None:
            raise InferenceError(f"the shape of {t} cannot be known")
        return t.shape

    def rank(self, t: Tensor) -> int:
        return len(self.shape(t))

    def static(self, t: Tensor) -> bool:
        return min(self.shape(t), default=0) >= 0

    def _settle(self) -> None:
        """Shapes of everything made since the last time."""
        wanted = {node for node in self.pending if any(t.shape is None for t in node.outputs)}
        waiting = list(wanted)
        while waiting:  # and what computes shapes for them
            for t in waiting.pop().inputs:
                if t is None or t.producer is None or t.producer in wanted or t.shape is None or len(t.shape) > 1:
                    continue
                if t.type in INTS and t.constant is False:
                    wanted.add(t.producer)
                    waiting.append(t.producer)
        nodes = sorted((n for n in wanted if n.graph is self.graph), key=self.order.__getitem__)
        made = {id(t) for node in nodes for t in node.outputs}
        inputs: dict[int, Tensor] = {}
        for node in nodes:
            for t in node.inputs:
                if t is not None and id(t) not in made and not t.constant and not t.variable:
                    inputs[id(t)] = t
        unknown = [t for node in nodes for t in node.outputs if t.shape is None]
        self.pending = []
        if not unknown:
            return
        try:
            _prepare(nodes, list(inputs.values()), unknown)
        except UnsupportedError as error:
            raise Unsupported(str(error)) from None

    def partial(self, t: Tensor) -> list[int | Open] | None:
        """An integer tensor of rank 0 or 1, element by element, as far as it is known."""
        if t.constant:
            array = t.array
            return [int(v) for v in array.reshape(-1)] if array.ndim <= 1 and array.dtype.kind in "iub" else None
        return self._partial.get(id(t))

    def remember(self, t: Tensor, values: list[int | Open] | None) -> Tensor:
        """Says what is known of an integer tensor; all of it known makes it a constant."""
        if values is None or t.constant:
            return t
        if all(isinstance(v, int) for v in values):
            shape = self.shape(t)
            dtype = schema.numpy_dtype(t.type)
            return self.const(np.array(values, dtype).reshape(shape if -1 not in shape else (len(values),)))
        self._partial[id(t)] = values
        self.keep.append(t)
        return t

    def is_zero(self, t: Tensor | None) -> bool:
        if t is None or id(t) in self.zeros:
            return True
        return t.constant and not t.array.any()

    def mark_zero(self, t: Tensor) -> Tensor:
        self.zeros.add(id(t))
        self.keep.append(t)
        return t

    # ---- Finishing ----

    def own(self, t: Tensor, name: str) -> Tensor:
        """A tensor that can be an output of its own: of inputs, constants and what is an output already, a copy."""
        if t.producer is not None and not t.outputs:
            return t
        shape = self.shape(t)
        given = self.graph.op("SHAPE", t, out_type="INT32") if shape.count(-1) > 1 else self.ints(shape)
        if given.type is None:
            given.type = T.INT32
        copy: Tensor = self.graph.op("RESHAPE", t, given, name=name, type=t.type, shape=shape)
        copy.quantization = t.quantization
        return copy

    def finished(self, description: str, signature: Signature) -> Model:
        """The model of the graph, pruned, typed and verified. ModelError if it is not consistent."""
        model = Model([self.graph], description=description)
        model.signatures.append(signature)
        self.prune()
        try:
            infer(model)
            model.verify()
        except (GraphError, SamaraError) as error:
            raise ModelError(f"the converted graph is not consistent: {error}") from None
        return model

    def prune(self) -> None:
        """What no output needs goes."""
        for node in reversed(self.graph.nodes):
            if not any(t.used for t in node.outputs):
                self.graph.remove(node)

    # ---- Words that many functions use ----

    def transpose(self, t: Tensor, perm: Sequence[int]) -> Tensor:
        perm = [int(p) for p in perm]
        if perm == list(range(len(perm))):
            return t
        if t.constant:
            return self.const(t.array.transpose(perm), t.name)
        return self.op("TRANSPOSE", t, self.ints(perm))  # type: ignore[no-any-return]

    def reshape(self, t: Tensor, shape: Sequence[int]) -> Tensor:
        shape = [int(d) for d in shape]
        if t.constant and t.quantization is None:
            return self.const(t.array.reshape(shape), t.name)
        if t.shape is not None and -1 not in t.shape and list(t.shape) == shape:
            return t
        return self.op("RESHAPE", t, self.ints(shape), new_shape=np.array(shape, np.int32))  # type: ignore[no-any-return]

    def expand(self, t: Tensor, axes: Iterable[int]) -> Tensor:
        """New dimensions of one at these places of the result (sorted, not negative)."""
        for axis in axes:
            t = self._moved("EXPAND_DIMS", t, axis)
        return t

    def _moved(self, name: str, t: Tensor, axis: int) -> Tensor:
        shape = list(self.shape(t))
        target = [*shape[:axis], 1, *shape[axis:]]
        if target.count(-1) <= 1:
            return self.reshape(t, target)
        return self.op(name, t, self.const(np.int32(axis)))  # type: ignore[no-any-return]

    def squeeze(self, t: Tensor, axes: Sequence[int]) -> Tensor:
        shape = self.shape(t)
        target = [d for i, d in enumerate(shape) if i not in axes]
        if target.count(-1) <= 1 and all(shape[a] == 1 for a in axes):
            return self.reshape(t, target)
        return self.op("SQUEEZE", t, squeeze_dims=np.array(sorted(axes), np.int32))  # type: ignore[no-any-return]

    def cast(self, t: Tensor, kind: Any) -> Tensor:
        kind = T[kind] if isinstance(kind, str) else kind
        if t.type == kind:
            return t
        return self.op("CAST", t, in_data_type=t.type, out_data_type=kind)  # type: ignore[no-any-return]

    def shape_of(self, t: Tensor) -> Tensor:
        """The dimensions as an int32 vector, for run time."""
        if self.static(t):
            return self.ints(self.shape(t))
        made = self.op("SHAPE", t, out_type="INT32")
        return self.remember(made, [d if d >= 0 else Open(id(t), i) for i, d in enumerate(self.shape(t))])

    def slice(self, t: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
        """A part; size -1: to the end."""
        shape = self.shape(t)
        if all(b == 0 and s in (-1, d) for b, s, d in zip(begin, size, shape, strict=True)):
            return t
        return self.op("SLICE", t, self.ints(begin), self.ints(size))  # type: ignore[no-any-return]

    def pad(self, t: Tensor, pads: Sequence[tuple[int, int]], value: float = 0) -> Tensor:
        if not any(a or b for a, b in pads):
            return t
        amounts = self.const(np.array(pads, np.int32))
        if value == 0:
            return self.op("PAD", t, amounts)  # type: ignore[no-any-return]
        return self.op("PADV2", t, amounts, self.const(np.array(value, schema.numpy_dtype(t.type))))  # type: ignore[no-any-return]

    def like(self, t: Tensor, value: float) -> Tensor:
        """A scalar constant of a tensor's type."""
        return self.const(np.array(value, schema.numpy_dtype(t.type)))
