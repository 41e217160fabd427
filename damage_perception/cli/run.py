"""`damage-perception run`: the nodes in one process, without a launch file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    rgb_topic: Annotated[
        str, typer.Option(help='Rectified colour images.')
    ] = 'rgb/image_rect_color',
    depth_topic: Annotated[
        str, typer.Option(help='Depth that is registered to colour.')
    ] = 'depth_registered/image_rect',
    camera_info_topic: Annotated[
        str, typer.Option(help='Calibration of the colour images.')
    ] = 'rgb/camera_info',
    identity_topic: Annotated[
        str, typer.Option(help='What the items are said to be.')
    ] = 'item/identity',
    params: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help='ROS parameter file.')
    ] = None,
    namespace: Annotated[str, typer.Option(help='Namespace of the nodes and topics.')] = '',
    sim_time: Annotated[
        bool, typer.Option('--sim-time', help='Take the time from /clock, as of a recording.')
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option('--set', '-p', help='A parameter as name:=value; may be repeated.'),
    ] = None,
) -> None:
    """Find damaged items on live topics until you press Ctrl-C."""
    from damage_perception.cli.environment import require_ros, use_dds_profile
    from damage_perception.errors import CallError

    require_ros('run')
    use_dds_profile()

    from damage_perception.nodes.damage_segmentation_node import DamageSegmentationNode
    from damage_perception.nodes.divert_node import DivertNode
    from damage_perception.ros.frame_source import DEPTH, IDENTITY, INFO, RGB
    from damage_perception.ros.spinning import spin

    topics = {
        RGB: rgb_topic,
        DEPTH: depth_topic,
        INFO: camera_info_topic,
        IDENTITY: identity_topic,
    }
    arguments = ['--ros-args', '-p', f'use_sim_time:={str(sim_time).lower()}']
    for name, topic in topics.items():
        arguments += ['-r', f'{name}:={topic}']
    if params is not None:
        arguments += ['--params-file', str(params)]
    if namespace:
        arguments += ['-r', f'__ns:=/{namespace.strip("/")}']
    for setting in parameter or []:
        if ':=' not in setting:
            raise CallError(f'--set takes name:=value, got {setting!r}')
        arguments += ['-p', setting]
    raise typer.Exit(spin([DamageSegmentationNode, DivertNode], arguments))
