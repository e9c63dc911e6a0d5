"""Cycles of the kernels' inner loops on ARM cores, estimated by llvm-mca.

    tools/ci/arm64.sh c                   (or any cross build that leaves compile_commands.json)
    python tools/arm/mca.py [FILE...]     microkernels; default: those that multiply

Each file is compiled to assembly with the flags of the build. A loop without branches inside that multiplies is an
inner loop; its largest few are shown. Columns, for each core: multiply-accumulates per cycle, the share of what the
core's multipliers could do, and llvm-mca's cycles as a multiple of its own throughput bound (its "Block RThroughput"),
which shows what dependencies and the order of instructions cost. That bound looks at one unit at a time; instructions
that fit either of two units can make both together the narrower place.

LLVM 19 (Debian: llvm-19), because its Neoverse N1 is what a Cortex-A76 is. LLVM 16 takes both for a Cortex-A57, where
zip needs three times as long and ld1 of four registers twice.
"""

import argparse
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What multiplies: pattern of an instruction, products it makes, the unit whose rate bounds it.
MULTIPLIERS = [
    (r"smull2?\s+v\d+\.8h", 8, "wide"),
    (r"smlal2?\s+v\d+\.8h", 8, "wide"),
    (r"smull2?\s+v\d+\.4s", 4, "wide"),
    (r"smlal2?\s+v\d+\.4s", 4, "wide"),
    (r"sdot\s+v\d+\.4s", 16, "dot"),
    (r"smmla\s+v\d+\.4s", 32, "matrix"),
    (r"fmla\s+v\d+\.8h", 8, "half"),
    (r"fmla\s+v\d+\.4s", 4, "single"),
]
TOOL = "llvm-mca-19"
ADDS_PAIRS = r"sadalp|saddw"
BRANCH = r"(b|b\.?(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|hs|lo|any|none)|cbn?z|tbn?z|bl|blr|br|ret)\b"


@dataclass(frozen=True)
class Core:
    """A core: llvm-mca's name, instructions a cycle of each unit; `shared`: additions occupy the multiplier too."""

    mca: str
    wide: int
    single: int
    dot: int = 0
    matrix: int = 0
    half: int = 0
    shared: bool = False


CORES = {
    "a53": Core("cortex-a53", 1, 1, shared=True),
    "a55": Core("cortex-a55", 1, 1, dot=1, half=1, shared=True),
    "a72": Core("cortex-a72", 1, 1),
    "a76": Core("neoverse-n1", 1, 2, dot=2, half=2),
    "n2": Core("neoverse-n2", 1, 2, dot=2, matrix=2, half=2),
}


def commands_of(build: Path) -> list[dict[str, str]]:
    """How the build compiles each file."""
    commands: list[dict[str, str]] = json.loads((build / "compile_commands.json").read_text())
    return commands


def assembly(source: str, commands: list[dict[str, str]]) -> list[str]:
    """The compiler's assembly of a source file, with the flags of the build."""
    entry = next((c for c in commands if c["file"].endswith("/" + source)), None)
    if entry is None:
        raise SystemExit(f"{source}: not in the build")
    command = shlex.split(entry["command"])
    command[command.index("-o") + 1] = "-"
    command[command.index("-c")] = "-S"
    done = subprocess.run(command, cwd=entry["directory"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def inner_loops(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """(function, instructions) of each loop without a branch inside. Others may branch into it."""
    function, starts, body = "", dict[str, int](), list[str]()
    for line in lines:
        text = line.split("//")[0].strip()
        if named := re.fullmatch(r"([\w.$]+):", text):
            if not named[1].startswith("."):
                function = named[1]
            starts[named[1]] = len(body)
        elif text and not text.startswith((".", "#")):  # directives; #APP around inline assembly
            body.append(text)
            if re.match(BRANCH, text):
                label = text.split()[-1]
                if label.startswith(".") and label in starts:
                    yield function, body[starts[label] :]
                starts, body = {}, []


def macs(body: list[str]) -> dict[str, tuple[int, int]]:
    """Of each unit: products and instructions of a loop."""
    found: dict[str, tuple[int, int]] = {}
    for line in body:
        for pattern, products, unit in MULTIPLIERS:
            if re.match(pattern, line):
                p, n = found.get(unit, (0, 0))
                found[unit] = (p + products, n + 1)
    return found


def cycles(body: list[str], core: Core) -> tuple[float, float] | None:
    """Cycles of one pass, and llvm-mca's bound; None if the core lacks an instruction."""
    times = 200
    tool = [
        TOOL,
        "-march=aarch64",
        f"-mcpu={core.mca}",
        f"-iterations={times}",
        "--all-views=0",
        "--summary-view",
    ]
    done = subprocess.run(tool, input="\n".join(body), capture_output=True, text=True)
    if done.returncode or "error" in done.stderr:
        return None
    total = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    bound = re.search(r"Block RThroughput:\s+([\d.]+)", done.stdout)
    return (int(total[1]) / times, float(bound[1])) if total and bound else None


def describe(body: list[str]) -> str | None:
    """The cells of one loop."""
    found = macs(body)
    products = sum(p for p, _ in found.values())
    cells = [str(len(body)), str(products), f"{products / len(body):.1f}"]
    for core in CORES.values():
        rates = {unit: getattr(core, unit) for unit in found}
        result = cycles(body, core) if all(rates.values()) else None
        if result is None:
            cells.append("-")
            continue
        least = sum(n / rates[unit] for unit, (_, n) in found.items())
        if core.shared:
            least += sum(bool(re.match(ADDS_PAIRS, line)) for line in body)
        took, bound = result
        cells.append(f"{products / took:.1f} {least / took:.0%} {took / bound:.2f}x")
    return " | ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="e.g. gemm_s8_neon.c")
    parser.add_argument("--build", type=Path, default=ROOT / "build/ci/arm64", help="folder with compile_commands.json")
    parser.add_argument("--loops", type=int, default=2, metavar="N", help="the N largest loops of a function")
    args = parser.parse_args()
    commands = commands_of(args.build)
    files = args.files or sorted(
        path.name for path in (ROOT / "kernels_c/ukernels").glob("*_neon*.c") if re.search("gemm|dwconv", path.name)
    )
    print("| loop | instructions | MACs | MACs/instruction |", " | ".join(CORES), "|")
    print("|---|---|---|---|" + "---|" * len(CORES))
    for name in files:
        functions: dict[str, list[list[str]]] = {}
        for function, body in inner_loops(assembly(name, commands)):
            if macs(body):
                functions.setdefault(function, []).append(body)
        for function, bodies in functions.items():
            largest = sorted(bodies, key=lambda body: -sum(p for p, _ in macs(body).values()))[: args.loops]
            for body in largest:
                print(f"| {name.removesuffix('.c')} {function} | {describe(body)} |", flush=True)


if __name__ == "__main__":
    main()
