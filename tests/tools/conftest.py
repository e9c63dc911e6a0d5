"""The `cli` fixture for all tests of the command line."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cli_driver import cli  # noqa: F401
