"""`replay`: lines, the same bytes every time, failures that leave nothing half-written."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from damage_perception.cli.main import build_app
from damage_perception.errors import CallError, UserError
from damage_perception.recording.reader import Recording
from damage_perception.recording.scenarios import write_scenario
from damage_perception.settings import Settings


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('replay') / 'dented_box'
    write_scenario('dented_box', folder)
    return folder


def replay(*arguments: object) -> str:
    """Run the command in this process; its own errors come through."""
    result = CliRunner().invoke(build_app(), ['replay', *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_line_a_frame_and_the_same_bytes_twice(bag: Path, tmp_path: Path) -> None:
    reports = [tmp_path / 'a.jsonl', tmp_path / 'b.jsonl']
    bags = [tmp_path / 'a' / 'out', tmp_path / 'b' / 'out']
    for report, out_bag in zip(reports, bags, strict=True):
        output = replay(bag, '--report', report, '--out-bag', out_bag)
        assert 'time per frame' in output
    assert reports[0].read_bytes() == reports[1].read_bytes()
    assert (bags[0] / 'out.mcap').read_bytes() == (bags[1] / 'out.mcap').read_bytes()
    lines = [json.loads(line) for line in reports[0].read_text().splitlines()]
    stamps = [
        (line['header']['stamp']['sec'], line['header']['stamp']['nanosec'])
        for line in lines
        if line['type'] == 'report'
    ]
    assert len(stamps) == 40
    assert stamps == sorted(set(stamps))
    written = Recording(bags[0])
    assert written.topics['/damage/report'].count == 40
    assert written.topics['/damage/mask'].count == 40


def test_pictures_are_made_and_decisions_listed(bag: Path, tmp_path: Path) -> None:
    output = replay(bag, '--report', tmp_path / 'r.jsonl', '--pictures', tmp_path / 'p', '--table')
    assert 'Decisions' in output
    assert 'DIVERT' in output
    assert len(list((tmp_path / 'p').glob('*.png'))) == 40
    with pytest.raises(CallError, match='is not empty; give a new folder'):
        replay(bag, '--report', tmp_path / 'again.jsonl', '--pictures', tmp_path / 'p')
    assert not (tmp_path / 'again.jsonl').exists()


def test_a_damaged_recording_is_used_and_the_loss_is_said(bag: Path, tmp_path: Path) -> None:
    data = (bag / 'dented_box.mcap').read_bytes()
    (tmp_path / 'cut.mcap').write_bytes(data[: len(data) // 2])
    output = replay(tmp_path / 'cut.mcap', '--report', tmp_path / 'r.jsonl')
    assert 'is damaged (it ends too early)' in output.replace('\n', ' ')
    assert 10 < len((tmp_path / 'r.jsonl').read_text().splitlines()) < 40


def test_a_recording_without_depth_is_refused(tmp_path: Path) -> None:
    from damage_perception.recording.types import IMAGE
    from damage_perception.recording.writer import RecordingWriter
    from damage_perception.report import header_dict

    fields = {
        'header': header_dict(0, 'f'), 'height': 1, 'width': 1, 'encoding': 'rgb8',
        'is_bigendian': 0, 'step': 3, 'data': [1, 2, 3],
    }  # fmt: skip
    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.write('/colour', IMAGE, fields, 0)
    with pytest.raises(UserError, match='no depth topic; it holds /colour'):
        replay(tmp_path / 'bag', '--report', tmp_path / 'r.jsonl')


def test_an_unwritable_report_is_named_before_all(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    for report in (tmp_path / 'file' / 'r.jsonl', tmp_path):
        with pytest.raises(UserError, match=f'{report} cannot be written'):
            replay(tmp_path / 'no such recording', '--report', report)


def test_a_full_disk_leaves_no_report(
    bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from damage_perception.recording.outputs import JsonLines

    class FullDisk(io.StringIO):
        def writelines(self, lines: Iterable[str]) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    start = JsonLines.__init__

    def on_full_disk(self: JsonLines, path: Path) -> None:
        start(self, path)
        self._stream = FullDisk()

    monkeypatch.setattr(JsonLines, '__init__', on_full_disk)
    with pytest.raises(UserError, match='No space left on device'):
        replay(bag, '--report', tmp_path / 'r.jsonl')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (
            '/**: {ros__parameters: {decision: {threshold: 7.0}}}',
            'yaml: decision.threshold must lie',
        ),
        ('/**: {ros__parameters: {decision: {threshold: often}}}', 'must be float'),
        ('/**: {ros__parameters: {decision: {thresold: 0.5}}}', 'no parameter decision.thresold'),
        ('/**: {ros__parameters: {decision: {lost_after_s: 1}}}', 'got 1; write 1.0'),
        ('/**: {ros__parameters: {booth: {cameras: [1, 2]}}}', 'booth.cameras must be str, got 1'),
        ('/**: {ros__parameters: {plane: {region: [1, 2]}}}', 'plane.region must be .* write 1.0'),
        ('/**: {ros__parameters: {plane: {region: 1.0}}}', 'plane.region must be list'),
        ('/**: {ros__parameters: {heartbeat: {period_s: 99.0}}}', 'heartbeat.period_s must lie'),
        ('/cell: {n: {ros__parameters: {decision: {threshold: 7.0}}}}', 'threshold must lie in'),
        ('/**: {ros__parameters: 5}', 'must be a mapping of parameters, got 5'),
        ('/**: {ros__parameters: [1]}', 'must be a mapping of parameters'),
        ('decision: {threshold: 0.5}', 'decision: threshold lies in no ros__parameters'),
        ('/**: {}', 'there is no ros__parameters in it'),
        ('just words', 'not a ROS parameter file'),
        ('{{{', 'cannot be read as YAML'),
    ],
)
def test_wrong_parameters_are_named(bag: Path, tmp_path: Path, text: str, words: str) -> None:
    params = tmp_path / 'p.yaml'
    params.write_text(text)
    with pytest.raises(CallError, match=words) as caught:
        replay(bag, '--report', tmp_path / 'r.jsonl', '--params', params)
    assert 'p.yaml' in str(caught.value)


def test_parameters_take_effect(tmp_path: Path) -> None:
    from damage_perception.cli.settings_file import read_settings

    params = tmp_path / 'p.yaml'
    params.write_text(
        'damage_segmentation_node:\n  ros__parameters:\n    autostart: true\n'
        '    decision.threshold: 0.25\n    decision: {min_frames: 4}\n    input: {slop_s: 0.05}\n'
    )
    settings, input_settings = read_settings(params)
    assert (settings.decision.threshold, settings.decision.min_frames) == (0.25, 4)
    assert input_settings.slop_s == 0.05


def test_parameters_may_lie_in_namespaces(tmp_path: Path) -> None:
    from damage_perception.cli.settings_file import read_settings

    params = tmp_path / 'p.yaml'
    params.write_text(
        '/**: {ros__parameters: {decision: {min_frames: 2}}}\n'
        '/cell: {left: {ros__parameters: {decision: {threshold: 0.25}}}}\n'
    )
    settings, _ = read_settings(params)
    assert (settings.decision.threshold, settings.decision.min_frames) == (0.25, 2)


def test_the_shipped_files_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    from damage_perception.cli.settings_file import read_settings
    from damage_perception.installed import shared_file

    for name, told in (('damage_perception.yaml', False), ('booth.yaml', True)):
        settings, _ = read_settings(shared_file(f'config/{name}'))
        assert settings == Settings()
        assert ('one camera is judged here' in capsys.readouterr().err) == told
