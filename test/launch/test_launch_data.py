"""What the launch files and the layouts refer to is there, without ROS."""

from __future__ import annotations

import ast
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from damage_perception.perception.booth.extrinsics import Extrinsics

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'config'
LAUNCH = ROOT / 'launch' / 'damage_perception.launch.py'
PRESETS = sorted((CONFIG / 'presets').glob('*.yaml'))
STREAMS = {'rgb/image_rect_color', 'depth_registered/image_rect', 'rgb/camera_info'}


def topics_in(folder: str) -> set[str]:
    """Every text in the source of the nodes that looks like a relative topic name."""
    source = ''.join(
        file.read_text() for file in (ROOT / 'damage_perception' / folder).glob('*.py')
    )
    return set(re.findall(r"'((?:rgb|depth_registered|item|damage|divert)/\w+)'", source))


def node_topics() -> set[str]:
    pictures = {f'damage/{name}' for name in ('mask', 'instance_mask', 'confidence', 'overlay')}
    return topics_in('ros') | topics_in('nodes') | pictures | {'diagnostics'}


def overrides() -> dict[str, str]:
    for node in ast.parse(LAUNCH.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == 'OVERRIDES':
            return ast.literal_eval(node.value)
    raise AssertionError('the launch file has no OVERRIDES')


def test_the_presets_are_the_promised_ones():
    assert [file.stem for file in PRESETS] == ['generic', 'orbbec', 'realsense', 'zed']


@pytest.mark.parametrize('file', PRESETS, ids=lambda file: file.stem)
def test_a_preset_names_each_stream_once(file):
    topics = yaml.safe_load(file.read_text())
    assert set(topics) == STREAMS
    assert len(set(topics.values())) == len(STREAMS)
    for topic in topics.values():
        assert re.fullmatch(r'/?[a-z]\w*(/[a-z]\w*)+', topic), topic


def test_the_generic_preset_changes_no_name():
    topics = yaml.safe_load((CONFIG / 'presets' / 'generic.yaml').read_text())
    assert all(topic == camera for topic, camera in topics.items())


def test_the_shipped_booth_has_a_pose_for_each_camera_that_looks_down():
    tree = yaml.safe_load((CONFIG / 'booth.yaml').read_text())['/**']['ros__parameters']
    booth = tree['booth']
    assert set(booth['extrinsics']) == set(booth['cameras'])
    for numbers in booth['extrinsics'].values():
        stands = Extrinsics.of(numbers)
        assert stands.turn.apply([0.0, 0.0, 1.0])[2] < -0.5
        assert stands.position_m[2] > 0.0


def test_every_remapping_names_a_topic_that_the_nodes_have():
    assert set(overrides()) <= node_topics()
    assert set(overrides()) >= STREAMS


def test_the_dds_profile_has_room_for_big_images_and_still_leaves_the_machine():
    root = ElementTree.parse(CONFIG / 'fastdds.xml').getroot()
    space = {'x': 'http://www.eprosima.com'}
    segments = [int(element.text) for element in root.findall('.//x:segment_size', space)]
    assert segments == [32 * 1024 * 1024]
    kinds = {element.text for element in root.findall('.//x:transport_descriptor/x:type', space)}
    assert kinds == {'SHM', 'UDPv4'}
    described = {e.text for e in root.findall('.//x:transport_descriptor/x:transport_id', space)}
    used = {e.text for e in root.findall('.//x:userTransports/x:transport_id', space)}
    assert used == described


def test_rviz_shows_topics_that_exist_with_their_reliability():
    layout = yaml.safe_load((CONFIG / 'damage_perception.rviz').read_text())
    displays = layout['Visualization Manager']['Displays']
    shown = {entry['Topic']['Value']: entry['Topic'] for entry in displays}
    assert set(shown) <= node_topics()
    assert {'rgb/image_rect_color', 'damage/overlay', 'damage/mask'} <= set(shown)
    for name, topic in shown.items():
        sensor = name.startswith('rgb/')
        assert topic['Reliability Policy'] == ('Best Effort' if sensor else 'Reliable')


def test_foxglove_shows_topics_that_exist_in_panels_that_are_laid_out():
    text = (CONFIG / 'foxglove.json').read_text()
    topics = set(re.findall(r'"/((?:rgb|damage|divert|diagnostics)[\w/]*)', text))
    assert topics <= node_topics()
    wanted = {'rgb/image_rect_color', 'damage/overlay', 'damage/mask', 'damage/report'}
    assert topics >= wanted | {'divert/decision'}
    layout = json.loads(text)
    assert set(panels(layout['layout'])) == set(layout['configById'])


def panels(node: str | dict) -> list[str]:
    if isinstance(node, str):
        return [node]
    return panels(node['first']) + panels(node['second'])
