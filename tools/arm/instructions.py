"""Executed ARM64 instructions of one inference under QEMU, Samara beside LiteRT; count.sh prepares and calls it.

A program that invokes a model N times is counted for two N; the difference belongs to the invokes. Ours is static
and its counts repeat to the instruction; LiteRT runs in Python, whose own count varies by a few hundred thousand, so it
gets more invokes the smaller the model is.
"""

import argparse
import os
import subprocess
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
# What /proc/cpuinfo would say, for libraries that read it: features beyond NEON, and the part number.
CPUS = {"cortex-a53": ("", 0xD03), "cortex-a76": ("fphp asimdhp asimdrdm lrcpc dcpop asimddp", 0xD0B)}
CPUINFO = """processor\t: 0
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 {}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {:#05x}
CPU revision\t: 1

"""


def count(work: Path, cpu: str, command: list[str | Path], qemu: list[str | Path]) -> Counter[str]:
    """Instructions by function of one run of a program."""
    out = work / f"counts-{os.getpid()}"
    run = ["qemu-aarch64", "-cpu", cpu, "-plugin", f"{work / 'qemu_count.so'},out={out}", *qemu, *command]
    subprocess.run(run, check=True, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONHASHSEED": "0"})
    lines = [line.split(" ", 1) for line in out.read_text().splitlines()]
    out.unlink()
    return Counter({name: int(n) for n, name in lines})


def per_invoke(work: Path, cpu: str, command: list[str | Path], qemu: list[str | Path], n: int) -> Counter[str]:
    """Instructions by function of one invoke, from runs with 1 and with 1 + n."""
    few, many = (count(work, cpu, [*command, str(times)], qemu) for times in (1, 1 + n))
    return Counter({name: round((many[name] - few[name]) / n) for name in many})


def samara(args: argparse.Namespace, cpu: str, model: Path) -> Counter[str]:
    """Ours; always 10 invokes, since static programs do not vary."""
    flags = ["--allow-fp16"] if args.allow_fp16 else []
    return per_invoke(args.work, cpu, [args.work / "invoke", *flags, model], [], 10)


def litert(args: argparse.Namespace, cpu: str, model: Path, expected: int) -> int:
    """LiteRT's; `expected` instructions decide how many invokes."""
    root = args.work / f"root-{cpu}"
    (root / "proc").mkdir(parents=True, exist_ok=True)
    for entry in args.root.iterdir():
        if entry.name != "proc" and not (root / entry.name).exists():
            (root / entry.name).symlink_to(entry)
    (root / "proc/cpuinfo").write_text(CPUINFO.format(*CPUS[cpu]))
    python = next((args.root / "usr/bin").glob("python3.*"))
    environment = {"PYTHONPATH": args.site, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    qemu: list[str | Path] = ["-L", root]
    for name, value in environment.items():
        qemu += ["-E", f"{name}={value}"]
    n = min(max(10, 1_000_000_000 // expected), 1000)
    return sum(per_invoke(args.work, cpu, [python, "-P", HERE / "invoke_litert.py", model], qemu, n).values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL")
    parser.add_argument("--cpu", action="append", metavar="NAME", help="of QEMU; default: " + " and ".join(CPUS))
    parser.add_argument("--no-litert", dest="litert", action="store_false", help="only Samara")
    parser.add_argument("--allow-fp16", action="store_true", help="ours in half precision, where the processor can")
    parser.add_argument("--top", type=int, default=0, metavar="N", help="also the N functions of ours that need most")
    parser.add_argument("--work", type=Path, required=True, help="folder with qemu_count.so and invoke")
    parser.add_argument("--root", type=Path, help="root of the ARM64 Python")
    parser.add_argument("--site", type=Path, help="its packages")
    args = parser.parse_args()
    print("| model | cpu | samara | LiteRT | ratio |\n|---|---|---|---|---|")
    for model in args.models:
        for cpu in args.cpu or CPUS:
            ours = samara(args, cpu, model)
            total = sum(ours.values())
            row = [model.stem, cpu, f"{total:,}", "", ""]
            if args.litert and cpu in CPUS:
                theirs = litert(args, cpu, model, total)
                row[3:] = [f"{theirs:,}", f"{total / theirs:.2f}"]
            print("|", " | ".join(row), "|", flush=True)
            for name, n in ours.most_common(args.top):
                print(f"    {n:>12,} {n / total:6.1%} {name}")


if __name__ == "__main__":
    main()
