"""`predict`: pictures from files, and what is said of those that cannot be used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from damage_perception.cli.main import build_app
from damage_perception.cli.pictures import load_camera, load_depth, load_frame
from damage_perception.errors import CallError, UserError


def files(folder: Path) -> tuple[Path, Path, Path]:
    """Write a colour image, a depth image and a camera."""
    rgb, depth, camera = folder / 'rgb.png', folder / 'depth.png', folder / 'camera.json'
    cv2.imwrite(str(rgb), np.full((12, 16, 3), (10, 20, 30), np.uint8))
    cv2.imwrite(str(depth), np.arange(12 * 16, dtype=np.uint16).reshape(12, 16) * 10)
    camera.write_text(json.dumps({'K': [20, 0, 8, 0, 21, 6, 0, 0, 1]}))
    return rgb, depth, camera


def test_a_frame_from_files(tmp_path: Path) -> None:
    frame = load_frame(*files(tmp_path))
    assert frame.rgb[0, 0].tolist() == [30, 20, 10]
    assert frame.depth_m is not None
    assert frame.camera is not None
    assert np.isnan(frame.depth_m[0, 0])
    assert frame.depth_m[0, 1] == pytest.approx(0.01)
    assert (frame.camera.fx, frame.camera.fy, frame.camera.cx) == (20.0, 21.0, 8.0)


def test_plain_intrinsics(tmp_path: Path) -> None:
    path = tmp_path / 'c.json'
    path.write_text('{"fx": 1.5, "fy": 2, "cx": 3, "cy": 4}')
    camera = load_camera(path, 10, 8)
    assert (camera.width, camera.height, camera.fx, camera.cy) == (10, 8, 1.5, 4.0)


def test_colour_alone_is_unknown_for_want_of_depth(tmp_path: Path) -> None:
    rgb, _, _ = files(tmp_path)
    result = CliRunner().invoke(build_app(), ['predict', '--rgb', str(rgb), '--json'])
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report['health'] == 0
    assert 'no depth' in report['reason']


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    rgb, depth, camera = files(tmp_path)
    call = ['predict', '--rgb', rgb, '--depth', depth, '--camera', camera, '--picture',
            tmp_path / 'out.png']  # fmt: skip
    result = CliRunner().invoke(build_app(), [str(word) for word in call])
    assert result.exit_code == 0, result.output
    assert cv2.imread(str(tmp_path / 'out.png')) is not None


@pytest.mark.parametrize('spoil', ['cut', 'flip', 'text', 'empty'])
def test_damaged_depth_is_refused_or_right(tmp_path: Path, spoil: str) -> None:
    _, depth, _ = files(tmp_path)
    data = bytearray(depth.read_bytes())
    truth = load_depth(depth)
    if spoil == 'flip':
        for offset in range(8, len(data)):
            spoilt = bytearray(data)
            spoilt[offset] ^= 4
            depth.write_bytes(spoilt)
            try:
                assert np.array_equal(load_depth(depth), truth, equal_nan=True)
            except (UserError, CallError):
                continue
        return
    depth.write_bytes({'cut': data[:60], 'text': b'hello', 'empty': b''}[spoil])
    with pytest.raises(UserError, match=r'depth\.png is not an image that can be read'):
        load_depth(depth)


def test_what_does_not_fit_is_a_wrong_call(tmp_path: Path) -> None:
    rgb, depth, camera = files(tmp_path)
    with pytest.raises(CallError, match='one uint16 channel'):
        load_depth(rgb)
    cv2.imwrite(str(depth), np.ones((6, 8), np.uint16))
    with pytest.raises(CallError, match='depth must be'):
        load_frame(rgb, depth, camera)
    with pytest.raises(CallError, match='No such file'):
        load_frame(tmp_path / 'absent.png')
    for text in ('{}', '[]', 'fx', '{"K": [1, 2]}', '{"fx": null}', '{"K": [0,0,0,0,0,0,0,0,1]}'):
        camera.write_text(text)
        with pytest.raises(CallError):
            load_frame(rgb, None, camera)
    shutil.rmtree(tmp_path)
