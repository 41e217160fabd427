"""`predict`: pictures from files, and what is said of those that cannot be used."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result
from made_frames import box, frame_of
from typer.testing import CliRunner

from damage_perception.cli.main import build_app
from damage_perception.cli.pictures import load_camera, load_depth, load_frame
from damage_perception.errors import CallError, UserError
from damage_perception.network.network_settings import SHIPPED
from damage_perception.recording.box import CAMERA
from damage_perception.report import Health, Status


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


def test_a_camera_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / 'c.json'
    path.write_text('{"K": [20, 0, 8, 0, 21, 6, 0, 0, 1], "fx": -600}')
    with pytest.raises(CallError, match='leave out one of the two'):
        load_camera(path, 16, 12)


def test_lens_distortion_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for distortion, told in (([0.3, -0.1, 0, 0, 0], 1), ([0.0] * 5, 0)):
        path = tmp_path / f'c{told}.json'
        matrix = [20, 0, 8, 0, 21, 6, 0, 0, 1]
        path.write_text(json.dumps({'K': matrix, 'D': distortion}))
        load_camera(path, 16, 12)  # said once a file
        load_camera(path, 16, 12)
        assert capsys.readouterr().err.count('rectify first') == told


def test_the_projection_tells_the_camera_of_a_rectified_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'c.json'
    info = {'k': [20, 0, 8, 0, 21, 6, 0, 0, 1], 'd': [0.3], 'p': [18, 0, 7, 0, 0, 19, 5] + [0] * 5}
    path.write_text(json.dumps(info))
    camera = load_camera(path, 16, 12)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (18.0, 19.0, 7.0, 5.0)
    assert capsys.readouterr().err == ''
    path.write_text(json.dumps(info | {'p': [0] * 12}))
    assert load_camera(path, 16, 12).fx == 20.0
    assert 'rectify first' in capsys.readouterr().err


def predict(*words: object) -> Result:
    return CliRunner().invoke(build_app(), ['predict', *map(str, words)])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), np.full((80, 100, 3), (40, 90, 140), np.uint8))
    return path


def test_colour_alone_is_judged_and_said_to_be_so(photo: Path) -> None:
    result = predict('--rgb', photo, '--json')
    report = json.loads(result.stdout)
    assert report['health'] == Health.DEGRADED
    assert 'colour alone' in report['reason']
    assert len(report['items']) == 1
    assert report['threshold'] == 0.0
    words = ' '.join(predict('--rgb', photo).stdout.split())
    assert 'nothing counts as damaged' in words
    assert 'not calibrated' in words


def test_a_photograph_is_not_judged_by_weights_of_another_calibration(
    photo: Path, tmp_path: Path
) -> None:
    other = tmp_path / 'weights'
    shutil.copytree(SHIPPED, other)
    (manifest,) = other.glob('*.json')
    manifest.write_text(manifest.read_text() + ' ')
    params = tmp_path / 'other.yaml'
    params.write_text(f'/**: {{ros__parameters: {{network: {{weights: {other}}}}}}}')
    result = predict('--rgb', photo, '--params', params)
    assert isinstance(result.exception, UserError)
    assert 'was made for weights' in str(result.exception)


def test_colour_alone_tells_geometry_nothing(photo: Path, tmp_path: Path) -> None:
    result = predict('--rgb', photo, '--params', geometry_alone(tmp_path), '--json')
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report['health'] == Health.UNKNOWN
    assert 'network.weights' in report['reason']


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    rgb, depth, camera = files(tmp_path)
    call = ['predict', '--rgb', rgb, '--depth', depth, '--camera', camera, '--picture',
            tmp_path / 'new' / 'out.png']  # fmt: skip
    result = CliRunner().invoke(build_app(), [str(word) for word in call])
    assert result.exit_code == 0, result.output
    assert cv2.imread(str(tmp_path / 'new' / 'out.png')) is not None


@pytest.mark.parametrize(
    ('name', 'words'),
    [('seen.jpg', 'must end in .png'), ('photo.png/seen.png', 'give another place')],
)
def test_a_picture_that_cannot_be_written_is_refused_before_all(
    photo: Path, tmp_path: Path, name: str, words: str
) -> None:
    broken = tmp_path / 'broken.png'
    broken.write_bytes(b'hello')  # what a later step would complain of
    result = predict('--rgb', broken, '--picture', tmp_path / name)
    assert isinstance(result.exception, (UserError, CallError))
    assert words in str(result.exception)
    result = predict('--rgb', broken, '--picture', tmp_path / 'seen.png')
    assert 'copy it again' in str(result.exception)
    assert not (tmp_path / 'seen.png').exists()


def test_depth_and_camera_belong_together(tmp_path: Path) -> None:
    rgb, depth, camera = files(tmp_path)
    for half in (('--depth', depth), ('--camera', camera)):
        result = predict('--rgb', rgb, *half)
        assert isinstance(result.exception, CallError)
        assert 'give both' in str(result.exception)


def test_depth_in_another_unit_shows_in_the_reason(tmp_path: Path) -> None:
    rgb, depth, camera = files(tmp_path)
    millimetres = np.random.default_rng(0).integers(8000, 17_000, (12, 16), np.uint16)
    cv2.imwrite(str(depth), millimetres)
    report = json.loads(
        predict('--rgb', rgb, '--depth', depth, '--camera', camera, '--json').stdout
    )
    assert report['health'] == Health.UNKNOWN
    assert f'median depth {np.median(millimetres) / 1000:.3g} m' in report['reason']


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


def test_a_picture_that_claims_to_be_larger_than_any_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'bomb.png'
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    data = path.read_bytes()
    head = b'IHDR' + struct.pack('>II', 50_000, 50_000) + data[24:29]
    path.write_bytes(data[:12] + head + struct.pack('>I', zlib.crc32(head)) + data[33:])
    with pytest.raises(UserError, match='save it as PNG or JPEG'):
        load_frame(path)


def test_what_does_not_fit_is_a_wrong_call(tmp_path: Path) -> None:
    rgb, depth, camera = files(tmp_path)
    with pytest.raises(CallError, match='one uint16 channel'):
        load_depth(rgb)
    cv2.imwrite(str(depth), np.ones((6, 8), np.uint16))
    with pytest.raises(CallError, match='depth must be'):
        load_frame(rgb, depth, camera)
    with pytest.raises(CallError, match='No such file'):
        load_frame(tmp_path / 'absent.png')
    good = '"fx": 20, "fy": 20, "cx": 8, "cy": 6'
    for text in ('{}', '[]', 'fx', '{"K": [1, 2]}', '{"fx": null}', '{"K": [0,0,0,0,0,0,0,0,1]}',
                 f'{{{good}, "width": Infinity}}', f'{{{good}, "D": "none"}}'):  # fmt: skip
        camera.write_text(text)
        with pytest.raises(CallError):
            load_frame(rgb, None, camera)
    shutil.rmtree(tmp_path)


EMBOSSED = {'print_of': 'p', 'dent_m': 0.02}  # a product with a hollow by design


def geometry_alone(folder: Path) -> Path:
    path = folder / 'params.yaml'
    path.write_text("/**: {ros__parameters: {network: {weights: 'none'}}}")
    return path


def picture(path: Path, time_s: float = 0.0, **changes: object) -> list[Path]:
    """Write a picture of a box with its depth; give the files."""
    frame = frame_of(box(**changes), time_s=time_s, seed=round(10 * time_s))
    depth = path.with_name(f'{path.stem}_depth.png')
    cv2.imwrite(str(path), frame.rgb[..., ::-1])
    cv2.imwrite(str(depth), np.nan_to_num(1000 * frame.depth_m).round().astype(np.uint16))
    return [path, depth]


@pytest.fixture
def call(tmp_path: Path) -> list[object]:
    """Give a call for a picture of the product and an empty folder for its references."""
    (tmp_path / 'refs').mkdir()
    rgb, depth = picture(tmp_path / 'item.png', **EMBOSSED)
    camera = tmp_path / 'camera.json'
    camera.write_text(
        json.dumps({name: getattr(CAMERA, name) for name in ('fx', 'fy', 'cx', 'cy')})
    )
    return ['--rgb', rgb, '--depth', depth, '--camera', camera, '--params',
            geometry_alone(tmp_path), '--json']  # fmt: skip


def test_what_the_references_have_too_is_no_damage(tmp_path: Path, call: list[object]) -> None:
    folder = tmp_path / 'refs'
    picture(folder / '0.png', time_s=0.3, **EMBOSSED)
    picture(folder / 'lonely.png')[1].unlink()
    (folder / 'broken.png').write_bytes(b'hello')
    (alone,) = json.loads(predict(*call).stdout)['items']
    result = predict(*call, '--references', folder)
    (compared,) = json.loads(result.stdout)['items']
    assert alone['status'] & Status.NO_REFERENCE
    assert not compared['status'] & Status.NO_REFERENCE
    assert alone['confidence'] > 5 * compared['confidence']
    sentences = result.stderr.splitlines()
    assert [line.split(' is left out')[0][-10:] for line in sentences] == [
        'broken.png',
        'lonely.png',
    ]
    assert 'lonely_depth.png cannot be read' in sentences[1]


def test_a_reference_may_have_a_camera_of_its_own(tmp_path: Path, call: list[object]) -> None:
    folder = tmp_path / 'refs'
    for path in picture(folder / '0.png', time_s=0.3, **EMBOSSED):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), image[::2, ::2])
    result = predict(*call, '--references', folder)
    assert 'put its camera beside it as 0_camera.json' in result.stderr
    assert isinstance(result.exception, UserError)  # none is left
    half = {name: getattr(CAMERA, name) / 2 for name in ('fx', 'fy', 'cx', 'cy')}
    (folder / '0_camera.json').write_text(json.dumps(half))
    (item,) = json.loads(predict(*call, '--references', folder).stdout)['items']
    assert not item['status'] & Status.NO_REFERENCE


def test_references_that_cannot_serve_are_said_to_be_so(tmp_path: Path, call: list[object]) -> None:
    result = predict(*call, '--references', tmp_path / 'refs')
    assert 'no reference that can be used' in str(result.exception)
    result = predict(*call, '--references', tmp_path / 'absent')
    assert isinstance(result.exception, CallError)
    assert 'is not a folder' in str(result.exception)
    result = predict('--rgb', call[1], '--references', tmp_path / 'refs')
    assert 'give --depth, --camera' in str(result.exception)
