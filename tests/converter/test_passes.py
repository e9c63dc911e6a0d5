"""The three laws for every pass on every shared model, and what each pass is for on small graphs."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from litert_oracle import LITERT_DIES, litert
from samara.converter import versions
from samara.converter.export import from_bytes, to_bytes
from samara.converter.infer import infer
from samara.converter.ir import Graph, Model
from samara.converter.passes import canonicalize, cse, dce, fold, fuse, patterns, share
from samara.converter.pipeline import PIPELINE, apply, name_of, optimize
from samara.converter.text import dump, parse
from samara.interpreter._native import builtin_ops

import samara

ROOT = Path(os.environ.get("SAMARA_MODELS", Path(__file__).resolve().parents[2].parent / "shared" / "models"))
MODELS = sorted(ROOT.rglob("*.tflite"))
if not MODELS:
    shared = pytest.mark.skip(reason=f"no shared models at {ROOT}; set SAMARA_MODELS")
else:
    shared = pytest.mark.parametrize("path", MODELS, ids=lambda p: str(p.relative_to(ROOT)))
PASSES = list(dict.fromkeys(PIPELINE))


def random_like(detail, rng):
    shape, dtype = detail["shape"], np.dtype(detail["dtype"])
    if dtype.kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        low = -100 if dtype.itemsize < 4 and dtype.kind == "i" else 0
        return rng.integers(low, 100 if dtype.itemsize < 4 else 2, shape).astype(dtype)
    if dtype.kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    return np.full(shape, b"text", object)


def outputs(model, seed=0):
    """The outputs for seeded inputs; None where the runtime cannot run the model."""
    try:
        run = samara.Interpreter(model_content=model if isinstance(model, bytes) else to_bytes(model))
        run.allocate_tensors()
    except samara.SamaraError:
        return None
    rng = np.random.default_rng(seed)
    for detail in run.get_input_details():
        run.set_tensor(detail["index"], random_like(detail, rng))
    try:
        run.invoke()
    except samara.DataError:
        return None
    return [run.get_tensor(d["index"]) for d in run.get_output_details()]


def close(a, b, rtol=1e-5):
    """Equal; floats to `rtol` of the largest value."""
    assert len(a) == len(b)
    for p, q in zip(a, b, strict=True):
        assert p.shape == q.shape and p.dtype == q.dtype
        if p.dtype.kind in "fc" and p.size:
            assert np.array_equal(np.isfinite(p), np.isfinite(q))
            finite = np.isfinite(p)
            scale = np.abs(p[finite]).max(initial=1e-6)
            assert np.abs(p[finite] - q[finite]).max(initial=0) <= rtol * scale
        else:
            assert np.array_equal(p, q)


# ---- The laws ----


@shared
@pytest.mark.parametrize("step", PASSES, ids=name_of)
def test_laws(step, path):
    model = from_bytes(path.read_bytes())
    before = outputs(path.read_bytes())
    changes = apply(step, model)
    infer(model)
    model.verify(complete=True)
    once = to_bytes(model)
    assert apply(step, model) == 0
    infer(model)
    assert to_bytes(model) == once
    if changes and before is not None:
        close(before, outputs(once))


@shared
def test_laws_of_the_pipeline(path):
    data = path.read_bytes()
    model = optimize(from_bytes(data))
    model.verify(complete=True)
    once = to_bytes(model)
    assert len(once) <= len(data) + 64
    assert to_bytes(optimize(model)) == once
    before = outputs(data)
    if before is not None:
        close(before, outputs(once))


@shared
def test_litert_runs_the_optimized_model(path):
    if path.name in LITERT_DIES:
        pytest.skip("LiteRT ends the process on this model")
    data = path.read_bytes()
    before, after = litert(data), litert(to_bytes(optimize(from_bytes(data))))
    if isinstance(before, str):
        pytest.skip(f"LiteRT refuses the original: {before}")
    assert not isinstance(after, str), after
    close(before, after)


def test_versions_exist():
    known = {name: version for name, version, _ in builtin_ops()}
    rows = [(op, v) for op, rules in versions.RULES.items() for v, _ in rules]
    rows += [(op, v) for op, kinds in versions.TYPES.items() for v in kinds.values()]
    assert [row for row in rows if row[1] > known.get(row[0], 99)] == []


# ---- Small graphs ----


class Net:
    """A graph being built, with random weights; `done` checks that a pass keeps its numbers."""

    def __init__(self, *shape, seed=1):
        self.rng = np.random.default_rng(seed)
        self.g = Graph("net")
        self.x = self.g.input("x", "FLOAT32", shape)

    def const(self, *shape, low=-1.0, high=1.0):
        return self.g.constant(self.rng.uniform(low, high, shape).astype(np.float32))

    def ints(self, *values):
        return self.g.constant(np.array(values, np.int32))

    def num(self, value):
        return self.g.constant(np.float32(value))

    def conv(self, x, out, k=3, bias=True, **options):
        channels = int(x.shape[-1]) if x.shape else self.channels
        options = {"padding": "SAME", "stride_w": 1, "stride_h": 1, **options}
        y = self.g.CONV_2D(x, self.const(out, k, k, channels), self.const(out) if bias else None, **options)
        infer(self.done(y, run=False))
        return y

    def done(self, *results, run=True):
        self.g.outputs = list(results)
        model = Model([self.g])
        if run:
            infer(model)
            model.verify(complete=True)
        return model


def run_pass(model, *steps, seed=0, rtol=1e-5):
    """Applies passes (the whole pipeline if none is given); checks the numbers; answers the counts of operators."""
    before = reference(model, seed)
    if steps:
        for step in steps:
            apply(step, model)
            infer(model)
    else:
        optimize(model)
    model.verify(complete=True)
    close(before, reference(model, seed), rtol)
    return dict(Counter(node.op for node in model.main))


def reference(model, seed=0):
    data = to_bytes(model)
    found = outputs(data, seed)
    if found is not None:
        return found
    litert = pytest.importorskip("ai_edge_litert.interpreter")  # an operator our build does not have yet
    run = litert.Interpreter(
        model_content=data, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    run.allocate_tensors()
    rng = np.random.default_rng(seed)
    for detail in run.get_input_details():
        run.set_tensor(detail["index"], random_like(detail, rng))
    run.invoke()
    return [run.get_tensor(d["index"]) for d in run.get_output_details()]


def test_reshapes_and_identities():
    n = Net(2, 3, 4)
    g = n.g
    y = g.EXPAND_DIMS(n.x, n.ints(1))
    y = g.SQUEEZE(g.RESHAPE(y, n.ints(2, 1, 12)), squeeze_dims=[1])
    y = g.ADD(g.TRANSPOSE(y, n.ints(0, 1)), n.num(0))
    y = g.GATHER(g.MUL(y, n.num(1)), n.ints(0, 1), axis=0)
    y = g.RESHAPE(y, n.ints(24))
    y = g.RESHAPE(g.GATHER(y, g.constant(np.arange(24, dtype=np.int32).reshape(4, 6))), n.ints(6, 4))
    assert run_pass(n.done(g.NEG(g.NEG(g.NEG(y)))), canonicalize) == {"RESHAPE": 1, "NEG": 1}


def test_a_gather_out_of_order_stays():
    n = Net(3, 4)
    g = n.g
    y = g.GATHER(g.GATHER(n.x, n.ints(0, 2, 1), axis=0), n.ints(0, 1), axis=0)
    assert run_pass(n.done(y), canonicalize) == {"GATHER": 2}


def test_arithmetic_has_one_form():
    n = Net(2, 8)
    g = n.g
    y = g.DIV(g.SUB(n.x, n.const(8)), n.const(8, low=0.5))
    y = g.MINIMUM(g.MAXIMUM(y, n.num(0)), n.num(6))
    z = g.DIV(n.num(1), g.SQRT(g.ADD(g.POW(y, n.num(2)), n.num(1))))
    assert run_pass(n.done(z), canonicalize) == {"ADD": 2, "MUL": 1, "RELU6": 1, "SQUARE": 1, "RSQRT": 1}


def test_constants_are_computed():
    n = Net(2, 8)
    g = n.g
    first = g.SQUEEZE(g.SLICE(g.SHAPE(n.x, out_type="INT32"), n.ints(0), n.ints(1)))
    shape = g.PACK(first, g.constant(np.int32(-1)), values_count=2, axis=0)
    y = g.RESHAPE(n.x, shape)
    y = g.ADD(y, g.TRANSPOSE(g.MUL(n.const(8, 2), n.num(3)), n.ints(1, 0)))
    assert run_pass(n.done(y), fold) == {"RESHAPE": 1, "ADD": 1}


def test_large_results_are_not_folded():
    n = Net(1, 512, 512)
    y = n.g.ADD(n.x, n.g.FILL(n.ints(1, 512, 512), n.num(2)))
    assert run_pass(n.done(y), fold) == {"FILL": 1, "ADD": 1}


def test_dead_code_and_subgraphs():
    n = Net(2, 8)
    dead = n.g.ABS(n.g.NEG(n.x))
    kept = n.g.EXP(n.x)
    model = n.done(kept)
    other = Graph("never called")
    other.outputs = [other.ABS(other.input("x", "FLOAT32", [1]), type="FLOAT32", shape=[1])]
    model.graphs.append(other)
    assert dead.producer is not None
    assert run_pass(model, dce) == {"EXP": 1} and len(model.graphs) == 1


def test_equal_things_are_one():
    n = Net(2, 8)
    g = n.g
    a = g.ADD(g.TRANSPOSE(n.x, n.ints(1, 0)), n.num(1))
    b = g.ADD(g.TRANSPOSE(n.x, n.ints(1, 0)), n.num(1))
    assert run_pass(n.done(g.MUL(a, b)), cse) == {"TRANSPOSE": 1, "ADD": 1, "MUL": 1}


def test_equal_bytes_are_one_buffer():
    n = Net(2, 8)
    g = n.g
    w = np.arange(64, dtype=np.float32)
    y = g.FULLY_CONNECTED(n.x, g.constant(w.reshape(8, 8)), None)
    y = g.FULLY_CONNECTED(y, g.constant(w.reshape(8, 8).copy()), g.constant(w[:8].copy()))
    model = n.done(y)
    before = len(to_bytes(model))
    apply(share, model)
    assert before - len(to_bytes(model)) >= 256


def nchw(n, x, out, k=3, stride=1, pad=True):
    """A convolution of an NCHW network: transposed to NHWC and back, with explicit padding."""
    g = n.g
    if pad:
        x = g.PAD(x, g.constant(np.array([[0, 0], [0, 0], [k // 2, k // 2], [k // 2, k // 2]], np.int32)))
    infer(n.done(x, run=False))
    channels = x.shape[1]
    y = g.TRANSPOSE(x, n.ints(0, 2, 3, 1))
    y = g.CONV_2D(
        y, n.const(out, k, k, channels), n.const(out), padding="VALID", stride_w=stride, stride_h=stride
    )  # fmt: skip
    return g.TRANSPOSE(y, n.ints(0, 3, 1, 2))


def batch_norm(n, x, channels):
    """As exporters write it, in NCHW."""
    g = n.g
    y = g.SUB(x, n.const(1, channels, 1, 1))
    y = g.DIV(y, n.const(1, channels, 1, 1, low=0.5, high=2))
    return g.ADD(g.MUL(y, n.const(1, channels, 1, 1)), n.const(1, channels, 1, 1))


def test_a_residual_network_from_nchw_keeps_no_transpose():
    n = Net(1, 8, 9, 9)
    g = n.g
    x = g.TRANSPOSE(n.x, n.ints(0, 1, 2, 3))
    stem = g.RELU(batch_norm(n, nchw(n, x, 16), 16))
    y = g.RELU(batch_norm(n, nchw(n, stem, 16), 16))
    y = batch_norm(n, nchw(n, y, 16), 16)
    # squeeze and excitation
    s = g.MEAN(y, n.ints(2, 3), keep_dims=True)
    s = g.RELU(nchw(n, s, 4, k=1, pad=False))
    s = g.LOGISTIC(nchw(n, s, 16, k=1, pad=False))
    y = g.MUL(y, s)
    y = g.RELU(g.ADD(y, stem))
    t = nchw(n, y, 8, stride=1)
    t = g.MUL(t, g.LOGISTIC(t))
    y = g.CONCATENATION(y, t, axis=1)
    y = g.MEAN(y, n.ints(2, 3))
    y = g.FULLY_CONNECTED(y, n.const(10, 24), n.const(10))
    model = n.done(y)
    ops = run_pass(model)
    assert ops.pop("TRANSPOSE") == 1  # of the NCHW input itself
    assert ops == {
        "CONV_2D": 6, "MEAN": 2, "LOGISTIC": 2, "MUL": 2, "ADD": 1, "CONCATENATION": 1, "FULLY_CONNECTED": 1,
    }  # fmt: skip


def test_flattening_goes_into_the_dense_weights():
    n = Net(1, 5, 6, 3)
    g = n.g
    y = n.conv(n.x, 4)
    y = g.TRANSPOSE(y, n.ints(0, 3, 1, 2))
    y = g.FULLY_CONNECTED(g.RESHAPE(y, n.ints(-1, 120)), n.const(7, 120), n.const(7))
    assert run_pass(n.done(y)) == {"CONV_2D": 1, "RESHAPE": 1, "FULLY_CONNECTED": 1}


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_scales_and_offsets_go_into_the_weights(kind):
    n = Net(1, 6, 6, 4)
    g = n.g
    y = g.ADD(g.MUL(n.x, n.const(4)), n.const(1, 1, 1, 4))
    window = {"stride_w": 1, "stride_h": 1, "padding": "VALID"}
    if kind == "CONV_2D":
        y = g.CONV_2D(y, n.const(8, 3, 3, 4), None, **window)
    elif kind == "DEPTHWISE_CONV_2D":
        y = g.DEPTHWISE_CONV_2D(y, n.const(1, 3, 3, 8), n.const(8), depth_multiplier=2, **window)
    else:
        y = g.FULLY_CONNECTED(y, n.const(8, 4), n.const(8), keep_num_dims=True)
    y = g.RELU6(g.ADD(g.MUL(y, n.const(8)), n.const(8)))
    assert run_pass(n.done(y), canonicalize, fuse) == {kind: 1}


def test_padding_that_same_would_add():
    n = Net(1, 7, 7, 4)
    pads = n.g.constant(np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    y = n.conv(n.g.PAD(n.x, pads, type="FLOAT32", shape=[1, 9, 9, 4]), 8, padding="VALID", stride_w=2, stride_h=2)
    assert run_pass(n.done(y), fuse) == {"CONV_2D": 1}
    n = Net(1, 8, 8, 4)  # SAME would pad 0 before and 1 behind
    pads = n.g.constant(np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    y = n.conv(n.g.PAD(n.x, pads, type="FLOAT32", shape=[1, 10, 10, 4]), 8, padding="VALID", stride_w=2, stride_h=2)
    assert run_pass(n.done(y), fuse) == {"PAD": 1, "CONV_2D": 1}


@pytest.mark.parametrize("cut", [False, True])
def test_what_follows_a_transposed_convolution(cut):
    n = Net(1, 5, 6, 4)
    g = n.g
    y = g.TRANSPOSE_CONV(n.ints(1, 11, 13, 8), n.const(8, 3, 3, 4), n.x, padding="VALID", stride_w=2, stride_h=2)
    if cut:
        y = g.SLICE(y, n.ints(0, 1, 1, 0), n.ints(-1, 10, 12, -1))
    y = g.RELU(g.ADD(g.MUL(g.ADD(y, n.const(8)), n.const(8)), n.const(1, 1, 1, 8)))
    assert run_pass(n.done(y)) == {"TRANSPOSE_CONV": 1, **({"SLICE": 1} if cut else {})}


def dense(n, x, out):
    infer(n.done(x, run=False))
    return n.g.FULLY_CONNECTED(x, n.const(out, x.shape[-1]), n.const(out), keep_num_dims=True)


def test_norms_go_into_all_the_dense_layers_behind():
    n = Net(2, 3, 8)
    g = n.g
    y = g.ADD(g.MUL(n.x, n.const(8)), n.const(8))
    assert run_pass(n.done(*(dense(n, y, 4) for _ in range(3)))) == {"FULLY_CONNECTED": 3}
    n = Net(2, 3, 8)
    y = n.g.ADD(n.g.MUL(n.x, n.const(8)), n.const(8))
    n.done(dense(n, y, 4), n.g.NEG(y))
    assert run_pass(n.done(*n.g.outputs)) == {"FULLY_CONNECTED": 1, "MUL": 1, "ADD": 1, "NEG": 1}


def heads(n, x):
    """[batch, steps, 2 * 4] to [batch, 2, steps, 4]."""
    return n.g.TRANSPOSE(n.g.RESHAPE(x, n.ints(2, 5, 2, 4)), n.ints(0, 2, 1, 3))


@pytest.mark.parametrize("where", ["scores", "both", "query"])
def test_the_scale_of_attention_goes_into_the_weights(where):
    n = Net(2, 5, 8)
    g = n.g
    q, k, v = (heads(n, dense(n, n.x, 8)) for _ in range(3))
    if where != "scores":
        q = g.MUL(q, n.num(0.5))
    if where == "both":
        k = g.DIV(k, n.num(2))
    scores = g.BATCH_MATMUL(q, g.TRANSPOSE(k, n.ints(0, 1, 3, 2)))
    if where == "scores":
        scores = g.DIV(scores, g.SQRT(n.num(4)))
    y = g.BATCH_MATMUL(g.SOFTMAX(scores, beta=1.0), v)
    y = dense(n, g.RESHAPE(g.TRANSPOSE(y, n.ints(0, 2, 1, 3)), n.ints(2, 5, 8)), 8)
    assert run_pass(n.done(y)) == {
        "FULLY_CONNECTED": 4, "RESHAPE": 4, "TRANSPOSE": 4, "BATCH_MATMUL": 2, "SOFTMAX": 1,
    }  # fmt: skip


def test_the_scale_of_scores_moves_to_the_smaller_operand():
    n = Net(1, 3, 5, 2)
    g = n.g
    scores = g.MUL(g.BATCH_MATMUL(g.ABS(n.x), n.x, adj_y=True), n.num(0.5))
    model = n.done(scores)
    assert run_pass(model) == {"ABS": 1, "MUL": 1, "BATCH_MATMUL": 1}
    assert model.main.outputs[0].producer.op == "BATCH_MATMUL"


def test_the_factor_of_a_gate_goes_into_the_convolution_behind():
    n = Net(1, 6, 6, 4)
    g = n.g
    gate = g.MUL(g.RELU6(g.ADD(g.MEAN(n.x, n.ints(1, 2), keep_dims=True), n.num(3))), n.num(1 / 6))
    y = n.conv(g.MUL(n.x, gate, type="FLOAT32", shape=[1, 6, 6, 4]), 5)
    assert run_pass(n.done(y)) == {"MEAN": 1, "ADD": 1, "MUL": 1, "CONV_2D": 1}


@pytest.mark.parametrize("kind", ["MEAN", "SUM", "REDUCE_MAX"])
def test_a_reduction_drops_its_axes_itself(kind):
    n = Net(2, 5, 6, 4)
    y = n.g.RESHAPE(n.g.op(kind, n.x, n.ints(1, 2), keep_dims=True), n.ints(-1, 4))
    assert run_pass(n.done(y)) == {kind: 1}
    n = Net(2, 5, 6, 4)
    y = n.g.RESHAPE(n.g.op(kind, n.x, n.ints(1, 2), keep_dims=True), n.ints(4, 2))
    assert run_pass(n.done(y)) == {kind: 1, "RESHAPE": 1}


def named(text):
    """The operators that are left of a formula, written in Python over `g`, `x` and `k` (a number as constant)."""
    n = Net(2, 3, 16)
    return run_pass(n.done(eval(text, {"g": n.g, "x": n.x, "k": n.num, "last": n.ints(-1), "np": np})))


@pytest.mark.parametrize(
    "text, op",
    [
        ("g.MUL(x, g.DIV(g.RELU6(g.ADD(x, k(3))), k(6)))", "HARD_SWISH"),
        ("g.MUL(g.MUL(x, g.MINIMUM(g.MAXIMUM(g.ADD(k(3), x), k(0)), k(6))), k(1 / 6))", "HARD_SWISH"),
        ("g.DIV(g.MUL(g.ADD(x, k(3), fused_activation_function='RELU6'), x), k(6))", "HARD_SWISH"),
        ("g.DIV(k(1), g.ADD(k(1), g.EXP(g.NEG(x))))", "LOGISTIC"),
        (
            "g.MUL(g.MUL(k(0.5), x), g.ADD(k(1), g.TANH(g.MUL(k(0.7978845608), "
            "g.ADD(x, g.MUL(k(0.044715), g.POW(x, k(3))))))))",
            "GELU",
        ),
        ("(lambda e: g.DIV(e, g.SUM(e, last, keep_dims=True)))(g.EXP(x))", "SOFTMAX"),
        (
            "(lambda e: g.DIV(e, g.SUM(e, last, keep_dims=True)))"
            "(g.EXP(g.SUB(x, g.REDUCE_MAX(x, last, keep_dims=True))))",
            "SOFTMAX",
        ),
        ("g.LOG(g.SOFTMAX(x, beta=1.0))", "LOG_SOFTMAX"),
        ("g.MUL(g.SUM(x, last), k(1 / 16))", "MEAN"),
    ],
)
def test_formulas_with_a_name(text, op):
    assert named(text) == {op: 1}


def test_pictures_of_any_size():
    """A picture must be larger than the window before anything is known; then all folds as with known sizes."""
    n = Net(-1, -1, -1, 4)

    g = n.g
    y = g.DEPTHWISE_CONV_2D(
        n.x, n.const(1, 3, 3, 4), n.const(4), depth_multiplier=1, padding="VALID", stride_w=2, stride_h=2
    )
    y = g.ADD(g.MUL(y, n.const(4)), n.const(4))
    y = g.MUL(y, g.MUL(g.RELU6(g.ADD(y, n.num(3))), n.num(1 / 6)))
    gate = g.LOGISTIC(g.MEAN(y, n.ints(1, 2), keep_dims=True))
    model = n.done(g.MUL(y, gate))
    assert model.main.outputs[0].shape == (-1, -1, -1, 4)
    optimize(model)
    model.verify(complete=True)
    assert Counter(node.op for node in model.main) == {
        "DEPTHWISE_CONV_2D": 1, "HARD_SWISH": 1, "MEAN": 1, "LOGISTIC": 1, "MUL": 1,
    }  # fmt: skip


def test_silu_and_layer_norm_have_one_form():
    assert named("g.DIV(x, g.ADD(k(1), g.EXP(g.NEG(x))))") == {"LOGISTIC": 1, "MUL": 1}
    for variance in ("g.MEAN(g.MUL(d, d), last, keep_dims=True)", "g.MEAN(g.POW(d, k(2)), last, keep_dims=True)"):
        text = (
            "(lambda d: g.ADD(g.MUL(g.DIV(d, g.SQRT(g.ADD(" + variance + ", k(1e-5)))), k(2)), k(1)))"
            "(g.SUB(x, g.MEAN(x, last, keep_dims=True)))"
        )
        assert named(text) == {"MEAN": 2, "SUB": 1, "SQUARE": 1, "ADD": 2, "RSQRT": 1, "MUL": 2}


def test_global_average_pool_is_a_mean():
    n = Net(1, 5, 7, 4)
    y = n.g.AVERAGE_POOL_2D(n.x, padding="VALID", stride_w=1, stride_h=1, filter_width=7, filter_height=5)
    assert run_pass(n.done(y), patterns) == {"MEAN": 1}


def test_quantized_graphs_keep_their_bits():
    text = """
model
graph g0 "q"
  input x: INT8[1,8] axis=0 scale=[0.5] zero_point=[3]
  a: INT8[1,8] axis=0 scale=[0.25] zero_point=[0] = RELU(x)
  const s: INT32[2] = [1, 8]
  b: INT8[1,8] axis=0 scale=[0.25] zero_point=[0] = RESHAPE(a, s)
  out: INT8[1,8] axis=0 scale=[0.125] zero_point=[-5] = ADD(a, b)
  output out
"""
    model = parse(text)
    assert run_pass(model, canonicalize, fuse, patterns)["RELU"] == 1


def test_dump_after(capsys):
    n = Net(2, 8)
    model = n.done(n.g.NEG(n.g.NEG(n.g.ABS(n.x))))
    optimize(model, dump_after=["dce"])
    assert "# after dce\nmodel\n" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no pass is called nothing; there are: canonicalize"):
        optimize(model, dump_after=["nothing"])
    assert dump(model)
