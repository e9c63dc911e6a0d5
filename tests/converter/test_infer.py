"""Types, shapes and values come from the runtime."""

from __future__ import annotations

import numpy as np
import pytest
from samara.converter.export import to_bytes
from samara.converter.infer import InferenceError, evaluate, infer
from samara.converter.ir import Graph, Model

import samara


def test_open_dimensions_and_computed_shapes():
    g = Graph("m")
    x = g.input("x", "FLOAT32", [-1, 8, 4])
    y = g.MUL(x, g.constant(np.float32(2)))
    zero, one = g.constant(np.int32([0])), g.constant(np.int32([1]))
    batch = g.STRIDED_SLICE(g.SHAPE(y, out_type="INT32"), zero, one, one, shrink_axis_mask=1)
    flat = g.RESHAPE(y, g.PACK(batch, g.constant(np.int32(-1)), values_count=2, axis=0))
    turned = g.TRANSPOSE(flat, g.constant(np.int32([1, 0])))
    longest = g.ARG_MAX(turned, g.constant(np.int32(0)), output_type="INT64")
    big = g.GREATER(turned, g.constant(np.float32(0)))
    g.outputs = [longest, big, g.CAST(big, in_data_type="BOOL", out_data_type="INT8")]
    m = Model([g])
    infer(m)
    m.verify(complete=True)
    assert flat.shape == (-1, 32) and turned.shape == (32, -1) and batch.shape == ()
    assert [(t.type.name, t.shape) for t in g.outputs] == [("INT64", (-1,)), ("BOOL", (32, -1)), ("INT8", (32, -1))]


def test_shapes_that_depend_on_values():
    g = Graph("m")
    x = g.input("x", "BOOL", [3, 4])
    where = g.output(g.WHERE(x), "where")
    infer(Model([g]))
    assert where.type.name == "INT64" and len(where.shape) == 2 and where.shape[0] == -1
    assert where.concrete is None or min(where.concrete) >= 0  # open because of values: there is no size to remember
    samara.load(to_bytes(Model([g])))


def test_errors_name_the_node():
    g = Graph("m")
    x = g.input("x", "FLOAT32", [2, 3])
    good = g.ABS(x, name="good")
    bad = g.ADD(good, g.constant(np.zeros((5, 7), np.float32)), name="bad")
    g.output(bad)
    with pytest.raises(InferenceError, match="ADD") as info:
        infer(Model([g]))
    assert info.value.node is bad.producer
    g = Graph("m")
    g.output(g.op("Mine", g.input("x", "FLOAT32", [2])))
    with pytest.raises(InferenceError, match="type of its output must be given"):
        infer(Model([g]))


def test_unsupported_nodes_are_walked_around():
    g = Graph("m")
    x = g.input("x", "FLOAT32", [2, 3])
    mine = g.op("Mine", g.ABS(x), type="FLOAT32", shape=[4, 5])
    y = g.TRANSPOSE(mine, g.constant(np.int32([1, 0])))
    g.output(y)
    infer(Model([g]))
    assert y.shape == (5, 4)


def test_evaluate():
    g = Graph("m")
    a = g.ADD(g.constant(np.float32([1, 2])), g.constant(np.float32([3, 4])), type="FLOAT32", shape=[2])
    b = g.MUL(a, a, type="FLOAT32", shape=[2])
    found = evaluate([b])
    assert found[id(b)].view(np.float32).tolist() == [16, 36]
