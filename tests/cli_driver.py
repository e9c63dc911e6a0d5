"""Runs the command line in this process, and small models for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from samara.converter import schema
from samara.tools.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """`cli("run", model, picture)` -> exit code, stdout, stderr."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Outcome:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(a) for a in arguments])
        out, err = self._capsys.readouterr()
        return Outcome(int(exit_.value.code or 0), out, err)

    def refuses(self, code: int, words: str, *arguments: object) -> None:
        """Exit code, one sentence on stderr that has these words, nothing on stdout."""
        outcome = self(*arguments)
        assert outcome.code == code, outcome
        assert words in outcome.err, outcome.err
        assert "Traceback" not in outcome.err
        assert len(outcome.err.strip().splitlines()) <= 4
        assert not outcome.out


def flatten_model(
    dtype: str, shape: tuple[int, ...] = (1, 2, 2, 3), scale: float | None = None, zero: int = 0
) -> bytes:
    """The input laid out flat: the best class is the brightest number."""
    quantization = schema.QuantizationParameters(scale=[scale], zero_point=[zero]) if scale else None
    size = int(np.prod(shape))
    tensors = [
        schema.Tensor(name="image", type=dtype, shape=list(shape), quantization=quantization),
        schema.Tensor(name="to", type="INT32", shape=[2], buffer=1),
        schema.Tensor(name="scores", type=dtype, shape=[1, size], quantization=quantization),
    ]
    operator = schema.Operator(opcode_index=0, inputs=[0, 1], outputs=[2])
    schema.set_options(operator, "RESHAPE", {"new_shape": [1, size]})
    return schema.encode(
        schema.Model(
            version=3,
            operator_codes=[schema.OperatorCode(builtin_code="RESHAPE")],
            buffers=[schema.Buffer(), schema.Buffer(data=np.int32([1, size]).tobytes())],
            subgraphs=[schema.SubGraph(tensors=tensors, inputs=[0], outputs=[2], operators=[operator], name="main")],
        )
    )


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
