"""The rewriter: what patterns match, what the driver guarantees, and that its work stays linear."""

from __future__ import annotations

import time

import numpy as np
import pytest
from samara.converter.ir import Graph, Model
from samara.converter.rewrite import RewriteError, _Driver, any_, const, decline, maybe, op, rest, rewrite, rule
from samara.converter.text import parse

x, y, c = any_("x"), any_("y"), const("c")


def graph(*lines, output="out"):
    return parse("\n".join(["model", 'graph g0 "main"', *("  " + line for line in lines), f"  output {output}"]))


def ops(model):
    return [node.op for node in model.main]


def check(model, *rules, fired=1, **more):
    assert rewrite(model, rules, **more) == fired
    model.verify()
    return model


# ---- Patterns ----


def test_names_types_and_shapes_stay():
    @rule(op.RELU(op.ABS(x)))
    def one(g, x):
        return g.EXP(g.NEG(x))

    m = graph("input x: FLOAT32[2]", "a: FLOAT32[2] = ABS(x)", "out: FLOAT32[2] = RELU(a)")
    m.add_signature()
    out = m.main.outputs[0]
    check(m, one)
    assert ops(m) == ["NEG", "EXP"] and m.main.outputs == [out] == list(m.signatures[0].outputs.values())
    assert (out.name, out.shape, out.type.name) == ("out", (2,), "FLOAT32")
    assert m.main.nodes[0].output.name == "out/neg"


@pytest.mark.parametrize("order", ["a, x", "x, a"])
def test_commutative_operands_match_in_both_orders(order):
    @rule(op.MUL(op.LOGISTIC(x), x))
    def silu(g, x):
        return g.HARD_SWISH(x)

    m = graph("input x: FLOAT32[2]", "a: FLOAT32[2] = LOGISTIC(x)", f"out: FLOAT32[2] = MUL({order})")
    assert ops(check(m, silu)) == ["HARD_SWISH"]
    m = graph(
        "input x: FLOAT32[2]", "input z: FLOAT32[2]", "a: FLOAT32[2] = LOGISTIC(x)", "out: FLOAT32[2] = MUL(a, z)"
    )
    check(m, silu, fired=0)


def test_numbers_constants_options_and_alternatives():
    @rule(op.MUL(op.ADD(x, 3.0, fused_activation_function="RELU6") | op.SUB(x, -3.0), c))
    def found(g, x, c):
        return g.MAXIMUM(x, c)

    lines = ["input x: FLOAT32[2]", "const k: FLOAT32[] = [3.0]", "const n: FLOAT32[2] = [-3.0, -3.0]"]
    tail = "out: FLOAT32[2] = MUL(k, a)"
    assert ops(check(graph(*lines, "a: FLOAT32[2] = ADD(k, x) fused_activation_function=RELU6", tail), found)) == [
        "MAXIMUM"
    ]
    assert ops(check(graph(*lines, "a: FLOAT32[2] = SUB(x, n)", tail), found)) == ["MAXIMUM"]
    check(graph(*lines, "a: FLOAT32[2] = ADD(k, x)", tail), found, fired=0)
    check(graph(*lines, "a: FLOAT32[2] = ADD(n, x) fused_activation_function=RELU6", tail), found, fired=0)


def test_optional_and_variadic_operands():
    seen = []

    @rule(op.FULLY_CONNECTED(x, c, maybe("b")))
    def dense(g, x, b):
        seen.append(b)
        return decline("only looking")

    @rule(op.CONCATENATION(rest("xs")))
    def join(g, xs):
        return g.ADD_N(*xs)

    lines = ["input x: FLOAT32[1,2]", "const w: FLOAT32[2,2] = [1, 2, 3, 4]", "const b: FLOAT32[2] = [1, 2]"]
    check(graph(*lines, "out: FLOAT32[1,2] = FULLY_CONNECTED(x, w, b)"), dense, fired=0)
    check(graph(*lines, "out: FLOAT32[1,2] = FULLY_CONNECTED(x, w, -)"), dense, fired=0)
    check(graph(*lines, "out: FLOAT32[1,2] = FULLY_CONNECTED(x, w)"), dense, fired=0)
    assert [b and b.name for b in seen] == ["b", None, None]
    m = graph("input x: FLOAT32[2]", "out: FLOAT32[6] = CONCATENATION(x, x, x)")
    m.main.outputs[0].shape = None
    assert len(check(m, join).main.nodes[0].inputs) == 3


def test_several_outputs():
    a, b = op.SPLIT(c, x, outputs=2)

    @rule([a, b])
    def halves(g, x):
        return g.ABS(x, shape=[1]), g.NEG(x, shape=[1])

    m = graph(
        "input x: FLOAT32[2]", "const k: INT32[] = [0]", "a: FLOAT32[1], b: FLOAT32[1] = SPLIT(k, x) num_splits=2",
        "out: FLOAT32[1] = SUB(a, b)",
    )  # fmt: skip
    check(m, halves)
    assert sorted(ops(m)) == ["ABS", "NEG", "SUB"]


def test_two_roots_found_through_a_shared_operand():
    @rule([op.SIN(x), op.COS(x)])
    def both(g, x):
        return g.EXP(x), g.LOG(x)

    m = graph(
        "input x: FLOAT32[2]", "a: FLOAT32[2] = ABS(x)", "s: FLOAT32[2] = SIN(a)", "n: FLOAT32[2] = NEG(s)",
        "k: FLOAT32[2] = COS(a)", "out: FLOAT32[2] = ADD(n, k)",
    )  # fmt: skip
    check(m, both)
    assert sorted(ops(m)) == ["ABS", "ADD", "EXP", "LOG", "NEG"]


def test_a_node_at_two_places_is_one_node():
    e = op.EXP(x)

    @rule(op.DIV(e, op.SUM(e, c)))
    def softmax(g, x):
        return g.SOFTMAX(x)

    lines = ["input x: FLOAT32[2]", "input z: FLOAT32[2]", "const k: INT32[] = [0]", "e: FLOAT32[2] = EXP(x)"]
    good = graph(*lines, "s: FLOAT32[1] = SUM(e, k)", "out: FLOAT32[2] = DIV(e, s)")
    assert ops(check(good, softmax)) == ["SOFTMAX"]
    bad = graph(*lines, "f: FLOAT32[2] = EXP(z)", "s: FLOAT32[1] = SUM(f, k)", "out: FLOAT32[2] = DIV(e, s)")
    check(bad, softmax, fired=0)


# ---- What the driver guarantees ----


def test_single_use(capsys, monkeypatch):
    @rule(op.RELU(op.ABS(x)))
    def strict(g, x):
        return g.EXP(x)

    @rule(op.RELU(op.ABS(x).shared()))
    def loose(g, x):
        return g.EXP(x)

    lines = ["input x: FLOAT32[2]", "a: FLOAT32[2] = ABS(x)", "r: FLOAT32[2] = RELU(a)", "out: FLOAT32[2] = ADD(a, r)"]
    monkeypatch.setenv("SAMARA_TRACE", "tidy")
    check(graph(*lines), strict, fired=0, name="tidy")
    assert (
        "tidy: strict declined at <RELU 'r'>: <tensor 'a' FLOAT32[2]> is used elsewhere too" in capsys.readouterr().err
    )
    assert sorted(ops(check(graph(*lines), loose, name="tidy"))) == ["ABS", "ADD", "EXP"]
    assert "tidy: loose at <RELU 'r'>" in capsys.readouterr().err
    check(graph(*lines[:3], output="r, a"), strict, fired=0)


def test_a_declining_rule_leaves_nothing_behind():
    @rule(op.RELU(x))
    def shy(g, x):
        g.EXP(g.NEG(x))
        return decline("not today")

    m = graph("input x: FLOAT32[2]", "out: FLOAT32[2] = RELU(x)")
    check(m, shy, fired=0)
    assert ops(m) == ["RELU"] and list(m.main.inputs[0].users) == m.main.nodes


def test_an_output_does_not_become_an_input():
    @rule(op.RELU(x))
    def gone(g, x):
        return x

    m = graph("input x: FLOAT32[2]", "a: FLOAT32[2] = RELU(x)", "out: FLOAT32[2] = RELU(a)")
    check(m, gone)
    assert ops(m) == ["RELU"] and m.main.outputs[0].name == "out"
    m = graph("input x: FLOAT32[2]", "a: FLOAT32[2] = ABS(x)", "out: FLOAT32[2] = RELU(a)", output="out, a")
    check(m, gone, fired=0)


def test_wrong_rules_are_defects():
    @rule(op.RELU(x))
    def other_type(g, x):
        return g.NOT_EQUAL(x, x, type="BOOL")

    @rule(op.RELU(x))
    def other_shape(g, x):
        return g.ABS(x, shape=[3])

    @rule(op.RELU(x))
    def endless(g, x):
        return g.RELU(x)

    for wrong, message in ((other_type, "another type"), (other_shape, "another shape"), (endless, "keeps firing")):
        with pytest.raises(RewriteError, match=message):
            rewrite(graph("input x: FLOAT32[2]", "out: FLOAT32[2] = RELU(x)"), [wrong])


def long_graph(blocks):
    """Ten nodes a block, three of them matches of `silu`."""
    g = Graph("long")
    t = g.input("x", "FLOAT32", [1, 8])
    k = g.constant(np.ones(8, np.float32), "k")
    for i in range(blocks):
        for j in range(4):
            t = g.ADD(t, k, type="FLOAT32", shape=[1, 8], name=f"add{i}_{j}")
        for j in range(3):
            s = g.LOGISTIC(t, type="FLOAT32", shape=[1, 8], name=f"logistic{i}_{j}")
            t = g.MUL(t, s, type="FLOAT32", shape=[1, 8], name=f"mul{i}_{j}")
    g.output(t)
    return Model([g])


@rule(op.MUL(x, op.LOGISTIC(x)))
def silu(g, x):
    return g.HARD_SWISH(x)


def test_1500_matches_in_5000_nodes_take_under_a_second():
    model = long_graph(500)
    assert len(model.main) == 5000
    start = time.process_time()
    assert rewrite(model, [silu]) == 1500
    seconds = time.process_time() - start
    print(f"1500 matches in 5000 nodes: {seconds:.3f} s")
    assert seconds < 1
    assert len(model.main) == 3500


def test_work_grows_with_the_graph(monkeypatch):
    """Attempts to match, counted: as many for each node of a graph however large it is."""
    attempts = []
    real = _Driver.attempt
    monkeypatch.setattr(_Driver, "attempt", lambda *a: attempts.append(a[-1].op) or real(*a))
    found = []
    for blocks in (50, 500):
        attempts.clear()
        rewrite(long_graph(blocks), [silu])
        found.append(len(attempts) / (10 * blocks))
    print(f"attempts for each node: {found[0]:.2f} of 500 nodes, {found[1]:.2f} of 5000")
    assert found[1] < 1.1 * found[0] < 4
