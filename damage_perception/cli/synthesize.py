"""`damage-perception synthesize`: labelled RGB-D items, sound and damaged, from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def synthesize(
    out: Annotated[Path, typer.Option(help='Folder for the data set; must be empty.')],
    items: Annotated[int, typer.Option(min=1, max=10_000_000, help='Number of items.')] = 100,
    seed: Annotated[int, typer.Option(min=0, help='The same seed gives the same bytes.')] = 0,
    workers: Annotated[int, typer.Option(min=1, max=256, help='Processes.')] = 1,
    split_family: Annotated[
        str, typer.Option(help='standard, or shifted: other sizes, fonts, art and sensors.')
    ] = '',
    spec: Annotated[Path | None, typer.Option(help='JSON file of settings.')] = None,
    contact_sheet: Annotated[
        Path | None, typer.Option(help='PNG of the first items: colour, depth, masks, captions.')
    ] = None,
    resume: Annotated[bool, typer.Option(help='Go on with an interrupted call.')] = False,
    force: Annotated[bool, typer.Option(help='Replace the data set in the folder.')] = False,
) -> None:
    """Make a data set (rgbd-coco) of items with damage, look-alikes and harmless oddities."""
    from damage_perception.cli.progress import show_progress
    from damage_perception.synthesis.spec import read_spec
    from damage_perception.synthesis.writer import Job, finish, open_folder, write_items

    job = Job(out, read_spec(spec, style=split_family or None), seed, items)
    open_folder(job, resume, force)
    for _ in show_progress(write_items(job, workers), items + job.products, 'rendering'):
        pass
    dataset = finish(job)
    if contact_sheet is not None:
        from damage_perception.synthesis.contact_sheet import write_contact_sheet

        write_contact_sheet(dataset, out, contact_sheet)
    _print_balance(dataset)


def _print_balance(dataset: dict[str, Any]) -> None:
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    names = {entry['id']: entry['name'] for entry in dataset['categories']}
    counts: Counter[tuple[str, str]] = Counter()
    damaged = set()
    for entry in dataset['annotations']:
        if 'severity' in entry:
            counts[names[entry['category_id']], entry['severity']] += 1
            damaged.add(entry['image_id'])
    table = Table('damage', 'minor', 'major', title='Balance')
    for name in sorted({name for name, _ in counts}):
        table.add_row(name, str(counts[name, 'minor']), str(counts[name, 'major']))
    console = Console()
    console.print(table)
    images = dataset['images']
    alike = sum(any(t.startswith('lookalike:') for t in image['tags']) for image in images)
    splits = Counter(image['split'] for image in images)
    console.print(
        f'{len(images)} items of {len({image["sku"] for image in images})} products: '
        f'{len(damaged)} damaged, {len(images) - len(damaged)} sound; {alike} with a print that '
        'looks like damage; ' + ', '.join(f'{n} {name}' for name, n in sorted(splits.items())),
        highlight=False,
    )  # fmt: skip
