"""Attention in Keras: multi-head, grouped-query, dot-product and additive."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...interpreter.errors import ModelError
from ..ir import Tensor
from .build import Builder, Unsupported
from .keras_activations import MASKED
from .keras_build import FIX_SHAPES, Call, flat, layer
from .keras_ops import repeated
from .words import compute_reduced, f

FAR = 1e9
"""What the layers without heads take off a masked score."""


def _causal(c: Call, query: Tensor, value: Tensor, window: int | None) -> np.ndarray:
    """Which values [steps of the query, steps of the value] a query may see."""
    rows, columns = c.size(query, 1, "the number of steps"), c.size(value, 1, "the number of steps")
    if rows * columns > 1 << 26:
        raise Unsupported(f"a causal mask of {rows} x {columns} steps is too large", "shorten the sequence")
    behind = np.arange(rows)[:, None] - np.arange(columns)[None]
    seen = behind >= 0 if c.kwargs.get("use_causal_mask", False) else np.ones_like(behind, bool)
    return seen if window is None else seen & (np.abs(behind) < window)


def _both(b: Builder, x: Tensor | None, y: Tensor | None) -> Tensor | None:
    if x is None or y is None:
        return x if y is None else y
    return b.op("LOGICAL_AND", x, y)  # type: ignore[no-any-return]


def _mask(c: Call, query: Tensor, key: Tensor | None, value: Tensor, given: Any) -> Tensor | None:
    """Which values each query sees: bool, to meet [batch, steps of the query, steps of the value]."""
    b = c.b

    def own(t: Tensor | None, name: str) -> Tensor | None:
        mask = c.kwargs.get(name)
        mask = mask if isinstance(mask, Tensor) else None if t is None else c.front.masks.get(id(t))
        return None if mask is None else b.cast(mask, "BOOL")

    found = None
    for t, name, axis in ((query, "query_mask", 2), (value, "value_mask", 1), (key, "key_mask", 1)):
        mask = own(t, name)
        if mask is not None:
            found = _both(b, found, b.expand(mask, [axis]))
    window = c.integer("sliding_window", low=1) if c.has("sliding_window") else None
    if c.kwargs.get("use_causal_mask", False) or window is not None:
        found = _both(b, found, b.const(_causal(c, query, value, window)[None], f"{c.path}/causal"))
    if isinstance(given, Tensor):
        found = _both(b, b.cast(given, "BOOL"), found)
    return found


def _heads(c: Call, x: Tensor, at: str, heads: int, size: int, scale: float = 1) -> Tensor:
    """A projection [batch, steps, heads, size]."""
    b = c.b
    width = c.size(x, 2, "the number of features")
    kernel = c.weight([width, heads, size], f"{at} kernel", at)
    bias = c.weight([heads, size], f"{at} bias", at) if c.flag("use_bias", True) else None
    w = b.const(
        np.ascontiguousarray(kernel.reshape(width, heads * size).T) * np.float32(scale), f"{c.path}/{at}/kernel"
    )
    add = None if bias is None else b.const(bias.reshape(-1) * np.float32(scale), f"{c.path}/{at}/bias")
    made = b.op("FULLY_CONNECTED", b.cast(x, "FLOAT32"), w, add, keep_num_dims=True)
    batch, steps = b.shape(x)[:2]
    if batch < 0 and steps < 0:
        raise Unsupported("attention over an open batch and an open number of steps is not supported", FIX_SHAPES)
    return b.reshape(made, [batch, steps, heads, size])


def _attended(c: Call, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, query: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax of the products of queries and keys, times the values: [batch, steps, heads, size]; and the softmax."""
    b = c.b
    q, k, v = (b.transpose(t, (0, 2, 1, 3)) for t in (q, k, v))
    scores = b.op("BATCH_MATMUL", q, k, adj_y=True)
    if mask is not None:
        if b.rank(mask) == 3:
            mask = b.expand(mask, [1])
        scores = b.op("SELECT_V2", mask, scores, b.like(scores, MASKED))
    weights = b.op("SOFTMAX", scores, beta=1.0)
    return b.transpose(b.op("BATCH_MATMUL", weights, v), (0, 2, 1, 3)), weights


def _joined(c: Call, x: Tensor, at: str, wanted: list[int]) -> Tensor:
    """The heads, projected to the result."""
    b = c.b
    batch, steps, heads, size = b.shape(x)
    kernel = c.weight([heads, size, *wanted], f"{at} kernel", at)
    bias = c.weight(wanted, f"{at} bias", at) if c.flag("use_bias", True) else None
    flat_in = b.reshape(x, [batch, steps, heads * size])
    w = b.const(np.ascontiguousarray(kernel.reshape(heads * size, -1).T), f"{c.path}/{at}/kernel")
    add = None if bias is None else b.const(bias.reshape(-1), f"{c.path}/{at}/bias")
    made = b.op("FULLY_CONNECTED", flat_in, w, add, keep_num_dims=True)
    return b.reshape(made, [batch, steps, *wanted]) if len(wanted) != 1 else made


def _places(c: Call) -> list[str]:
    """Where an archive keeps the projections of query, key, value and result."""
    names = ["query_dense", "key_dense", "value_dense", "output_dense"]
    return names if c.weights.left("query_dense") and c.kind == "MultiHeadAttention" else [f"_{n}" for n in names]


def _operands(c: Call) -> tuple[Tensor, Tensor, Tensor | None]:
    found: list[Any] = []
    for i, name in enumerate(("query", "value", "key")):
        t = c.argument(i, name)
        if not isinstance(t, Tensor) and (t is not None or i < 2):
            raise ModelError(f"{c.title}: {name} is no tensor")
        if t is not None and c.b.rank(t) != 3:
            raise Unsupported(f"{name} has {c.b.rank(t)} dimensions; only batch, steps, features are supported")
        found.append(t)
    return found[0], found[1], found[2]


def _scored(c: Call, made: Tensor, weights: Tensor) -> list[Tensor]:
    return [made, weights] if c.kwargs.get("return_attention_scores", False) else [made]


@layer("MultiHeadAttention")
def multi_head(c: Call) -> list[Tensor]:
    query, value, key = _operands(c)
    if c.has("attention_axes") and c.integers("attention_axes") not in ([1], [-2]):
        raise Unsupported("attention over other axes than the first behind the batch is not supported")
    if c.flag("use_gate", False):
        raise Unsupported("gated attention is not supported", "set use_gate to false")
    heads, size = c.integer("num_heads", low=1), c.integer("key_dim", low=1)
    value_size = c.integer("value_dim", low=1) if c.has("value_dim") else size
    at = _places(c)
    q = _heads(c, query, at[0], heads, size, 1 / math.sqrt(size))
    k = _heads(c, value if key is None else key, at[1], heads, size)
    v = _heads(c, value, at[2], heads, value_size)
    mask = _mask(c, query, key, value, c.kwargs.get("attention_mask"))
    made, weights = _attended(c, q, k, v, mask, query)
    wanted = c.integers("output_shape", low=1) if c.has("output_shape") else [c.b.shape(query)[2]]
    return _scored(c, _with_mask(c, query, _joined(c, made, at[3], wanted)), weights)


@layer("GroupQueryAttention", "GroupedQueryAttention")
def grouped_query(c: Call) -> list[Tensor]:
    b = c.b
    query, value, key = _operands(c)
    if c.flag("use_gate", False):
        raise Unsupported("gated attention is not supported", "set use_gate to false")
    size, heads = c.integer("head_dim", low=1), c.integer("num_query_heads", low=1)
    shared = c.integer("num_key_value_heads", low=1)
    if heads % shared:
        raise ModelError(f"{c.title}: {shared} heads of keys do not divide {heads} heads of queries")
    at = _places(c)
    q = _heads(c, query, at[0], heads, size, 1 / math.sqrt(size))
    k = _heads(c, value if key is None else key, at[1], shared, size)
    v = _heads(c, value, at[2], shared, size)
    k, v = (repeated(b, t, heads // shared, 2) for t in (k, v))
    mask = _mask(c, query, key, value, c.kwargs.get("attention_mask"))
    made, weights = _attended(c, q, k, v, mask, query)
    return _scored(c, _with_mask(c, query, _joined(c, made, at[3], [b.shape(query)[2]])), weights)


def _with_mask(c: Call, query: Tensor, made: Tensor) -> Tensor:
    """The result has the mask of the query."""
    mask = c.front.masks.get(id(query))
    if mask is not None:
        c.front.set_mask(made, mask)
    return made


@layer("Attention", "AdditiveAttention")
def attention(c: Call) -> list[Tensor]:
    b = c.b
    if len(c.inputs) not in (2, 3):
        raise ModelError(f"{c.title}: it is called on {len(c.inputs)} tensors instead of query, value and perhaps key")
    query, value = (b.cast(t, "FLOAT32") for t in c.inputs[:2])
    key = b.cast(c.inputs[2], "FLOAT32") if len(c.inputs) == 3 else value
    if any(b.rank(t) != 3 for t in (query, value, key)):
        raise Unsupported("only operands of batch, steps, features are supported")
    additive = c.kind == "AdditiveAttention"
    mode = "additive" if additive else c.text("score_mode", "dot")
    if mode == "dot":
        scores = b.op("BATCH_MATMUL", query, key, adj_y=True)
        if c.flag("use_scale", False):
            scores = f(b, "MUL", scores, b.const(c.weight([], "scale"), f"{c.path}/scale"))
    elif mode in ("additive", "concat"):
        scale = None
        if c.flag("use_scale", additive):
            scale = b.const(c.weight([b.shape(query)[2]] if additive else [], "scale"), f"{c.path}/scale")
        both = f(b, "ADD", b.expand(query, [2]), b.expand(key, [1]))
        if scale is not None and not additive:
            both = f(b, "MUL", both, scale)
        bent = b.op("TANH", both)
        if scale is not None and additive:
            bent = f(b, "MUL", bent, scale)
        scores = compute_reduced(b, "SUM", bent, [3], False)
        if not additive:
            scores = f(b, "MUL", scores, b.const(c.weight([], "concat_score_weight"), f"{c.path}/weight"))
    else:
        raise c.wrong("score_mode", "dot or concat")
    masks = [m if isinstance(m, Tensor) else None for m in list(flat(c.kwargs.get("mask") or []))]
    masks = masks or [c.front.masks.get(id(t)) for t in c.inputs[:2]]
    seen = None if len(masks) < 2 or masks[1] is None else b.expand(b.cast(masks[1], "BOOL"), [1])
    if c.kwargs.get("use_causal_mask", c.config.get("causal", False)):
        c.kwargs["use_causal_mask"] = True
        seen = _both(b, seen, b.const(_causal(c, query, value, None)[None], f"{c.path}/causal"))
    if seen is not None:
        scores = b.op("SELECT_V2", seen, scores, f(b, "SUB", scores, FAR))
    weights = b.op("SOFTMAX", scores, beta=1.0)
    made = b.op("BATCH_MATMUL", weights, value)
    if masks and masks[0] is not None:
        made = f(b, "MUL", made, b.cast(b.expand(masks[0], [2]), "FLOAT32"))
        c.front.set_mask(made, masks[0])
    return _scored(c, made, weights)
