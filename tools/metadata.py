"""What TFLITE_METADATA says about inputs and labels: normalization, value order, label files.

The metadata is a flatbuffer (identifier M001) in a buffer of the model; the label files it names are members of a zip
archive appended to the model file. Only the fields that `samara run` uses are read. Anything unreadable is ignored:
metadata is advice.
"""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any, NamedTuple


class TensorAdvice(NamedTuple):
    name: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    label_files: tuple[str, ...]


class Advice(NamedTuple):
    name: str
    description: str
    inputs: tuple[TensorAdvice, ...]
    outputs: tuple[TensorAdvice, ...]


class _Table:
    """A flatbuffer table by slot numbers. Reads past the end raise struct.error or IndexError."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self.vtable = at - self._i32(at)
        if self.vtable < 0:
            raise IndexError("vtable")

    def _i32(self, at: int) -> int:
        return int(struct.unpack_from("<i", self.data, at)[0])

    def _field(self, slot: int) -> int:
        """Position of a field, or 0 if absent."""
        size = struct.unpack_from("<H", self.data, self.vtable)[0]
        entry = 4 + 2 * slot
        offset = struct.unpack_from("<H", self.data, self.vtable + entry)[0] if entry < size else 0
        return self.at + offset if offset else 0

    def _target(self, at: int) -> int:
        target = at + struct.unpack_from("<I", self.data, at)[0]
        if target >= len(self.data):
            raise IndexError("offset")
        return int(target)

    def byte(self, slot: int) -> int:
        at = self._field(slot)
        return self.data[at] if at else 0

    def text(self, slot: int) -> str:
        at = self._field(slot)
        if not at:
            return ""
        at = self._target(at)
        return self.data[at + 4 : at + 4 + self._i32(at)].decode("utf-8", "replace")

    def table(self, slot: int) -> _Table | None:
        at = self._field(slot)
        return _Table(self.data, self._target(at)) if at else None

    def floats(self, slot: int) -> tuple[float, ...]:
        at = self._field(slot)
        if not at:
            return ()
        at = self._target(at)
        return struct.unpack_from(f"<{min(self._i32(at), 4096)}f", self.data, at + 4)

    def tables(self, slot: int) -> list[_Table]:
        at = self._field(slot)
        if not at:
            return []
        at = self._target(at)
        count = min(self._i32(at), 4096)
        return [_Table(self.data, self._target(at + 4 + 4 * i)) for i in range(count)]


# Slots of the metadata schema.
_MODEL_NAME, _MODEL_DESCRIPTION, _MODEL_SUBGRAPHS = 0, 1, 3
_SUBGRAPH_INPUTS, _SUBGRAPH_OUTPUTS = 2, 3
_TENSOR_NAME, _TENSOR_PROCESS, _TENSOR_FILES = 0, 4, 6
_PROCESS_TYPE, _PROCESS_OPTIONS, _NORMALIZATION = 0, 1, 1
_FILE_NAME, _FILE_TYPE, _AXIS_LABELS = 0, 2, 2


def _tensor(table: _Table) -> TensorAdvice:
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    for unit in table.tables(_TENSOR_PROCESS):
        options = unit.table(_PROCESS_OPTIONS)
        if unit.byte(_PROCESS_TYPE) == _NORMALIZATION and options is not None:
            mean, std = options.floats(0), options.floats(1)
    files = [f.text(_FILE_NAME) for f in table.tables(_TENSOR_FILES) if f.byte(_FILE_TYPE) == _AXIS_LABELS]
    return TensorAdvice(table.text(_TENSOR_NAME), mean, std, tuple(files))


def read(metadata: dict[str, bytes]) -> Advice | None:
    data = metadata.get("TFLITE_METADATA", b"")
    if data[4:8] != b"M001":
        return None
    try:
        root = _Table(data, struct.unpack_from("<I", data)[0])
        subgraphs = root.tables(_MODEL_SUBGRAPHS)
        inputs = subgraphs[0].tables(_SUBGRAPH_INPUTS) if subgraphs else []
        outputs = subgraphs[0].tables(_SUBGRAPH_OUTPUTS) if subgraphs else []
        return Advice(
            root.text(_MODEL_NAME),
            root.text(_MODEL_DESCRIPTION),
            tuple(_tensor(t) for t in inputs),
            tuple(_tensor(t) for t in outputs),
        )
    except (struct.error, IndexError):
        return None


def associated_file(model_path: str, name: str, limit: int = 1 << 22) -> bytes | None:
    """A file of the zip archive at the end of the model, at most `limit` bytes; None if there is none."""
    try:
        with zipfile.ZipFile(model_path) as archive, archive.open(name) as member:
            return member.read(limit)
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return None


def labels(text: str) -> list[str]:
    """One label per line. Lines like "12  cat" or "12: cat", numbered in order, lose the number."""
    lines = [line.strip() for line in io.StringIO(text) if line.strip()]
    parts: list[Any] = [line.replace(":", " ", 1).split(None, 1) for line in lines]
    if lines and all(len(p) == 2 and p[0] == str(i) for i, p in enumerate(parts)):
        return [p[1] for p in parts]
    return lines
