"""Opening a model from a path or from bytes, with an error that says what the file is when it is not a model."""

from __future__ import annotations

import os
from typing import Any

from . import _native
from .errors import FileError, ModelError

Source = str | bytes | bytearray | memoryview | os.PathLike[Any]


def _foreign(head: bytes, path: str) -> str:
    """What these first bytes (of a file with this name) are, if it is something a user might confuse with a model."""
    suffix = os.path.splitext(path)[1].lower()
    if head[4:8] == b"TFL3":
        return ""
    if suffix == ".onnx" or (head[:1] == b"\x08" and b"\x12" in head[1:4]):
        return "an ONNX model"
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return "an HDF5 file (Keras)"
    if head[:4] == b"PK\x03\x04":
        return {".keras": "a Keras archive", ".pt2": "a PyTorch program", ".pt": "a PyTorch archive"}.get(
            suffix, "a zip archive"
        )
    if suffix == ".pb":
        return "a TensorFlow graph"
    if head[:6] == b"\x93NUMPY":
        return "a numpy array"
    if head[:2] == b"BM" or head[:4] == b"\x89PNG" or head[:3] == b"\xff\xd8\xff":
        return "a picture"
    return ""


def open_path(path: str | os.PathLike[Any], options: _native.Options) -> _native.Model:
    name = os.fsdecode(path)
    if os.path.isdir(name):
        saved = os.path.exists(os.path.join(name, "saved_model.pb"))
        kind = "a TensorFlow SavedModel folder; convert it first" if saved else "a directory, not a model file"
        raise FileError(f"'{name}' is {kind}", status="SAM_IO")
    if not os.path.exists(name):
        raise FileError(f"'{name}' does not exist", status="SAM_IO")
    if os.path.getsize(name) == 0 and os.path.isfile(name):
        raise ModelError(f"'{name}' is empty", status="SAM_INVALID_MODEL")
    try:
        return _native.Model.open(name, options)
    except ModelError as error:
        with open(name, "rb") as file:
            kind = _foreign(file.read(16), name)
        what = str(error).removeprefix("not a valid model: ")
        reason = f"is {kind}, not a .tflite model; convert it first" if kind else f"is not a valid model: {what}"
        raise ModelError(
            f"'{name}' {reason}", status=error.status, node=error.node, tensor=error.tensor, subgraph=error.subgraph
        ) from None


def open_bytes(data: bytes | bytearray | memoryview, options: _native.Options) -> _native.Model:
    if len(data) == 0:
        raise ModelError("the model has no bytes", status="SAM_INVALID_MODEL")
    try:
        return _native.Model.from_bytes(data, options)
    except ModelError as error:
        kind = _foreign(bytes(data[:16]), "")
        if not kind:
            raise
        message = f"the bytes are {kind}, not a .tflite model; convert it first"
        raise ModelError(message, status=error.status) from None


def open_source(source: Source, options: _native.Options) -> _native.Model:
    if isinstance(source, bytes | bytearray | memoryview):
        return open_bytes(source, options)
    return open_path(source, options)
