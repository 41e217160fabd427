"""`damage-perception benchmark ...`: one file a benchmark, listed here."""

from __future__ import annotations

import importlib

import typer

BENCHMARKS = (
    'decision',
    'gallery',
    'identification',
    'items',
    'network',
    'synchronizer',
    'transport',
)

app = typer.Typer(help='Measure times on this machine.', no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Measure times on this machine."""


for _name in BENCHMARKS:
    _module = importlib.import_module(f'damage_perception.cli.benchmark_{_name}')
    app.command(_name)(getattr(_module, f'benchmark_{_name}'))
