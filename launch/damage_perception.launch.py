"""Start the nodes on the topics of a camera; `--show-args` lists what can be chosen."""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

SHARE = Path(get_package_share_directory('damage_perception'))
PRESETS = sorted(file.stem for file in (SHARE / 'config' / 'presets').glob('*.yaml'))
# Topic of the nodes -> launch argument that overrides what the preset says.
OVERRIDES = {
    'rgb/image_rect_color': 'rgb_topic',
    'depth_registered/image_rect': 'depth_topic',
    'rgb/camera_info': 'camera_info_topic',
    'item/identity': 'identity_topic',
}
ONE_OF = ['true', 'false']


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the nodes."""
    return LaunchDescription(
        [
            _argument('camera', 'generic', 'Whose topic names to use.', PRESETS),
            *(_argument(name, '', f'Replaces the {topic} of the camera preset.')
              for topic, name in OVERRIDES.items()),
            _argument('namespace', '', 'Namespace of the nodes and their topics.'),
            _argument(
                'params_file', str(SHARE / 'config' / 'damage_perception.yaml'), 'Parameters.'
            ),
            _argument('use_sim_time', 'false', 'Take the time from /clock.', ONE_OF),
            _argument('autostart', 'true', 'Configure and activate the nodes.', ONE_OF),
            _argument('one_process', 'true', 'Run both nodes in one process.', ONE_OF),
            _argument('rviz', 'false', 'Open RViz.', ONE_OF),
            _argument('log_level', 'info', 'Least severity that is logged.'),
            *_dds_profile(),
            OpaqueFunction(function=_nodes),
        ]
    )  # fmt: skip


def _argument(
    name: str, default: str, description: str, choices: list[str] | None = None
) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(
        name, default_value=default, description=description, choices=choices
    )


def _dds_profile() -> list[SetEnvironmentVariable]:
    """Give Fast DDS the shipped profile, unless the user chose one."""
    profile = str(SHARE / 'config' / 'fastdds.xml')
    names = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
    if any(name in os.environ for name in names):
        return []
    return [SetEnvironmentVariable(name, profile) for name in names]


def _nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    one_process = LaunchConfiguration('one_process')
    nodes = {
        'damage_perception_node': IfCondition(one_process),
        'damage_segmentation_node': UnlessCondition(one_process),
        'divert_node': UnlessCondition(one_process),
    }
    common = {
        'namespace': LaunchConfiguration('namespace'),
        'remappings': _remappings(context),
        'output': 'screen',
    }
    parameters = [
        LaunchConfiguration('params_file'),
        {
            name: ParameterValue(LaunchConfiguration(name), value_type=bool)
            for name in ('use_sim_time', 'autostart')
        },
    ]
    log_level = ['--log-level', LaunchConfiguration('log_level')]
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        arguments=['-d', str(SHARE / 'config' / 'damage_perception.rviz')],
        condition=IfCondition(LaunchConfiguration('rviz')),
        **common,
    )
    return [
        Node(
            package='damage_perception',
            executable=name,
            parameters=parameters,
            ros_arguments=log_level,
            condition=condition,
            **common,
        )
        for name, condition in nodes.items()
    ] + [rviz]


def _remappings(context: LaunchContext) -> list[tuple[str, str]]:
    """Read the preset, then let the arguments replace what they name."""
    preset = LaunchConfiguration('camera').perform(context)
    topics = yaml.safe_load((SHARE / 'config' / 'presets' / f'{preset}.yaml').read_text())
    for topic, name in OVERRIDES.items():
        topics[topic] = LaunchConfiguration(name).perform(context) or topics.get(topic, topic)
    return [(topic, camera) for topic, camera in topics.items() if topic != camera]
