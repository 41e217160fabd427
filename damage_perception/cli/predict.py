"""`damage-perception predict`: one picture in, one report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from damage_perception.errors import CallError


def predict(
    rgb: Annotated[Path, typer.Option(help='Colour image (PNG, JPEG).')],
    depth: Annotated[
        Path | None,
        typer.Option(help='PNG of uint16 millimetres, 0 invalid, registered to the colour image.'),
    ] = None,
    camera: Annotated[
        Path | None,
        typer.Option(help='JSON with fx, fy, cx, cy, or with K and P as in a CameraInfo.'),
    ] = None,
    references: Annotated[
        Path | None,
        typer.Option(
            help='Folder of sound items of the same product: K.png with K_depth.png, and '
            'K_camera.json where it is not --camera.'
        ),
    ] = None,
    params: Annotated[
        Path | None, typer.Option(help='ROS parameter file, as the nodes take it.')
    ] = None,
    picture: Annotated[Path | None, typer.Option(help='PNG to draw the findings into.')] = None,
    json: Annotated[bool, typer.Option('--json', help='Print the report as JSON.')] = False,
) -> None:
    """Judge one picture.

    With depth and camera it goes through the pipeline, by itself or compared with references.
    Without depth one item that fills the picture is judged by colour alone: health is DEGRADED.
    """
    from damage_perception.cli.pictures import load_frame
    from damage_perception.cli.result_places import check_picture
    from damage_perception.cli.settings_file import read_settings
    from damage_perception.recording.jsonl import report_line
    from damage_perception.single_picture import judge_picture

    if (depth is None) != (camera is None):
        raise CallError('--depth and --camera belong together; give both, or neither')
    if picture is not None:
        check_picture(picture)
    settings, _ = read_settings(params)
    frame = load_frame(rgb, depth, camera)
    known = None
    if references is not None:
        from damage_perception.cli.reference_folder import load_references
        from damage_perception.perception.comparison.fixed_references import FixedReferences

        if depth is None or camera is None:
            raise CallError('--references are compared by colour and depth; give --depth, --camera')
        views = load_references(references, camera, frame.rgb.shape, settings)
        known = FixedReferences(views)
    report = judge_picture(frame, settings, known)
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
    reason = f': {report.reason}' if report.reason else ''
    console.print(f'health {report.health.name}{reason}', markup=False)
    if report.items:
        console.print(item_table(report))
