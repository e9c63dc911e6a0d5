"""Ranges: streaming, with and without the tails."""

from __future__ import annotations

import numpy as np
import pytest
from quantized import network, ours, quantized, samples, sqnr
from samara.converter.quantize.calibrate import BINS, Histogram, MinMax
from samara.converter.quantize.numbers import LIMITS, params_of, stored


def fill(recorder, values):
    for value in values:
        recorder.add(value, float(value.min()), float(value.max()))
    return recorder.range()


@pytest.mark.parametrize("seed", range(4))
def test_histogram_agrees_with_numpy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [(rng.standard_normal(5000) * 10.0 ** rng.uniform(-2, 1)).astype(np.float32) for _ in range(6)]
    every = np.concatenate(parts)
    assert fill(MinMax(), parts) == (every.min(), every.max())
    low, high = fill(Histogram(99.0), parts)
    bins = 2 * 2 * np.abs(every).max() / BINS  # the reach is up to twice the largest value
    assert abs(low - np.quantile(every, 0.005)) <= bins
    assert abs(high - np.quantile(every, 0.995)) <= bins


def test_histogram_of_all() -> None:
    values = [np.array([0, 0, 0], np.float32), np.array([-1, 0, 5], np.float32)]
    assert fill(Histogram(100), values) == (-1, 5)
    assert fill(Histogram(99.99), [np.zeros(3, np.float32)])[1] < 1e-5


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize(
    ("low", "high"), [(-1, 1), (0, 6), (-3, 0), (2, 5), (-5, -2), (0, 0), (-1e-35, 0), (-1e30, 1e30)]
)
def test_params_hold_the_range_and_zero(kind: str, low: float, high: float) -> None:
    p = params_of(low, high, kind)
    assert stored(np.zeros(1), p)[0] == p.zero_point and LIMITS[kind][0] <= p.zero_point <= LIMITS[kind][1]
    assert p.low <= min(low, 0) + 0.51 * p.scale
    if kind != "UINT8" or high >= 0:
        assert p.high >= max(high, 0) - 0.51 * p.scale
    assert p.scale > 0 and (kind != "INT16" or p.zero_point == 0)


def test_percentile_helps_where_there_are_outliers() -> None:
    """One sample in a hundred is a hundred times larger; typical ones keep more bits without it."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((8, 8)).astype(np.float32)

    def model():
        return network(lambda g, x: g.FULLY_CONNECTED(x, g.constant(w), g.constant(np.zeros(8, np.float32))),
                       ("x", (1, 8)))  # fmt: skip

    data = samples(model(), 300)
    for sample in data[::100]:
        sample["x"] *= 100
    source, plain, _ = quantized(model(), "static_wi8_ai8", data)
    recipe = {"recipe": "static_wi8_ai8", "calibration": "percentile", "percentile": 99.0}
    _, cut, _ = quantized(model(), recipe, data)
    want = [ours(source, x)[0] for x in data[1:40]]
    assert sqnr(want, [ours(cut, x)[0] for x in data[1:40]]) > 12 + sqnr(want, [ours(plain, x)[0] for x in data[1:40]])


def test_memory_does_not_grow_with_samples() -> None:
    """Samples are made on the way and none is kept."""
    alive: list[object] = []
    import weakref

    class Sample(dict):  # type: ignore[type-arg]
        pass

    def stream():
        for sample in samples(network(lambda g, x: g.TANH(x), ("x", (1, 8))), 20):
            made = Sample(sample)
            alive.append(weakref.ref(made))
            assert sum(ref() is not None for ref in alive) <= 2  # type: ignore[operator]
            yield made

    quantized(network(lambda g, x: g.TANH(x), ("x", (1, 8))), "static_wi8_ai8", stream())
    assert len(alive) == 20
