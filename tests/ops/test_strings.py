"""Operators that carry strings: their outputs have the size that their data has."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, build, check, const, run_ours, tensor

import samara


def ints(*values):
    return const(np.array(values, np.int32))


def strings(name, op, shape, *more, options=None, version=1, out="string", **extra):
    return Case(f"{name} strings", op, [tensor("string", shape), *more], [tensor(out)], options or {}, version, **extra)


SLICED = {"begin_mask": 0, "end_mask": 2, "shrink_axis_mask": 0}
CASES = [
    strings("reshape", "RESHAPE", (2, 3), ints(3, 2), options={"new_shape": [3, 2]}),
    strings("reshape empty", "RESHAPE", (0, 3), ints(3, 0), options={"new_shape": [3, 0]}, oracle=lambda v: [
        np.empty((3, 0), object)
    ]),  # fmt: skip
    strings("expand", "EXPAND_DIMS", (5,), ints(0)),
    strings("squeeze", "SQUEEZE", (1, 5, 1), options={"squeeze_dims": [0]}),
    strings("steps", "RESHAPE", (4,), ints(2, 2), options={"new_shape": [2, 2]}, steps=4),
    strings("resized", "EXPAND_DIMS", (2,), ints(1), resize={0: (7,)}),
    strings("shape", "SHAPE", (2, 3), options={"out_type": "INT32"}, out="int32"),
    strings("gather", "GATHER", (9,), ints(8, 0, 3, 3), options={"axis": 0}),
    strings("gather rows", "GATHER", (4, 3), ints(3, 1), options={"axis": 0}, oracle=lambda v: [v[0][[3, 1]]]),
    strings("gather outside", "GATHER", (4,), ints(4), options={"axis": 0}, error="outside of 0..3"),
    strings("gather_nd", "GATHER_ND", (4, 3), const(np.array([[3, 0], [1, 2]], np.int32)), version=6),
    strings("slice", "SLICE", (4, 5), ints(1, 2), ints(2, 3), version=8),
    strings("strided", "STRIDED_SLICE", (4, 5), ints(0, 3), ints(4, 0), ints(2, 1), options=SLICED, version=8),
    strings("tile", "TILE", (2, 3), ints(2, 2), version=2),
    strings("turn", "TRANSPOSE", (2, 3), ints(1, 0), oracle=lambda v: [v[0].T]),
    # LiteRT fills with bytes that are no string of the model.
    Case("fill strings", "FILL", [ints(2, 3), tensor("string", ())], [tensor("string")], oracle=lambda v: [
        np.full((2, 3), v[1][()], object)
    ]),  # fmt: skip
    *[
        Case(f"{op} strings {a} {b}", op, [tensor("string", a), const(words)], [tensor("bool")], {}, 4)
        for op in ("EQUAL", "NOT_EQUAL")
        for a, b, words in [
            ((3,), 1, np.array([b""], object)),
            ((2, 3), 3, np.array([b"a", b"", b"same"], object)),
            ((1,), 6, np.array([[b"", b"b", b""], [b"c", b"dd", b""]], object)),
        ]
    ],
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_strings(case):
    check(case)


def test_a_string_input_nobody_wrote_is_empty():
    data, _ = build(CASES[0])
    interpreter = samara.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    interpreter.invoke()
    assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tolist() == [[b""] * 2] * 3


def test_long_strings_and_text():
    case = strings("long", "GATHER", (3,), ints(2, 0), options={"axis": 0})
    words = np.array(["é", "", "x" * 100_000], object)
    (outputs,) = run_ours(build(case)[0], case, [[words, None]], 1)
    assert outputs[0].tolist() == [b"x" * 100_000, "é".encode()]


def test_strings_pass_max_memory():
    case = strings("much", "TILE", (1,), ints(1000), version=2)
    interpreter = samara.Interpreter(model_content=build(case)[0], max_memory=1 << 20)
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.array([b"x" * 10_000], object))
    with pytest.raises(samara.SamaraError, match="max_memory"):
        interpreter.invoke()
