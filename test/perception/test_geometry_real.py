"""Geometry on the faces of real sound parcels, as they are and with dents put into them.

Proves that noise, drop-outs and wrinkles of a real camera raise no alarm, and how deep a dent
must be; does not prove anything about real dents, of which there are no recordings.
"""

from __future__ import annotations

import dent_table
import numpy as np
import pytest
import real_faces
from real_dents import damaged_frame, random_dent
from real_faces import BOXES, FACES, build_view

from damage_perception.perception.geometry.geometry import find_damage
from damage_perception.report import DamageType

pytestmark = pytest.mark.skipif(
    not real_faces.available(),
    reason='the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA',
)

# AUROC and rate at 1 % false alarms, measured less a margin.
ONE_FRAME = {
    'dent 8 mm': (0.80, 0.10),
    'dent 12 mm': (0.93, 0.60),
    'dent 20 mm': (0.98, 0.90),
    'dent 30 mm': (0.98, 0.90),
    'hole 20 mm deep': (0.98, 0.95),
    'hole 20 mm lost': (0.95, 0.90),
}
TEN_FRAMES = {
    'dent 8 mm': (0.97, 0.90),
    'dent 12 mm': (0.98, 0.95),
    'dent 20 mm': (0.98, 0.95),
    'dent 30 mm': (0.98, 0.95),
    'hole 20 mm deep': (0.98, 0.95),
    'hole 20 mm lost': (0.95, 0.90),
}


@pytest.fixture(scope='module')
def table() -> dict[str, dict[str, dict[str, float]]]:
    """The table of two placements a face; `dent_table.py` prints that of four."""
    return dent_table.measure(placements=2, seed=1)


def test_no_real_sound_face_is_called_damaged() -> None:
    for face in FACES:
        evidence = find_damage(build_view(face))
        assert evidence.probability < 0.25, face
        assert evidence.blobs == [], face


@pytest.mark.parametrize(('frames', 'floors'), [('1 frame', ONE_FRAME), ('10 frames', TEN_FRAMES)])
def test_rates_keep_their_floors(
    table: dict[str, dict[str, dict[str, float]]],
    frames: str,
    floors: dict[str, tuple[float, float]],
) -> None:
    for name, (auroc, rate) in floors.items():
        cell = table[f'{frames}, geometry'][name]
        assert cell['auroc_boxes'] >= auroc - 0.03, name
        assert cell['auroc'] >= auroc, name
        assert cell['rate'] >= rate, name


def test_deeper_is_surer_and_ten_frames_see_more(
    table: dict[str, dict[str, dict[str, float]]],
) -> None:
    def rates(row: str) -> list[float]:
        return [table[row][f'dent {mm} mm']['auroc_boxes'] for mm in (8, 12, 20, 30)]

    one, ten = rates('1 frame, geometry'), rates('10 frames, geometry')
    assert one[0] < one[1] < one[2] <= one[3] + 0.01
    assert all(more >= less for less, more in zip(one, ten, strict=True))
    half = rates('10 frames, half stays, geometry')
    assert half[0] > one[0] + 0.03


def test_every_dent_is_seen_better_than_by_a_plane_fit(
    table: dict[str, dict[str, dict[str, float]]],
) -> None:
    for frames in dent_table.CASES:
        for name, cell in table[f'{frames}, geometry'].items():
            plain = table[f'{frames}, plane fit'][name]
            assert cell['auroc_boxes'] > plain['auroc_boxes'], (frames, name)


@pytest.mark.parametrize('kind', ['deep', 'lost'])
def test_a_hole_in_the_camera_frame_is_found(kind: str) -> None:
    sound = build_view(BOXES[3])
    hole = random_dent(sound, np.random.default_rng(4), 0.06, kind)
    rgb, depth_m = damaged_frame(BOXES[3], hole)
    evidence = find_damage(build_view(BOXES[3], rgb, depth_m))
    assert evidence.blobs[0].damage_type is DamageType.HOLE


def test_a_dent_in_the_camera_frame_equals_one_in_the_view() -> None:
    face = BOXES[1]
    sound = build_view(face)
    dent = random_dent(sound, np.random.default_rng(3), 0.03)
    rgb, depth_m = damaged_frame(face, dent)
    evidence = find_damage(build_view(face, rgb, depth_m))
    assert evidence.probability > 0.9
    assert evidence.blobs[0].depth_m == pytest.approx(0.03, abs=0.008)
