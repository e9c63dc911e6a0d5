"""The wheel: one for every Python from 3.10 on, and small."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from paths import ROOT


@pytest.mark.slow
def test_wheel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("samara-*.whl")
    assert "-cp310-abi3-" in wheel.name
    assert wheel.stat().st_size < 2_000_000
    names = zipfile.ZipFile(wheel).namelist()
    assert "samara/interpreter/schema/tflite.fbs" in names
    assert not [n for n in names if n.endswith((".c", ".h", ".sh")) or n.startswith("tests/")]
