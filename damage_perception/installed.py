"""Files that ship beside the Python modules, wherever the package was installed to."""

from __future__ import annotations

from pathlib import Path

from damage_perception.errors import UserError

PACKAGE = 'damage_perception'


def shared_file(relative: str) -> Path:
    """Find a file that ships with the package: in the source tree, a colcon or a pip install.

    Args:
        relative: its path in the source tree, as in `config/fastdds.xml`.

    Raises:
        UserError: if the installation lacks it.
    """
    for parent in Path(__file__).resolve().parents:
        for root in (parent, parent / 'share' / PACKAGE):
            if (root / relative).is_file():
                return root / relative
    raise UserError(
        f'share/{PACKAGE}/{relative} is not installed; '
        'build the package with colcon or install it again with pip'
    )
