"""Operators with state: fully integer, in both engines, near the float network."""

from __future__ import annotations

import numpy as np
import pytest
from quantized import litert, network, ops, ours, quantized, samples, sqnr
from samara.converter.quantize import quantize


def parts(seed=0):
    rng = np.random.default_rng(seed)
    return lambda *shape, scale=0.4: (rng.standard_normal(shape) * scale).astype(np.float32)


def lstm(*, cifg=False, peephole=False, norm=False, projection=False, time_major=False, clip=0.0, activation="TANH"):
    inputs, cells, outputs = 6, 12, 8 if projection else 12

    def build(g, x):
        make = parts()
        gates = range(1 if cifg else 0, 4)

        def each(*shape, of=gates, scale=0.4):
            return [g.constant(make(*shape, scale=scale)) if k in of else None for k in range(4)]

        holes = [t for k, t in enumerate(each(cells, of=gates if peephole else ())) if k != 2]
        tail = [g.constant(make(outputs, cells)), g.constant(make(outputs))] if projection else [None, None]
        state = [g.variable("h", "FLOAT32", (1, outputs)), g.variable("c", "FLOAT32", (1, cells))]
        norms = each(cells, of=gates if norm else ())
        y = g.UNIDIRECTIONAL_SEQUENCE_LSTM(
            x, *each(cells, inputs), *each(cells, outputs), *holes, *each(cells), *tail, *state, *norms,
            fused_activation_function=activation, time_major=time_major, cell_clip=clip,
        )  # fmt: skip
        return g.RESHAPE(y, g.constant(np.array([1, -1], np.int32)))

    return network(build, ("x", (9, 1, inputs) if time_major else (1, 9, inputs)))


@pytest.mark.parametrize(
    "options",
    [
        {}, {"time_major": True}, {"clip": 0.5}, {"cifg": True}, {"peephole": True}, {"projection": True},
        {"norm": True}, {"norm": True, "projection": True},
    ],
    ids=lambda o: "-".join(o) or "plain",
)  # fmt: skip
def test_lstm(options: dict[str, bool]) -> None:
    source, result, report = quantized(lstm(**options), data=samples(lstm(**options), 32, 1, -2, 2))
    assert ops(result) == ["QUANTIZE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "RESHAPE", "DEQUANTIZE"], str(report)
    given = samples(lstm(**options), 8, 5, -2, 2)
    want = [ours(source, x)[0] for x in given]
    got = [ours(result, x)[0] for x in given]
    assert sqnr(want, got) > 22
    other = [litert(result, x)[0] for x in given]
    assert sqnr(got, other) > 30


def test_lstm_that_no_kernel_computes() -> None:
    model = lstm(activation="RELU")
    report = quantize(model, "static_wi8_ai8", samples(model, 8))
    assert "its integer kernel computes with TANH, not RELU" in str(report)


def svdf(activation="RELU"):
    def build(g, x):
        make = parts(3)
        w, t, b = g.constant(make(10, 7)), g.constant(make(10, 4)), g.constant(make(5))
        return g.SVDF(x, w, t, b, g.variable("s", "FLOAT32", (1, 40)), rank=2, fused_activation_function=activation)

    return network(build, ("x", (1, 7)))


def test_svdf() -> None:
    source, result, _ = quantized(svdf(), data=samples(svdf(), 64, 1, -2, 2))
    assert ops(result) == ["QUANTIZE", "SVDF", "DEQUANTIZE"]
    given = samples(svdf(), 16, 5, -2, 2)
    want = [ours(source, x)[0] for x in given]
    got = [ours(result, x)[0] for x in given]
    assert sqnr(want, got) > 28
    assert sqnr(got, [litert(result, x)[0] for x in given]) > 60


def test_svdf_that_the_reference_engine_refuses() -> None:
    model = svdf("NONE")
    assert "its integer kernel computes with RELU, not NONE" in str(quantize(model, "static_wi8_ai8", samples(model)))


@pytest.mark.parametrize("recipe", ["dynamic_wi8_afp32", "weight_only_wi8_afp32", "float16"])
def test_lstm_weights(recipe: str) -> None:
    source, result, report = quantized(lstm(), {"recipe": recipe, "min_elements": 64})
    assert report.changed == 1
    given = samples(lstm(), 8, 5, -2, 2)
    want = [ours(source, x)[0] for x in given]
    assert sqnr(want, [ours(result, x)[0] for x in given]) > 30
    assert sqnr(want, [litert(result, x)[0] for x in given]) > 30


@pytest.mark.parametrize("time_major", [False, True])
def test_closing_step_of_a_front_end_fits_int8(time_major: bool) -> None:
    """A first step with a feature of some hundred, by which a state starts from zero, costs the data no resolution."""
    from samara.converter.frontends.build import Builder
    from samara.converter.frontends.recurrent import lstm_operator

    axis = 0 if time_major else 1

    def build(g, x):
        make = parts(2)
        w, r, bias = make(4, 12, 6), make(4, 12, 12), make(4, 12)
        b = Builder()
        b.graph, b.name = g, "lstm"
        return lstm_operator(b, x, w, r, bias, axis=axis)

    def model():
        return network(build, ("x", (9, 1, 6) if time_major else (1, 9, 6)))

    source, result, report = quantized(model(), data=samples(model(), 64, 1, -2, 2))
    assert not report.kept
    given = samples(model(), 8, 5, -2, 2)
    want = [ours(source, x)[0] for x in given]
    assert sqnr(want, [ours(result, x)[0] for x in given]) > 22
    assert sqnr(want, [litert(result, x)[0] for x in given]) > 22
