"""Mutated models for the converter: `python tests/mutate.py KIND FIRST COUNT` converts COUNT of them in this process.

A mutation is made from its number alone, so `python tests/mutate.py onnx 1234 1` does one again. Anything but a result
or an error of samara ends the process with a traceback; a crash ends it by itself. The address space is limited, and
each mutation has a time.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import samara

ROOT = Path(__file__).resolve().parents[1]
MEMORY = 3 << 30
"""Bytes of address space that a mutation may take beyond what the process has at first."""
SECONDS = 20
"""Of processor time, for one mutation."""
ODD = (0, 1, -1, 2, 3, 7, 127, 128, 255, 256, 65535, 2**31 - 1, 2**31, -(2**31), 2**32, 2**63 - 1, -(2**63), 10**6)
ODD_JSON = (None, True, "", "x", [], {}, 0, -1, 1.5, 1e308, 2**31, 2**63, 10**30, [1, 2], "same", "linear", {"a": 1})


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes changed, cut, doubled, dropped."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        if not out:
            break
        at, n = int(rng.integers(len(out))), int(rng.integers(1, 17))
        way = int(rng.integers(7))
        if way == 0:
            out[at] = int(rng.integers(256))
        elif way == 1:
            out[at] ^= 1 << int(rng.integers(8))
        elif way == 2:
            out[at : at + n] = rng.bytes(n)
        elif way == 3:
            out[at : at + n] = b"" if rng.integers(2) else bytes(n)
        elif way == 4:
            out[at:at] = out[at : at + n]
        elif way == 5:
            width = int(rng.choice([1, 2, 4, 8]))
            out[at : at + width] = (int(rng.choice(ODD)) & (1 << 8 * width) - 1).to_bytes(width, "little")
        elif rng.integers(8) == 0:
            del out[at:]
    return bytes(out)


# ---- ONNX ----


def _networks() -> list[bytes]:
    from onnx_small import NETWORKS

    return [make().SerializeToString() for make in NETWORKS]


def mutated_onnx(rng: np.random.Generator, seeds: list[bytes]) -> bytes:
    import onnx

    data = seeds[int(rng.integers(len(seeds)))]
    if rng.integers(2):
        return damaged(data, rng)
    proto = onnx.ModelProto.FromString(data)
    for _ in range(int(rng.integers(1, 4))):
        _change_message(proto, rng)
    return bytes(proto.SerializeToString())


def _change_message(message: Any, rng: np.random.Generator, depth: int = 0) -> None:
    """Walks into a random field and changes, repeats or drops it."""
    fields = message.ListFields()
    if not fields:
        return
    field, value = fields[int(rng.integers(len(fields)))]
    repeated = hasattr(value, "__len__") and not isinstance(value, (str, bytes))
    inner = field.message_type is not None
    if repeated and len(value):
        i = int(rng.integers(len(value)))
        way = int(rng.integers(10 if inner else 4))
        if way == 0:
            del value[i]
        elif way == 1:
            value.append(copy.deepcopy(value[i])) if not inner else value.add().CopyFrom(value[i])
        elif inner:
            _change_message(value[i], rng, depth + 1)
        else:
            value[i] = _changed(value[i], rng, value)
    elif inner:
        _change_message(value, rng, depth + 1)
    elif rng.integers(8) == 0:
        message.ClearField(field.name)
    else:
        try:
            setattr(message, field.name, _changed(value, rng, [value]))
        except (ValueError, TypeError):
            message.ClearField(field.name)


def _changed(value: Any, rng: np.random.Generator, others: Any) -> Any:
    if isinstance(value, str):
        return str(rng.choice(["", "x", "y", "c1", "w1", value + "x", "../" * 9 + "etc/passwd", *map(str, others)]))
    if isinstance(value, bytes):
        return damaged(value, rng)
    if isinstance(value, float):
        return float(rng.choice([0.0, -1.0, 1e38, float("nan"), float("inf")]))
    small = rng.integers(2) and -(2**31) <= value < 2**31
    return int(value) + int(rng.integers(-3, 4)) if small else int(rng.choice([o for o in ODD if abs(o) < 2**31]))


# ---- Keras ----


def _saved(suffix: str) -> list[bytes]:
    """What Keras writes, in another process: this one shall be small."""
    script = str(Path(__file__).with_name("keras_small.py"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, script, suffix, folder], check=True, capture_output=True)
        return [path.read_bytes() for path in sorted(Path(folder).iterdir())]


def _archives() -> list[bytes]:
    return [(ROOT / "examples/digits/digits.keras").read_bytes(), *_saved(".keras")]


def mutated_keras(rng: np.random.Generator, seeds: list[bytes]) -> bytes:
    data = seeds[int(rng.integers(len(seeds)))]
    if rng.integers(3) == 0:
        return damaged(data, rng)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                content = _change_config(content, rng)
            elif name.endswith(".h5") and rng.integers(2):
                content = damaged(content, rng)
            if rng.integers(40) == 0:
                name = str(rng.choice(["../" + name, "/" + name, name + "x", ""])) or "x"
            target.writestr(name, content)
    return out.getvalue()


def _change_config(content: bytes, rng: np.random.Generator) -> bytes:
    if rng.integers(4) == 0:
        return damaged(content, rng)
    config = json.loads(content)
    for _ in range(int(rng.integers(1, 4))):
        _change_json(config, rng)
    return json.dumps(config).encode()


def _change_json(value: Any, rng: np.random.Generator) -> None:
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return
    key = keys[int(rng.integers(len(keys)))]
    inner = value[key]
    if isinstance(inner, (dict, list)) and inner and rng.integers(12):
        _change_json(inner, rng)
    elif rng.integers(6) == 0:
        del value[key]
    elif isinstance(inner, int) and rng.integers(2):
        value[key] = int(inner) + int(rng.integers(-3, 4))
    else:
        value[key] = copy.deepcopy(ODD_JSON[int(rng.integers(len(ODD_JSON)))])


def _legacy() -> list[bytes]:
    return _saved(".h5")


def mutated_h5(rng: np.random.Generator, seeds: list[bytes]) -> bytes:
    data = seeds[int(rng.integers(len(seeds)))]
    if rng.integers(2):
        return damaged(data, rng)
    import h5py

    file = io.BytesIO(data)
    with h5py.File(file, "r+") as h5:
        config = _change_config(h5.attrs["model_config"].encode(), rng)
        h5.attrs["model_config"] = config.decode("utf-8", "replace").replace("\0", "?")
    return file.getvalue()


KINDS: dict[str, tuple[Callable[[], list[bytes]], Callable[[np.random.Generator, list[bytes]], bytes]]] = {
    "onnx": (_networks, mutated_onnx),
    "keras": (_archives, mutated_keras),
    "h5": (_legacy, mutated_h5),
}


def mutation(kind: str, number: int) -> bytes:
    """The bytes of one mutation."""
    seeds, mutate = KINDS[kind]
    return mutate(np.random.default_rng([list(KINDS).index(kind), number]), _cached(kind, seeds))


_seeds: dict[str, list[bytes]] = {}


def _cached(kind: str, make: Callable[[], list[bytes]]) -> list[bytes]:
    if kind not in _seeds:
        _seeds[kind] = make()
    return _seeds[kind]


def _late(*_: Any) -> None:
    raise TimeoutError(f"a mutation took more than {SECONDS} s")


def main(kind: str, first: int, count: int) -> None:
    warnings.simplefilter("ignore")
    results: dict[str, int] = {}
    for data in _cached(kind, KINDS[kind][0]):  # the unchanged ones, so that everything is loaded
        with contextlib.suppress(samara.UnsupportedError):
            samara.convert(data, verify=False)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    signal.signal(signal.SIGPROF, _late)
    slowest = (0.0, -1)
    for number in range(first, first + count):
        data = mutation(kind, number)
        begin = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            samara.convert(data, verify=False)
            outcome = "converted"
        except (samara.SamaraError, ModuleNotFoundError) as error:
            outcome = type(error).__name__
            if isinstance(error, samara.InternalError) or not str(error).strip():
                raise
        except BaseException:
            print(f"{kind} mutation {number}:", file=sys.stderr)
            traceback.print_exc()
            print(f"again: python tests/mutate.py {kind} {number} 1", file=sys.stderr)
            if "--all" not in sys.argv:
                sys.exit(1)
            outcome = "FAILED"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, (time.process_time() - begin, number))
        results[outcome] = results.get(outcome, 0) + 1
        print(number, file=sys.stderr) if "--trace" in sys.argv else None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"kind": kind, "first": first, "count": count, "results": results, "peak_mib": peak,
                      "slowest_s": round(slowest[0], 2), "slowest": slowest[1]}))  # fmt: skip


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
