"""A writer killed at any step: the gallery opens, keeps what it acknowledged, tells the rest."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from gallery_views import assert_same, make_view

from damage_perception.cli.gallery_kill_trial import kill_enrolments
from damage_perception.perception.gallery import files as gallery_files
from damage_perception.perception.gallery import gallery
from damage_perception.perception.gallery.gallery import Gallery

# every step of an enrolment after which a kill leaves something half done
STEPS = ['note', 'partial', 'sync', 'rename', 'insert', 'commit']


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _then_die(function: Callable[..., object]) -> Callable[..., None]:
    def run(*arguments: object, **named: object) -> None:
        function(*arguments, **named)
        _die()

    return run


def _plant(step: str) -> None:
    """Make the process die at a step (in a child, so nothing is put back)."""
    if step == 'note':
        gallery_files.ViewFiles.write = _die  # type: ignore[assignment,method-assign]
    elif step == 'partial':
        gallery_files.os.fsync = _die
    elif step == 'sync':
        gallery_files.os.replace = _die
    elif step == 'rename':
        gallery_files.os.replace = _then_die(os.replace)
    elif step == 'insert':
        gallery.insert_reference = _then_die(gallery.insert_reference)
    elif step == 'commit':
        Gallery.add = _then_die(Gallery.add)  # type: ignore[method-assign]


def _die_while_adding(folder: Path, step: str) -> None:
    child = os.fork()
    if child == 0:
        try:
            _plant(step)
            with Gallery.open(folder, writable=True) as store:
                store.add('B2', make_view(2), by='ann')
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), 'the child must have been killed'
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize('step', STEPS)
def test_killed_at_each_step(tmp_path: Path, step: str) -> None:
    folder = tmp_path / 'gallery'
    with Gallery.open(folder, writable=True) as store:
        store.add('A1', make_view(1), by='ann')
    _die_while_adding(folder, step)
    with Gallery.open(folder) as reader:
        assert_same(reader.views('A1')[0].view, make_view(1))
        assert len(reader.views('B2')) == (step == 'commit')
    with Gallery.open(folder, writable=True) as store:
        expected = (
            () if step == 'commit' else ('rolled back the unfinished enrolment of B2 by ann',)
        )
        assert store.rolled_back == expected
        assert store.check() == []
        assert len(list((folder / 'views').glob('*/*'))) == 1 + (step == 'commit')
        assert [change.action for change in store.log()][: len(expected)] == list(expected)
        store.add('B2', make_view(2), by='ann')
        assert_same(store.views('B2')[0].view, make_view(2))
    with Gallery.open(folder, writable=True) as again:
        assert again.rolled_back == ()


def test_killed_while_deleting(tmp_path: Path) -> None:
    folder = tmp_path / 'gallery'
    with Gallery.open(folder, writable=True) as store:
        store.remove([store.add('A1', make_view(1), by='ann')], by='ann')
    child = os.fork()
    if child == 0:
        gallery_files.ViewFiles.delete = _die  # type: ignore[assignment,method-assign]
        with Gallery.open(folder, writable=True) as store:
            store.purge(datetime.now(timezone.utc) + timedelta(seconds=1), by='ann')
        os._exit(0)
    os.waitpid(child, 0)
    with Gallery.open(folder, writable=True) as store:
        assert store.rolled_back == ('finished the deletion of reference 1',)
        assert list((folder / 'views').glob('*/*')) == []


def test_killed_at_random_moments(tmp_path: Path) -> None:
    result = kill_enrolments(tmp_path / 'gallery', rounds=12)
    assert result['acknowledged'] > 0
