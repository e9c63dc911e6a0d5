"""Every shared model gives LiteRT's answers, at every thread count and instruction-set level.

Integer outputs may differ by 1 from LiteRT's (its kernels round requantization in several ways and differ among
themselves by as much), floats by 1e-5 of the largest value. The comparison is with LiteRT's plain CPU kernels or with
its default (XNNPACK), whichever is nearer. The golden CSVs of seanet must be met exactly. SAMARA_BENCH names one more
folder of models.

A deep network with random weights magnifies the rounding of every operator: LiteRT's own two engines differ by 3e-5 in
resnet50 and by 10 steps in an int8 transformer. Where they do, direct sums must meet LiteRT's answer, or every operator
must, given LiteRT's own values to work on.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import in_child, levels, mismatch
from paths import shared_folder
from samara.interpreter import _native

import samara

_MORE = Path(os.environ["SAMARA_BENCH"]) if "SAMARA_BENCH" in os.environ else None
_FOLDERS = [folder for folder in (shared_folder("models"), shared_folder("bench"), _MORE) if folder is not None]
MODELS = [path for folder in _FOLDERS for path in sorted(folder.rglob("*.tflite"))]
if not MODELS:
    pytest.skip("the shared models are not here: set SAMARA_MODELS, or use ../shared/models", allow_module_level=True)

Arrays = dict[str, np.ndarray]


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def inputs_for(details: dict[str, dict[str, Any]], seed: int) -> Arrays:
    """Random data by input name. Larger integers are mostly indices: 0 and 1 are valid in every shared model. Where all
    inputs are such integers (a division) or it is a single number (a count), they are 1 and 2."""
    kinds = {np.dtype(d["dtype"]) for d in details.values()}
    rng = np.random.default_rng(seed)
    values = {}
    for name, d in sorted(details.items()):
        shape, dtype = tuple(int(n) for n in d["shape"]), np.dtype(d["dtype"])
        if dtype.kind == "f":
            values[name] = rng.uniform(-1, 1, shape).astype(dtype)
        elif dtype.itemsize == 1 or d["quantization"][0]:
            limits = np.iinfo(dtype) if dtype.kind in "iu" else None
            values[name] = (
                rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
                if limits
                else rng.integers(0, 2, shape).astype(dtype)
            )
        else:
            low = int(not shape or (len(details) > 1 and kinds == {np.dtype(np.int32)}))
            values[name] = rng.integers(low, low + 2, shape).astype(dtype)
    return values


def run(interpreter: Any, seeds: int = 2) -> dict[str, Arrays]:
    """The outputs of every signature and of the main graph, for some random inputs; keys name entry and seed.

    Uses only what LiteRT and Samara share, so that both are driven by the same code.
    """
    results: dict[str, Arrays] = {}
    interpreter.allocate_tensors()
    ins = {f"{i}": d for i, d in enumerate(interpreter.get_input_details())}
    for seed in range(seeds):
        interpreter.reset_all_variables()
        for step in range(2):
            for name, value in inputs_for(ins, 10 * seed + step).items():
                interpreter.set_tensor(ins[name]["index"], value)
            interpreter.invoke()
            outs = interpreter.get_output_details()
            results[f"main, seed {seed}, step {step}"] = {
                f"{i} {d['name']}": interpreter.get_tensor(d["index"]) for i, d in enumerate(outs)
            }
    for key in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(key)
        details = runner.get_input_details()
        for seed in range(seeds):
            interpreter.reset_all_variables()
            results[f"{key}, seed {seed}"] = runner(**inputs_for(details, seed))
    return results


def patched(path: Path) -> bytes:
    """The file's bytes; with the quantized dimension of person_detect's biases set right, which LiteRT insists on."""
    data = path.read_bytes()
    if path.stem != "person_detect":
        return data
    from samara.converter import schema

    model = schema.decode(data)
    for graph in model.subgraphs:
        for t in graph.tensors:
            q = t.quantization
            if q is not None and t.shape is not None and len(t.shape) == 1 and q.quantized_dimension:
                q.quantized_dimension = 0
    return schema.encode(model)


def run_litert(path: Path, default: bool) -> dict[str, Arrays]:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    resolver = litert.OpResolverType.AUTO if default else litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    data = patched(path)
    return in_child(
        lambda: run(litert.Interpreter(model_content=data, num_threads=1, experimental_op_resolver_type=resolver))
    )


def compare(ours: dict[str, Arrays], theirs: dict[str, Arrays], atol: float = 1, rtol: float = 1e-5) -> str | None:
    assert ours.keys() == theirs.keys()
    for entry, outputs in ours.items():
        assert outputs.keys() == theirs[entry].keys()
        for name, actual in outputs.items():
            wanted = theirs[entry][name]
            problem = mismatch(actual, wanted, atol if actual.dtype.kind in "iu" else 0, rtol)
            if problem:
                return f"{entry}, output {name}: {problem}"
    return None


def wrong_operators(path: Path) -> list[str]:
    """Runs every operator alone, here and in both engines of LiteRT, on the values that LiteRT's plain engine met."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    from samara.converter import schema

    plain = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    whole = litert.Interpreter(str(path), experimental_preserve_all_tensors=True, experimental_op_resolver_type=plain)
    whole.allocate_tensors()
    for i, value in inputs_for({str(d["index"]): d for d in whole.get_input_details()}, 0).items():
        whole.set_tensor(int(i), value)
    whole.invoke()
    model = schema.decode(path.read_bytes())
    graph, model.signature_defs = model.subgraphs[0], []
    buffers = [model.buffers[t.buffer].data for t in graph.tensors]
    wrong = []
    for index, op in enumerate(graph.operators):
        graph.operators, graph.outputs = [op], list(op.outputs)
        graph.inputs = [
            t for t in dict.fromkeys(op.inputs) if t >= 0 and not (buffers[t] is not None and len(buffers[t]))
        ]
        data = schema.encode(model)
        outputs: list[Arrays] = []
        for engine, resolver in (
            (samara, samara.OpResolverType.AUTO),
            (litert, plain),
            (litert, litert.OpResolverType.AUTO),
        ):
            one = engine.Interpreter(model_content=data, experimental_op_resolver_type=resolver)
            one.allocate_tensors()
            for t in graph.inputs:
                one.set_tensor(t, whole.get_tensor(t))
            one.invoke()
            outputs.append({"0": {str(t): one.get_tensor(t) for t in op.outputs}})
        problems = [compare(outputs[0], theirs) for theirs in outputs[1:]]
        if all(problems):
            code = model.operator_codes[op.opcode_index]
            wrong.append(f"operator {index} {code.builtin_code}: {problems[0]}; {problems[1]}")
    return wrong


def is_integer(path: Path) -> bool:
    """No tensor of the model holds floats, so its results are the same bytes on every machine."""
    model = _native.Model.open(path)
    floats = {"FLOAT32", "FLOAT16", "FLOAT64", "BFLOAT16", "COMPLEX64"}
    return not any(
        _native.TYPES[model.tensor(s, i).type] in floats
        for s in range(model.n_subgraphs)
        for i in range(model.subgraph(s).n_tensors)
    )


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_answers_of_litert(path: Path) -> None:
    ours = run(samara.Interpreter(path, num_threads=1))
    theirs = {}
    problems = []
    for engine in ("plain CPU", "default"):
        theirs[engine] = run_litert(path, default=engine == "default")
        problem = compare(ours, theirs[engine])
        if problem is None:
            return
        problems.append(f"{engine}: {problem}")
    if compare(theirs["default"], theirs["plain CPU"]) is not None:
        direct = run(samara.Interpreter(path, num_threads=1, no_winograd=True))
        if compare(direct, theirs["default"]) is None and compare(ours, direct, rtol=1e-4) is None:
            return
        wrong = wrong_operators(path)
        if not wrong:
            return
        problems += wrong
    pytest.fail("\n".join(problems), pytrace=False)


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_same_bytes_everywhere(path: Path) -> None:
    """Threads never change a result; nor does the instruction set, for integer models; nor fusion."""
    best = _native.isa()
    reference: dict[str, Arrays] | None = None
    integer = is_integer(path)
    try:
        for level in levels() if integer else [best]:
            _native.isa_force(level)
            variants = [(n, False) for n in ((1, 2, 4) if level == best else (2,))] + [(1, True)] * (level == best)
            for threads, plain in variants:
                got = run(samara.Interpreter(path, num_threads=threads, no_fusion=plain), seeds=1)
                reference = reference or got
                for entry, outputs in got.items():
                    for name, array in outputs.items():
                        same = array.tobytes() == reference[entry][name].tobytes()
                        where = f"{level}, {threads} threads{', no fusion' if plain else ''}: {entry}, output {name}"
                        assert same, f"{where}: {mismatch(array, reference[entry][name], 0, 0)}"
    finally:
        _native.isa_force(best)


@pytest.mark.parametrize("path", [p for p in MODELS if p.parent.name == "seanet"], ids=name_of)
def test_golden_outputs_exactly(path: Path) -> None:
    def read(role: str, dtype: Any) -> np.ndarray:
        (file,) = path.parent.glob(f"{path.stem}_{role}_*.csv")
        return np.array([int(v) for v in file.read_text().replace("\n", ",").split(",") if v.strip()], dtype)

    interpreter = samara.Interpreter(path)
    interpreter.allocate_tensors()
    for i, d in enumerate(interpreter.get_input_details()):
        interpreter.set_tensor(d["index"], read(f"input{i}", d["dtype"]).reshape(d["shape"]))
    interpreter.invoke()
    (d,) = interpreter.get_output_details()
    golden = read("golden", d["dtype"]).reshape(d["shape"])
    assert mismatch(interpreter.get_tensor(d["index"]), golden) is None


@pytest.mark.parametrize("stem", ["mobilenet_v2_1.0_224_quant", "tf2_mobilenet_v2_1.0_224_ptq"])
@pytest.mark.parametrize(
    ("picture", "word"),
    [("cat", "cat"), ("bird", "chickadee"), ("sunflower", "daisy"), ("grace_hopper", "uniform")],
)
def test_photographs_are_recognized(models: Path, stem: str, picture: str, word: str) -> None:
    pytest.importorskip("PIL")
    from samara.converter import data
    from samara.tools import metadata, run

    model = samara.load(models / "coral" / f"{stem}.tflite")
    (spec,) = model.inputs
    labels = metadata.labels((models / "coral/imagenet_labels.txt").read_text())
    pixels = data.from_file(os.fspath(models / f"coral/{picture}.bmp"), spec, spec.shape)
    (best,) = run.top_answers(model(pixels), model.outputs[0], labels, 1)
    assert word in best["label"]


def test_a_photographed_pose_is_seen(models: Path) -> None:
    """The joints lie where the reference table has them; how the picture was scaled is not told, so not exactly."""
    pytest.importorskip("PIL")
    from samara.converter import data

    model = samara.load(models / "coral/movenet_single_pose_lightning_ptq.tflite")
    (spec,) = model.inputs
    answer = np.asarray(model(data.from_file(os.fspath(models / "coral/squat.bmp"), spec, spec.shape))).reshape(17, 3)
    table = np.genfromtxt(
        models / "coral/movenet_single_pose_lightning_ptq_reference.csv", delimiter=",", names=True, dtype=float
    )
    np.testing.assert_allclose(answer[:, 1], table["keypoint_x"], atol=0.05)
    np.testing.assert_allclose(answer[:, 0], table["keypoint_y"], atol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in MODELS if p.stem != "person_detect"], ids=name_of)
def test_speed_beside_litert(path: Path) -> None:
    """At most three times LiteRT's time at one thread, by the best of runs that take turns."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    engines = [samara.Interpreter(path, num_threads=1), litert.Interpreter(os.fspath(path), num_threads=1)]
    for engine in engines:
        engine.allocate_tensors()
        details = {str(i): d for i, d in enumerate(engine.get_input_details())}
        for name, value in inputs_for(details, 0).items():
            engine.set_tensor(details[name]["index"], value)
        engine.invoke()
    best = [float("inf")] * 2
    begin = time.perf_counter()
    for turn in range(1000):
        for i, engine in enumerate(engines):
            start = time.perf_counter()
            engine.invoke()
            best[i] = min(best[i], time.perf_counter() - start)
        if turn >= 10 and time.perf_counter() - begin > 0.5:
            break
    assert best[0] <= 3 * best[1], f"{best[0] * 1e6:.1f} us, LiteRT {best[1] * 1e6:.1f} us"


FIRST_ANSWER = """
import sys, numpy
from {module} import Interpreter
interpreter = Interpreter(sys.argv[1])
interpreter.allocate_tensors()
(d,) = interpreter.get_input_details()
interpreter.set_tensor(d["index"], numpy.ones(d["shape"], d["dtype"]))
interpreter.invoke()
interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in MODELS if "mobilenet" in p.stem and p.parent.name == "coral"], ids=name_of)
def test_first_answer_beside_litert(path: Path) -> None:
    """A fresh process has its answer not later than LiteRT's: the least CPU time of runs that take turns."""
    pytest.importorskip("ai_edge_litert.interpreter")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": ""}
    best = dict.fromkeys(("samara", "ai_edge_litert.interpreter"), float("inf"))
    for _ in range(15):
        for module in best:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            code = FIRST_ANSWER.format(module=module)
            subprocess.run([sys.executable, "-c", code, os.fspath(path)], env=environment, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            best[module] = min(best[module], spent)
    ours, theirs = best.values()
    assert ours <= theirs * 1.02, f"{ours * 1e3:.0f} ms of CPU time, LiteRT {theirs * 1e3:.0f} ms"
