"""`samara VERB MODEL …`

A verb is a module of this folder with a click command named `command`. Adding one: a line in VERBS.
"""

from __future__ import annotations

import importlib
import sys

import click

from .common import Failure, exit_code

# In the order `samara --help` shows them: verb -> (module, what it does).
VERBS = {
    "convert": ("convert", "Convert a trained network to .tflite, small if wished, and prove it."),
    "quantize": ("quantize", "Make a float model small by a recipe."),
    "run": ("run", "Run a model on pictures, arrays or raw data."),
    "inspect": ("inspect", "Show what a model holds and what running it takes."),
    "check": ("check", "Say whether a network can be converted, and all that stands in the way."),
    "compare": ("compare", "Run two models on the same inputs and compare them layer by layer."),
    "benchmark": ("benchmark", "Measure speed and memory, against other engines if wished."),
    "doctor": ("doctor", "Check this installation and machine."),
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = importlib.import_module(f".{VERBS[name][0]}", __package__)
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from samara.interpreter import version

        click.echo(f"samara {version()}")
        ctx.exit()


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def cli() -> None:
    """Samara turns trained networks into .tflite models and runs them.

    Exit codes: 0 done, 1 internal error, 2 wrong usage, 3 unsupported operator, 4 mismatch, 5 invalid model,
    6 device unavailable, 7 regression.
    """


def main(arguments: list[str] | None = None) -> None:
    try:
        code = cli.main(args=arguments, prog_name="samara", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        code = exit_code(error)
        if code == 1 and not isinstance(error, Failure):
            click.echo(f"samara: internal error: {type(error).__name__}: {error}", err=True)
        else:
            click.echo(f"samara: {error}", err=True)
        sys.exit(code)


if __name__ == "__main__":
    main()
