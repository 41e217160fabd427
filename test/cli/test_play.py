"""`play`: what a recording holds arrives over real DDS, stamps and bytes as recorded."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('damage_perception.msg', reason='needs the built package')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from damage_perception.cli.player import booth_topics  # noqa: E402
from damage_perception.errors import CallError  # noqa: E402
from damage_perception.recording import scenarios  # noqa: E402
from damage_perception.recording.reader import Recording  # noqa: E402
from damage_perception.recording.writer import RecordingWriter  # noqa: E402
from damage_perception.ros import qos  # noqa: E402

DOMAIN = '91'
TOPICS = {'rgb/image_rect_color': Image, 'depth_registered/image_rect': Image,
          'rgb/camera_info': CameraInfo}  # fmt: skip
RECORDED = {scenarios.RGB_TOPIC: 'rgb/image_rect_color',
            scenarios.DEPTH_TOPIC: 'depth_registered/image_rect',
            scenarios.INFO_TOPIC: 'rgb/camera_info'}  # fmt: skip


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('play') / 'info_missing'
    scenarios.write_scenario('info_missing', folder)
    return folder


class Listener:
    """Best-effort subscriptions as the nodes have them."""

    def __init__(self, namespace: str) -> None:
        from damage_perception.cli.environment import use_dds_profile

        use_dds_profile()
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=int(DOMAIN))
        self.node = rclpy.create_node('listener', namespace=namespace, context=self.context)
        self.stamps: dict[str, list[int]] = {name: [] for name in (*TOPICS, '/clock')}
        for name, kind in TOPICS.items():
            self.node.create_subscription(kind, name, self._keeper(name), qos.SENSOR)
        self.node.create_subscription(
            Clock, '/clock', lambda m: self.stamps['/clock'].append(_ns(m.clock)), 100
        )
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()

    def _keeper(self, name: str) -> Any:
        return lambda message: self.stamps[name].append(_ns(message.header.stamp))

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def _ns(stamp: Any) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener('/cell_3')
    yield listener
    listener.close()


def start_play(bag: Path, *options: str) -> subprocess.Popen[str]:
    """Start the real command; from the folder of the recording, where no source tree is."""
    call = [sys.executable, '-m', 'damage_perception.cli.main', 'play', str(bag), *options]
    environment = os.environ | {'ROS_DOMAIN_ID': DOMAIN}
    return subprocess.Popen(
        call, cwd=bag.parent, env=environment, text=True, stderr=subprocess.PIPE
    )


def test_nothing_is_lost_and_loops_go_back_in_time(bag: Path, listener: Listener) -> None:
    """Check that all messages of two rounds arrive in order, on the names of the nodes."""
    playing = start_play(bag, '--namespace', 'cell_3', '--loop', '2', '--rate', '2')
    _, said = playing.communicate(timeout=60)
    assert playing.returncode == 0, said
    assert '/camera/color/image_raw -> /cell_3/rgb/image_rect_color' in said
    rgb = listener.stamps['rgb/image_rect_color']
    assert len(rgb) == 80
    assert rgb[:40] == sorted(set(rgb)) == rgb[40:]
    assert len(listener.stamps['depth_registered/image_rect']) == 80
    assert len(listener.stamps['rgb/camera_info']) == 60
    assert set(rgb) <= set(listener.stamps['/clock'])


def test_it_keeps_the_time_of_the_recording(bag: Path, listener: Listener) -> None:
    start = time.monotonic()
    playing = start_play(bag, '--namespace', 'cell_3')
    playing.communicate(timeout=60)
    assert 4.0 < time.monotonic() - start < 20.0
    assert len(listener.stamps['rgb/image_rect_color']) == 40


@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_told(bag: Path, listener: Listener, how: signal.Signals) -> None:
    playing = start_play(bag, '--namespace', 'cell_3', '--loop', '0')
    end = time.monotonic() + 30.0
    while not listener.stamps['rgb/image_rect_color'] and time.monotonic() < end:
        time.sleep(0.05)
    playing.send_signal(how)
    _, said = playing.communicate(timeout=20)
    assert playing.returncode == 0, said
    assert 'Traceback' not in said


def test_each_camera_of_a_booth_is_played_below_its_name(bag: Path, tmp_path: Path) -> None:
    """Check the names of a recording of two cameras, and the refusal of one that is not in it."""
    both = tmp_path / 'both'
    with RecordingWriter(both) as writer:
        messages = list(Recording(bag).messages(RECORDED))[-12:]
        for raw, camera in itertools.product(messages, ('left', 'right')):
            name = f'/{camera}/{RECORDED[raw.topic]}'
            writer.write_raw(name, raw.msgtype, bytes(raw.data), raw.time_ns)
    playing = start_play(both, '--camera', 'left', '--camera', 'right', '--wait', '0.1')
    _, said = playing.communicate(timeout=60)
    assert playing.returncode == 0, said
    for name in TOPICS:
        assert f'/left/{name} -> /left/{name}' in said
        assert f'4 messages of /right/{name} played' in said
    with pytest.raises(CallError, match='/middle/rgb/image_rect_color is not in'):
        booth_topics(Recording(both), ['middle'])


def test_without_listeners_it_says_so_and_plays(bag: Path) -> None:
    playing = start_play(bag, '--namespace', 'nobody', '--wait', '0.3', '--rate', '100')
    _, said = playing.communicate(timeout=60)
    assert playing.returncode == 0
    assert 'not all topics have a subscriber' in said.replace('\n', ' ')
