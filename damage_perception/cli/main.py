"""The command `damage-perception`: one file a command, listed here."""

from __future__ import annotations

import importlib
import sys

import typer

from damage_perception.errors import CallError, UserError

# A command is a function of its own name in a file of its own name (`calibrate-sensor` lives in
# calibrate_sensor.py); a file that defines `app` brings a group of commands. Their files import
# nothing heavy at the top, so that `--help` stays fast.
COMMANDS = (
    'demo',
    'run',
    'play',
    'replay',
    'predict',
    'synthesize',
    'train',
    'train-identification',
    'train-joins',
    'export',
    'evaluate',
    'calibrate-sensor',
    'gallery',
    'benchmark',
    'calibrate',
    'report',
)


def build_app() -> typer.Typer:
    """Collect the commands."""
    app = typer.Typer(
        name='damage-perception',
        help='Find damaged items in RGB-D images: from topics, recordings and pictures.',
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={'help_option_names': ['-h', '--help']},
    )
    app.callback()(_options)
    for name in COMMANDS:
        module = importlib.import_module(f'damage_perception.cli.{name.replace("-", "_")}')
        group = getattr(module, 'app', None)
        if group is not None:
            app.add_typer(group, name=name)
        else:
            app.command(name)(getattr(module, name.replace('-', '_')))
    return app


def main() -> None:
    """Run one command; end with status 0, 1 (the work failed) or 2 (the call was wrong)."""
    try:
        build_app()()
    except UserError as error:
        _fail(error, 1)
    except CallError as error:
        _fail(error, 2)
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        sys.stderr.close()
        sys.exit(0)


def _print_version(wanted: bool) -> None:
    if wanted:
        from damage_perception import __version__

        typer.echo(__version__)
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, '--version', help='Print the version and leave.', callback=_print_version,
        is_eager=True,
    ),
) -> None:  # fmt: skip
    """Find damaged items in RGB-D images: from topics, recordings and pictures."""


def _fail(error: Exception, status: int) -> None:
    typer.echo(f'damage-perception: {error}', err=True)
    sys.exit(status)


if __name__ == '__main__':
    main()
