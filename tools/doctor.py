"""`samara doctor`: this installation and this machine, and whether the kernels give right answers here."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import Any

import click
import numpy as np
from samara.interpreter import SamaraError, _native
from samara.interpreter.interpreter import Interpreter

from .common import INTERNAL, bytes_text, json_option, print_json, table, verbosity_options

# Distribution -> what it is for.
EXTRAS = {
    "pillow": "pictures in `samara run`",
    "onnx": "converting ONNX models",
    "h5py": "converting Keras models",
    "torch": "converting PyTorch models",
    "ai-edge-litert": "peer in `samara benchmark`",
    "onnxruntime": "peer in `samara benchmark`",
    "openvino": "peer in `samara benchmark`",
}
LEVELS = (
    *("scalar", "sse41", "avx2", "avxvnni", "avx512", "avx512vnni"),
    *("neon", "neondot", "neoninorder", "neoni8mm", "neonfp16", "wasmsimd"),
)


def _package(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.lower().startswith(("model name", "hardware")):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def self_test() -> list[dict[str, Any]]:
    """A small network at every instruction-set level of this machine; all must agree with the plain C kernels."""
    from samara.converter import schema

    def tensor(name: str, dtype: str, shape: list[int], scale: float, buffer: int = 0) -> Any:
        q = schema.QuantizationParameters(scale=[scale], zero_point=[0])
        return schema.Tensor(name=name, type=dtype, shape=shape, buffer=buffer, quantization=q)

    rng = np.random.default_rng(0)
    weights = rng.integers(-127, 128, (19, 37), np.int8)
    operator = schema.Operator(opcode_index=0, inputs=[0, 1, -1], outputs=[2])
    schema.set_options(operator, "FULLY_CONNECTED", {})
    data = schema.encode(
        schema.Model(
            version=3,
            operator_codes=[schema.OperatorCode(builtin_code="FULLY_CONNECTED", version=4)],
            buffers=[schema.Buffer(), schema.Buffer(data=weights.reshape(-1).view(np.uint8))],
            subgraphs=[
                schema.SubGraph(
                    tensors=[
                        tensor("x", "INT8", [5, 37], 1.0),
                        tensor("w", "INT8", [19, 37], 1.0, 1),
                        tensor("y", "INT8", [5, 19], 512.0),
                    ],
                    inputs=[0],
                    outputs=[2],
                    operators=[operator],
                )
            ],
        )
    )
    x = rng.integers(-128, 128, (5, 37), np.int8)
    exact = x.astype(np.int64) @ weights.astype(np.int64).T
    expected = np.clip(np.rint(exact / 512), -128, 127).astype(np.int8)
    best, results = _native.isa(), []
    try:
        for level in LEVELS:
            if not _native.isa_force(level):
                continue
            try:
                interpreter = Interpreter(model_content=data)
                interpreter.allocate_tensors()
                interpreter.set_tensor(0, x)
                interpreter.invoke()
                results.append({"level": level, "right": bool(np.array_equal(interpreter.get_tensor(2), expected))})
            except SamaraError as error:
                results.append({"level": level, "right": False, "error": str(error)})
    finally:
        _native.isa_force(best)
    return results


def examine() -> dict[str, Any]:
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "samara": _native.version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cpu": _cpu_name(),
        "cpus": {"present": os.cpu_count() or 1, "usable": affinity},
        "memory_bytes": _memory(),
        "isa": _native.isa(),
        "isa_mask": os.environ.get("SAMARA_ISA"),
        "library": _native.__file__.rsplit(os.sep, 1)[0],
        "operators": len(_native.builtin_ops()),
        "extras": {name: _package(name) for name in EXTRAS},
        "self_test": self_test(),
    }


@click.command()
@json_option
@verbosity_options
def command(as_json: bool, quiet: bool, verbose: int) -> None:
    """Check this installation and machine: versions, instruction sets, extras, a self-test of the kernels."""
    found = examine()
    good = all(r["right"] for r in found["self_test"]) and bool(found["self_test"])
    if as_json:
        print_json("samara.doctor/1", {**found, "healthy": good})
    else:
        rows = [
            ("samara", f"{found['samara']} in {found['library']}"),
            ("python", f"{found['python']}, numpy {found['numpy']}"),
            ("machine", f"{found['cpu']} ({found['platform']})"),
            ("cpus", f"{found['cpus']['usable']} usable of {found['cpus']['present']}"),
            ("memory", bytes_text(found["memory_bytes"])),
            ("instructions", found["isa"] + (f" (SAMARA_ISA={found['isa_mask']})" if found["isa_mask"] else "")),
            ("operators", found["operators"]),
        ]
        for name, purpose in EXTRAS.items():
            rows.append((name, found["extras"][name] or f"not installed ({purpose})"))
        tested = ", ".join(f"{r['level']} {'right' if r['right'] else 'WRONG'}" for r in found["self_test"])
        rows.append(("self-test", tested))
        click.echo(table(rows))
        if not good:
            for r in found["self_test"]:
                if not r["right"]:
                    click.echo(f"{r['level']}: {r.get('error', 'other numbers than expected')}", err=True)
            click.echo("the kernels give wrong answers on this machine; please report this output", err=True)
    if not good:
        sys.exit(INTERNAL)
