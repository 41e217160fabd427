"""Install the part that needs no ROS; colcon builds the whole package from CMakeLists.txt."""

from pathlib import Path

from setuptools import setup

SHARE = 'share/damage_perception'
FOLDERS = ('msg', 'srv', 'config', 'config/presets', 'launch')

setup(
    data_files=[
        (f'{SHARE}/{folder}', sorted(str(file) for file in Path(folder).glob('*.*')))
        for folder in FOLDERS
        if Path(folder).is_dir()
    ],
)
