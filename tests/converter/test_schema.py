"""The codec: nothing of a model is lost, what it writes is what LiteRT reads, and hostile bytes get one clean error."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from litert_oracle import LITERT_DIES, litert
from samara.converter import schema

ROOT = Path(os.environ.get("SAMARA_MODELS", Path(__file__).resolve().parents[2].parent / "shared" / "models"))
MODELS = sorted(ROOT.rglob("*.tflite"))
if not MODELS:
    shared = pytest.mark.skip(reason=f"no shared models at {ROOT}; set SAMARA_MODELS")
    MODELS = [ROOT]
else:
    shared = pytest.mark.parametrize("path", MODELS, ids=lambda p: str(p.relative_to(ROOT)))


def small_model(**tensor):
    """y = x + c, four floats."""
    t, f = schema.Tensor, schema.TensorType.FLOAT32
    return schema.Model(
        version=3,
        operator_codes=[schema.OperatorCode(builtin_code="ADD")],
        subgraphs=[
            schema.SubGraph(
                tensors=[
                    t(shape=[1, 4], type=f, buffer=0, name="x", **tensor),
                    t(shape=[4], type=f, buffer=1, name="c"),
                    t(shape=[1, 4], type=f, buffer=0, name="y"),
                ],
                inputs=[0],
                outputs=[2],
                operators=[schema.Operator(inputs=[0, 1], outputs=[2], builtin_options=schema.AddOptions())],
                name="main",
            )
        ],
        description="small",
        buffers=[schema.Buffer(), schema.Buffer(data=np.arange(4, dtype=np.float32).tobytes())],
    )


def equal(a, b):
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str)
    return len(a) == len(b) and all(
        x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True)
    )


# ---- Whole models ----


@shared
def test_second_decode_equals_the_first(path):
    data = path.read_bytes()
    report = []
    model = schema.decode(data, report)
    assert report == []
    again = schema.encode(model)
    assert schema.decode(again) == model
    assert schema.encode(schema.decode(again)) == again
    assert len(again) <= len(data) + 64


@shared
def test_litert_runs_the_same(path):
    if path.name in LITERT_DIES:
        pytest.skip("LiteRT ends the process on this model")
    data = path.read_bytes()
    first = litert(data)
    assert equal(first, litert(schema.encode(schema.decode(data))))
    if path.parent.name in ("ops", "tflm"):  # every constant outside the flatbuffer
        assert equal(first, litert(schema.encode(schema.decode(data), inline_limit=0)))


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def compare(ours, theirs, where):
    """Every field of our table against the object another reader of the format made."""
    for name, field in ours._fields.items():
        mine, at = getattr(ours, name), f"{where}.{name}"
        if name in ("deprecated_builtin_code", "builtin_code", "deprecated_tag", "new_height", "new_width"):
            continue  # derived, or deprecated and not in the other reader
        other = getattr(theirs, camel(name))
        if field.kind in ("numbers", "tables") or mine is None:
            if mine is None or other is None:
                assert (mine is None and other is None) or len(mine if other is None else other) == 0, at
            elif field.kind == "numbers":
                assert np.array_equal(mine, np.asarray(other).astype(mine.dtype), equal_nan=mine.dtype.kind == "f"), at
            else:
                assert len(mine) == len(other), at
                for i, pair in enumerate(zip(mine, other, strict=True)):
                    compare(*pair, f"{at}[{i}]")
        elif field.kind in ("table", "union"):
            assert type(other).__name__ == type(mine).__name__ + "T", at
            compare(mine, other, at)
        elif field.kind == "string":
            assert mine.encode("utf-8", "surrogateescape") == other, at
        else:
            assert mine == other or struct.pack("<f", mine) == struct.pack("<f", other), at
    if type(ours).__name__ == "OperatorCode":
        assert ours.builtin_code == max(theirs.builtinCode, theirs.deprecatedBuiltinCode), where


@shared
def test_another_reader_sees_every_field(path):
    generated = pytest.importorskip("ai_edge_litert.schema_py_generated")
    data = path.read_bytes()
    model = schema.decode(data)
    for bytes_ in (data, schema.encode(model)):
        theirs = generated.ModelT.InitFromPackedBuf(bytes_, 0)
        for buffer in theirs.buffers:
            if buffer.offset > 1:
                buffer.data = np.frombuffer(bytes_, np.uint8)[buffer.offset : buffer.offset + buffer.size]
                buffer.offset = buffer.size = 0
        compare(model, theirs, "model")


def test_netron_shows_the_same(models, tmp_path):
    """Netron's reader, run by Node.js without its window: every file as it came and as we write it."""
    netron, node = importlib.util.find_spec("netron"), shutil.which("node")
    if netron is None or node is None:
        pytest.skip("needs netron (pip) and Node.js")
    lines = []
    for written in (False, True):
        files = []
        for i, path in enumerate(MODELS):
            data = path.read_bytes()
            files.append(tmp_path / f"{i}.tflite")
            files[-1].write_bytes(schema.encode(schema.decode(data)) if written else data)
        script = Path(__file__).resolve().parents[1] / "netron_dump.mjs"
        run = subprocess.run([node, script, Path(netron.origin).parent, *files], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        lines.append(run.stdout.splitlines())
    for path, first, second in zip(MODELS, *lines, strict=True):
        assert first == second, path
        assert first.count('"nodes"') >= 1


# ---- Rules of the format ----


def test_identifier_alignment_and_repr():
    model = small_model()
    data = schema.encode(model)
    assert data[4:8] == b"TFL3"
    at = data.index(np.arange(4, dtype=np.float32).tobytes())
    assert at % 16 == 0
    assert schema.decode(data) == model
    assert pickle.loads(pickle.dumps(model)) == model
    assert repr(model.subgraphs[0].tensors[1]) == "Tensor(shape=[4], buffer=1, name='c')"
    assert model.op_name(model.subgraphs[0].operators[0]) == "ADD"
    assert model.array(model.subgraphs[0].tensors[1]).tolist() == [0, 1, 2, 3]


def test_litert_runs_what_was_built():
    assert np.array(litert(schema.encode(small_model()))[0]).shape == (1, 4)


@pytest.mark.parametrize(
    "name", ["MUL", "CONV_2D", "BROADCAST_TO", "STABLEHLO_CASE", "PLACEHOLDER_FOR_GREATER_OP_CODES"]
)
def test_operator_codes_are_written_in_both_fields(name):
    generated = pytest.importorskip("ai_edge_litert.schema_py_generated")
    code = schema.BuiltinOperator[name]
    data = schema.encode(schema.Model(operator_codes=[schema.OperatorCode(builtin_code=name)]))
    read = generated.ModelT.InitFromPackedBuf(data, 0).operatorCodes[0]
    assert (read.deprecatedBuiltinCode, read.builtinCode) == (min(code, 127), code)
    assert schema.decode(data).operator_codes[0].builtin_code is code


@pytest.mark.parametrize(
    "byte, wide, effective", [(18, 0, 18), (0, 18, 18), (127, 156, 156), (0, 156, 156), (127, 18, 127)]
)
def test_operator_codes_of_older_writers(byte, wide, effective):
    # The writer derives the byte field; put the numbers there by hand to have what old files hold.
    data = bytearray(schema.encode(schema.Model(operator_codes=[schema.OperatorCode(builtin_code=156)])))
    at = data.index(struct.pack("<i", 156))
    struct.pack_into("<i", data, at, wide)
    data[at + 4] = byte
    assert schema.decode(bytes(data)).operator_codes[0].builtin_code == effective


def test_wrong_names_and_values_are_refused():
    with pytest.raises(AttributeError, match="no field 'stride'"):
        schema.Conv2DOptions(stride=2)
    with pytest.raises(ValueError, match="'same' is not in Padding"):
        schema.Conv2DOptions(padding="same")
    with pytest.raises(AttributeError, match="no 'Modell'"):
        _ = schema.Modell
    with pytest.raises(schema.ModelError, match=r"Conv2DOptions\.stride_w"):
        op = schema.Operator(builtin_options=schema.Conv2DOptions(stride_w=2**40))
        schema.encode(schema.Model(subgraphs=[schema.SubGraph(operators=[op])]))
    with pytest.raises(schema.ModelError, match="cannot hold Tensor"):
        op = schema.Operator(builtin_options=schema.Tensor())
        schema.encode(schema.Model(subgraphs=[schema.SubGraph(operators=[op])]))


def test_options_of_operators():
    names = {op.name: schema.options_name(op.name) for op in schema.BuiltinOperator}
    assert names["MEAN"] == "ReducerOptions" and names["TOPK_V2"] == "TopKV2Options" and names["RELU"] is None
    assert names["STABLEHLO_COMPOSITE"] == "StableHLOCompositeOptions"
    used = {name for name in names.values() if name}
    members = set(schema.UNIONS["BuiltinOptions"]) | set(schema.UNIONS["BuiltinOptions2"])
    assert members - used == set(), "options no operator takes"
    op = schema.Operator()
    schema.set_options(op, "STABLEHLO_PAD", {"edge_padding_low": [1, 2]})
    assert op.builtin_options_2.edge_padding_low.tolist() == [1, 2] and op.builtin_options is None
    with pytest.raises(ValueError, match="takes AddOptions"):
        schema.set_options(op, "ADD", schema.MulOptions())


@shared
def test_options_of_operators_in_real_files(path):
    model = schema.decode(path.read_bytes())
    for subgraph in model.subgraphs:
        for op in subgraph.operators or ():
            for field in ("builtin_options", "builtin_options_2"):
                found = getattr(op, field)
                if found is not None:
                    assert schema._options_member(model.op_name(op)) == (type(found).__name__, field)


def test_unknown_fields_unions_and_enums_are_reported():
    data = schema.encode(small_model())
    model = schema.decode(data)
    # Teach a copy of the classes a field of the future, write with it, and read with the real ones.
    tensor = schema.Tensor
    future = schema._Field("future", 15, "scalar", 0, struct.Struct("<i"))
    tensor._fields["future"] = future
    try:
        model.subgraphs[0].tensors[2].__dict__["future"] = 7
        tensor.future = 0
        data = schema.encode(model)
    finally:
        del tensor._fields["future"], tensor.future
    with pytest.warns(schema.UnknownFieldWarning, match=r"Tensor slot 15 .*subgraphs\[0\]\.tensors\[2\]"):
        assert schema.decode(data) == small_model()
    report = []
    schema.decode(data, report)
    assert report == [("Tensor", 15, "subgraphs[0].tensors[2]", "field")]

    model = small_model()
    model.subgraphs[0].tensors[0].type = 40
    report = []
    assert schema.decode(schema.encode(model), report).subgraphs[0].tensors[0].type == 40
    assert report == [("Tensor", 1, "subgraphs[0].tensors[0]", "enum value 40")]
    model = small_model()
    model.operator_codes[0].builtin_code = 500
    model = schema.decode(schema.encode(model), report)
    assert model.op_name(model.subgraphs[0].operators[0]) == "BUILTIN_500" and len(report) == 2


# ---- Data outside the flatbuffer ----


def test_buffers_outside():
    model = small_model()
    model.operator_codes.append(schema.OperatorCode(builtin_code="CUSTOM", custom_code="Mine"))
    custom = schema.Operator(opcode_index=1, inputs=[0], outputs=[2], custom_options=b"0123456789")
    model.subgraphs[0].operators.append(custom)
    model.buffers.append(schema.Buffer(data=b"x"))  # too short to lie outside
    data = schema.encode(model, inline_limit=0)
    assert schema.decode(data) == model
    at = data.index(np.arange(4, dtype=np.float32).tobytes())
    assert at % 16 == 0 and b"0123456789" in data[at - 32 :]
    del model.subgraphs[0].operators[1]
    outputs = litert(schema.encode(small_model(), inline_limit=0))
    assert equal(outputs, litert(schema.encode(small_model())))


@pytest.mark.parametrize("shift", [0, 1, 4])
def test_buffers_outside_unaligned(shift):
    data = bytearray(schema.encode(small_model(), inline_limit=0))
    constant = np.arange(4, dtype=np.float32).tobytes()
    at = data.index(constant)
    pair = data.index(struct.pack("<QQ", at, 16))
    data[at:] = bytes(shift) + constant
    struct.pack_into("<Q", data, pair, at + shift)
    assert schema.decode(bytes(data)) == small_model()
    struct.pack_into("<Q", data, pair, at + shift + 1)
    with pytest.raises(schema.ModelError, match=r"buffer 1: 16 bytes at .* pass the end"):
        schema.decode(bytes(data))


# ---- Associated files ----


@pytest.mark.parametrize("absolute", [True, False])
def test_an_archive_behind_the_model_moves_with_it(absolute):
    data = schema.encode(small_model())
    if absolute:
        file = io.BytesIO(data)
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("labels.txt", "cat\ndog\n")
            archive.writestr("more/vocabulary.txt", "x" * 100)
        data = file.getvalue()
    else:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("labels.txt", "cat\ndog\n")
        data += file.getvalue()
    model = schema.decode(data)
    model.description = "a longer description, so that everything behind it moves"
    again = schema.encode(model)
    assert len(again) != len(data)
    with zipfile.ZipFile(io.BytesIO(again)) as archive:
        assert archive.read("labels.txt") == b"cat\ndog\n" and archive.testzip() is None
    assert schema.decode(again) == model
    for cut in range(1, 110, 7):  # damaged archives are left behind, not fatal
        schema.decode(data[:-cut])


@shared
def test_archives_of_real_files(path):
    data = path.read_bytes()
    if not zipfile.is_zipfile(path):
        assert schema.decode(data).appended is None
        return
    again = schema.encode(schema.decode(data))
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(io.BytesIO(again)) as after:
        assert {n: before.read(n) for n in before.namelist()} == {n: after.read(n) for n in after.namelist()}


# ---- Elements ----


@pytest.mark.parametrize("name", ["INT4", "UINT4", "INT2", "INT8", "FLOAT32", "FLOAT16", "INT64", "BOOL", "COMPLEX64"])
def test_pack_and_unpack(name):
    rng = np.random.default_rng(1)
    low, high = {"INT4": (-8, 8), "UINT4": (0, 16), "INT2": (-2, 2), "BOOL": (0, 2)}.get(name, (-100, 100))
    values = rng.integers(low, high, (3, 5)).astype(schema.numpy_dtype(name))
    assert np.array_equal(schema.unpack(schema.pack(values, name), name, (3, 5)), values)
    with pytest.raises(schema.ModelError, match="too few"):
        schema.unpack(schema.pack(values, name), name, (3, 9))


def test_pack_orders_and_strings():
    assert schema.unpack(np.array([0x21, 0xF8], np.uint8), "INT4", [4]).tolist() == [1, 2, -8, -1]
    assert schema.unpack(np.array([0xE4], np.uint8), "INT2", [4]).tolist() == [0, 1, -2, -1]
    strings = np.array([b"ab", b"", b"\xff"], object)
    assert schema.unpack(schema.pack(strings, "STRING"), "STRING", [3]).tolist() == strings.tolist()


def test_flexbuffers():
    value = {"name": "x", "list": [1, 2.5, None, True, {"deep": [1, 2]}], "empty": {}}
    data = schema.encode_flexbuffer(value)
    assert schema.decode_flexbuffer(data) == value
    rng = random.Random(0)
    for _ in range(2000):
        mutated = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            mutated[rng.randrange(len(data))] = rng.randrange(256)
        with contextlib.suppress(schema.ModelError):
            schema.decode_flexbuffer(bytes(mutated[: rng.randint(0, len(data))] if rng.random() < 0.2 else mutated))


# ---- Hostile bytes ----


def test_garbage_is_refused():
    for data in (b"", b"TFL3", bytes(64), b"\x08\0\0\0TFL3", b"\xff\xff\xff\xffTFL3" + bytes(32), b"PK\3\4" * 9):
        with pytest.raises(schema.ModelError):
            schema.decode(data)


@pytest.mark.filterwarnings("ignore::samara.converter.schema.UnknownFieldWarning")
def test_mutated_models_give_an_error_or_a_model():
    seeds = [schema.encode(small_model())]
    for path in MODELS:
        if path.is_file() and path.stat().st_size < 3000:
            seeds.append(path.read_bytes())
    rng = random.Random(1)
    for round_ in range(1500):
        data = bytearray(seeds[round_ % len(seeds)])
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data))
            if rng.random() < 0.5:
                data[at] ^= 1 << rng.randrange(8)
            else:
                data[at : at + 4] = struct.pack("<i", rng.choice([0, 1, -1, 2**31 - 1, -(2**31), 0x7FFF, 65536]))
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        with contextlib.suppress(schema.ModelError):
            schema.decode(bytes(data))


def test_shared_tables_do_not_explode():
    """A vector of subgraphs that all are the same table, whose tensors all are the same table."""
    n = 3000
    out = bytearray(struct.pack("<I", 0) + b"TFL3")

    def vtable(slots):
        at = len(out)
        out.extend(struct.pack(f"<{len(slots) + 2}H", 4 + 2 * len(slots), 8, *slots))
        out.extend(bytes(-len(out) % 4))
        return at

    def table(vt):
        at = len(out)
        out.extend(struct.pack("<iI", at - vt, 4))  # one field: the offset to the vector right behind it
        return at

    model_vt, graph_vt, empty_vt = vtable([0, 0, 4]), vtable([4]), vtable([])
    struct.pack_into("<I", out, 0, table(model_vt))
    first = len(out) + 4
    graph = first + 4 * n
    out.extend(struct.pack("<I", n) + b"".join(struct.pack("<I", graph - first - 4 * i) for i in range(n)))
    assert table(graph_vt) == graph
    first = len(out) + 4
    tensor = first + 4 * n
    out.extend(struct.pack("<I", n) + b"".join(struct.pack("<I", tensor - first - 4 * i) for i in range(n)))
    out.extend(struct.pack("<i", tensor - empty_vt))
    with pytest.raises(schema.ModelError, match=r"no honest model|room"):
        schema.decode(bytes(out))


def test_import_reads_nothing(tmp_path):
    code = (
        "import sys, numpy; import samara.converter.schema as s; "
        "assert not s._made and 'flatbuffers' not in sys.modules; s.Tensor; assert s._made"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
