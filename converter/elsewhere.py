"""A source's own engine in a process of its own.

    with Elsewhere("keras", "net.keras") as engine:     starts at once: it loads while the conversion runs
        engine.open(inputs, outputs)                    what the front end calls them; EngineError if it refuses
        engine.run(sample)

Keras and what it computes with take seconds and hundreds of megabytes to import. In another process they come beside
the conversion, are gone after it, and what goes wrong in them is an EngineError here. Only numbers come back.

A message is a line of JSON, [what, [[type, shape] of each array]], and the bytes of the arrays.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import engines
from .data import Array, Sample
from .engines import EngineError, Keras, OnnxRuntime, Value

ENGINES: dict[str, Any] = {"onnx": OnnxRuntime, "keras": Keras}
HEAVY = 1 << 22
"""Bytes of an ONNX model that are worth a process: onnxruntime holds them twice."""

_START = "import sys; sys.path[:] = sys.argv[1:]; from samara.converter.elsewhere import serve; serve()"
_EXTRAS = ("sklearn", "pandas", "matplotlib")
"""What Keras imports where it is installed; no network needs it to run."""


def worthwhile(kind: str, source: Any) -> bool:
    """Whether a source's engine should run in another process: it is heavy, and not in this one already."""
    if not isinstance(source, (str, os.PathLike)) or not sys.executable or getattr(sys, "frozen", False):
        return False
    if kind == "keras":
        return "keras" not in sys.modules
    return kind == "onnx" and os.path.getsize(source) >= HEAVY


class Elsewhere:
    """The engine of a file of this kind ("onnx", "keras")."""

    def __init__(self, kind: str, path: str | os.PathLike[str]) -> None:
        self.name: str = ENGINES[kind].name
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise EngineError(f"{self.name} cannot be started: {error}") from None
        self._send([kind, os.path.abspath(os.fspath(path))])

    def open(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self._ask(["open", list(inputs), list(outputs)])

    def run(self, sample: Sample) -> dict[str, Array]:
        names, arrays = self._ask(["run", list(sample)], list(sample.values()))
        return dict(zip(names, arrays, strict=True))

    def trace(self, sample: Sample) -> Iterator[Value]:
        names, arrays = self._ask(["trace", list(sample)], list(sample.values()))
        for (name, op), value in zip(names, arrays, strict=True):
            yield Value(name, op, value)

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        self._process.wait()

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, what: Any, arrays: Sequence[Array] = ()) -> None:
        with contextlib.suppress(OSError):  # it has ended; what it answers says so
            _write(self._process.stdin, what, arrays)

    def _ask(self, what: Any, arrays: Sequence[Array] = ()) -> tuple[Any, list[Array]]:
        self._send(what, arrays)
        try:
            answer, found = _read(self._process.stdout)
        except EOFError:
            raise EngineError(f"{self.name} ended without an answer (exit code {self._process.wait()})") from None
        if answer[0] == "error":
            raise EngineError(answer[1])
        return answer[1], found


def _write(file: Any, what: Any, arrays: Sequence[Array] = ()) -> None:
    plain = [np.ascontiguousarray(a) for a in arrays]
    file.write(json.dumps([what, [[a.dtype.str, a.shape] for a in plain]]).encode() + b"\n")
    for a in plain:
        file.write(a.tobytes())
    file.flush()


def _read(file: Any) -> tuple[Any, list[Array]]:
    line = file.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    what, described = json.loads(line)
    arrays = []
    for kind, shape in described:
        a = np.empty(shape, kind)
        data = file.read(a.nbytes)
        if len(data) != a.nbytes:
            raise EOFError
        arrays.append(np.frombuffer(data, kind).reshape(shape))
    return what, arrays


# ---- In the other process ----


def serve() -> None:
    """Answers until nobody asks any more."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # engines print
    for name in _EXTRAS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    (kind, source), _ = _read(asked)
    engine: Any = None
    refused = ""
    if kind == "keras":
        try:
            source = engines.load_keras(source)
        except EngineError as error:
            refused = str(error)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            (what, *names), arrays = _read(asked)
            try:
                if refused:
                    raise EngineError(refused)
                if what == "open":
                    engine = Keras(source, *names) if kind == "keras" else OnnxRuntime(source)
                    _write(answers, ["done", None])
                    continue
                sample = dict(zip(names[0], arrays, strict=True))
                if what == "run":
                    found = engine.run(sample)
                    _write(answers, ["done", list(found)], list(found.values()))
                else:
                    values = [v for v in engine.trace(sample) if v.array.dtype.kind in "biuf"]
                    _write(answers, ["done", [[v.name, v.op] for v in values]], [v.array for v in values])
            except EngineError as error:
                _write(answers, ["error", str(error)])
