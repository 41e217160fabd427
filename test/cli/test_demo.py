"""`demo`: the sample through the real nodes over real DDS, start to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from damage_perception.errors import UserError
from damage_perception.report import Health, Verdict

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('damage_perception.msg', reason='needs the built package')


def demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real command from a folder where no source tree is."""
    call = [sys.executable, '-m', 'damage_perception.cli.main', 'demo', '--out', 'results']
    return subprocess.run(
        call, cwd=folder, env=os.environ | {'ROS_DOMAIN_ID': '92'} | environment,
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip


def test_each_box_is_decided_once_and_everything_is_left_behind(tmp_path: Path) -> None:
    """Check the whole path once, on a machine of any speed."""
    result = demo(tmp_path)
    assert result.returncode == 0, result.stderr
    out = tmp_path / 'results'
    lines = [json.loads(line) for line in (out / 'report.jsonl').read_text().splitlines()]
    decisions = [line for line in lines if line['type'] == 'decision']
    assert len({decision['track_id'] for decision in decisions}) == 5
    verdicts = [Verdict(decision['decision']).name for decision in decisions]
    assert sorted(verdicts) == ['DIVERT', 'PASS', 'PASS', 'PASS', 'PASS']
    assert 'crush' in decisions[verdicts.index('DIVERT')]['reason']
    shown = [line for line in result.stdout.splitlines() if 'PASS' in line or 'DIVERT' in line]
    assert len(shown) == 5
    assert sum(line['type'] == 'report' and line['health'] == Health.OK for line in lines) == 105
    pictures = sorted(path.name for path in (out / 'pictures').iterdir())
    assert pictures[0] == 'contact_sheet.png'
    assert [name.split('_')[2] for name in pictures[1:]].count('divert.png') == 1
    assert len(pictures) == 6
    from damage_perception.recording.reader import Recording

    recording = Recording(out / 'results')
    assert recording.topics['/damage/report'].count >= 105
    assert recording.topics['/divert/decision'].count == 5


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / 'results').write_text('in the way')
    result = demo(tmp_path)
    assert result.returncode == 1
    assert 'results cannot be written' in result.stderr
    assert 'Traceback' not in result.stderr


def test_nodes_that_die_are_said_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that the demo ends by itself when its nodes do; they are stood in for."""
    from damage_perception.cli import demo as command

    def start_and_die(out: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, '-c', ''])

    monkeypatch.setenv('ROS_DOMAIN_ID', '92')
    monkeypatch.setattr(command, '_start_nodes', start_and_die)
    start = time.monotonic()
    with pytest.raises(UserError, match=r'the nodes did not start; see .*nodes\.log'):
        command.demo(tmp_path / 'out', 0)
    assert time.monotonic() - start < 45.0
