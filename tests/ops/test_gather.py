"""GATHER, GATHER_ND, SCATTER_ND, EMBEDDING_LOOKUP, HASHTABLE_LOOKUP, ONE_HOT, SPARSE_TO_DENSE."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, const, tensor

TYPES = ["float32", "int8", "uint8", "int16", "int32", "int64", "bool"]


def gather(name, dtype, shape, indices, axis=0, batch=0, index=np.int32, **extra):
    inputs = [tensor(dtype, shape), const(np.asarray(indices, index))]
    return Case(name, "GATHER", inputs, [tensor(dtype)], {"axis": axis, "batch_dims": batch}, **extra)


def nd(name, dtype, shape, indices, index=np.int32, **extra):
    return Case(name, "GATHER_ND", [tensor(dtype, shape), const(np.asarray(indices, index))], [tensor(dtype)], **extra)


def scatter(name, dtype, indices, updates, shape, **extra):
    inputs = [const(np.asarray(indices, np.int32)), tensor(dtype, updates), const(np.asarray(shape, np.int32))]
    return Case(name, "SCATTER_ND", inputs, [tensor(dtype)], **extra)


def embed(name, table, out="float32", ids=(0, 4, 2, 2), version=1, **extra):
    return Case(
        name, "EMBEDDING_LOOKUP", [const(np.asarray(ids, np.int32)), table], [tensor(out)], version=version, **extra
    )


def dense(name, dtype, indices, values, shape, default, **extra):
    inputs = [const(np.asarray(indices, np.int32)), const(np.asarray(shape, np.int32))]
    inputs += [const(np.asarray(values, dtype)), const(np.asarray(default, dtype))]
    return Case(name, "SPARSE_TO_DENSE", inputs, [tensor(dtype)], {"validate_indices": True}, version=3, **extra)


def hot(name, dtype, indices, depth, axis=-1, **extra):
    on, off = (True, False) if dtype == "bool" else (5, 2)
    inputs = [const(np.asarray(indices, np.int32)), const(np.asarray(depth, np.int32))]
    inputs += [const(np.asarray(on, dtype)), const(np.asarray(off, dtype))]
    return Case(name, "ONE_HOT", inputs, [tensor(dtype)], {"axis": axis}, **extra)


def gathered_4(v):
    return [v[0][:, [1, 0, 1]]]


ROW_SCALES = np.array([0.1, 0.2, 0.3, 0.4, 0.5], np.float32)
WEIGHTS = np.random.default_rng(0).integers(-8, 8, (5, 64)).astype(np.int8)
BLOCKS = np.random.default_rng(1).uniform(0.1, 1, (5, 2)).astype(np.float16)

CASES = [
    *[gather(f"gather {t} {a}", t, (4, 5, 3), [[0, 2], [2, 1]], a, version=4) for t in TYPES for a in (0, 1, -1)],
    gather("gather int64", "float32", (4, 5), [3, 0], index=np.int64),
    gather("gather int16", "float32", (4, 5), [3, 0], index=np.int16, version=6),
    gather("gather scalar", "float32", (4, 5), 2),
    gather("gather batch", "float32", (2, 5, 3), [[0, 4], [3, 3]], 1, 1, version=5),
    gather("gather batch deep", "int8", (2, 3, 4, 5), np.arange(24).reshape(2, 3, 4) % 4, 2, 2, version=5),
    gather("gather batch later", "float32", (2, 3, 4, 5), [[0, 3], [2, 1]], 2, 1, version=5),
    gather("gather none", "float32", (4, 5), np.zeros((0,), np.int32), oracle=lambda v: [v[0][:0]]),
    gather("gather int4", "int4", (3, 2), [1, 0, 1], 1, version=6, oracle=gathered_4),
    gather("gather outside", "float32", (4, 5), [3, 4], error="index 4"),
    gather("gather negative", "float32", (4, 5), [3, -1], error="index -1"),
    gather("gather batch shapes", "float32", (2, 5), [[0], [1], [2]], 1, 1, error="batch dimension"),
    *[nd(f"gather_nd {t}", t, (4, 5, 3), [[0, 2], [3, 4]], version=5) for t in TYPES],
    nd("gather_nd rows", "float32", (4, 5, 3), [[[0], [3]], [[2], [2]]]),
    nd("gather_nd elements", "float32", (4, 5, 3), [[0, 2, 1], [3, 4, 2]], np.int64),
    nd("gather_nd outside", "float32", (4, 5, 3), [[0, 2], [3, 5]], error="index 5"),
    nd("gather_nd deep", "float32", (4, 5), [[0, 2, 1]], error="tuples"),
    *[
        scatter(f"scatter {t}", t, [[1], [4], [1]], (3, 6), (5, 6))
        for t in ("float32", "int8", "uint8", "int32", "int64")
    ],
    scatter("scatter elements", "float32", [[1, 2], [0, 5]], (2,), (5, 6)),
    scatter("scatter bool", "bool", [[1], [4]], (2, 3), (5, 3)),
    scatter("scatter outside", "float32", [[1], [5]], (2, 6), (5, 6), error="index 5"),
    scatter("scatter shape", "float32", [[1], [4]], (2, 7), (5, 6), error="updates"),
    embed("embedding", const("float32", (5, 7))),
    embed("embedding rank 3", const("float32", (5, 3, 2))),
    embed("embedding int8", const("int8", (5, 7), scale=0.1), version=2),
    embed("embedding int8 same", const("int8", (5, 7), scale=0.1), "int8"),
    embed("embedding int8 rows", const("int8", (5, 7), scale=ROW_SCALES), version=2),
    embed("embedding int4 rows", const("int4", (5, 8), scale=ROW_SCALES), version=4),
    embed(
        "embedding int4 blocks",
        const(WEIGHTS, dtype="int4", block_scales=BLOCKS, block_size=32),
        version=5,
        oracle=lambda v: [(v[1] * np.repeat(BLOCKS.astype(np.float32), 32, 1)).astype(np.float32)[v[0]]],
    ),
    embed("embedding outside", const("float32", (5, 7)), ids=(0, 5), error="id 5"),
    Case(
        "hashtable",
        "HASHTABLE_LOOKUP",
        [tensor("int32", (6,), low=0, high=9), const(np.array([1, 3, 4, 9], np.int32)), const("float32", (4, 3))],
        [tensor("float32"), tensor("uint8")],
    ),
    *[
        hot(f"one hot {t}", t, [[1, 0, 4], [7, -1, 2]], 5)
        for t in ("float32", "int8", "uint8", "int32", "int64", "bool")
    ],
    hot("one hot first", "float32", [[1, 0, 4], [7, -1, 2]], 5, 0),
    hot("one hot middle", "float32", [[1, 0, 4], [7, -1, 2]], 5, 1),
    hot("one hot negative", "float32", [1, 2], -1, error="-1 elements"),
    *[
        dense(f"dense {t}", t, [[0, 1], [2, 3]], [7, 8], (3, 4), 1)
        for t in ("float32", "int8", "uint8", "int32", "int64")
    ],
    dense("dense one value", "float32", [1, 3], 7, (5,), 0),
    dense("dense scalar", "float32", 3, 7, (5,), 0),
    dense("dense outside", "float32", [1, 5], 7, (5,), 0, error="index 5"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gather(case: Case) -> None:
    check(case)
