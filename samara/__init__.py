"""Samara: turns trained networks into compact .tflite files and runs them anywhere.

    import samara
    small = samara.convert("net.keras", recipe="static_wi8_ai8", calibration=images)
    small.save("net.tflite")
    model = samara.load("net.tflite")
    y = model(x)

`samara.Interpreter` has the interface of LiteRT's. The rest of the house: samara.interpreter, samara.converter,
samara.tools. Importing this loads numpy and the runtime, nothing else.
"""

from __future__ import annotations

from typing import Any

from .interpreter import (
    ArgumentError,
    CancelledError,
    DataError,
    DeviceError,
    FileError,
    InternalError,
    Interpreter,
    LimitError,
    MismatchError,
    Model,
    ModelError,
    OpResolverType,
    OutOfMemoryError,
    SamaraError,
    SignatureRunner,
    StateError,
    UnsupportedError,
    load,
    load_delegate,
    version,
)

__version__ = version()

__all__ = [
    "ArgumentError",
    "CancelledError",
    "DataError",
    "DeviceError",
    "FileError",
    "InternalError",
    "Interpreter",
    "LimitError",
    "MismatchError",
    "Model",
    "ModelError",
    "OpResolverType",
    "OutOfMemoryError",
    "SamaraError",
    "SignatureRunner",
    "StateError",
    "UnsupportedError",
    "__version__",
    "load",
    "load_delegate",
]

# Loaded when first used: attribute -> module of samara.converter that has it.
_LAZY = {"convert": "convert", "quantize": "convert", "compare": "compare", "check": "check"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f"{__name__}.converter.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
