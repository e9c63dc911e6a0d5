"""Damaged and hostile models: an error that says something, or a result; never a crash, never much memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from paths import emulated

TESTS = Path(__file__).resolve().parents[1]
NEEDS = {"onnx": "onnx", "keras": "keras", "h5": "keras"}
PEAK_MIB = 1500
pytestmark = pytest.mark.skipif(emulated(), reason="this Python cannot start another")


def run(kind: str, first: int, count: int) -> None:
    pytest.importorskip(NEEDS[kind])
    pytest.importorskip({"h5": "h5py", "keras": "h5py"}.get(kind, "onnx"))
    command = [sys.executable, str(TESTS / "mutate.py"), kind, str(first), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stderr[-4000:]}"
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["count"] == count == sum(told["results"].values())
    assert told["results"].get("converted", 0) < count
    assert told["peak_mib"] < PEAK_MIB, told


@pytest.mark.parametrize("kind", NEEDS)
def test_some(kind: str) -> None:
    run(kind, 0, 100)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
@pytest.mark.parametrize("kind", NEEDS)
def test_twenty_thousand(kind: str, part: int) -> None:
    count = {"onnx": 8000, "keras": 6000, "h5": 6000}[kind] // 10
    run(kind, 1000 + part * count, count)
