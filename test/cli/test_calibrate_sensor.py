"""`damage-perception calibrate-sensor` on a real recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import real_faces
from typer.testing import CliRunner

from damage_perception.cli.main import build_app
from damage_perception.errors import UserError
from damage_perception.perception.sensor.sensor import load_profile

needs_frames = pytest.mark.skipif(
    not real_faces.available(),
    reason='the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA',
)


@needs_frames
def test_a_recording_gives_a_profile_and_what_it_can_see(tmp_path: Path) -> None:
    out = tmp_path / 'sensor.yaml'
    bag = real_faces.DATA / 'conveyor_parcels_bag'
    ran = CliRunner().invoke(
        build_app(), ['calibrate-sensor', str(bag), '--out', str(out), '--json']
    )
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert load_profile(out).growth_per_m == pytest.approx(found['profile']['growth_per_m'])
    assert 0.0033 < found['rms_m'] < 0.0047
    assert found['frames'] == 15
    dents = [row['least_dent_1_m'] for row in found['least_visible']]
    assert dents == sorted(dents)
    assert all(row['least_dent_10_m'] < row['least_dent_1_m'] for row in found['least_visible'])


def test_a_missing_recording_is_said(tmp_path: Path) -> None:
    ran = CliRunner().invoke(build_app(), ['calibrate-sensor', str(tmp_path / 'none')])
    assert ran.exit_code != 0
    assert isinstance(ran.exception, UserError)
    assert 'none' in str(ran.exception)
