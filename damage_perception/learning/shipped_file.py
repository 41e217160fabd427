"""Write what ships with the package: a file and the manifest that says what it must hash to."""

from __future__ import annotations

from pathlib import Path

from damage_perception.errors import UserError
from damage_perception.synthesis.records import write_whole


def write_shipped(tensors: Path, content: bytes, manifest: Path, text: bytes) -> None:
    """Write both whole, the manifest last.

    Raises:
        UserError: if their folder cannot be written.
    """
    folder = tensors.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(tensors, content)
        write_whole(manifest, text)
    except OSError as error:
        raise UserError(f'{folder} cannot be written ({error.strerror}); give another') from None
