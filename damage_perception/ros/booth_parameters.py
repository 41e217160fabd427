"""Where the cameras of a booth stand, read from parameters named after them."""

from __future__ import annotations

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from damage_perception.errors import UserError
from damage_perception.perception.booth.extrinsics import Extrinsics
from damage_perception.perception.booth.settings import BoothSettings

_DOC = 'Pose of the optical frame of this camera in the frame of the booth: x y z qx qy qz qw.'


def read_extrinsics(node: Node, settings: BoothSettings) -> dict[str, Extrinsics]:
    """Give the pose of each camera by its name, in the order of the setting.

    Raises:
        UserError: if one is missing or is no pose.
    """
    return {camera: _read(node, camera, settings.frame_id) for camera in settings.cameras}


def _read(node: Node, camera: str, frame_id: str) -> Extrinsics:
    name = f'booth.extrinsics.{camera}'
    if not node.has_parameter(name):
        # Of any type, since a file with whole numbers only would give another one.
        node.declare_parameter(
            name, None, ParameterDescriptor(description=_DOC, dynamic_typing=True)
        )
    numbers = node.get_parameter(name).value
    if numbers is None:
        raise UserError(
            f'{name} is missing; give x, y, z in metres and qx, qy, qz, qw of the optical frame '
            f'of that camera in {frame_id}'
        )
    try:
        return Extrinsics.of(numbers)
    except (TypeError, ValueError) as error:
        raise UserError(f'{name} {error}') from error
