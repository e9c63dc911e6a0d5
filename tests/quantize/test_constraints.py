"""The rows of the quantizer: one for every operator, and what each asks is what both engines compute."""

from __future__ import annotations

import numpy as np
import pytest
from quantized import litert, network, ops, ours, quantized, samples, step
from samara.converter.quantize.constraints import INT8, INT16, OWN, ROWS, Row, Stays, Weight
from samara.interpreter import _native

OPS = {name: types for name, _, types in _native.builtin_ops()}


def test_every_operator_has_a_row() -> None:
    assert sorted(OPS) == sorted(ROWS), "an operator without a quantization row (or a row without an operator)"
    assert list(ROWS) == sorted(ROWS)


@pytest.mark.parametrize("op", [op for op, row in ROWS.items() if isinstance(row, Row)])
def test_types_of_a_row_have_kernels(op: str) -> None:
    row = ROWS[op]
    assert isinstance(row, Row)
    assert set(row.types) <= OPS[op]


def uniform(*shape: int, seed: int = 5, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


IMAGE = (1, 6, 6, 4)
MASK = np.array([[True, False, True, True]])


def unary(op, **options):
    return lambda g, x: g.op(op, x, **options)


def binary(op, **options):
    return lambda g, a, b: g.op(op, a, b, **options)


def pool(op, **options):
    return lambda g, x: g.op(op, x, padding="SAME", stride_w=2, stride_h=2, filter_width=2, filter_height=2, **options)


def conv(g, x, **options):
    options = {"padding": "SAME", "stride_w": 1, "stride_h": 1, **options}
    return g.CONV_2D(x, g.constant(uniform(5, 3, 3, 4), "w"), g.constant(uniform(5), "b"), **options)


def depthwise(g, x):
    w, b = g.constant(uniform(1, 3, 3, 8), "w"), g.constant(uniform(8), "b")
    return g.DEPTHWISE_CONV_2D(x, w, b, padding="SAME", stride_w=1, stride_h=1, depth_multiplier=2)


def transpose_conv(g, x):
    w, b = g.constant(uniform(3, 3, 3, 4), "w"), g.constant(uniform(3), "b")
    return g.TRANSPOSE_CONV(g.constant(ints(1, 12, 12, 3)), w, x, b, padding="SAME", stride_w=2, stride_h=2)


def dense(g, x, **options):
    return g.FULLY_CONNECTED(x, g.constant(uniform(7, 4), "w"), g.constant(uniform(7), "b"), **options)


V, V2 = [("x", (3, 4))], [("a", (3, 4)), ("b", (3, 4))]
I = [("x", IMAGE)]  # noqa: E741

# operator -> [(inputs, graph, range of the data, allowed error in steps of the output)]
CASES = {
    "ABS": (V, unary("ABS")),
    "ADD": (V2, binary("ADD", fused_activation_function="RELU")),
    "ARG_MAX": (V, lambda g, x: g.ARG_MAX(x, g.constant(np.int32(1)), output_type="INT32")),
    "ARG_MIN": (V, lambda g, x: g.ARG_MIN(x, g.constant(np.int32(1)), output_type="INT32")),
    "AVERAGE_POOL_2D": (I, pool("AVERAGE_POOL_2D")),
    "BATCH_MATMUL": ([("a", (2, 3, 4)), ("b", (2, 4, 5))], binary("BATCH_MATMUL")),
    "BATCH_TO_SPACE_ND": (
        [("x", (4, 3, 3, 2))],
        lambda g, x: g.BATCH_TO_SPACE_ND(x, g.constant(ints(2, 2)), g.constant(np.zeros((2, 2), np.int32))),
    ),
    "BROADCAST_TO": ([("x", (1, 4))], lambda g, x: g.BROADCAST_TO(x, g.constant(ints(3, 4)))),
    "CONCATENATION": (V2, lambda g, a, b: g.CONCATENATION(a, b, axis=1)),
    "CONV_2D": (I, conv),
    "DEPTHWISE_CONV_2D": (I, depthwise),
    "DEPTH_TO_SPACE": (I, unary("DEPTH_TO_SPACE", block_size=2)),
    "DYNAMIC_UPDATE_SLICE": (
        [("a", (4, 4)), ("b", (2, 2))],
        lambda g, a, b: g.DYNAMIC_UPDATE_SLICE(a, b, g.constant(ints(1, 1))),
    ),
    "ELU": (V, unary("ELU")),
    "EMBEDDING_LOOKUP": (
        V, lambda g, x: g.ADD(g.EMBEDDING_LOOKUP(g.constant(ints(2, 0, 1)), g.constant(uniform(5, 4))), x)
    ),
    "EQUAL": (V2, binary("EQUAL")),
    "EXP": (V, unary("EXP")),
    "EXPAND_DIMS": (V, lambda g, x: g.EXPAND_DIMS(x, g.constant(np.int32(1)))),
    "FILL": (
        [("x", ())], lambda g, x: g.FILL(g.constant(ints(2, 3)), x)
    ),
    "FULLY_CONNECTED": (V, dense),
    "GATHER": (V, lambda g, x: g.GATHER(x, g.constant(ints(2, 0)), axis=1)),
    "GATHER_ND": (V, lambda g, x: g.GATHER_ND(x, g.constant(np.array([[1, 2], [0, 3]], np.int32)))),
    "GELU": (V, unary("GELU")),
    "GREATER": (V2, binary("GREATER")),
    "GREATER_EQUAL": (V2, binary("GREATER_EQUAL")),
    "HARD_SWISH": (V, unary("HARD_SWISH"), (-4.0, 4.0)),
    "L2_NORMALIZATION": (V, unary("L2_NORMALIZATION")),
    "LEAKY_RELU": (V, unary("LEAKY_RELU", alpha=0.2)),
    "LESS": (V2, binary("LESS")),
    "LESS_EQUAL": (V2, binary("LESS_EQUAL")),
    "LOG": (V, unary("LOG"), (0.3, 2.0)),
    "LOGISTIC": (V, unary("LOGISTIC"), (-6.0, 6.0)),
    "LOG_SOFTMAX": (V, unary("LOG_SOFTMAX"), (-3.0, 3.0)),
    "MATRIX_SET_DIAG": ([("a", (2, 3, 3)), ("b", (2, 3))], binary("MATRIX_SET_DIAG")),
    "MAXIMUM": (V2, binary("MAXIMUM")),
    "MAX_POOL_2D": (I, pool("MAX_POOL_2D", fused_activation_function="RELU")),
    "MEAN": (I, lambda g, x: g.MEAN(x, g.constant(ints(1, 2)), keep_dims=True)),
    "MINIMUM": (V2, binary("MINIMUM")),
    "MIRROR_PAD": (V, lambda g, x: g.MIRROR_PAD(x, g.constant(np.array([[1, 1], [2, 0]], np.int32)), mode="REFLECT")),
    "MUL": (V2, binary("MUL")),
    "NOT_EQUAL": (V2, binary("NOT_EQUAL")),
    "PACK": (V2, lambda g, a, b: g.PACK(a, b, axis=1, values_count=2)),
    "PAD": (V, lambda g, x: g.PAD(x, g.constant(np.array([[1, 0], [0, 2]], np.int32))), (0.5, 1.0)),
    "PADV2": (
        V,
        lambda g, x: g.PADV2(x, g.constant(np.array([[1, 0], [0, 2]], np.int32)), g.constant(np.float32(1.5))),
    ),
    "PRELU": (I, lambda g, x: g.PRELU(x, g.constant(uniform(1, 1, 4)))),
    "RANK": (V, lambda g, x: g.ADD(g.RANK(x), g.SHAPE(x, out_type="INT32"))),
    "REDUCE_MAX": (I, lambda g, x: g.REDUCE_MAX(x, g.constant(ints(1, 2)))),
    "REDUCE_MIN": (I, lambda g, x: g.REDUCE_MIN(x, g.constant(ints(1, 2)))),
    "REDUCE_PROD": (V, lambda g, x: g.REDUCE_PROD(x, g.constant(ints(1))), (0.5, 1.0)),
    "RELU": (V, unary("RELU")),
    "RELU6": (V, unary("RELU6"), (-3.0, 9.0)),
    "RELU_0_TO_1": (V, unary("RELU_0_TO_1"), (-1.0, 2.0)),
    "RELU_N1_TO_1": (V, unary("RELU_N1_TO_1"), (-2.0, 2.0)),
    "RESHAPE": (V, lambda g, x: g.RESHAPE(x, g.constant(ints(4, 3)))),
    "RESIZE_BILINEAR": (I, lambda g, x: g.RESIZE_BILINEAR(x, g.constant(ints(9, 9)), half_pixel_centers=True)),
    "RESIZE_NEAREST_NEIGHBOR": (I, lambda g, x: g.RESIZE_NEAREST_NEIGHBOR(x, g.constant(ints(12, 12)))),
    "REVERSE_V2": (V, lambda g, x: g.REVERSE_V2(x, g.constant(ints(1)))),
    "RSQRT": (V, unary("RSQRT"), (0.3, 2.0)),
    "SELECT": (V2, lambda g, a, b: g.SELECT(g.constant(np.tile(MASK, (3, 1))), a, b)),
    "SELECT_V2": (V2, lambda g, a, b: g.SELECT_V2(g.constant(MASK), a, b)),
    "SHAPE": (V, lambda g, x: g.SHAPE(g.ABS(x), out_type="INT32")),
    "SLICE": (V, lambda g, x: g.SLICE(x, g.constant(ints(1, 0)), g.constant(ints(2, 3)))),
    "SOFTMAX": (V, unary("SOFTMAX", beta=1.0), (-4.0, 4.0)),
    "SPACE_TO_BATCH_ND": (
        I, lambda g, x: g.SPACE_TO_BATCH_ND(x, g.constant(ints(2, 2)), g.constant(np.zeros((2, 2), np.int32)))
    ),
    "SPACE_TO_DEPTH": (I, unary("SPACE_TO_DEPTH", block_size=2)),
    "SPLIT": (I, lambda g, x: g.SPLIT(g.constant(np.int32(3)), x, num_splits=2, outputs=2)),
    "SPLIT_V": (
        I, lambda g, x: g.SPLIT_V(x, g.constant(ints(1, 3)), g.constant(np.int32(3)), num_splits=2, outputs=2)
    ),
    "SQRT": (V, unary("SQRT"), (0.1, 2.0)),
    "SQUARED_DIFFERENCE": (V2, binary("SQUARED_DIFFERENCE")),
    "SQUEEZE": ([("x", (1, 4))], unary("SQUEEZE", squeeze_dims=ints(0))),
    "STRIDED_SLICE": (
        V,
        lambda g, x: g.STRIDED_SLICE(x, g.constant(ints(0, 0)), g.constant(ints(3, 4)), g.constant(ints(1, 2))),
    ),
    "SUB": (V2, binary("SUB")),
    "SUM": (I, lambda g, x: g.SUM(x, g.constant(ints(1, 2)))),
    "TANH": (V, unary("TANH"), (-3.0, 3.0)),
    "TILE": (V, lambda g, x: g.TILE(x, g.constant(ints(2, 1)))),
    "TOPK_V2": (V, lambda g, x: g.TOPK_V2(x, g.constant(np.int32(2)), outputs=2)),
    "TRANSPOSE": (V, lambda g, x: g.TRANSPOSE(x, g.constant(ints(1, 0)))),
    "TRANSPOSE_CONV": (I, transpose_conv),
    "UNPACK": (V, lambda g, x: g.UNPACK(x, axis=0, num=3, outputs=3)),
}  # fmt: skip


def test_every_row_has_a_case() -> None:
    rows = {op for op, row in ROWS.items() if isinstance(row, Row) and OWN not in row.inputs}
    assert set(CASES) == rows, "operators with OWN operands have cases in test_recurrent.py"


# Error against the float graph in steps of the output, where rounding inputs and output explains more than two. Tables
# of 513 entries (int16) and weights of 10 bits (resizing) are the format's.
STEPS = {
    "RSQRT": 4, "LOG": 3, "REDUCE_PROD": 6, "SUM": 2, "RESIZE_BILINEAR": 10, "EXP": 3, "LOGISTIC": 3,
    "SOFTMAX": 4, "TANH": 3, "L2_NORMALIZATION": 3, "SQUARED_DIFFERENCE": 3, "SUB": 2,
    ("LOG", INT16): 150, ("RSQRT", INT16): 100, ("RESIZE_BILINEAR", INT16): 200, ("SUM", INT16): 8, ("TANH", INT16): 4,
}  # fmt: skip


@pytest.mark.parametrize("kind", [INT8, INT16])
@pytest.mark.parametrize("op", sorted(CASES))
def test_operator(op: str, kind: str) -> None:
    """One operator, quantized: it is integer, both engines run it, and it is near the float operator."""
    inputs, build, *more = CASES[op]
    low, high = more[0] if more else (-1.0, 1.0)
    model = network(build, *inputs)
    data = samples(model, 16, 3, low, high)
    source, result, report = quantized(model, f"static_wi8_a{kind.lower()[:1]}{kind[3:]}", data)
    entry = next(e for e in report.entries if e.op == op)
    row = ROWS[op]
    if kind not in row.types:
        assert entry.became == "float32" and "kernel" in entry.reason, entry
        return
    assert entry.became in (kind.lower(), ""), entry
    assert op in ops(result)
    for sample in data[:4]:
        want, got, other = ours(source, sample), ours(result, sample), litert(result, sample)
        for i, (a, b, c) in enumerate(zip(want, got, other, strict=True)):
            if a.dtype.kind == "f":
                size = step(result, i)
                assert np.abs(b - c).max(initial=0) <= 1.01 * size, f"{op} output {i}: ours and LiteRT differ"
                error = np.abs(a - b).max(initial=0)
                allowed = STEPS.get((op, kind), STEPS.get(op, 2)) * size + (0.03 if any_weight(row) else 0)
                assert error <= allowed, f"{op} output {i}: off by {error:g}, {error / size:.1f} steps"
            else:
                assert np.array_equal(b, c)
                near = np.abs(np.subtract(*sample.values())) < 0.02 if len(sample) == 2 else False
                assert np.all((a == b) | near) or op.startswith(("ARG_", "TOPK"))


def any_weight(row: Row | Stays) -> bool:
    """Whether the error is that of the weights, which no step of the output bounds."""
    return isinstance(row, Row) and any(isinstance(c, Weight) for c in row.inputs)
