"""The real nodes with the real pipeline as a process: killed, started again, ended in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ros_graph import Graph

from damage_perception import msg
from damage_perception.installed import shared_file

SHARED_MEMORY = Path('/dev/shm')
RESTART_S = 15.0  # 5 s are promised where nothing else runs; a busy machine takes longer
CODE = 'from damage_perception.nodes.damage_perception_node import main; main()'


def start(*arguments: str, code: str = CODE) -> subprocess.Popen[str]:
    """Start both nodes, away from the source folder, which would hide the built package."""
    return subprocess.Popen(
        [sys.executable, '-c', code, *arguments], stderr=subprocess.PIPE, text=True, cwd='/'
    )


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_a_killed_node_reports_within_five_seconds_of_its_new_start(
    graph: Graph, processes: list[subprocess.Popen[str]]
) -> None:
    reports = graph.listen(msg.DamageReport, 'damage/report')
    processes.append(start())
    graph.stream(lambda: reports, 20.0)
    sizes = []
    for _ in range(2):
        processes[-1].kill()
        processes[-1].wait()
        reports.clear()
        began = time.monotonic()
        processes.append(start())
        graph.stream(lambda: reports, 20.0)
        assert time.monotonic() - began < RESTART_S
        sizes.append(sum(file.stat().st_size for file in SHARED_MEMORY.glob('fastrtps_*')))
    assert sizes[1] <= sizes[0] + 1_000_000, 'killed processes must not leave shared memory behind'


SLOW = """
import signal, sys, time
from damage_perception.nodes import damage_segmentation_node as module
def process(self, frame):
    print('judging', file=sys.stderr, flush=True)
    time.sleep(float(sys.argv[1]))
    raise ValueError('the context must not have ended')
module.DamagePipeline.process = process
from damage_perception.nodes.damage_perception_node import main
main()
"""


@pytest.mark.parametrize(('how', 'judging_s'), [(signal.SIGINT, '0.6'), (signal.SIGTERM, '60')])
def test_a_signal_while_a_frame_is_judged_ends_the_process_in_order(
    graph: Graph, processes: list[subprocess.Popen[str]], how: signal.Signals, judging_s: str
) -> None:
    processes.append(start(judging_s, code=SLOW))
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(processes[0].stderr), daemon=True)
    reader.start()
    graph.stream(lambda: 'judging\n' in said, 20.0)
    began = time.monotonic()
    processes[0].send_signal(how)
    assert processes[0].wait(10.0) == 0
    assert time.monotonic() - began < 3.0  # launch sends worse signals after five
    reader.join(2.0)
    text = ''.join(said)
    assert 'Traceback' not in text
    assert 'must not have ended' not in text


@pytest.mark.parametrize(
    ('arguments', 'name'),
    [
        (('-p', 'decision.threshold:=2.0'), 'decision.threshold'),
        (('-r', 'rgb/image_rect_color:=no topic'), 'ROS arguments were refused'),
    ],
)
def test_what_is_refused_at_the_start_is_said_in_a_sentence(
    domain: int, processes: list[subprocess.Popen[str]], arguments: tuple[str, ...], name: str
) -> None:
    processes.append(start('--ros-args', *arguments))
    assert processes[0].wait(20.0) == 2
    said = processes[0].stderr.read()
    assert name in said
    assert 'Traceback' not in said


def test_a_calibration_of_other_weights_is_refused_in_a_sentence(
    domain: int, processes: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    other = tmp_path / 'other.yaml'
    shipped = shared_file('config/calibration_geometry.yaml').read_text()
    other.write_text(shipped.replace('geometry 2', 'ab' * 32))
    processes.append(start('--ros-args', '-p', f'decision.calibration_file:={other}'))
    said = []
    for line in processes[0].stderr:
        said.append(line)
        if 'could not become configured' in line:
            break
    assert f'{other} was made for weights abababababab, but ' in said[-1]
    assert 'run damage-perception calibrate for it' in said[-1]
    assert 'Traceback' not in ''.join(said)
