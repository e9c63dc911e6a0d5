"""One engine of runtime_costs, in a process of its own that imports nothing of ours unless it measures us.

    python _costs_worker.py ENGINE MODEL THREADS [CACHE]
        load it, answer once, print the costs as one JSON line; then for every line "SECONDS" on stdin run that long and
        print the median
"""

import sys

del sys.path[0]  # the folder of this file, whose inspect.py is not Python's
import json  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402


def peak_rss() -> int:
    """Bytes. Not getrusage, which begins with what the parent had when it forked."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def private_bytes() -> int:
    """Of this process alone, now."""
    with open("/proc/self/smaps_rollup", encoding="ascii") as lines:
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def main() -> None:
    engine, model, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    clock, used = time.perf_counter, time.process_time  # used: of this process, whatever else the machine does
    more: dict[str, Any] = {"weight_cache": sys.argv[4]} if len(sys.argv) > 4 else {}
    numpy_rss, numpy_private, start = peak_rss(), private_bytes(), used()
    if engine == "samara":
        from samara import Interpreter
    else:
        from ai_edge_litert.interpreter import Interpreter  # type: ignore[no-redef, unused-ignore]
    imported = used()
    interpreter = Interpreter(model, num_threads=threads, **more)
    interpreter.allocate_tensors()
    planned = used()
    rng = np.random.default_rng(0)
    values = {}
    for details in interpreter.get_input_details():
        kind, shape = np.dtype(details["dtype"]), [max(int(d), 1) for d in details["shape"]]
        value = rng.uniform(-1, 1, shape) if kind.kind == "f" else rng.integers(0, 100, shape)
        values[details["index"]] = value.astype(kind)
    made = used()
    for index, value in values.items():
        interpreter.set_tensor(index, value)
    interpreter.invoke()
    for details in interpreter.get_output_details():
        interpreter.get_tensor(details["index"])
    costs = {
        "import": imported - start,
        "first": used() - made,
        "load": planned - imported + used() - made,
        "rss": peak_rss() - numpy_rss,
        "private": private_bytes() - numpy_private,
    }
    if engine == "samara":
        costs["packed"] = interpreter.memory()["packed"]
    os.write(1, json.dumps(costs).encode() + b"\n")
    for line in sys.stdin:
        times: list[float] = []
        end = clock() + float(line)
        while clock() < end or len(times) < 3:
            begin = clock()
            interpreter.invoke()
            times.append(clock() - begin)
        os.write(1, b"%.9f\n" % statistics.median(times))


if __name__ == "__main__":
    main()
