"""Small ONNX networks made by hand, between them most kinds of operators; no torch needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_RNG = np.random.default_rng(0)
Node = tuple[Any, ...]


def _weights(**shapes: Any) -> list[Any]:
    made = []
    for name, shape in shapes.items():
        value = np.asarray(shape) if isinstance(shape, list) else _RNG.uniform(-0.5, 0.5, shape).astype(np.float32)
        made.append(numpy_helper.from_array(value.astype(np.int64) if value.dtype.kind == "i" else value, name))
    return made


def _model(inputs: dict[str, Any], outputs: dict[str, Any], nodes: list[Any], weights: list[Any]) -> Any:
    def info(name: str, shape: Any) -> Any:
        kind = TensorProto.INT64 if name.startswith("ids") else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        nodes, "net", [info(n, s) for n, s in inputs.items()], [info(n, s) for n, s in outputs.items()], weights
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def n(op: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    return helper.make_node(op, inputs.split(","), outputs.split(","), **attributes)


def convolutional() -> Any:
    """Convolution, batch normalization, pooling, resizing, concatenation, padding, a dense layer."""
    w = _weights(w1=(8, 3, 3, 3), g=(8,), m=(8,), w2=(8, 1, 3, 3), w3=(4, 8, 1, 1), w4=(12, 5), b4=(5,),
                 pads=[0, 0, 1, 1, 0, 0, 1, 1], wt=(4, 4, 2, 2))  # fmt: skip
    w += [numpy_helper.from_array(np.float32([1, 1, 2, 2]), "scales"),
          numpy_helper.from_array(np.full(8, 0.7, np.float32), "v")]  # fmt: skip
    nodes = [
        n("Conv", "x,w1", "c1", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        n("BatchNormalization", "c1,g,m,m,v", "b1", epsilon=1e-3),
        n("Clip", "b1", "r1"),
        n("Pad", "r1,pads", "p1", mode="constant"),
        n("Conv", "p1,w2", "c2", group=8, kernel_shape=[3, 3]),
        n("HardSwish", "c2", "h2"),
        n("Conv", "h2,w3", "c3"),
        n("MaxPool", "c3", "m3", kernel_shape=[2, 2], strides=[2, 2]),
        n("ConvTranspose", "m3,wt", "t3", strides=[2, 2], kernel_shape=[2, 2]),
        n("Resize", "m3,,scales", "u3", mode="nearest", coordinate_transformation_mode="asymmetric"),
        n("AveragePool", "c3", "a3", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]),
        n("Concat", "t3,u3,a3", "cat", axis=1),
        n("ReduceMean", "cat", "mean", axes=[2, 3], keepdims=0),
        n("Gemm", "mean,w4,b4", "g4", alpha=1.0, beta=1.0),
        n("Softmax", "g4", "y", axis=-1),
    ]
    return _model({"x": [1, 3, 8, 8]}, {"y": [1, 5]}, nodes, w)


def attention() -> Any:
    """Tokens, embedding, layer normalization, one head, GELU; open batch, and a shape computed by the graph."""
    w = _weights(table=(11, 8), q=(8, 8), k=(8, 8), v=(8, 8), o=(8, 8), gain=(8,), bias=(8,), f1=(8, 16), f2=(16, 8),
                 zero=[0], minus=[-1], two=[2], four=[4], axis0=[0])  # fmt: skip
    w += [numpy_helper.from_array(np.float32(v), name) for name, v in
          (("scale", 0.5), ("eps", 1e-5), ("half", 0.5), ("one", 1.0), ("root", 2**0.5))]  # fmt: skip
    nodes = [
        n("Gather", "table,ids", "e"),
        n("ReduceMean", "e", "mu", axes=[-1]),
        n("Sub", "e,mu", "d"),
        n("Mul", "d,d", "dd"),
        n("ReduceMean", "dd", "var", axes=[-1]),
        n("Add", "var,eps", "ve"),
        n("Sqrt", "ve", "sd"),
        n("Div", "d,sd", "nrm"),
        n("Mul", "nrm,gain", "ng"),
        n("Add", "ng,bias", "ln"),
        *(n("MatMul", f"ln,{i}", f"x{i}") for i in "qkv"),
        n("Shape", "xq", "s"),
        n("Gather", "s,zero", "batch"),
        n("Concat", "batch,minus,two,four", "split", axis=0),
        *(n("Reshape", f"x{i},split", f"r{i}") for i in "qkv"),
        n("Transpose", "rq", "tq", perm=[0, 2, 1, 3]),
        n("Transpose", "rk", "tk", perm=[0, 2, 3, 1]),
        n("Transpose", "rv", "tv", perm=[0, 2, 1, 3]),
        n("MatMul", "tq,tk", "qk"),
        n("Mul", "qk,scale", "sc"),
        n("Softmax", "sc", "p"),
        n("MatMul", "p,tv", "pv"),
        n("Transpose", "pv", "back", perm=[0, 2, 1, 3]),
        n("Shape", "ln", "sl"),
        n("Reshape", "back,sl", "joined"),
        n("MatMul", "joined,o", "out"),
        n("Add", "out,e", "res"),
        n("MatMul", "res,f1", "h"),
        n("Div", "h,root", "hr"),
        n("Erf", "hr", "er"),
        n("Add", "er,one", "e1"),
        n("Mul", "h,e1", "he"),
        n("Mul", "he,half", "ge"),
        n("MatMul", "ge,f2", "y"),
    ]
    return _model({"ids": ["batch", 6]}, {"y": ["batch", 6, 8]}, nodes, w)


def recurrent() -> Any:
    """LSTM both ways, GRU, slices, squeeze."""
    w = _weights(w=(2, 16, 3), r=(2, 16, 4), b=(2, 32), gw=(1, 12, 8), gr=(1, 12, 4), gb=(1, 24), axes=[1], start=[-1],
                 end=[2**31], first=[0], shape=[5, 1, 8])  # fmt: skip
    nodes = [
        n("LSTM", "x,w,r,b", "l", hidden_size=4, direction="bidirectional"),
        n("Transpose", "l", "lt", perm=[0, 2, 1, 3]),
        n("Reshape", "lt,shape", "flat"),
        n("GRU", "flat,gw,gr,gb", "g,gh", hidden_size=4, linear_before_reset=1),
        n("Squeeze", "g,axes", "sq"),
        n("Slice", "sq,start,end,first", "last"),
        n("Tanh", "last", "y"),
    ]
    return _model({"x": [5, 1, 3]}, {"y": [1, 1, 4]}, nodes, w)


def arithmetic() -> Any:
    """Elementwise operators, comparisons, selection, reductions, splits, a tile and a one-hot."""
    w = _weights(c=(3, 4), reps=[1, 2, 1], parts=[2, 2], axes=[0], k=[2], depth=[4])
    w += [numpy_helper.from_array(np.float32([0, 1]), "values"), numpy_helper.from_array(np.float32(0.1), "t")]
    nodes = [
        n("Add", "x,c", "a"),
        n("Exp", "a", "ex"),
        n("Log", "ex", "lo"),
        n("Abs", "lo", "ab"),
        n("Pow", "ab,t", "po"),
        n("Greater", "po,t", "gt"),
        n("Where", "gt,po,a", "wh"),
        n("Split", "wh,parts", "s1,s2", axis=2),
        n("Max", "s1,s2", "mx"),
        n("Concat", "mx,s1", "ca", axis=-1),
        n("Tile", "ca,reps", "ti"),
        n("ArgMax", "ti", "am", axis=2, keepdims=0),
        n("OneHot", "am,depth,values", "oh"),
        n("Mul", "oh,ti", "mu"),
        n("ReduceSum", "mu,k", "rs", keepdims=1),
        n("Sigmoid", "rs", "si"),
        n("LeakyRelu", "si", "lr", alpha=0.2),
        n("Unsqueeze", "lr,axes", "y"),
    ]
    return _model({"x": [2, 3, 4]}, {"y": [1, 2, 6, 1]}, nodes, w)


NETWORKS = [convolutional, attention, recurrent, arithmetic]


def checked(make: Any) -> Any:
    """The model, after onnx's own check."""
    proto = make()
    onnx.checker.check_model(proto)
    return proto
