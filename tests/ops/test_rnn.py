"""RNN, UNIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN: float and hybrid, with state over several invokes."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, Spec, check, const, tensor, variable


def weights(kind: str, rows: int, columns: int) -> Spec:
    if kind == "float32":
        return const("float32", (rows, columns), low=-0.5, high=0.5)
    return const("int8", (rows, columns), scale=0.004, low=-127, high=127)


def parts(kind: str, batch: int, inputs: int, units: int) -> list[Spec | None]:
    bias = const("float32", (units,), low=-0.5, high=0.5)
    return [weights(kind, units, inputs), weights(kind, units, units), bias, variable("float32", (batch, units))]


def both_ways_from_zero(v: list) -> list[np.ndarray]:
    """What a hybrid, merged one means: the first invoke, time first."""
    sides = []
    for k, order in ((0, 1), (4, -1)):
        w, r = v[k + 1] * np.float32(0.004), v[k + 2] * np.float32(0.004)
        h, out = np.zeros((v[0].shape[1], w.shape[0]), np.float32), []
        for x in v[0][::order]:
            h = np.tanh(x @ w.T + h @ r.T + v[k + 3])
            out.append(h)
        sides.append(np.stack(out[::order]))
    return [np.concatenate(sides, -1)]


def rnn(name, kind, op, shape, batch, units, activation="TANH", rtol=None, oracle="litert", peer_error="", **options):
    two = op.startswith("BI")
    inputs = [tensor("float32", shape)]
    for _ in range(2 if two else 1):
        inputs += parts(kind, batch, shape[-1], units)
    outputs = [tensor("float32")]
    if two:
        inputs += [None] * 3
        outputs *= 1 if options["merge_outputs"] else 2
    options["fused_activation_function"] = activation
    tolerance = rtol or (1e-5 if kind == "float32" else 0.01)
    return Case(
        name,
        op,
        inputs,
        outputs,
        options,
        version=3,
        rtol=tolerance,
        steps=3 if oracle == "litert" else 1,
        oracle=oracle,
        peer_error=peer_error,
    )


ONE, MANY, BOTH = "RNN", "UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN"
CASES = [
    *[rnn(f"one step {a}", "float32", ONE, (2, 7), 2, 9, a) for a in ("NONE", "RELU", "RELU6", "TANH")],
    rnn("one step hybrid", "int8", ONE, (2, 7), 2, 9),
    rnn("sequence", "float32", MANY, (5, 2, 7), 2, 9, time_major=True),
    rnn("sequence batch major", "float32", MANY, (2, 5, 7), 2, 9, time_major=False),
    rnn("sequence long", "float32", MANY, (1, 70, 3), 1, 17, time_major=False),
    rnn("sequence hybrid", "int8", MANY, (2, 5, 7), 2, 9, time_major=False),
    rnn("sequence hybrid asymmetric", "int8", MANY, (2, 5, 7), 2, 9, time_major=False, asymmetric_quantize_inputs=True),
    rnn("both ways", "float32", BOTH, (5, 2, 7), 2, 9, time_major=True, merge_outputs=False),
    rnn("both ways merged", "float32", BOTH, (5, 2, 7), 2, 9, time_major=True, merge_outputs=True),
    rnn("both ways batch major", "float32", BOTH, (2, 5, 7), 2, 9, time_major=False, merge_outputs=False),
    rnn(
        "both ways hybrid",
        "int8",
        BOTH,
        (5, 2, 7),
        2,
        9,
        time_major=True,
        merge_outputs=True,
        oracle=both_ways_from_zero,
        peer_error="hybrid with merged outputs ends the process",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rnn(case: Case) -> None:
    check(case)
