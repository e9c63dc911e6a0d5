"""Runs one operator in LiteRT and in Samara, at every instruction-set level of this machine, and compares.

    CASES = [
        Case("int8", "ADD", [tensor("int8", (2, 3), 0.1), const("int8", (3,), 0.2, -7)], [tensor("int8", scale=0.3)]),
        Case("wrong shape", "ADD", [tensor("float32", (2, 3)), tensor("float32", (2, 4))], [tensor("float32")],
             error="broadcast"),
    ]

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_add(case): check(case)

`check` writes the model with the codec, asks the oracle for the answer, and runs ours with 1 and 2 threads at each
level. Integer results must be the same bytes at all levels; a mismatch prints the first wrong element, the level, and
one line that runs the case again. The data is random and depends on the case's name alone.

The oracle is LiteRT's plain CPU kernels ("litert"), LiteRT with XNNPACK ("xnnpack"), or a function from the list of all
inputs (constants too, None where absent) to the list of outputs. LiteRT runs in a forked child on x86, because odd
cases kill it.
"""

from __future__ import annotations

import faulthandler
import hashlib
import os
import pickle
import platform
import shlex
import signal
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samara.converter import schema
from samara.interpreter import _native

import samara

LEVELS = (
    *("scalar", "sse41", "avx2", "avxvnni", "avx512", "avx512vnni"),
    *("neon", "neondot", "neoninorder", "neoni8mm", "neonfp16"),
)
_BEST = _native.isa()


def levels() -> list[str]:
    """The instruction-set levels this machine can run, or those of SAMARA_TEST_LEVELS."""
    wanted = os.environ.get("SAMARA_TEST_LEVELS")
    found = [level for level in (wanted.split(",") if wanted else LEVELS) if _native.isa_force(level)]
    _native.isa_force(_BEST)
    return found or [_BEST]


def thread_counts() -> list[int]:
    return [int(n) for n in os.environ.get("SAMARA_TEST_THREADS", "1,2").split(",")]


# ---- Describing a case -----------------------------------------------------------------------------------------------


@dataclass
class Spec:
    """One operand: made by tensor(), const() or variable()."""

    dtype: str
    shape: tuple[int, ...] | None
    scale: Any = None
    zero_point: Any = 0
    axis: int = 0
    low: float | None = None
    high: float | None = None
    value: Any = None
    kind: str = "tensor"  # "tensor", "const" or "variable"
    block_scales: Any = None
    block_size: int = 0

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] | None = None) -> np.ndarray:
        return _random(rng, self.dtype, self.shape if shape is None else shape, self.low, self.high)


def tensor(
    dtype: str,
    shape: Sequence[int] | None = None,
    scale: Any = None,
    zero_point: Any = 0,
    low: float | None = None,
    high: float | None = None,
    axis: int = 0,
) -> Spec:
    """An input with random data from low..high (integers: all values; floats: -3..3), or an output."""
    return Spec(_dtype(dtype), None if shape is None else tuple(shape), scale, zero_point, axis, low, high)


def const(
    value: Any,
    shape: Sequence[int] | None = None,
    scale: Any = None,
    zero_point: Any = 0,
    axis: int = 0,
    low: float | None = None,
    high: float | None = None,
    block_scales: Any = None,
    block_size: int = 0,
    dtype: str | None = None,
) -> Spec:
    """A constant: an array (lists of ints become int32; `dtype` overrides, e.g. "int4"), or random of a dtype."""
    spec = Spec("", None, scale, zero_point, axis, low, high, None, "const", block_scales, block_size)
    if isinstance(value, (str, type, np.dtype)):
        spec.dtype, spec.shape = _dtype(value), tuple(shape or ())
    else:
        array = np.asarray(value)
        if not isinstance(value, (np.ndarray, np.generic)):
            array = array.astype({"i": np.int32, "f": np.float32}.get(array.dtype.kind, array.dtype))
        spec.value, spec.shape, spec.dtype = array, array.shape, _dtype(dtype or array.dtype)
    return spec


def variable(dtype: str, shape: Sequence[int], scale: Any = None, zero_point: Any = 0) -> Spec:
    """A state tensor (is_variable), zero at the start."""
    return Spec(_dtype(dtype), tuple(shape), scale, zero_point, kind="variable")


@dataclass
class Case:
    name: str
    op: str
    inputs: list[Spec | None]
    outputs: list[Spec]
    options: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    atol: float = 0
    rtol: float = 1e-5
    oracle: str | Callable[[list[Any]], list[Any]] = "litert"
    resize: dict[int, Sequence[int]] = field(default_factory=dict)
    error: str | None = None
    intermediates: list[Spec] = field(default_factory=list)
    steps: int = 1  # invokes in a row with new data, for operators with state
    custom: bytes | None = None  # custom_options of a custom operator
    model: bytes | None = None  # a whole model instead; inputs then only describe the data
    peer_error: str = ""  # what LiteRT does wrong here; the oracle is then a function (litert_errors.py proves it)

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _dtype(dtype: Any) -> str:
    if isinstance(dtype, str) and dtype.upper() in _native.TYPES:
        return dtype.upper()
    return str(schema.tensor_type(np.dtype(dtype)).name)


def _random(rng: np.random.Generator, dtype: str, shape: Any, low: float | None, high: float | None) -> np.ndarray:
    shape = tuple(shape)
    if dtype == "STRING":
        flat = [bytes(rng.integers(97, 123, rng.integers(0, 9)).astype(np.uint8)) for _ in range(int(np.prod(shape)))]
        out = np.empty(len(flat), object)
        out[:] = flat
        return out.reshape(shape)
    kind = schema.numpy_dtype(dtype)
    if kind == np.bool_:
        return rng.integers(0, 2, shape).astype(np.bool_)
    if dtype in ("BFLOAT16", "FLOAT8_E4M3FN", "FLOAT8_E5M2"):
        values = _random(rng, "FLOAT32", shape, low, high)
        return (values.view(np.uint32) >> 16).astype(np.uint16) if dtype == "BFLOAT16" else values.astype(np.uint8)
    if kind.kind == "c":
        real, imag = (_random(rng, "FLOAT64", shape, low, high) for _ in range(2))
        return (real + 1j * imag).astype(kind)
    if kind.kind == "f":
        return rng.uniform(-3 if low is None else low, 3 if high is None else high, shape).astype(kind)
    full = {"INT4": (-8, 7), "UINT4": (0, 15), "INT2": (-2, 1)}.get(dtype) or (np.iinfo(kind).min, np.iinfo(kind).max)
    first, last = full[0] if low is None else int(low), full[1] if high is None else int(high)
    return rng.integers(first, last, shape, dtype=kind, endpoint=True)


# ---- Building the model ----------------------------------------------------------------------------------------------


def build(case: Case) -> tuple[bytes, list[list[Any]]]:
    """The model's bytes, and for every step the values of all inputs (constants too)."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    tensors: list[Any] = []
    buffers = [schema.Buffer()]

    def add(spec: Spec, name: str, value: Any) -> int:
        quantization = None
        if spec.scale is not None:
            scales = np.atleast_1d(np.asarray(spec.scale, np.float32))
            zeros = np.broadcast_to(np.asarray(spec.zero_point, np.int64), scales.shape).copy()
            quantization = schema.QuantizationParameters(scale=scales, zero_point=zeros, quantized_dimension=spec.axis)
        if spec.block_size:
            scales = np.asarray(spec.block_scales)
            at = add(Spec(_dtype(scales.dtype), scales.shape, value=scales, kind="const"), f"{name}_scales", scales)
            details = schema.BlockwiseQuantization(scales=at, zero_points=-1, block_size=spec.block_size)
            quantization = schema.QuantizationParameters(details=details)
        buffer = 0
        if value is not None:
            buffers.append(schema.Buffer(data=schema.pack(value, spec.dtype)))
            buffer = len(buffers) - 1
        tensors.append(
            schema.Tensor(
                name=name,
                shape=list(spec.shape or ()),
                type=spec.dtype,
                buffer=buffer,
                quantization=quantization,
                is_variable=spec.kind == "variable",
                has_rank=spec.shape is not None,
            )
        )
        return len(tensors) - 1

    values: list[Any] = []
    inputs: list[int] = []
    graph_inputs: list[int] = []
    for i, spec in enumerate(case.inputs):
        if spec is None:
            values.append(None)
            inputs.append(-1)
            continue
        constant = None
        if spec.kind == "const":
            constant = spec.sample(rng) if spec.value is None else spec.value
        values.append(constant)
        inputs.append(add(spec, f"input{i}", constant))
        if spec.kind == "tensor":
            graph_inputs.append(inputs[-1])
    outputs = [add(spec, f"output{i}", None) for i, spec in enumerate(case.outputs)]
    intermediates = [add(spec, f"intermediate{i}", None) for i, spec in enumerate(case.intermediates)]

    steps = []
    for _ in range(case.steps):
        step = list(values)
        for i, spec in enumerate(case.inputs):
            if spec is not None and spec.kind == "tensor":
                step[i] = spec.sample(rng, tuple(case.resize[i]) if i in case.resize else None)
        steps.append(step)
    if case.model is not None:
        return case.model, steps

    builtin = case.op in schema.BuiltinOperator.__members__ and case.op != "CUSTOM"
    operator = schema.Operator(opcode_index=0, inputs=inputs, outputs=outputs)
    if intermediates:
        operator.intermediates = intermediates
    if builtin:
        code = schema.OperatorCode(builtin_code=case.op, version=case.version)
        schema.set_options(operator, case.op, case.options)
    else:
        code = schema.OperatorCode(builtin_code="CUSTOM", custom_code=case.op, version=case.version)
        operator.custom_options = case.custom or schema.encode_flexbuffer(case.options)
    graph = schema.SubGraph(tensors=tensors, inputs=graph_inputs, outputs=outputs, operators=[operator], name="main")
    model = schema.Model(
        version=3, operator_codes=[code], subgraphs=[graph], buffers=buffers, description="one operator"
    )
    return schema.encode(model), steps


# ---- Running it ------------------------------------------------------------------------------------------------------


def _drive(interpreter: Any, case: Case, steps: list[list[Any]]) -> list[list[np.ndarray]]:
    """The outputs of every step, by the interface that LiteRT and Samara share."""
    where = [i for i, spec in enumerate(case.inputs) if spec is not None and spec.kind == "tensor"]
    index = {i: d["index"] for i, d in zip(where, interpreter.get_input_details(), strict=True)}
    for i, shape in case.resize.items():
        interpreter.resize_tensor_input(index[i], list(shape))
    interpreter.allocate_tensors()
    results = []
    for step in steps:
        for i in where:
            interpreter.set_tensor(index[i], step[i])
        interpreter.invoke()
        results.append([_fetch(interpreter, d["index"]) for d in interpreter.get_output_details()])
    return results


def _fetch(interpreter: Any, index: int) -> np.ndarray:
    try:
        return interpreter.get_tensor(index)
    except ValueError:  # LiteRT has no data for a tensor without elements
        details = next(d for d in interpreter.get_output_details() if d["index"] == index)
        if 0 in details["shape"]:
            return np.empty(details["shape"], details["dtype"])
        raise


def run_litert(data: bytes, case: Case, steps: list[list[Any]], xnnpack: bool) -> list[list[np.ndarray]]:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    kind = litert.OpResolverType
    resolver = kind.AUTO if xnnpack else kind.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = litert.Interpreter(model_content=data, num_threads=1, experimental_op_resolver_type=resolver)
    results = _drive(interpreter, case, steps)
    if xnnpack and not any(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details()):
        raise AssertionError("XNNPACK does not take this case; use another oracle")
    return results


def in_child(work: Callable[[], Any]) -> Any:
    """work() in a forked child, so that a crash is a failed test. In this process where forking is not wise."""
    if platform.machine() != "x86_64" or os.environ.get("SAMARA_TEST_FORK") == "0":
        return work()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            faulthandler.disable()  # a crash is the parent's to report
            try:
                answer = pickle.dumps((True, work()))
            except BaseException as error:
                answer = pickle.dumps((False, f"{type(error).__name__}: {error}"))
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(answer)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if not answer:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        name = signal.Signals(number).name if number else f"exit status {status}"
        pytest.fail(f"LiteRT died ({name}); give this case an oracle of its own", pytrace=False)
    good, value = pickle.loads(answer)
    if not good:
        pytest.fail(f"LiteRT refused: {value}", pytrace=False)
    return value


def _expected(case: Case, data: bytes, steps: list[list[Any]]) -> list[list[np.ndarray]]:
    if callable(case.oracle):
        return [[np.asarray(o) for o in case.oracle(list(step))] for step in steps]
    pytest.importorskip("ai_edge_litert.interpreter")
    return in_child(lambda: run_litert(data, case, steps, case.oracle == "xnnpack"))


def run_ours(data: bytes, case: Case, steps: list[list[Any]], threads: int) -> list[list[np.ndarray]]:
    return _drive(samara.Interpreter(model_content=data, num_threads=threads), case, steps)


def _again(level: str, threads: int) -> str:
    node = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" ", 1)[0]
    return f"SAMARA_TEST_LEVELS={level} SAMARA_TEST_THREADS={threads} pytest {shlex.quote(node)}"


def mismatch(actual: np.ndarray, expected: np.ndarray, atol: float = 0, rtol: float = 1e-5) -> str | None:
    """None if equal enough, else the first wrong element and how many there are."""
    if actual.shape != expected.shape:
        return f"shape {list(actual.shape)}, expected {list(expected.shape)}"
    if actual.dtype != expected.dtype and not (actual.dtype.kind in "SO" and expected.dtype.kind in "SO"):
        return f"dtype {actual.dtype}, expected {expected.dtype}"
    if not actual.size:
        return None
    if actual.dtype.kind in "fc":
        wide = np.complex128 if actual.dtype.kind == "c" else np.float64
        a, e = actual.astype(wide), expected.astype(wide)
        finite = np.isfinite(e)
        scale = float(np.abs(e[finite]).max()) if finite.any() else 0.0
        with np.errstate(invalid="ignore"):
            error = np.abs(a - e)
        same = (a == e) | (np.isnan(a) & np.isnan(e))
        wrong = ~same & ~(error <= rtol * scale + atol)
        worst = f"{np.nanmax(np.where(same, 0, error)) / (scale or 1):.3g} relative to the largest of {scale:.6g}"
    elif actual.dtype.kind in "iu":
        a, e = actual.astype(object), expected.astype(object)
        if actual.dtype.itemsize < 8:
            a, e = actual.astype(np.int64), expected.astype(np.int64)
        error = np.abs(a - e)
        wrong = error > atol
        worst = str(error.max())
    else:
        wrong = actual != expected
        worst = "not equal"
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    count = int(np.count_nonzero(wrong))
    return (
        f"[{', '.join(map(str, at))}] = {actual[at]}, expected {expected[at]}; {count} of {actual.size} wrong, {worst}"
    )


def same_bytes(a: np.ndarray, b: np.ndarray) -> bool:
    """The same numbers bit by bit, or the same strings."""
    return bool(np.array_equal(a, b)) if a.dtype.kind == "O" else a.tobytes() == b.tobytes()


def _answers(folder: str) -> Path:
    """The file of this test's answers. SAMARA_RECORD=FOLDER also writes ours; SAMARA_ANSWERS=FOLDER
    compares with them instead of an oracle: another machine must give the same integers."""
    node = os.environ["PYTEST_CURRENT_TEST"].rsplit(" ", 1)[0]
    return Path(folder) / f"{hashlib.sha1(node.encode()).hexdigest()}.pickle"


def check(case: Case) -> None:
    data, steps = build(case)
    if case.error is not None:
        _check_refusal(case, data, steps)
        return
    if folder := os.environ.get("SAMARA_RECORD"):
        _answers(folder).write_bytes(pickle.dumps(run_ours(data, case, steps, 1)))
    if folder := os.environ.get("SAMARA_ANSWERS"):
        expected, atol = pickle.loads(_answers(folder).read_bytes()), 0.0
    else:
        expected, atol = _expected(case, data, steps), case.atol
    first: list[list[np.ndarray]] | None = None
    try:
        for level in levels():
            _native.isa_force(level)
            by_threads: list[list[np.ndarray]] | None = None
            for threads in thread_counts():
                where = f"{case.name}: {level}, {threads} thread{'s' * (threads > 1)}"
                try:
                    got = run_ours(data, case, steps, threads)
                except samara.SamaraError as error:
                    pytest.fail(f"{where}: {error}\nagain: {_again(level, threads)}", pytrace=False)
                for s, (outputs, wanted) in enumerate(zip(got, expected, strict=True)):
                    for o, (actual, right) in enumerate(zip(outputs, wanted, strict=True)):
                        label = f"{where}, output {o}" + (f", step {s}" if len(steps) > 1 else "")
                        problem = mismatch(actual, right, case.atol if actual.dtype.kind in "fc" else atol, case.rtol)
                        if problem is None and first is not None and actual.dtype.kind not in "fc":
                            other = mismatch(actual, first[s][o])
                            problem = other and f"differs from the first level: {other}"
                        if (
                            problem is None
                            and by_threads is not None
                            and not same_bytes(actual, by_threads[s][o])
                        ):
                            problem = "differs from the result with one thread"
                        if problem:
                            pytest.fail(f"{label}: {problem}\nagain: {_again(level, threads)}", pytrace=False)
                by_threads = by_threads or got
            first = first or by_threads
    finally:
        _native.isa_force(_BEST)


def _check_refusal(case: Case, data: bytes, steps: list[list[Any]]) -> None:
    try:
        run_ours(data, case, steps, 1)
    except samara.SamaraError as error:
        if case.error not in str(error):
            pytest.fail(f"{case.name}: refused, but not for '{case.error}': {error}", pytrace=False)
        return
    pytest.fail(f"{case.name}: accepted, though it must be refused ('{case.error}')", pytrace=False)
