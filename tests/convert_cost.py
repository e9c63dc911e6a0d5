"""What a conversion costs: `python tests/convert_cost.py MODEL SMALL [--prove]`.

Prints seconds, those of the processor, the peak of memory and the size of the file, as JSON. SMALL, a model of the same
kind, is converted first, so that what is imported on the way is no part of it. (The peak is VmHWM: getrusage counts the
process that started this one.)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def cost(model: str | Path, small: str | Path, *flags: str) -> dict[str, float]:
    """Of converting `model`, in a process of its own."""
    command = [sys.executable, __file__, os.fspath(model), os.fspath(small), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"{os.path.basename(model)} {' '.join(flags)}: {found['seconds']:.2f} s, {found['cpu']:.2f} s of processor, "
          f"{found['memory'] / found['size']:.2f} times {found['size'] / 1e6:.1f} MB")  # fmt: skip
    return found


def _memory() -> int:
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024


def main(model: str, small: str, *flags: str) -> None:
    import samara

    prove = "--prove" in flags
    samara.convert(small, verify=prove)
    before, begin, used = _memory(), time.perf_counter(), time.process_time()
    made = samara.convert(model, verify=prove)
    print(json.dumps({
        "seconds": time.perf_counter() - begin, "cpu": time.process_time() - used, "memory": _memory() - before,
        "size": os.path.getsize(model), "reference": made.report.proof.reference if made.report.proof else "",
    }))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
