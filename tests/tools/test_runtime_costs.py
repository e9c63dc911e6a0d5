"""The tables of runtime_costs: that they measure, and bounds that hold on any machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from samara.tools import runtime_costs


def rows(*arguments: str) -> list[list[str]]:
    result = CliRunner().invoke(runtime_costs.command, list(arguments))
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.output.splitlines()[1:]]


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "chain.tflite"
    path.write_bytes(runtime_costs.chain("ADD", 3))
    return str(path)


def test_calls() -> None:
    ours = [row for row in rows("calls", "--rounds", "1") if row[1] == "samara"]
    assert [row[0] for row in ours] == ["RELU", "ADD"]
    assert all(float(value) > 0 for row in ours for value in row[3:])


def test_weight_cache(model: str) -> None:
    (row,) = rows("cache", "--rounds", "1", model)
    assert row[0] == "chain.tflite" and len(row) == 11
    assert all(float(value) >= 0 for value in (*row[1:4], *row[9:]))


@pytest.mark.slow
@pytest.mark.parametrize("what, columns", [("load", 12), ("threads", 9)])
def test_beside_litert(what: str, columns: int, model: str) -> None:
    pytest.importorskip("ai_edge_litert")
    (row,) = rows(what, "--rounds", "1", model)
    assert row[0] == "chain.tflite" and len(row) == columns
    assert all(float(value) >= 0 for value in row[1:])


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "no.tflite"
    path.write_bytes(b"no")
    result = CliRunner().invoke(runtime_costs.command, ["load", str(path)])
    assert result.exit_code == 1 and "no.tflite" in result.output
