"""`damage-perception gallery ...`: look after the pristine references of products."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from damage_perception.errors import CallError

if TYPE_CHECKING:
    from damage_perception.perception.gallery.gallery import Gallery

app = typer.Typer(help='Look after the pristine references of products.', no_args_is_help=True)

Store = Annotated[Path, typer.Argument(help='Folder of the gallery.', show_default=False)]
Json = Annotated[bool, typer.Option('--json', help='Print JSON for programs.')]
By = Annotated[str, typer.Option(help='Who makes the change; the user who is logged in.')]
Reason = Annotated[str, typer.Option(help='Why, a sentence for the log.')]
Ids = Annotated[list[int], typer.Argument(help='Numbers of references, as `list` shows them.')]


@app.command()
def add(
    store: Store,
    sku: Annotated[str, typer.Argument(help='The product.')],
    rgb: Annotated[Path, typer.Option(help='Picture of one sound item.')],
    depth: Annotated[Path, typer.Option(help='Its depth: 16 bit PNG, millimetres.')],
    camera: Annotated[Path, typer.Option(help='JSON with fx, fy, cx, cy (pixels).')],
    at: Annotated[
        tuple[int, int] | None, typer.Option(help='A pixel (x y) of it, if there are several.')
    ] = None,
    design: Annotated[str, typer.Option(help='Version of its design or print.')] = '',
    confirm: Annotated[
        bool,
        typer.Option('--confirm', help='Use it even if it looks damaged or unlike the others.'),
    ] = False,
    replace: Annotated[
        bool, typer.Option('--replace', help='It shows a new design: the others retire.')
    ] = False,
    by: By = '',
) -> None:
    """Enrol the sound item in a picture as a reference of its product."""
    from damage_perception.cli.pictures import load_frame
    from damage_perception.perception.comparison.reference_view import view_of_item
    from damage_perception.perception.gallery.hygiene import Admission, enrol_view
    from damage_perception.perception.gallery.soundness import doubt_about
    from damage_perception.settings import Settings

    view = view_of_item(load_frame(rgb, depth, camera), at)
    how = Admission(_who(by), design, confirm, replace)
    doubt = '' if confirm or replace else doubt_about(view, Settings())
    with _open(store, writable=True, create=True) as gallery:
        kept = enrol_view(gallery, sku, view, how, doubt)
    waits = f' waits in quarantine: {kept.reason}' if kept.reason else ''
    typer.echo(f'reference {kept.id} of {sku}{waits}')


@app.command(name='list')
def list_(
    store: Store,
    sku: Annotated[str | None, typer.Argument(help='Only this product, one by one.')] = None,
    json: Json = False,
) -> None:
    """List the products, or the references of one."""
    from damage_perception.cli import gallery_tables

    with _open(store) as gallery:
        if sku is None:
            gallery_tables.show_products(gallery.products(), json)
        else:
            gallery_tables.show_references(gallery.references(sku), json)


@app.command()
def remove(store: Store, ids: Ids, reason: Reason = '', by: By = '') -> None:
    """Take references out; `undo` brings them back."""
    with _open(store, writable=True) as gallery:
        gallery.remove(ids, _who(by), reason)


@app.command()
def retire(store: Store, ids: Ids, reason: Reason = '', by: By = '') -> None:
    """Use references no more, as after a new design."""
    with _open(store, writable=True) as gallery:
        gallery.retire(ids, _who(by), reason)


@app.command()
def quarantine(
    store: Store,
    ids: Ids,
    reason: Annotated[str, typer.Option(help='What is wrong, a sentence.')],
    by: By = '',
) -> None:
    """Suspend references that look damaged or wrong."""
    with _open(store, writable=True) as gallery:
        gallery.quarantine(ids, _who(by), reason)


@app.command()
def activate(store: Store, ids: Ids, reason: Reason = '', by: By = '') -> None:
    """Use quarantined, retired or removed references again."""
    with _open(store, writable=True) as gallery:
        gallery.activate(ids, _who(by), reason)


@app.command()
def age(
    store: Store,
    before: Annotated[datetime, typer.Option(help='Day, as 2026-01-31.')],
    purge: Annotated[
        bool, typer.Option(help='Delete for good what was removed before that day instead.')
    ] = False,
    by: By = '',
) -> None:
    """Retire the references that were enrolled before a day."""
    with _open(store, writable=True) as gallery:
        if purge:
            typer.echo(f'{len(gallery.purge(before.astimezone(), _who(by)))} references deleted')
        else:
            typer.echo(f'{len(gallery.age_out(before.astimezone(), _who(by)))} references retired')


@app.command()
def undo(
    store: Store,
    change: Annotated[int | None, typer.Argument(help='Its number in the log; the newest.')] = None,
    by: By = '',
) -> None:
    """Take a change back."""
    with _open(store, writable=True) as gallery:
        gallery.undo(_who(by), change)
        typer.echo(gallery.log(1)[0].action)


@app.command()
def log(
    store: Store,
    limit: Annotated[int, typer.Option(help='How many changes.', min=1)] = 50,
    json: Json = False,
) -> None:
    """Say who changed what and when, newest first."""
    from damage_perception.cli import gallery_tables

    with _open(store) as gallery:
        gallery_tables.show_log(gallery.log(limit), json)


@app.command()
def check(store: Store, json: Json = False) -> None:
    """Read everything; exit status 1 if anything is wrong."""
    import json as json_module

    with _open(store) as gallery:
        wrong = gallery.check()
        count = len(gallery.references())
    if json:
        typer.echo(json_module.dumps({'references': count, 'wrong': wrong}))
    else:
        typer.echo('\n'.join([*wrong, f'{count} references, {len(wrong)} things wrong']))
    if wrong:
        raise typer.Exit(1)


@app.command()
def export(
    store: Store,
    target: Annotated[Path, typer.Argument(help='New folder, or a name that ends in .zip.')],
    skus: Annotated[list[str] | None, typer.Argument(help='Only these products.')] = None,
) -> None:
    """Write references as pictures that people and other programs can open."""
    from damage_perception.perception.gallery.transfer import export_gallery

    with _open(store) as gallery:
        count = export_gallery(gallery, target, skus or None)
        for problem in gallery.problems.values():
            typer.echo(f'left out: {problem}', err=True)
    typer.echo(f'{count} references written to {target}')


@app.command(name='import')
def import_(
    store: Store,
    source: Annotated[Path, typer.Argument(help='Folder or zip that `export` wrote.')],
    by: By = '',
) -> None:
    """Enrol what an export holds; exit status 1 if anything of it was refused."""
    from damage_perception.perception.gallery.transfer import import_gallery

    with _open(store, writable=True, create=True) as gallery:
        result = import_gallery(gallery, source, _who(by))
    for sentence in result.refused:
        typer.echo(f'refused: {sentence}', err=True)
    typer.echo(f'{result.added} added, {result.known} known, {len(result.refused)} refused')
    if result.refused:
        raise typer.Exit(1)


def _open(store: Path, writable: bool = False, create: bool = False) -> Gallery:
    from damage_perception.perception.gallery.gallery import Gallery

    gallery = Gallery.open(store, writable, create)
    for sentence in gallery.rolled_back:
        typer.echo(sentence, err=True)
    return gallery


def _who(by: str) -> str:
    import getpass

    try:
        return by or getpass.getuser()
    except (KeyError, OSError):  # as in a container that runs under a bare number
        raise CallError('the user who is logged in has no name; say who with --by') from None
