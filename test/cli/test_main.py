"""The command line as a person meets it: help, statuses, one sentence for each failure."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from damage_perception.cli.main import COMMANDS, build_app


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    call = [sys.executable, '-m', 'damage_perception.cli.main', *arguments]
    return subprocess.run(call, capture_output=True, text=True, timeout=120)


def test_help_lists_every_command_and_is_fast() -> None:
    start = time.monotonic()
    result = run('--help')
    assert result.returncode == 0
    assert all(name in result.stdout for name in COMMANDS)
    assert time.monotonic() - start < 5.0


def test_help_loads_nothing_heavy() -> None:
    script = (
        'import sys\n'
        'from damage_perception.cli.main import build_app\n'
        'build_app()\n'
        "print([m for m in ('cv2', 'rclpy', 'open3d', 'torch', 'rosbags', 'scipy') "
        'if m in sys.modules])'
    )
    result = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)
    assert result.stdout.strip() == '[]', result.stderr


def test_every_listed_command_can_be_built() -> None:
    app = build_app()
    built = {command.name for command in app.registered_commands}
    built |= {group.name for group in app.registered_groups}
    assert built == set(COMMANDS)


def test_version() -> None:
    assert run('--version').stdout.strip().count('.') == 2


@pytest.mark.parametrize('arguments', [('nonsense',), ('replay',), ('replay', 'x', '--nope')])
def test_a_wrong_call_ends_with_two(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).returncode == 2


def test_work_that_fails_ends_with_one_and_one_sentence(tmp_path: Path) -> None:
    result = run('replay', str(tmp_path / 'absent'), '--report', str(tmp_path / 'r.jsonl'))
    assert result.returncode == 1
    assert 'absent does not exist' in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_where_ros_is_missing_the_commands_that_need_it_say_so(tmp_path: Path) -> None:
    script = (
        'import sys\n'
        "sys.modules['rclpy'] = None\n"
        f"sys.argv = ['damage-perception', 'play', {str(tmp_path)!r}]\n"
        'from damage_perception.cli.main import main\n'
        'main()\n'
    )
    result = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)
    assert result.returncode == 1
    assert '`play` needs ROS 2' in result.stderr
    assert 'Traceback' not in result.stderr
