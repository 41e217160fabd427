"""A gallery as a folder or a zip, `references/<sku>/K.png` and its companions, and back.

A zip is never unpacked: its members are read by name, so no name in it can reach the disk. What
cannot be used is refused in a sentence and the rest is imported.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from damage_perception.perception.gallery.enrolment import Enrolment
from damage_perception.perception.gallery.files import GalleryError, plain_errors
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.reader import KEPT, GalleryReader
from damage_perception.perception.gallery.records import check_sku
from damage_perception.perception.view.codec import ViewError
from damage_perception.perception.view.pictures import from_pictures, to_pictures

MAX_FILE = 64 * 1024 * 1024  # bytes of one picture
_REFERENCE = re.compile(r'((?:[^/]+/)?references/([^/]+)/[0-9]{1,6})\.json')
_HOSTILE = re.compile(r'(^/)|(^[A-Za-z]:)|(\\)|(\0)|((^|/)\.\.(/|$))')


@dataclass
class ImportResult:
    """What came of an import: counts of references, and a sentence for each that was refused."""

    added: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list)


def export_gallery(gallery: GalleryReader, target: Path, skus: list[str] | None = None) -> int:
    """Write a gallery (None: all products) to a new folder or `.zip`; give the number of views.

    Raises:
        GalleryError: if the target is there already, or cannot be written.
    """
    if target.exists():
        raise GalleryError(f'{target} is there already; name a new folder or zip')
    half = target.with_name(f'{target.name}.partial')
    files = _files(gallery, skus)
    with plain_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            count = _write_zip(half, files) if _is_zip(target) else _write_folder(half, files)
            os.replace(half, target)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            half.unlink(missing_ok=True)
            raise
    return count


def import_gallery(gallery: Gallery, source: Path, by: str) -> ImportResult:
    """Enrol what an export, or a part of one, holds; one change a product.

    Raises:
        GalleryError: if the source cannot be opened, or the gallery cannot be changed.
    """
    result = ImportResult()
    with ExitStack() as stack:
        names, read = _open_source(source, stack)
        result.refused += [f'{name[:200]!r} is a hostile name' for name in names if _hostile(name)]
        found: dict[str, list[str]] = {}
        for name in sorted(names):
            match = _REFERENCE.fullmatch(name)
            if match and not _hostile(name):
                found.setdefault(match[2], []).append(match[1])
        if not found and not result.refused:
            raise GalleryError(
                f'{source} holds no references/<sku>/K.json; export a gallery to see'
            )
        for sku, stems in found.items():
            _import_product(gallery, sku, stems, read, by, result)
    return result


def _import_product(
    gallery: Gallery,
    sku: str,
    stems: list[str],
    read: Callable[[str], bytes],
    by: str,
    result: ImportResult,
) -> None:
    enrolments: list[Enrolment] = []
    try:
        check_sku(sku)
    except GalleryError as error:
        result.refused.append(f'{sku[:80]!r}: {error}')
        return
    for stem in stems:
        try:
            enrolment = from_pictures(read, stem)
            enrolment.check()
            enrolments.append(enrolment)
        except (GalleryError, ViewError) as error:
            result.refused.append(f'{stem}: {error}')
    before = {item.id for item in gallery.references(sku)}
    numbers = set(gallery.add_all(sku, enrolments, by)) if enrolments else set()
    result.known += len(numbers & before)
    result.added += len(numbers - before)


def _files(gallery: GalleryReader, skus: list[str] | None) -> Iterator[dict[str, bytes]]:
    for sku in [product.sku for product in gallery.products()] if skus is None else skus:
        for number, item in enumerate(gallery.views(sku, KEPT)):
            yield to_pictures(item, f'references/{sku}/{number}')


def _write_folder(target: Path, files: Iterator[dict[str, bytes]]) -> int:
    target.mkdir()
    count = 0
    for pictures in files:
        count += 1
        for name, data in pictures.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return count


def _write_zip(target: Path, files: Iterator[dict[str, bytes]]) -> int:
    count = 0
    with zipfile.ZipFile(target, 'w', zipfile.ZIP_STORED) as archive:  # PNGs are packed already
        for pictures in files:
            count += 1
            for name, data in pictures.items():
                archive.writestr(zipfile.ZipInfo(name), data)  # a fixed date: same bytes each time
    return count


def _open_source(source: Path, stack: ExitStack) -> tuple[list[str], Callable[[str], bytes]]:
    if source.is_dir():
        paths = (path for path in source.rglob('*') if path.is_file() and not path.is_symlink())
        names = [path.relative_to(source).as_posix() for path in paths]
        return names, partial(_read_file, source)
    try:
        archive = stack.enter_context(zipfile.ZipFile(source))
    except (OSError, zipfile.BadZipFile) as error:
        raise GalleryError(f'{str(source)[:200]} is neither a folder nor a zip: {error}') from error
    return archive.namelist(), partial(_read_member, archive)


def _read_file(source: Path, name: str) -> bytes:
    path = source / name
    try:
        if path.is_symlink():
            raise GalleryError(f'{name} is a link, which is not followed')
        with path.open('rb') as file:
            return _limited(file.read(MAX_FILE + 1), name)
    except OSError as error:
        raise GalleryError(f'{name} cannot be read ({error.strerror})') from error


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as file:
            return _limited(file.read(MAX_FILE + 1), name)
    except KeyError:
        raise GalleryError(f'{name} is missing') from None
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise GalleryError(f'{name} cannot be read ({error})') from error


def _limited(data: bytes, name: str) -> bytes:
    if len(data) > MAX_FILE:
        raise GalleryError(f'{name} is larger than {MAX_FILE} bytes')
    return data


def _hostile(name: str) -> bool:
    return bool(_HOSTILE.search(name)) or len(name) > 400


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == '.zip'
