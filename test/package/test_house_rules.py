"""What may import what, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'damage_perception'
FILES = sorted(PACKAGE.rglob('*.py'))
ROS_FOLDERS = {'ros', 'nodes', 'cli'}
ROS = {'rclpy', 'launch', 'launch_ros', 'builtin_interfaces', 'cv_bridge', 'ament_index_python'}
TRAINING = {'torch', 'torchvision', 'sklearn', 'pandas', 'pycocotools', 'matplotlib'}
NEEDS_TRAINING = {'network', 'learning', 'synthesis', 'cli'}
UNSAFE = {'pickle', 'cPickle', 'dill', 'joblib', 'shelve', 'marshal'}


def imports(file: Path) -> Iterator[str]:
    """Dotted names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{file}: relative import'
            yield from (f'{node.module}.{alias.name}' for alias in node.names)


def folder(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0]


def offenders(files: list[Path], forbidden) -> list[str]:
    return [
        f'{file.relative_to(ROOT)} imports {name}'
        for file in files
        for name in imports(file)
        if forbidden(name)
    ]


def is_ros(name: str) -> bool:
    top = name.split('.')[0]
    own = name.startswith(('damage_perception.msg', 'damage_perception.srv'))
    return top in ROS or top.endswith('_msgs') or own


def test_only_the_outer_folders_know_ros():
    files = [file for file in FILES if folder(file) not in ROS_FOLDERS]
    assert len(files) > 10
    assert not offenders(files, is_ros)


def test_the_runtime_knows_neither_learning_nor_synthesis():
    files = [file for file in FILES if folder(file) in {'perception', 'network', 'ros', 'nodes'}]
    assert files
    above = ('damage_perception.learning', 'damage_perception.synthesis')
    assert not offenders(files, lambda name: name.startswith(above))


def test_the_runtime_needs_no_training_library():
    files = [file for file in FILES if folder(file) not in NEEDS_TRAINING]
    assert not offenders(files, lambda name: name.split('.')[0] in TRAINING)


def test_the_core_and_the_commands_load_without_ros_and_without_torch():
    """Also through what they import: `pip install .` brings neither."""
    free = [file for file in FILES if folder(file) not in ROS_FOLDERS | NEEDS_TRAINING]
    modules = ['.'.join(file.relative_to(ROOT).with_suffix('').parts) for file in free]
    code = f"""
import importlib, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        top = name.split('.')[0]
        if top in {ROS | {'torch', 'torchvision'}!r} or top.endswith('_msgs'):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
for module in {modules!r}:
    importlib.import_module(module)
from damage_perception.cli.main import build_app
from damage_perception.pipeline import DamagePipeline
build_app(), DamagePipeline()
"""
    found = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr


def test_nothing_can_run_code_that_came_as_data():
    assert not offenders(FILES, lambda name: name.split('.')[0] in UNSAFE)
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg == 'allow_pickle':
                assert isinstance(node.value, ast.Constant), file
                assert node.value.value is False, file


@pytest.mark.parametrize('file', sorted((ROOT / 'launch').glob('*.py')), ids=lambda file: file.name)
def test_launch_files_only_describe(file):
    assert not offenders([file], lambda name: name.split('.')[0] in {'subprocess', 'shutil'})
    calls = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)]
    names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
    assert not names & {'eval', 'exec', 'open', '__import__'}
