"""`samara doctor`, and what all verbs share."""

from __future__ import annotations

import pytest
from cli_driver import Cli

import samara


def test_healthy(cli: Cli) -> None:
    outcome = cli("doctor")
    assert outcome.code == 0, outcome.err
    for words in ("samara", "numpy", "scalar right", "operators"):
        assert words in outcome.out
    report = cli("doctor", "--json").json
    assert report["schema"] == "samara.doctor/1" and report["healthy"]
    assert report["samara"] == samara.__version__
    assert report["isa"] in {r["level"] for r in report["self_test"]}


def test_command_line_itself(cli: Cli) -> None:
    assert cli("--version").out.strip() == f"samara {samara.__version__}"
    shown = cli("--help").out
    for verb in ("run", "inspect", "benchmark", "doctor"):
        assert verb in shown
        assert cli(verb, "--help").code == 0
    cli.refuses(2, "No such command", "fly")
    cli.refuses(2, "No such option", "doctor", "--fly")


def test_an_internal_error_exits_1(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from samara.tools import doctor

    monkeypatch.setattr(doctor, "examine", lambda: 1 / 0)
    cli.refuses(1, "internal error: ZeroDivisionError", "doctor")
