"""What a command needs beside the package itself."""

from __future__ import annotations

import importlib
import os

from damage_perception.errors import UserError


def require_ros(command: str) -> None:
    """Check that ROS 2 and the messages of this package can be imported.

    Raises:
        UserError: saying which of the two is missing and how to get it.
    """
    for module, mend in (
        ('rclpy', 'run `bash scripts/setup.sh` and `source scripts/env.sh`, or source a ROS 2'),
        ('damage_perception.msg', 'build this package with colcon and source its install folder'),
    ):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(f'`{command}` needs ROS 2, but {error}; {mend}') from error


def use_dds_profile() -> None:
    """Let Fast DDS read the shipped profile unless the user chose one; before rclpy starts.

    Without its larger shared memory most big images are lost between processes of one machine.
    """
    from damage_perception.installed import shared_file

    profile = str(shared_file('config/fastdds.xml'))
    for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
        os.environ.setdefault(name, profile)
