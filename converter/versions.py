"""Which version of an operator a node needs: the lowest that has what it uses, so that older runtimes can load it.

RULES is data: operator -> (version, what needs it), highest first. A name is a condition on the node, listed below.
Operators that are not here have one version, or one that depends on element types only (TYPES).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .ir import Node, Tensor


def version_of(node: Node) -> int:
    if node.custom:
        return 1
    found = _LOWEST.get(node.op, 1)
    for version, needs in RULES.get(node.op, ()):
        if _CONDITIONS[needs](node):
            found = max(found, version)
            break
    for kind, version in TYPES.get(node.op, {}).items():
        if any(_type(t) == kind for t in (*node.inputs[:3], *node.outputs[:1])):
            found = max(found, version)
    return found


def _type(t: Tensor | None) -> str:
    return "" if t is None or t.type is None else str(getattr(t.type, "name", t.type))


def _types(node: Node) -> tuple[str, str]:
    """Of what comes in and of the weights."""
    return _type(node.input(0)), _type(node.input(1))


def _option(name: str, default: Any) -> Callable[[Node], bool]:
    return lambda node: bool(node.option(name) != default)


def _per_channel(node: Node) -> bool:
    w = node.input(1)
    q = None if w is None else w.quantization
    return q is not None and q.scale is not None and q.scale.size > 1


def _dilated(node: Node) -> bool:
    return bool(node.option("dilation_w_factor") != 1 or node.option("dilation_h_factor") != 1)


def _rank_above(n: int) -> Callable[[Node], bool]:
    return lambda node: any(t is not None and (t.rank or 0) > n for t in node.inputs[:2])


def _bias_type(node: Node) -> bool:
    return getattr(node.option("quantized_bias_type"), "name", "FLOAT32") != "FLOAT32"


_CONDITIONS: dict[str, Callable[[Node], bool]] = {
    "int8": lambda n: _types(n)[0] == "INT8",
    "int16": lambda n: _types(n)[0] == "INT16",
    "4-bit weights": lambda n: _types(n)[1] in ("INT4", "INT2"),
    "2-bit weights": lambda n: _types(n)[1] == "INT2",
    "hybrid": lambda n: _types(n) in (("FLOAT32", "INT8"), ("FLOAT32", "UINT8")),
    "hybrid per channel": lambda n: _types(n) == ("FLOAT32", "INT8") and _per_channel(n),
    "hybrid asymmetric": lambda n: bool(n.option("asymmetric_quantize_inputs")),
    "bias type": _bias_type,
    "dilated": _dilated,
    "keeps dimensions": lambda n: bool(n.option("keep_num_dims")),
    "no bias": lambda n: n.input(2) is None,
    "bias": lambda n: n.input(3) is not None,
    "activation": _option("fused_activation_function", 0),
    "ellipsis or new axis": lambda n: bool(n.option("ellipsis_mask") or n.option("new_axis_mask")),
    "half pixel centers": lambda n: bool(n.option("half_pixel_centers")),
    "batch dims": lambda n: n.option("batch_dims") != 0,
    "above 4 dimensions": _rank_above(4),
    "above 5 dimensions": _rank_above(5),
    "pot scale": lambda n: _types(n)[0] == "INT16" and not n.option("pot_scale_int16"),
}

RULES: dict[str, tuple[tuple[int, str], ...]] = {
    "CONV_2D": (
        (8, "bias type"), (7, "4-bit weights"), (5, "hybrid per channel"), (4, "int16"), (3, "int8"),
        (2, "hybrid"),
    ),
    "DEPTHWISE_CONV_2D": (
        (7, "4-bit weights"), (6, "hybrid per channel"), (5, "int16"), (4, "hybrid"), (3, "int8"),
        (2, "dilated"),
    ),
    "FULLY_CONNECTED": (
        (14, "2-bit weights"), (13, "bias type"), (12, "hybrid per channel"), (10, "4-bit weights"),
        (9, "hybrid asymmetric"), (7, "int16"), (6, "no bias"), (5, "keeps dimensions"), (4, "int8"), (3, "hybrid"),
    ),
    "TRANSPOSE_CONV": ((5, "bias type"), (4, "activation"), (3, "bias"), (2, "int8")),
    "ADD": ((3, "pot scale"),),
    "SUB": ((5, "pot scale"), (4, "above 5 dimensions")),
    "STRIDED_SLICE": ((6, "ellipsis or new axis"), (4, "above 4 dimensions")),
    "RESIZE_BILINEAR": ((3, "half pixel centers"),),
    "RESIZE_NEAREST_NEIGHBOR": ((3, "half pixel centers"),),
    "GATHER": ((5, "batch dims"),),
    "BATCH_MATMUL": ((4, "hybrid asymmetric"),),
    "SLICE": ((5, "above 5 dimensions"),),
    "TRANSPOSE": ((6, "above 5 dimensions"), (4, "above 4 dimensions")),
}  # fmt: skip

_LOW = {"INT8": 2, "INT16": 3}
TYPES: dict[str, dict[str, int]] = {
    "ADD": {"INT8": 2, "INT64": 4},
    "SUB": {"INT8": 2, "INT64": 3},
    "MUL": {"INT8": 2, "INT16": 4, "INT64": 6, "UINT32": 7, "COMPLEX64": 5},
    "AVERAGE_POOL_2D": _LOW, "MAX_POOL_2D": _LOW, "LOGISTIC": _LOW, "TANH": _LOW, "PAD": _LOW,
    "SPACE_TO_DEPTH": {"INT8": 2},
    "DEPTH_TO_SPACE": {"INT8": 2}, "SOFTMAX": _LOW, "LOG_SOFTMAX": {"INT8": 2}, "RELU": _LOW, "RELU6": _LOW,
    "LEAKY_RELU": {"INT8": 1, "INT16": 2}, "CONCATENATION": {"INT8": 2, "INT16": 3, "BOOL": 4, "UINT32": 5},
    "MEAN": _LOW, "SUM": {"INT8": 2, "INT16": 2}, "REDUCE_MAX": _LOW, "REDUCE_MIN": _LOW,
    "REDUCE_PROD": {"INT8": 2, "INT16": 2}, "TRANSPOSE": {"INT8": 2, "BOOL": 3, "INT16": 5},
    "STRIDED_SLICE": {"INT8": 2, "BOOL": 3, "INT16": 4, "STRING": 5}, "SLICE": {"STRING": 2, "INT8": 2, "INT16": 4},
    "SPLIT": {"INT8": 2, "INT16": 4}, "SPLIT_V": {"INT8": 2, "INT16": 2}, "PADV2": {"INT8": 2, "INT16": 3},
    "GATHER": {"INT8": 2, "STRING": 3, "BOOL": 3, "INT16": 4, "INT4": 7}, "SQUEEZE": {"STRING": 2},
    "QUANTIZE": {"INT8": 1, "INT16": 2}, "DEQUANTIZE": {"INT8": 2, "FLOAT16": 3, "INT16": 3, "INT4": 6},
    "MAXIMUM": {"INT8": 2, "INT64": 3, "INT16": 4}, "MINIMUM": {"INT8": 2, "INT64": 3, "INT16": 4},
    "EQUAL": {"STRING": 3, "INT8": 2}, "NOT_EQUAL": {"STRING": 3, "INT8": 2}, "LESS": {"INT8": 2},
    "GREATER": {"INT8": 2},
    "LESS_EQUAL": {"INT8": 2}, "GREATER_EQUAL": {"INT8": 2}, "SELECT": {"INT8": 2}, "ARG_MAX": {"INT8": 2, "BOOL": 3},
    "ARG_MIN": {"INT8": 2, "BOOL": 3}, "TOPK_V2": {"INT8": 2, "INT16": 3}, "RSQRT": {"INT8": 2, "INT16": 3},
    "ABS": {"INT8": 2, "INT16": 3, "INT32": 4}, "EXP": {"INT8": 2, "INT16": 2}, "LOG": {"INT8": 2, "INT16": 2},
    "GELU": {"INT8": 2}, "BATCH_MATMUL": {"INT8": 2, "INT16": 3}, "PACK": {"INT8": 2, "INT16": 3, "UINT32": 4},
    "UNPACK": {"INT8": 2, "BOOL": 3, "INT16": 4}, "TILE": {"STRING": 2, "INT8": 3, "INT16": 3},
    "RESIZE_BILINEAR": {"INT8": 2, "INT16": 4}, "RESIZE_NEAREST_NEIGHBOR": {"INT8": 2, "INT16": 4},
    "CAST": {"INT16": 3, "FLOAT64": 4, "UINT8": 1, "INT4": 6, "FLOAT16": 5},
    "BATCH_TO_SPACE_ND": {"INT8": 2, "INT16": 4}, "SPACE_TO_BATCH_ND": {"INT8": 2, "INT16": 4},
    "MIRROR_PAD": {"INT8": 2, "INT16": 3}, "L2_NORMALIZATION": {"INT8": 2}, "DIV": {"UINT8": 1, "INT8": 2, "INT16": 2},
    "SQUARED_DIFFERENCE": {"INT8": 2}, "FILL": {"BOOL": 2, "STRING": 2, "INT8": 3, "INT16": 3, "FLOAT16": 4},
    "SELECT_V2": {"UINT32": 2},
    "REVERSE_V2": {"BOOL": 2, "INT16": 3}, "FLOOR_DIV": {"FLOAT32": 2, "INT8": 3, "INT16": 3},
    "FLOOR_MOD": {"INT8": 2, "INT16": 2}, "EMBEDDING_LOOKUP": {"INT4": 4, "INT8": 2}, "RANGE": {"INT64": 2},
    "GATHER_ND": {"STRING": 2, "INT16": 3, "BOOL": 5}, "DYNAMIC_UPDATE_SLICE": {"FLOAT16": 2, "INT16": 3},
    "BROADCAST_TO": {"INT16": 3},
}  # fmt: skip

_LOWEST = {"BROADCAST_TO": 2}
