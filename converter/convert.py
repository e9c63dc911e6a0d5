"""`samara.convert`: a trained network in, a `.tflite` model out that is proved to compute the same.

small = samara.convert("net.keras", recipe="static_wi8_ai8", calibration=images)
small.save("net.tflite")
print(small.report)

source ── front end ──> graph ── optimize ──> graph ── quantize ──> graph ── export ──> bytes ── proof
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ..interpreter.errors import ArgumentError, FileError, ModelError, SamaraError
from ..interpreter.model import Model as Loaded
from ..interpreter.model import TensorSpec
from ..interpreter.model import load as open_model
from . import data, frontends, proof
from . import quantize as quantizer
from .data import Sample
from .elsewhere import Elsewhere, worthwhile
from .engines import EngineError, Own, installed
from .export import from_bytes, to_bytes
from .inputs import Shapes, index_limits, input_specs, output_names, random_samples
from .ir import Model
from .memory import release
from .names import settle
from .passes.io_layout import channels_last
from .pipeline import PIPELINE, name_of, optimize
from .quantize import recipe_of

PROOF_SAMPLES = 4
"""How many of the given samples the proof runs."""

Progress = Callable[[str], None]


@dataclass
class Report:
    """What a conversion did."""

    source: str
    """Its format."""
    source_bytes: int | None
    bytes: int = 0
    before: dict[str, int] = field(default_factory=dict)
    """Operators of the graph as it was read: name -> count."""
    after: dict[str, int] = field(default_factory=dict)
    layouts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Inputs and outputs that became channels-last: converted = source.transpose(perm)."""
    quantization: Any = None
    """What each operator became and why some stayed float (converter/quantize), or None."""
    proof: proof.Proof | None = None
    seconds: float = 0.0

    @property
    def transposes(self) -> int:
        return self.after.get("TRANSPOSE", 0)

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "source_bytes": self.source_bytes,
            "bytes": self.bytes,
            "operators_before": self.before,
            "operators_after": self.after,
            "transposes": self.transposes,
            "layouts": {name: list(perm) for name, perm in self.layouts.items()},
            "quantization": None if self.quantization is None else self.quantization.to_dict(),
            "proof": None if self.proof is None else self.proof.to_dict(),
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        was = "" if self.source_bytes is None else f"{self.source_bytes:,} bytes -> "
        lines = [
            f"operators  {sum(self.before.values())} -> {sum(self.after.values())}, transposes {self.transposes}",
            f"size       {was}{self.bytes:,} bytes",
        ]
        lines += [f"layout     '{name}' is now channels-last" for name in self.layouts]
        if self.quantization is not None:
            lines += [f"quantized  {line}" for line in str(self.quantization).splitlines()]
        if self.proof is not None:
            lines += [f"proof      {line}" for line in str(self.proof).splitlines()]
        return "\n".join(lines)


class ConvertedModel:
    """The result: `bytes(model)` is the file; calling it runs it, as a model of `samara.load`."""

    def __init__(self, content: bytes, report: Report) -> None:
        self._content = content
        self._loaded: Loaded | None = None
        self._graph: Model | None = None
        self.report = report

    def __bytes__(self) -> bytes:
        return self._content

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return len(self._content)

    @property
    def graph(self) -> Model:
        """The graph (converter/ir.py); its constants are views of the file's bytes."""
        if self._graph is None:
            self._graph = from_bytes(self._content)
        return self._graph

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file: whole, or not at all."""
        write_whole(path, self._content)

    @property
    def _model(self) -> Loaded:
        if self._loaded is None:
            self._loaded = open_model(self._content)
        return self._loaded

    @property
    def inputs(self) -> list[TensorSpec]:
        return self._model.inputs

    @property
    def outputs(self) -> list[TensorSpec]:
        return self._model.outputs

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """One input: its array; several: by name. One output is answered as an array, several by name."""
        return self._model(*args, **kwargs)

    __call__ = run

    def __repr__(self) -> str:
        return f"<converted model, {self.size:,} bytes: {self._model._main!r}>"


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Through a temporary file beside it, so that nobody ever sees half a file. FileError if it cannot be written."""
    path = os.fspath(path)
    try:
        handle, temporary = tempfile.mkstemp(prefix=".samara-", dir=os.path.dirname(path) or ".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise FileError(f"'{path}' cannot be written: {error.strerror or error}") from None


def convert(
    source: Any,
    *,
    recipe: Any = None,
    calibration: Any = None,
    io_dtype: Any = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    keep_layout: Iterable[str] = (),
    optimize: bool = True,
    verify: Any = True,
    seed: int = 0,
    dump_after: Iterable[str] = (),
    progress: Progress | None = None,
) -> ConvertedModel:
    """Converts a model to .tflite and proves the result.

    source       a path, bytes, an onnx.ModelProto or a keras.Model; .keras, .h5, .onnx and .tflite files are read
    recipe       how to quantize: "static_wi8_ai8", "static_wi8_ai16", "dynamic_wi8_afp32", "weight_only_wi8_afp32",
                 "float16", a dict, a JSON file; None: not at all
    calibration  for static recipes, samples the model will meet (see converter/data.py), as the source takes them
    io_dtype     "int8", "uint8", "int16" or "float32" for inputs and outputs, or {name: type}; None: float32
    shapes       {input: shape}: fixes shapes; -1 stays open
    keep_layout  inputs and outputs that stay channels-first, though that costs transposes
    optimize     False: the graph as the front end reads it
    verify       True: source and result run on samples of `calibration`, or random ones, and must agree; data: on
                 these; False: not at all
    seed         of the random samples
    dump_after   passes of the optimizer after which the graph is printed on stderr
    progress     is told what happens, for a person to read

    Raises FileError, ModelError (damaged), UnsupportedError (every problem in a line of its own), ArgumentError
    (recipe, data), MismatchError (the proof failed), ModuleNotFoundError (the extra that reads this format).
    """
    work = _Conversion(source, shapes, tuple(keep_layout), bool(optimize), recipe, io_dtype, progress)
    return work.run(calibration, verify, seed, tuple(dump_after))


def quantize(
    model: Any,
    recipe: Any,
    *,
    calibration: Any = None,
    io_dtype: Any = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    optimize: bool = True,
    verify: Any = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> ConvertedModel:
    """Quantizes a float model: a .tflite file, its bytes, what `convert` gave, or anything `convert` reads."""
    if recipe is None:
        raise ArgumentError("quantize needs a recipe, e.g. 'static_wi8_ai8' or 'dynamic_wi8_afp32'")
    return convert(
        model,
        recipe=recipe,
        calibration=calibration,
        io_dtype=io_dtype,
        shapes=shapes,
        optimize=optimize,
        verify=verify,
        seed=seed,
        progress=progress,
    )


class _Conversion:
    """One call of `convert`; `stages` does it again, step by step, for the search after a failed proof."""

    def __init__(
        self,
        source: Any,
        shapes: Mapping[str, Sequence[int]] | None,
        keep: tuple[str, ...],
        optimized: bool,
        recipe: Any,
        io_dtype: Any,
        progress: Progress | None,
    ) -> None:
        self.source: Any = bytes(source) if isinstance(source, (ConvertedModel, bytearray, memoryview)) else source
        self.shapes, self.keep, self.optimized = shapes, keep, optimized
        self.recipe, self.io_dtype = recipe, io_dtype
        self.tell = progress or (lambda _: None)
        self.kind = frontends.kind_of(self.source)
        self.turns: dict[str, tuple[int, ...]] = {}
        if recipe is None and io_dtype is not None:
            raise ArgumentError("io_dtype needs a recipe: without one, nothing is quantized")
        if recipe is not None:
            self.recipe = recipe_of(recipe)
        if self.kind == "tflite" and keep:
            raise ArgumentError("keep_layout is for channels-first sources; a .tflite model keeps its layout anyway")

    def run(self, calibration: Any, verify: Any, seed: int, dump_after: Sequence[str]) -> ConvertedModel:
        if calibration is not None and self.recipe is None:
            raise ArgumentError("calibration data need a recipe that uses them, e.g. recipe='static_wi8_ai8'")
        if self.recipe is not None and self.recipe.static and calibration is None:
            raise ArgumentError(
                f"the recipe {self.recipe.name} needs calibration data: some hundred typical inputs, as a folder of "
                "pictures, an .npz file or an iterable of arrays (calibration=…, --calibration)"
            )
        with contextlib.ExitStack() as stack:
            return self.made(calibration, verify, seed, dump_after, stack)

    def made(
        self, calibration: Any, verify: Any, seed: int, dump_after: Sequence[str], stack: contextlib.ExitStack
    ) -> ConvertedModel:
        begin = time.perf_counter()
        prove = verify is not False and verify is not None
        elsewhere = self.started(stack) if prove else None
        self.tell("reading")
        model = self.read()
        report = Report(self.kind.split()[0], _size(self.source), before=_operators(model))
        self.specs, self.outputs = input_specs(model), output_names(model)
        limits = index_limits(model)
        baseline = to_bytes(model) if prove and not self.foreign else None
        if self.optimized:
            self.tell("optimizing")
            self.improve(model, dump_after)
        kept: list[Sample] = []
        if self.recipe is not None:
            self.tell("quantizing")
            given = None if calibration is None else self.keeping(data.samples(calibration, self.specs), kept)
            report.quantization = self.quantized(model, given)
        model.verify(complete=True)
        release()
        content = to_bytes(model)
        report.bytes, report.after, report.layouts = len(content), _operators(model), self.turns
        if prove:
            self.tell("comparing with the source")
            kind = proof.kind_of(model)
            del model
            release()  # the constants stand in `content` too
            samples = self.proof_samples(verify, kept, content, limits, seed)
            release()
            report.proof = self.prove(content, kind, baseline, samples, elsewhere)
        report.seconds = time.perf_counter() - begin
        return ConvertedModel(content, report)

    @property
    def foreign(self) -> bool:
        """Whether the source's own runtime is here to run it."""
        runtime = {"onnx": "onnxruntime", "keras": "keras", "keras object": "keras"}.get(self.kind)
        return runtime is not None and installed(runtime)

    # ---- Steps ----

    def read(self) -> Model:
        try:
            return frontends.load(self.source, self.shapes)
        except SamaraError as error:
            raise _named(error, self.source) from None

    def improve(self, model: Model, dump_after: Sequence[str] = ()) -> None:
        optimize(model, dump_after=dump_after)
        if self.kind != "tflite":  # whose interface is what its users rely on
            self.turns = channels_last(model, self.keep)
            settle(model)

    def quantized(self, model: Model, given: Iterable[Sample] | None) -> Any:
        told = None
        if given is not None:
            given = (proof.turned(sample, self.turns) for sample in given)

            def told(done: int, total: int | None) -> None:
                self.tell(f"calibrating on sample {done}" + (f" of {total}" if total else ""))

        return quantizer.quantize(model, self.recipe, given, io_dtype=self.io_dtype, progress=told)

    @staticmethod
    def keeping(stream: Iterator[Sample], kept: list[Sample]) -> Iterator[Sample]:
        """Passes a stream on and keeps its first samples for the proof."""
        for sample in stream:
            if len(kept) < PROOF_SAMPLES:
                kept.append(sample)
            yield sample

    # ---- Proof ----

    def proof_samples(
        self, verify: Any, kept: list[Sample], content: bytes, limits: Mapping[str, int], seed: int
    ) -> list[Sample]:
        if verify is not True:
            return list(islice(data.samples(verify, self.specs), PROOF_SAMPLES))
        if kept:
            return kept
        engine: list[Own] = []  # made if an open size is to be found

        def takes(shapes: Shapes) -> bool:
            if not engine:
                engine.append(Own(content))
            turned = {n: tuple(s[i] for i in self.turns[n]) if n in self.turns else s for n, s in shapes.items()}
            return engine[0].takes(turned)

        return list(random_samples(self.specs, takes, limits, seed=seed))

    def started(self, stack: contextlib.ExitStack) -> Elsewhere | None:
        """The source's engine in another process, where that is better; it loads while we convert."""
        if not self.foreign or not worthwhile(self.kind, self.source):
            return None
        try:
            return stack.enter_context(Elsewhere(self.kind, self.source))
        except EngineError:
            return None

    def prove(
        self, content: bytes, kind: str, baseline: bytes | None, samples: list[Sample], elsewhere: Elsewhere | None
    ) -> proof.Proof:
        name = "the graph as it was read" if self.kind != "tflite" else "the source in samara"

        def own() -> Own:
            return Own(baseline if baseline is not None else to_bytes(self.read()), name)

        source = proof.Source(self.source, self.kind, [spec.name for spec in self.specs], self.outputs, own, elsewhere)
        return proof.prove(source, content, kind, samples, self.turns, lambda: self.stages(samples))

    def stages(self, samples: list[Sample]) -> Iterator[proof.Stage]:
        """The conversion once more. The proof's samples serve as calibration, which is enough to find a defect."""
        model = self.read()
        yield proof.Stage("the front end", to_bytes(model), "float", {})
        if self.optimized:
            for step in PIPELINE:
                optimize(model, [step])
                yield proof.Stage(f"the pass '{name_of(step)}'", to_bytes(model), "float", {})
            self.improve(model)
            yield proof.Stage("the layout of inputs and outputs", to_bytes(model), "float", self.turns)
        if self.recipe is not None:
            self.quantized(model, samples if self.recipe.static else None)
            yield proof.Stage("the quantizer", to_bytes(model), proof.kind_of(model), self.turns)


def _operators(model: Model) -> dict[str, int]:
    return dict(Counter(node.op for node in model.nodes()).most_common())


def _size(source: Any) -> int | None:
    if isinstance(source, (str, os.PathLike)):
        return os.path.getsize(source)
    return len(source) if isinstance(source, bytes) else None


def _named(error: SamaraError, source: Any) -> SamaraError:
    """The same error, with the file in front."""
    if not isinstance(source, (str, os.PathLike)) or os.fsdecode(source) in str(error):
        return error
    text = str(error)
    if "\n" in text or not isinstance(error, ModelError):
        return error
    error.args = (f"'{os.fsdecode(source)}': {text}",)
    return error
