"""`scripts/setup.sh` on machines that cannot hold it: one sentence that says what to do.

The machines are made of stand-ins on PATH, in a copy of the scripts: nothing is installed. What a
set-up that works looks like is seen by whoever runs these tests, since `test.sh` has just run it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = (
    *(
        'awk',
        'bash',
        'cat',
        'chmod',
        'cut',
        'dirname',
        'env',
        'find',
        'flock',
        'grep',
        'head',
    ),
    *('mkdir', 'rm', 'sed', 'sha256sum', 'sort', 'tail', 'touch', 'tr'),
)

# A Python that answers as a good one, but installs nothing.
PYTHON = """#!/bin/bash
case "$*" in
  *_base_executable*) echo "$0" ;;
  *version_info*|*ensurepip*) exit 0 ;;
  --version) echo Python 3.11.2 ;;
  *sysconfig*) echo {headers} ;;
  '-m venv '*) mkdir -p "$3/bin"; cat "$0" > "$3/bin/python"; chmod +x "$3/bin/python" ;;
  *'pip install'*) echo "{pip_says}"; exit 1 ;;
esac
"""
UNREACHABLE = (
    "WARNING: Retrying after connection broken by 'NewConnectionError: Failed to establish'"
)


class Machine:
    """A folder of programs, and a copy of what the set-up reads."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin = folder / 'repository', folder / 'bin'
        self.environment: dict[str, str] = {}
        for name in ('scripts', 'requirements'):
            shutil.copytree(ROOT / name, self.root / name)
        self.bin.mkdir()
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name))
        (folder / 'Python.h').touch()
        self.headers = folder
        self.program('uname', 'case $1 in -s) echo Linux;; -m) echo x86_64;; esac')
        for name in ('c++', 'make'):
            self.program(name, 'true')
        self.free_disk(mib=9000)
        self.python()

    def program(self, name: str, body: str) -> None:
        file = self.bin / name
        file.unlink(missing_ok=True)
        file.write_text(body if body.startswith('#!') else f'#!/bin/bash\n{body}\n')
        file.chmod(0o755)

    def free_disk(self, mib: int) -> None:
        self.program('df', f'echo header; echo "/dev/sda 10000 1000 {mib} 10% /"')

    def python(self, pip_says: str = UNREACHABLE, before: str = '') -> None:
        body = PYTHON.format(headers=self.headers, pip_says=pip_says)
        self.program('python3', body.replace('case', f'{before}\ncase', 1))

    def refusal(self) -> str:
        """Run the set-up; give the one sentence that it ends with."""
        found = subprocess.run(
            [str(self.bin / 'bash'), 'scripts/setup.sh'], cwd=self.root, timeout=60, text=True,
            capture_output=True, check=False, env={'PATH': str(self.bin), **self.environment},
        )  # fmt: skip
        assert found.returncode == 1, found.stdout + found.stderr
        said = found.stderr.strip()
        assert '\n' not in said
        assert said.startswith('damage_perception set-up: ')
        assert said.endswith('.')
        return said


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_no_python(machine):
    (machine.bin / 'python3').unlink()
    assert 'there is no python3; install Python 3.10 to 3.14' in machine.refusal()


@pytest.mark.parametrize('version', ['3.9.18', '3.15.0'])
def test_a_python_without_wheels(machine, version):
    machine.program('python3', f'[ "$1" = --version ] && echo Python {version} || exit 1')
    said = machine.refusal()
    assert f'python3 is Python {version}' in said
    assert 'PYTHON=python3.12' in said


def test_a_newer_python_beside_one_without_wheels_is_taken(machine):
    shutil.copy(machine.bin / 'python3', machine.bin / 'python3.12')
    machine.program('python3', 'exit 1')
    assert 'pip cannot reach its package index' in machine.refusal()
    assert f'{machine.bin}/python3.12' in (machine.root / '.venv' / 'place.stamp').read_text()


def test_no_compiler(machine):
    (machine.bin / 'c++').unlink()
    assert 'no C++ compiler (c++); install one (Debian: apt install g++ make)' in machine.refusal()


def test_no_make(machine):
    (machine.bin / 'make').unlink()
    assert 'there is no make; install it' in machine.refusal()


def test_no_venv_module(machine):
    machine.python(before='[[ "$*" == *ensurepip* ]] && exit 1')
    assert 'apt install python3-venv' in machine.refusal()


def test_no_python_headers(machine):
    (machine.headers / 'Python.h').unlink()
    assert 'apt install python3-dev' in machine.refusal()


def test_a_machine_without_wheels(machine):
    machine.program('uname', 'case $1 in -s) echo Linux;; -m) echo aarch64;; esac')
    said = machine.refusal()
    assert 'x86_64 only, this is aarch64' in said
    assert 'colcon build' in said


def test_another_system(machine):
    machine.program('uname', 'case $1 in -s) echo Darwin;; -m) echo x86_64;; esac')
    assert 'Linux only, this is Darwin' in machine.refusal()


def test_too_little_disk(machine):
    machine.free_disk(mib=1000)
    said = machine.refusal()
    assert 'needs 3500 MiB' in said
    assert '1000 MiB are free' in said


@pytest.mark.parametrize(
    ('pip_says', 'mend'),
    [
        (UNREACHABLE, 'check the network'),
        ('ERROR: [Errno 28] No space left on device', 'make room'),
        ('ERROR: No matching distribution found for x==1.', 'pip failed: ERROR: No matching'),
    ],
)
def test_pip_fails(machine, pip_says, mend):
    machine.python(pip_says)
    assert mend in machine.refusal()
    assert not (machine.root / '.venv' / 'runtime.stamp').exists()


@pytest.mark.parametrize(
    'variables', [{'ROS_DISTRO': 'jazzy'}, {'AMENT_PREFIX_PATH': '/opt/ros/jazzy'}]
)
def test_a_sourced_ros_is_not_mixed_with_ours(machine, variables):
    machine.environment = variables
    said = machine.refusal()
    assert 'jazzy' in said
    assert 'colcon build' in said


def test_our_own_environment_is_no_sourced_ros(machine):
    own = f'{machine.root}/install/damage_perception:{machine.root}/.venv'
    machine.environment = {'AMENT_PREFIX_PATH': own}
    assert 'pip cannot reach its package index' in machine.refusal()


@pytest.mark.parametrize(
    ('variables', 'mend'),
    [({}, 'run bash'), ({'ROS_DISTRO': 'jazzy'}, 'use a shell without it')],
)
def test_the_environment_says_what_it_lacks(machine, variables, mend):
    found = subprocess.run(
        ['bash', '-c', 'source scripts/env.sh'], cwd=machine.root, text=True, timeout=60,
        capture_output=True, check=False, env={'PATH': str(machine.bin), **variables},
    )  # fmt: skip
    assert found.returncode == 1
    assert mend in found.stderr
    assert found.stderr.count('\n') == 1


@pytest.mark.skipif(
    not sys.executable.startswith(f'{ROOT}/.venv/'), reason='runs where the set-up made the Python'
)
def test_the_environment_is_the_same_when_sourced_twice_and_from_any_folder(tmp_path):
    script = f'source {ROOT}/scripts/env.sh; env | sort | grep -v ^_='
    once, twice = (
        subprocess.run(
            ['bash', '-c', code], cwd=tmp_path, text=True, timeout=60, capture_output=True,
            check=True,
        ).stdout
        for code in (script, f'source {ROOT}/scripts/env.sh; {script}')
    )  # fmt: skip
    assert once == twice
    assert f'{ROOT}/install/damage_perception' in once
