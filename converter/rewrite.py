"""Graph rewriting: a pattern says what to look for, a function what to put there.

    x, w, b = any_("x"), const("w"), maybe("b")

    @rule(op.RELU(op.CONV_2D(x, w, b, fused_activation_function="NONE").named("conv")))
    def relu_into_conv(g, x, w, b, conv):
        if conv.output.quantized:
            return decline("the accumulator is rounded before the RELU")
        return g.CONV_2D(x, w, b, options=conv.options, fused_activation_function="RELU")

Patterns are written with the words that build nodes, on `op` instead of a graph. In operand places stand
    any_("x")      any tensor; the same name is the same tensor everywhere in the pattern
    const("w")     a constant               maybe("b")  any tensor, or none: bound to None
    0.5            a constant all of whose elements are that number
    None           no operand               rest("xs")  all operands from here on, as a list
    a pattern      the output of a node of that kind; `.named("conv")` binds the node
and keywords constrain options: a value, an enum name, or a function of the value. `op("RELU", "RELU6")(x)` matches
either operator, `a | b` either pattern; operands of commutative operators match in both orders. The node of
`op.SPLIT(axis, x, outputs=2)` has two outputs, each a pattern. A list of patterns matches several outputs at once.

The function gets a builder `g` (as a Graph: `g.ADD(…)`, `g.constant(…)`), and by name what the pattern bound (`node`
is the matched root). It returns the replacement of the root's output, a tuple for several, or `decline("why")`.

The driver guarantees, so that no rule has to:
    single use    nodes inside a match are used nowhere else (unless `.shared()`), so they disappear with it
    types         a replacement has the type, shape and quantization of what it replaces; a rule that returns another
                  type or shape is a defect and raises RewriteError
    names         what the graph's outputs are called does not change, and new tensors get names of their own
    an end        rules that keep undoing each other raise RewriteError after a bounded number of firings
Work is linear in practice: rules are found by the root's operator, and what surrounds a change is seen again at once.

SAMARA_TRACE=<pass>[,<pass>…] (or `all`) prints firings and refusals on stderr.
"""

from __future__ import annotations

import inspect
import itertools
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .ir import Graph, Model, Node, Tensor

COMMUTATIVE = frozenset(
    {
        "ADD", "MUL", "MAXIMUM", "MINIMUM", "EQUAL", "NOT_EQUAL", "LOGICAL_AND", "LOGICAL_OR", "SQUARED_DIFFERENCE",
        "BITWISE_XOR",
    }
)  # fmt: skip


class RewriteError(RuntimeError):
    """A rule broke its contract, or rules never come to rest."""


class Decline:
    """Why a rule leaves a match alone."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def decline(reason: str) -> Decline:
    return Decline(reason)


# ---- Patterns ----


class Pattern:
    def __or__(self, other: Pattern) -> Pattern:
        return Either((self, other))


class Var(Pattern):
    """A tensor, bound to a name."""

    def __init__(self, name: str, constant: bool = False, optional: bool = False) -> None:
        self.name = name
        self.constant = constant
        self.optional = optional


class Rest(Pattern):
    """All operands from here on, bound as a list."""

    def __init__(self, name: str) -> None:
        self.name = name


class Number(Pattern):
    """A constant filled with one number."""

    def __init__(self, value: float) -> None:
        self.value = value


class Either(Pattern):
    def __init__(self, choices: Sequence[Pattern]) -> None:
        self.choices = choices


class Out(Pattern):
    """Output `index` of a matched node."""

    def __init__(self, of: Op, index: int) -> None:
        self.of = of
        self.index = index


class Op(Pattern):
    """A node of one of some operators; as an operand, its first output."""

    def __init__(self, names: frozenset[str], inputs: tuple[Any, ...], fields: dict[str, Any]) -> None:
        self.names = names
        self.inputs = tuple(Number(i) if isinstance(i, (int, float)) else i for i in inputs)
        self.fields = fields
        self.name: str | None = None
        self.may_share = False
        self.either_order = False  # commutative with one constant operand: the match tells which

    def named(self, name: str) -> Op:
        self.name = name
        return self

    def shared(self) -> Op:
        """The node may be used outside the match too; it then stays."""
        self.may_share = True
        return self


class _Ops:
    """`op.ADD(a, b)`, `op("ADD", "SUB")(a, b)`."""

    def __call__(self, *names: str) -> Callable[..., Any]:
        def make(*inputs: Any, outputs: int | None = None, **fields: Any) -> Any:
            made = Op(frozenset(names), inputs, fields)
            return made if outputs is None else tuple(Out(made, i) for i in range(outputs))

        return make

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.isupper():
            raise AttributeError(name)
        return self(name)


op = _Ops()


def any_(name: str) -> Var:
    return Var(name)


def const(name: str) -> Var:
    return Var(name, constant=True)


def maybe(name: str) -> Var:
    return Var(name, optional=True)


def rest(name: str) -> Rest:
    return Rest(name)


def _constant_like(p: Any) -> bool:
    return isinstance(p, Number) or (isinstance(p, Var) and p.constant)


def _variants(roots: list[Any], share: bool = False) -> list[list[Any]]:
    """The roots without choices: once for each combination of alternatives and operand orders.

    A node that stands at several places of the pattern is one node in each variant. Where one operand has to be a
    constant the order needs no variant: the match sees which one is.
    """
    found: list[list[Any]] = []

    def build(p: Any, pick: dict[int, int], memo: dict[int, Any]) -> Any:
        """The pattern under these picks; raises _Undecided at a choice that none is made for."""
        if id(p) in memo:
            return memo[id(p)]
        made = p
        if isinstance(p, Either):
            if id(p) not in pick:
                raise _Undecided(p, len(p.choices))
            made = build(p.choices[pick[id(p)]], pick, memo)
        elif isinstance(p, Out):
            made = Out(build(p.of, pick, memo), p.index)
        elif isinstance(p, Op):
            inputs = p.inputs
            either = p.names <= COMMUTATIVE and len(inputs) == 2 and inputs[0] is not inputs[1] and not share
            if either and _constant_like(inputs[0]) == _constant_like(inputs[1]):
                if id(p) not in pick:
                    raise _Undecided(p, 2)
                inputs = inputs[::-1] if pick[id(p)] else inputs
                either = False
            made = Op(p.names, tuple(build(i, pick, memo) for i in inputs), p.fields)
            made.name, made.may_share, made.either_order = p.name, p.may_share or share, either or p.either_order
        memo[id(p)] = made
        return made

    waiting: list[dict[int, int]] = [{}]
    while waiting:
        pick = waiting.pop()
        try:
            memo: dict[int, Any] = {}
            found.append([build(root, pick, memo) for root in roots])
        except _Undecided as choice:
            waiting += [{**pick, id(choice.pattern): i} for i in reversed(range(choice.count))]
        if len(found) + len(waiting) > 512:
            raise RewriteError("a pattern with more than 512 variants: split it")
    return found


class _Undecided(Exception):
    def __init__(self, pattern: Any, count: int) -> None:
        super().__init__()
        self.pattern = pattern
        self.count = count


class _Match:
    """One attempt to match; `bound` by name, `nodes` by the identity of the pattern."""

    def __init__(self) -> None:
        self.bound: dict[str, Any] = {}
        self.nodes: dict[int, Node] = {}
        self.inside: dict[Node, Op] = {}

    def tensor(self, pattern: Any, t: Tensor | None) -> bool:
        if isinstance(pattern, Var):
            if t is None and not pattern.optional:
                return False
            if pattern.constant and (t is None or t.data is None):
                return False
            if pattern.name in self.bound:
                return self.bound[pattern.name] is t
            self.bound[pattern.name] = t
            return True
        if pattern is None:
            return t is None
        if t is None:
            return False
        if isinstance(pattern, Number):
            return t.data is not None and filled_with(t, pattern.value)
        of, index = (pattern.of, pattern.index) if isinstance(pattern, Out) else (pattern, 0)
        node = t.producer
        return node is not None and node.outputs[index : index + 1] == (t,) and self.node(of, node)

    def node(self, pattern: Op, node: Node) -> bool:
        known = self.nodes.get(id(pattern))
        if known is not None:
            return known is node
        if node.op not in pattern.names or node.custom or node in self.inside:
            return False
        wanted = pattern.inputs
        if wanted and isinstance(wanted[-1], Rest):
            cut = len(wanted) - 1
            if len(node.inputs) < cut:
                return False
        else:
            cut = max(len(wanted), len(node.inputs))
        for field, value in pattern.fields.items():
            found = node.option(field)
            if callable(value):
                if not value(found):
                    return False
            elif isinstance(value, str):
                if getattr(found, "name", found) != value:
                    return False
            elif found != value:
                return False
        self.nodes[id(pattern)] = node
        self.inside[node] = pattern
        operands: Sequence[Tensor | None] = node.inputs
        if pattern.either_order and len(operands) == 2:
            first = operands[0] is not None and operands[0].constant
            if first != _constant_like(wanted[0]):
                operands = operands[::-1]
        for i in range(cut):
            if not self.tensor(wanted[i] if i < len(wanted) else None, operands[i] if i < len(operands) else None):
                return False
        if cut < len(wanted) and isinstance(wanted[-1], Rest):
            self.bound[wanted[-1].name] = list(node.inputs[cut:])
        if pattern.name is not None:
            self.bound[pattern.name] = node
        return True


def filled_with(t: Tensor, value: float) -> bool:
    """Whether every element of a constant is `value` (to a relative 1e-4: exporters print numbers their own way)."""
    if t.shape is None or t.data is None or t.data.size > 1 << 16 or getattr(t.type, "name", "") == "STRING":
        return False
    array = t.real
    return bool(array.size) and array.dtype.kind in "fiu" and bool(np.allclose(array, value, rtol=1e-4, atol=1e-8))


# ---- Rules ----


class Rule:
    """A pattern (or several, for several outputs) and the function that builds its replacement."""

    def __init__(self, pattern: Any, build: Callable[..., Any], name: str | None = None) -> None:
        roots = list(pattern) if isinstance(pattern, (list, tuple)) else [pattern]
        self.name = name or build.__name__
        self.build = build
        self.wanted = list(inspect.signature(build).parameters)[1:]
        self.variants = _variants(roots)

    def heads(self) -> Iterable[tuple[str, list[Any]]]:
        for variant in self.variants:
            root = variant[0].of if isinstance(variant[0], Out) else variant[0]
            for name in root.names:
                yield name, variant

    def sharing(self) -> Rule:
        """The same rule, but every inner node may be used outside the match too; it then stays."""
        made = object.__new__(Rule)
        made.__dict__.update(self.__dict__)
        made.variants = [_variants(roots, share=True)[0] for roots in self.variants]
        return made

    def __repr__(self) -> str:
        return f"<rule {self.name}>"


def rule(pattern: Any) -> Callable[[Callable[..., Any]], Rule]:
    """`@rule(pattern)` on the function that builds the replacement."""
    return lambda build: Rule(pattern, build)


class Builder:
    """What a rule builds with: a Graph whose new nodes go where the match was."""

    def __init__(self, graph: Graph, before: Node) -> None:
        self.graph = graph
        self.before = before
        self.made: list[Node] = []

    def op(self, name: str, *inputs: Tensor | None, **fields: Any) -> Any:
        result = self.graph.op(name, *inputs, before=self.before, **fields)
        first = result if isinstance(result, Tensor) else result[0]
        assert first.producer is not None
        self.made.append(first.producer)
        return result

    def constant(self, value: Any, name: str = "", type: Any = None, quantization: Any = None) -> Tensor:
        return self.graph.constant(value, name, type, quantization)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.isupper():
            raise AttributeError(name)
        return lambda *inputs, **fields: self.op(name, *inputs, **fields)


def _candidates(pattern: Any, match: _Match) -> Iterable[Node]:
    """Nodes that may be the root of a further pattern of the match: found from what is bound, through users."""
    of = pattern.of if isinstance(pattern, Out) else pattern
    if id(of) in match.nodes:
        return [match.nodes[id(of)]]
    starts: list[Tensor] = []

    def leaves(p: Any, depth: int) -> int:
        if isinstance(p, Out):
            p = p.of
        if isinstance(p, Op):
            if id(p) in match.nodes:
                starts.extend(match.nodes[id(p)].outputs)
                return depth
            return max((leaves(i, depth + 1) for i in p.inputs), default=depth)
        if isinstance(p, Var) and isinstance(match.bound.get(p.name), Tensor):
            starts.append(match.bound[p.name])
        return depth

    depth = leaves(of, 0)
    found: dict[Node, None] = {}
    front = starts
    for _ in range(max(depth, 1)):
        users = [user for t in front for user in itertools.islice(t.users, 64)]
        found.update(dict.fromkeys(u for u in users if u.op in of.names and u not in match.inside))
        front = [t for user in users for t in user.outputs]
    return list(found)


def _find(variant: list[Any], node: Node) -> tuple[_Match, list[Tensor]] | None:
    """A match of all roots with `node` as the first, and the tensors to replace."""
    match = _Match()
    first = variant[0]
    if not match.node(first.of if isinstance(first, Out) else first, node):
        return None
    roots = [node.outputs[first.index if isinstance(first, Out) else 0]]
    for pattern in variant[1:]:
        index = pattern.index if isinstance(pattern, Out) else 0
        of = pattern.of if isinstance(pattern, Out) else pattern
        for candidate in _candidates(pattern, match):
            saved = dict(match.bound), dict(match.nodes), dict(match.inside)
            if index < len(candidate.outputs) and match.node(of, candidate):
                roots.append(candidate.outputs[index])
                break
            match.bound, match.nodes, match.inside = saved
        else:
            return None
    return match, roots


# ---- The driver ----


def traced(name: str) -> bool:
    wanted = os.environ.get("SAMARA_TRACE", "")
    return bool(wanted) and (wanted == "all" or name in wanted.split(","))


def rewrite(
    model: Model, rules: Sequence[Rule], *, name: str = "rules", infer: Callable[[Model], None] | None = None
) -> int:
    """Applies rules everywhere until none fires; answers how many did.

    `infer` types the new tensors between sweeps, so that rules which look at shapes see them.
    """
    index: dict[str, list[tuple[Rule, list[Any]]]] = {}
    for r in rules:
        for head, variant in r.heads():
            index.setdefault(head, []).append((r, variant))
    total = 0
    for graph in model.graphs:
        driver = _Driver(model, graph, index, traced(name) and name)
        budget = 20 * len(graph) + 1000
        while True:
            fired = driver.sweep(budget - driver.fired)
            if driver.unordered:
                graph.sort()
                driver.unordered = False
            if not fired:
                break
            if infer is not None and driver.untyped:
                infer(model)
                driver.untyped = False
        total += driver.fired
    return total


class _Driver:
    def __init__(self, model: Model, graph: Graph, index: dict[str, Any], trace: str | bool) -> None:
        self.model = model
        self.graph = graph
        self.index = index
        self.trace = trace
        self.fired = 0
        self.unordered = False
        self.untyped = False
        self.refused: set[tuple[str, str, str]] = set()

    def sweep(self, budget: int) -> int:
        """Visits every node once, and the surroundings of each change again."""
        before = self.fired
        queue = deque(self.graph)
        queued = set(queue)
        while queue:
            node = queue.popleft()
            queued.discard(node)
            for r, variant in self.index.get(node.op, ()):
                if node.graph is None:
                    break
                around = self.attempt(r, variant, node)
                if around is None:
                    continue
                self.fired += 1
                if self.fired - before > budget:
                    raise RewriteError(f"rule {r.name} keeps firing, last at {node}: the rules do not come to rest")
                for other in around:
                    if other.graph is self.graph and other not in queued:
                        queued.add(other)
                        queue.append(other)
                break
        return self.fired - before

    def attempt(self, r: Rule, variant: list[Any], node: Node) -> list[Node] | None:
        found = _find(variant, node)
        if found is None:
            return None
        match, roots = found
        root_nodes = {t.producer for t in roots}
        for inner, pattern in match.inside.items():
            for t in inner.outputs:
                if inner in root_nodes:
                    if t in roots or not t.used:
                        continue
                elif (not t.outputs and all(user in match.inside for user in t.users)) or pattern.may_share:
                    continue
                self.refuse(r, node, f"{t} is used elsewhere too")
                return None
        builder = Builder(self.graph, node)
        bound = {**match.bound, "node": node}
        result = r.build(builder, *(bound.get(name) for name in r.wanted))
        new = list(result) if isinstance(result, (tuple, list)) else [result]
        problem = result.reason if isinstance(result, Decline) else "" if result is None else self.unfit(r, roots, new)
        if result is None or problem is not None:
            for made in reversed(builder.made):
                self.graph.remove(made)
            self.refuse(r, node, problem or "no reason given")
            return None
        if self.trace:
            print(f"{self.trace}: {r.name} at {node}", file=sys.stderr)
        around: dict[Node, None] = {}
        for inner in match.inside:
            around.update(dict.fromkeys(t.producer for t in inner.inputs if t is not None and t.producer is not None))
        self.unordered |= len(root_nodes) > 1
        self.swap(roots, new, builder.made)
        waiting = [*match.inside, *builder.made]
        while dead := [n for n in waiting if n.graph is not None and not any(t.used for t in n.outputs)]:
            for one in dead:
                self.graph.remove(one)
        for made in builder.made:
            if made.graph is None:
                continue
            around[made] = None
            for t in made.outputs:
                if not t.name:
                    t.name = self.graph.unique_name(f"{roots[0].name}/{made.op.lower()}")
                self.untyped |= t.type is None or t.shape is None
        for t in roots:
            around.update(dict.fromkeys(t.users))
        for t in new:
            around.update(dict.fromkeys(t.users))
        return list(around)

    def refuse(self, r: Rule, node: Node, reason: str) -> None:
        if self.trace:
            key = (r.name, repr(node), reason)
            if key not in self.refused:
                self.refused.add(key)
                print(f"{self.trace}: {r.name} declined at {node}: {reason}", file=sys.stderr)

    def unfit(self, r: Rule, roots: list[Tensor], new: list[Tensor]) -> str | None:
        """What forbids the replacement; RewriteError if the rule itself is wrong."""
        if len(new) != len(roots) or not all(isinstance(t, Tensor) for t in new):
            raise RewriteError(f"rule {r.name} returned {new!r} for {len(roots)} outputs")
        for old, t in zip(roots, new, strict=True):
            if None not in (t.type, old.type) and t.type != old.type:
                raise RewriteError(f"rule {r.name}: {t} replaces {old} of another type")
            if t.shape is not None and old.shape is not None and not _agree(t.shape, old.shape):
                raise RewriteError(f"rule {r.name}: {t} replaces {old} of another shape")
            if t.quantized and old.quantized and t.quantization != old.quantization:
                return f"{t} and {old} are quantized differently"
            if old.outputs and (t.producer is None or t.outputs):
                return "an output of the graph would be a constant, an input or another output"
        return None

    def swap(self, roots: list[Tensor], new: list[Tensor], made: list[Node]) -> None:
        """Puts each new tensor in the place of the old one. The old object stays and gets the new producer where
        that is possible, so that outputs and signatures keep what they refer to."""
        for old, t in zip(roots, new, strict=True):
            if t is old:
                continue
            fresh = t.producer is not None and t.producer in made
            if not fresh and not old.outputs:
                self.graph.replace_uses(old, t)
                if t.quantization is None and old.quantization is not None and t.producer is not None:
                    t.quantization = old.quantization
                continue
            producer = t.producer
            assert producer is not None
            if old.producer is not None:  # gives up its output; the node is dropped below
                gone = Tensor(old.name, old.type, old.shape)
                gone.producer = old.producer
                old.producer.outputs = tuple(gone if o is old else o for o in old.producer.outputs)
            producer.outputs = tuple(old if o is t else o for o in producer.outputs)
            old.producer, t.producer = producer, None
            if old.shape is None:
                old.shape = t.shape
            if old.type is None:
                old.type = t.type
            if old.quantization is None:
                old.quantization = t.quantization
            self.graph.replace_uses(t, old)


def _agree(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return len(a) == len(b) and all(x == y or -1 in (x, y) for x, y in zip(a, b, strict=True))
