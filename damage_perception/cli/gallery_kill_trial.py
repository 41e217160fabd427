"""A trial of the gallery: writers that are killed, and what is left of their work."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

from damage_perception.cli.gallery_trials import made_up_view
from damage_perception.errors import UserError
from damage_perception.perception.gallery.gallery import Gallery


def kill_enrolments(folder: Path, rounds: int, seed: int = 0) -> dict[str, int]:
    """Kill an enrolling process `rounds` times at a random moment; open and check after each.

    Gives how many references were acknowledged, and how many kills left something to roll back.

    Raises:
        UserError: if a reference that was acknowledged is not there, or a check fails.
    """
    chance = random.Random(seed)
    acknowledged: dict[int, int] = {}
    rolled_back = 0
    for number in range(rounds):
        acknowledged |= _enrol_until_killed(folder, number * 100_000, chance)
        with Gallery.open(folder, writable=True) as gallery:
            rolled_back += bool(gallery.rolled_back)
            found = {item.id: item.design for item in gallery.references()}
            lost = [n for n, design in acknowledged.items() if found.get(n) != str(design)]
            wrong = gallery.check()
        if lost or wrong:
            raise UserError(f'kill {number}: lost {lost[:5]}, wrong {wrong[:3]}')
    return {'kills': rounds, 'acknowledged': len(acknowledged), 'rolled_back': rolled_back}


def _enrol_until_killed(folder: Path, first: int, chance: random.Random) -> dict[int, int]:
    """Let a child enrol until it is killed; give what it acknowledged: number to design."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['damage_perception.cli.gallery_kill_trial'])
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_enrol, args=(str(folder), first, sender), daemon=True)
    child.start()
    sender.close()
    got: dict[int, int] = {}
    try:
        start = time.perf_counter()
        for _ in range(1 + chance.randrange(4)):
            start = time.perf_counter()
            got.update(receiver.recv())
        one_enrolment = time.perf_counter() - start
        time.sleep(chance.uniform(0.0, 1.5) * min(one_enrolment, 1.0))
        os.kill(child.pid or 0, signal.SIGKILL)
        while True:
            got.update(receiver.recv())
    except EOFError:
        pass
    child.join()
    return got


def _enrol(folder: str, first: int, sender: Connection) -> None:
    sender.send({})  # its first word: it is about to enrol
    with Gallery.open(folder, writable=True) as gallery:
        for design in range(first, first + 100_000):
            view = made_up_view(design, 32)
            sender.send({gallery.add(f'P{design % 50}', view, 'trial', str(design)): design})
