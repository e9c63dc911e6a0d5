"""LiteRT as the other reader and runner of the same files."""

from __future__ import annotations

import numpy as np
import pytest

# LiteRT ends the process on these (null dereference on blockwise tensors outside FULLY_CONNECTED).
LITERT_DIES = {"blockwise_quantized.tflite"}


def litert(data, seed=0):
    """The outputs of LiteRT's plain CPU on random inputs, or the error it gives."""
    module = pytest.importorskip("ai_edge_litert.interpreter")
    resolver = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        interpreter = module.Interpreter(model_content=bytes(data), experimental_op_resolver_type=resolver)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        return str(error)
    rng = np.random.default_rng(seed)
    for detail in interpreter.get_input_details():
        shape, dtype = detail["shape"], detail["dtype"]
        if dtype in (np.bytes_, np.str_, np.object_):
            value = np.full(shape, b"text", object)
        elif np.issubdtype(dtype, np.floating):
            value = rng.standard_normal(shape).astype(dtype)
        elif dtype == np.bool_:
            value = rng.integers(0, 2, shape).astype(bool)
        else:
            high = 2 if np.dtype(dtype).itemsize > 2 else 100  # 32- and 64-bit integers are mostly indices
            value = rng.integers(0, high, shape).astype(dtype)
        interpreter.set_tensor(detail["index"], value)
    try:
        interpreter.invoke()
    except (ValueError, RuntimeError) as error:
        return str(error)
    return [np.array(interpreter.get_tensor(d["index"])) for d in interpreter.get_output_details()]


def litert_run(data, given):
    """The outputs of LiteRT's plain CPU for inputs by name."""
    module = pytest.importorskip("ai_edge_litert.interpreter")
    resolver = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = module.Interpreter(model_content=bytes(data), experimental_op_resolver_type=resolver)
    for detail in interpreter.get_input_details():
        if tuple(detail["shape"]) != given[detail["name"]].shape:
            interpreter.resize_tensor_input(detail["index"], given[detail["name"]].shape)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], given[detail["name"]])
    interpreter.invoke()
    return [np.array(interpreter.get_tensor(d["index"])) for d in interpreter.get_output_details()]
