"""Write a data set in the `rgbd-coco` format, in any number of processes, resumable.

Each item depends on (spec, seed, index) alone, so neither order nor number of processes matters.
While the work goes on, `.synthesis/` holds one entry an item; `dataset.json` appears at the end.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from damage_perception.errors import CallError
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.other_records import real_items, write_altered, write_view
from damage_perception.synthesis.records import (
    CATEGORIES,
    describe,
    geometry,
    write_pictures,
    write_whole,
)
from damage_perception.synthesis.render import product_of, render_reference, render_sample
from damage_perception.synthesis.spec import SynthesisSpec

STATE = '.synthesis'
_BYTES_PER_ITEM = (250_000, 4_000_000)  # a crop, a whole picture: with depth, generously


@dataclass(frozen=True)
class Job:
    """A data set to write: `items` samples of `spec` and `seed` into `folder`.

    `onto` names a folder of real frames whose items are damaged instead.
    """

    folder: Path
    spec: SynthesisSpec
    seed: int
    items: int
    onto: Path | None = None

    @property
    def products(self) -> int:
        """Number of products among the items."""
        return 0 if self.onto else -(-self.items // self.spec.copies)

    def settings(self) -> dict[str, Any]:
        """Give what makes the data set what it is."""
        settings = {'seed': self.seed, 'items': self.items, 'spec': self.spec.to_dict()}
        return {**settings, 'onto': self.onto.name} if self.onto else settings


def open_folder(job: Job, resume: bool = False, force: bool = False) -> None:
    """Make the folder ready, or refuse it.

    Raises:
        CallError: if it is not empty, belongs to another call, or the disk is too small.
    """
    folder, state = job.folder, job.folder / STATE
    if job.onto is not None:
        real_items(job.onto)  # refuse a folder without items before anything is made
    if folder.exists() and not folder.is_dir():
        raise CallError(f'{folder} is a file; give a folder')
    if folder.is_dir() and any(folder.iterdir()):
        ours = _settings_of(folder) is not None
        if force and ours:
            for name in ('rgb', 'depth', 'references', STATE):
                shutil.rmtree(folder / name, ignore_errors=True)
            (folder / 'dataset.json').unlink(missing_ok=True)
        elif not resume:
            hint = 'add --resume or --force, or' if ours else 'it is no data set of ours;'
            raise CallError(f'{folder} is not empty; {hint} give another folder')
        elif _settings_of(folder) != job.settings():
            raise CallError(f'{folder} was made with other settings; give those again or --force')
    parent = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    whole = job.onto is not None or job.spec.frames == 'whole'
    free, need = shutil.disk_usage(parent).free, job.items * _BYTES_PER_ITEM[whole]
    if free < need:
        raise CallError(
            f'{parent} has {free / 1e9:.1f} GB free, {job.items} items need about '
            f'{need / 1e9:.1f} GB; free space or ask for fewer'
        )
    if (folder / 'dataset.json').is_file():
        return
    try:
        for name in ('rgb', 'depth', 'references', f'{STATE}/items', f'{STATE}/references'):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CallError(f'{folder} cannot be made ({error.strerror}); give another') from error
    write_whole(state / 'settings.json', json.dumps(job.settings()).encode())


def _settings_of(folder: Path) -> Any:
    state = folder / STATE / 'settings.json'
    try:
        if state.is_file():
            return json.loads(state.read_text())
        return json.loads((folder / 'dataset.json').read_text())['info']['settings']
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_items(job: Job, workers: int = 1) -> Iterator[int]:
    """Write every item that is not there yet; yield after each item or product.

    Raises:
        UserError: if the disk takes no more.
    """
    if (job.folder / 'dataset.json').is_file():
        return
    products = [(job, number) for number in range(job.products)
                if not _entry(job, 'references', number).is_file()]  # fmt: skip
    items = [(job, index) for index in range(job.items)
             if not _entry(job, 'items', index).is_file()]  # fmt: skip
    if workers == 1:
        _one_thread()
        for task in products:
            yield write_references(*task)
        for task in items:
            yield write_item(*task)
        return
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, context, initializer=_one_thread) as pool:
        try:
            yield from pool.map(_references_task, products, chunksize=4)
            yield from pool.map(_item_task, items, chunksize=4)
        finally:
            pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    cv2.setNumThreads(1)  # processes share the cores among them


def _item_task(task: tuple[Job, int]) -> int:
    return write_item(*task)


def _references_task(task: tuple[Job, int]) -> int:
    return write_references(*task)


def _entry(job: Job, kind: str, number: int) -> Path:
    return job.folder / STATE / kind / f'{number:07d}.json'


def write_item(job: Job, index: int) -> int:
    """Render and write one item, its entry last."""
    rgb, depth = f'rgb/{index + 1:06d}.png', f'depth/{index + 1:06d}.png'
    if job.onto is not None:
        record = write_altered(job.folder, job.onto, job.spec, job.seed, index, rgb, depth)
    else:
        sample = render_sample(job.spec, job.seed, index, references=0)
        if job.spec.frames == 'views':
            record = write_view(job.folder, sample, index)
        else:
            write_pictures(sample, job.folder / rgb, job.folder / depth)
            record = describe(sample, rgb, depth)
    write_whole(_entry(job, 'items', index), json.dumps(record).encode())
    return index


def write_references(job: Job, number: int) -> int:
    """Render and write the reference views of one product, their entry last."""
    low, high = job.spec.references
    count = int(stream(job.seed, 0xC0DE, number).integers(low, high + 1))
    _, product = product_of(job.spec, job.seed, number * job.spec.copies)
    folder = job.folder / 'references' / product.sku
    folder.mkdir(exist_ok=True)
    records = []
    for k in range(count):
        sample = render_reference(job.spec, job.seed, number, k)
        write_pictures(sample, folder / f'{k}.png', folder / f'{k}_depth.png')
        name = f'references/{product.sku}/{k}'
        records.append({'sku': product.sku, 'file_name': f'{name}.png',
                        'depth_file_name': f'{name}_depth.png', 'tags': [*sample.tags],
                        **geometry(sample)})  # fmt: skip
    write_whole(_entry(job, 'references', number), json.dumps(records).encode())
    return number


def finish(job: Job) -> dict[str, Any]:
    """Join the entries into `dataset.json`, remove the state, return the data set."""
    final = job.folder / 'dataset.json'
    if final.is_file():
        return json.loads(final.read_text())
    images: list[Any] = []
    annotations: list[Any] = []
    for index in range(job.items):
        record = json.loads(_entry(job, 'items', index).read_text())
        images.append({'id': index + 1, **record['image']})
        for entry in record['annotations']:
            annotations.append({'id': len(annotations) + 1, 'image_id': index + 1, **entry})
    references: list[Any] = []
    for number in range(job.products):
        references += json.loads(_entry(job, 'references', number).read_text())
    dataset = {
        'info': {'description': 'synthetic damaged items, RGB-D', 'version': 'rgbd-coco v1',
                 'settings': job.settings()},
        'images': images, 'annotations': annotations, 'categories': CATEGORIES,
        'references': references,
    }  # fmt: skip
    write_whole(final, json.dumps(dataset, indent=0).encode())
    shutil.rmtree(job.folder / STATE)
    return dataset
