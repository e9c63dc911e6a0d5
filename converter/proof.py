"""The proof of a conversion: source and result on the same inputs, and the first place where they part if they do.

    source ──── onnxruntime, or Keras, or the graph as it was read ────> outputs ┐
       │                                                                         ├─ max error, SQNR ─> within LIMITS?
    result ──── our interpreter ───────────────────────────────────────> outputs ┘

A failed proof is followed by a search: the conversion is done again step by step (the graph as read, each pass of the
optimizer, the quantizer) until the outputs break, and inside that step the tensors are compared one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..interpreter.errors import MismatchError, SamaraError
from .compare import Row, Tally, aligned, pair_values, sqnr_text
from .data import Sample
from .elsewhere import Elsewhere
from .engines import Engine, EngineError, Keras, OnnxRuntime, Own, installed
from .ir import Model
from .schema import TensorType

FLOAT_TOLERANCE = 1e-4
"""The largest error of a float model, in parts of the largest output."""

LIMITS = {"float": 60.0, "float16": 30.0, "weights": 12.0, "int16": 20.0, "int8": 6.0}
"""The lowest SQNR in dB by what was quantized. They tell a broken model from a rounded one: 8-bit activations alone
leave some 20 to 40 dB after tens of layers, a wrong scale or axis less than 3. Float models are held to
FLOAT_TOLERANCE; their limit here is for showing where a broken one starts to differ."""


class Proof(NamedTuple):
    reference: str
    """What ran the source."""
    kind: str
    """What was quantized: a key of LIMITS."""
    samples: int
    outputs: list[Row]
    note: str = ""
    """Why the source's own runtime did not run it, where that is so."""
    failed: str = ""
    """The output beyond its limit and the place where the error begins; "" if all is well."""

    def to_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "outputs": [row.to_dict() for row in self.outputs]}

    def __str__(self) -> str:
        rows = [f"{row.name}: max error {row.max_error:.3g}, SQNR {sqnr_text(row.sqnr)}" for row in self.outputs]
        return "\n".join([f"compared with {self.reference} on {self.samples} samples", *rows])


def kind_of(model: Model) -> str:
    """What is quantized in a model: a key of LIMITS."""
    values = [t for g in model.graphs for node in g for t in node.outputs if t.quantized]
    types = {t.type for t in values}
    if TensorType.INT8 in types or TensorType.UINT8 in types:
        return "int8"
    if TensorType.INT16 in types:
        return "int16"
    constants = [t for g in model.graphs for node in g for t in node.inputs if t is not None and t.constant]
    if any(t.quantized for t in constants):
        return "weights"
    return "float16" if any(t.type == TensorType.FLOAT16 and t.rank for t in constants) else "float"


class Source:
    """The source's side of a proof: its own runtime where that is installed, else the graph as it was read."""

    def __init__(
        self,
        source: Any,
        kind: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        own: Callable[[], Own],
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.source, self.kind, self.inputs, self.outputs, self.own = source, kind, inputs, outputs, own
        self.elsewhere = elsewhere
        self.note = ""
        """Why its own runtime does not run it, where that is so."""

    def answers(self, samples: Iterable[Sample]) -> tuple[str, list[Sample]]:
        """What ran, and the outputs. The engine is gone afterwards: the result needs the memory."""
        try:
            engine = self.engine()
            return engine.name, [engine.run(sample) for sample in samples]
        except EngineError as error:
            self.note = str(error)
        engine = self.own()
        return engine.name, [engine.run(sample) for sample in samples]

    def engine(self) -> Engine:
        if self.elsewhere is not None and not self.note:
            self.elsewhere.open(self.inputs, self.outputs)
            return self.elsewhere
        if self.kind == "onnx" and installed("onnxruntime") and not self.note:
            return OnnxRuntime(self.source)
        if self.kind.startswith("keras") and installed("keras") and not self.note:
            return Keras(self.source, self.inputs, self.outputs)
        return self.own()


def answers(result: Engine, samples: Iterable[Sample], turns: Mapping[str, Sequence[int]]) -> list[Sample]:
    """The outputs of the result. `turns`: the transpositions of inputs and outputs that became channels-last."""
    return [result.run(turned(sample, turns)) for sample in samples]


def measure(
    wanted: Sequence[Sample], results: Sequence[Sample], turns: Mapping[str, Sequence[int]], outputs: Sequence[str]
) -> list[Row]:
    """The differences of the outputs."""
    tallies = [Tally(name) for name in outputs]
    for want, got in zip(wanted, results, strict=True):
        for tally in tallies:
            a, b = want[tally.name], got[tally.name]
            a = a.transpose(turns[tally.name]) if tally.name in turns else a
            way = b if a.shape == b.shape else aligned(a, b)
            if way is None:  # another shape is as wrong as can be
                tally.add(np.ones(1), np.full(1, np.nan))
            else:
                tally.add(a, way)
    return [tally.row() for tally in tallies]


def turned(sample: Sample, turns: Mapping[str, Sequence[int]]) -> Sample:
    """A sample of the source as the result takes it."""
    if not turns:
        return sample
    return {n: np.ascontiguousarray(v.transpose(turns[n])) if n in turns else v for n, v in sample.items()}


def beyond(rows: Iterable[Row], kind: str) -> Row | None:
    """The first output outside its limit."""
    for row in rows:
        if kind == "float":
            if not row.max_error <= FLOAT_TOLERANCE * max(row.range, 1e-3):
                return row
        elif row.range > 1e-3 and row.sqnr < LIMITS[kind]:
            return row
    return None


def explain(row: Row, kind: str) -> str:
    if kind == "float":
        part = f"{row.max_error:.3g}, {row.relative:.2g} of its range; at most {FLOAT_TOLERANCE:g} of it is allowed"
        return f"output '{row.name}' differs by {part}"
    return f"output '{row.name}' has an SQNR of {sqnr_text(row.sqnr)}; at least {LIMITS[kind]:g} dB are required"


# ---- Searching ----


class Stage(NamedTuple):
    """The model after a step of the conversion."""

    name: str
    content: bytes
    kind: str
    turns: Mapping[str, Sequence[int]]


def locate(source: Source, wanted: Sample, stages: Iterable[Stage], sample: Sample) -> str:
    """Where the outputs break first: the step, and the first tensor in it that differs."""
    before, turns_before = source.engine(), dict[str, Sequence[int]]()
    for stage in stages:
        engine = Own(stage.content)
        rows = measure([wanted], answers(engine, [sample], stage.turns), stage.turns, source.outputs)
        if beyond(rows, stage.kind) is not None:
            where = _first_difference(before, engine, sample, turns_before, stage)
            return f"the error begins in {stage.name}" + (f", at {where}" if where else "")
        before, turns_before = engine, dict(stage.turns)
    return ""


def _first_difference(
    before: Engine, after: Own, sample: Sample, turns: Mapping[str, Sequence[int]], stage: Stage
) -> str:
    try:
        a, b = list(before.trace(turned(sample, turns))), list(after.trace(turned(sample, stage.turns)))
    except (EngineError, SamaraError):
        return ""
    limit = LIMITS[stage.kind]
    for i, j in pair_values(a, b):
        way = aligned(a[i].array, b[j].array)
        if way is None:
            continue
        tally = Tally(a[i].name)
        tally.add(a[i].array, way)
        row = tally.row()
        if row.range > 1e-6 and row.sqnr < limit:
            return f"{a[i].op} '{a[i].name}' (max error {row.max_error:.3g}, SQNR {sqnr_text(row.sqnr)})"
    return ""


def prove(
    source: Source,
    content: bytes,
    kind: str,
    samples: Sequence[Sample],
    turns: Mapping[str, Sequence[int]],
    stages: Callable[[], Iterator[Stage]],
) -> Proof:
    """Runs source and result; MismatchError with the place if they part. `stages` does the conversion once more, step
    by step."""
    results = answers(Own(content), samples, turns)  # one engine after the other: both hold the weights
    reference, wanted = source.answers(samples)
    rows = measure(wanted, results, turns, source.outputs)
    bad = beyond(rows, kind)
    if bad is None:
        return Proof(reference, kind, len(samples), rows, source.note)
    place = locate(source, wanted[0], stages(), samples[0])
    said = f"{explain(bad, kind)}{'; ' + place if place else ''}"
    remedy = (
        "report it, with the model; verify=False (--no-verify) converts regardless"
        if kind in ("float", "float16")
        else "calibrate on data like those the model will see, or choose a recipe with more bits; verify=False "
        "(--no-verify) converts regardless"
    )
    raise MismatchError(
        f"the converted model does not compute what the source does: {said}; {remedy}",
        proof=Proof(reference, kind, len(samples), rows, source.note, said),
    )
