"""`damage-perception replay`: a recording in, results out, without DDS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def replay(
    bag: Annotated[Path, typer.Argument(help='A rosbag2 folder, a .mcap or a .db3 file.')],
    report: Annotated[
        Path, typer.Option(help='JSON Lines to write: one line a frame, one a decision.')
    ],
    out_bag: Annotated[
        Path | None, typer.Option(help='New rosbag2 folder for the results as messages.')
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help='New folder for a picture of each frame with its findings.')
    ] = None,
    table: Annotated[
        bool, typer.Option('--table', help='List the decisions at the end, one an item.')
    ] = False,
    params: Annotated[
        Path | None, typer.Option(help='ROS parameter file, as the nodes take it.')
    ] = None,
    rgb_topic: Annotated[str, typer.Option(help='Colour images; found by type if not given.')] = '',
    depth_topic: Annotated[str, typer.Option(help='Depth that is registered to colour.')] = '',
    camera_info_topic: Annotated[str, typer.Option(help='Calibration of the colour images.')] = '',
    identity_topic: Annotated[str, typer.Option(help='What the items are said to be.')] = '',
) -> None:
    """Judge every frame of a recording; the same recording gives the same bytes every time."""
    from contextlib import ExitStack

    from damage_perception.cli.progress import (
        Summary,
        console,
        show_progress,
        warn,
        warn_of_unknown_types,
    )
    from damage_perception.cli.result_places import check_new_folder, check_place
    from damage_perception.cli.settings_file import read_settings
    from damage_perception.cli.tables import decision_table
    from damage_perception.recording.frames import FrameReader
    from damage_perception.recording.judging import judge
    from damage_perception.recording.outputs import JsonLines, Pictures, ResultBag
    from damage_perception.recording.reader import Recording
    from damage_perception.recording.topics import find_topics
    from damage_perception.report import Decision

    check_place(report)
    if pictures is not None:
        check_new_folder(pictures)
    settings, input_settings = read_settings(params)
    recording = Recording(bag)
    topics = find_topics(recording, rgb_topic, depth_topic, camera_info_topic, identity_topic)
    warn_of_unknown_types(recording)
    summary = Summary()
    decisions: list[Decision] = []
    with ExitStack() as stack:
        lines = JsonLines(report)
        stack.enter_context(lines)
        outputs: list[JsonLines | ResultBag | Pictures] = [lines]
        if out_bag is not None:
            outputs.append(stack.enter_context(ResultBag(out_bag)))
        if pictures is not None:
            from damage_perception.overlay import draw_overlay

            outputs.append(Pictures(pictures, draw_overlay))
        reader = FrameReader(recording, topics, input_settings)
        entries = show_progress(reader, recording.topics[topics.rgb].count, 'judging')
        for judgement in judge(summary.start(entries), settings):
            summary.take(judgement)
            decisions += judgement.decisions if table else ()
            for output in outputs:
                output.take(judgement)
    if table:
        console.print(decision_table(decisions))
    if recording.loss:
        warn(recording.loss)
    if reader.unreadable:
        warn(f'{reader.unreadable} messages could not be decoded and were left out')
    if reader.late:
        warn(f'{reader.late} colour images came after a newer one and were left out')
    if summary.failure:
        warn(f'a frame could not be judged:\n{summary.failure}')
    for line in summary.lines():
        console.print(line, markup=False, highlight=False)
