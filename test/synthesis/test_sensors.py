"""Depth sensors: figures of known surfaces, and the engine beside real frames."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from damage_perception.synthesis.compare import (
    measure_frame,
    measure_sample,
    read_real,
    render_like_real,
    table,
)
from damage_perception.synthesis.depth_sensor import measure_depth
from damage_perception.synthesis.figures import measure_edge, measure_surface
from damage_perception.synthesis.noise import correlated_noise, stream
from damage_perception.synthesis.sensor_kinds import draw_sensor, sensor_profile

_SHARED = Path(os.environ.get('DAMAGE_PERCEPTION_SHARED_DATA', '../shared/data'))
_FRAMES = _SHARED / 'conveyor_parcels'
_REGIONS = Path(__file__).with_name('real_regions.json')


def _flat(shape: tuple[int, int], distance: float) -> tuple[np.ndarray, ...]:
    depth = np.full(shape, distance, np.float32)
    luma = np.full(shape, 0.4, np.float32)
    return depth, luma, np.zeros(shape, np.float32)


def test_correlated_noise_has_unit_deviation_and_the_stated_correlation() -> None:
    for sigma in (1.0, 4.0, 6.0):
        field = np.stack([correlated_noise(stream(k), (240, 240), sigma) for k in range(8)])
        assert field.std() == pytest.approx(1.0, abs=0.12)
        depth = (1.0 + 0.002 * field[0]).astype(np.float32)
        figures = measure_surface(depth, np.ones(depth.shape, bool))
        assert figures.correlation_px == pytest.approx(1.665 * sigma, rel=0.3)
        assert figures.residual_m == pytest.approx(0.002, rel=0.2)


def test_stereo_noise_grows_with_the_square_of_range() -> None:
    sensor = draw_sensor(stream(3), 640.0, kind='stereo')
    spread = []
    for distance in (0.6, 1.2):
        depth, luma, gloss = _flat((300, 300), distance)
        measured = measure_depth(sensor, depth, luma, gloss, stream(1), 1.0)
        spread.append(np.nanstd(measured))
        expected = float(sensor_profile(sensor).std_m(distance))
        assert spread[-1] == pytest.approx(1.2 * expected, rel=0.5)
    assert spread[1] / spread[0] == pytest.approx(4.0, rel=0.35)


def test_stereo_loses_background_beside_an_edge_and_not_far_from_it() -> None:
    sensor = draw_sensor(stream(5), 640.0, kind='stereo')
    depth, luma, gloss = _flat((200, 200), 1.2)
    depth[60:140, 60:140] = 1.0
    top = depth < 1.1
    measured = measure_depth(sensor, depth, luma, gloss, stream(2), 1.0)
    figures = measure_edge(measured, top)
    assert 2 < figures.halo_px < 30
    away = cv2.distanceTransform((~top).astype(np.uint8), cv2.DIST_L2, 5)
    assert np.isnan(measured[(away > 1) & (away < 4)]).mean() > 0.5
    near, far = measured[(away > 0) & (away < 10)], measured[away > 45]
    assert np.isnan(far).mean() < np.isnan(near).mean()


def test_time_of_flight_has_flying_pixels_and_rounds_corners() -> None:
    sensor = dataclasses.replace(draw_sensor(stream(5), 640.0, kind='tof'), slow=0.0)
    depth, luma, gloss = _flat((200, 200), 1.2)
    depth[60:140, 60:140] = 1.0
    measured = measure_depth(sensor, depth, luma, gloss, stream(2), 1.0)
    flying = (measured > 1.02) & (measured < 1.18)
    assert 200 < flying.sum() < 2500
    foot, open_floor = measured[70:130, 143:150], measured[10:30, 10:190]
    assert np.nanmean(foot) - np.nanmean(open_floor) > 0.0005


def test_structured_light_is_finer_than_stereo() -> None:
    depth, luma, gloss = _flat((200, 200), 0.8)
    spread = {}
    for kind in ('stereo', 'structured_light'):
        each = [np.nanstd(measure_depth(draw_sensor(stream(k), 640.0, kind=kind), depth, luma,
                                        gloss, stream(k, 1), 1.0)) for k in range(5)]  # fmt: skip
        spread[kind] = np.median(each)
    assert spread['structured_light'] < 0.4 * spread['stereo']


def test_half_of_the_noise_lasts_in_a_recording_and_none_elsewhere() -> None:
    sensor = dataclasses.replace(draw_sensor(stream(3), 640.0, kind='stereo'), slow=0.0)
    depth, luma, gloss = _flat((240, 240), 1.2)
    for lasting, expected in ((True, 0.5), (False, 0.0)):
        first, second = (
            measure_depth(sensor, depth, luma, gloss, stream(shot), 1.0,
                          stream(9) if lasting else None) - 1.2
            for shot in (1, 2)
        )  # fmt: skip
        known = ~np.isnan(first) & ~np.isnan(second)
        assert np.corrcoef(first[known], second[known])[0, 1] == pytest.approx(expected, abs=0.15)


def test_plain_dark_surfaces_drop_out_more_than_print() -> None:
    losses = {'plain': [], 'print': []}
    for k in range(6):
        sensor = draw_sensor(stream(k), 640.0, kind='stereo')
        depth, luma, gloss = _flat((200, 200), 1.2)
        dark = np.full_like(luma, 0.04)
        rich = np.clip(0.5 + 0.3 * stream(k, 2).standard_normal(luma.shape), 0, 1)
        for name, seen in (('plain', dark), ('print', rich.astype(np.float32))):
            measured = measure_depth(sensor, depth, seen, gloss, stream(k, 3), 1.0)
            losses[name].append(np.isnan(measured).mean())
    assert np.median(losses['plain']) > 2 * np.median(losses['print'])


def test_the_engine_covers_the_figures_of_real_frames() -> None:
    if not _FRAMES.is_dir():
        pytest.skip(f'real frames are not at {_FRAMES}; set DAMAGE_PERCEPTION_SHARED_DATA')
    regions = json.loads(_REGIONS.read_text())
    real = table([row for number, marks in regions.items()
                  for row in measure_frame(read_real(_FRAMES, number)[1], marks)])  # fmt: skip
    engine = table([measure_sample(render_like_real(0, index)) for index in range(24)])
    for name in ('top: residual mm', 'top: correlation px', 'belt: residual mm',
                 'belt: correlation px', 'edge: halo px', 'top: invalid %'):  # fmt: skip
        low, _, high = engine[name]
        assert low * 0.9 <= real[name][1] <= high * 1.1, (name, real[name], engine[name])


def test_a_slanted_surface_is_no_edge() -> None:
    row = np.linspace(0.5, 0.75, 240, dtype=np.float32)
    depth = np.ascontiguousarray(np.broadcast_to(row, (240, 240)))
    luma, gloss = np.full_like(depth, 0.4), np.zeros_like(depth)
    for seed in range(4):
        sensor = dataclasses.replace(draw_sensor(stream(seed), 900.0, kind='stereo'), dropout=0.0)
        measured = measure_depth(sensor, depth, luma, gloss, stream(seed, 1), 1.0)
        assert np.isnan(measured).mean() < 0.1
