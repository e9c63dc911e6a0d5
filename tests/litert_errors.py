"""Where LiteRT is wrong, with proof: `python tests/litert_errors.py` tries it there and prints docs/litert_errors.md.

A case of tests/ops whose `peer_error` says what is wrong has the right answer in its oracle, a few lines of numpy.
Ours is held to that answer by the operator's own test; here LiteRT is.
"""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from harness import Case, build, in_child, mismatch, run_litert
from litert_oracle import litert
from paths import shared_folder

OPS = Path(__file__).parent / "ops"


def cases() -> Iterator[tuple[str, Case]]:
    """File and case of every known error."""
    for path in sorted(OPS.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"cases_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield from ((path.name, case) for case in getattr(module, "CASES", ()) if case.peer_error)


def verdict(case: Case) -> str:
    """What LiteRT answers beside the right answer; "" where it is right."""
    data, steps = build(case)
    assert callable(case.oracle)
    right = [list(case.oracle(list(step))) for step in steps]
    try:
        found = in_child(lambda: run_litert(data, case, steps, xnnpack=False))
    except pytest.fail.Exception as refused:
        return str(refused).split(";")[0]
    for answers, wanted in zip(found, right, strict=True):
        for answer, truth in zip(answers, wanted, strict=True):
            problem = mismatch(answer, truth, case.atol, case.rtol)
            if problem:
                return problem
    return ""


FILES = {  # below the shared models -> what is wrong
    "tflm/person_detect.tflite": "refuses a bias whose quantized dimension is that of its filter",
}


def file_verdict(path: Path) -> str:
    """The error or the death; "" where LiteRT runs the file."""
    try:
        found = in_child(lambda: litert(path.read_bytes()))
    except pytest.fail.Exception as died:
        return str(died).split(";")[0]
    return found if isinstance(found, str) else ""


HEAD = """# Errors in LiteRT

Cases in which LiteRT {version} (x86-64, plain CPU kernels) gives a wrong answer or ends the process. Samara gives the
right one: the test named in the first column compares it with a few lines of numpy. This page is what
`python tests/litert_errors.py` prints.

| test | operator | what LiteRT does | proof |
|---|---|---|---|"""


def main() -> None:
    from importlib.metadata import version

    print(HEAD.format(version=version("ai-edge-litert")))
    for file, case in cases():
        noise = io.StringIO()
        with redirect_stdout(noise), redirect_stderr(noise):
            found = verdict(case)
        found = found or "this version is right"
        print(f"| `{file}` {case.name} | {case.op} | {case.peer_error} | {found.replace('|', '/')} |")
    folder = shared_folder("models")
    for name, what in FILES.items():
        if folder is not None and (folder / name).exists():
            noise = io.StringIO()
            with redirect_stdout(noise), redirect_stderr(noise):
                found = file_verdict(folder / name) or "this version runs it"
            print(f"| `test_shared_models.py` {name} | (whole file) | {what} | {' '.join(found.split())[:160]} |")


if __name__ == "__main__":
    main()
