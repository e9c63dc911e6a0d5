"""Formulas that several front ends need, in the operators of the format."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ir import Tensor
from .build import Builder, T, Unsupported

F, I32, I64 = T.FLOAT32, T.INT32, T.INT64
ARITHMETIC = {
    "ADD": (F, I32, I64), "SUB": (F, I32, I64), "MUL": (F, I32, I64), "DIV": (F, I32), "MAXIMUM": (F, I32, I64),
    "MINIMUM": (F, I32, I64), "FLOOR_MOD": (F, I32, I64), "POW": (F, I32), "ABS": (F, I32), "NEG": (F, I32, I64),
    "SIGN": (F, I32), "EQUAL": (F, I32, I64, T.BOOL), "LESS": (F, I32, I64), "LESS_EQUAL": (F, I32, I64),
    "GREATER": (F, I32, I64), "GREATER_EQUAL": (F, I32, I64), "MEAN": (F, I32, I64), "SUM": (F, I32, I64),
    "REDUCE_PROD": (F, I32, I64), "REDUCE_MAX": (F, I32, I64), "REDUCE_MIN": (F, I32, I64), "ARG_MAX": (F, I32),
    "ARG_MIN": (F, I32), "CUMSUM": (F, I32, I64), "TOPK_V2": (F, I32, I64), "BATCH_MATMUL": (F,),
}  # fmt: skip
"""The types each operator computes in; others go through the wider of them and back."""


def suited(b: Builder, name: str, *given: Tensor) -> list[Tensor]:
    """Operands cast to a type that the operator has."""
    allowed = ARITHMETIC.get(name, (F,))
    kind = given[0].type
    if kind not in allowed:
        wide = kind in (I64, T.UINT32, T.UINT64) and I64 in allowed
        kind = I64 if wide else I32 if I32 in allowed and kind != F else F
    return [b.cast(t, kind) for t in given]


def compute(b: Builder, name: str, *given: Tensor, **fields: Any) -> Tensor:
    """An operator whose result has the type of its first operand."""
    kind = given[0].type
    made: Tensor = b.op(name, *suited(b, name, *given), **fields)
    return made if made.type == kind else b.cast(made, kind)


def f(b: Builder, name: str, *given: Tensor | float) -> Tensor:
    """An operator over tensors and numbers."""
    like = next(t for t in given if isinstance(t, Tensor))
    return compute(b, name, *[t if isinstance(t, Tensor) else b.like(like, t) for t in given])


def compute_reduced(b: Builder, ours: str, x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    (given,) = suited(b, ours, x)
    return b.cast(b.op(ours, given, b.ints(axes), keep_dims=keep), x.type)


def last_axis(b: Builder, x: Tensor, axis: int, work: Callable[[Tensor], Tensor]) -> Tensor:
    """Does along `axis` what an operator does along the last."""
    rank = b.rank(x)
    if axis == rank - 1:
        return work(x)
    perm = [i for i in range(rank) if i != axis] + [axis]
    return b.transpose(work(b.transpose(x, perm)), [int(i) for i in np.argsort(perm)])


def matmul_of(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """Both of rank 2 or more. A constant matrix on the right is a dense layer."""
    if y.constant and b.rank(y) == 2 and not x.constant:
        return b.op("FULLY_CONNECTED", x, b.transpose(y, (1, 0)), None, keep_num_dims=True)  # type: ignore[no-any-return]
    return b.op("BATCH_MATMUL", x, y)  # type: ignore[no-any-return]


def softplus_of(b: Builder, x: Tensor) -> Tensor:
    return f(b, "ADD", b.op("RELU", x), f(b, "LOG", f(b, "ADD", f(b, "EXP", f(b, "NEG", f(b, "ABS", x))), 1.0)))


def normalized(b: Builder, x: Tensor, axes: Sequence[int], epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / sqrt(variance + epsilon) along axes, the mean, and one over the root."""
    mean = compute_reduced(b, "MEAN", x, axes, True)
    centred = f(b, "SUB", x, mean)
    variance = compute_reduced(b, "MEAN", f(b, "MUL", centred, centred), axes, True)
    inverse = b.op("RSQRT", f(b, "ADD", variance, epsilon))
    return f(b, "MUL", centred, inverse), mean, inverse


def same_pads(size: int, kernel: int, stride: int, dilation: int, lower: bool) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return (total - total // 2, total // 2) if lower else (total // 2, total - total // 2)


def einsum_of(b: Builder, equation: str, given: Sequence[Tensor]) -> Tensor:
    """A sum of products of one or two tensors, in Einstein's notation."""
    equation = equation.replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(given) or len(terms) > 2:
        raise Unsupported(f"Einsum {equation!r} has more than two operands, or not as many as there are terms")
    spare = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    letters = [next(s for s in spare if s not in equation) for _ in range(8)]
    longest = 0
    for i, term in enumerate(terms):
        if "..." in term:
            n = b.rank(given[i]) - len(term) + 3
            longest = max(longest, n)
            terms[i] = term.replace("...", "".join(letters[8 - n :]) if n else "")
    if not arrow:
        every = "".join(terms)
        right = ("..." if longest else "") + "".join(
            sorted(s for s in set(every) if every.count(s) == 1 and s not in letters)
        )
    right = right.replace("...", "".join(letters[8 - longest :]) if longest else "")
    operands: list[Tensor] = []
    for i, term in enumerate(terms):
        if len(set(term)) != len(term) or len(term) != b.rank(given[i]):
            raise Unsupported(f"Einsum {equation!r} takes a diagonal, or does not fit its operands")
        elsewhere = right + "".join(terms[:i] + terms[i + 1 :])
        gone = [k for k, s in enumerate(term) if s not in elsewhere]
        operands.append(compute_reduced(b, "SUM", given[i], gone, False) if gone else given[i])
        terms[i] = "".join(s for s in term if s in elsewhere)
    if len(terms) == 1:
        return b.transpose(operands[0], [terms[0].index(s) for s in right])
    return _einsum_two(b, operands[0], operands[1], terms[0], terms[1], right)


def _einsum_two(b: Builder, x: Tensor, y: Tensor, p: str, q: str, out: str) -> Tensor:
    batch = [s for s in p if s in q and s in out]
    summed = [s for s in p if s in q and s not in out]
    rows, columns = [s for s in p if s not in q], [s for s in q if s not in p]
    size = dict(zip(q, b.shape(y), strict=True))
    for s, d in zip(p, b.shape(x), strict=True):
        size[s] = d if d != 1 or s not in size else size[s]
    if not summed:  # a product element by element
        x = _spread(b, x, p, out)
        y = _spread(b, y, q, out)
        return compute(b, "MUL", x, y)
    x = b.transpose(x, [p.index(s) for s in (*batch, *rows, *summed)])
    y = b.transpose(y, [q.index(s) for s in (*batch, *summed, *columns)])
    n, m, k = len(batch), len(rows), len(summed)
    if m != 1 or k != 1 or len(columns) != 1:
        open_ones = [s for s in (*batch, *rows, *summed, *columns) if size[s] < 0]
        if len(open_ones) > 1:
            raise Unsupported("this Einsum has several open dimensions", "fix the shapes of the inputs")

        def total(group: Sequence[str]) -> int:
            return -1 if any(size[s] < 0 for s in group) else math.prod(size[s] for s in group)

        head = [size[s] for s in batch]
        x = b.reshape(x, [*head, total(rows), total(summed)])
        y = b.reshape(y, [*head, total(summed), total(columns)])
    made = matmul_of(b, x, y)
    if m != 1 or len(columns) != 1:
        made = b.reshape(made, [size[s] for s in (*batch, *rows, *columns)])
    order = [*batch, *rows, *columns]
    assert n + m + len(columns) == len(out)
    return b.transpose(made, [order.index(s) for s in out])


def _spread(b: Builder, t: Tensor, term: str, out: str) -> Tensor:
    """The axes of a term in the order of the result, with ones for those it lacks."""
    t = b.transpose(t, sorted(range(len(term)), key=lambda i: out.index(term[i])))
    return b.expand(t, [i for i, s in enumerate(out) if s not in term])
