"""Odd and broken files: each gets an answer or one sentence that says what is wrong, never a crash.

The base is y = x + c with x of shape [1, 4]. `ODD` changes one thing each; its second column is None where the model
must still give the right answer, else words of the error. The rules are listed in interpreter/runtime/model.c.
"""

import struct

import numpy as np
import pytest
from samara.converter import schema

import samara

X = np.array([[1.0, -2.0, 3.0, -4.0]], np.float32)
C = np.array([[10.0, 20.0, 30.0, 40.0]], np.float32)


def base(op="ADD", version=1):
    model = schema.Model(version=3, description="odd")
    model.operator_codes = [schema.OperatorCode(builtin_code=schema.BuiltinOperator[op], version=version)]
    model.buffers = [schema.Buffer(), schema.Buffer(data=np.frombuffer(C.tobytes(), np.uint8))]
    tensors = [
        schema.Tensor(shape=np.array([1, 4], np.int32), type="FLOAT32", buffer=b, name=n)
        for n, b in (("x", 0), ("c", 1), ("y", 0))
    ]
    node = schema.Operator(opcode_index=0, inputs=np.array([0, 1], np.int32), outputs=np.array([2], np.int32))
    schema.set_options(node, op, None)
    model.subgraphs = [
        schema.SubGraph(tensors=tensors, inputs=[0], outputs=[2], operators=[node], name="main")
    ]
    return model


def chain(order):
    """t = x + c, y = t + c, with the operators listed in this order."""
    model = base()
    graph = model.subgraphs[0]
    graph.tensors.append(schema.Tensor(shape=np.array([1, 4], np.int32), type="FLOAT32", name="t"))
    nodes = [schema.Operator(opcode_index=0, inputs=[0, 1], outputs=[3]),
             schema.Operator(opcode_index=0, inputs=[3, 1], outputs=[2])]  # fmt: skip
    graph.operators = [nodes[i] for i in order]
    return model


def quantized(scale, zero_point, axis=0, **more):
    def change(model):
        q = schema.QuantizationParameters(quantized_dimension=axis, **more)
        if scale is not None:
            q.scale = np.array(scale, np.float32)
        if zero_point is not None:
            q.zero_point = np.array(zero_point, np.int64)
        model.subgraphs[0].tensors[0].quantization = q

    return change


def put(path, value):
    """Sets an attribute: put("subgraphs[0].tensors[1].buffer", 9)."""

    def change(model):
        where, _, name = path.rpartition(".")
        target = eval("model." + where, {}, {"model": model}) if where else model
        setattr(target, name, value)

    return change


def signature(**fields):
    def change(model):
        inputs = [schema.TensorMap(name="a", tensor_index=0)]
        outputs = [schema.TensorMap(name="b", tensor_index=2)]
        model.signature_defs = [
            schema.SignatureDef(**{"signature_key": "s", "inputs": inputs, "outputs": outputs, **fields})
        ]

    return change


def metadata(name, buffer):
    return put("metadata", [schema.Metadata(name=name, buffer=buffer)])


def both(*changes):
    def change(model):
        for each in changes:
            each(model)

    return change


def graph(name, value):
    return put(f"subgraphs[0].{name}", value)


def tensor(i, name, value):
    return put(f"subgraphs[0].tensors[{i}].{name}", value)


def node(name, value):
    return put(f"subgraphs[0].operators[0].{name}", value)


def custom(name):
    return both(put("operator_codes", [schema.OperatorCode(builtin_code=32, custom_code=name)]),
                node("builtin_options", None))  # fmt: skip


def strings(data):
    def change(model):
        model.buffers.append(schema.Buffer(data=np.frombuffer(data, np.uint8)))
        model.subgraphs[0].tensors.append(
            schema.Tensor(shape=np.array([2], np.int32), type="STRING", buffer=2, name="words")
        )

    return change


def blockwise(scales=3, block=2, kind="FLOAT16"):
    def change(model):
        tensors = model.subgraphs[0].tensors
        model.buffers.append(schema.Buffer(data=np.ones(4, np.float16).view(np.uint8)))
        tensors.append(schema.Tensor(shape=np.array([1, 2], np.int32), type=kind, buffer=2, name="scales"))
        tensors[1].quantization = schema.QuantizationParameters(
            details=schema.BlockwiseQuantization(scales=scales, zero_points=-1, block_size=block)
        )

    return change


def composite(subgraph):
    def change(model):
        model.operator_codes[0].builtin_code = schema.BuiltinOperator.STABLEHLO_COMPOSITE
        operator = model.subgraphs[0].operators[0]
        operator.builtin_options = None
        schema.set_options(operator, "STABLEHLO_COMPOSITE", {"decomposition_subgraph_index": subgraph})

    return change


NOTHING = np.array([], np.int32)
ODD = [
    ("as it is", lambda model: None, None),
    # the model
    ("version 0", put("version", 0), "schema version 0"),
    ("version 2", put("version", 2), "schema version 2"),
    ("version 4", put("version", 4), "schema version 4"),
    ("no buffers", put("buffers", None), "no buffers"),
    ("empty buffers", put("buffers", []), "no buffers"),
    ("no subgraphs", put("subgraphs", None), "no subgraphs"),
    ("description null", put("description", None), None),
    ("subgraph name null", graph("name", None), None),
    ("buffer 0 with data", put("buffers[0].data", np.zeros(16, np.uint8)), None),
    # operator codes
    ("version 99", put("operator_codes[0].version", 99), "version 99"),
    ("version 0 of an operator", put("operator_codes[0].version", 0), "has version 0"),
    ("unregistered operator", put("operator_codes[0].builtin_code", 175), "STABLEHLO_ABS"),
    ("unknown builtin 500", put("operator_codes[0].builtin_code", 500), "500"),
    ("negative builtin (the byte field says ADD)", put("operator_codes[0].builtin_code", -4), None),
    ("unused unknown code", lambda m: m.operator_codes.append(schema.OperatorCode(builtin_code=175)), None),
    ("custom unknown", custom("MyOp"), "MyOp"),
    ("custom null name", custom(None), "no custom_code"),
    ("custom empty name", custom(""), "no custom_code"),
    ("custom Flex", custom("FlexAddV2"), "FlexAddV2"),
    # operators
    ("no operators (null)", both(graph("operators", None), graph("outputs", [0])), "answer is x"),
    ("no operators (empty)", both(graph("operators", []), graph("outputs", [0])), "answer is x"),
    ("output never computed", graph("operators", []), "nothing computes it"),
    ("options missing", node("builtin_options", None), None),
    ("options of MUL", lambda m: setattr(m.subgraphs[0].operators[0], "builtin_options", schema.MulOptions()),
     "MulOptions, must be AddOptions"),
    ("options of a composite", lambda m: setattr(m.subgraphs[0].operators[0], "builtin_options_2",
     schema.StableHLOCompositeOptions()), "StableHLOCompositeOptions, must be AddOptions"),
    ("enumeration out of range", lambda m: setattr(m.subgraphs[0].operators[0], "builtin_options",
     schema.AddOptions(fused_activation_function=9)), "fused_activation_function is 9"),
    ("custom_options on a builtin", node("custom_options", np.arange(5, dtype=np.uint8)), None),
    ("input out of range", node("inputs", [0, 9]), "input 1 is tensor 9, but the subgraph has 3 tensors"),
    ("input -2", node("inputs", [0, -2]), "input 1 is tensor -2"),
    ("input absent", node("inputs", [0, -1]), "input 1"),
    ("output out of range", node("outputs", [3]), "output 0 is tensor 3"),
    ("output absent", node("outputs", [-1]), "output 0 is tensor -1"),
    ("opcode_index out of range", node("opcode_index", 5), "opcode_index is 5"),
    ("output is a constant", node("outputs", [1]), "output 0 is the constant tensor 1"),
    ("output is the graph's input", node("outputs", [0]), "an input of the graph"),
    ("output is its own input", both(graph("inputs", []), node("inputs", [2, 1])), "its own output"),
    ("input without data", tensor(1, "buffer", 0), "has no data and which nothing computes"),
    ("too few inputs", node("inputs", [0]), "input"),
    ("too many inputs", node("inputs", [0, 1, 1, 1]), "input"),
    # graph
    ("graph input out of range", graph("inputs", [7]), "input 0 is tensor 7"),
    ("graph output out of range", graph("outputs", [-1]), "output 0 is tensor -1"),
    ("graph input is a constant", graph("inputs", [0, 1]), "constant data"),
    # tensors
    ("tensor name null", tensor(0, "name", None), None),
    ("equal names", tensor(0, "name", "y"), None),
    ("unknown type", tensor(0, "type", 40), "type 40 is unknown"),
    ("buffer out of range", tensor(1, "buffer", 9), 'tensor 1 "c": buffer index 9, but the model has 2 buffers'),
    ("constant too short", put("buffers[1].data", np.zeros(15, np.uint8)), "needs 16 bytes, but buffer 1 has 15"),
    ("constant too long", put("buffers[1].data", np.frombuffer(C.tobytes() + bytes(16), np.uint8)), None),
    ("variable with data", tensor(1, "is_variable", True), "variable cannot have constant data"),
    ("shape null", both(*(tensor(i, "shape", None) for i in range(3))), "answer is a scalar"),
    ("shape with -1", tensor(0, "shape", np.array([-1, 4], np.int32)), "dimension 0 of the shape is -1"),
    ("shape with 0", both(*(tensor(i, "shape", np.array([0, 4], np.int32)) for i in (0, 2)),
                          tensor(1, "shape", np.array([1, 4], np.int32))), "answer is empty"),
    ("shape too large", tensor(0, "shape", np.array([2**31 - 1] * 4, np.int32)), "more elements than"),
    ("empty shape with large sizes", tensor(0, "shape", np.array([0, 2**31 - 1, 4], np.int32)), "the shape has more"),
    ("shape of 2^64 bits", both(tensor(0, "shape", np.array([1 << 29, 1 << 29], np.int32)), tensor(0, "type", "INT64")),
     "more elements than"),
    ("9 dimensions", tensor(0, "shape", np.ones(9, np.int32)), "9 dimensions"),
    ("shape_signature of another rank", tensor(0, "shape_signature", np.array([-1, 1, 4], np.int32)), None),
    ("shape_signature", tensor(0, "shape_signature", np.array([-1, 4], np.int32)), None),
    ("shape_signature with -2", tensor(0, "shape_signature", np.array([-2, 4], np.int32)), "shape_signature is -2"),
    ("data in another file", both(put("external_buffer_groups", [schema.ExternalBufferGroup(name="big.bin")]),
     put("external_buffers", [schema.ExternalBuffer(id=1, group=0)]), tensor(1, "external_buffer", 1)), "big.bin"),
    ("unused group of another file", put("external_buffer_groups", [schema.ExternalBufferGroup(name="b")]), None),
    ("strings", strings(struct.pack("<5i", 2, 16, 17, 18, 0)[:16] + b"ab"), None),
    ("strings: too many", strings(struct.pack("<4i", 900, 16, 17, 18) + b"ab"), "cannot hold 900 strings"),
    ("strings: past the end", strings(struct.pack("<4i", 2, 16, 17, 99) + b"ab"), "string 2 starts at byte 99"),
    ("strings: backwards", strings(struct.pack("<4i", 2, 16, 17, 16) + b"ab"), "string 2 starts at byte 16"),
    ("strings: another count", strings(struct.pack("<3i", 1, 12, 13) + b"a"), "2 elements, but the constant holds 1"),
    # quantization
    ("min and max alone", quantized(None, None, min=np.zeros(1, np.float32), max=np.ones(1, np.float32)), None),
    ("scale without zero point", quantized([1.0], None), "1 scales but 0 zero points"),
    ("2 scales, 1 zero point", quantized([1.0, 1.0], [0]), "2 scales but 1 zero points"),
    ("4 scales", quantized([1.0] * 4, [0] * 4, axis=1), None),
    ("3 scales on a dimension of 4", quantized([1.0] * 3, [0] * 3, axis=1), "3 scales for dimension 1 of size 4"),
    ("quantized_dimension out of range", quantized([1.0] * 4, [0] * 4, axis=7), "quantized_dimension is 7"),
    ("quantized_dimension of one scale", quantized([1.0], [0], axis=7), None),
    ("zero point too large", quantized([1.0], [2**40]), "zero point 1099511627776"),
    ("block scales", blockwise(), None),
    ("block scales: no such tensor", blockwise(scales=9), "scales are tensor 9"),
    ("block scales: not a constant", blockwise(scales=0), "no constant"),
    ("block scales: wrong type", blockwise(kind="INT16"), "INT16"),
    ("blocks do not fit", blockwise(block=3), "blocks of 3"),
    ("blocks of 0", blockwise(block=0), "blocks of 0"),
    # signatures and metadata
    ("signature", signature(), None),
    ("signature without key", signature(signature_key=None), "signature_key"),
    ("signature of no subgraph", signature(subgraph_index=5), "subgraph 5, but the model has 1"),
    ("signature of no tensor", signature(inputs=[schema.TensorMap(name="a", tensor_index=99)]), "tensor 99"),
    ("signature of an inner tensor", signature(outputs=[schema.TensorMap(name="b", tensor_index=1)]), "no output of"),
    ("signature without a name", signature(inputs=[schema.TensorMap(tensor_index=0)]), "has no name"),
    ("metadata without buffer", metadata("m", 44), "buffer index 44, but the model has 2 buffers"),
    ("min_runtime_version 99", both(put("buffers[0].data", np.frombuffer(b"99.0.0", np.uint8)),
                                    metadata("min_runtime_version", 0)), None),
    # calls
    ("composite of no subgraph", composite(3), "decomposition_subgraph_index is subgraph 3, but the model has 1"),
    ("composite of itself", composite(0), "calls back"),
]  # fmt: skip


def run(data):
    interpreter = samara.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.resize(X, detail["shape"]).astype(detail["dtype"]))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def expect(data, words):
    if words is None:
        np.testing.assert_array_equal(run(data), X + C)
    elif words == "answer is x":
        np.testing.assert_array_equal(run(data), X)
    elif words == "answer is a scalar":
        assert run(data) == X[0, 0] + C[0, 0]
    elif words == "answer is empty":
        assert run(data).shape == (0, 4)
    else:
        with pytest.raises(samara.SamaraError) as caught:
            run(data)
        assert words in str(caught.value), str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("change", "words"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_odd(change, words):
    model = base()
    change(model)
    expect(schema.encode(model), words)


def test_operators_in_order():
    np.testing.assert_array_equal(run(schema.encode(chain([0, 1]))), X + 2 * C)


def test_operators_out_of_order():
    expect(schema.encode(chain([1, 0])), "computed only later, by node 1")


def test_written_twice():
    expect(schema.encode(chain([0, 0, 1])), "which node 0 writes already")


# ---- Below the codec: the bytes themselves ----


def field(data, table, slot):
    """Where a field of a table lies, or None."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * slot >= struct.unpack_from("<H", data, vtable)[0]:
        return None
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * slot)[0]
    return table + offset if offset else None


def follow(data, at):
    return at + struct.unpack_from("<I", data, at)[0]


def opcode_table(data):
    codes = follow(data, field(data, follow(data, 0), 1))
    return follow(data, codes + 4)


@pytest.mark.parametrize(
    ("op", "deprecated", "builtin", "words"),
    [
        ("MUL", 18, 0, None),
        ("MUL", 0, 18, None),
        ("MUL", 127, 18, "PLACEHOLDER_FOR_GREATER_OP_CODES"),
        ("ATAN2", 127, 156, None),
        ("ATAN2", 0, 156, None),
    ],
)
def test_two_operator_codes(op, deprecated, builtin, words):
    """The effective code is the larger one: old writers have only the byte, new ones both."""
    model = base(op)
    data = bytearray(schema.encode(model))
    table = opcode_table(data)
    struct.pack_into("<b", data, field(data, table, 0), deprecated)
    struct.pack_into("<i", data, field(data, table, 3), builtin)
    if words:
        expect(bytes(data), words)
    else:
        try:
            got = run(bytes(data))
        except samara.UnsupportedError as error:
            assert op in str(error)
        else:
            np.testing.assert_allclose(got, X * C if op == "MUL" else np.arctan2(X, C), rtol=1e-6)


def test_identifier():
    data = bytearray(schema.encode(base()))
    data[4:8] = b"XXXX"
    expect(bytes(data), 'not "TFL3"')
    data[4:8] = bytes(4)
    expect(bytes(data), 'not "TFL3"')


def test_trailing_bytes():
    expect(schema.encode(base()) + b"more" * 10, None)


def test_truncated():
    data = schema.encode(base())
    for size in range(1, len(data) - 4, 3):
        with pytest.raises(samara.SamaraError):
            run(data[:size])


def test_buffers_behind_the_flatbuffer():
    data = bytearray(schema.encode(base(), inline_limit=0))
    expect(bytes(data), None)
    with pytest.raises(samara.ModelError, match="the file has"):
        run(bytes(data[:-8]))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("net.onnx", b"\x08\x07\x12\x07pytorch\x1a\x051.0", "ONNX"),
        ("net.keras", b"PK\x03\x04" + bytes(26) + b"config.json", "Keras"),
        ("net.zip", b"PK\x03\x04" + bytes(60), "zip"),
        ("net.pt", b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "PyTorch"),
        ("net.h5", b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        ("empty.tflite", b"", "empty"),
        ("text.tflite", b"hello\n" * 10, "text"),
        ("lfs.tflite", b"version https://git-lfs.github.com/spec/v1\noid", "git lfs"),
        ("page.tflite", b"<!DOCTYPE html><html>", "web page"),
    ],
)
def test_other_formats(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(samara.SamaraError, match=words):
        samara.Interpreter(model_path=str(path))


def test_no_file(tmp_path):
    with pytest.raises(samara.SamaraError, match=r"nowhere\.tflite"):
        samara.Interpreter(model_path=str(tmp_path / "nowhere.tflite"))
    with pytest.raises(samara.SamaraError, match="directory"):
        samara.Interpreter(model_path=str(tmp_path))


def sparse(**changes):
    """y = x + dense(sparse c): row 0 of a [2, 4] matrix is [0, 0, 7, 0], row 1 is [5, 0, 0, 6]."""
    model = base()
    graph = model.subgraphs[0]
    for each in graph.tensors:
        each.shape = np.array([2, 4], np.int32)
    levels = [
        schema.DimensionMetadata(format="DENSE", dense_size=2),
        schema.DimensionMetadata(
            format="SPARSE_CSR",
            array_segments=schema.Uint8Vector(values=np.array(changes.pop("segments", [0, 1, 3]), np.uint8)),
            array_indices=schema.Int32Vector(values=np.array(changes.pop("indices", [2, 0, 3]), np.int32)),
        ),
    ]
    fields = {"traversal_order": np.array([0, 1], np.int32), "block_map": NOTHING, "dim_metadata": levels, **changes}
    graph.tensors[1].sparsity = schema.SparsityParameters(**fields)
    model.buffers[1].data = np.array([7, 5, 6], np.float32).view(np.uint8)
    return schema.encode(model)


def test_sparse_constant():
    dense = np.array([[0, 0, 7, 0], [5, 0, 0, 6]], np.float32)
    np.testing.assert_array_equal(run(sparse()), np.resize(X, (2, 4)) + dense)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"segments": [0, 1, 9]}, "segment 2 of level 1"),
        ({"segments": [0, 3]}, "has 2 segments, must have 3"),
        ({"segments": [0, 2, 1]}, "segment 2 of level 1"),
        ({"segments": [0, 1, 2]}, "name 2 of 3 indices"),
        ({"indices": [2, 0, 4]}, "index 2 of level 1 of sparsity is 4"),
        ({"indices": [2, 0, -1]}, "is -1"),
        ({"traversal_order": np.array([0, 0], np.int32)}, "not a permutation"),
        ({"traversal_order": np.array([0, 7], np.int32)}, "not a permutation"),
        ({"traversal_order": np.array([0], np.int32)}, "sparsity has 1 levels"),
        ({"block_map": np.array([0], np.int32)}, "sparsity has 2 levels"),
        ({"dim_metadata": None}, "0 descriptions"),
    ],
)
def test_sparsity_refused(changes, words):
    expect(sparse(**changes), words)
