"""`samara quantize MODEL -o OUT --recipe R`: a float model becomes a small one.

samara quantize net.tflite -o small.tflite --recipe dynamic_wi8_afp32
samara quantize net.tflite -o small.tflite --recipe static_wi8_ai8 --calibration photos --io-dtype int8
"""

from __future__ import annotations

import click

from .common import Progress, force_option, json_option, refuse_overwrite, verbosity_options, warnings_as_notes
from .convert import _data, data_options, finish, io_types, proof_data, quantizing_options


@click.command()
@click.argument("model")
@click.option("--output", "-o", required=True, metavar="FILE", help="The .tflite file to write.")
@click.option(
    "--recipe",
    required=True,
    metavar="R",
    help="static_wi8_ai8, static_wi8_ai16, dynamic_wi8_afp32, float16, …, or JSON.",
)
@quantizing_options
@data_options
@json_option
@force_option
@verbosity_options
def command(
    model: str,
    output: str,
    recipe: str,
    calibration: str | None,
    io_dtype: tuple[str, ...],
    inputs: str | None,
    seed: int,
    no_verify: bool,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    as_json: bool,
    force: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Quantize MODEL (.tflite, or what `samara convert` reads) by a recipe, and compare the result with it."""
    from samara.converter import convert as converting

    refuse_overwrite(output, force)
    with Progress(quiet or as_json) as progress, warnings_as_notes(quiet):
        result = converting.quantize(
            model,
            recipe,
            calibration=_data(calibration, mean, std),
            io_dtype=io_types(io_dtype),
            verify=proof_data(no_verify, inputs, mean, std),
            seed=seed,
            progress=progress.show,
        )
    finish(result, "samara.quantize/1", model, output, as_json, quiet, verbose)
