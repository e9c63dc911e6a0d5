"""ONNX's own node tests: all that have our operators pass, or stand in the list with a reason."""

from __future__ import annotations

import pytest

pytest.importorskip("onnx")

from samara.tools.onnx_node_tests import run


@pytest.mark.slow
def test_node_cases():
    outcomes = list(run())
    failed = [o for o in outcomes if o.state == "failed"]
    passed = sum(o.state in ("passed", "frozen") for o in outcomes)
    assert not failed
    assert passed >= 1100


def test_some_node_cases():
    outcomes = [
        o
        for pattern in ("test_conv_", "test_softmax", "test_resize_up", "test_lstm", "test_gather", "test_range", "test_nonzero")
        for o in run(pattern)
    ]
    assert not [o for o in outcomes if o.state == "failed"] and len(outcomes) > 30
