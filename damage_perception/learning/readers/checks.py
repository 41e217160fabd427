"""Checks that readers share: JSON that is whole, paths that stay inside, values of their type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from damage_perception.errors import UserError


def load_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: naming the file, if it is missing, cut off or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding='utf-8-sig'))  # Windows marks its files
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}); check the path') from None
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path} is not whole JSON ({error}); copy or make it again') from None


def inside(root: Path, name: Any, source: Path) -> Path:
    """Join a relative file name to its root and refuse one that leads out of it.

    Args:
        root: folder of the data set.
        name: what the file `source` says.
        source: the file that names it, for the message.
    """
    if not isinstance(name, str) or not name:
        raise UserError(f'{source}: a file name must be text, got {name!r}')
    path = root / name
    if Path(name).is_absolute() or '..' in Path(name).parts or '\0' in name:
        raise UserError(f'{source}: {name!r} must be a path inside {root}')
    return path


def field(record: Any, name: str, kind: type | tuple[type, ...], source: Path) -> Any:
    """Give a field of a record and refuse it if it is absent or of another type."""
    value = record.get(name) if isinstance(record, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = kind.__name__ if isinstance(kind, type) else '/'.join(k.__name__ for k in kind)
        raise UserError(f'{source}: {name} must be {wanted}, got {value!r:.80}')
    return value
