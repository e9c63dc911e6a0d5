"""Transposes move towards the outputs until they meet their inverse and cancel.

A network from an NCHW world arrives with a transpose before and behind every convolution. One behind a convolution
slides through whatever does not care about the order of axes (elementwise operators), or can be told the new order
(concatenation, padding, reductions, slices), until it stands before the transpose of the next convolution: together
they are the identity. What is left at a flattening before a dense layer goes into the order of its weights.

A transposed value with several users (a residual connection) has to slide down every way at once, which pays only if
the copies meet their inverses too: that is tried on a copy of the graph, and kept if fewer bytes are moved in the end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..infer import infer
from ..ir import Model, Tensor
from ..rewrite import any_, const, decline, maybe, op, rest, rewrite, rule
from .common import BINARY, UNARY, ints, is_float, known

x, y, w, b, c, p, xs = any_("x"), any_("y"), const("w"), maybe("b"), const("c"), const("p"), rest("xs")

REDUCE = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL")
FIXED = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "MAX_POOL_2D", "AVERAGE_POOL_2D", "RESIZE_BILINEAR")


def turned(x: Any, p: Any) -> Any:
    return op.TRANSPOSE(x, p)


def _perm(t: Tensor, rank: int | None = None) -> list[int] | None:
    found = ints(t)
    if found is None or sorted(found) != list(range(len(found))) or (rank is not None and len(found) != rank):
        return None
    return found


def per_tensor(t: Tensor) -> bool:
    q = t.quantization
    return q is None or q.scale is None or q.scale.size <= 1


def _turn(g: Any, t: Tensor, perm: list[int]) -> Tensor:
    return g.TRANSPOSE(t, g.constant(np.array(perm, np.int32)))  # type: ignore[no-any-return]


def moves_nothing(shape: tuple[int, ...], perm: list[int]) -> bool:
    """Whether a transpose changes the shape only, because just ones trade places."""
    moving = [i for i in perm if shape[i] != 1]
    return moving == sorted(moving)


def _axis(axis: int, rank: int) -> int:
    return axis + rank if axis < 0 else axis


# ---- Meeting ----


@rule(op.TRANSPOSE(op.TRANSPOSE(x, p).shared(), c))
def transposes_together(g: Any, x: Any, p: Any, c: Any) -> Any:
    first, second = _perm(p), _perm(c)
    if first is None or second is None or len(first) != len(second):
        return decline("a permutation is not known")
    both = [first[i] for i in second]
    return x if both == list(range(len(both))) else _turn(g, x, both)


@rule(op.TRANSPOSE(op.RESHAPE(turned(x, p), any_("s")).named("reshape"), c))
def nothing_moves(g: Any, x: Any, p: Any, c: Any, reshape: Any, node: Any) -> Any:
    """A picture in NCHW flattened to [N, C, H W] and turned to [N, H W, C]: its bytes are in order already."""
    first, second, shape = _perm(p), _perm(c), node.output.shape
    before, middle = x.shape, reshape.output.shape
    if first is None or second is None or not before or not middle or shape is None or shape.count(-1) > 1:
        return decline("a permutation or a shape is not known")
    if first[0] == second[0] == 0 and before[0] == middle[0] and -1 not in (*before[1:], *middle[1:]):
        before, middle = (1, *before[1:]), (1, *middle[1:])
    if -1 in (*before, *middle) or math.prod(before) > 1 << 22 or not per_tensor(x):
        return decline("a dimension is open, or there is too much to look at")
    order = np.arange(math.prod(before), dtype=np.int32)
    if not np.array_equal(order.reshape(before).transpose(first).reshape(middle).transpose(second).reshape(-1), order):
        return decline("moves bytes")
    return g.RESHAPE(x, g.constant(np.array(shape, np.int32)))


# ---- Sliding ----


@rule(op(*UNARY)(turned(x, p)))
def through_unary(g: Any, x: Any, p: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None or not per_tensor(node.output) or not per_tensor(x):
        return decline("the permutation is not known, or scales lie along an axis")
    inner = g.op(node.op, x, options=node.options)
    inner.type, inner.quantization = node.output.type, node.output.quantization
    return _turn(g, inner, perm)


@rule(op(*BINARY)(turned(x, p), turned(y, c)))
def through_binary(g: Any, x: Any, y: Any, p: Any, c: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None or _perm(c) != perm or not known(x, y) or len(x.shape) != len(y.shape):
        return decline("the operands are transposed differently")
    inner = g.op(node.op, x, y, options=node.options)
    inner.type, inner.quantization = node.output.type, node.output.quantization
    return _turn(g, inner, perm)


_once = turned(x, p)


@rule(op(*BINARY)(_once, _once))
def through_binary_twice(g: Any, x: Any, p: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None:
        return decline("the permutation is not known")
    inner = g.op(node.op, x, x, options=node.options)
    inner.type, inner.quantization = node.output.type, node.output.quantization
    return _turn(g, inner, perm)


@rule(op(*BINARY)(turned(x, p), y))
def through_binary_ones_left(g: Any, x: Any, p: Any, y: Any, node: Any) -> Any:
    return _with_ones(g, x, p, y, node, lambda a, k: (a, k))


@rule(op(*BINARY)(y, turned(x, p)))
def through_binary_ones_right(g: Any, x: Any, p: Any, y: Any, node: Any) -> Any:
    return _with_ones(g, x, p, y, node, lambda a, k: (k, a))


def _with_ones(g: Any, x: Any, p: Any, y: Any, node: Any, order: Any) -> Any:
    """The other operand has so many ones in its shape that to transpose it moves nothing: a reshape does."""
    perm = _perm(p)
    if perm is None or y.constant or y.shape is None or len(y.shape) != len(perm) or y.shape.count(-1) > 1:
        return decline("the shape of the other operand is not known")
    if node.op == "PRELU" or (y.producer is not None and y.producer.op == "TRANSPOSE"):
        return decline("the other operand is a transpose itself")
    back = [int(i) for i in np.argsort(perm)]
    if not moves_nothing(y.shape, back):
        return decline("the other operand would have to be transposed")
    other = g.RESHAPE(y, g.constant(np.array([y.shape[i] for i in back], np.int32)))
    other.type, other.quantization = y.type, y.quantization
    inner = g.op(node.op, *order(x, other), options=node.options)
    inner.type, inner.quantization = node.output.type, node.output.quantization
    return _turn(g, inner, perm)


@rule(op(*BINARY)(turned(x, p), c))
def through_binary_left(g: Any, x: Any, p: Any, c: Any, node: Any) -> Any:
    return _with_constant(g, x, p, c, node, lambda a, k: (a, k))


@rule(op(*BINARY)(c, turned(x, p)))
def through_binary_right(g: Any, x: Any, p: Any, c: Any, node: Any) -> Any:
    return _with_constant(g, x, p, c, node, lambda a, k: (k, a))


def _with_constant(g: Any, x: Any, p: Any, c: Any, node: Any, order: Any) -> Any:
    perm = _perm(p)
    if perm is None or x.shape is None or len(perm) != len(x.shape) or len(c.shape) > len(perm) or not per_tensor(c):
        return decline("the permutation or the constant does not allow it")
    if c.array.dtype == object:
        return decline("is a string")
    value = c.array.reshape((1,) * (len(perm) - len(c.shape)) + c.shape)
    back = np.argsort(perm)
    value = np.ascontiguousarray(value.transpose(back)) if c.array.size > 1 else c.array
    if node.op == "PRELU" and value.ndim == len(perm):  # alpha has no batch axis
        if value.shape[0] != 1:
            return decline("alpha would vary along the batch")
        value = value[0]
    inner = g.op(node.op, *order(x, g.constant(value, c.name, c.type, c.quantization)), options=node.options)
    inner.type, inner.quantization = node.output.type, node.output.quantization
    return _turn(g, inner, perm)


def _through_concatenation(share: bool) -> Any:
    @rule(op.CONCATENATION(xs).named("concat"))
    def through_concatenation(g: Any, xs: Any, concat: Any) -> Any:
        perms, inner = [], []
        for t in xs:
            turn = t.producer
            if turn is None or turn.op != "TRANSPOSE" or turn.inputs[0] is None or turn.inputs[1] is None:
                return decline("not all operands are transposed")
            if not share and (t.outputs or len(t.users) > 1):
                return decline("a transposed operand is used elsewhere too")
            perms.append(_perm(turn.inputs[1]))
            inner.append(turn.inputs[0])
        if not perms or perms[0] is None or any(q != perms[0] for q in perms):
            return decline("the operands are transposed differently")
        axis = perms[0][_axis(concat.option("axis"), len(perms[0]))]
        made = g.CONCATENATION(*inner, options=concat.options, axis=axis)
        made.type, made.quantization = concat.output.type, concat.output.quantization
        return _turn(g, made, perms[0])

    return through_concatenation


@rule(op("PAD", "PADV2", "MIRROR_PAD")(turned(x, p), c, xs))
def through_padding(g: Any, x: Any, p: Any, c: Any, xs: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None or c.shape != (len(perm), 2):
        return decline("the permutation or the padding is not known")
    if node.output.users and all(user.op in FIXED for user in node.output.users):
        return decline("what follows keeps its layout, so the transpose would stop there")
    pads = np.ascontiguousarray(c.array[np.argsort(perm)])
    made = g.op(node.op, x, g.constant(pads), *xs, options=node.options)
    made.type, made.quantization = node.output.type, node.output.quantization
    return _turn(g, made, perm)


@rule(op.SLICE(turned(x, p), const("begin"), const("size")))
def through_slice(g: Any, x: Any, p: Any, begin: Any, size: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None or begin.shape != (len(perm),) or size.shape != (len(perm),):
        return decline("the permutation or the range is not known")
    back = np.argsort(perm)
    ranges = [g.constant(np.ascontiguousarray(t.array[back])) for t in (begin, size)]
    made = g.SLICE(x, *ranges)
    made.type, made.quantization = node.output.type, node.output.quantization
    return _turn(g, made, perm)


@rule(op.STRIDED_SLICE(turned(x, p), const("begin"), const("end"), const("stride"), ellipsis_mask=0, new_axis_mask=0))
def through_strided_slice(g: Any, x: Any, p: Any, begin: Any, end: Any, stride: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None or any(t.shape != (len(perm),) for t in (begin, end, stride)) or node.option("shrink_axis_mask"):
        return decline("the permutation or the range is not known, or axes are dropped")
    back = np.argsort(perm)
    ranges = [g.constant(np.ascontiguousarray(t.array[back])) for t in (begin, end, stride)]
    masks = {
        name: sum((node.option(name) >> int(old) & 1) << new for new, old in enumerate(back))
        for name in ("begin_mask", "end_mask")
    }
    made = g.STRIDED_SLICE(x, *ranges, options=node.options, **masks)
    made.type, made.quantization = node.output.type, node.output.quantization
    return _turn(g, made, perm)


def _through_split(name: str, count: int) -> Any:
    """SPLIT and SPLIT_V into `count` parts."""
    axis = const("axis")
    operands = (axis, turned(x, p)) if name == "SPLIT" else (turned(x, p), const("sizes"), axis)

    @rule(list(op(name)(*operands, outputs=count)))
    def through_split(g: Any, x: Any, p: Any, axis: Any, node: Any) -> Any:
        perm, which = _perm(p), ints(axis)
        if perm is None or which is None or len(which) != 1 or not -len(perm) <= which[0] < len(perm):
            return decline("the permutation or the axis is not known")
        inner = g.constant(np.array(perm[_axis(which[0], len(perm))], np.int32).reshape(axis.shape))
        given = (inner, x) if name == "SPLIT" else (x, node.inputs[1], inner)
        parts = g.op(name, *given, options=node.options, outputs=count)
        for made, old in zip(parts, node.outputs, strict=True):
            made.type, made.quantization = old.type, old.quantization
        return [_turn(g, made, perm) for made in parts]

    return through_split


@rule(op.GATHER(turned(x, p), c, batch_dims=0))
def through_gather(g: Any, x: Any, p: Any, c: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None or len(c.shape) > 1:
        return decline("the permutation is not known, or there are too many indices")
    axis = _axis(node.option("axis"), len(perm))
    made = g.GATHER(x, c, options=node.options, axis=perm[axis])
    made.type, made.quantization = node.output.type, node.output.quantization
    return _turn(g, made, perm) if c.shape else _turn_rest(g, made, perm, {axis})


@rule(op.TILE(turned(x, p), c))
def through_tile(g: Any, x: Any, p: Any, c: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None or c.shape != (len(perm),):
        return decline("the permutation is not known")
    made = g.TILE(x, g.constant(np.ascontiguousarray(c.array[np.argsort(perm)])))
    made.type, made.quantization = node.output.type, node.output.quantization
    return _turn(g, made, perm)


@rule(op(*REDUCE)(turned(x, p), const("axes")))
def through_reduction(g: Any, x: Any, p: Any, axes: Any, node: Any) -> Any:
    perm, which = _perm(p), ints(axes)
    if perm is None or which is None or any(not -len(perm) <= a < len(perm) for a in which):
        return decline("the permutation or the axes are not known")
    gone = {_axis(a, len(perm)) for a in which}
    inner = np.array(sorted(perm[a] for a in gone), np.int32)
    made = g.op(node.op, x, g.constant(inner), options=node.options)
    made.type, made.quantization = node.output.type, node.output.quantization
    if node.option("keep_dims"):
        return _turn(g, made, perm)
    return _turn_rest(g, made, perm, gone)


@rule(op("ARG_MAX", "ARG_MIN")(turned(x, p), const("axis")))
def through_arg(g: Any, x: Any, p: Any, axis: Any, node: Any) -> Any:
    perm, which = _perm(p), ints(axis)
    if perm is None or which is None or len(which) != 1 or not -len(perm) <= which[0] < len(perm):
        return decline("the permutation or the axis is not known")
    gone = _axis(which[0], len(perm))
    made = g.op(node.op, x, g.constant(np.array(perm[gone], np.int32)), options=node.options)
    made.type, made.quantization = node.output.type, node.output.quantization
    return _turn_rest(g, made, perm, {gone})


def _turn_rest(g: Any, made: Tensor, perm: list[int], gone: set[int]) -> Tensor:
    """Behind an operator that takes the axes `gone` (of the transposed operand) away."""
    left = [perm[i] for i in range(len(perm)) if i not in gone]
    order = [sorted(left).index(a) for a in left]
    return made if order == list(range(len(order))) else _turn(g, made, order)


def _groups(before: tuple[int, ...], after: tuple[int, ...]) -> list[tuple[list[int], list[int]]] | None:
    """Which axes of a reshape become which: runs of both sides with the same product; None: not told by sizes > 1."""
    made: list[tuple[list[int], list[int]]] = []
    i = k = 0
    while i < len(before) and k < len(after):
        left, right = [i], [k]
        u, v = before[i], after[k]
        while u != v:
            if u < v:
                i += 1
                if i == len(before):
                    return None
                left.append(i)
                u *= before[i]
            else:
                k += 1
                if k == len(after):
                    return None
                right.append(k)
                v *= after[k]
        made.append((left, right))
        i, k = i + 1, k + 1
    return made if i == len(before) and k == len(after) else None


def _through_reshape(inner_too: bool) -> Any:
    @rule(op.RESHAPE(turned(x, p), any_("s")))
    def through_reshape(g: Any, x: Any, p: Any, node: Any) -> Any:
        """A reshape that splits or joins axes does so before the transpose too. `inner_too`: axes that lie apart are
        brought together by a transpose of their own (shuffled channels)."""
        perm, after = _perm(p), node.output.shape
        if perm is None or x.shape is None or after is None or not per_tensor(x):
            return decline("the permutation or a shape is not known, or scales lie along an axis")
        if min((*x.shape, *after), default=1) < 1:
            return decline("a dimension is open or zero")
        groups = _groups(tuple(x.shape[a] for a in perm), after)
        if groups is None or len(groups) < 2 or any(len(i) > 1 and len(k) > 1 for i, k in groups):
            return decline("the reshape mixes axes")
        sources = [[perm[i] for i in left] for left, _ in groups]
        order = sorted(range(len(groups)), key=lambda n: min(sources[n]))
        inner = [a for n in order for a in sources[n]]
        if order == list(range(len(groups))):
            return decline("the transpose would not come through")
        if inner != list(range(len(perm))):
            if not inner_too:
                return decline("joins axes that lie apart")
            x = _turn(g, x, inner)
        shape = [after[k] for n in order for k in groups[n][1]]
        made = g.RESHAPE(x, g.constant(np.array(shape, np.int32)))
        made.type, made.quantization = node.output.type, node.output.quantization
        starts = {n: sum(len(groups[m][1]) for m in order[: order.index(n)]) for n in order}
        outer = [starts[n] + i for n in range(len(groups)) for i in range(len(groups[n][1]))]
        return _turn(g, made, outer)

    return through_reshape


@rule(op("SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION")(turned(x, p)))
def through_softmax(g: Any, x: Any, p: Any, node: Any) -> Any:
    perm = _perm(p)
    if perm is None or not perm or perm[-1] != len(perm) - 1:
        return decline("the last axis moves")
    made = g.op(node.op, x, options=node.options)
    made.type, made.quantization = node.output.type, node.output.quantization
    return _turn(g, made, perm)


# ---- Ending ----


@rule(op.FULLY_CONNECTED(op.RESHAPE(turned(x, p), any_("s")).named("flat"), w, b).named("dense"))
def into_dense_weights(g: Any, x: Any, p: Any, w: Any, b: Any, flat: Any, dense: Any) -> Any:
    perm = _perm(p)
    if perm is None or perm[:1] != [0] or x.shape is None or -1 in x.shape[1:] or not is_float(w) or w.used > 1:
        return decline("the axes are not known, or the weights are not plain float32 of their own")
    shape = flat.output.shape
    count = int(np.prod(x.shape[1:]))
    if shape is None or len(shape) != 2 or shape[1] != count or w.shape[1] != count:
        return decline("does not flatten everything behind the batch")
    axes = perm[1:]  # axis i of the flattened tensor is axis axes[i] of x
    inner = w.array.reshape([w.shape[0]] + [x.shape[a] for a in axes])
    order = [0] + [1 + axes.index(a) for a in sorted(axes)]
    weights = np.ascontiguousarray(inner.transpose(order)).reshape(w.shape)
    flat_x = g.RESHAPE(x, g.constant(np.array([-1, count], np.int32)))
    return g.FULLY_CONNECTED(flat_x, g.constant(weights), b, options=dense.options)


# ---- The pass ----

STRICT = [
    transposes_together, nothing_moves, through_unary, through_binary, through_binary_twice, through_binary_left,
    through_binary_right, through_binary_ones_left, through_binary_ones_right, _through_concatenation(False),
    through_padding, through_slice, through_strided_slice, through_gather, through_tile, through_reduction, through_arg,
    through_softmax, into_dense_weights, _through_reshape(False),
    *(_through_split(name, count) for name in ("SPLIT", "SPLIT_V") for count in range(2, 9)),
]  # fmt: skip
SHARING = [r.sharing() for r in STRICT] + [_through_concatenation(True), _through_reshape(True)]


def run(model: Model) -> int:
    changes = _slide(model, STRICT)
    if not cost(model)[0]:
        return changes
    trial = model.copy()
    tried = _slide(trial, SHARING)
    if tried and cost(trial) < cost(model):
        model.__dict__.update(trial.__dict__)
        changes += tried + _slide(model, STRICT)
    return changes


def _slide(model: Model, rules: list[Any]) -> int:
    changes = rewrite(model, rules, name="layout", infer=infer)
    infer(model)
    for graph in model.graphs:
        for node in reversed(graph.nodes):
            if node.op in ("TRANSPOSE", "RESHAPE") and not any(t.used for t in node.outputs):
                graph.remove(node)
                changes += 1
    return changes


def cost(model: Model) -> tuple[int, int]:
    """Elements that transposes move, and how many transposes there are; open dimensions count as one."""
    moved = count = 0
    for node in model.nodes():
        if node.op == "TRANSPOSE" and not node.custom:
            given, perm = node.input(0), _perm_or_none(node.input(1))
            count += 1
            if given is not None and given.shape is not None and not (perm and moves_nothing(given.shape, perm)):
                moved += int(np.prod([max(d, 1) for d in given.shape]))
    return moved, count


def _perm_or_none(t: Tensor | None) -> list[int] | None:
    return None if t is None else _perm(t)
