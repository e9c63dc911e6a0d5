"""The generated C files follow interpreter/schema/tflite.fbs."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_generated_files_are_current():
    command = [sys.executable, str(ROOT / "tools" / "gen_schema.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
