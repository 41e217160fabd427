"""The data files of a gallery: named by their SHA-256, written whole or not at all.

No name that a person typed ever gets into a path. A file that is there under its final name is
complete, since it is written beside, synced and renamed; and it never changes.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from damage_perception.errors import UserError

SUFFIX = '.safetensors'
_DIGEST = re.compile(r'[0-9a-f]{64}')


class GalleryError(UserError):
    """A gallery, a reference or a name that cannot be used; the text says what to do."""


def digest_of(data: bytes) -> str:
    """Give the name of these bytes: 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


class ViewFiles:
    """The folder `views/` of a gallery."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Say where the bytes of a digest lie (an index is not trusted to hold sound ones)."""
        if not _DIGEST.fullmatch(digest):
            raise GalleryError(f'{digest[:80]!r} is not a SHA-256, so the index is damaged')
        return self.folder / digest[:2] / f'{digest}{SUFFIX}'

    def write(self, digest: str, data: bytes) -> None:
        """Keep bytes, so that they outlive a crash once this returns."""
        path = self.path(digest)
        partial = self._partial(path)
        with plain_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write_synced(partial, data)
                os.replace(partial, path)
            except OSError:
                partial.unlink(missing_ok=True)
                raise
            for folder in (path.parent, self.folder, self.folder.parent):
                sync_folder(folder)

    def expect(self, digest: str) -> None:
        """Let the system fetch a file in the background that will be read soon."""
        with suppress(OSError, GalleryError):  # reading it will say what is wrong
            handle = os.open(self.path(digest), os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(handle)

    def read(self, digest: str) -> bytes:
        """Give bytes back, checked.

        Raises:
            GalleryError: if the file is gone or is not what was written.
        """
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise GalleryError(f'{path} is missing; import the product again') from None
        except OSError as error:
            raise GalleryError(f'{path} cannot be read ({error.strerror})') from error
        if digest_of(data) != digest:
            raise GalleryError(f'{path} is damaged; remove the reference and enrol it again')
        return data

    def delete(self, digest: str) -> bool:
        """Delete bytes and what a crash left of them; True if anything was there."""
        path = self.path(digest)
        there = [file for file in (path, self._partial(path)) if file.exists()]
        with plain_errors(path):
            for file in there:
                file.unlink(missing_ok=True)
        return bool(there)

    def names(self) -> Iterator[str]:
        """Give the name of every file in the folder, sound or not, in order."""
        return (str(file.relative_to(self.folder)) for file in sorted(self.folder.glob('*/*')))

    @staticmethod
    def _partial(path: Path) -> Path:
        return path.with_suffix('.partial')


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Be the one writer of a folder; the kernel lets go when the process ends, however it ends.

    Raises:
        GalleryError: if another writer is at work.
    """
    path = folder / 'lock'
    with plain_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GalleryError(
                f'another program is changing the gallery {folder}; try again when it is done'
            ) from None
        yield
    finally:
        os.close(handle)


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn a failure of the file system into one sentence."""
    try:
        yield
    except OSError as error:
        name = str(path) if len(str(path)) < 300 else f'{str(path)[:80]}...'
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise GalleryError(
                f'the disk of {name} is full; nothing was changed, make room and try again'
            ) from error
        raise GalleryError(f'{name} cannot be used ({error.strerror})') from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a crash."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open('wb') as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
