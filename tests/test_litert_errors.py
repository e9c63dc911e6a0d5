"""Known errors of LiteRT are still there, each with an answer of our own that is right."""

from __future__ import annotations

import pytest
from litert_errors import cases, verdict

FOUND = list(cases())


@pytest.mark.parametrize("file, case", FOUND, ids=[f"{file}-{case.name}".replace(" ", "-") for file, case in FOUND])
def test_litert_is_wrong(file, case):
    pytest.importorskip("ai_edge_litert.interpreter")
    if not verdict(case):
        pytest.skip(f"LiteRT is right here now: {case.peer_error!r} can go from {file}")
