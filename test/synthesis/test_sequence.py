"""Recordings of a moving belt, and damage put into frames that were not rendered for it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from damage_perception.errors import CallError
from damage_perception.frame import CameraIntrinsics
from damage_perception.synthesis.moving import make_belt
from damage_perception.synthesis.onto import alter
from damage_perception.synthesis.real_items import find_real_items
from damage_perception.synthesis.sequence import (
    DEPTH_TOPIC,
    IDENTITY_TOPIC,
    RGB_TOPIC,
    write_sequence,
)
from damage_perception.synthesis.spec import SynthesisSpec

_TINY = CameraIntrinsics(160, 120, 115.0, 115.0, 79.5, 59.5)
_SPEC = SynthesisSpec(families=('shipping_carton',), damaged=1.0)


def test_a_recording_holds_every_topic_and_the_truth(tmp_path: Path) -> None:
    from damage_perception.recording.reader import Recording

    belt = make_belt(_SPEC, 3, 2, rate=5.0, camera=_TINY)
    pictures = len(list(write_sequence(belt, tmp_path / 'bag')))
    topics = Recording(tmp_path / 'bag').topics
    assert topics[RGB_TOPIC].count == topics[DEPTH_TOPIC].count == pictures
    assert topics['/clock'].count == pictures
    assert topics[IDENTITY_TOPIC].count == 2
    truth = json.loads((tmp_path / 'bag.truth.json').read_text())
    assert len(truth['items']) == 2
    assert all(item['damaged'] and item['size_m'] for item in truth['items'])
    assert len({item['sku'] for item in truth['items']}) == 2


def test_items_move_with_the_belt_and_noise_changes() -> None:
    belt = make_belt(_SPEC, 3, 1, rate=5.0, camera=_TINY)
    middle = int(belt.duration_s * belt.rate) // 2
    first, second = belt.shot(middle), belt.shot(middle + 1)
    places = [np.nonzero(shot.ids == 1)[1].mean() for shot in (first, second)]
    moved = belt.speed / belt.rate * _TINY.fx / 1.1
    assert places[1] - places[0] == pytest.approx(moved, abs=2.5)
    np.testing.assert_array_equal(belt.shot(middle).depth_m, first.depth_m)
    still = (first.ids == 0) & (second.ids == 0)
    assert (first.depth_m != second.depth_m)[still].mean() > 0.8


def _frames(folder: Path) -> None:
    belt = make_belt(SynthesisSpec(families=('shipping_carton',), damaged=0.0, oddities=0.0), 3, 1,
                     camera=CameraIntrinsics(640, 480, 460.0, 460.0, 319.5, 239.5))  # fmt: skip
    shot = belt.shot(int(belt.duration_s * belt.rate) // 2)
    depth = np.nan_to_num(1000 * shot.depth_m).astype(np.uint16)
    for name, image in (('rgb', shot.rgb[..., ::-1]), ('depth', depth)):
        (folder / name).mkdir()
        cv2.imwrite(str(folder / name / '0.png'), image)
    k = [[460.0, 0, 319.5], [0, 460.0, 239.5], [0, 0, 1]]
    (folder / 'camera.json').write_text(json.dumps({'width': 640, 'height': 480, 'K': k}))


def test_damage_onto_frames_keeps_the_rest_of_the_frame(tmp_path: Path) -> None:
    _frames(tmp_path)
    items = find_real_items(tmp_path)
    changed = 0
    for index in range(6):
        altered = alter(items, SynthesisSpec(damaged=1.0, damages=('hole', 'crush')), 1, index)
        outside = ~altered.item.mask
        np.testing.assert_array_equal(altered.depth_m[outside], altered.item.frame.depth_m[outside])
        for damage, mask in altered.damages:
            assert mask.any()
            assert not (mask & outside).any()
            before, after = altered.item.frame.depth_m[mask], altered.depth_m[mask]
            both = ~np.isnan(before) & ~np.isnan(after)
            if damage.depth_m > 0.01 and both.sum() > 30:
                changed += bool((after - before)[both].max() > 0.2 * damage.depth_m)
    assert changed >= 2


def test_a_folder_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallError, match=r'camera\.json'):
        find_real_items(tmp_path)
