"""What the verbs share: exit codes, JSON, tables, files that are not overwritten."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import click
import numpy as np

INTERNAL, USAGE, UNSUPPORTED, MISMATCH, INVALID, DEVICE, REGRESSION = 1, 2, 3, 4, 5, 6, 7

_F = TypeVar("_F", bound=Callable[..., Any])


class Failure(Exception):
    """Ends the command with one sentence and an exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


def exit_code(error: Exception) -> int:
    """The exit code that belongs to an exception."""
    from samara.interpreter import errors

    if isinstance(error, Failure):
        return error.code
    if isinstance(error, errors.UnsupportedError):
        return UNSUPPORTED
    if isinstance(error, errors.MismatchError):
        return MISMATCH
    if isinstance(error, errors.ModelError | errors.LimitError):
        return INVALID
    if isinstance(error, errors.DeviceError):
        return DEVICE
    missing = isinstance(error, ModuleNotFoundError) and "pip install" in str(error)  # an extra
    if missing or isinstance(error, errors.ArgumentError | errors.FileError | errors.DataError):
        return USAGE
    return INTERNAL


def json_option(function: _F) -> _F:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(function)


def weight_cache_option(function: _F) -> _F:
    return click.option(
        "--weight-cache", metavar="FILE", help="Keep the repacked weights there: the next start is faster."
    )(function)


def arithmetic_options(function: _F) -> _F:
    function = click.option(
        "--no-winograd", is_flag=True, help="Keep the repacked weights of 3 x 3 convolutions small; slower."
    )(function)
    return click.option(
        "--allow-fp16", is_flag=True, help="Let float32 models multiply in half precision, on ARM CPUs that can."
    )(function)


def force_option(function: _F) -> _F:
    return click.option("--force", is_flag=True, help="Overwrite existing output files.")(function)


def verbosity_options(function: _F) -> _F:
    function = click.option("-q", "--quiet", is_flag=True, help="Print no notes on stderr.")(function)
    return click.option("-v", "--verbose", count=True, help="Print more; twice, even more.")(function)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity and no NaN
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def print_json(schema: str, content: dict[str, Any]) -> None:
    """One object; `schema` names its layout and version, e.g. "samara.run/1"."""
    click.echo(json.dumps({"schema": schema, **_plain(content)}, indent=2, ensure_ascii=False))


def table(rows: Sequence[Sequence[Any]], head: Sequence[str] = (), right: str = "", gap: str = "  ") -> str:
    """Aligned columns; `right` has an "r" at the place of each column to align right: "lrr"."""
    texts = [[str(cell) for cell in row] for row in ([head] if head else []) + [list(r) for r in rows]]
    if not texts:
        return ""
    widths = [max(len(row[c]) for row in texts if c < len(row)) for c in range(max(map(len, texts)))]
    lines = []
    for row in texts:
        cells = [
            cell.rjust(width) if right[c : c + 1] == "r" else cell.ljust(width)
            for c, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append(gap.join(cells).rstrip())
    return "\n".join(lines)


def bytes_text(n: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024
    return ""


def count_text(n: float) -> str:
    """1,234 as it is; from a million on 12.3 M, 1.2 G."""
    if n >= 1e9:
        return f"{n / 1e9:.2f} G"
    return f"{n / 1e6:.2f} M" if n >= 1e6 else f"{n:,.0f}"


def note(message: str, quiet: bool = False) -> None:
    """A remark for the person at the terminal: stderr."""
    if not quiet:
        click.echo(message, err=True)


@contextlib.contextmanager
def warnings_as_notes(quiet: bool = False, category: type[Warning] = UserWarning) -> Iterator[None]:
    """Warnings of the library, those of the category, as remarks on stderr."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if issubclass(warning.category, category):
            note(f"note: {warning.message}", quiet)


def refuse_overwrite(path: str, force: bool) -> None:
    if os.path.exists(path) and not force:
        raise Failure(f"'{path}' exists; pass --force to overwrite it")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise Failure(f"'{path}' cannot be written: '{folder}' is not a directory")


def parse_shapes(values: Sequence[str], names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """--shape name:1x224x224x3, or without the name where there is one input. Commas do as well."""
    shapes = {}
    for value in values:
        name, _, text = value.rpartition(":")
        if not name:
            if len(names) != 1:
                raise Failure(f"--shape {value}: say which input, e.g. --shape {names[0] if names else 'x'}:{text}")
            name = names[0]
        if name not in names:
            raise Failure(f"--shape {value}: the model has no input '{name}'; it has: {', '.join(names)}")
        try:
            shapes[name] = tuple(int(d) for d in text.replace(",", "x").split("x"))
        except ValueError:
            raise Failure(f"--shape {value}: '{text}' is not a shape like 1x224x224x3") from None
    return shapes


def numbers(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """A click callback: a number, or several with commas."""
    if value is None:
        return None
    try:
        return tuple(float(v) for v in value.split(","))
    except ValueError:
        raise click.BadParameter(f"'{value}' is not a number or a list like 123.7,116.3,103.5") from None


class Progress:
    """A line on stderr that is rewritten; only on a terminal."""

    def __init__(self, quiet: bool = False) -> None:
        self._on = sys.stderr.isatty() and not quiet
        self._last = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.done()

    def show(self, text: str) -> None:
        now = time.monotonic()
        if self._on and now - self._last > 0.1:
            self._last = now
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def done(self) -> None:
        if self._on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
