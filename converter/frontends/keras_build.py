"""The table of the Keras front end: class of a layer -> function from a `Call` to its outputs.

A function raises `Unsupported` with a reason and a suggestion where a layer asks for what we cannot say. Wrong types in
the configuration are errors of the file: the words of `Call` that read it name the layer, the field and the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...interpreter.errors import ModelError
from ..ir import Tensor
from .build import Builder, T, Unsupported
from .keras_file import Weights

LAYERS: dict[str, Callable[[Call], Any]] = {}
"""Layers by class."""

OPERATIONS: dict[str, Callable[[Call], Any]] = {}
"""keras.ops and operators between tensors, by class: the functional graph has them as nodes of their own."""

KEEPS_MASK: set[str] = set()
"""Classes whose output has the mask of the input."""

F = T.FLOAT32
FIX_SHAPES = "fix the shapes of the inputs"
SIZE_LIMIT = 1 << 31
_REQUIRED: Any = object()


def layer(*names: str, mask: bool = False) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Enters a function into the table of layers; `mask`: a mask of the input is one of the output."""

    def enter(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        for name in names:
            LAYERS[name] = function
            if mask:
                KEEPS_MASK.add(name)
        return function

    return enter


def operation(*names: str) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Enters a function into the table of operations."""

    def enter(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        for name in names:
            OPERATIONS[name] = function
        return function

    return enter


def flat(value: Any) -> Iterator[Any]:
    """The leaves of nested lists and dicts."""
    if isinstance(value, dict):
        for item in value.values():
            yield from flat(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from flat(item)
    else:
        yield value


class Fields:
    """The configuration of a layer, read with a type in mind."""

    def __init__(self, config: dict[str, Any], title: str) -> None:
        self.config = config
        self.title = title

    def wrong(self, name: str, wanted: str) -> ModelError:
        shown = repr(self.config.get(name))
        shown = shown if len(shown) < 80 else shown[:77] + "..."
        return ModelError(f"{self.title}: {name} is {shown}, needs {wanted}")

    def has(self, name: str) -> bool:
        return self.config.get(name) is not None

    def _value(self, name: str, default: Any) -> Any:
        value = self.config.get(name, default)
        if value is _REQUIRED:
            raise ModelError(f"{self.title}: the configuration lacks {name}")
        return value

    def integer(self, name: str, default: Any = _REQUIRED, low: int = -SIZE_LIMIT) -> int:
        value = self._value(name, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value < SIZE_LIMIT:
            raise self.wrong(name, f"a whole number{f' of at least {low}' if low > -SIZE_LIMIT else ''}")
        return value

    def number(self, name: str, default: Any = _REQUIRED) -> float:
        value = self._value(name, default)
        if isinstance(value, dict):  # a scalar that numpy or a backend made
            value = plain(value)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value != value or abs(value) > 1e300:
            raise self.wrong(name, "a number")
        return float(value)

    def maybe(self, name: str) -> float | None:
        """A number, or None where there is none."""
        return self.number(name) if self.has(name) else None

    def flag(self, name: str, default: bool) -> bool:
        value = self.config.get(name, default)
        if value is None:
            return default
        if not isinstance(value, bool) and value not in (0, 1):
            raise self.wrong(name, "true or false")
        return bool(value)

    def text(self, name: str, default: Any = _REQUIRED) -> str:
        value = self._value(name, default)
        if value is None and default is not _REQUIRED:
            value = default
        if not isinstance(value, str):
            raise self.wrong(name, "a text")
        return value

    def integers(self, name: str, default: Any = _REQUIRED, low: int = -SIZE_LIMIT) -> list[int]:
        """A list of whole numbers; a single one is a list of it."""
        value = self._value(name, default)
        value = plain(value) if isinstance(value, dict) else value
        value = value if isinstance(value, (list, tuple)) else [value]
        made = []
        for v in value:
            v = int(v) if isinstance(v, float) and v.is_integer() else v
            if not isinstance(v, int) or isinstance(v, bool) or not low <= v < SIZE_LIMIT:
                raise self.wrong(name, "whole numbers")
            made.append(v)
        return made

    def tuple_of(self, name: str, n: int, default: Any = _REQUIRED, low: int = 1) -> list[int]:
        """`n` whole numbers; a single one stands for all."""
        found = self.integers(name, default, low)
        if len(found) == 1:
            found = found * n
        if len(found) != n:
            raise self.wrong(name, f"{n} whole numbers")
        return found

    def array(self, name: str) -> np.ndarray | None:
        """Numbers of any shape as float32, or None."""
        if not self.has(name):
            return None
        value = self.config[name]
        return numbers(plain(value) if isinstance(value, dict) else value, lambda: self.wrong(name, "numbers"))

    def inner(self, name: str) -> dict[str, Any]:
        """The description of another layer."""
        value = self.config.get(name)
        if not isinstance(value, dict) or not isinstance(value.get("class_name"), str):
            raise self.wrong(name, "the description of a layer")
        return value


def numbers(value: Any, wrong: Callable[[], ModelError]) -> np.ndarray:
    """Nested lists of numbers as float32."""
    if not all(isinstance(v, (int, float)) for v in flat(value)):
        raise wrong()
    try:
        with np.errstate(over="ignore"):
            return np.asarray(value, np.float64).astype(np.float32)
    except (ValueError, OverflowError):
        raise wrong() from None


def plain(value: dict[str, Any]) -> Any:
    """The value that a serialized array, tuple or number stands for."""
    config = value.get("config")
    if value.get("class_name") in ("__tensor__", "__numpy__") and isinstance(config, dict):
        return config.get("value")
    if value.get("class_name") == "__tuple__":
        return value.get("items")
    if value.get("type") == "ndarray":  # before Keras 3
        return value.get("value")
    return value


class Call(Fields):
    """One call of a layer, as its function sees it."""

    def __init__(
        self,
        b: Builder,
        kind: str,
        title: str,
        config: dict[str, Any],
        weights: Weights,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        front: Any,
        path: str,
    ) -> None:
        super().__init__(config, title)
        self.b = b
        self.kind = kind
        self.weights = weights
        self.args = list(args)  # tensors, numbers, texts, and lists of them
        self.kwargs = kwargs
        self.path = path  # its name behind those of the models around it
        self.front = front  # the loader: versions, masks, layers inside this one
        self.inputs = [t for t in flat(self.args[:1]) if isinstance(t, Tensor)]

    @property
    def version(self) -> tuple[int, ...]:
        return self.front.version  # type: ignore[no-any-return]

    # ---- Operands ----

    @property
    def input(self) -> Tensor:
        """The only tensor of the first argument."""
        if len(self.inputs) != 1:
            raise Unsupported(f"it is called on {len(self.inputs)} tensors instead of one")
        return self.inputs[0]

    @property
    def x(self) -> Tensor:
        """The only tensor of the first argument as floating-point numbers."""
        return self.b.cast(self.input, F)

    def ranked(self, *ranks: int) -> Tensor:
        """`x`, which must have one of these ranks."""
        x = self.x
        if self.b.rank(x) not in ranks:
            wanted = " or ".join(map(str, ranks))
            raise ModelError(f"{self.title}: the input has {self.b.rank(x)} dimensions, needs {wanted}")
        return x

    def argument(self, i: int, name: str, default: Any = None) -> Any:
        """An argument by place or by name."""
        if i < len(self.args):
            return self.args[i]
        return self.kwargs.get(name, default)

    def axis(self, value: int, rank: int, name: str = "axis") -> int:
        if not -rank <= value < rank:
            raise ModelError(f"{self.title}: {name} {value} does not exist in {rank} dimensions")
        return value + rank if value < 0 else value

    def axes(self, values: Sequence[int], rank: int) -> list[int]:
        return sorted({self.axis(v, rank) for v in values})

    def size(self, t: Tensor, axis: int, what: str) -> int:
        """A dimension that must be known."""
        d = self.b.shape(t)[axis]
        if d < 0:
            raise Unsupported(f"{what} is open", FIX_SHAPES)
        return d

    # ---- Weights ----

    def weight(self, shape: Sequence[int] | None, what: str, at: str = "") -> np.ndarray:
        """The next weight of the layer, which must have this shape (-1: any size)."""
        try:
            (value,) = self.weights.take(1, at)
        except ModelError as error:
            raise ModelError(f"{self.title}: the weight {what} is missing: {error}") from None
        if shape is not None:
            self.fits(value, shape, what)
        return value

    def fits(self, value: np.ndarray, shape: Sequence[int], what: str) -> None:
        if value.ndim != len(shape) or any(n not in (-1, m) for n, m in zip(shape, value.shape, strict=True)):
            wanted = ["any" if n < 0 else n for n in shape]
            raise ModelError(
                f"{self.title}: the weight {what} has the shape {list(value.shape)} in the file, "
                f"the layer needs {wanted}"
            )

    # ---- Layout ----

    @property
    def channels_first(self) -> bool:
        data_format = self.text("data_format", "channels_last")
        if data_format not in ("channels_last", "channels_first"):
            raise self.wrong("data_format", "channels_last or channels_first")
        return data_format == "channels_first"

    def last(self, x: Tensor) -> Tensor:
        """`x` with the channels last."""
        rank = self.b.rank(x)
        return self.b.transpose(x, (0, *range(2, rank), 1)) if self.channels_first and rank > 2 else x

    def back(self, y: Tensor) -> Tensor:
        """A result with its channels where the layer has them."""
        rank = self.b.rank(y)
        return self.b.transpose(y, (0, rank - 1, *range(1, rank - 1))) if self.channels_first and rank > 2 else y
