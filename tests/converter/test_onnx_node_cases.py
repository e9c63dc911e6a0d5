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
    patterns = ("conv_", "softmax", "resize_up", "lstm", "gather", "range_", "nonzero")
    outcomes = [o for pattern in patterns for o in run(f"test_{pattern}")]
    assert not [o for o in outcomes if o.state == "failed"] and len(outcomes) > 30
