"""The shape of the house: nothing registered twice or not at all, arrows that point one way, generated files fresh."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OPS = ROOT / "kernels_c/ops"
SKIPPED = {".git", "build", "dist", "__pycache__", ".venv"}


def tracked(*suffixes: str) -> list[Path]:
    """The project's own text files, by suffix."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
        files = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        files = [p for p in ROOT.rglob("*") if p.is_file() and not SKIPPED & set(p.relative_to(ROOT).parts)]
    return [p for p in files if p.is_file() and (not suffixes or p.suffix in suffixes)]


def rows(path: Path, macro: str) -> list[tuple[str, ...]]:
    """The arguments of every `macro(…)` row of a .def list."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = re.findall(rf"^\s*{macro}\(([^)]*)\)", text, re.MULTILINE)
    return [tuple(word.strip() for word in row.split(",")) for row in found]


def test_ops_are_listed_once() -> None:
    """A row without code does not link; code without a row is found here, or in the library by test_c.py."""
    listed = rows(OPS / "ops.def", "SAM_OP")
    assert listed == sorted(set(listed)), "ops.def is sorted and has no row twice"
    source = "\n".join(p.read_text(encoding="utf-8") for p in OPS.glob("*.c"))
    defined = set(re.findall(r"^const sam_op sam_op_(\w+)\b", source, re.MULTILINE))
    assert defined - {stem for _, stem in listed} == set(), "defined, but no row in ops.def"


def test_every_family_has_cases() -> None:
    families = {p.stem for p in OPS.glob("*.c")}
    cases = {p.stem.removeprefix("test_") for p in (ROOT / "tests/ops").glob("test_*.py")}
    assert families - cases == set(), "kernels_c/ops/<family>.c without tests/ops/test_<family>.py"


def test_intrinsics_stay_in_ukernels() -> None:
    word = re.compile(
        r"immintrin\.h|arm_neon\.h|wasm_simd128\.h|\b_mm\d*_|\bv(ld|st)1q?_[suf]\d+|__AVX|__ARM_NEON|__SSE"
    )
    for path in [*OPS.glob("*.[ch]"), *(ROOT / "interpreter/runtime").glob("*.[ch]")]:
        assert not word.search(path.read_text(encoding="utf-8")), (
            f"{path.relative_to(ROOT)}: belongs into kernels_c/ukernels"
        )


def test_kernels_do_not_know_the_interpreter() -> None:
    for path in (ROOT / "kernels_c").rglob("*.[chi]*"):
        for name in re.findall(r'#\s*include\s+[<"]([^>"]+)', path.read_text(encoding="utf-8")):
            upwards = re.search(r"samara\.h$|interpreter|runtime|model\.h|session\.h|Python\.h", name)
            assert not upwards, f"{path.name} includes {name}"


RANK = {"interpreter": 0, "converter": 1, "tools": 2}


@pytest.mark.parametrize("package", RANK)
def test_arrows_between_packages(package: str) -> None:
    """tools -> converter -> interpreter; relative imports leave a package only downwards."""
    for path in (ROOT / package).rglob("*.py"):
        inside = ("samara", *path.relative_to(ROOT).with_suffix("").parts[:-1])
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = ".".join(inside[: len(inside) - node.level + 1]) + "." if node.level else ""
                names = [f"{base}{node.module or ''}.{alias.name}" for alias in node.names]
            for name in names:
                parts = [part for part in name.split(".") if part]
                if len(parts) > 1 and parts[0] == "samara" and parts[1] in RANK:
                    assert RANK[parts[1]] <= RANK[package], f"{path.relative_to(ROOT)} imports {name}"


def test_only_native_touches_ffi() -> None:
    for path in [p for package in (*RANK, "samara") for p in (ROOT / package).rglob("*.py")]:
        if path.name not in ("_native.py", "_build_ffi.py"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"^\s*(from|import)\s+(cffi|\S*\b_samara)\b", text, re.MULTILINE), path.relative_to(
                ROOT
            )


@pytest.mark.parametrize("script", ["tools/gen_schema.py", "tools/support_matrix.py"])
def test_generated_files_are_fresh(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [script, "--check"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / script), run_name="__main__")
    assert not end.value.code


def test_no_absolute_paths() -> None:
    pattern = re.compile(r"(?<![\w.~])/(home|root|opt|work|Users|mnt)/\w")
    for path in tracked(".py", ".c", ".h", ".inc", ".def", ".md", ".toml", ".cmake", ".txt", ".sh", ".fbs"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert not pattern.search(line), f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def test_readme_commands_are_the_checked_ones() -> None:
    """The first two code blocks are the two commands; .ci/run runs the second word for word."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert "samara convert " in blocks[0]
    assert blocks[1].strip() in (ROOT / ".ci/run").read_text(encoding="utf-8")
    for name in re.findall(r"examples/\S+", blocks[0]):
        assert (ROOT / name).exists(), name


def test_links_in_pages_lead_somewhere() -> None:
    for path in tracked(".md"):
        for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.relative_to(ROOT)}: {target}"
