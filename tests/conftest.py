"""Options and paths that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow") or "slow" in (config.getoption("-m") or ""):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))


def shared_folder(name: str) -> Path | None:
    """The folder of shared models or benchmarks: SAMARA_MODELS (its sibling for other names) or ../shared/<name>."""
    models = os.environ.get("SAMARA_MODELS")
    folder = Path(models) if models else ROOT.parent / "shared" / "models"
    folder = folder if name == "models" else folder.parent / name
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def models() -> Path:
    folder = shared_folder("models")
    if folder is None:
        pytest.skip("the shared models are not here: set SAMARA_MODELS, or put them in ../shared/models")
    return folder
