"""package.xml, setup.cfg, CMake and the requirements name what the code uses."""

from __future__ import annotations

import ast
import configparser
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import damage_perception

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ElementTree.parse(ROOT / 'package.xml').getroot()
# Module -> rosdep key and name on PyPI; None where there is none.
LIBRARIES = {
    'cv2': ('python3-opencv', 'opencv-python-headless'),
    'mcap': (None, 'mcap'),
    'numpy': ('python3-numpy', 'numpy'),
    'open3d': ('python3-open3d-pip', 'open3d-cpu'),
    'openvino': (None, 'openvino'),
    'rich': ('python3-rich', 'rich'),
    'rosbags': ('python3-rosbags-pip', 'rosbags'),
    'safetensors': (None, 'safetensors'),
    'scipy': ('python3-scipy', 'scipy'),
    'typer': ('python3-typer', 'typer'),
    'yaml': ('python3-yaml', 'PyYAML'),
}
ROS = re.compile(r'\w+_msgs|rclpy|launch|launch_ros|rcl_interfaces|builtin_interfaces')
# std_msgs and rclpy need the first two; the third is only for type checkers, the last is
# scikit-learn's.
COMES_WITH = {'builtin_interfaces', 'ament_index_python', 'typing_extensions', 'threadpoolctl'}
# Imported by single commands, which say what to install where it is missing.
OPTIONAL = {
    'cv_bridge', 'matplotlib', 'message_filters', 'onnxruntime', 'pandas', 'pyarrow',
    'pycocotools', 'sklearn', 'torch', 'torchvision',
}  # fmt: skip


def keys(*tags: str) -> set[str]:
    return {element.text or '' for tag in tags for element in MANIFEST.iter(tag)}


def imported() -> set[str]:
    """Top-level modules that the package and its launch files import."""
    found = set()
    for file in [*(ROOT / 'damage_perception').rglob('*.py'), *(ROOT / 'launch').glob('*.py')]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split('.')[0])
    return found - set(sys.stdlib_module_names) - {'damage_perception', '__future__'}


def pinned(name: str) -> set[str]:
    text = (ROOT / 'requirements' / f'{name}.txt').read_text()
    return set(re.findall(r'^([\w.-]+)', text, re.MULTILINE))


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / 'setup.cfg')
    return parser


def test_every_library_that_is_imported_is_declared():
    needed = setup_cfg()['options']['install_requires']
    for module in imported() - OPTIONAL - COMES_WITH:
        if ROS.fullmatch(module):
            assert module in keys('depend', 'exec_depend'), f'package.xml lacks {module}'
            continue
        key, name = LIBRARIES[module]
        assert key is None or key in keys('exec_depend'), f'package.xml lacks {key}'
        assert re.search(rf'^{name}>=', needed, re.MULTILINE), f'setup.cfg lacks {name}'
        assert name in pinned('runtime'), f'requirements/runtime.txt lacks {name}'


def test_every_requirement_is_pinned():
    for file in (ROOT / 'requirements').glob('*.txt'):
        for line in file.read_text().splitlines():
            assert line.startswith('#') or '==' in line, f'{file.name}: {line}'


def test_cmake_and_package_xml_agree():
    found = set(re.findall(r'find_package\((\w+) ', (ROOT / 'CMakeLists.txt').read_text()))
    assert found <= keys('buildtool_depend', 'depend')
    assert keys('depend') <= found


def test_messages_use_only_declared_packages():
    used = set()
    for file in (ROOT / 'msg').glob('*.msg'):
        used |= set(re.findall(r'^(\w+)/\w+', file.read_text(), re.MULTILINE))
    assert used - {'damage_perception'} == keys('depend')


def test_one_version_everywhere():
    version = MANIFEST.findtext('version')
    assert version == damage_perception.__version__
    assert f'## {version}' in (ROOT / 'CHANGELOG.md').read_text()


def test_the_licence_is_apache():
    assert MANIFEST.findtext('license') == 'Apache-2.0'
    assert setup_cfg()['metadata']['license'] == 'Apache-2.0'
    assert 'Version 2.0, January 2004' in (ROOT / 'LICENSE').read_text()


def test_executables_start_functions_that_exist():
    names = {file.name for file in (ROOT / 'scripts' / 'bin').iterdir()}
    cmake = (ROOT / 'CMakeLists.txt').read_text()
    for name in names:
        file = ROOT / 'scripts' / 'bin' / name
        assert file.stat().st_mode & 0o100, f'{name} is not executable'
        assert f'scripts/bin/{name}' in cmake
        module = re.search(r'from ([\w.]+) import main', file.read_text())[1]
        source = (ROOT / module.replace('.', '/')).with_suffix('.py').read_text()
        assert re.search(r'^def main\(', source, re.MULTILINE), f'{module} has no main'
