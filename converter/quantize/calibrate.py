"""Calibration: the float graph runs in our interpreter on sample after sample; what is kept of each tensor is a range.

Memory does not grow with the number of samples: least and greatest value, or a histogram of BINS counts whose bins
widen by two whenever a value falls outside.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any

import numpy as np

from ...interpreter import _native, arrays
from ...interpreter.errors import ArgumentError, DataError
from .. import schema
from ..export import to_numbered_bytes
from ..ir import Graph, Model, Node, Signature, Tensor
from .masks import MASK, Logit, logits
from .recipe import Recipe

FEW = 8
"""Fewer samples than this hardly show the range of an activation."""

Progress = Callable[[int, int | None], None]
"""Called after every sample with how many are done, and how many there are if that is known."""

Look = Callable[[Node, Callable[[Tensor], np.ndarray]], dict[str, np.ndarray]]
"""What a node computes inside, by name, from the values of its operands before it runs."""


class MinMax:
    """The least and greatest value seen."""

    def __init__(self) -> None:
        self.low, self.high = np.inf, -np.inf

    def add(self, value: np.ndarray, low: float, high: float) -> None:
        self.low, self.high = min(self.low, low), max(self.high, high)

    def range(self) -> tuple[float, float]:
        return self.low, self.high


BINS = 8192


class Histogram(MinMax):
    """Counts of BINS equal bins over -reach..reach; `range` leaves out the tails."""

    def __init__(self, percentile: float) -> None:
        super().__init__()
        self.tail = (100 - percentile) / 100
        self.reach = 0.0
        self.counts = np.zeros(BINS, np.int64)

    def add(self, value: np.ndarray, low: float, high: float) -> None:
        super().add(value, low, high)
        most = max(-low, high)
        if most == 0 and self.reach == 0:
            most = 1e-6
        if self.reach == 0:
            self.reach = most
        while most > self.reach:
            pairs = self.counts.reshape(-1, 2).sum(1)
            self.counts = np.zeros(BINS, np.int64)
            self.counts[BINS // 4 : BINS // 4 + BINS // 2] = pairs
            self.reach *= 2
        at = ((value.reshape(-1) + self.reach) * (BINS / (2 * self.reach))).astype(np.int32)
        self.counts += np.bincount(np.clip(at, 0, BINS - 1), minlength=BINS)

    def range(self) -> tuple[float, float]:
        """The range without `tail` of all values: whatever lies beyond each end, half of it on either side."""
        total = self.counts.sum()
        if not total:
            return super().range()
        seen = np.cumsum(self.counts)
        cut = total * self.tail / 2
        width = 2 * self.reach / BINS
        first = int(np.searchsorted(seen, cut, side="right"))
        last = int(np.searchsorted(seen, total - cut, side="left"))
        low, high = first * width - self.reach, (last + 1) * width - self.reach
        return max(low, self.low), min(high, self.high)


class Ranges:
    """What calibration saw: ranges of tensors, and of values inside nodes that keep state."""

    def __init__(self, recipe: Recipe, logits: dict[Tensor, Logit] | None = None) -> None:
        self.recipe = recipe
        self.samples = 0
        self.infinite: set[int] = set()
        self.logits = logits or {}
        self.masked: set[Tensor] = set()
        self._tensors: dict[int, MinMax] = {}
        self._inner: dict[tuple[Node, str], MinMax] = {}

    def of(self, t: Tensor) -> tuple[float, float] | None:
        """(least, greatest) of a tensor; None if it had no value."""
        found = self._tensors.get(id(t))
        low, high = found.range() if found is not None else (np.inf, -np.inf)
        if not low <= high:
            return None
        return float(low) - (self.mask_depth(t) if t in self.masked else 0), float(high)

    def mask_depth(self, t: Tensor) -> float:
        """How far below the least real value of a masked tensor its masks must lie to weigh nothing."""
        logit = self.logits[t]
        seen = [self._tensors[id(end)].range() for end in logit.ends if end is not t and id(end) in self._tensors]
        return logit.margin + max((float(high - low) for low, high in seen), default=0.0)

    def assign(self, t: Tensor, low: float, high: float) -> None:
        """States the range of a tensor that was not there when the samples ran, or has changed since."""
        found = self._tensors[id(t)] = MinMax()
        found.low, found.high = low, high

    def inner(self, node: Node, name: str) -> tuple[float, float] | None:
        found = self._inner.get((node, name))
        return None if found is None else found.range()

    def _new(self) -> MinMax:
        return Histogram(self.recipe.percentile) if self.recipe.calibration == "percentile" else MinMax()

    def add(self, t: Tensor, value: np.ndarray) -> None:
        if not value.size:
            return
        found = self._tensors.get(id(t))
        if found is None:
            found = self._tensors[id(t)] = self._new()
        low, high = float(value.min()), float(value.max())
        if low < MASK and t in self.logits and (value > MASK).any():
            self.masked.add(t)
            value = value[(value > MASK) | np.isnan(value)]
            low, high = float(value.min()), float(value.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            if np.isnan(low) or np.isnan(high):
                maker = "an input" if t.producer is None else f"the output of {t.producer.op}"
                raise DataError(
                    f"sample {self.samples + 1}: {t.name!r}, {maker}, holds NaN; such data cannot tell a range"
                )
            self.infinite.add(id(t))
            value = value[np.isfinite(value)]
            if not value.size:
                return
            low, high = float(value.min()), float(value.max())
        found.add(value, low, high)

    def add_inner(self, node: Node, values: dict[str, np.ndarray]) -> None:
        for name, value in values.items():
            if value.size:
                found = self._inner.setdefault((node, name), MinMax())
                found.add(value, float(value.min()), float(value.max()))


class _Runner:
    """A session of one graph; tensors are read where they lie."""

    def __init__(self, model: _native.Model, index: int, graph: Graph, numbers: dict[int, int]) -> None:
        options = _native.Options(keep_all=True, no_fusion=True)
        self.graph, self.numbers = graph, numbers
        self.session = _native.Session(model, index, options)
        self.session.prepare()

    def value(self, t: Tensor) -> np.ndarray:
        """The float32 values of a tensor; a view that the next run overwrites."""
        view = self.session.view(self.numbers[id(t)])
        if not view.bytes:
            return np.empty(view.shape, np.float32)
        return arrays.lend(view.address, view.shape, np.dtype(np.float32), self.session)

    def feed(self, sample: Mapping[str, Any], inputs: dict[str, Tensor]) -> None:
        missing = [name for name in inputs if name not in sample]
        unknown = [name for name in sample if name not in inputs]
        if missing or unknown:
            what = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}, which is no input"
            raise ArgumentError(f"a calibration sample {what}; the network's inputs are: {', '.join(inputs)}")
        values, resized = {}, False
        for name, t in inputs.items():
            value = np.asarray(sample[name], schema.numpy_dtype(t.type), order="C")
            if (
                t.shape is None
                or len(t.shape) != value.ndim
                or any(d >= 0 and d != v for d, v in zip(t.shape, value.shape, strict=True))
            ):
                raise ArgumentError(
                    f"a calibration sample has shape {list(value.shape)} for input {name!r}, "
                    f"which takes {list(t.shape or ())}"
                )
            number = self.numbers[id(t)]
            if tuple(self.session.view(number).shape) != value.shape:
                self.session.resize(number, list(value.shape), False)
                resized = True
            values[number] = value
        if resized:
            self.session.prepare()
        for number, value in values.items():
            self.session.write(number, value.reshape(-1).view(np.uint8))


def entry_points(model: Model) -> list[Signature]:
    """The signatures, or the main graph with the names of its tensors."""
    if model.signatures:
        return model.signatures
    graph = model.main
    inputs = {t.name: t for t in graph.inputs}
    return [Signature("", graph, inputs, {t.name: t for t in graph.outputs})]


def observe(
    model: Model,
    tensors: dict[Graph, list[Tensor]],
    samples: Iterable[Mapping[str, Any]],
    recipe: Recipe,
    *,
    progress: Progress | None = None,
    looks: dict[Node, Look] | None = None,
) -> Ranges:
    """Runs every sample through the entry point whose inputs it names; ranges of `tensors`.

    `looks`: nodes whose inner values count too. Raises DataError on NaN, and where a sample cannot be run.
    """
    ranges = Ranges(recipe, {t: logit for graph in tensors for t, logit in logits(graph).items()})
    entries = entry_points(model)
    data, numbers = to_numbered_bytes(model)
    native = _native.Model.from_bytes(data)
    runners: dict[int, _Runner] = {}
    total = len(samples) if isinstance(samples, Sized) else None
    for sample in samples:
        entry = next((s for s in entries if set(s.inputs) == set(sample)), entries[0])
        index = next(i for i, g in enumerate(model.graphs) if g is entry.graph)
        runner = runners.get(index)
        if runner is None:
            runner = runners[index] = _Runner(native, index, entry.graph, numbers[index])
        runner.feed(sample, entry.inputs)
        before = {
            t: runner.value(t).copy()
            for node in looks or {}
            if node.graph is entry.graph
            for t in node.inputs
            if t is not None and t.variable
        }
        runner.session.invoke()
        for t in tensors.get(entry.graph, ()):
            ranges.add(t, runner.value(t))
        for node, look in (looks or {}).items():
            if node.graph is entry.graph:
                ranges.add_inner(node, look(node, lambda t: before[t] if t in before else runner.value(t)))  # noqa: B023
        ranges.samples += 1
        if progress is not None:
            progress(ranges.samples, total)
    _warn(entries, ranges)
    return ranges


def _warn(entries: list[Signature], ranges: Ranges) -> None:
    if 0 < ranges.samples < FEW:
        warnings.warn(
            f"{ranges.samples} calibration samples hardly show the ranges of the activations; give 100 or more",
            stacklevel=5,
        )
    for entry in entries:
        for name, t in entry.inputs.items():
            found = ranges.of(t)
            if found is not None and found[0] == found[1]:
                warnings.warn(f"input {name!r} is {found[0]:g} throughout the calibration data", stacklevel=5)
