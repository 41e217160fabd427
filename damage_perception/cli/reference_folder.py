"""Pristine references from a folder of pictures: K.png, K_depth.png, maybe K_camera.json."""

from __future__ import annotations

from pathlib import Path

import typer

from damage_perception.cli.pictures import load_frame
from damage_perception.errors import CallError, UserError
from damage_perception.perception.comparison.reference_view import view_of_item
from damage_perception.perception.view.item_view import ItemView
from damage_perception.settings import Settings


def load_references(
    folder: Path, camera: Path, shape: tuple[int, ...], settings: Settings
) -> list[ItemView]:
    """Load the references that can be used; say on stderr which cannot, and why.

    Args:
        folder: where the pictures lie.
        camera: file of the camera that took those without K_camera.json.
        shape: rows and columns of its pictures.
        settings: how items are found.

    Raises:
        CallError: if there is no such folder.
        UserError: if no reference can be used.
    """
    if not folder.is_dir():
        raise CallError(f'--references {folder} is not a folder; give one with K.png, K_depth.png')
    views = []
    for rgb in sorted(folder.glob('*.png')):
        if rgb.stem.endswith('_depth'):
            continue
        try:
            views.append(_load(rgb, camera, shape, settings))
        except (UserError, CallError) as error:
            typer.echo(f'reference {rgb} is left out: {error}', err=True)
    if not views:
        raise UserError(
            f'{folder} has no reference that can be used; put K.png and K_depth.png of a whole '
            'sound item there, K = 0, 1, ...'
        )
    return views


def _load(rgb: Path, camera: Path, shape: tuple[int, ...], settings: Settings) -> ItemView:
    own = rgb.with_name(f'{rgb.stem}_camera.json')
    taken_by = own if own.is_file() else camera
    frame = load_frame(rgb, rgb.with_name(f'{rgb.stem}_depth.png'), taken_by)
    if taken_by is camera and frame.rgb.shape[:2] != shape[:2]:
        raise UserError(f'it has another size than --rgb; put its camera beside it as {own.name}')
    return view_of_item(frame, settings=settings, alone=True)
