"""What each operator asks of the scales of its operands: ROWS, one row for every operator of the runtime.

A constraint says where the scale and zero point of an operand come from:

    FREE      its own, from the values seen (a constant: from its values)
    SAME      one pair for all operands of the row that are SAME: the operator moves or compares stored integers
    Fixed     given by the format, whatever the values
    Weight    a constant of int8 around zero, one scale for each slice of an axis (or one for all)
    Bias      a constant whose scale is that of an input times that of a weight
    OWN       by the operator's own rules (recurrent.py): state, and what is counted in units of inner values
    PLAIN     no real number: an index, a shape, a condition; or an operand whose stored form does not matter

An operator that has no integer form says so by Stays, with the reason a report prints. Facts: the format's
quantization specification, and which element types the reference engine and our kernels both compute.
"""

from __future__ import annotations

from dataclasses import dataclass

INT8, INT16 = "INT8", "INT16"


@dataclass(frozen=True)
class Free:
    """Its own scale and zero point."""


@dataclass(frozen=True)
class Same:
    """The scale and zero point that all SAME operands of the node share."""


@dataclass(frozen=True)
class Plain:
    """Not quantized, whatever it holds."""


@dataclass(frozen=True)
class Fixed:
    """(scale, zero point) of the format, by the type of the activations."""

    int8: tuple[float, int]
    int16: tuple[float, int] | None = None

    def of(self, kind: str) -> tuple[float, int]:
        found = self.int8 if kind == INT8 else self.int16
        assert found is not None, "a row lists the types it has"
        return found


@dataclass(frozen=True)
class Weight:
    """A constant around zero; `axis` is that of the scales, None where the operator takes one scale for all."""

    axis: int | None


@dataclass(frozen=True)
class Bias:
    """A constant in units of scale(operand `input`) * scale(operand `weight`)."""

    input: int
    weight: int


@dataclass(frozen=True)
class Own:
    """A constant or a state that the operator's rule in recurrent.py quantizes."""


Constraint = Free | Same | Plain | Fixed | Weight | Bias | Own
FREE, SAME, PLAIN, OWN = Free(), Same(), Plain(), Own()


@dataclass(frozen=True)
class Row:
    """The operands in order; those behind the last are like the last. `types`: of activations, that have kernels."""

    inputs: tuple[Constraint, ...]
    outputs: tuple[Constraint, ...] = (FREE,)
    types: tuple[str, ...] = (INT8, INT16)

    def input(self, i: int) -> Constraint:
        return self.inputs[min(i, len(self.inputs) - 1)]

    def output(self, i: int) -> Constraint:
        return self.outputs[min(i, len(self.outputs) - 1)]

    @property
    def moves(self) -> bool:
        """Whether the operator only moves stored values: worth nothing as an island between floats."""
        return all(isinstance(c, (Same, Plain)) for c in (*self.inputs, *self.outputs))


@dataclass(frozen=True)
class Stays:
    """No integer form; `real`: it computes with real numbers, so staying costs conversions around it."""

    reason: str
    real: bool = True


_ONE = (INT8,)
_UNARY = Row((FREE,))
_BINARY = Row((FREE, FREE))
_MOVE = Row((SAME, PLAIN), (SAME,))
_MOVE8 = Row((SAME, PLAIN), (SAME,), _ONE)
_ALL_SAME = Row((SAME,), (SAME,))
_COMPARE = Row((FREE, FREE), (PLAIN,), _ONE)
_REDUCE = Row((FREE, PLAIN))
_FLOAT = Stays("it has no integer kernel")
_INTEGER = Stays("it works on integers, not on real numbers", real=False)
_LOGICAL = Stays("it works on booleans", real=False)
_RAW_ZERO = "it fills with stored zeros, which are not the number 0 in int8"
_RECURRENT = Stays("its kernels are float, or float with int8 weights (dynamic_wi8_afp32)")

ROWS: dict[str, Row | Stays] = {
    "ABS": _UNARY,
    "ADD": _BINARY,
    "ADD_N": _FLOAT,
    "ARG_MAX": Row((FREE, PLAIN), (PLAIN,), _ONE),
    "ARG_MIN": Row((FREE, PLAIN), (PLAIN,), _ONE),
    "AVERAGE_POOL_2D": _MOVE,
    "BATCH_MATMUL": _BINARY,
    "BATCH_TO_SPACE_ND": _MOVE,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _RECURRENT,
    "BIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "BITCAST": Stays("it reads stored bits"),
    "BITWISE_XOR": _INTEGER,
    "BROADCAST_ARGS": _INTEGER,
    "BROADCAST_TO": _MOVE,
    "CAST": Stays("it converts stored numbers, not the real ones they stand for"),
    "CEIL": _FLOAT,
    "CONCATENATION": _ALL_SAME,
    "CONV_2D": Row((FREE, Weight(0), Bias(0, 1))),
    "COS": _FLOAT,
    "CUMSUM": _FLOAT,
    "DEPTHWISE_CONV_2D": Row((FREE, Weight(3), Bias(0, 1))),
    "DEPTH_TO_SPACE": _MOVE8,
    "DEQUANTIZE": Stays("it is a conversion", real=False),
    "DIV": Stays("the reference engine gives -128 or 127 for some small int8 quotients"),
    "DYNAMIC_UPDATE_SLICE": Row((SAME, SAME, PLAIN), (SAME,)),
    "ELU": Row((FREE,), types=_ONE),
    "EMBEDDING_LOOKUP": Row((PLAIN, SAME), (SAME,)),
    "EQUAL": _COMPARE,
    "EXP": _UNARY,
    "EXPAND_DIMS": _MOVE,
    "FAKE_QUANT": Stays("it rounds to the integers of training"),
    "FILL": Row((PLAIN, SAME), (SAME,)),
    "FLOOR": _FLOAT,
    "FLOOR_DIV": Stays("its integer kernels divide stored numbers"),
    "FLOOR_MOD": Stays("its integer kernels divide stored numbers"),
    "FULLY_CONNECTED": Row((FREE, Weight(0), Bias(0, 1))),
    "GATHER": _MOVE,
    "GATHER_ND": _MOVE,
    "GELU": _UNARY,
    "GREATER": _COMPARE,
    "GREATER_EQUAL": _COMPARE,
    "HARD_SWISH": Row((FREE,), types=_ONE),
    "HASHTABLE_LOOKUP": Stays("it looks up stored values"),
    "L2_NORMALIZATION": Row((FREE,), (Fixed((1 / 128, 0)),), _ONE),
    "L2_POOL_2D": _FLOAT,
    "LEAKY_RELU": _UNARY,
    "LESS": _COMPARE,
    "LESS_EQUAL": _COMPARE,
    "LOCAL_RESPONSE_NORMALIZATION": _FLOAT,
    "LOG": _UNARY,
    "LOGICAL_AND": _LOGICAL,
    "LOGICAL_NOT": _LOGICAL,
    "LOGICAL_OR": _LOGICAL,
    "LOGISTIC": Row((FREE,), (Fixed((1 / 256, -128), (1 / 32768, 0)),)),
    "LOG_SOFTMAX": Row((FREE,), (Fixed((16 / 256, 127)),), _ONE),
    "LSTM": _RECURRENT,
    "MATRIX_DIAG": Stays(_RAW_ZERO),
    "MATRIX_SET_DIAG": Row((SAME,), (SAME,)),
    "MAXIMUM": _ALL_SAME,
    "MAX_POOL_2D": _MOVE,
    "MEAN": _REDUCE,
    "MINIMUM": _ALL_SAME,
    "MIRROR_PAD": _MOVE,
    "MUL": _BINARY,
    "NEG": Stays("its integer kernels negate stored numbers"),
    "NOT_EQUAL": _COMPARE,
    "ONE_HOT": Stays("it makes what it is told, in float"),
    "PACK": _ALL_SAME,
    "PAD": _MOVE,
    "PADV2": Row((SAME, PLAIN, SAME), (SAME,)),
    "POW": _FLOAT,
    "PRELU": Row((FREE, FREE), types=_ONE),  # the reference engine answers zeros in int16
    "QUANTIZE": Stays("it is a conversion", real=False),
    "RANGE": _FLOAT,
    "RANK": Row((PLAIN,), (PLAIN,)),
    "REDUCE_ALL": _LOGICAL,
    "REDUCE_ANY": _LOGICAL,
    "REDUCE_MAX": _MOVE,
    "REDUCE_MIN": _MOVE,
    "REDUCE_PROD": _REDUCE,
    "RELU": _UNARY,
    "RELU6": _UNARY,
    "RELU_0_TO_1": Row((FREE,), types=_ONE),
    "RELU_N1_TO_1": Row((FREE,), types=_ONE),
    "RESHAPE": _MOVE,
    "RESIZE_BILINEAR": _MOVE,
    "RESIZE_NEAREST_NEIGHBOR": _MOVE,
    "REVERSE_SEQUENCE": Stays("the reference engine has no int8 kernel"),
    "REVERSE_V2": _MOVE,
    "RIGHT_SHIFT": _INTEGER,
    "RNN": _RECURRENT,
    "ROUND": _FLOAT,
    "RSQRT": _UNARY,
    "SCATTER_ND": Stays(_RAW_ZERO),
    "SEGMENT_SUM": _FLOAT,
    "SELECT": Row((PLAIN, SAME, SAME), (SAME,)),
    "SELECT_V2": Row((PLAIN, SAME, SAME), (SAME,)),
    "SHAPE": Row((PLAIN,), (PLAIN,)),
    "SIGN": _FLOAT,
    "SIN": _FLOAT,
    "SLICE": _MOVE,
    "SOFTMAX": Row((FREE,), (Fixed((1 / 256, -128), (1 / 32768, 0)),)),
    "SPACE_TO_BATCH_ND": _MOVE,
    "SPACE_TO_DEPTH": _MOVE8,
    "SPARSE_TO_DENSE": Stays("it scatters stored values"),
    "SPLIT": Row((PLAIN, SAME), (SAME,)),
    "SPLIT_V": _MOVE,
    "SQRT": _UNARY,
    "SQUARE": _FLOAT,
    "SQUARED_DIFFERENCE": Row((FREE, FREE), types=_ONE),
    "SQUEEZE": _MOVE,
    "STABLEHLO_COMPOSITE": Stays("its decomposition is a graph of its own"),
    "STRIDED_SLICE": _MOVE,
    "SUB": _BINARY,
    "SUM": _REDUCE,
    "SVDF": Row((FREE, OWN), types=_ONE),
    "TANH": Row((FREE,), (Fixed((1 / 128, 0), (1 / 32768, 0)),)),
    "TILE": _MOVE,
    "TOPK_V2": Row((SAME, PLAIN), (SAME, PLAIN)),
    "TRANSPOSE": _MOVE,
    "TRANSPOSE_CONV": Row((PLAIN, Weight(0), FREE, Bias(2, 1))),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Row((FREE, OWN), types=_ONE),
    "UNIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "UNIQUE": Stays("equal stored numbers need not be equal values of the source"),
    "UNPACK": _ALL_SAME,
    "UNSORTED_SEGMENT_MAX": _FLOAT,
    "UNSORTED_SEGMENT_MIN": _FLOAT,
    "UNSORTED_SEGMENT_PROD": _FLOAT,
    "UNSORTED_SEGMENT_SUM": _FLOAT,
    "WHERE": _LOGICAL,
    "ZEROS_LIKE": Stays(_RAW_ZERO),
}

INT16_ROWS: dict[str, Row] = {
    "SUM": Row((SAME, PLAIN), (SAME,)),  # its int16 kernels add stored numbers
    "MATRIX_DIAG": Row((SAME,), (SAME,)),  # zero points are 0 in int16
}
"""Where int16 asks something else than int8."""


def row_of(op: str, kind: str) -> Row | Stays:
    """The row of an operator for activations of type `kind`."""
    if kind == INT16 and op in INT16_ROWS:
        return INT16_ROWS[op]
    found = ROWS.get(op)
    if found is None:
        return Stays("it is an operator that the quantizer does not know")
    if isinstance(found, Row) and kind not in found.types:
        return Stays(f"it has no {kind.lower()} kernel")
    return found
