"""Options and paths that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_driver import Cli
from paths import shared_folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow") or "slow" in (config.getoption("-m") or ""):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))


@pytest.fixture(scope="session")
def models() -> Path:
    folder = shared_folder("models")
    if folder is None:
        pytest.skip("the shared models are not here: set SAMARA_MODELS, or put them in ../shared/models")
    return folder


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)
