"""`damage-perception demo`: a sample recording through the real nodes over real DDS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import subprocess

    from damage_perception.cli.collector import Collector

SAMPLE = (
    'The sample: a sound box, a box with a dent of 25 mm, a box with a cracked screen printed '
    'on it, and two sound boxes that touch.'
)
MADE = ('sample', 'sample.truth.json', 'results', 'pictures', 'report.jsonl', 'nodes.log')


def demo(
    out: Annotated[
        Path, typer.Option(help='Folder for results; those of an earlier demo are replaced.')
    ] = Path('out/demo'),
    seed: Annotated[int, typer.Option(help='Seed of the sample recording.')] = 0,
) -> None:
    """Make a recording, play it through the nodes, show what they decide."""
    import os

    from damage_perception.cli.environment import require_ros, use_dds_profile
    from damage_perception.cli.progress import console
    from damage_perception.errors import UserError
    from damage_perception.recording.scenarios import write_scenario

    require_ros('demo')
    out = out.resolve()
    _clear(out)
    use_dds_profile()
    # Its own domain on this machine only: a demo must not speak into a running plant.
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    console.print('making the sample recording')
    write_scenario('sample', out / 'sample', seed)
    nodes = _start_nodes(out)
    try:
        collector = _run(out / 'sample', nodes)
    finally:
        _stop(nodes)
    if not collector.of('/damage/report') or not collector.of('/divert/decision'):
        raise UserError(f'the nodes sent no report or no decision; see {out / "nodes.log"}')
    _write(collector, out)


def _clear(out: Path) -> None:
    """Remove what an earlier demo made, and nothing else."""
    import shutil

    from damage_perception.errors import UserError

    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in MADE:
            if (out / name).is_dir():
                shutil.rmtree(out / name)
            else:
                (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f'{out} cannot be written ({error.strerror}); give another --out'
        ) from error


def _start_nodes(out: Path) -> subprocess.Popen[bytes]:
    """Start both nodes in a process of their own."""
    import subprocess
    import sys

    call = [sys.executable, '-m', 'damage_perception.cli.main', 'run', '--sim-time']
    # From another folder, because the source tree must not hide the built package.
    with (out / 'nodes.log').open('wb') as log:
        return subprocess.Popen(call, cwd=out, stdout=log, stderr=subprocess.STDOUT)


def _stop(nodes: subprocess.Popen[bytes]) -> None:
    import signal
    import subprocess

    nodes.send_signal(signal.SIGINT)
    try:
        nodes.wait(10.0)
    except subprocess.TimeoutExpired:
        nodes.kill()
        nodes.wait()


def _run(sample: Path, nodes: subprocess.Popen[bytes]) -> Collector:
    """Play the sample and listen until all is decided."""
    import threading
    import time

    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from damage_perception.cli.collector import Collector
    from damage_perception.cli.pacing import Pacer
    from damage_perception.cli.player import Player, node_topics
    from damage_perception.cli.progress import console, show_progress
    from damage_perception.errors import UserError
    from damage_perception.recording.reader import Recording
    from damage_perception.recording.topics import find_topics

    rclpy.init()
    executor = SingleThreadedExecutor()
    listener = rclpy.create_node('damage_demo')
    executor.add_node(listener)
    collector = Collector(listener)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        recording = Recording(sample)
        names = node_topics(find_topics(recording))
        player_node = rclpy.create_node('damage_recording_player')
        player = Player(player_node, recording, names, Pacer(player_node))
        console.print('waiting for the nodes')
        end = time.monotonic() + 60.0
        while not player.wait_for_listeners(1.0):
            if nodes.poll() is None and time.monotonic() < end:
                continue
            raise UserError(f'the nodes did not start; see {sample.parent / "nodes.log"}')
        total = sum(topic.count for topic in recording.topics.values())
        for _ in show_progress(player.play(), total, 'playing'):
            pass
        player.drain()
        end = time.monotonic() + 20.0
        while time.monotonic() < end and collector.quiet_s() < 3.0:
            time.sleep(0.1)
        return collector
    finally:
        executor.shutdown(timeout_sec=2.0)
        rclpy.try_shutdown()
        thread.join(2.0)


def _write(collector: Collector, out: Path) -> None:
    """Write all results and print the table."""
    from rich.console import Console

    from damage_perception.cli.contact_sheet import contact_sheet
    from damage_perception.cli.tables import decision_table
    from damage_perception.recording.outputs import write_png
    from damage_perception.report import Verdict

    decisions = collector.of('/divert/decision')
    collector.write_lines(out / 'report.jsonl')
    collector.write_recording(out / 'results')
    (out / 'pictures').mkdir()
    pictures = collector.write_pictures(out / 'pictures')
    if pictures:
        shown = [decision for decision in decisions if decision.track_id in pictures]
        titles = [f'item {d.track_id}: {Verdict(d.decision).name}  {d.reason}' for d in shown]
        sheet = contact_sheet([pictures[d.track_id] for d in shown], titles)
        write_png(out / 'pictures' / 'contact_sheet.png', sheet)
    console = Console()
    console.print(SAMPLE)
    console.print(decision_table(decisions))
    reports = len(collector.of('/damage/report'))
    console.print(f'{reports} reports and {len(pictures)} pictures in {out}')
