"""`samara convert MODEL -o OUT`: a trained network becomes a .tflite file that is proved to compute the same.

samara convert net.onnx -o net.tflite
samara convert net.keras -o net.tflite --recipe static_wi8_ai8 --calibration photos --io-dtype int8
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from samara.converter.convert import ConvertedModel
from samara.converter.data import Pixels

from .common import (
    Failure,
    Progress,
    bytes_text,
    force_option,
    json_option,
    note,
    numbers,
    print_json,
    refuse_overwrite,
    table,
    verbosity_options,
    warnings_as_notes,
)

_F = TypeVar("_F", bound=Callable[..., Any])
IO_TYPES = ("float32", "int8", "uint8", "int16")


def data_options(function: _F) -> _F:
    """How pictures become numbers."""
    function = click.option(
        "--std", callback=numbers, metavar="S[,S…]", help="Divides pixels after that (float inputs: 127.5)."
    )(function)
    return click.option(
        "--mean", callback=numbers, metavar="M[,M…]", help="Subtracted from pixels of pictures (float inputs: 127.5)."
    )(function)


def quantizing_options(function: _F) -> _F:
    """What `convert` and `quantize` share."""
    for option in (
        click.option("--no-verify", is_flag=True, help="Do not run source and result to compare them."),
        click.option("--seed", default=0, show_default=True, type=int, help="Of the random inputs of the comparison."),
        click.option("--inputs", metavar="DATA", help="Compare on these inputs; default: calibration data, or random."),
        click.option(
            "--io-dtype", "io_dtype", multiple=True, metavar="[NAME:]TYPE",
            help=f"Type of inputs and outputs: {', '.join(IO_TYPES)}.",
        ),
        click.option("--calibration", metavar="DATA", help="Typical inputs: a folder of pictures, .npz or .npy."),
    ):  # fmt: skip
        function = option(function)
    return function


@click.command()
@click.argument("model")
@click.option("--output", "-o", required=True, metavar="FILE", help="The .tflite file to write.")
@click.option("--recipe", metavar="R", help="static_wi8_ai8, static_wi8_ai16, dynamic_wi8_afp32, float16, …, or JSON.")
@quantizing_options
@data_options
@click.option("--shape", "shapes", multiple=True, metavar="NAME:1x3x224x224", help="Fix an input's shape.")
@click.option("--keep-layout", multiple=True, metavar="NAME", help="An input or output that stays channels-first.")
@click.option("--no-optimize", is_flag=True, help="Write the graph as it is read.")
@click.option("--dump-after", multiple=True, metavar="PASS", help="Print the graph after a pass, on stderr.")
@json_option
@force_option
@verbosity_options
def command(
    model: str,
    output: str,
    recipe: str | None,
    calibration: str | None,
    io_dtype: tuple[str, ...],
    inputs: str | None,
    seed: int,
    no_verify: bool,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    shapes: tuple[str, ...],
    keep_layout: tuple[str, ...],
    no_optimize: bool,
    dump_after: tuple[str, ...],
    as_json: bool,
    force: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Convert MODEL (.keras, .h5, .onnx, .tflite) to a .tflite file, quantized if a recipe is given.

    Source and result are run on the same inputs; if they part, the first operator that differs is named, nothing is
    written and the exit code is 4.
    """
    from samara.converter import convert as converting

    refuse_overwrite(output, force)
    with Progress(quiet or as_json) as progress, warnings_as_notes(quiet):
        result = converting.convert(
            model,
            recipe=recipe,
            calibration=_data(calibration, mean, std),
            io_dtype=io_types(io_dtype),
            shapes=shape_options(shapes),
            keep_layout=keep_layout,
            optimize=not no_optimize,
            verify=proof_data(no_verify, inputs, mean, std),
            seed=seed,
            dump_after=dump_after,
            progress=progress.show,
        )
    finish(result, "samara.convert/1", model, output, as_json, quiet, verbose)


def _data(path: str | None, mean: tuple[float, ...] | None, std: tuple[float, ...] | None) -> Any:
    return None if path is None else Pixels(path, mean, std)


def proof_data(
    no_verify: bool, inputs: str | None, mean: tuple[float, ...] | None, std: tuple[float, ...] | None
) -> Any:
    """What `verify` of samara.convert takes."""
    if no_verify and inputs is not None:
        raise Failure("--inputs are for the comparison that --no-verify leaves out; give one of them")
    return False if no_verify else True if inputs is None else Pixels(inputs, mean, std)


def io_types(values: tuple[str, ...]) -> Any:
    """--io-dtype int8, or NAME:int8 for one input or output."""
    named = {}
    for value in values:
        name, _, kind = value.rpartition(":")
        if kind not in IO_TYPES:
            raise Failure(f"--io-dtype {value}: '{kind}' is none of {', '.join(IO_TYPES)}")
        if not name and len(values) > 1:
            raise Failure("--io-dtype: give one type for all, or NAME:TYPE for each")
        if not name:
            return kind
        named[name] = kind
    return named or None


def shape_options(values: tuple[str, ...]) -> dict[str, tuple[int, ...]] | None:
    """--shape name:1x3x224x224; -1 or ? stays open."""
    shapes = {}
    for value in values:
        name, _, text = value.rpartition(":")
        if not name:
            raise Failure(f"--shape {value}: say which input, e.g. --shape image:{text}")
        try:
            shapes[name] = tuple(-1 if d in ("?", "-1") else int(d) for d in text.replace(",", "x").split("x"))
        except ValueError:
            raise Failure(f"--shape {value}: '{text}' is not a shape like 1x3x224x224") from None
    return shapes or None


def finish(
    result: ConvertedModel, schema: str, model: str, output: str, as_json: bool, quiet: bool, verbose: int
) -> None:
    """Writes the file and says what was done."""
    result.save(output)
    report = result.report
    if as_json:
        print_json(schema, {"model": model, "output": output, **report.to_dict()})
        return
    was = "" if report.source_bytes is None else f"{bytes_text(report.source_bytes)} -> "
    rows = [
        ("size", f"{was}{bytes_text(report.bytes)}"),
        ("operators", f"{sum(report.before.values())} -> {sum(report.after.values())}"),
        ("transposes", str(report.transposes)),
    ]
    rows += [("layout", f"'{name}' is now channels-last (--keep-layout {name} keeps it)") for name in report.layouts]
    rows += [("quantized", line) for line in quantization_lines(report.quantization, verbose)]
    if report.proof is not None:
        rows.append(("proof", f"against {report.proof.reference}, {report.proof.samples} samples"))
        rows += [("", line) for line in str(report.proof).splitlines()[1:]]
        if report.proof.note:
            note(f"note: {report.proof.note}", quiet)
    rows.append(("time", f"{report.seconds:.2f} s"))
    click.echo(table(rows))
    note(f"wrote {output}", quiet)


def quantization_lines(report: Any, verbose: int) -> list[str]:
    """One line with what stayed float; all of it with -v."""
    return [] if report is None else str(report).splitlines()[: None if verbose else 12]
