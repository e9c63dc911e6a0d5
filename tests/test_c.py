"""The C side, built once by the project's own CMake: C tests, installation, the example, the headers in C99 and C++.

Skipped where there is no compiler or no CMake (an ARM64 Python under QEMU, for one).
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sys.executable).parent
PATH = f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}"
DIGITS = ROOT / "examples/digits/digits_int8.tflite"

CC = shutil.which("cc")
CXX = shutil.which("c++")
CMAKE = shutil.which("cmake", path=PATH)
GENERATOR = ["-G", "Ninja"] if shutil.which("ninja", path=PATH) else []  # make may be missing
PKG_CONFIG = shutil.which("pkg-config")
pytestmark = pytest.mark.skipif(not (CC and CMAKE), reason="needs cc and cmake")


def run(*command: str | Path, cwd: Path | None = None, **env: str) -> str:
    """Runs a command that must succeed; answers what it printed."""
    result = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, "PATH": PATH, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout[-8000:]}"
    return result.stdout


@pytest.fixture(scope="session")
def build() -> Path:
    folder = ROOT / "build" / "pytest-c"
    options = ["-DSAMARA_TESTS=ON", "-DSAMARA_WERROR=ON", "-DCMAKE_INSTALL_LIBDIR=lib"]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # of several test processes, one builds
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(CMAKE, *GENERATOR, "-S", ROOT, "-B", folder, *options)
        run(CMAKE, "--build", folder, "-j", str(len(os.sched_getaffinity(0))))
    return folder


@pytest.fixture(scope="session")
def prefix(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that has been moved after `cmake --install`, so that absolute paths would show."""
    first = tmp_path_factory.mktemp("install") / "first"
    run(CMAKE, "--install", build, "--prefix", first)
    return first.rename(first.with_name("moved"))


def test_c_tests(build: Path) -> None:
    run(CMAKE.replace("cmake", "ctest"), "--test-dir", build, "--output-on-failure", "--no-tests=error")


def test_exported_names(build: Path) -> None:
    names = run("nm", "-D", "--defined-only", build / "libsamara.so").split()[2::3]
    assert names
    assert [name for name in names if not name.startswith("sam_")] == []


def test_every_operator_is_listed(build: Path) -> None:
    symbols = run("nm", "--defined-only", build / "libsamara.a").split()
    defined = {name.removeprefix("sam_op_") for name in symbols if name.startswith("sam_op_")}
    listed = re.findall(r"^SAM_OP\(\w+, (\w+)\)", (ROOT / "kernels_c/ops/ops.def").read_text(), re.MULTILINE)
    assert defined == set(listed)


@pytest.mark.parametrize("language", ["c99", "c11", "c++11", "c++20"])
@pytest.mark.parametrize("header", ["samara.h", "samara/op.h"])
def test_header(prefix: Path, tmp_path: Path, header: str, language: str) -> None:
    plus = language.startswith("c++")
    if plus and not CXX:
        pytest.skip("needs c++")
    source = tmp_path / ("header.cpp" if plus else "header.c")
    source.write_text(f"#include <{header}>\nint main(void) {{ return 0; }}\n")
    flags = ["-Wall", "-Wextra", "-Wshadow", "-pedantic", "-Werror", "-fsyntax-only"]
    run(CXX if plus else CC, f"-std={language}", *flags, f"-I{prefix / 'include'}", source)


def check_example(program: Path, tmp_path: Path, library: Path) -> None:
    import samara

    model = samara.load(DIGITS)
    x = samara.Interpreter(str(DIGITS))
    x.allocate_tensors()
    detail = x.get_input_details()[0]
    data = tmp_path / "input.raw"
    size = 1
    for d in detail["shape"]:
        size *= int(d)
    data.write_bytes(bytes(i * 7 % 127 for i in range(size * detail["dtype"]().itemsize)))
    printed = run(program, DIGITS, data, LD_LIBRARY_PATH=str(library))
    import numpy as np

    scores = model(np.frombuffer(data.read_bytes(), detail["dtype"]).reshape(detail["shape"]))
    best = np.argsort(-np.asarray(scores, np.float64).ravel(), kind="stable")[:5]
    assert [int(line.split()[0]) for line in printed.splitlines()] == best.tolist()


@pytest.mark.skipif(not PKG_CONFIG, reason="needs pkg-config")
def test_example_pkg_config(prefix: Path, tmp_path: Path) -> None:
    env = {"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    flags = run(PKG_CONFIG, "--cflags", "--libs", "samara", **env).split()
    run(CC, ROOT / "examples/c/classify.c", *flags, "-o", tmp_path / "classify")
    check_example(tmp_path / "classify", tmp_path, prefix / "lib")


@pytest.mark.parametrize("target", ["Samara::samara", "Samara::samara-static"])
def test_example_find_package(prefix: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(app C)\nfind_package(Samara 0.1 REQUIRED)\n"
        f"add_executable(classify {ROOT}/examples/c/classify.c)\ntarget_link_libraries(classify {target})\n"
    )
    run(CMAKE, *GENERATOR, "-S", tmp_path, "-B", tmp_path / "b", f"-DCMAKE_PREFIX_PATH={prefix}")
    run(CMAKE, "--build", tmp_path / "b")
    check_example(tmp_path / "b/classify", tmp_path, prefix / "lib")


def test_example_says_what_is_wrong(prefix: Path, tmp_path: Path) -> None:
    program = tmp_path / "classify"
    run(
        CC,
        ROOT / "examples/c/classify.c",
        f"-I{prefix}/include",
        prefix / "lib/libsamara.a",
        "-lm",
        "-pthread",
        "-o",
        program,
    )
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"not a model")
    result = subprocess.run([program, bad, bad], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("classify: ")
    assert result.stderr.count("\n") == 1
