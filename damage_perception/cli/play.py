"""`damage-perception play`: a recording onto the topics of the nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def play(
    bag: Annotated[Path, typer.Argument(help='A rosbag2 folder, a .mcap or a .db3 file.')],
    rate: Annotated[float, typer.Option(min=0.01, max=100.0, help='Times real time.')] = 1.0,
    loop: Annotated[
        int, typer.Option(min=0, help='How often it is played; 0 = until you stop it.')
    ] = 1,
    wait: Annotated[
        float, typer.Option(min=0.0, help='Seconds to wait for subscribers before it starts.')
    ] = 10.0,
    wait_for_reports: Annotated[
        bool,
        typer.Option(
            '--wait-for-reports',
            help='Go on only when a pair of images has its report, so that none is overwritten '
            'where judging is slower than the recording.',
        ),
    ] = False,
    namespace: Annotated[str, typer.Option(help='Namespace of the nodes.')] = '',
    rgb_topic: Annotated[str, typer.Option(help='Colour images; found by type if not given.')] = '',
    depth_topic: Annotated[str, typer.Option(help='Depth that is registered to colour.')] = '',
    camera_info_topic: Annotated[str, typer.Option(help='Calibration of the colour images.')] = '',
    identity_topic: Annotated[str, typer.Option(help='What the items are said to be.')] = '',
    camera: Annotated[
        list[str] | None,
        typer.Option(help='A camera of a booth: its topics stand below /NAME; may be repeated.'),
    ] = None,
) -> None:
    """Publish a recording with its clock, on the topic names that the nodes subscribe to."""
    from damage_perception.cli.environment import require_ros, use_dds_profile
    from damage_perception.cli.progress import console, show_progress, warn, warn_of_unknown_types
    from damage_perception.recording.reader import Recording
    from damage_perception.recording.topics import find_topics

    require_ros('play')
    recording = Recording(bag)
    warn_of_unknown_types(recording)
    use_dds_profile()

    import rclpy
    from rclpy.executors import ExternalShutdownException

    from damage_perception.cli.pacing import Pacer
    from damage_perception.cli.player import Player, booth_topics, node_topics

    if camera:
        names = booth_topics(recording, camera)
    else:
        names = node_topics(
            find_topics(recording, rgb_topic, depth_topic, camera_info_topic, identity_topic)
        )
    spaces = [f'{name}/' for name in camera or ()] or ['']
    rclpy.init()
    try:
        node = rclpy.create_node('damage_recording_player', namespace=namespace)
        pacer = Pacer(node, spaces) if wait_for_reports else None
        player = Player(node, recording, names, pacer)
        for recorded, name in names.items():
            console.print(f'{recorded} -> {node.resolve_topic_name(name)}', highlight=False)
        if wait and not player.wait_for_listeners(wait):
            warn(f'not all topics have a subscriber after {wait:g} s; playing all the same')
        total = sum(recording.topics[name].count for name in names)
        played = 0
        while rclpy.ok() and (loop == 0 or played < loop):
            for _ in show_progress(player.play(rate), total, 'playing'):
                pass
            played += 1
        if rclpy.ok():
            player.drain()
        for recorded, count in player.sent.items():
            console.print(f'{count} messages of {recorded} played', highlight=False)
        if recording.loss:
            warn(recording.loss)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass  # the user has seen enough
    finally:
        rclpy.try_shutdown()
