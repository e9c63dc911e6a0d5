"""Where tests run, and where they find the shared models."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def shared_folder(name: str) -> Path | None:
    """The folder of shared models or benchmarks: SAMARA_MODELS (its sibling for other names) or ../shared/<name>."""
    models = os.environ.get("SAMARA_MODELS")
    folder = Path(models) if models else ROOT.parent / "shared" / "models"
    folder = folder if name == "models" else folder.parent / name
    return folder if folder.is_dir() else None


@functools.cache
def emulated() -> bool:
    """Whether this Python is one that cannot start itself: another machine's, under QEMU."""
    try:
        return subprocess.run([sys.executable, "-c", ""], check=False).returncode != 0
    except OSError:
        return True
