"""A disk that is really full: what was acknowledged stays, and work goes on once there is room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
from damage_perception.cli.gallery_trials import made_up_view
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.files import GalleryError

disk = Path(sys.argv[1])
kept, refused = [], []
with Gallery.open(disk / 'gallery', writable=True) as gallery:
    for number in range(60):
        try:
            kept.append(gallery.add(f'P{number}', made_up_view(number, 64), 'ann'))
        except GalleryError as error:
            refused.append(str(error))
    assert kept and refused, (kept, refused)
    assert all('is full' in sentence for sentence in refused), refused
    try:
        (disk / 'rest').write_bytes(bytes(10**6))
    except OSError:
        pass
    try:
        gallery.remove(kept[:1], 'ann')
        kept.pop(0)
    except GalleryError as error:
        assert 'is full' in str(error), error
with Gallery.open(disk / 'gallery') as reader:
    there = sorted(item.id for item in reader.references())
    assert there == kept, (there, kept, refused[-1:])
    assert reader.check() == []
(disk / 'rest').unlink()
with Gallery.open(disk / 'gallery', writable=True) as gallery:
    gallery.remove(kept[:1], 'ann')
    assert sorted(item.id for item in gallery.references()) == kept[1:]
    assert gallery.check() == []
print('done')
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=700k tmpfs {tmp_path} && exec "$0" "$@"'
    command = ['unshare', '--map-root-user', '--mount', 'sh', '-c', mount]
    try:
        subprocess.run([*command, 'true'], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        pytest.skip('this machine lets nobody mount a small disk of their own')
    run = subprocess.run(
        [*command, sys.executable, '-c', SCRIPT, str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.stdout == 'done\n', run.stderr
