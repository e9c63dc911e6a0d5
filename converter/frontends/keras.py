"""Keras in, our graph out; neither Keras nor anything of the file is run.

    model = load("net.keras")                       path or bytes, of a `.keras` archive or a legacy `.h5`
    model = load("net.h5", shapes={"image": [1, 96, 96, 3]})

Every layer goes through one function of a table (keras_layers_*.py), an operation between layers (keras.ops, operators)
through one of another (keras_ops.py). Layers that want channels first stand between explicit transposes; the `layout`
pass removes those. All floating-point types are computed in float32.

What cannot be converted is collected, and reported at once. `h5py` is imported when a model is loaded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...interpreter.errors import ModelError, SamaraError, UnsupportedError
from ..ir import GraphError, Model, Signature, Tensor
from . import (  # noqa: F401  (fill the tables)
    keras_activations,
    keras_layers_attention,
    keras_layers_core,
    keras_layers_image,
    keras_layers_rnn,
    keras_layers_shape,
    keras_ops,
)
from .build import Builder, T, Unsupported
from .keras_build import KEEPS_MASK, LAYERS, OPERATIONS, Call, Fields, flat, plain
from .keras_file import Weights, opened

DEPTH = 40
"""Models inside models."""

CALLS = 1 << 17
"""Calls of layers in all."""

MODELS = ("Functional", "Model", "Sequential")
KERAS = ("keras", "tf_keras", "tensorflow")
DTYPES = {
    "float16": T.FLOAT32, "bfloat16": T.FLOAT32, "float32": T.FLOAT32, "float64": T.FLOAT32, "int8": T.INT8,
    "uint8": T.UINT8, "int16": T.INT16, "uint16": T.UINT16, "int32": T.INT32, "int64": T.INT64, "bool": T.BOOL,
    "uint32": T.UINT32,
}  # fmt: skip
_DEFECTS = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, MemoryError)
"""What wrong values that no check has met raise in the functions of the tables."""


def load(source: Any, shapes: Mapping[str, Sequence[int]] | None = None) -> Model:
    """Reads a Keras model: a path or bytes. `shapes` fixes the shapes of inputs by name, the batch included."""
    with opened(source) as found:
        return _Loader(found.version, dict(shapes or {})).run(found.config, found.weights)


def layers() -> set[str]:
    """The classes of layers that can be converted."""
    return set(LAYERS)


@dataclass(frozen=True)
class Ref:
    """An output of a call of a layer."""

    layer: str
    call: int
    output: int
    dtype: str = ""  # as the file says


class Failed(Exception):
    """A layer could not be converted; that has been noted."""


class Entry:
    """A layer of a model with what it is called on."""

    def __init__(self, described: dict[str, Any], where: str) -> None:
        self.described = described
        self.kind: str = described["class_name"]
        config = described["config"]
        name = described.get("name") or config.get("name")
        if not isinstance(name, str):
            raise ModelError(f"{where}: a layer of class {self.kind} has no name")
        self.name = name
        self.weights: Weights = Weights()
        nodes = described.get("inbound_nodes") or []
        if not isinstance(nodes, list):
            raise ModelError(f"{where}: inbound_nodes of {name!r} is not a list")
        self.calls = [_call(node, name) for node in nodes]
        self.first = 0  # the number of the first call: 1 where the model's own construction counts


def _call(node: Any, name: str) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named arguments of a call, with a `Ref` in the place of every tensor."""
    if isinstance(node, dict) and ("args" in node or "kwargs" in node):
        args, kwargs = _revived(node.get("args", []), name), _revived(node.get("kwargs", {}), name)
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ModelError(f"layer {name!r}: args and kwargs of a call are not a list and a dict")
        return args, kwargs
    kwargs = {}

    def place(item: Any) -> Any:
        """Keras 2: [layer, call, output, named arguments], or nested lists and dicts of such."""
        if isinstance(item, dict):
            return {key: place(value) for key, value in item.items()}
        if not isinstance(item, list) or not item:
            raise ModelError(f"layer {name!r}: an inbound node is neither a list nor a dict of tensors")
        if not isinstance(item[0], str):
            return [place(value) for value in item]
        if len(item) > 3:
            if not isinstance(item[3], dict):
                raise ModelError(f"layer {name!r}: the named arguments of a call are not a dict")
            kwargs.update({key: _revived(value, name, True) for key, value in item[3].items()})
        return _revived(item[2], name) if item[0] == "_CONSTANT_VALUE" else _ref(item, name)

    found = place(node)
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return [found], kwargs


def _ref(item: Sequence[Any], name: str, dtype: Any = "") -> Ref:
    if len(item) < 3 or not isinstance(item[0], str) or any(type(v) is not int or v < 0 for v in item[1:3]):
        raise ModelError(
            f"layer {name!r}: {list(item)[:3]} does not say which output of which call of which layer it takes"
        )
    return Ref(item[0], item[1], item[2], dtype if isinstance(dtype, str) else "")


def _revived(value: Any, name: str, keras2: bool = False) -> Any:
    """Arguments of a call: tensors as `Ref`, arrays and slices as they are."""
    if isinstance(value, dict):
        kind, config = value.get("class_name"), value.get("config")
        if kind == "__keras_tensor__":
            history = config.get("keras_history") if isinstance(config, dict) else None
            if not isinstance(history, list):
                raise ModelError(f"layer {name!r}: a tensor has no keras_history")
            return _ref(history, name, config.get("dtype") if isinstance(config, dict) else "")
        if kind == "__ellipsis__" or value == {"class_name": "ellipsis"}:
            return Ellipsis
        if kind in ("__slice__", "slice") or ("start" in value and "stop" in value):
            ends = config if kind == "__slice__" and isinstance(config, dict) else value
            parts = [_revived(ends.get(key), name, keras2) for key in ("start", "stop", "step")]
            if any(p is not None and type(p) is not int for p in parts):
                raise UnsupportedError(f"Layer {name!r}: a slice between tensors is not supported")
            return slice(*parts)
        if kind in ("__tensor__", "__numpy__") or value.get("type") == "ndarray":
            return _array(plain(value), config.get("dtype") if isinstance(config, dict) else None, name)
        if kind == "__tuple__":
            return _revived(value.get("items"), name, keras2)
        return {key: _revived(item, name, keras2) for key, item in value.items()}
    if isinstance(value, list):
        if keras2 and len(value) in (3, 4) and isinstance(value[0], str) and all(type(v) is int for v in value[1:3]):
            return _ref(value, name)
        return [_revived(item, name, keras2) for item in value]
    return value


def _array(value: Any, dtype: Any, name: str) -> np.ndarray:
    try:
        made = np.asarray(value)
        if made.dtype.kind not in "biuf":
            raise ValueError
        if isinstance(dtype, str) and dtype in DTYPES:
            narrow = np.float32 if DTYPES[dtype] == T.FLOAT32 else np.dtype(dtype)
            with np.errstate(all="ignore"):
                made = made.astype(narrow)
        return made
    except (ValueError, TypeError, OverflowError):
        raise ModelError(f"layer {name!r}: a constant is not an array of numbers") from None


class _Loader:
    def __init__(self, version: tuple[int, ...], shapes: dict[str, Sequence[int]]) -> None:
        self.b = Builder("main")
        self.version = version
        self.shapes = shapes
        self.problems: list[str] = []
        self.masks: dict[int, Tensor] = {}  # id of a tensor -> which of its steps count, bool [batch, steps]
        self.keep: list[Tensor] = []  # whose ids stand there
        self.dtypes: dict[str, str] = {}  # path of a layer -> the type of its output, where the file says it
        self.depth = 0
        self.calls = 0

    # ---- The whole ----

    def run(self, config: dict[str, Any], weights: Weights) -> Model:
        b = self.b
        b.graph.name = "main"
        found: list[tuple[str, Tensor]] = []
        try:
            described = self.described(config, "the model")
            if not self.is_model(described):
                self.unknown("the model", described)
            found = self.model(described, weights, None, "")
        except Failed:
            pass
        except RecursionError:
            raise ModelError("the configuration is nested too deeply") from None
        if self.problems:
            raise UnsupportedError("\n".join(self.problems))
        unknown = sorted(set(self.shapes) - {t.name for t in b.graph.inputs})
        if unknown:
            names = ", ".join(t.name for t in b.graph.inputs)
            raise UnsupportedError(f"shapes names {unknown[0]!r}, the inputs are {names or 'none'}")
        if len({t.name for t in b.graph.inputs}) != len(b.graph.inputs):
            raise ModelError("two inputs of the model have the same name")
        taken = {t.name for t in b.graph.inputs}
        signature = Signature("serving_default", b.graph, {t.name: t for t in b.graph.inputs}, {})
        for wanted, t in found:
            name = _unique(wanted, signature.outputs)
            t = b.own(t, name)
            if name not in taken:
                t.name = name
            signature.outputs[name] = b.graph.output(t)
        return b.finished(f"converted from Keras {'.'.join(map(str, self.version))}", signature)

    def described(self, value: Any, where: str) -> dict[str, Any]:
        """The description of a layer or model, as a dict with class_name and config."""
        if not isinstance(value, dict) or not isinstance(value.get("class_name"), str):
            raise ModelError(f"{where}: the configuration has something else in the place of a layer")
        config = value.get("config")
        if isinstance(config, list) and value["class_name"] == "Sequential":  # before Keras 2.2.3
            return {**value, "config": {"name": value.get("name", "sequential"), "layers": config}}
        if not isinstance(config, dict):
            raise ModelError(f"{where}: the {value['class_name']} has no config")
        return value

    def is_model(self, described: dict[str, Any]) -> bool:
        config = described["config"]
        return isinstance(config.get("layers"), list) and (
            described["class_name"] in MODELS or ("input_layers" in config and "output_layers" in config)
        )

    # ---- Models ----

    def model(self, described: dict[str, Any], weights: Weights, given: Any, path: str) -> list[tuple[str, Tensor]]:
        """Names and tensors of a model's outputs. `given`: what it is called on; None: it is the whole."""
        self.depth += 1
        if self.depth > DEPTH:
            raise ModelError(f"more than {DEPTH} models inside each other")
        try:
            config = described["config"]
            where = f"model {path.rstrip('/')!r}" if path else "the model"
            entries = [Entry(self.described(item, where), where) for item in config["layers"]]
            held = [e for e in entries if not self.is_operation(e.described)]
            for e, w in zip(held, weights.layers([(e.kind, e.name) for e in held]), strict=True):
                e.weights = w
            if "input_layers" in config:
                return self.functional(config, entries, given, path, where)
            return self.sequential(config, entries, given, path, where)
        finally:
            self.depth -= 1

    def sequential(
        self, config: dict[str, Any], entries: list[Entry], given: Any, path: str, where: str
    ) -> list[tuple[str, Tensor]]:
        inputs = [e for e in entries[:1] if e.kind == "InputLayer"]
        rest = entries[len(inputs) :]
        if given is None:
            first = inputs[0].described["config"] if inputs else self.first_input(config, entries)
            if first is None:
                raise UnsupportedError(
                    "the model has never been built, so it has no input shape; call it once and save it"
                )
            name = inputs[0].name if inputs else f"{entries[0].name}_input" if entries else "input"
            tensors = [self.input(first, name)]
        else:
            tensors = [t for t in flat(given) if isinstance(t, Tensor)]
        names = [inputs[0].name if inputs else "input"]
        for e in rest:
            if e.kind == "InputLayer":
                raise ModelError(f"{where}: an InputLayer stands behind other layers")
            results = self.call(
                e.described, e.weights, [tensors[0] if len(tensors) == 1 else tensors], {}, path + e.name
            )
            tensors, names = results, [e.name] * len(results)
        return list(zip(names, tensors, strict=True))

    def first_input(self, config: dict[str, Any], entries: list[Entry]) -> dict[str, Any] | None:
        """Something that says the shape of a Sequential's input."""
        inner = entries[0].described if entries else {}
        for _ in range(DEPTH):
            if not inner:
                break
            own = inner["config"]
            if "batch_input_shape" in own or "batch_shape" in own:
                return own  # type: ignore[no-any-return]
            if not self.is_model(inner) or not own["layers"]:
                break
            inner = self.described(own["layers"][0], "the model")
        shape = config.get("build_input_shape")
        return {"batch_shape": shape} if isinstance(shape, list) else None

    def functional(
        self, config: dict[str, Any], entries: list[Entry], given: Any, path: str, where: str
    ) -> list[tuple[str, Tensor]]:
        by_name = {e.name: e for e in entries}
        if len(by_name) != len(entries):
            raise ModelError(f"{where}: two layers have the same name")
        ins, outs = self.ends(config, "input_layers", where), self.ends(config, "output_layers", where)
        for _, ref in [*ins, *outs]:
            if ref.layer not in by_name:
                raise ModelError(f"{where}: {ref.layer!r} is an input or output, and no layer has that name")
        self.number_calls(entries, outs)
        values: dict[tuple[str, int], list[Tensor] | None] = {}  # None: a layer on the way was not converted
        fed = self.fed(given, ins)
        for i, (_, ref) in enumerate(ins):
            e = by_name[ref.layer]
            if given is None:
                values[ref.layer, 0] = [self.input(e.described["config"], e.name)]
            else:
                values[ref.layer, 0] = [fed[i]]
        self.run_calls(entries, by_name, values, path, where)
        found = []
        for key, ref in outs:
            results = values.get((ref.layer, ref.call), ())
            if results is None:
                raise Failed
            if ref.output >= len(results):
                raise ModelError(
                    f"{where}: its output {ref.layer!r}, call {ref.call}, output {ref.output} does not exist"
                )
            found.append((key or ref.layer, results[ref.output]))
        return found

    def ends(self, config: dict[str, Any], field: str, where: str) -> list[tuple[str, Ref]]:
        """Inputs or outputs of a functional model, with their keys where they form a dict."""
        found: list[tuple[str, Ref]] = []

        def walk(item: Any, key: str) -> None:
            if isinstance(item, dict):
                for k in sorted(item) if "class_name" not in item else ():
                    walk(item[k], k)
                if item.get("class_name") == "__tuple__":
                    walk(item.get("items"), key)
            elif isinstance(item, list) and item and isinstance(item[0], str):
                found.append((key, _ref(item, field)))
            elif isinstance(item, list):
                for inner in item:
                    walk(inner, key)
            else:
                raise ModelError(f"{where}: {field} is not made of lists [layer, call, output]")

        walk(config.get(field), "")
        if not found:
            raise ModelError(f"{where}: {field} is empty")
        return found

    def fed(self, given: Any, ins: list[tuple[str, Ref]]) -> list[Tensor]:
        """What a model inside another is called on, in the order of its inputs."""
        if given is None:
            return []
        if isinstance(given, dict):
            named = {key: value for key, value in given.items() if isinstance(value, Tensor)}
            for names in ([key for key, _ in ins], [ref.layer for _, ref in ins]):
                if set(names) <= set(named):
                    return [named[name] for name in names]
            given = [given[key] for key in sorted(given)]
        tensors = [t for t in flat(given) if isinstance(t, Tensor)]
        if len(tensors) != len(ins):
            raise ModelError(f"a model with {len(ins)} inputs is called on {len(tensors)} tensors")
        return tensors

    def number_calls(self, entries: list[Entry], outs: list[tuple[str, Ref]]) -> None:
        """A model inside another counts its own construction as call 0, unless nobody refers to call 1 and more."""
        used: dict[str, set[int]] = {}
        for ref in [r for e in entries for r in flat([list(c) for c in e.calls]) if isinstance(r, Ref)]:
            used.setdefault(ref.layer, set()).add(ref.call)
        for _, ref in outs:
            used.setdefault(ref.layer, set()).add(ref.call)
        for e in entries:
            if self.is_model(e.described) and 0 not in used.get(e.name, {0}):
                e.first = 1

    def run_calls(
        self,
        entries: list[Entry],
        by_name: dict[str, Entry],
        values: dict[tuple[str, int], list[Tensor] | None],
        path: str,
        where: str,
    ) -> None:
        """Every call of every layer, in an order in which their operands exist."""
        waits: dict[tuple[str, int], int] = {}
        users: dict[tuple[str, int], list[tuple[str, int]]] = {}
        ready: deque[tuple[str, int]] = deque()
        for e in entries:
            for i, call in enumerate(e.calls):
                key = (e.name, i + e.first)
                if key in values:
                    continue
                self.dtypes.update(
                    {path + r.layer: r.dtype for r in flat(list(call)) if isinstance(r, Ref) and r.dtype}
                )
                needs = {(r.layer, r.call) for r in flat(list(call)) if isinstance(r, Ref)}
                for layer, n in needs:
                    other = by_name.get(layer)
                    if (layer, n) not in values and (other is None or not 0 <= n - other.first < len(other.calls)):
                        raise ModelError(
                            f"{where}: layer {e.name!r} takes the output of call {n} of {layer!r}, which does not exist"
                        )
                needs = {n for n in needs if n not in values}
                waits[key] = len(needs)
                for need in needs:
                    users.setdefault(need, []).append(key)
                if not needs:
                    ready.append(key)
        done = 0
        while ready:
            key = ready.popleft()
            done += 1
            e = by_name[key[0]]
            values[key] = self.one_call(e, e.calls[key[1] - e.first], values, path, where)
            for user in users.get(key, ()):
                waits[user] -= 1
                if not waits[user]:
                    ready.append(user)
        if done < len(waits):
            stuck = next(key for key, n in waits.items() if n > 0)
            raise ModelError(f"{where}: the layers form a cycle through {stuck[0]!r}")

    def one_call(
        self,
        e: Entry,
        call: tuple[list[Any], dict[str, Any]],
        values: dict[tuple[str, int], list[Tensor] | None],
        path: str,
        where: str,
    ) -> list[Tensor] | None:
        refs = [r for r in flat(list(call)) if isinstance(r, Ref)]
        if any(values[r.layer, r.call] is None for r in refs):
            self.known(e.described, path + e.name)
            return None

        def put(item: Any) -> Any:
            if isinstance(item, Ref):
                results = values[item.layer, item.call] or []
                if item.output >= len(results):
                    raise ModelError(
                        f"{where}: layer {e.name!r} takes output {item.output} of {item.layer!r}, "
                        f"which has {len(results)}"
                    )
                return results[item.output]
            if isinstance(item, list):
                return [put(v) for v in item]
            if isinstance(item, dict):
                return {k: put(v) for k, v in item.items()}
            return item

        e.weights.rewind()
        try:
            return self.call(e.described, e.weights, put(call[0]), put(call[1]), path + e.name)
        except Failed:
            return None

    # ---- Layers ----

    def is_operation(self, described: dict[str, Any]) -> bool:
        kind, module, config = described["class_name"], described.get("module"), described["config"]
        if module is None:  # a legacy file, which does not say; layers say whether they can be trained
            plain_op = kind in OPERATIONS and "trainable" not in config and "dtype" not in config
            return plain_op or kind in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
        return isinstance(module, str) and (".ops" in module or "activations." in module)

    def function_of(self, described: dict[str, Any]) -> Any:
        """The function that converts a layer, or None."""
        kind, module = described["class_name"], described.get("module")
        registered = described.get("registered_name")
        if isinstance(module, str) and module.split(".")[0] not in KERAS:
            return None
        if module is None and isinstance(registered, str) and ">" in registered:
            return None
        if kind in ("TFOpLambda", "SlicingOpLambda"):
            return OPERATIONS.get(f"tf:{described['config'].get('function')}")
        return (OPERATIONS if self.is_operation(described) else LAYERS).get(kind)

    def known(self, described: dict[str, Any], path: str) -> None:
        """Notes a layer that could not be converted whatever it is called on."""
        if self.is_model(described):
            for item in described["config"]["layers"]:
                inner = self.described(item, path)
                self.known(inner, f"{path}/{inner['config'].get('name')}")
        elif described["class_name"] != "InputLayer" and self.function_of(described) is None:
            self.note_unknown(path, described)

    def note_unknown(self, path: str, described: dict[str, Any]) -> None:
        kind = described["class_name"]
        if self.is_operation(described):
            reason = f"the operation {described['config'].get('function', kind)} is not supported"
            remedy = "say it with built-in layers, or run it outside the model"
        elif kind == "Lambda":
            reason = "a Lambda layer holds Python code, which is never run"
            remedy = "say it with built-in layers or keras.ops, and save the model again"
        elif self.function_of({**described, "module": None, "registered_name": None}) is not None:
            reason = f"{kind} is a class of another package than Keras"
            remedy = "use the built-in layer, or layers that Keras has"
        else:
            reason = f"layers of class {kind} are not supported"
            remedy = "say it with built-in layers, or run it outside the model"
        self.problem(f"Layer {path!r}", reason, remedy)

    def unknown(self, path: str, described: dict[str, Any]) -> None:
        if path == "the model":
            kind = described["class_name"]
            self.problem(
                "The model", f"it is of the class {kind}, whose graph is Python code",
                "build it as a Sequential or functional model, and save that",
            )  # fmt: skip
        else:
            self.note_unknown(path, described)
        raise Failed

    def problem(self, title: str, reason: str, suggestion: str = "") -> None:
        line = f"{title}: {reason}" + (f"; {suggestion}" if suggestion else "")
        if line not in self.problems:
            self.problems.append(line)

    def call(
        self, described: dict[str, Any], weights: Weights, args: list[Any], kwargs: dict[str, Any], path: str
    ) -> list[Tensor]:
        """The outputs of a layer or model on these arguments. Raises Failed where it was noted as a problem."""
        described = self.described(described, path)
        b = self.b
        self.calls += 1
        if self.calls > CALLS:
            raise ModelError(f"the model calls more than {CALLS} layers")
        if self.is_model(described):
            if not args and not kwargs:
                raise ModelError(f"layer {path!r}: a model is called on nothing")
            given = args[0] if args else kwargs
            return [t for _, t in self.model(described, weights, given, path + "/")]
        function = self.function_of(described)
        if function is None:
            self.unknown(path, described)
        kind = described["class_name"]
        if kind in ("TFOpLambda", "SlicingOpLambda"):
            kind = f"tf:{described['config']['function']}"
        title = f"Layer {path!r}"
        c = Call(b, kind, title, described["config"], weights, args, kwargs, self, path)
        b.name = path
        try:
            self.check_policy(c)
            results = function(c)
            results = list(results) if isinstance(results, (tuple, list)) else [results]
            for t in results:
                b.shape(t)
        except Unsupported as error:
            self.problem(title, error.reason, error.suggestion)
            raise Failed from None
        except UnsupportedError as error:
            self.problem(title, str(error))
            raise Failed from None
        except (ModelError, Failed):
            raise
        except (GraphError, SamaraError) as error:
            raise ModelError(f"{title}: {error}") from None
        except _DEFECTS as error:
            raise ModelError(
                f"{title}: its input, weights and configuration do not fit together ({error or type(error).__name__})"
            ) from None
        if kind in KEEPS_MASK and c.inputs and not self.is_operation(described):
            self.pass_mask(c, results)
        return results

    def check_policy(self, c: Call) -> None:
        policy = c.config.get("dtype")
        quantized = (
            "Quantized" in str(policy.get("class_name")) if isinstance(policy, dict) else "_from_" in str(policy)
        )
        if quantized:
            raise Unsupported("it is quantized by Keras", "save the float model and let Samara quantize it")

    def pass_mask(self, c: Call, results: list[Tensor]) -> None:
        masks = [self.masks.get(id(t)) for t in c.inputs]
        mask = next((m for m in masks if m is not None), None)
        if mask is None:
            return
        for t in results:
            if id(t) not in self.masks and all(m is mask for m in masks):
                self.set_mask(t, mask)

    def set_mask(self, t: Tensor, mask: Tensor) -> None:
        self.masks[id(t)] = mask
        self.keep.append(t)

    # ---- Inputs ----

    def input(self, config: dict[str, Any], name: str) -> Tensor:
        c = Fields(config, f"input {name!r}")
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        if shape is None and isinstance(config.get("shape"), list):
            shape = [None, *config["shape"]]
        if isinstance(shape, dict):
            shape = plain(shape)
        if not isinstance(shape, list):
            raise UnsupportedError(f"Input {name!r} has no shape; build the model with known input shapes")
        dims = [-1 if d is None else d for d in shape]
        if any(type(d) is not int or not -1 <= d <= 0x7FFFFFFF for d in dims) or len(dims) > 8:
            raise ModelError(f"input {name!r} has the impossible shape {shape[:16]}")
        dtype = config.get("dtype") or "float32"
        if isinstance(dtype, dict):
            inner = dtype.get("config")
            dtype = inner.get("name") if isinstance(inner, dict) else None
        if not isinstance(dtype, str):
            raise ModelError(f"input {name!r} has no data type")
        dtype = dtype.removeprefix("mixed_")
        kind = DTYPES.get(dtype)
        if kind is None or c.flag("sparse", False) or c.flag("ragged", False):
            raise UnsupportedError(f"Input {name!r} is a {dtype} tensor{' that is sparse or ragged' if kind else ''}; "
                                   "do the preprocessing outside the model")  # fmt: skip
        given = self.shapes.get(name)
        if given is not None:
            fixed = [int(d) for d in given]
            if len(fixed) != len(dims) or any(d not in (-1, f) and f != -1 for d, f in zip(dims, fixed, strict=True)):
                raise UnsupportedError(f"input {name!r} has shape {dims}, shapes says {fixed}")
            dims = fixed
        total = 8
        for d in dims:
            total *= max(d, 1)
        if total > 1 << 40:
            raise ModelError(f"input {name!r} has the impossible shape {dims}")
        return self.b.graph.input(name, kind, dims)


def _unique(name: str, taken: Mapping[str, Any]) -> str:
    made, n = name, 0
    while made in taken:
        n += 1
        made = f"{name}_{n}"
    return made
