"""The benchmark of the divert node runs through and decides each item once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
CALL = [sys.executable, '-m', 'damage_perception.cli.main', 'benchmark', 'decision']


def test_each_report_is_answered_and_the_journal_holds_all(domain: int, tmp_path: Path) -> None:
    file = tmp_path / 'journal.sqlite'
    call = [*CALL, '--reports', '20', '--rate', '20', '--journal', str(file), '--json']
    done = subprocess.run(call, cwd='/', capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures['tracks'], figures['decided'], figures['twice']) == (12, 20, 0)
    assert 0.0 < figures['median_ms'] <= figures['p95_ms'] <= figures['longest_ms']
    again = subprocess.run(call, cwd='/', capture_output=True, text=True, timeout=30)
    assert again.returncode == 2
    assert 'exists; give a new file' in again.stderr
