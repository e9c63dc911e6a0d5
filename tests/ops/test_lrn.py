"""LOCAL_RESPONSE_NORMALIZATION."""

from __future__ import annotations

import pytest
from harness import Case, check, tensor


def lrn(shape, radius, bias=1.0, alpha=1.0, beta=0.5, **extra):
    options = {"radius": radius, "bias": bias, "alpha": alpha, "beta": beta}
    name = f"{shape} radius {radius} beta {beta}"
    return Case(name, "LOCAL_RESPONSE_NORMALIZATION", [tensor("float32", shape)], [tensor("float32")], options, **extra)


CASES = [
    lrn((1, 2, 3, 7), 2),
    lrn((2, 5, 4, 17), 5, 2.0, 1e-4, 0.75),
    lrn((1, 1, 1, 3), 20, 0.5, 0.1, 1.0),
    lrn((1, 3, 3, 33), 0, 1.0, 0.3, 2.0),
    lrn((0, 3, 3, 4), 1, oracle=lambda values: values[:1]),
    lrn((1, 3, 3, 4), -1, error="radius"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_lrn(case):
    check(case)
