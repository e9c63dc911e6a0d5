"""One engine of `samara benchmark`, in a process of its own: reads orders on stdin, answers JSON lines on stdout.

The engine is driven through the interface its users use, with inputs set once: what is timed is the run itself.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

Run = Callable[[], Any]


def _data(dtype: Any, shape: Any, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[Any]]:
    kind = np.dtype(dtype)
    size = tuple(max(int(d), 1) for d in shape)
    if kind.kind == "f":
        return rng.uniform(-1, 1, size).astype(kind)
    if kind.kind in "iu" and kind.itemsize <= 2:
        limits = np.iinfo(kind)
        return rng.integers(limits.min, limits.max, size, kind, endpoint=True)
    return rng.integers(0, 2, size).astype(kind)


def _tflite(interpreter: Any, rng: np.random.Generator) -> Run:
    interpreter.allocate_tensors()
    for details in interpreter.get_input_details():
        interpreter.set_tensor(details["index"], _data(details["dtype"], details["shape"], rng))
    run: Run = interpreter.invoke
    return run


def _samara(order: dict[str, Any], rng: np.random.Generator) -> tuple[str, Run, Any]:
    import samara

    interpreter = samara.Interpreter(order["model"], num_threads=order["threads"], **order["options"])
    return samara.__version__, _tflite(interpreter, rng), interpreter


def _litert(order: dict[str, Any], rng: np.random.Generator) -> tuple[str, Run, Any]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(order["model"], num_threads=order["threads"])
    return "", _tflite(interpreter, rng), None


def _onnxruntime(order: dict[str, Any], rng: np.random.Generator) -> tuple[str, Run, Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = order["threads"]
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(order["model"], options, providers=["CPUExecutionProvider"])
    names = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
    values = {}
    for i in session.get_inputs():
        dtype = names.get(i.type) or np.dtype(i.type[len("tensor(") : -1])
        values[i.name] = _data(dtype, [d if isinstance(d, int) else 1 for d in i.shape], rng)
    return onnxruntime.__version__, lambda: session.run(None, values), None


def _openvino(order: dict[str, Any], rng: np.random.Generator) -> tuple[str, Run, Any]:
    import openvino

    core = openvino.Core()
    model = core.read_model(order["model"])
    settings = {"INFERENCE_NUM_THREADS": order["threads"], "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    for port in request.model_inputs:
        shape = [d.get_length() if d.is_static else 1 for d in port.partial_shape]
        request.set_tensor(port, openvino.Tensor(_data(port.element_type.to_dtype(), shape, rng)))
    return openvino.__version__.split("-")[0], request.infer, None


# ---- The operators of samara, and what the machine could do ----


def _kinds(interpreter: Any) -> Callable[[Any], str]:
    """How a step multiplies, a key of the peaks: by the type of its weights where it has some."""
    nodes = {d["index"]: d["operand_types"] for d in interpreter._get_ops_details()}

    def kind(step: Any) -> str:
        types = [np.dtype(t) for t in nodes[step.node][:2]] if step.subgraph == 0 and step.node in nodes else []
        if not types or any(t.kind not in "fiu" for t in types):
            return ""
        return str(types[-1]).replace("uint8", "int8")

    return kind


def _product(kind: str, rows: int = 240, width: int = 512) -> bytes:
    """A matrix product that fills the machine: FULLY_CONNECTED [rows, width] x [width, width]."""
    from samara.converter import export, ir

    graph = ir.Graph()
    weights = np.random.default_rng(0).uniform(-100, 100, (width, width)).astype(kind)
    scales = [ir.Quantization([s], [0]) if kind == "int8" else None for s in (1.0, 0.01, 4.0)]
    x = graph.input("x", kind.upper(), (rows, width), scales[0])
    w = graph.constant(weights, "w", quantization=scales[1])
    graph.output(graph.FULLY_CONNECTED(x, w, name="y", type=kind.upper(), shape=(rows, width), quantization=scales[2]))
    return export.to_bytes(ir.Model([graph]))


def _best(run: Run, seconds: float = 0.15) -> float:
    """The least time of one run."""
    best, end = 1e9, time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return best


def _peaks(threads: int) -> dict[str, Any]:
    """GMAC/s of our own matrix kernels on a shape that fills the machine, GB/s of a copy that stays in the caches."""
    import samara

    gmacs = {}
    for kind in ("float32", "int8"):
        interpreter = samara.Interpreter(model_content=_product(kind), num_threads=threads)
        run = _tflite(interpreter, np.random.default_rng(0))
        macs = interpreter.steps()[0].macs
        gmacs[kind] = macs / _best(run) / 1e9
    source = np.ones(1 << 17, np.uint8)
    target = np.empty_like(source)
    return {
        "threads": threads,
        "gmacs": gmacs,
        "gbytes": 2 * source.size / _best(lambda: np.copyto(target, source)) / 1e9,
    }


def _profile(interpreter: Any, threads: int) -> dict[str, Any]:
    kind = _kinds(interpreter)
    steps = [
        {"node": s.node, "op": s.op, "name": s.name, "calls": s.calls, "macs": s.macs, "bytes": s.bytes,
         "kind": kind(s), "us": s.ns / 1e3 / max(s.calls, 1)}
        for s in interpreter.steps()
    ]  # fmt: skip
    return {"profile": steps, "peaks": _peaks(threads)}


def _type(interpreter: Any) -> str:
    """The type most operators of a model take."""
    ops = interpreter._get_ops_details()
    count = Counter(str(np.dtype(dtype)) for op in ops for dtype in op["operand_types"][:1])
    return max(count, key=count.__getitem__, default="")


ENGINES = {"samara": _samara, "litert": _litert, "onnxruntime": _onnxruntime, "openvino": _openvino}


def _peak_rss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _settle(seconds: float = 1.0) -> None:
    """Waits until threads that spin in the hope of another run are asleep: they would keep a processor from the engine
    that is next."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        before = time.process_time()
        time.sleep(0.005)
        if time.process_time() - before < 0.001:
            return


def main() -> None:
    order = json.loads(sys.argv[1])
    if order["cpus"]:
        os.sched_setaffinity(0, order["cpus"])
    base = _peak_rss()
    clock = time.perf_counter
    try:
        __import__({"litert": "ai_edge_litert.interpreter"}.get(order["engine"], order["engine"]))
        rng = np.random.default_rng(order["seed"])
        begin = clock()
        version, run, interpreter = ENGINES[order["engine"]](order, rng)
        ready = clock()
        run()
        first = clock()
    except ImportError as error:
        _say({"error": f"is not installed here ({error})", "code": 2})
        return
    except Exception as error:
        code = 1
        if order["engine"] == "samara":
            from .common import exit_code

            code = exit_code(error)
        _say({"error": str(error), "code": code})
        return
    if not version:
        version = importlib.metadata.version("ai-edge-litert")
    started = {"version": version, "init": ready - begin, "first": first - ready, "base_rss": base}
    _say(started | ({"type": _type(interpreter)} if interpreter is not None else {}))
    for line in sys.stdin:
        word, _, number = line.strip().partition(" ")
        if word == "run":
            seconds = []
            for _ in range(int(number)):
                begin = clock()
                run()
                seconds.append(clock() - begin)
            if order["threads"] > 1:
                _settle()
            _say({"seconds": seconds})
        elif word == "end":
            answer: dict[str, Any] = {"peak_rss": _peak_rss()}
            if interpreter is not None and order.get("options", {}).get("profile"):
                answer |= _profile(interpreter, order["threads"])
            _say(answer)
            return


if __name__ == "__main__":
    main()
