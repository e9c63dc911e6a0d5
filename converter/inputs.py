"""Random inputs that a network can take: sizes for its open dimensions, and indices that its tables have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ..interpreter.model import TensorSpec
from . import data, schema
from .data import Sample
from .ir import Model, Tensor

Shapes = dict[str, tuple[int, ...]]

SIZES = (64, 32, 16, 224, 8, 4, 3, 2, 1)
"""What is tried for open dimensions behind the first."""

_CARRIES = frozenset(
    {
        "CAST", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "SPLIT", "CONCATENATION",
        "PACK", "UNPACK", "PAD", "TILE", "BROADCAST_TO", "QUANTIZE", "MAXIMUM", "MINIMUM", "SELECT", "SELECT_V2", "ADD",
    }
)  # fmt: skip


def input_specs(model: Model) -> list[TensorSpec]:
    """The inputs of the main graph, with the names of its signature."""
    return [_spec(t, name) for t, name in zip(model.main.inputs, _names(model, outputs=False), strict=True)]


def output_names(model: Model) -> list[str]:
    return _names(model, outputs=True)


def _names(model: Model, *, outputs: bool) -> list[str]:
    called: dict[int, str] = {}
    for s in model.signatures:
        if s.graph is model.main:
            for name, t in (s.outputs if outputs else s.inputs).items():
                called.setdefault(id(t), name)
    return [called.get(id(t), t.name) for t in (model.main.outputs if outputs else model.main.inputs)]


def _spec(t: Tensor, name: str) -> TensorSpec:
    q = t.quantization if t.quantized else None
    one = q is not None and q.scale is not None and q.scale.size == 1
    scale = float(q.scale[0]) if q is not None and q.scale is not None and one else None
    zero = int(q.zero_point[0]) if q is not None and q.zero_point is not None and one else 0
    return TensorSpec(name, t.shape or (), schema.numpy_dtype(t.type), scale, zero, -1)


def index_limits(model: Model) -> dict[str, int]:
    """Integer inputs that are looked up in tables: name -> the number of rows of the smallest table."""
    named = zip(model.main.inputs, _names(model, outputs=False), strict=True)
    return {name: limit for t, name in named if (limit := _limit(t)) is not None}


def _limit(t: Tensor) -> int | None:
    found: list[int] = []
    seen = {id(t)}
    waiting = [t]
    while waiting:
        current = waiting.pop()
        for node in current.users:
            rows = None
            first, second = node.input(0), node.input(1)
            if node.op == "GATHER" and current is second and first is not None and first.shape:
                axis = int(node.option("axis", 0))
                rows = first.shape[axis] if -len(first.shape) <= axis < len(first.shape) else None
            elif node.op == "EMBEDDING_LOOKUP" and current is first and second is not None and second.shape:
                rows = second.shape[0]
            elif node.op == "ONE_HOT" and current is first and second is not None and second.constant:
                rows = int(second.array.reshape(-1)[0])
            elif node.op in _CARRIES:
                waiting += [out for out in node.outputs if id(out) not in seen]
                seen.update(id(out) for out in node.outputs)
            if rows is not None and rows > 0:
                found.append(rows)
    return min(found, default=None)


def sizes(specs: Sequence[TensorSpec], takes: Callable[[Shapes], bool]) -> Shapes:
    """A shape for every input: its own, with numbers for the open dimensions that the network can take."""
    if all(min(spec.shape, default=0) >= 0 for spec in specs):
        return {spec.name: spec.shape for spec in specs}
    tried = set()
    for rest in SIZES:
        for batch in (2, 1):
            shapes = {
                spec.name: tuple((batch if i == 0 else rest) if d < 0 else d for i, d in enumerate(spec.shape))
                for spec in specs
            }
            key = tuple(shapes.values())
            if key not in tried and takes(shapes):
                return shapes
            tried.add(key)
    return {spec.name: tuple(max(d, 1) for d in spec.shape) for spec in specs}


def random_samples(
    specs: Sequence[TensorSpec],
    takes: Callable[[Shapes], bool],
    limits: Mapping[str, int],
    *,
    seed: int = 0,
    count: int = 2,
) -> Iterator[Sample]:
    """Seeded samples. `takes` says whether the network can run with some shapes, `limits` is from `index_limits`."""
    shapes = sizes(specs, takes)
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield {spec.name: data.random(spec, shapes[spec.name], rng, limits.get(spec.name, 2)) for spec in specs}
