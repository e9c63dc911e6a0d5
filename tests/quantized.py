"""Runs quantized models on real numbers, in ours and in LiteRT, whatever types their inputs and outputs have."""

from __future__ import annotations

import numpy as np
import pytest
from samara.converter.export import from_bytes, to_bytes
from samara.converter.infer import infer
from samara.converter.ir import Graph, Model
from samara.converter.quantize import quantize

import samara


def network(build, *inputs):
    """A model of one graph: `build(g, *tensors)` answers its output or outputs; inputs are (name, shape)."""
    g = Graph("main")
    made = build(g, *(g.input(name, "FLOAT32", shape) for name, shape in inputs))
    for i, t in enumerate(made if isinstance(made, tuple) else (made,)):
        g.output(t, f"y{i}")
    model = Model([g])
    infer(model)
    return model


def samples(model, count=16, seed=0, low=-1.0, high=1.0):
    """Random samples for every input: real ones uniform in low..high, integers 0 or 1."""
    rng = np.random.default_rng(seed)
    inputs = model.signatures[0].inputs if model.signatures else {t.name: t for t in model.main.inputs}
    made = []
    for _ in range(count):
        sample = {}
        for name, t in inputs.items():
            shape = [max(d, 1) for d in t.shape]
            real = t.type.name == "FLOAT32"
            value = rng.uniform(low, high, shape) if real else rng.integers(0, 2, shape)
            sample[name] = value.astype(np.float32 if real else t.array.dtype if t.constant else _dtype(t))
        made.append(sample)
    return made


def _dtype(t):
    return {"INT32": np.int32, "INT64": np.int64, "BOOL": np.bool_}.get(t.type.name, np.int32)


def quantized(model, recipe="static_wi8_ai8", data=None, **options):
    """(bytes of the source, bytes of the result, report); the result has been verified and reads back."""
    source = to_bytes(model)
    data = samples(model) if data is None and str(recipe).startswith("static") else data
    report = quantize(model, recipe, data, **options)
    result = to_bytes(model)
    from_bytes(result).verify(complete=True)
    return source, result, report


def ops(data):
    """The operators of the main graph, in order."""
    return [node.op for node in from_bytes(data).main]


def _run(interpreter, given):
    """Outputs as real numbers; inputs are given as real numbers, by tensor name or in order."""
    details = interpreter.get_input_details()
    for i, detail in enumerate(details):
        value = given[detail["name"]] if detail["name"] in given else list(given.values())[i]
        if tuple(detail["shape"]) != value.shape:
            interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    for i, detail in enumerate(details):
        value = given[detail["name"]] if detail["name"] in given else list(given.values())[i]
        interpreter.set_tensor(detail["index"], _stored(value, detail))
    interpreter.invoke()
    return [_real(interpreter.get_tensor(d["index"]), d) for d in interpreter.get_output_details()]


def _stored(value, detail):
    kind, (scale, zero) = np.dtype(detail["dtype"]), detail["quantization"]
    if kind.kind not in "iu" or not scale:
        return value.astype(kind)
    limits = np.iinfo(kind)
    return np.clip(np.rint(value / scale) + zero, limits.min, limits.max).astype(kind)


def _real(value, detail):
    scale, zero = detail["quantization"]
    return (value.astype(np.float64) - zero) * scale if value.dtype.kind in "iu" and scale else np.array(value)


def ours(data, given):
    return _run(samara.Interpreter(model_content=bytes(data)), given)


def litert(data, given, *, xnnpack=False):
    """LiteRT's plain CPU kernels, or its default with XNNPACK."""
    module = pytest.importorskip("ai_edge_litert.interpreter")
    kinds = module.OpResolverType
    kind = kinds.BUILTIN if xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return _run(module.Interpreter(model_content=bytes(data), experimental_op_resolver_type=kind), given)


def sqnr(reference, result):
    """Signal to quantization noise in dB, over all of a list of arrays."""
    signal = sum(float(np.sum(np.square(a, dtype=np.float64))) for a in reference)
    noise = sum(
        float(np.sum(np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64))))
        for a, b in zip(reference, result, strict=True)
    )
    return np.inf if noise == 0 else 10 * np.log10(max(signal, 1e-30) / noise)


def step(data, output=0):
    """The scale of an output, or of what its DEQUANTIZE reads."""
    t = from_bytes(data).main.outputs[output]
    while t.producer is not None and t.producer.op == "DEQUANTIZE":
        t = t.producer.inputs[0]
    return float(t.quantization.scale[0])
