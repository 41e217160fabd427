"""The launch files started by the real launch system, the nodes read over real DDS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REASON = 'launch_ros comes with a ROS installation, not with the wheels'
pytest.importorskip('launch_ros', reason=REASON)
rclpy = pytest.importorskip('rclpy')

from ament_index_python.packages import get_package_share_directory  # noqa: E402

FOLDER = Path(get_package_share_directory('damage_perception')) / 'launch'
NODES = {'damage_segmentation_node', 'divert_node'}
# What `ros2 launch` does; the service wants the main thread of a process.
START = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
arguments = [argument.split(':=', 1) for argument in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""


class Launched:
    """A launch file that runs until the end of the test, on a domain of its own."""

    def __init__(self, name: str, arguments: dict[str, str]) -> None:
        given = [f'{key}:={value}' for key, value in arguments.items()]
        self.process = subprocess.Popen([sys.executable, '-c', START, str(FOLDER / name), *given])
        rclpy.init()
        self.node = rclpy.create_node('watcher')

    def nodes(self) -> set[str]:
        return {
            f'{space.rstrip("/")}/{name}'
            for name, space in self.node.get_node_names_and_namespaces()
        }

    def inputs(self, name: str, namespace: str) -> set[str]:
        if f'{namespace.rstrip("/")}/{name}' not in self.nodes():
            return set()
        found = self.node.get_subscriber_names_and_types_by_node(name, namespace or '/')
        return {topic for topic, _ in found}

    def close(self) -> None:
        self.node.destroy_node()
        rclpy.shutdown()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30.0)


def wait_for(condition, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return bool(condition())


@pytest.fixture
def start(monkeypatch):
    started = []

    def run(name: str, **arguments: str) -> Launched:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(150 + os.getpid() % 60))
        started.append(Launched(name, arguments))
        return started[-1]

    yield run
    for launched in started:
        launched.close()


@pytest.mark.parametrize('one_process', ['true', 'false'])
def test_nodes_listen_to_the_topics_of_the_camera(start, one_process):
    """The preset, an argument that overrides it, and the namespace reach the nodes."""
    launched = start(
        'damage_perception.launch.py', camera='realsense', namespace='line1',
        one_process=one_process, depth_topic='/other/depth',
    )  # fmt: skip
    wanted = {f'/line1/{name}' for name in NODES}
    assert wait_for(lambda: wanted <= launched.nodes())
    topics = {'/camera/camera/color/image_raw', '/other/depth', '/camera/camera/color/camera_info'}
    assert wait_for(lambda: topics <= launched.inputs('damage_segmentation_node', '/line1'))
    assert wait_for(lambda: '/line1/damage/report' in launched.inputs('divert_node', '/line1'))


def test_a_booth_has_a_segmentation_node_a_camera_and_one_divert_node(start):
    launched = start('booth.launch.py')
    wanted = {f'/{name}' for name in ('left/damage_segmentation_node',
              'right/damage_segmentation_node', 'divert_node')}  # fmt: skip
    assert wait_for(lambda: wanted <= launched.nodes())
    reports = {'/left/damage/report', '/right/damage/report'}
    assert wait_for(lambda: reports <= launched.inputs('divert_node', ''))


def test_without_autostart_the_nodes_wait(start):
    launched = start('damage_perception.launch.py', autostart='false')
    assert wait_for(lambda: {f'/{name}' for name in NODES} <= launched.nodes())
    time.sleep(1.0)
    assert '/rgb/image_rect_color' not in launched.inputs('damage_segmentation_node', '/')


def test_an_unknown_camera_is_refused(start):
    launched = start('damage_perception.launch.py', camera='webcam')
    assert launched.process.wait(30.0) == 1


def test_a_recording_is_played_into_the_nodes_and_ends_them(start, shared_recording):
    from damage_perception.msg import DamageReport

    launched = start('replay.launch.py', recording=shared_recording, rate='4.0')
    reports = []
    launched.node.create_subscription(DamageReport, 'damage/report', reports.append, 10)

    def heard() -> bool:
        rclpy.spin_once(launched.node, timeout_sec=0.1)
        return any(report.health == DamageReport.OK and report.items for report in reports)

    assert wait_for(heard, 60.0)
    assert launched.process.wait(60.0) == 0
