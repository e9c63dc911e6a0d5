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
    assert "% of bound" in outcome.out and "Measured peak" in outcome.out
    assert table.read_text().startswith("model,engine,version,init_ms")
    report = cli("benchmark", model, "--num_runs", 20, "--warmup_runs", 1, "--json", "--profile").json
    assert report["schema"] == "samara.benchmark/2"
    (entry,) = report["models"]
    assert entry["type"] == "float32" and entry["best_ratio"] is None
    assert all(rate > 0.1 for rate in entry["peaks"]["gmacs"].values()) and entry["peaks"]["gbytes"] > 0.1
    assert [step["op"] for step in entry["profile"]] == ["RESHAPE"]
    (engine,) = entry["engines"]
    assert engine["runs"] == 20 and engine["ratio"] == 1
    assert 0 < engine["min_us"] <= engine["median_us"] <= engine["p90_us"] <= engine["p99_us"]
    assert engine["peak_rss_bytes"] > 1 << 20


@pytest.mark.parametrize("peer", ["litert", "openvino"])
def test_with_a_peer(cli: Cli, tmp_path: Path, peer: str) -> None:
    pytest.importorskip({"litert": "ai_edge_litert", "openvino": "openvino"}[peer])
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    report = cli("benchmark", model, "--runs", 10, "--peers", peer, "--json").json
    (entry,) = report["models"]
    ours, theirs = entry["engines"]
    assert theirs["engine"] == peer
    assert theirs["ratio"] == entry["best_ratio"] == pytest.approx(theirs["best_us"] / ours["best_us"])
    assert report["summary"]["all"]["geomean"] == pytest.approx(theirs["ratio"])


def test_a_folder(cli: Cli, tmp_path: Path) -> None:
    """One line a model; a peer that cannot run one has a dash, and its reason is told once."""
    pytest.importorskip("ai_edge_litert")
    for kind in ("FLOAT32", "INT8"):
        write(tmp_path / f"{kind}.tflite", flatten_model(kind, scale=0.1 if kind == "INT8" else None))
    outcome = cli("benchmark", tmp_path, "--runs", 10, "--peers", "litert,onnxruntime")
    assert outcome.code == 0, outcome.err
    head, first, second, *means = outcome.out.splitlines()
    assert head.split()[:6] == ["model", "type", "samara", "us", "litert", "onnxruntime"]
    assert first.split()[:2] == ["FLOAT32", "float32"] and second.split()[:2] == ["INT8", "int8"]
    assert first.split()[4] == "-" and outcome.err.count("FLOAT32.onnx' is not there") == 1
    assert [line.split(":")[0] for line in means] == ["all", "int8 and uint8", "float32"]
    report = cli("benchmark", tmp_path, "--runs", 10, "--peers", "litert", "--json").json
    ratios = [m["best_ratio"] for m in report["models"]]
    assert report["summary"]["all"]["geomean"] == pytest.approx((ratios[0] * ratios[1]) ** 0.5)
    assert report["summary"]["all"]["least"] == min(ratios)


def test_a_model_of_a_folder_that_fails(cli: Cli, tmp_path: Path) -> None:
    """It is named and left out; the others are measured, and the exit code is its own."""
    write(tmp_path / "a.tflite", b"nothing of the kind")
    write(tmp_path / "b.tflite", flatten_model("FLOAT32"))
    outcome = cli("benchmark", tmp_path, "--runs", 5, "--json")
    assert outcome.code == 5 and "a.tflite: " in outcome.err
    report = json.loads(outcome.out)
    assert [m["model"].rsplit("/")[-1] for m in report["models"]] == ["b.tflite"]
    assert [m["code"] for m in report["failed"]] == [5]
    (tmp_path / "b.tflite").unlink()
    cli.refuses(2, "none of 2 models runs", "benchmark", tmp_path / "a.tflite", tmp_path / "a.tflite")


def report_of(model: str, us: float) -> dict[str, object]:
    return {"model": model, "engines": [{"engine": "samara", "best_us": us}]}


def test_baseline(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    other = write(tmp_path / "other.json", json.dumps({"models": [report_of("n.tflite", 1.0)]}).encode())
    for us, code in ((1e9, 0), (1e-3, 7)):
        report = {"models": [report_of("elsewhere/m.tflite", us)]}
        path = write(tmp_path / "b.json", json.dumps(report).encode())
        outcome = cli("benchmark", model, "--runs", 5, "--baseline", path, "--tolerance", "5%")
        assert outcome.code == code
    assert "regression" in outcome.err
    cli.refuses(2, "is not a report", "benchmark", model, "--runs", 5, "--baseline", model)
    cli.refuses(2, "has no model m.tflite", "benchmark", model, "--runs", 5, "--baseline", other)


def test_bad_input(cli: Cli, tmp_path: Path) -> None:
    model = write(tmp_path / "m.tflite", flatten_model("FLOAT32"))
    cli.refuses(2, "is none of", "benchmark", model, "--peers", "abacus")
    cli.refuses(2, "--peer-model onnxruntime=FILE", "benchmark", model, "--peers", "onnxruntime")
    empty = tmp_path / "empty"
    empty.mkdir()
    cli.refuses(2, "has no .tflite", "benchmark", empty)
    cli.refuses(2, "does not exist", "benchmark", tmp_path / "none.tflite")
    cli.refuses(2, "MODEL", "benchmark")
    cli.refuses(5, "is empty", "benchmark", write(tmp_path / "e.tflite", b""))
    existing = write(tmp_path / "t.csv", b"mine")
    cli.refuses(2, "--force", "benchmark", model, "--csv", existing)
    assert existing.read_bytes() == b"mine"
