"""`damage-perception predict`: one picture in, one report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def predict(
    rgb: Annotated[Path, typer.Option(help='Colour image (PNG, JPEG).')],
    depth: Annotated[
        Path | None,
        typer.Option(help='PNG of uint16 millimetres, 0 invalid, registered to the colour image.'),
    ] = None,
    camera: Annotated[
        Path | None, typer.Option(help='JSON with fx, fy, cx, cy, or with K as in a CameraInfo.')
    ] = None,
    params: Annotated[
        Path | None, typer.Option(help='ROS parameter file, as the nodes take it.')
    ] = None,
    picture: Annotated[Path | None, typer.Option(help='PNG to draw the findings into.')] = None,
    json: Annotated[bool, typer.Option('--json', help='Print the report as JSON.')] = False,
) -> None:
    """Judge one picture; without depth and camera the answer is UNKNOWN, with the reason."""
    from damage_perception.cli.pictures import load_frame
    from damage_perception.cli.settings_file import read_settings
    from damage_perception.pipeline import DamagePipeline, unknown_report
    from damage_perception.recording.jsonl import report_line

    settings, _ = read_settings(params)
    frame = load_frame(rgb, depth, camera)
    if frame.depth_m is None:
        report = unknown_report(frame, 'no depth was given; give --depth and --camera')
    else:
        report = DamagePipeline(settings).process(frame)
    if picture is not None:
        from damage_perception.overlay import draw_overlay
        from damage_perception.recording.outputs import write_png

        write_png(picture, draw_overlay(frame.rgb, report))
    if json:
        typer.echo(report_line(report))
        return
    from rich.console import Console

    from damage_perception.cli.tables import item_table

    console = Console()
    console.print(f'health {report.health.name}' + (f': {report.reason}' if report.reason else ''))
    if report.items:
        console.print(item_table(report))
