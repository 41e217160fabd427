"""Scenario recordings: reproducible, and what their windows promise is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from damage_perception.frame import RgbdFrame
from damage_perception.recording.box import BELT_M, CAMERA, Box
from damage_perception.recording.frames import FrameReader, TimeJump
from damage_perception.recording.reader import Recording
from damage_perception.recording.scenarios import SCENARIOS, write_scenario
from damage_perception.recording.scene import Scene
from damage_perception.recording.sensor_noise import RMS_AT_1_M, observe
from damage_perception.recording.topics import find_topics


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('scenarios')


def entries_of(folder: Path, name: str) -> list[Any]:
    """Write a scenario unless it is there, and read its frames."""
    if not (folder / name).exists():
        write_scenario(name, folder / name)
    recording = Recording(folder / name)
    reader = FrameReader(recording, find_topics(recording))
    entries = list(reader)
    assert (recording.loss, reader.unreadable, reader.late) == ('', 0, 0)
    return entries


def kinds(entries: list[Any]) -> str:
    """Give a letter an entry: frame, jump, or what cannot be judged."""

    def letter(entry: Any) -> str:
        if isinstance(entry, TimeJump):
            return '|'
        return 'f' if isinstance(entry, RgbdFrame) and entry.camera else 'u'

    return ''.join(map(letter, entries))


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('depth_drops_out', 'f' * 15 + 'u' * 20 + 'f' * 35),
        ('info_missing', 'u' * 10 + 'f' * 30),
        ('stamps_jump_back', 'f' * 35 + '|' + 'f' * 35),
        ('out_of_order', 'f' * 40),
    ],
)
def test_faults_lie_in_their_windows(folder: Path, name: str, expected: str) -> None:
    assert kinds(entries_of(folder, name)) == expected


def test_same_seed_same_bytes(folder: Path) -> None:
    entries_of(folder, 'info_missing')
    for seed in (0, 1):
        write_scenario('info_missing', folder / f'again{seed}', seed)
    first = (folder / 'info_missing' / 'info_missing.mcap').read_bytes()
    assert (folder / 'again0' / 'again0.mcap').read_bytes() == first
    assert (folder / 'again1' / 'again1.mcap').read_bytes() != first


def test_truth_names_every_box(folder: Path) -> None:
    entries_of(folder, 'info_missing')
    truth = json.loads((folder / 'info_missing.truth.json').read_text())
    assert [item['name'] for item in truth['items']] == ['sound']
    start, end = truth['items'][0]['in_view_s']
    assert 0.0 < start < end - 1.0


def test_the_sample_shows_each_kind_of_item() -> None:
    boxes = {box.name: box for box in SCENARIOS['sample'].boxes}
    assert [name for name, box in boxes.items() if box.dent_m] == ['dented']
    assert [name for name, box in boxes.items() if box.cracked_print] == ['printed']
    assert len(boxes) == 5


def test_a_dent_is_as_deep_as_it_says_and_a_print_is_flat() -> None:
    size = (0.24, 0.18, 0.12)
    for box, depth_m in (
        (Box('d', size, 0.0, dent_m=0.025), 0.025),
        (Box('p', size, 0.0, cracked_print=True), 0.0),
    ):
        middle_s = sum(box.in_view_s(0.4)) / 2
        rgb, depth = Scene((box,), 0.4, 0).render(middle_s)
        top = depth < BELT_M - size[2] / 2
        lowest = depth[top & (depth < BELT_M - 0.05)].max() - depth.min()
        assert depth.min() == pytest.approx(BELT_M - size[2], abs=1e-6)
        if depth_m:
            assert lowest == pytest.approx(depth_m, abs=0.001)
        assert rgb.shape == (CAMERA.height, CAMERA.width, 3)


def test_depth_noise_is_correlated_and_grows_with_range() -> None:
    rng = np.random.default_rng(0)
    near, far = (np.full((240, 320), range_m, np.float32) for range_m in (1.0, 2.0))
    for flat, rms in ((near, RMS_AT_1_M), (far, 4 * RMS_AT_1_M)):
        seen = observe(flat, rng) / 1000.0
        error = np.where(seen > 0, seen - flat, 0.0)
        assert np.std(error) == pytest.approx(rms, rel=0.15)
        shifted = np.mean(error[:, 10:] * error[:, :-10]) / np.mean(error**2)
        assert 0.35 < shifted < 0.6  # half of it is shared by pixels 10 apart
