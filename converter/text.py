"""The IR as text: `dump` writes what a person reads and a test pastes, `parse` reads it back.

    model
    graph g0 "main"
      input image: FLOAT32[1,8,8,1]
      const w: FLOAT32[16,3,3,1] = ...
      const %3: INT32[2] = [-1, 64] name="shape of the head"
      y: FLOAT32[1,8,8,16] = CONV_2D(image, w, -) padding=SAME stride_w=1 stride_h=1
      z: FLOAT32[4,64] = RESHAPE(y, %3) options=none @2
      output z
    signature "serving_default" g0
      input "x" = image
      output "y" = z

One line per tensor given from outside, per operator, per list of outputs. A tensor's label is its name where that can
be one, else %number. `-` is an absent operand, `...` a constant too long to print: `parse` reads it as zeros, and
`dump(model, full=True)` writes its bytes instead, so that nothing at all is lost.
"""

from __future__ import annotations

import base64
import enum
import json
import math
import re
import zlib
from typing import Any

import numpy as np

from . import schema
from .elements import NUMPY
from .ir import Graph, GraphError, Model, Node, Quantization, Signature, Tensor

_LABEL = r"[A-Za-z_][\w./;-]*(?::[\w./;-]+)*"
_SHORT = 16


class TextError(ValueError):
    """The text is no dump; the message names the line."""


def dump(model: Model, *, full: bool = False) -> str:
    return _Dumper(model, full).text()


def parse(text: str) -> Model:
    return _Parser(text).model()


# ---- Writing ----


class _Dumper:
    def __init__(self, model: Model, full: bool) -> None:
        self.model = model
        self.full = full
        self.graphs = {id(g): f"g{i}" for i, g in enumerate(model.graphs)}
        self.labels: dict[int, str] = {}
        self.first: dict[int, str] = {}  # id of a constant's bytes -> graph and label of the first tensor with them

    def text(self) -> str:
        m = self.model
        lines = ["model" + ("" if m.description is None else f" {json.dumps(m.description)}")]
        for name, data in m.metadata:
            lines.append(f"  metadata {json.dumps(name)} = {'-' if data is None else self.bytes(data)}")
        if self.full and m.metadata_buffers is not None:
            lines.append("  metadata_buffers = " + self.value(m.metadata_buffers))
        for field in ("external_buffer_groups", "external_buffers", *(["appended"] if self.full else [])):
            if getattr(m, field) is not None:
                lines.append(f"  {field} = {self.value(getattr(m, field))}")
        for g in m.graphs:
            lines += self.graph(g)
        for s in m.signatures:
            tag = "" if s.deprecated_tag is None else f" deprecated_tag={json.dumps(s.deprecated_tag)}"
            lines.append(f"signature {json.dumps(s.key)} {self.graphs[id(s.graph)]}{tag}")
            for side, tensors in (("input", s.inputs), ("output", s.outputs)):
                lines += [f"  {side} {json.dumps(name)} = {self.labels[id(t)]}" for name, t in tensors.items()]
        return "\n".join(lines) + "\n"

    def graph(self, g: Graph) -> list[str]:
        self.name = self.graphs[id(g)]
        taken: set[str] = set()
        tensors = g.tensors()
        for i, t in enumerate(tensors):
            label = t.name if re.fullmatch(_LABEL, t.name) and t.name not in taken else f"%{i}"
            taken.add(label)
            self.labels[id(t)] = label
        debug = "" if g.debug_metadata_index == -1 else f" debug_metadata_index={g.debug_metadata_index}"
        lines = [f"graph {self.graphs[id(g)]} {json.dumps(g.name)}{debug}"]
        for t in g.inputs:
            lines.append(f"  input {self.declaration(t)}")
        produced = {id(t) for node in g for t in node.outputs}
        inputs = {id(t) for t in g.inputs}
        for t in tensors:
            if id(t) in produced or id(t) in inputs:
                continue
            word = "const" if t.constant else "var" if t.variable else "tensor"
            lines.append(f"  {word} {self.constant(t) if t.constant else self.declaration(t)}")
        for node in g:
            lines.append("  " + self.node(node))
        lines.append("  output " + ", ".join(self.labels[id(t)] for t in g.outputs))
        return lines

    def type(self, t: Tensor) -> str:
        kind = "?" if t.type is None else t.type.name if isinstance(t.type, enum.Enum) else str(int(t.type))
        return kind + ("?" if t.shape is None else f"[{','.join(map(str, t.shape))}]")

    def declaration(self, t: Tensor) -> str:
        return f"{self.labels[id(t)]}: {self.type(t)}{self.extras(t)}"

    def constant(self, t: Tensor) -> str:
        assert t.data is not None
        label = self.labels[id(t)]
        here = f"{self.name}, {label}"
        shared = self.first.setdefault(id(t.data), here)
        value = f"same({shared})" if shared != here else self.data(t)
        return f"{label}: {self.type(t)} = {value}{self.extras(t)}"

    def data(self, t: Tensor) -> str:
        assert t.data is not None and t.shape is not None
        count = math.prod(t.shape)
        plain = isinstance(t.type, enum.Enum) and t.type.name in NUMPY and t.type.name != "STRING"
        if plain and count <= _SHORT and t.sparsity is None:
            try:
                values = t.array.reshape(-1)
                if schema.pack(values, t.type).tobytes() == t.data.tobytes() and values.dtype.kind in "fiub":
                    text = self.value(values)
                    if "nan" not in text:
                        return text
            except ValueError:
                pass
        return self.bytes(t.data) if self.full else "..."

    def extras(self, t: Tensor) -> str:
        out = []
        if t.name and self.labels[id(t)] != t.name:
            out.append(f"name={json.dumps(t.name)}")
        if self.full and t.index is not None:
            out.append(f"index={t.index}")
        if t.concrete is not None:
            out.append(f"concrete={list(t.concrete)}")
        if t.variable and t.producer is not None:
            out.append("variable=true")
        if t.has_rank:
            out.append("has_rank=true")
        if t.external_buffer:
            out.append(f"external_buffer={t.external_buffer}")
        for field in ("sparsity", "variant_tensors"):
            if getattr(t, field) is not None:
                out.append(f"{field}={self.value(getattr(t, field))}")
        q = t.quantization
        if q is not None:
            out.append(f"axis={q.axis}")
            for field in ("scale", "zero_point", "min", "max"):
                if getattr(q, field) is not None:
                    out.append(f"{field}={self.value(getattr(q, field))}")
            if q.details is not None:
                out.append(f"details={self.value(q.details)}")
            for field in ("scales", "zero_points"):
                if getattr(q, field) is not None:
                    out.append(f"{field}={self.labels[id(getattr(q, field))]}")
        return "".join(" " + part for part in out)

    def node(self, node: Node) -> str:
        made = ", ".join(self.declaration(t) for t in node.outputs)
        given = ", ".join("-" if t is None else self.labels[id(t)] for t in node.inputs)
        out = [f"{made} = {json.dumps(node.op) if node.custom else node.op}({given})"]
        table = None if node.custom else schema.options_name(node.op)
        if node.options is None and table is not None:
            out.append("options=none")
        elif node.options is not None and type(node.options).__name__ != table:
            out.append(f"options={self.value(node.options)}")
        elif node.options is not None:
            for name, field in node.options._fields.items():
                value = getattr(node.options, name)
                if name in node.graphs:
                    refs = node.graphs[name]
                    refs = refs if isinstance(refs, list) else [refs]
                    text = ", ".join(self.graphs[id(g)] for g in refs)
                    out.append(f"{name}={text}" if not isinstance(node.graphs[name], list) else f"{name}=[{text}]")
                elif not schema._same(value, field.default):
                    out.append(f"{name}={self.value(value)}")
        if node.custom_options is not None:
            out.append(f"custom_options={self.bytes(node.custom_options)}")
        if node.custom_options_format:
            out.append(f"custom_options_format={int(node.custom_options_format)}")
        if node.mutating_variable_inputs is not None:
            out.append(f"mutating_variable_inputs={self.value(node.mutating_variable_inputs)}")
        if node.intermediates is not None:
            labels = ", ".join("-" if t is None else self.labels[id(t)] for t in node.intermediates)
            out.append(f"intermediates=[{labels}]")
        if node.debug_metadata_index != -1:
            out.append(f"debug_metadata_index={node.debug_metadata_index}")
        if node.version is not None:
            out.append(f"@{node.version}")
        return " ".join(out)

    def bytes(self, data: np.ndarray) -> str:
        return f'b64"{base64.b64encode(zlib.compress(data.tobytes(), 9)).decode()}"'

    def value(self, value: Any) -> str:
        if value is None:
            return "none"
        if isinstance(value, np.ndarray):
            if value.dtype == np.uint8 and value.size > _SHORT:
                return self.bytes(value)
            return "[" + ", ".join(self.value(v) for v in value) + "]"
        if isinstance(value, (bool, np.bool_)):
            return "true" if value else "false"
        if isinstance(value, enum.Enum):
            return str(value.name)
        if isinstance(value, str):
            return json.dumps(value)
        if isinstance(value, list):
            return "[" + ", ".join(self.value(v) for v in value) + "]"
        if isinstance(value, schema.Table):
            fields = (
                f"{name}={self.value(getattr(value, name))}"
                for name, field in value._fields.items()
                if not schema._same(getattr(value, name), field.default)
            )
            return f"{type(value).__name__}({', '.join(fields)})"
        if isinstance(value, np.floating):
            return str(value)  # the shortest that reads back as the same float32
        return repr(value.item() if isinstance(value, np.generic) else value)


# ---- Reading ----

_TOKEN = re.compile(
    r'\s*(?:(?P<bytes>b64"[^"]*")|(?P<string>"(?:[^"\\]|\\.)*")|(?P<ellipsis>\.\.\.)'
    r"|(?P<number>[-+]?(?:inf|nan|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?![\w.]))"
    rf"|(?P<label>%\d+|{_LABEL})|(?P<mark>[\[\](),:=@?-]))"
)


class _Parser:
    """Reads one line at a time; every method takes what it names from the front of the current line."""

    def __init__(self, text: str) -> None:
        self.lines = [
            (i + 1, line)
            for i, line in enumerate(text.splitlines())
            if line.strip() and not line.strip().startswith("#")
        ]
        self.tokens: list[tuple[str, str]] = []
        self.number = 0
        self.graphs: dict[str, Graph] = {}
        self.labels: dict[str, Tensor] = {}  # of the current graph
        self.scopes: dict[str, dict[str, Tensor]] = {}

    def model(self) -> Model:
        model = Model()
        for _, line in self.lines:  # graphs may refer to later ones
            match = re.match(r'\s*graph\s+(\w+)\s+("(?:[^"\\]|\\.)*")', line)
            if match:
                self.graphs[match[1]] = Graph(json.loads(match[2]))
        model.graphs = list(self.graphs.values())
        scopes = self.scopes
        graph: Graph | None = None
        signature: Signature | None = None
        for number, line in self.lines:
            self.number = number
            self.tokenize(line)
            kind, word = self.peek()
            if word == "model" and kind == "label":
                self.next()
                if self.tokens:
                    model.description = self.value()
            elif word == "graph":
                self.next()
                name = self.next()
                graph = self.graphs[name]
                self.labels = scopes[name] = {}
                self.next()
                for key, value in self.pairs():
                    setattr(graph, key, value)
            elif word == "signature":
                self.next()
                key, name = self.value(), self.next()
                self.labels = scopes[name]
                signature, graph = Signature(key, self.graphs[name], {}, {}), None
                for field, value in self.pairs():
                    setattr(signature, field, value)
                model.signatures.append(signature)
            elif signature is not None:
                side = signature.inputs if self.next() == "input" else signature.outputs
                name = self.value()
                self.expect("=")
                side[name] = self.tensor(self.next())
            elif graph is not None:
                self.statement(graph)
            elif word == "metadata":
                self.next()
                name = self.value()
                self.expect("=")
                model.metadata.append((name, self.value()))
            else:
                field = self.next()
                self.expect("=")
                setattr(model, field, self.value())
            if self.tokens:
                self.fail(f"did not expect {self.tokens[0][1]!r}")
        for name, labels in scopes.items():
            for t in labels.values():
                q = t.quantization
                if q is not None:
                    q.scales = labels[q.scales] if isinstance(q.scales, str) else q.scales
                    q.zero_points = labels[q.zero_points] if isinstance(q.zero_points, str) else q.zero_points
            used = {id(t) for t in self.graphs[name].tensors()}
            self.graphs[name].unused = [t for t in labels.values() if id(t) not in used]
        return model

    # ---- Statements ----

    def statement(self, graph: Graph) -> None:
        word = self.peek()[1]
        following = self.tokens[1][1] if len(self.tokens) > 1 else ""
        if word in ("input", "const", "var", "tensor") and following != ":":
            self.next()
            t = self.declaration(graph)
            if word == "input":
                graph.inputs.append(t)
            elif word == "var":
                t.variable = True
        elif word == "output" and following != ":":
            self.next()
            graph.outputs = self.list_of(lambda: self.tensor(self.next())) if self.tokens else []
        else:
            outputs = self.list_of(lambda: self.declaration(graph)) if word != "=" else []
            self.expect("=")
            self.node(graph, outputs)

    def node(self, graph: Graph, outputs: list[Tensor]) -> None:
        kind, word = self.tokens.pop(0)
        custom = kind == "string"
        op = json.loads(word) if custom else word
        self.expect("(")
        inputs = [] if self.peek()[1] == ")" else self.list_of(self.operand)
        self.expect(")")
        node = Node(op, inputs, outputs, custom=custom)
        table = None if custom else schema.options_name(op)
        node.options = None if table is None else getattr(schema, table)()
        while self.tokens:
            if self.peek()[1] == "@":
                self.next()
                node.version = int(self.next())
                continue
            key = self.next()
            self.expect("=")
            if key == "intermediates":
                self.expect("[")
                node.intermediates = [] if self.peek()[1] == "]" else self.list_of(self.operand)
                self.expect("]")
                continue
            value = self.value()
            if key == "options":
                node.options = value
            elif key in ("custom_options", "custom_options_format", "mutating_variable_inputs", "debug_metadata_index"):
                if key == "custom_options" and not isinstance(value, np.ndarray):
                    value = np.array(value, np.uint8)
                if key == "mutating_variable_inputs":
                    value = np.array(value, np.bool_)
                setattr(node, key, value)
            elif _graphs_in(value):
                node.graphs[key] = value
                number = {id(g): i for i, g in enumerate(self.graphs.values())}
                numbers = [number[id(g)] for g in value] if isinstance(value, list) else number[id(value)]
                setattr(node.options, key, numbers)
            else:
                try:
                    setattr(node.options, key, value)
                except (AttributeError, ValueError) as error:
                    self.fail(str(error))
        graph.insert(node)

    def operand(self) -> Tensor | None:
        word = self.next()
        return None if word == "-" else self.tensor(word)

    def declaration(self, graph: Graph) -> Tensor:
        label = self.next()
        if label in self.labels:
            self.fail(f"{label} is declared twice")
        self.expect(":")
        t = self.labels[label] = Tensor("" if label.startswith("%") else label)
        kind = self.next()
        if kind != "?":
            t.type = int(kind) if kind.isdigit() else schema.TensorType[kind]
        if self.peek()[1] == "?":
            self.next()
        else:
            self.expect("[")
            t.shape = () if self.peek()[1] == "]" else tuple(self.list_of(self.value))
            self.expect("]")
        if self.peek()[1] == "=" and not self.is_node():
            self.next()
            self.constant(t)
        for key, value in self.pairs():
            self.attribute(t, key, value)
        return t

    def is_node(self) -> bool:
        """Whether `= …` ahead is an operator, not a constant's value."""
        kind, word = self.tokens[1] if len(self.tokens) > 1 else ("", "")
        return (kind in ("label", "string") and word != "same") and len(self.tokens) > 2 and self.tokens[2][1] == "("

    def constant(self, t: Tensor) -> None:
        if self.peek()[0] == "ellipsis":
            self.next()
            count = math.prod(t.shape or ())
            if t.type == schema.TensorType.STRING:
                t.data = schema.pack([b""] * count, t.type)
            else:
                t.data = schema.pack(np.zeros(count), t.type)
        elif self.peek()[1] == "same":
            self.next()
            self.expect("(")
            scope = self.scopes[self.next()]
            self.expect(",")
            t.data = scope[self.next()].data
            self.expect(")")
        else:
            value = self.value()
            t.data = value if isinstance(value, np.ndarray) else schema.pack(value, t.type)
        if t.data is None or not t.data.size:
            t.data = None

    def attribute(self, t: Tensor, key: str, value: Any) -> None:
        if key in ("axis", "scale", "zero_point", "min", "max", "details", "scales", "zero_points"):
            q = t.quantization = t.quantization or Quantization()
            if key in ("scale", "min", "max"):
                value = np.array(value, np.float32)
            elif key == "zero_point":
                value = np.array(value, np.int64)
            setattr(q, key, value)
        elif key in (
            "name",
            "index",
            "concrete",
            "variable",
            "has_rank",
            "external_buffer",
            "sparsity",
            "variant_tensors",
        ):
            setattr(t, key, tuple(value) if key == "concrete" else value)
        else:
            self.fail(f"a tensor has no {key!r}")

    def tensor(self, label: str) -> Tensor:
        if label not in self.labels:
            self.fail(f"{label} is not declared")
        return self.labels[label]

    # ---- Words ----

    def tokenize(self, line: str) -> None:
        self.tokens, at = [], 0
        line = line.rstrip()
        while at < len(line):
            match = _TOKEN.match(line, at)
            if match is None:
                raise TextError(f"line {self.number}: cannot read {line[at : at + 20]!r}")
            self.tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            at = match.end()

    def fail(self, message: str) -> Any:
        raise TextError(f"line {self.number}: {message}")

    def peek(self) -> tuple[str, str]:
        return self.tokens[0] if self.tokens else ("", "")

    def next(self) -> str:
        if not self.tokens:
            self.fail("the line ends too early")
        return self.tokens.pop(0)[1]

    def expect(self, mark: str) -> None:
        found = self.next()
        if found != mark:
            self.fail(f"expected {mark!r}, found {found!r}")

    def list_of(self, one: Any) -> list[Any]:
        items = [one()]
        while self.peek()[1] == ",":
            self.next()
            items.append(one())
        return items

    def pairs(self) -> Any:
        while self.peek()[0] == "label" and len(self.tokens) > 1 and self.tokens[1][1] == "=":
            key = self.next()
            self.expect("=")
            yield key, self.value()

    def value(self) -> Any:
        kind, word = self.tokens.pop(0) if self.tokens else ("", "")
        if kind == "number":
            return float(word) if re.search(r"[.en]", word.lower()) else int(word)
        if kind == "string":
            return json.loads(word)
        if kind == "bytes":
            return np.frombuffer(zlib.decompress(base64.b64decode(word[4:-1])), np.uint8)
        if word == "[":
            items = [] if self.peek()[1] == "]" else self.list_of(self.value)
            self.expect("]")
            return items
        if word == "-":
            return None
        if kind != "label":
            self.fail(f"expected a value, found {word!r}")
        if word in ("true", "false", "none"):
            return {"true": True, "false": False, "none": None}[word]
        if self.peek()[1] == "(":
            self.next()
            try:
                made = getattr(schema, word)()
                while self.peek()[1] != ")":
                    key = self.next()
                    self.expect("=")
                    setattr(made, key, self.value())
                    if self.peek()[1] == ",":
                        self.next()
            except (AttributeError, ValueError) as error:
                self.fail(str(error))
            self.expect(")")
            return made
        return self.graphs.get(word, word)


def _graphs_in(value: Any) -> bool:
    return isinstance(value, Graph) or (isinstance(value, list) and bool(value) and isinstance(value[0], Graph))


__all__ = ["GraphError", "TextError", "dump", "parse"]
