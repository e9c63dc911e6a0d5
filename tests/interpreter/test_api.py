"""samara.Interpreter beside ai_edge_litert's: the same program, the same answers, the same kinds of errors."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import Case, build, tensor
from paths import emulated, shared_folder
from samara.converter import schema

import samara

_MODELS = shared_folder("models")
needs_models = pytest.mark.skipif(_MODELS is None, reason="the shared models are not here: set SAMARA_MODELS")
ALL = sorted(_MODELS.rglob("*.tflite")) if _MODELS else []


def small_model(batch: int = 1, variable: bool = False) -> bytes:
    """y = x + [1, 2, 3], any batch size; with `variable`, also a state tensor that counts nothing."""
    tensors = [
        schema.Tensor(name="x", type="FLOAT32", shape=[batch, 3], shape_signature=[-1, 3]),
        schema.Tensor(name="c", type="FLOAT32", shape=[3], buffer=1),
        schema.Tensor(name="t", type="FLOAT32", shape=[batch, 3], shape_signature=[-1, 3]),
        schema.Tensor(name="u", type="FLOAT32", shape=[batch, 3], shape_signature=[-1, 3]),
        schema.Tensor(name="y", type="FLOAT32", shape=[batch, 3], shape_signature=[-1, 3]),
    ]
    add = [schema.Operator(opcode_index=0, inputs=[a, 1], outputs=[b]) for a, b in ((0, 2), (2, 3), (3, 4))]
    for operator in add:
        schema.set_options(operator, "ADD", {})
    x, y = schema.TensorMap(name="a", tensor_index=0), schema.TensorMap(name="b", tensor_index=4)
    return bytes(
        schema.encode(
            schema.Model(
                version=3,
                operator_codes=[schema.OperatorCode(builtin_code="ADD")],
                buffers=[schema.Buffer(), schema.Buffer(data=np.float32([1, 2, 3]).tobytes())],
                subgraphs=[schema.SubGraph(tensors=tensors, inputs=[0], outputs=[4], operators=add, name="main")],
                signature_defs=[schema.SignatureDef(inputs=[x], outputs=[y], signature_key="go", subgraph_index=0)],
            )
        )
    )


def litert() -> Any:
    return pytest.importorskip("ai_edge_litert.interpreter")


def both(content: bytes, **arguments: Any) -> list[Any]:
    return [samara.Interpreter(model_content=content, **arguments), litert().Interpreter(model_content=content)]


def same(a: Any, b: Any) -> bool:
    """Equal in value and in type, inside dictionaries and lists too."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


# ---- The dictionaries ----


@needs_models
@pytest.mark.parametrize("path", ALL, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_details_equal(path: Path) -> None:
    if path.stem == "person_detect":
        pytest.skip("LiteRT refuses this file")
    ours, theirs = samara.Interpreter(path), litert().Interpreter(path)
    assert same(ours.get_input_details(), theirs.get_input_details())
    assert same(ours.get_output_details(), theirs.get_output_details())
    assert ours.num_subgraphs() == theirs.num_subgraphs()
    for graph in range(ours.num_subgraphs()):
        mine = ours.get_tensor_details(graph)
        assert same(mine, theirs.get_tensor_details(graph)[: len(mine)])
    assert same(ours.get_signature_list(), theirs.get_signature_list())
    assert same(ours._get_full_signature_list(), theirs._get_full_signature_list())
    assert same(ours._get_ops_details(), theirs._get_ops_details())
    for key in ours.get_signature_list():
        mine, other = ours.get_signature_runner(key), theirs.get_signature_runner(key)
        assert same(mine.get_input_details(), other.get_input_details())
        assert same(mine.get_output_details(), other.get_output_details())


@needs_models
def test_constants_read_alike(models: Path) -> None:
    for name in ("ops/single_pad", "ops/blockwise_i4rangedvalues_fc", "tflm/hello_world_int8"):
        path = models / f"{name}.tflite"
        ours, theirs = samara.Interpreter(path), litert().Interpreter(path)
        ours.allocate_tensors()
        theirs.allocate_tensors()
        codec = schema.decode(path.read_bytes())
        for i, t in enumerate(codec.subgraphs[0].tensors):
            if codec.data(t) is not None:
                assert same(ours.get_tensor(i), theirs.get_tensor(i))


# ---- The calls ----


def test_run_and_resize() -> None:
    for interpreter in both(small_model()):
        for batch in (1, 2, 7, 1):
            interpreter.resize_tensor_input(0, [batch, 3])
            interpreter.allocate_tensors()
            assert interpreter.get_input_details()[0]["shape"].tolist() == [batch, 3]
            assert interpreter.get_output_details()[0]["shape"].tolist() == [batch, 3]
            x = np.arange(3 * batch, dtype=np.float32).reshape(batch, 3)
            interpreter.set_tensor(0, x)
            interpreter.invoke()
            assert np.array_equal(interpreter.get_tensor(4), x + 3 * np.float32([1, 2, 3]))


def test_strict_resize() -> None:
    for interpreter in both(small_model()):
        interpreter.resize_tensor_input(0, [5, 3], strict=True)
        interpreter.allocate_tensors()
        with pytest.raises((ValueError, RuntimeError)):
            interpreter.resize_tensor_input(0, [5, 4], strict=True)


def test_impossible_resize_names_the_operator() -> None:
    interpreter = samara.Interpreter(model_content=small_model())
    interpreter.resize_tensor_input(0, [5, 4])
    with pytest.raises(samara.SamaraError, match="ADD") as caught:
        interpreter.allocate_tensors()
    assert caught.value.node == 0
    interpreter.resize_tensor_input(0, [2, 3])
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.zeros((2, 3), np.float32))
    interpreter.invoke()


def test_tensor_views() -> None:
    for interpreter in both(small_model()):
        interpreter.allocate_tensors()
        x, y = interpreter.tensor(0), interpreter.tensor(4)
        x()[...] = 1
        interpreter.invoke()
        assert y().tolist() == [[4, 7, 10]]
        view = y()
        assert view.base is not None and view.flags.writeable
        assert not interpreter._safe_to_run()
        for call in (
            interpreter.invoke,
            interpreter.allocate_tensors,
            lambda i=interpreter: i.resize_tensor_input(0, [2, 3]),
        ):
            with pytest.raises(RuntimeError):
                call()
        part = view[0, 1:]
        del view
        with pytest.raises(RuntimeError):
            interpreter.invoke()
        assert part.tolist() == [7, 10]
        del part
        interpreter.invoke()


def test_view_outlives_interpreter() -> None:
    interpreter = samara.Interpreter(model_content=small_model())
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.ones((1, 3), np.float32))
    interpreter.invoke()
    view = interpreter.tensor(4)()
    del interpreter
    gc.collect()
    assert view.tolist() == [[4, 7, 10]]


def test_signature_runner() -> None:
    for interpreter in both(small_model()):
        runner = interpreter.get_signature_runner()
        for batch in (1, 4, 1):
            x = np.ones((batch, 3), np.float32)
            answer = runner(a=x)
            assert list(answer) == ["b"]
            assert answer["b"].tolist() == [[4, 7, 10]] * batch
        for wrong in ({}, {"z": x}, {"a": x, "z": x}, {"a": x.astype(np.float64)}):
            with pytest.raises(ValueError):
                runner(**wrong)
        with pytest.raises(ValueError):
            interpreter.get_signature_runner("nothing")


def test_preserve_all_tensors() -> None:
    x = np.zeros((1, 3), np.float32)
    for interpreter in both(small_model(), experimental_preserve_all_tensors=True)[:1]:
        interpreter.allocate_tensors()
        interpreter.set_tensor(0, x)
        interpreter.invoke()
        assert interpreter.get_tensor(2).tolist() == [[1, 2, 3]]
        assert interpreter.get_tensor(3).tolist() == [[2, 4, 6]]


def test_reading_a_reused_buffer_raises() -> None:
    interpreter = samara.Interpreter(model_content=small_model())
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.zeros((1, 3), np.float32))
    interpreter.invoke()
    assert interpreter.get_tensor(4).tolist() == [[3, 6, 9]]
    raised = 0
    for index, wanted in ((2, [[1, 2, 3]]), (3, [[2, 4, 6]])):
        try:
            assert interpreter.get_tensor(index).tolist() == wanted
        except samara.StateError:
            raised += 1
    assert raised >= 1


@needs_models
def test_reset_all_variables(models: Path) -> None:
    path = models / "tflm/mnist_lstm_f32.tflite"
    results = []
    for interpreter in (samara.Interpreter(path), litert().Interpreter(path)):
        interpreter.allocate_tensors()
        (d,), (o,) = interpreter.get_input_details(), interpreter.get_output_details()
        x = np.random.default_rng(0).uniform(0, 1, d["shape"]).astype(d["dtype"])
        answers = []
        for reset in (False, False, True):
            if reset:
                interpreter.reset_all_variables()
            interpreter.set_tensor(d["index"], x)
            interpreter.invoke()
            answers.append(interpreter.get_tensor(o["index"]))
        assert np.array_equal(answers[0], answers[2])
        results.append(answers)
    for a, b in zip(*results, strict=True):
        assert np.allclose(a, b, rtol=0, atol=1e-5)


# ---- The errors: LiteRT's kinds, one sentence each ----


def attempt(work: Any) -> type[BaseException] | None:
    try:
        work()
    except (ValueError, RuntimeError, TypeError) as error:
        if isinstance(error, samara.SamaraError):
            text = str(error)
            assert text and "\n" not in text and len(text) < 400, text
        return ValueError if isinstance(error, ValueError) else type(error)
    return None


X = np.zeros((1, 3), np.float32)
WRONG = {
    "read before allocate": lambda i: i.get_tensor(0),
    "write before allocate": lambda i: i.set_tensor(0, X),
    "view before allocate": lambda i: i.tensor(0)(),
    "bad index": lambda i: (i.allocate_tensors(), i.get_tensor(99)),
    "negative index": lambda i: (i.allocate_tensors(), i.get_tensor(-1)),
    "float index": lambda i: (i.allocate_tensors(), i.get_tensor(1.0)),
    "write to a bad index": lambda i: (i.allocate_tensors(), i.set_tensor(99, X)),
    "wrong dtype": lambda i: (i.allocate_tensors(), i.set_tensor(0, X.astype(np.float64))),
    "a list": lambda i: (i.allocate_tensors(), i.set_tensor(0, [[1, 2, 3]])),
    "wrong rank": lambda i: (i.allocate_tensors(), i.set_tensor(0, X[0])),
    "wrong shape": lambda i: (i.allocate_tensors(), i.set_tensor(0, X[:, :2])),
    "bad subgraph": lambda i: (i.allocate_tensors(), i.get_tensor(0, 3)),
    "details of a bad subgraph": lambda i: i.get_tensor_details(3),
    "details of a bad tensor": lambda i: i._get_tensor_details(99, 0),
    "scalar shape": lambda i: i.resize_tensor_input(0, 3),
    "no such signature": lambda i: i.get_signature_runner("nothing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_alike(name: str) -> None:
    ours, theirs = both(small_model())
    assert attempt(lambda: WRONG[name](ours)) is not None
    assert attempt(lambda: WRONG[name](ours)) == attempt(lambda: WRONG[name](theirs))


def test_invoke_before_allocate() -> None:
    for interpreter in both(small_model()):
        with pytest.raises(RuntimeError):
            interpreter.invoke()


def test_writing_to_a_constant_is_refused() -> None:
    interpreter = samara.Interpreter(model_content=small_model())
    interpreter.allocate_tensors()
    with pytest.raises(samara.ArgumentError):
        interpreter.set_tensor(1, np.zeros(3, np.float32))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"model_path": "/nonexistent/model.tflite"},
        {"model_path": "/"},
        {"model_content": b"123456789012345678901234"},
        {"model_content": small_model()[:200]},
        {"model_path": "a", "model_content": b"b"},
        {"model_content": small_model(), "num_threads": 0},
        {"model_content": small_model(), "num_threads": 1.5},
        {"model_content": small_model(), "num_threads": "1"},
        {"model_content": small_model(), "experimental_op_resolver_type": 7},
    ],
    ids=lambda a: ",".join(f"{k}={str(v)[:12]}" for k, v in a.items()) or "none",
)
def test_constructor_errors_alike(arguments: dict[str, Any]) -> None:
    assert attempt(lambda: samara.Interpreter(**arguments)) is ValueError
    assert attempt(lambda: litert().Interpreter(**arguments)) is ValueError


def test_foreign_files_are_named(tmp_path: Path) -> None:
    files = {
        "empty.tflite": (b"", "is empty"),
        "net.onnx": (b"\x08\x07\x12\x07pytorch", "an ONNX model"),
        "net.h5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
        "net.keras": (b"PK\x03\x04" + bytes(64), "Keras archive"),
        "cat.tflite": (b"\x89PNG\r\n\x1a\n" + bytes(64), "a picture"),
        "noise.tflite": (bytes(range(200)), "not a valid model"),
    }
    for name, (data, words) in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(samara.ModelError, match=words):
            samara.Interpreter(os.fspath(tmp_path / name))
    with pytest.raises(samara.FileError, match="is a directory"):
        samara.load(tmp_path)
    with pytest.raises(samara.FileError, match="does not exist") as caught:
        samara.load(tmp_path / "none.tflite")
    assert isinstance(caught.value, OSError)


def test_delegates_and_custom_ops() -> None:
    from samara.interpreter import InterpreterWithCustomOps, load_delegate

    with pytest.raises(ValueError, match="delegate"):
        load_delegate("libedgetpu.so.1")
    with pytest.raises(ValueError, match="delegates"):
        samara.Interpreter(model_content=small_model(), experimental_delegates=[object()])
    with pytest.raises(ValueError, match="registerers"):
        InterpreterWithCustomOps(custom_op_registerers=["Register"], model_content=small_model())
    InterpreterWithCustomOps(model_content=small_model()).allocate_tensors()


def test_limits() -> None:
    with pytest.raises(samara.LimitError):
        samara.Interpreter(model_content=small_model(), max_ops=2)
    interpreter = samara.Interpreter(model_content=small_model(), max_memory=1 << 20)
    with pytest.raises(MemoryError):
        interpreter.resize_tensor_input(0, [1 << 20, 3])
        interpreter.allocate_tensors()


# ---- samara.load ----


def test_load() -> None:
    model = samara.load(small_model())
    x = np.ones((1, 3), np.float32)
    wanted = [[4, 7, 10]]
    assert model(x).tolist() == wanted
    assert model({"a": x}).tolist() == model(a=x).tolist() == model({"x": x}).tolist() == wanted
    assert model([[1, 1, 1]]).tolist() == wanted
    assert model(x.astype(np.float64)).tolist() == wanted
    assert model(np.ones((5, 3), np.float32)).shape == (5, 3)
    assert model.signatures["go"](a=x).tolist() == wanted
    (spec,) = model.inputs
    assert (spec.name, spec.shape, spec.dtype) == ("a", (-1, 3), np.float32)
    for wrong in ((), (x, x), ({"z": x},), (x.astype(np.int32),), ("text",), (np.ones((1, 4), np.float32),)):
        with pytest.raises(samara.ArgumentError):
            model(*wrong)
    assert model(x).tolist() == wanted
    interpreter = model.interpreter()
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, x)
    interpreter.invoke()
    assert interpreter.get_tensor(4).tolist() == wanted


def test_many_threads_one_model() -> None:
    model = samara.load(small_model())
    wrong = []

    def work(seed: int) -> None:
        x = np.full((1 + seed % 3, 3), seed, np.float32)
        for _ in range(200):
            if not np.array_equal(model(x), x + 3 * np.float32([1, 2, 3])):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_one_interpreter_from_many_threads() -> None:
    interpreter = samara.Interpreter(model_content=small_model(), num_threads=2)
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.ones((1, 3), np.float32))
    threads = [threading.Thread(target=lambda: [interpreter.invoke() for _ in range(300)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert interpreter.get_tensor(4).tolist() == [[4, 7, 10]]


def test_inputs_and_shapes_from_many_threads() -> None:
    """Values are written and read while other threads run the model and move its memory by new shapes."""
    interpreter = samara.Interpreter(model_content=small_model())
    interpreter.allocate_tensors()
    end = time.perf_counter() + 1.0
    wrong: list[Any] = []

    def write() -> None:
        while time.perf_counter() < end:
            for rows in (1, 2, 3000):
                with contextlib.suppress(ValueError, RuntimeError):  # another shape at this moment
                    interpreter.set_tensor(0, np.full((rows, 3), 7, np.float32))

    def read() -> None:
        while time.perf_counter() < end:
            with contextlib.suppress(RuntimeError):
                got = interpreter.get_tensor(4)
                if got.shape[1] != 3 or not np.isfinite(got).all():
                    wrong.append(got)

    def resize() -> None:
        while time.perf_counter() < end:
            for rows in (1, 2, 3000):
                interpreter.resize_tensor_input(0, [rows, 3])
                interpreter.allocate_tensors()
                interpreter.invoke()

    threads = [threading.Thread(target=f) for f in (write, read, write, read, resize)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def big_model() -> Any:
    """A model whose invoke takes long enough to watch."""
    interpreter = samara.Interpreter(model_content=small_model())
    interpreter.resize_tensor_input(0, [3_000_000, 3])
    interpreter.allocate_tensors()
    return interpreter


def test_gil_is_released() -> None:
    interpreter = big_model()
    running = threading.Event()

    def work() -> None:
        running.set()
        for _ in range(10):
            interpreter.invoke()

    thread = threading.Thread(target=work)
    thread.start()
    running.wait()
    longest, last = 0.0, time.perf_counter()
    begin = last
    while thread.is_alive():
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    total = time.perf_counter() - begin
    assert longest < total / 2, f"this thread stood still for {longest:.3f} of {total:.3f} s"


def test_cancel() -> None:
    interpreter = samara.Interpreter(model_content=small_model())
    interpreter.allocate_tensors()
    interpreter.cancel()
    with pytest.raises(samara.SamaraError):
        interpreter.invoke()
    interpreter.invoke()


@pytest.mark.parametrize("threads", [1, 2])
def test_cancel_within_an_operator(threads: int) -> None:
    """A pool whose windows are as large as its image would take hours."""
    size = 4000
    pool = {"padding": "SAME", "stride_h": 1, "stride_w": 1, "filter_height": size, "filter_width": size}
    image = tensor("int8", (1, size, size, 1), 1.0)
    case = Case("huge windows", "MAX_POOL_2D", [image], [tensor("int8", scale=1.0)], pool)
    interpreter = samara.Interpreter(model_content=build(case)[0], num_threads=threads)
    interpreter.allocate_tensors()
    done = threading.Event()

    def cancel() -> None:
        while not done.wait(0.1):
            interpreter.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        with pytest.raises(samara.SamaraError, match="cancelled in node 0 MAX_POOL_2D"):
            interpreter.invoke()
    finally:
        done.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_works_after_fork() -> None:
    if emulated():
        pytest.skip("processes with threads do not fork under QEMU")
    interpreter = samara.Interpreter(model_content=small_model(), num_threads=2)
    interpreter.resize_tensor_input(0, [10_000, 3])
    interpreter.allocate_tensors()
    interpreter.invoke()
    child = os.fork()
    if child == 0:
        good = False
        try:
            interpreter.set_tensor(0, np.ones((10_000, 3), np.float32))
            interpreter.invoke()
            good = interpreter.get_tensor(4)[-1].tolist() == [4, 7, 10]
        finally:
            os._exit(0 if good else 1)
    deadline = time.monotonic() + 30
    while (found := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if found[0] == 0:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the forked child hangs")
    assert found[1] == 0
    interpreter.invoke()


# ---- Over time ----


def test_sessions_leave_nothing_behind() -> None:
    content = small_model()

    def cycle(n: int) -> int:
        for _ in range(n):
            interpreter = samara.Interpreter(model_content=content, num_threads=2)
            interpreter.allocate_tensors()
            interpreter.invoke()
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = cycle(200)
    assert cycle(1000) - before < 4096  # KiB


@pytest.mark.slow
def test_a_million_invokes() -> None:
    interpreter = samara.Interpreter(model_content=small_model())
    interpreter.allocate_tensors()
    x = np.ones((1, 3), np.float32)

    def cycle(n: int) -> int:
        for _ in range(n):
            interpreter.set_tensor(0, x)
            interpreter.invoke()
            interpreter.get_tensor(4)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = cycle(50_000)
    assert cycle(950_000) - before < 1024  # KiB


IMPORT = (
    "import time, sys, numpy; t = time.process_time(); import samara; t = time.process_time() - t;"
    "heavy = [m for m in ('onnx', 'h5py', 'keras', 'torch', 'click', 'PIL', 'flatbuffers') if m in sys.modules];"
    "print(t, *heavy)"
)


def imported() -> tuple[float, list[str]]:
    """Seconds of `import samara` after numpy, from cached bytecode, and which heavy packages came along."""
    path = os.pathsep.join(p for p in sys.path if p)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": ""}
    answer = subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True, check=True)
    seconds, *heavy = answer.stdout.split()
    return float(seconds), heavy


def test_import_is_light() -> None:
    if emulated():
        pytest.skip("starts other programs")
    assert imported()[1] == []


@pytest.mark.slow
def test_import_time() -> None:
    """At most 15 ms beyond numpy."""
    assert min(imported()[0] for _ in range(8)) < 0.015
