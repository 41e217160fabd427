"""`damage-perception calibrate-sensor`: measure a camera's depth noise, say what it can see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_RANGES_M = (0.5, 0.8, 1.0, 1.2, 1.5, 2.0)
_FRAMES = (1, 10)


def calibrate_sensor(
    recording: Annotated[Path, typer.Argument(help='Recording of the empty belt or tray.')],
    out: Annotated[Path | None, typer.Option(help='Sensor profile (YAML) to write.')] = None,
    json: Annotated[bool, typer.Option('--json', help='Print JSON.')] = False,
) -> None:
    """Measure depth noise on an empty belt or tray and state the least visible dent by range."""
    from dataclasses import asdict

    from damage_perception.frame import RgbdFrame
    from damage_perception.perception.sensor.measurement import measure
    from damage_perception.perception.sensor.sensor import save_profile
    from damage_perception.recording.frames import FrameReader
    from damage_perception.recording.reader import Recording
    from damage_perception.recording.topics import find_topics

    source = Recording(recording)
    reader = FrameReader(source, find_topics(source))
    found = measure(entry for entry in reader if isinstance(entry, RgbdFrame))
    if out is not None:
        save_profile(found.profile, out)
    dents = [
        {'range_m': reach, 'std_m': found.profile.std_m(reach)}
        | {
            f'least_dent_{count}_m': found.profile.least_dent_m(reach, found.fx, frames=count)
            for count in _FRAMES
        }
        for reach in _RANGES_M
    ]
    if json:
        import json as json_module

        typer.echo(json_module.dumps({**asdict(found), 'least_visible': dents}))
        return
    _print(found, dents)


def _print(found: object, dents: list[dict[str, float]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from damage_perception.perception.sensor.measurement import SensorMeasurement

    assert isinstance(found, SensorMeasurement)
    console = Console()
    console.print(
        f'RMS {found.rms_m * 1000:.1f} mm at {found.range_m:.2f} m, correlation 0.5 at '
        f'{found.profile.correlation_px:.1f} px, {found.profile.invalid_share:.0%} invalid '
        f'({found.frames} frames, {found.pixels} pixels)',
        highlight=False,
    )
    table = Table(title='Least visible dent, 40 mm wide')
    for name in ('range', 'noise', *(f'{count} frame{"s" * (count > 1)}' for count in _FRAMES)):
        table.add_column(name, justify='right')
    for row in dents:
        reach, *rest = row.values()
        table.add_row(f'{reach:.1f} m', *(f'{value * 1000:.1f} mm' for value in rest))
    console.print(table)
