"""Masks of huge numbers leave the resolution of what they mask alone."""

from __future__ import annotations

import numpy as np
import pytest
from quantized import litert, network, ours, quantized, samples, sqnr

MINUS_MAX = float(np.finfo(np.float32).min)
KEPT = np.arange(12) % 3 != 1


def added(value):
    """Scores plus 0 where something is kept, `value` elsewhere."""

    def build(g, x):
        mask = np.where(KEPT, 0, value).astype(np.float32)[None]
        return g.SOFTMAX(g.ADD(x, g.constant(mask)), beta=1.0)

    return build


def computed(value):
    """The mask is computed while it runs."""

    def build(g, x, keep):
        mask = g.MUL(g.SUB(g.constant(np.float32(1)), keep), g.constant(np.float32(value)))
        return g.SOFTMAX(g.ADD(x, mask), beta=1.0)

    return build


def selected(value):
    def build(g, x):
        return g.SOFTMAX(g.SELECT_V2(g.constant(KEPT[None]), x, g.constant(np.float32(value))), beta=1.0)

    return build


def padded(value):
    """Padding before a maximum."""

    def build(g, x):
        edges = g.constant(np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
        y = g.PADV2(g.RESHAPE(x, g.constant(np.array([1, 3, 4, 1], np.int32))), edges, g.constant(np.float32(value)))
        return g.MAX_POOL_2D(y, padding="VALID", stride_w=1, stride_h=1, filter_width=3, filter_height=3)

    return build


@pytest.mark.parametrize("recipe", ["static_wi8_ai8", "static_wi8_ai16"])
@pytest.mark.parametrize("value", [-1e4, -1e9, MINUS_MAX, -np.inf])
@pytest.mark.parametrize("build", [added, selected, padded, computed], ids=lambda b: b.__name__)
def test_mask(build, value: float, recipe: str) -> None:
    inputs = [("x", (1, 12)), ("keep", (1, 12))][: 2 if build is computed else 1]
    if build is computed and value == -np.inf:
        pytest.skip("0 * inf is no number")
    model = network(build(value), *inputs)
    given = samples(model, 24, 1, -2.5, 2.5)
    for sample in given if build is computed else ():
        sample["keep"] = KEPT[None].astype(np.float32)
    source, result, report = quantized(model, recipe, given)
    assert not report.kept
    want = [ours(source, x)[0] for x in given]
    floor = 26 if recipe.endswith("ai8") else 60
    assert sqnr(want, [ours(result, x)[0] for x in given]) > floor
    assert sqnr(want, [litert(result, x)[0] for x in given]) > floor
