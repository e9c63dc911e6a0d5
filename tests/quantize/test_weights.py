"""Every operator with small weights: int8 for its float kernel, int8 and float16 unpacked; in both engines."""

from __future__ import annotations

import numpy as np
import pytest
from quantized import litert, network, ops, ours, quantized, samples, sqnr
from samara.converter.quantize.weights import WEIGHTS


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    """Channels of very different sizes, along every axis."""
    rng = np.random.default_rng(seed + sum(shape))
    value = rng.standard_normal(shape)
    return (value * 0.5).astype(np.float32)


def conv(op, *shape, channels=6, **options):
    def build(g, x):
        b = g.constant(weights(channels), "b")
        return g.op(op, x, g.constant(weights(*shape), "w"), b, padding="SAME", stride_w=1, stride_h=1, **options)

    return build, [("x", (1, 6, 6, 4))]


def transpose_conv(g, x):
    shape, w = g.constant(np.array([1, 12, 12, 6], np.int32)), g.constant(weights(6, 3, 3, 4), "w")
    return g.TRANSPOSE_CONV(shape, w, x, g.constant(weights(6)), padding="SAME", stride_w=2, stride_h=2)


def dense(g, x):
    return g.FULLY_CONNECTED(x, g.constant(weights(10, 16), "w"), g.constant(weights(10), "b"))


def looked_up(g, x):
    rows = g.EMBEDDING_LOOKUP(g.constant(np.array([3, 0, 5], np.int32)), g.constant(weights(8, 16), "table"))
    return g.MUL(rows, x)


def gathered(g, x):
    return g.MUL(g.GATHER(g.constant(weights(8, 16), "table"), g.constant(np.array([3, 0, 5], np.int32))), x)


def state(g, *shape):
    return g.variable(f"s{len(shape)}{shape[-1]}", "FLOAT32", shape)


def svdf(g, x):
    w, t = g.constant(weights(10, 16), "w"), g.constant(weights(10, 4), "t")
    return g.SVDF(x, w, t, g.constant(weights(5)), state(g, 3, 40), rank=2, fused_activation_function="RELU")


def gates(g, inputs, cells):
    made = [g.constant(weights(cells, n, seed=k), f"w{k}") for k, n in enumerate([inputs] * 4 + [cells] * 4)]
    return [*made, None, None, None, *(g.constant(weights(cells, seed=k)) for k in range(4)), None, None]


def lstm(op):
    def build(g, x):
        h, c = g.variable("h", "FLOAT32", (1, 12)), g.variable("c", "FLOAT32", (1, 12))
        more = {"kernel_type": "FULL"} if op == "LSTM" else {"time_major": True}
        return g.op(op, x, *gates(g, 16, 12), h, c, *[None] * 4, fused_activation_function="TANH", **more)

    return build, [("x", (1, 16) if op == "LSTM" else (5, 1, 16))]


def two_way_lstm(g, x):
    states = [g.variable(n, "FLOAT32", (1, 12)) for n in ("h1", "c1", "h2", "c2")]
    return g.BIDIRECTIONAL_SEQUENCE_LSTM(
        x, *gates(g, 16, 12), *gates(g, 16, 12), *states, *[None] * 9, fused_activation_function="TANH",
        merge_outputs=True, time_major=True,
    )  # fmt: skip


def rnn(op):
    def build(g, x):
        w, r, b = g.constant(weights(12, 16), "w"), g.constant(weights(12, 12), "r"), g.constant(weights(12), "b")
        more = {} if op == "RNN" else {"time_major": True}
        return g.op(op, x, w, r, b, g.variable("h", "FLOAT32", (1, 12)), fused_activation_function="TANH", **more)

    return build, [("x", (1, 16) if op == "RNN" else (5, 1, 16))]


def two_way_rnn(g, x):
    def side(k):
        parts = (weights(12, 16, seed=k), weights(12, 12, seed=k), weights(12, seed=k))
        return [*(g.constant(v) for v in parts), g.variable(f"h{k}", "FLOAT32", (1, 12))]

    return g.BIDIRECTIONAL_SEQUENCE_RNN(
        x, *side(1), *side(2), None, None, None, fused_activation_function="TANH", time_major=True, merge_outputs=True
    )


VECTOR, STEPS = [("x", (3, 16))], [("x", (5, 1, 16))]
CASES = {
    "BATCH_MATMUL": (lambda g, x: g.BATCH_MATMUL(x, g.constant(weights(16, 10), "w")), VECTOR),
    "BIDIRECTIONAL_SEQUENCE_LSTM": (two_way_lstm, STEPS),
    "BIDIRECTIONAL_SEQUENCE_RNN": (two_way_rnn, STEPS),
    "CONV_2D": conv("CONV_2D", 6, 3, 3, 4),
    "DEPTHWISE_CONV_2D": conv("DEPTHWISE_CONV_2D", 1, 3, 3, 8, channels=8, depth_multiplier=2),
    "EMBEDDING_LOOKUP": (looked_up, VECTOR),
    "FULLY_CONNECTED": (dense, VECTOR),
    "GATHER": (gathered, VECTOR),
    "LSTM": lstm("LSTM"),
    "RNN": rnn("RNN"),
    "SVDF": (svdf, VECTOR),
    "TRANSPOSE_CONV": (transpose_conv, [("x", (1, 6, 6, 4))]),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm("UNIDIRECTIONAL_SEQUENCE_LSTM"),
    "UNIDIRECTIONAL_SEQUENCE_RNN": rnn("UNIDIRECTIONAL_SEQUENCE_RNN"),
}


def test_every_operator_with_weights_has_a_case() -> None:
    assert sorted(CASES) == sorted(WEIGHTS)


@pytest.mark.parametrize("recipe", ["dynamic_wi8_afp32", "weight_only_wi8_afp32", "float16"])
@pytest.mark.parametrize("op", CASES)
def test_weights(op: str, recipe: str) -> None:
    build, inputs = CASES[op]
    model = network(build, *inputs)
    given = samples(model, 3, 4, -2, 2)
    source, result, report = quantized(model, {"recipe": recipe, "min_elements": 40})
    entry = next(e for e in report.entries if e.op == op)
    assert entry.became == ("float16 weights" if recipe == "float16" else "int8 weights"), entry
    assert op in ops(result)
    want = [ours(source, x)[0] for x in given]
    floor = 60 if recipe == "float16" else 30
    assert sqnr(want, [ours(result, x)[0] for x in given]) > floor
    for xnnpack in (False, True):
        assert sqnr(want, [litert(result, x, xnnpack=xnnpack)[0] for x in given]) > floor - 2


def test_static_recipes_make_the_weights_small_of_what_stays_float() -> None:
    build, inputs = CASES["BIDIRECTIONAL_SEQUENCE_LSTM"]
    model = network(build, *inputs)
    data = samples(model, 16, 4, -2, 2)
    source, result, report = quantized(model, {"recipe": "static_wi8_ai8", "min_elements": 40}, data)
    (entry,) = report.entries
    assert entry.became == "int8 weights" and "its kernels are float" in entry.reason
    assert "int8 weights: BIDIRECTIONAL_SEQUENCE_LSTM y0: its kernels are float" in str(report)
    assert len(result) < 0.6 * len(source)
    want = [ours(source, x)[0] for x in data[:3]]
    assert sqnr(want, [litert(result, x)[0] for x in data[:3]]) > 30
    model = network(build, *inputs)
    kept = {"recipe": "static_wi8_ai8", "min_elements": 40, "keep_float": ["*LSTM"]}
    assert quantized(model, kept, data)[2].entries[0].became == "float32"


def test_shared_weights_stay_shared() -> None:
    def build(g, x):
        w = g.constant(weights(16, 16), "w")
        return g.FULLY_CONNECTED(g.FULLY_CONNECTED(x, w, None, shape=(3, 16)), w, None)

    for recipe in ("dynamic_wi8_afp32", "weight_only_wi8_afp32", "float16"):
        _, result, _ = quantized(network(build, *VECTOR), {"recipe": recipe, "min_elements": 40})
        assert len(result) < 256 * (2 if recipe == "float16" else 1) + 1100
