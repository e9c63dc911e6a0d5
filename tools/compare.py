"""`samara compare A B`: two models on the same inputs, layer by layer.

samara compare net.onnx net.tflite
samara compare net.tflite net_int8.tflite --inputs photos --min-sqnr 20
"""

from __future__ import annotations

import math

import click
from samara.converter.compare import Row, sqnr_text
from samara.converter.data import Pixels, shape_text

from .common import MISMATCH, Failure, json_option, note, print_json, table, verbosity_options
from .convert import data_options, shape_options


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("--inputs", metavar="DATA", help="Inputs for the first model: pictures, .npz, .npy; default: random.")
@click.option("--seed", default=0, show_default=True, type=int, help="Of the random inputs.")
@click.option("--samples", default=4, show_default=True, type=click.IntRange(1), help="How many inputs to run at most.")
@data_options
@click.option("--shape", "shapes", multiple=True, metavar="NAME:1x224x224x3", help="Fix an input's shape.")
@click.option("--outputs-only", is_flag=True, help="Leave the layers out.")
@click.option("--tolerance", type=float, metavar="T", help="Exit with 4 if an output differs by more than this.")
@click.option("--min-sqnr", type=float, metavar="DB", help="Exit with 4 if an output's SQNR is lower.")
@json_option
@verbosity_options
def command(
    first: str,
    second: str,
    inputs: str | None,
    seed: int,
    samples: int,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    shapes: tuple[str, ...],
    outputs_only: bool,
    tolerance: float | None,
    min_sqnr: float | None,
    as_json: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Compare the outputs and the layers of two models (.tflite, .onnx, .keras, .h5) that run on the same inputs.

    Layers are paired by name, else in order. Quantized values are compared by the numbers they stand for.
    """
    from samara.converter import compare as comparing

    result = comparing.compare(
        first,
        second,
        None if inputs is None else Pixels(inputs, mean, std),
        shapes=shape_options(shapes),
        seed=seed,
        layers=not outputs_only,
        limit=samples,
    )
    if as_json:
        print_json("samara.compare/1", {"first": first, "second": second, **result.to_dict()})
    else:
        head = ("", "name", "shape", "max error", "range", "SQNR")
        rows = [_cells("output", row) for row in result.outputs] + [_cells(row.op, row) for row in result.layers]
        click.echo(table(rows, head, right="lllrrr"))
        worst = result.worst
        if worst is not None and math.isfinite(worst.sqnr):
            note(f"lowest SQNR: {sqnr_text(worst.sqnr)} at {worst.op} '{worst.name}'", quiet)
        if verbose and (result.first_only or result.second_only):
            note(f"only in {first}: {', '.join(result.first_only) or 'nothing'}")
            note(f"only in {second}: {', '.join(result.second_only) or 'nothing'}")
    for row in result.outputs:
        if tolerance is not None and not row.max_error <= tolerance:
            raise Failure(f"output '{row.name}' differs by {row.max_error:.3g}, more than {tolerance:g}", MISMATCH)
        if min_sqnr is not None and not row.sqnr >= min_sqnr:
            raise Failure(f"output '{row.name}' has an SQNR of {sqnr_text(row.sqnr)}, below {min_sqnr:g} dB", MISMATCH)


def _cells(kind: str, row: Row) -> tuple[str, ...]:
    return kind, row.name, shape_text(row.shape), f"{row.max_error:.3g}", f"{row.range:.3g}", sqnr_text(row.sqnr)
