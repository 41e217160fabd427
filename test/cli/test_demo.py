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

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('damage_perception.msg', reason='needs the built package')


def demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real command from a folder where no source tree is."""
    call = [sys.executable, '-m', 'damage_perception.cli.main', 'demo', '--out', 'results']
    return subprocess.run(
        call, cwd=folder, env=os.environ | {'ROS_DOMAIN_ID': '92'} | environment,
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip


def test_the_dented_box_is_diverted_and_everything_is_left_behind(tmp_path: Path) -> None:
    """Check the whole path once. How well damage is told apart is tested elsewhere."""
    result = demo(tmp_path)
    assert result.returncode == 0, result.stderr
    assert 'DIVERT' in result.stdout
    out = tmp_path / 'results'
    lines = [json.loads(line) for line in (out / 'report.jsonl').read_text().splitlines()]
    decisions = [line for line in lines if line['type'] == 'decision']
    assert any('crush' in d['reason'] for d in decisions if d['decision'] == 2)
    assert sum(line['type'] == 'report' for line in lines) > 20
    assert (out / 'pictures' / 'contact_sheet.png').stat().st_size > 10_000
    from damage_perception.recording.reader import Recording

    recording = Recording(out / 'results')
    assert recording.topics['/damage/report'].count > 20
    assert recording.topics['/divert/decision'].count == len(decisions)


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
