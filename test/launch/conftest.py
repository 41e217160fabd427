"""Where the shared test data lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shared_recording() -> str:
    """Give a real recording of parcels on a belt."""
    default = ROOT.parent / 'shared' / 'data'
    data = Path(os.environ.get('DAMAGE_PERCEPTION_SHARED_DATA', default))
    recording = data / 'conveyor_parcels' / 'conveyor_parcels_bag'
    if not recording.is_dir():
        pytest.skip(f'{recording} is not there; DAMAGE_PERCEPTION_SHARED_DATA names its place')
    return str(recording)
