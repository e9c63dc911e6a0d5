"""Files that ride behind a model: a ZIP archive appended to the flatbuffer (labels, vocabularies; TFLITE_METADATA
names them). Its directory counts offsets from the start of the whole file, so it must be told when it moves."""

from __future__ import annotations

import struct

import numpy as np

_END, _ENTRY, _LOCAL = b"PK\5\6", b"PK\1\2", b"PK\3\4"


def split(data: np.ndarray) -> np.ndarray | None:
    """The archive at the end of a file, with offsets that count from its own start; None if there is none."""
    tail = data[-(65535 + 22) :].tobytes()
    at = tail.rfind(_END)
    if at < 0 or at + 22 > len(tail):
        return None
    end = data.size - len(tail) + at
    size, offset = struct.unpack_from("<II", tail, at + 12)
    directory = end - size
    if directory < 8 or offset > directory:
        return None
    raw = data[directory:end].tobytes()
    entries = _entries(raw)
    if not entries:
        return None
    before = directory - offset  # 0 where offsets count from the start of the file
    start = before + min(struct.unpack_from("<I", raw, e + 42)[0] for e in entries)
    if not 8 <= start < directory or data[start : start + 4].tobytes() != _LOCAL:
        return None
    return move(data[start:], before - start)


def move(archive: np.ndarray, by: int) -> np.ndarray | None:
    """A copy of the archive whose offsets are larger by `by`; None if they do not fit."""
    out = bytearray(archive.tobytes())
    at = out.rfind(_END)
    size = struct.unpack_from("<I", out, at + 12)[0]
    # The end record says where the directory is; before the move that is where it lies.
    directory = at - size
    spots = [at + 16, *(directory + e + 42 for e in _entries(bytes(out[directory:at])))]
    for spot in spots:
        value = struct.unpack_from("<I", out, spot)[0] + by
        if not 0 <= value <= 0xFFFFFFFF:
            return None
        struct.pack_into("<I", out, spot, value)
    return np.frombuffer(bytes(out), np.uint8)


def _entries(directory: bytes) -> list[int]:
    """Where the entries of a directory begin; empty if it is damaged."""
    found, at = [], 0
    while at + 46 <= len(directory) and directory[at : at + 4] == _ENTRY:
        found.append(at)
        at += 46 + sum(struct.unpack_from("<HHH", directory, at + 28))
    return found if at == len(directory) else []
