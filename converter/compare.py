"""Two models on the same inputs, tensor by tensor: where they differ and by how much.

    print(compare("net.onnx", "net_int8.tflite", "photos"))

Tensors are paired by name, and what is left in the order of the operators. Quantized values are compared by the real
numbers they stand for. Where one model has its channels first and the other last, one is turned.

    max error   the largest |a - b|
    SQNR        10 log10(sum a^2 / sum (a - b)^2) dB; 6 dB are one bit
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from ..interpreter.errors import ArgumentError, DataError
from ..interpreter.model import TensorSpec
from . import data
from .data import Array, Sample, shape_text
from .engines import Own, Value
from .export import from_bytes, to_bytes
from .inputs import index_limits, random_samples
from .names import stem


class Row(NamedTuple):
    """One pair of tensors over all samples."""

    name: str
    op: str
    other: str
    """The tensor's name in the second model."""
    shape: tuple[int, ...]
    max_error: float
    range: float
    """The largest |a|."""
    sqnr: float
    """In dB; infinite where both are equal."""

    @property
    def relative(self) -> float:
        """The largest error in parts of the range."""
        return self.max_error / max(self.range, 1e-6) if self.max_error else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "relative_error": self.relative}


class Tally:
    """Sums up the differences of one pair of tensors."""

    def __init__(self, name: str, op: str = "", other: str | None = None) -> None:
        self.name, self.op, self.other = name, op, name if other is None else other
        self.shape: tuple[int, ...] = ()
        self.worst = self.top = self.signal = self.noise = 0.0

    def add(self, a: Array, b: Array) -> None:
        """`a` is the truth. Shapes must fit; NaN and infinities count as equal where both have the same."""
        self.shape = a.shape
        if not a.size:
            return
        if a.dtype.kind not in "fiubc" or b.dtype.kind not in "fiubc":
            wrong = int((a != b).sum())
            self.worst, self.noise, self.signal = (
                max(self.worst, float(wrong)),
                self.noise + wrong,
                self.signal + a.size,
            )
            return
        x, y = a.astype(np.complex128 if a.dtype.kind == "c" else np.float64), b
        finite = np.isfinite(x)
        with np.errstate(invalid="ignore", over="ignore"):
            d = np.abs(x - y)
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        d[same] = 0
        d[~same & ~(finite & np.isfinite(y))] = math.inf
        self.worst = max(self.worst, float(d.max()))
        self.top = max(self.top, float(np.abs(x[finite]).max(initial=0)))
        self.signal += float(np.square(np.abs(x[finite])).sum())
        self.noise += float(np.square(d).sum())

    def row(self) -> Row:
        if self.noise == 0:
            sqnr = math.inf
        elif not math.isfinite(self.noise) or self.signal == 0:
            sqnr = -math.inf
        else:
            sqnr = 10 * math.log10(self.signal / self.noise)
        return Row(self.name, self.op, self.other, self.shape, self.worst, self.top, sqnr)


class Comparison(NamedTuple):
    outputs: list[Row]
    layers: list[Row]
    """In running order of the first model; empty where only outputs were asked for."""
    first_only: list[str]
    second_only: list[str]
    samples: int

    @property
    def worst(self) -> Row | None:
        """The layer with the lowest SQNR."""
        return min(self.layers, key=lambda row: row.sqnr, default=None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "outputs": [row.to_dict() for row in self.outputs],
            "layers": [row.to_dict() for row in self.layers],
            "first_only": self.first_only,
            "second_only": self.second_only,
        }

    def __str__(self) -> str:
        lines = [f"{row.name}: max error {row.max_error:.3g}, SQNR {sqnr_text(row.sqnr)}" for row in self.outputs]
        return "\n".join([*lines, *(f"  {r.op} {r.name}: SQNR {sqnr_text(r.sqnr)}" for r in self.layers)])


def sqnr_text(sqnr: float) -> str:
    return "equal" if sqnr == math.inf else f"{sqnr:.1f} dB" if math.isfinite(sqnr) else "none"


def compare(
    first: Any,
    second: Any,
    inputs: Any = None,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    seed: int = 0,
    layers: bool = True,
    limit: int = 4,
) -> Comparison:
    """Runs two models (paths, bytes or what `samara.convert` takes or gives) on the same inputs, both in our runtime.

    `inputs`: data as calibration takes them, in the layout of the first model, of which the first `limit` samples are
    used; random without. `layers=False` compares outputs only, which needs less memory.
    """
    a, b = own(first, shapes), own(second, None)
    if inputs is None:
        limits = index_limits(from_bytes(a.content)) if any(spec.dtype.kind in "iu" for spec in a.inputs) else {}
        given: Iterable[Sample] = random_samples(a.inputs, a.takes, limits, seed=seed)
    else:
        given = islice(data.samples(inputs, a.inputs), limit)
    pairs = pair_specs(a.inputs, b.inputs, "inputs")
    results = pair_specs(a.outputs, b.outputs, "outputs")
    tallies: dict[str, Tally] = {}
    inner = _Layers()
    count = 0
    for sample in given:
        count += 1
        other = {q.name: _turned_for(data.dequantize(sample[p.name], p), q) for p, q in pairs}
        if layers:
            x, y = list(a.trace(sample)), list(b.trace(other))
            inner.add(x, y)
        out_a, out_b = a.run(sample), b.run(other)
        for p, q in results:
            tally = tallies.setdefault(p.name, Tally(p.name, "", q.name))
            _add(tally, out_a[p.name], out_b[q.name])
    return Comparison([t.row() for t in tallies.values()], inner.rows(), inner.first_only, inner.second_only, count)


def own(source: Any, shapes: Mapping[str, Sequence[int]] | None = None) -> Own:
    """Any model as one of our runtime: other formats as their front end reads them, not optimized."""
    from .frontends import kind_of, load
    from .frontends.tflite import content

    if hasattr(source, "__bytes__") and not isinstance(source, (bytes, bytearray, memoryview)):
        source = bytes(source)
    if not shapes and kind_of(source) == "tflite":
        return Own(content(source))
    return Own(to_bytes(load(source, shapes)))


def pair_specs(a: Sequence[TensorSpec], b: Sequence[TensorSpec], what: str) -> list[tuple[TensorSpec, TensorSpec]]:
    """By name if all names agree, else by order."""
    if len(a) != len(b):
        raise ArgumentError(f"the first model has {len(a)} {what}, the second {len(b)}; they do not compare")
    named = {spec.name: spec for spec in b}
    if len(named) == len(b) and {spec.name for spec in a} == set(named):
        return [(spec, named[spec.name]) for spec in a]
    return list(zip(a, b, strict=True))


# ---- Layouts ----


def _fits(dims: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(dims) == len(wanted) and all(w in (-1, d) for d, w in zip(dims, wanted, strict=True))


def channel_turns(rank: int) -> list[tuple[int, ...]]:
    """Channels from axis 1 to the end, and back."""
    if rank < 3:
        return []
    return [(0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))]


def _turned_for(value: Array, spec: TensorSpec) -> Array:
    """A sample of the first model as the second takes it: as it is, or with the channels at the other end."""
    if _fits(value.shape, spec.shape):
        return value
    for turn in channel_turns(value.ndim):
        if _fits([value.shape[i] for i in turn], spec.shape):
            return np.ascontiguousarray(value.transpose(turn))
    if value.ndim and _fits(value.shape[1:], spec.shape[1:]) and len(spec.shape) == value.ndim:
        return value  # another batch: the runtime resizes
    raise ArgumentError(
        f"input '{spec.name}' takes {shape_text(spec.shape)} in the second model, the sample has "
        f"{shape_text(value.shape)}; they do not compare"
    )


def aligned(a: Array, b: Array) -> Array | None:
    """`b` in the shape of `a`: as it is, with its channels turned, or without ones; None if nothing fits.

    Where two ways fit, the one with the smaller difference is meant.
    """
    if a.shape == b.shape and np.array_equal(a, b):
        return b
    ways = [b] if a.shape == b.shape else []
    ways += [t for turn in channel_turns(b.ndim) if (t := b.transpose(turn)).shape == a.shape]
    if not ways and a.size == b.size and [d for d in a.shape if d != 1] == [d for d in b.shape if d != 1]:
        ways = [b.reshape(a.shape)]
    if len(ways) < 2:
        return ways[0] if ways else None

    def distance(way: Array) -> float:
        with np.errstate(invalid="ignore", over="ignore"):
            return float(np.nansum(np.square(np.abs(a.astype(np.float64) - way))))

    return min(ways, key=distance)


def _add(tally: Tally, a: Array, b: Array) -> None:
    turned = aligned(a, b)
    if turned is None:
        raise DataError(
            f"output '{tally.name}' has shape {shape_text(a.shape)} in the first model and {shape_text(b.shape)} in "
            "the second; they do not compare"
        )
    tally.add(a, turned)


# ---- Layers ----


class _Layers:
    """Pairs of inner tensors, found on the first sample."""

    def __init__(self) -> None:
        self.tallies: list[tuple[int, int, Tally]] | None = None
        self.first_only: list[str] = []
        self.second_only: list[str] = []

    def add(self, a: list[Value], b: list[Value]) -> None:
        if self.tallies is None:
            pairs = pair_values(a, b)
            self.tallies = [(i, j, Tally(a[i].name, a[i].op, b[j].name)) for i, j in pairs]
            with_a, with_b = {i for i, _ in pairs}, {j for _, j in pairs}
            self.first_only = [v.name for i, v in enumerate(a) if i not in with_a]
            self.second_only = [v.name for j, v in enumerate(b) if j not in with_b]
        for i, j, tally in self.tallies:
            turned = aligned(a[i].array, b[j].array)
            if turned is not None:
                tally.add(a[i].array, turned)

    def rows(self) -> list[Row]:
        return [tally.row() for _, _, tally in self.tallies or ()]


def pair_values(a: Sequence[Value], b: Sequence[Value]) -> list[tuple[int, int]]:
    """Places of tensors that mean the same, in running order of `a`: those of one name. Models without common names
    (less than a fifth) are paired by operator and size, in order.

    A rewrite that puts an operator before the one that had a name calls it name/operator; where the name itself is
    gone, that one stands for it.
    """
    named = _places(b, lambda value: value.name)
    stems = _places(b, lambda value: stem(value.name))
    last = _places(a, lambda value: value.name)
    pairs = []
    for name, i in last.items():
        j = named.get(name, stems.get(name, stems.get(stem(name))))
        if j is not None and _alike(a[i].array, b[j].array):
            pairs.append((i, j))
    if 5 * len(pairs) < min(len(a), len(b)):
        pairs = list(_in_order(a, b))
    taken: set[int] = set()
    return [(i, j) for i, j in sorted(pairs) if j not in taken and not taken.add(j)]  # type: ignore[func-returns-value]


def _places(values: Sequence[Value], key: Callable[[Value], str]) -> dict[str, int]:
    """Name -> the last place that has it: several operators of one source operator have its name."""
    return {key(value): i for i, value in enumerate(values)}


def _in_order(a: Sequence[Value], b: Sequence[Value]) -> Iterator[tuple[int, int]]:
    j = 0
    for i, value in enumerate(a):
        for k in range(j, len(b)):
            if b[k].op == value.op and _alike(value.array, b[k].array):
                yield i, k
                j = k + 1
                break


def _alike(a: Array, b: Array) -> bool:
    """Whether `aligned` finds a way."""
    numbers = a.dtype.kind in "fiub" and b.dtype.kind in "fiub"
    return numbers and a.size == b.size and sorted(d for d in a.shape if d != 1) == sorted(d for d in b.shape if d != 1)
