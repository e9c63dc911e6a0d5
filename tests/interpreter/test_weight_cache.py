"""`weight_cache`: the file that keeps repacked weights. Damaged and forged files: tests/c/test_weight_cache.c."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from harness import levels
from paths import ROOT, emulated, shared_folder
from samara.interpreter import _native
from samara.tools.cli import cli

import samara

DIGITS = ROOT / "examples/digits/digits_int8.tflite"
_FOLDERS = [folder for name in ("models", "bench") if (folder := shared_folder(name)) is not None]
MODELS = [DIGITS, *(path for folder in _FOLDERS for path in sorted(folder.rglob("*.tflite")))]


def answers(interpreter: samara.Interpreter) -> list[bytes]:
    rng = np.random.default_rng(0)
    interpreter.allocate_tensors()
    for d in interpreter.get_input_details():
        shape, dtype = [max(int(n), 1) for n in d["shape"]], np.dtype(d["dtype"])
        value: Any = rng.uniform(-1, 1, shape) if dtype.kind == "f" else rng.integers(0, 2, shape)
        interpreter.set_tensor(d["index"], value.astype(dtype))
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]).tobytes() for d in interpreter.get_output_details()]


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_same_bytes(path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "net.cache"
    try:
        plain = answers(samara.Interpreter(str(path)))
    except samara.SamaraError as error:
        pytest.skip(f"does not run on such inputs: {error}")
    first = samara.Interpreter(str(path), weight_cache=cache)
    assert answers(first) == plain
    packed = first.weight_cache().packed
    second = samara.Interpreter(str(path), weight_cache=cache)
    assert answers(second) == plain
    state = second.weight_cache()
    if cache.exists():
        assert state.mapped + state.packed == packed and state.mapped > 0 and not state.written
        assert list(tmp_path.iterdir()) == [cache]
    else:
        assert state.packed == packed and not state.mapped  # nothing packed before the first invoke that may be kept


@pytest.mark.skipif(emulated(), reason="this Python cannot start itself")
def test_levels_and_processes_at_once(tmp_path: Path) -> None:
    """Every level takes the file over from the one before; six processes race for it."""
    cache = tmp_path / "net.cache"
    code = (
        "import sys, json, samara; sys.path.insert(0, sys.argv[3]); from test_weight_cache import answers\n"
        "i = samara.Interpreter(sys.argv[1], weight_cache=sys.argv[2])\n"
        "print(json.dumps([[a.hex() for a in answers(i)], i.weight_cache()._asdict()]))"
    )
    tests = os.pathsep.join([str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])])

    def start(level: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, str(DIGITS), str(cache), str(Path(__file__).parent)],
            env={**os.environ, "SAMARA_ISA": level, "PYTHONPATH": tests}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    plain = [a.hex() for a in answers(samara.Interpreter(str(DIGITS)))]
    for level in levels():
        for processes, written in ((1, True), (1, False)):
            for process in [start(level) for _ in range(processes)]:
                found, state = json.loads(process.communicate()[0])
                assert found == plain
                assert bool(state["written"]) == written and bool(state["mapped"]) != written
    cache.unlink()
    best = levels()[-1]
    for process in [start(best) for _ in range(6)]:
        found, state = json.loads(process.communicate()[0])
        assert found == plain and not state["problem"]
    assert list(tmp_path.iterdir()) == [cache]
    found, state = json.loads(start(best).communicate()[0])
    assert found == plain and state["packed"] == 0


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs /proc/self/smaps")
def test_the_pages_are_those_of_the_file(tmp_path: Path) -> None:
    cache = tmp_path / "net.cache"
    samara.Interpreter(str(DIGITS), weight_cache=cache)
    interpreter = samara.Interpreter(str(DIGITS), weight_cache=cache)
    assert interpreter.weight_cache().packed == 0
    lines = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(str(cache))]
    assert lines and all(line.split()[1] == "r--s" for line in lines)


def test_load_and_a_second_signature_keep_all(tmp_path: Path) -> None:
    cache = tmp_path / "net.cache"
    first = samara.load(str(DIGITS), weight_cache=cache)
    second = samara.load(DIGITS.read_bytes(), weight_cache=str(cache))
    spec = first.inputs[0]
    x = np.zeros([max(n, 1) for n in spec.shape], spec.dtype)
    np.testing.assert_array_equal(first(x), second(x))
    assert first.weight_cache().written and not second.weight_cache().packed
    assert second.interpreter().weight_cache() == second.weight_cache()
    assert samara.load(str(DIGITS)).weight_cache().path is None


def test_what_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "net.cache"
    with pytest.warns(RuntimeWarning, match="cannot write the weight cache .*No such file or directory") as found:
        model = samara.load(str(DIGITS), weight_cache=missing)
    assert len(found) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = model.interpreter()
    assert answers(other) == answers(samara.Interpreter(str(DIGITS)))
    assert "missing/net.cache" in model.weight_cache().problem


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.warns(RuntimeWarning, match="Permission denied"):
        samara.Interpreter(str(DIGITS), weight_cache=tmp_path / "net.cache")
    tmp_path.chmod(0o755)


def test_a_file_of_something_else_stays(tmp_path: Path) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(DIGITS.read_bytes())
    with pytest.raises(samara.FileError, match="is no weight cache and would be overwritten"):
        samara.Interpreter(str(model), weight_cache=model)
    assert model.read_bytes() == DIGITS.read_bytes()
    with pytest.raises(samara.FileError, match="no regular file"):
        samara.Interpreter(str(model), weight_cache=tmp_path)


def test_commands(tmp_path: Path) -> None:
    cache = tmp_path / "net.cache"
    for _ in range(2):
        result = CliRunner().invoke(cli, ["run", str(DIGITS), "--seed", "1", "--weight-cache", str(cache)])
        assert result.exit_code == 0, result.output
    assert cache.exists()
    arguments = ["benchmark", str(DIGITS), "--runs", "3", "--warmup", "1", "--weight-cache", str(cache)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(cli, [*arguments, str(DIGITS.with_name("digits_float.tflite"))])
    assert result.exit_code != 0 and "for one model; 2" in str(result.exception)


def test_options_know_the_path(tmp_path: Path) -> None:
    name = tmp_path / "näme \udcff.cache" if sys.platform == "linux" else tmp_path / "net.cache"
    options = _native.Options(weight_cache=os.fspath(name))
    model = _native.Model.open(DIGITS, options)
    _native.Session(model, 0)
    assert model.weight_cache().path == os.fspath(name) and name.exists()
