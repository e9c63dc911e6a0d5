"""TRANSPOSE, TILE, BROADCAST_TO, BROADCAST_ARGS."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

TYPES = ["float32", "int8", "uint8", "int16", "int32", "int64", "bool"]


def turn(name, dtype, shape, order, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(order, np.int32))]
    return Case(name, "TRANSPOSE", inputs, [tensor(dtype)], version=extra.pop("version", 2), **extra)


def tile(name, dtype, shape, times, index=np.int32, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(times, index))]
    return Case(name, "TILE", inputs, [tensor(dtype)], **extra)


def broadcast(name, dtype, shape, target, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(target, np.int32))]
    return Case(name, "BROADCAST_TO", inputs, [tensor(dtype)], version=2, **extra)


CASES = [
    *[turn(f"transpose {t} {o}", t, (17, 35), o) for t in TYPES for o in ((1, 0),)],
    *[turn(f"transpose {t} {o}", t, (5, 7, 9), o) for t in TYPES for o in ((1, 0, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0))],
    *[turn(f"transpose images {t}", t, (2, 33, 5, 3), (0, 3, 1, 2)) for t in TYPES],
    *[turn(f"transpose images back {t}", t, (2, 3, 33, 5), (0, 2, 3, 1)) for t in TYPES],
    *[
        turn(f"transpose wide {t} {c}", t, (40, 70, c), (1, 0, 2))
        for t in ("int8", "int16", "float32")
        for c in (1, 2, 4)
    ],
    turn("transpose large", "float32", (130, 257), (1, 0)),
    turn("transpose large bytes", "int8", (257, 130), (1, 0)),
    turn("transpose rank 5", "float32", (2, 3, 4, 5, 3), (4, 2, 0, 1, 3), version=5),
    turn("transpose rank 6", "int8", (2, 3, 2, 3, 2, 3), (5, 3, 1, 0, 2, 4), version=5),
    turn(
        "transpose rank 8",
        "int8",
        (2, 3, 2, 1, 2, 3, 2, 2),
        (7, 5, 3, 1, 0, 2, 4, 6),
        oracle=lambda v: [v[0].transpose(7, 5, 3, 1, 0, 2, 4, 6)],
    ),
    turn("transpose negative", "float32", (3, 4, 5), (-1, 0, 1)),
    turn("transpose ones", "float32", (1, 4, 1, 5), (2, 3, 0, 1)),
    turn("transpose nothing", "float32", (0, 4), (1, 0), oracle=lambda v: [v[0].T]),
    turn("transpose int4", "int4", (5, 3), (1, 0), oracle=lambda v: [v[0].T]),
    turn("transpose complex", "complex64", (5, 3), (1, 0), oracle=lambda v: [v[0].T]),
    turn("transpose twice", "float32", (3, 4), (1, 1), error="twice"),
    turn("transpose short", "float32", (3, 4), (0,), error="permutation"),
    *[tile(f"tile {t}", t, (2, 3, 5), (2, 1, 3)) for t in TYPES],
    tile("tile int64", "float32", (2, 3), (3, 2), np.int64),
    tile("tile none", "float32", (2, 3), (0, 2), oracle=lambda v: [np.tile(v[0], (0, 2))]),
    tile(
        "tile rank 8",
        "int8",
        (2, 1, 2, 1, 3, 1, 2, 3),
        (1, 2, 2, 1, 1, 3, 2, 2),
        oracle=lambda v: [np.tile(v[0], v[1])],
    ),
    tile("tile negative", "float32", (2, 3), (-1, 2), error="multiple 0"),
    *[broadcast(f"broadcast {t}", t, (3, 1, 5), (2, 3, 4, 5)) for t in TYPES],
    broadcast("broadcast last", "float32", (3, 1), (3, 7)),
    broadcast("broadcast scalar", "int8", (1,), (3, 7)),
    broadcast("broadcast same", "float32", (3, 7), (3, 7)),
    broadcast("broadcast wrong", "float32", (3, 7), (3, 8), error="cannot become"),
    broadcast("broadcast int4", "int4", (3, 1), (3, 5), oracle=lambda v: [np.broadcast_to(v[0], (3, 5))]),
    *[
        Case(f"args {a} {b}", "BROADCAST_ARGS", [const(np.asarray(v, np.int32)) for v in (a, b)], [tensor("int32")])
        for a, b in (([2, 1, 5], [4, 1]), ([3], [2, 3, 3]))
    ],
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_transpose(case: Case) -> None:
    check(case)
