"""Which files a recording consists of."""

from __future__ import annotations

from pathlib import Path

from damage_perception.errors import UserError


class RecordingError(UserError):
    """A recording that cannot be read; the text names it and says what to do."""


def listed_files(path: Path) -> list[str]:
    """Give the names of the storage files that metadata.yaml lists, none if it is unusable."""
    import yaml

    try:
        content = yaml.safe_load((path / 'metadata.yaml').read_text(encoding='utf-8'))
        listed: list[str] = content['rosbag2_bagfile_information']['relative_file_paths']
        return [Path(name).name for name in listed]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return []


def storage_files(path: Path) -> list[Path]:
    """List the storage files of a recording in their order.

    Raises:
        RecordingError: if the path is not a recording at all.
    """
    if not path.exists():
        raise RecordingError(
            f'{path} does not exist; give a rosbag2 folder, a .mcap or a .db3 file'
        )
    if path.is_file():
        if path.suffix not in ('.mcap', '.db3'):
            raise RecordingError(
                f'{path} is not a recording; give a rosbag2 folder, a .mcap or a .db3 file'
            )
        if path.stat().st_size == 0:
            raise RecordingError(f'{path} is empty; record or copy it again')
        return [path]
    files = [file for kind in ('*.mcap', '*.db3', '*.zstd') for file in path.glob(kind)]
    if not files:
        raise RecordingError(
            f'{path} is not a recording: the folder holds no .mcap and no .db3 file'
        )
    return sorted(files, key=lambda file: (len(file.name), file.name))
