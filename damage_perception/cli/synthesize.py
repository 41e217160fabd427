"""`damage-perception synthesize`: labelled RGB-D items, sound and damaged, from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from damage_perception.synthesis.spec import SynthesisSpec


def synthesize(
    out: Annotated[Path, typer.Option(help='Folder for the data set; must be empty.')],
    items: Annotated[int, typer.Option(min=1, max=10_000_000, help='Number of items.')] = 100,
    seed: Annotated[int, typer.Option(min=0, help='The same seed gives the same bytes.')] = 0,
    workers: Annotated[int, typer.Option(min=1, max=256, help='Processes.')] = 1,
    split_family: Annotated[
        str, typer.Option(help='standard, or shifted: other sizes, fonts, art and sensors.')
    ] = '',
    frames: Annotated[
        str, typer.Option(help='crops around items, whole pictures, or rectified views.')
    ] = '',
    sequence: Annotated[
        bool, typer.Option(help='Write one recording of a moving belt (rosbag2) instead.')
    ] = False,
    onto: Annotated[
        Path | None,
        typer.Option(help='Real frames (rgb/, depth/, camera.json) to damage; for tests only.'),
    ] = None,
    spec: Annotated[Path | None, typer.Option(help='JSON file of settings.')] = None,
    contact_sheet: Annotated[
        Path | None, typer.Option(help='PNG of the first items: colour, height, masks, captions.')
    ] = None,
    resume: Annotated[bool, typer.Option(help='Go on with an interrupted call.')] = False,
    force: Annotated[bool, typer.Option(help='Replace the data set in the folder.')] = False,
) -> None:
    """Make a data set (rgbd-coco) of items with damage, look-alikes and harmless oddities."""
    from damage_perception.cli.progress import show_progress
    from damage_perception.errors import CallError
    from damage_perception.synthesis.spec import read_spec
    from damage_perception.synthesis.writer import Job, finish, open_folder, write_items

    settings = read_spec(spec, style=split_family or None, frames=frames or None)
    if sequence:
        if onto or contact_sheet or resume or force:
            raise CallError(
                '--sequence takes neither --onto, --contact-sheet, --resume nor --force'
            )
        _write_sequence(settings, out, items, seed)
        return
    if contact_sheet is not None and contact_sheet.suffix.lower() != '.png':
        raise CallError(f'{contact_sheet} must end in .png')
    job = Job(out, settings, seed, items, onto)
    open_folder(job, resume, force)
    for _ in show_progress(write_items(job, workers), items + job.products, 'rendering'):
        pass
    dataset = finish(job)
    if contact_sheet is not None:
        from damage_perception.synthesis.contact_sheet import write_contact_sheet

        write_contact_sheet(dataset, out, contact_sheet)
    _print_balance(dataset)


def _write_sequence(spec: SynthesisSpec, out: Path, items: int, seed: int) -> None:
    from rich.console import Console

    from damage_perception.cli.progress import show_progress
    from damage_perception.synthesis.moving import make_belt
    from damage_perception.synthesis.sequence import write_sequence

    belt = make_belt(spec, seed, items)
    pictures = int(belt.duration_s * belt.rate)
    for _ in show_progress(write_sequence(belt, out), pictures, 'rendering'):
        pass
    damaged = sum(bool(item.patch.damages) for item in belt.items)
    Console().print(
        f'{out}: {pictures} pictures, {belt.duration_s:.1f} s, {len(belt.items)} items, '
        f'{damaged} damaged; the truth is in {out.name}.truth.json',
        highlight=False, soft_wrap=True,
    )  # fmt: skip


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
    odd = sum(any(t.startswith('oddity:') for t in image['tags']) for image in images)
    splits = Counter(image['split'] for image in images)
    console.print(
        f'{len(images)} items of {len({image["sku"] for image in images})} products: '
        f'{len(damaged)} damaged, {len(images) - len(damaged)} sound; {alike} with a print that '
        f'looks like damage, {odd} with a harmless oddity; splits: '
        + ', '.join(f'{count} {name}' for name, count in sorted(splits.items())),
        highlight=False,
        soft_wrap=True,
    )
