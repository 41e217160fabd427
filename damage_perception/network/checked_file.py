"""Files that ship with the package beside a manifest that says what they must hash to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from damage_perception.errors import UserError
from damage_perception.network.weights import sha256

_MOST_BYTES = 4 << 20  # a file that is larger is none of ours


def read_checked_manifest(path: Path, wanted: Mapping[str, Any], mend: str) -> dict[str, Any]:
    """Read a manifest and check that it is of this version and names a digest.

    Args:
        path: the JSON file.
        wanted: values that it must hold.
        mend: what a person can do when it does not.

    Raises:
        UserError: in one sentence, if it cannot be used.
    """
    try:
        values: Any = json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}); {mend}') from None
    except (ValueError, RecursionError):
        raise UserError(f'{path} is not whole JSON; {mend}') from None
    if not isinstance(values, dict) or any(values.get(key) != wanted[key] for key in wanted):
        raise UserError(f'{path} is of another version of this program; {mend}')
    if not isinstance(values.get('sha256'), str):
        raise UserError(f'{path} does not say what its file must hash to; {mend}')
    return values


def read_checked_file(path: Path, digest: str, mend: str) -> bytes:
    """Read a file and check its SHA-256.

    Raises:
        UserError: in one sentence, if it is missing, too large or altered.
    """
    try:
        with path.open('rb') as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}); {mend}') from None
    if sha256(data) != digest:
        raise UserError(f'{path} is not the file that was made (SHA-256 differs); {mend}')
    return data
