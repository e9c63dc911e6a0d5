"""The IR: every shared model goes through it and back, as bytes and as text, and broken graphs are told apart."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from samara.converter import schema
from samara.converter.export import from_bytes, to_bytes
from samara.converter.ir import Graph, GraphError, Model, Quantization
from samara.converter.text import TextError, dump, parse

ROOT = Path(os.environ.get("SAMARA_MODELS", Path(__file__).resolve().parents[2].parent / "shared" / "models"))
MODELS = sorted(ROOT.rglob("*.tflite"))
if not MODELS:
    shared = pytest.mark.skip(reason=f"no shared models at {ROOT}; set SAMARA_MODELS")
else:
    shared = pytest.mark.parametrize("path", MODELS, ids=lambda p: str(p.relative_to(ROOT)))


def build():
    g = Graph("main")
    x = g.input("image", "FLOAT32", [-1, 8, 8, 1])
    w = g.constant(np.arange(16 * 9, dtype=np.float32).reshape(16, 3, 3, 1), "w")
    b = g.constant(np.zeros(16, np.float32), "b")
    y = g.CONV_2D(x, w, b, padding="SAME", stride_w=1, stride_h=1, name="conv", type="FLOAT32", shape=[-1, 8, 8, 16])
    p, q = g.SPLIT(g.constant(np.int32(3), "axis"), y, num_splits=2, outputs=2, name="split")
    for t in (p, q):
        t.type, t.shape = y.type, (-1, 8, 8, 8)
    g.output(g.RELU(p, type="FLOAT32", shape=p.shape), "left")
    g.output(g.op("Mine", q, custom_options={"gain": 2}, type="FLOAT32", shape=q.shape), "right")
    model = Model([g], "built")
    model.add_signature()
    return model


# ---- There and back ----


def meaning(file):
    """A decoded file without its numbering: what two files of the same model have in common."""

    def code(i):
        c = file.operator_codes[i]
        return schema.op_name(c.builtin_code), c.custom_code, c.version

    def data(i):
        found = file.buffers[i].data
        return None if found is None or not found.size else found.tobytes()

    def fields(table, skip=()):
        out = {}
        for name in table._fields:
            value = getattr(table, name)
            if name in skip:
                continue
            if isinstance(value, np.ndarray):
                value = (value.dtype.str, value.tobytes()) if value.size else None
            elif isinstance(value, schema.Table):
                value = (type(value).__name__, fields(value))
            elif isinstance(value, list):
                value = [fields(v) for v in value] or None
            out[name] = value if value != "" else None
        return out

    def tensor(t):
        out = fields(t, ("buffer", "shape_signature"))
        out["data"] = data(t.buffer)
        signature = [] if t.shape_signature is None else t.shape_signature.tolist()
        shape = [] if t.shape is None else t.shape.tolist()
        out["signature"] = signature if -1 in signature and len(signature) == len(shape) else None
        return out

    def operator(op):
        return code(op.opcode_index), fields(op, ("opcode_index",))

    out = fields(file, ("operator_codes", "subgraphs", "buffers", "metadata", "metadata_buffer", "signature_defs"))
    out["subgraphs"] = [
        {
            **fields(s, ("tensors", "operators")),
            "tensors": [tensor(t) for t in s.tensors or ()],
            "operators": [operator(op) for op in s.operators or ()],
        }
        for s in file.subgraphs
    ]
    out["metadata"] = [(m.name, data(m.buffer)) for m in file.metadata or ()]
    out["metadata_buffer"] = [data(b) for b in (() if file.metadata_buffer is None else file.metadata_buffer)]
    out["signatures"] = [fields(s) for s in file.signature_defs or ()]
    return out


@shared
def test_bytes_lose_nothing(path):
    data = path.read_bytes()
    model = from_bytes(data)
    model.verify(complete=True)
    again = to_bytes(model)
    assert meaning(schema.decode(again)) == meaning(schema.decode(data))
    assert to_bytes(from_bytes(again)) == again
    assert len(again) <= len(data) + 64


@shared
def test_text_loses_nothing(path):
    model = from_bytes(path.read_bytes())
    text = dump(model, full=True)
    again = parse(text)
    again.verify(complete=True)
    assert dump(again, full=True) == text
    assert to_bytes(again) == to_bytes(model)
    short = dump(model)
    assert dump(parse(short)) == short


def test_builder_and_text():
    model = build()
    model.verify()
    assert [node.op for node in model.main] == ["CONV_2D", "SPLIT", "RELU", "Mine"]
    again = from_bytes(to_bytes(model))
    assert again.main.nodes[3].attributes() == {"gain": 2}
    assert again.main.inputs[0].shape == (-1, 8, 8, 1)
    assert dump(model) == (
        """\
model "built"
graph g0 "main"
  input image: FLOAT32[-1,8,8,1]
  const w: FLOAT32[16,3,3,1] = ...
  const b: FLOAT32[16] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
  const axis: INT32[] = [3]
  conv: FLOAT32[-1,8,8,16] = CONV_2D(image, w, b) stride_w=1 stride_h=1
  split: FLOAT32[-1,8,8,8], split:1: FLOAT32[-1,8,8,8] = SPLIT(axis, conv) num_splits=2
  left: FLOAT32[-1,8,8,8] = RELU(split)
"""
        '  right: FLOAT32[-1,8,8,8] = "Mine"(split:1) custom_options='
        + dump(model).split("custom_options=")[1].split("\n")[0]
        + """
  output left, right
signature "serving_default" g0
  input "image" = image
  output "left" = left
  output "right" = right
"""
    )
    assert to_bytes(parse(dump(model, full=True))) == to_bytes(model)


def test_subgraphs_are_references():
    then, otherwise, main = Graph("then"), Graph("else"), Graph("main")
    for g, op in ((then, "NEG"), (otherwise, "ABS")):
        x = g.input("x", "FLOAT32", [2])
        g.output(g.op(op, x, type="FLOAT32", shape=[2]), "y")
    c, x = main.input("c", "BOOL", []), main.input("x", "FLOAT32", [2])
    main.output(main.IF(c, x, then_subgraph_index=then, else_subgraph_index=otherwise, type="FLOAT32", shape=[2]), "y")
    model = Model([main, otherwise, then])
    model.verify(complete=True)
    again = from_bytes(to_bytes(model))
    assert again.main.nodes[0].graphs["then_subgraph_index"].name == "then"
    assert again.main.nodes[0].options.then_subgraph_index == 2
    assert "then_subgraph_index=g2 else_subgraph_index=g1" in dump(model)
    assert to_bytes(parse(dump(model))) == to_bytes(model)
    model.graphs.pop()
    with pytest.raises(GraphError, match="then_subgraph_index leads to <graph 'then'"):
        model.verify()


# ---- Changing graphs ----


def test_users_follow_changes():
    model = build()
    g = model.main
    conv, split, relu, mine = g.nodes
    assert list(conv.output.users) == [split] and relu.output.outputs == 1
    g.replace_uses(split.outputs[0], conv.output)
    assert relu.inputs == (conv.output,) and conv.output.users == {split: 1, relu: 1}
    g.remove(mine)
    assert len(g) == 3 and mine.outputs[0].producer is None
    with pytest.raises(GraphError, match=r"output 1 .*'right'.* is made by nothing"):
        model.verify()


def test_sort_and_cycles():
    g = Graph()
    x = g.input("x", "FLOAT32", [1])
    a = g.NEG(x, name="a")
    b = g.ABS(a, name="b")
    g.output(b)
    first = g.nodes[0]
    g.remove(first)
    g.insert(first)
    with pytest.raises(GraphError, match=r"node 0 ABS 'b': operand 0 <tensor 'a' .*> is used before it is made"):
        Model([g]).verify()
    g.sort()
    Model([g]).verify()
    assert [n.op for n in g] == ["NEG", "ABS"]
    first.inputs = (b,)
    with pytest.raises(GraphError, match="cycle"):
        g.sort()


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda m: m.main.nodes[0].outputs[0].__setattr__("data", np.zeros(4, np.uint8)), "is a constant"),
        (lambda m: m.main.inputs[0].__setattr__("shape", (-2,)), r"shape \[-2\] is impossible"),
        (lambda m: m.main.nodes[0].__setattr__("options", schema.AddOptions()), "CONV_2D takes Conv2DOptions"),
        (lambda m: m.main.nodes[0].inputs[1].__setattr__("shape", (99, 3, 3, 1)), "are too few for FLOAT32"),
        (lambda m: m.main.inputs[0].__setattr__("quantization", Quantization([1, 2], axis=1)), "2 scales along axis 1"),
        (lambda m: m.main.nodes[1].outputs[1].__setattr__("shape", None), "'split:1': has no shape"),
        (lambda m: m.graphs.clear(), "no graphs"),
    ],
)
def test_verify_names_the_place(change, message):
    model = build()
    change(model)
    with pytest.raises(GraphError, match=message):
        model.verify(complete=True)


def test_wrong_building():
    g = Graph()
    x = g.input("x", "FLOAT32", [1])
    with pytest.raises(GraphError, match="RELU takes no options, got axis"):
        g.RELU(x, axis=1)
    with pytest.raises(AttributeError, match="no field 'pading'"):
        g.CONV_2D(x, x, pading="SAME")
    with pytest.raises(GraphError, match="RELUU is no operator"):
        g.RELUU(x, slope=1)


@pytest.mark.parametrize(
    "text, message",
    [
        ('graph g0 ""\n  y: FLOAT32[1] = NEG(x)\n', "line 2: x is not declared"),
        ('graph g0 ""\n  input x: FLOAT32[1\n', "line 2: the line ends"),
        ('graph g0 ""\n  input x: FLOAT32[1] colour=3\n', "line 2: a tensor has no 'colour'"),
        ("model 'x'\n", "line 1: cannot read"),
    ],
)
def test_text_errors_name_the_line(text, message):
    with pytest.raises(TextError, match=message):
        parse(text)


# ---- Hostile files ----


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda f: f.subgraphs[0].__setattr__("inputs", [99]), "subgraph 'main' inputs: index 99 is out of range"),
        (lambda f: f.subgraphs[0].operators[0].__setattr__("inputs", [-2]), "operator 0 CONV_2D: index -2"),
        (lambda f: f.subgraphs[0].operators[0].__setattr__("opcode_index", 9), "operator code: index 9"),
        (lambda f: f.subgraphs[0].operators[0].__setattr__("outputs", [1]), "is a constant or the output of another"),
        (lambda f: f.subgraphs[0].tensors[1].__setattr__("buffer", 77), "'w': buffer: index 77"),
        (lambda f: f.signature_defs[0].__setattr__("subgraph_index", 3), "subgraph 3, which does not exist"),
    ],
)
def test_bad_references(change, message):
    file = schema.decode(to_bytes(build()))
    change(file)
    with pytest.raises(schema.ModelError, match=message):
        from_bytes(schema.encode(file))
