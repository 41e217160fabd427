"""Play a recording into the nodes, on its own clock; ends when the recording does."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.substitutions import ExecutableInPackage

SHARE = Path(get_package_share_directory('damage_perception'))
PLAYER_ARGUMENTS = ('rate', 'loop', 'namespace')


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments, the nodes and the player."""
    # The player publishes on the names that the nodes use, whatever they were when recorded.
    nodes = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / 'launch' / 'damage_perception.launch.py')),
        launch_arguments={'use_sim_time': 'true', 'camera': 'generic'}.items(),
    )
    player = ExecuteProcess(
        cmd=[
            ExecutableInPackage('damage-perception', 'damage_perception'),
            'play',
            LaunchConfiguration('recording'),
            *([f'--{name}=', LaunchConfiguration(name)] for name in PLAYER_ARGUMENTS),
        ],
        output='screen',
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'recording', description='A rosbag2 folder, or a .mcap or .db3 file.'
            ),
            DeclareLaunchArgument('rate', default_value='1.0', description='Times real time.'),
            DeclareLaunchArgument(
                'loop', default_value='1', description='How often; 0 = until it is stopped.'
            ),
            DeclareLaunchArgument(
                'namespace', default_value='', description='Namespace of the nodes.'
            ),
            nodes,
            player,
            RegisterEventHandler(
                OnProcessExit(
                    target_action=player,
                    on_exit=[EmitEvent(event=Shutdown(reason='the recording has ended'))],
                )
            ),
        ]
    )
