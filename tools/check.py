"""`samara check MODEL`: whether it can be converted; every blocker at once.

samara check net.onnx
samara check net.keras --recipe static_wi8_ai8
"""

from __future__ import annotations

import click
from samara.converter import check as checking

from .common import UNSUPPORTED, json_option, note, print_json, table, verbosity_options
from .convert import quantization_lines, shape_options


@click.command()
@click.argument("model")
@click.option("--recipe", metavar="R", help="Also say what this recipe would leave float, and why.")
@click.option("--shape", "shapes", multiple=True, metavar="NAME:1x3x224x224", help="Fix an input's shape.")
@json_option
@verbosity_options
def command(
    model: str, recipe: str | None, shapes: tuple[str, ...], as_json: bool, quiet: bool, verbose: int
) -> int | None:
    """Say whether MODEL can be converted. Blockers come with layer, reason and remedy, and exit code 3."""
    result = checking.check(model, recipe, shapes=shape_options(shapes))
    if as_json:
        print_json("samara.check/1", {"model": model, "recipe": recipe, **result.to_dict()})
    elif result.problems:
        rows = [(p.layer or "model", p.reason, p.remedy) for p in result.problems]
        click.echo(table(rows, ("layer", "reason", "remedy")))
    else:
        click.echo(f"'{model}' can be converted: {sum(result.operators.values())} operators")
        if verbose:
            click.echo(table([(op, n) for op, n in result.operators.items()], right="lr"))
        for line in quantization_lines(result.quantization, 1):
            click.echo(line)
    if result.problems:
        note(f"{len(result.problems)} problems; nothing else stands in the way of the front end", quiet or as_json)
        return UNSUPPORTED
    return None
