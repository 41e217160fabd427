"""Where results may be written, asked before any work is done."""

from __future__ import annotations

from pathlib import Path

from damage_perception.errors import CallError, UserError


def check_picture(path: Path) -> None:
    """Check the place of a picture that is about to be made, see `check_place`.

    Raises:
        CallError: if it is to be no PNG.
        UserError: if it cannot be written there.
    """
    if path.suffix.lower() != '.png':
        raise CallError(f'--picture {path} must end in .png')
    check_place(path)


def check_place(path: Path) -> None:
    """Make room for a file that is about to be made, so that no work is done in vain.

    Raises:
        UserError: if it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        was_there = path.exists()
        path.open('ab').close()
        if not was_there:
            path.unlink()
    except OSError as error:
        raise UserError(
            f'{path} cannot be written ({error.strerror}); give another place'
        ) from error


def check_new_folder(folder: Path) -> None:
    """Refuse a folder for pictures that holds something, such as those of an older run.

    Raises:
        CallError: if it does, or cannot be read.
    """
    try:
        in_use = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise CallError(f'--pictures {folder} cannot be read ({error.strerror})') from error
    if in_use:
        raise CallError(f'--pictures {folder} is not empty; give a new folder')
