"""Front ends: a model of another framework in, our graph out. Each is a table of small functions, one per operator.

`load` finds out by its content what a source is and calls the front end that reads it. What is no model, or one of a
kind that cannot be read yet, is said in one sentence with the way out.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from ...interpreter.errors import ArgumentError, FileError, ModelError, UnsupportedError
from ..ir import Model

READS = "Samara reads .keras, .h5, .onnx and .tflite models"

# What a file begins with that people pass by mistake -> what it is, and the way out.
FOREIGN = (
    (b"\x93NUMPY", "a numpy array; pass it as data (--inputs, --calibration)"),
    (b"\x89PNG", "a picture; pass it as data (--inputs, --calibration)"),
    (b"\xff\xd8\xff", "a picture; pass it as data (--inputs, --calibration)"),
    (b"\x80\x02", "a pickled PyTorch file, which nothing here executes; export the model to ONNX: torch.onnx.export"),
    (b"<?xml", "an XML file (OpenVINO?); convert the model it was made from"),
    (b"{", "a JSON file (TensorFlow.js?), which Samara does not read yet; save the model as .keras"),
    (b"version https://git-lfs", "a Git LFS pointer, not the model itself; fetch it: git lfs pull"),
)


def load(source: Any, shapes: Mapping[str, Sequence[int]] | None = None) -> Model:
    """Any source -> Model: a path, bytes, a loaded onnx.ModelProto or a keras.Model.

    `shapes` fixes the shapes of inputs by name. Raises FileError (cannot be read), ModelError (damaged, or no model),
    UnsupportedError (with every problem in a line of its own), ModuleNotFoundError (the extra to install).
    """
    kind = kind_of(source)
    if kind == "keras object":
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.keras")
            source.save(path)
            return load(path, shapes)
    module = importlib.import_module(f".{kind}", __package__)
    model: Model = module.load(source, shapes)
    return model


def kind_of(source: Any) -> str:
    """The front end of a source: "keras", "onnx", "tflite"; "keras object" is a keras.Model itself."""
    if isinstance(source, (str, os.PathLike)):
        return _of_path(os.fsdecode(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        head = bytes(source[:64])
        if not head:
            raise ModelError("the model has no bytes")
        return _of_content(head, source, "", "the bytes")
    if _is(source, "onnx", "ModelProto"):
        return "onnx"
    if _is(source, "keras", "Model"):
        return "keras object"
    if _is(source, "torch.nn", "Module"):
        raise UnsupportedError(
            "a torch.nn.Module cannot be converted directly yet; export it first: "
            "torch.onnx.export(model, (example,), 'model.onnx'), and convert that file"
        )
    raise ArgumentError(
        f"a model to convert is a path, bytes, an onnx.ModelProto or a keras.Model, not {type(source).__name__}"
    )


def _is(source: Any, module: str, name: str) -> bool:
    """Whether it is an instance of a class whose package somebody else has imported."""
    cls = getattr(sys.modules.get(module), name, None)
    return cls is not None and isinstance(source, cls)


def _of_path(path: str) -> str:
    if os.path.isdir(path):
        if os.path.exists(os.path.join(path, "saved_model.pb")):
            reason = "a TensorFlow SavedModel folder, which Samara does not read yet; save the model as .keras"
        else:
            reason = f"a folder, not a model file; {READS}"
        raise UnsupportedError(f"'{path}' is {reason}")
    try:
        with open(path, "rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        raise FileError(f"'{path}' does not exist") from None
    except OSError as error:
        raise FileError(f"'{path}' cannot be read: {error.strerror or error}") from None
    if not head:
        raise ModelError(f"'{path}' is empty")
    return _of_content(head, path, os.path.splitext(path)[1].lower(), f"'{path}'")


def _of_content(head: bytes, source: Any, suffix: str, what: str) -> str:
    if head[4:8] == b"TFL3":
        return "tflite"
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return "keras"
    if head[:4] == b"PK\x03\x04":
        return _of_zip(source, what)
    if suffix == ".pb":
        raise UnsupportedError(f"{what} is a TensorFlow graph, which Samara does not read yet; save it as .keras")
    if suffix == ".onnx" or head[:1] == b"\x08":  # field 1, ir_version, comes first
        return "onnx"
    for magic, kind in FOREIGN:
        if head.startswith(magic):
            raise ModelError(f"{what} is {kind}")
    named = f"; its name says {suffix}, so it is damaged" if suffix in (".keras", ".h5", ".hdf5", ".tflite") else ""
    raise ModelError(f"{what} is no model that Samara knows{named}; {READS}")


def _of_zip(source: Any, what: str) -> str:
    import io

    try:
        with zipfile.ZipFile(source if isinstance(source, (str, os.PathLike)) else io.BytesIO(source)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, MemoryError) as error:
        raise ModelError(f"{what} is a damaged zip archive ({error}); save or download the model again") from None
    if "config.json" in names:
        return "keras"
    if any(name.endswith("data.pkl") for name in names):
        raise UnsupportedError(
            f"{what} is a PyTorch archive, which holds code; export the model to ONNX: torch.onnx.export"
        )
    raise ModelError(f"{what} is a zip archive without config.json, so no Keras model; {READS}")
