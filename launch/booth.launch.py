"""Start a booth of several cameras: one segmentation node each, one divert node for all.

The cameras and where they stand come from one file, `booth_file`; each publishes its images below
its own namespace, such as /left/rgb/image_rect_color. `--show-args` lists what can be chosen.
"""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

SHARE = Path(get_package_share_directory('damage_perception'))
ONE_OF = ['true', 'false']


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the nodes."""
    return LaunchDescription(
        [
            _argument(
                'booth_file', str(SHARE / 'config' / 'booth.yaml'), 'Cameras and their poses.'
            ),
            _argument(
                'params_file', str(SHARE / 'config' / 'damage_perception.yaml'), 'Parameters.'
            ),
            _argument('use_sim_time', 'false', 'Take the time from /clock.', ONE_OF),
            _argument('autostart', 'true', 'Configure and activate the nodes.', ONE_OF),
            _argument('log_level', 'info', 'Least severity that is logged.'),
            *_dds_profile(),
            OpaqueFunction(function=_nodes),
        ]
    )


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
    file = Path(LaunchConfiguration('booth_file').perform(context))
    cameras = yaml.safe_load(file.read_text())['/**']['ros__parameters']['booth']['cameras']
    switches = {
        name: ParameterValue(LaunchConfiguration(name), value_type=bool)
        for name in ('use_sim_time', 'autostart')
    }
    parameters = [LaunchConfiguration('params_file'), str(file), switches]
    # A process each, so that cameras are judged side by side.
    nodes = [('damage_segmentation_node', camera) for camera in cameras] + [('divert_node', '')]
    return [
        Node(
            package='damage_perception',
            executable=name,
            namespace=namespace,
            parameters=parameters,
            ros_arguments=['--log-level', LaunchConfiguration('log_level')],
            output='screen',
        )
        for name, namespace in nodes
    ]
