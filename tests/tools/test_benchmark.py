"""`samara benchmark`: engines in turns, each in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import samara.tools
from cli_driver import Cli, flatten_model, write
from paths import emulated


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers find the package where this process found it."""
    import os
    import sys

    if emulated():
        pytest.skip("starts other programs")
    assert samara.tools
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))


def test_alone(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    table = tmp_path / "t.csv"
    outcome = cli("benchmark", model, "--runs", 20, "--profile", "--csv", table)
    assert outcome.code == 0, outcome.err
    assert "samara" in outcome.out and "median" in outcome.out
    assert table.read_text().startswith("engine,version,init_ms")
    report = cli("benchmark", model, "--num_runs", 20, "--warmup_runs", 1, "--json", "--profile").json
    assert report["schema"] == "samara.benchmark/1"
    (engine,) = report["engines"]
    assert engine["runs"] == 20 and engine["ratio"] == 1
    assert 0 < engine["min_us"] <= engine["median_us"] <= engine["p90_us"] <= engine["p99_us"]
    assert engine["peak_rss_bytes"] > 1 << 20


@pytest.mark.parametrize("peer", ["litert", "openvino"])
def test_with_a_peer(cli: Cli, tmp_path: Path, peer: str) -> None:
    pytest.importorskip({"litert": "ai_edge_litert", "openvino": "openvino"}[peer])
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    report = cli("benchmark", model, "--runs", 10, "--peers", peer, "--json").json
    ours, theirs = report["engines"]
    assert theirs["engine"] == peer
    assert theirs["ratio"] == pytest.approx(theirs["median_us"] / ours["median_us"])


def test_baseline(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    slow = {"engines": [{"engine": "samara", "median_us": 1e9}]}
    fast = {"engines": [{"engine": "samara", "median_us": 1e-3}]}
    for report, code in ((slow, 0), (fast, 7)):
        path = write(tmp_path / "b.json", json.dumps(report).encode())
        outcome = cli("benchmark", model, "--runs", 5, "--baseline", path, "--tolerance", "5%")
        assert outcome.code == code
    assert "regression" in outcome.err
    cli.refuses(2, "is not a report", "benchmark", model, "--runs", 5, "--baseline", model)


def test_bad_input(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    cli.refuses(2, "is none of", "benchmark", model, "--peers", "abacus")
    cli.refuses(2, "--peer-model onnxruntime=FILE", "benchmark", model, "--peers", "onnxruntime")
    cli.refuses(2, "does not exist", "benchmark", tmp_path / "none.tflite")
    cli.refuses(2, "MODEL", "benchmark")
    cli.refuses(5, "is empty", "benchmark", write(tmp_path / "e.tflite", b""))
    existing = write(tmp_path / "t.csv", b"mine")
    cli.refuses(2, "--force", "benchmark", model, "--csv", existing)
    assert existing.read_bytes() == b"mine"
