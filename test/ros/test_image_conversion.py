"""Every encoding, step and byte order becomes the same array; what is broken is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from damage_perception.frame import FrameError
from damage_perception.ros.image_conversion import (
    camera_intrinsics,
    fill_image,
    image_to_depth,
    image_to_rgb,
    is_distorted,
)

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def image(pixels: np.ndarray, encoding: str, pad: int = 0, **changes: Any) -> SimpleNamespace:
    """Make an image message with `pad` bytes after each row."""
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], -1)
    padded = np.pad(rows, ((0, 0), (0, pad)))
    fields = {
        'height': pixels.shape[0],
        'width': pixels.shape[1],
        'step': padded.shape[1],
        'data': padded.tobytes(),
        'is_bigendian': 0,
    }
    return SimpleNamespace(encoding=encoding, **{**fields, **changes})


@pytest.mark.parametrize('pad', [0, 1, 13])
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('rgb8', [0, 1, 2]), ('bgr8', [2, 1, 0]), ('rgba8', [0, 1, 2, 0]), ('bgra8', [2, 1, 0, 0])],
)
def test_colour_becomes_red_first(encoding: str, order: list[int], pad: int) -> None:
    rgb = image_to_rgb(image(RGB[..., order], encoding, pad))
    np.testing.assert_array_equal(rgb, RGB)


def test_mono_becomes_three_equal_channels() -> None:
    rgb = image_to_rgb(image(RGB[..., :1], 'mono8'))
    np.testing.assert_array_equal(rgb, np.repeat(RGB[..., :1], 3, axis=2))


def test_pixels_are_shared_and_read_only() -> None:
    message = image(RGB, 'bgr8')
    rgb = image_to_rgb(message)
    assert np.shares_memory(rgb, np.frombuffer(message.data, np.uint8))
    assert not rgb.flags.writeable


@pytest.mark.parametrize('pad', [0, 6])
@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
def test_depth_becomes_metres(encoding: str, order: str, pad: int) -> None:
    if encoding == '16UC1':
        raw = np.array([[0, 1, 65535], [1000, 1234, 0]], order + 'u2')
    else:
        raw = np.array([[np.nan, 0.001, 65.535], [1.0, 1.234, -np.inf]], order + 'f4')
    metres = image_to_depth(image(raw, encoding, pad, is_bigendian=int(order == '>')))
    expected = [[np.nan, 0.001, 65.535], [1.0, 1.234, np.nan]]
    assert metres.dtype == np.float32
    np.testing.assert_allclose(metres, expected, rtol=1e-6)


@pytest.mark.parametrize('value', [np.inf, 0.0, -1.0])
def test_what_cannot_be_a_distance_is_invalid(value: float) -> None:
    assert np.isnan(image_to_depth(image(np.full((2, 2), value, np.float32), '32FC1'))).all()


@pytest.mark.parametrize(
    ('changes', 'sentence'),
    [
        ({'step': 20}, 'step must be at least 21 bytes'),
        ({'step': 22}, 'image data must be 110 bytes'),
        ({'data': b'123'}, 'image data must be 105 bytes.*got 3'),
        ({'data': b''}, 'got 0'),
        ({'width': 0}, 'image size must be'),
        ({'height': 4_000_000_000}, 'image size must be'),
        ({'encoding': '16UC1'}, 'swap the topics'),
        ({'encoding': ''}, 'cv_bridge'),
    ],
)
def test_broken_colour_is_refused(changes: dict[str, Any], sentence: str) -> None:
    message = image(RGB, 'rgb8')
    message.__dict__.update(changes)
    with pytest.raises(FrameError, match=sentence):
        image_to_rgb(message)


@pytest.mark.parametrize('encoding', ['mono16', 'rgb8', '64FC1'])
def test_depth_without_a_defined_unit_is_refused_by_name(encoding: str) -> None:
    with pytest.raises(FrameError, match=f"'{encoding}' has no defined unit.*16UC1"):
        image_to_depth(image(np.ones((2, 2), np.uint16), encoding))


@pytest.mark.parametrize(
    ('pixels', 'encoding'),
    [(RGB, 'rgb8'), (RGB[..., ::-1], 'rgb8'), (np.float32([[0.5, np.nan]]), '32FC1')],
)
def test_filled_messages_read_back(pixels: np.ndarray, encoding: str) -> None:
    message = fill_image(SimpleNamespace(), pixels, encoding)
    read = image_to_rgb(message) if encoding == 'rgb8' else image_to_depth(message)
    np.testing.assert_array_equal(read, pixels)


def info(k: list[float], p: list[float], **changes: Any) -> SimpleNamespace:
    """Make a calibration message of a 640x480 camera."""
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    fields = {'width': 640, 'height': 480, 'binning_x': 0, 'binning_y': 0, 'roi': roi, 'd': []}
    return SimpleNamespace(k=k, p=p, **{**fields, **changes})


K = [500.0, 0.0, 320.0, 0.0, 501.0, 240.0, 0.0, 0.0, 1.0]
P = [400.0, 0.0, 300.0, 0.0, 0.0, 401.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def test_projection_goes_before_matrix_and_matrix_stands_in() -> None:
    camera = camera_intrinsics(info(K, P))
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (400.0, 401.0, 300.0, 200.0)
    camera = camera_intrinsics(info(K, [0.0] * 12))
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500.0, 501.0, 320.0, 240.0)


def test_binning_and_region_are_applied() -> None:
    roi = SimpleNamespace(x_offset=100, y_offset=40, width=400, height=200)
    camera = camera_intrinsics(info(K, P, roi=roi, binning_x=2, binning_y=2))
    assert (camera.width, camera.height, camera.fx, camera.cx) == (200, 100, 200.0, 100.0)


def test_zero_calibration_is_refused() -> None:
    with pytest.raises(FrameError, match='not calibrated'):
        camera_intrinsics(info([0.0] * 9, [0.0] * 12))


def test_distortion_is_noticed() -> None:
    assert not is_distorted(info(K, P, d=[0.0] * 5))
    distorted = [0.1, 0.0]
    assert is_distorted(info(K, [0.0] * 12, d=distorted))
    same = [500.0, 0.0, 320.0, 0.0, 0.0, 501.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    assert is_distorted(info(K, same, d=distorted))


def test_what_was_rectified_may_still_tell_of_its_lens() -> None:
    assert not is_distorted(info(K, P, d=[0.1, 0.0]))
