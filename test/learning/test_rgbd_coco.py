"""The rgbd-coco reader: what it gives, and that broken sets are refused by name."""

import contextlib
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_data import SIZE, write_png, write_rgbd_coco
from pycocotools import mask as coco

from damage_perception.errors import CallError, UserError
from damage_perception.learning.readers import open_dataset
from damage_perception.learning.readers.regions import CocoRegion
from damage_perception.learning.readers.rgbd_coco import read
from damage_perception.report import DamageType, Severity


def test_a_sample_holds_everything_the_file_says(tmp_path):
    write_png(tmp_path / 'references/sku1/0.png', np.zeros((4, 4, 3), np.uint8))
    write_png(tmp_path / 'references/sku1/0_depth.png', np.zeros((4, 4), np.uint16))
    write_png(tmp_path / 'references/sku1/1.png', np.zeros((4, 4, 3), np.uint8))
    write_rgbd_coco(tmp_path, [True, False])
    bad, good = open_dataset(f'rgbd-coco:{tmp_path}')
    assert (bad.damaged, good.damaged) == (True, False)
    assert bad.severity == Severity.MAJOR
    assert bad.damages[0].damage_type == DamageType.CRUSH
    assert bad.damages[0].depth_m == pytest.approx(0.014)
    (item,) = bad.items
    assert item.read().sum() == pytest.approx(30 * 40, rel=0.05)
    assert [r.depth is not None for r in bad.references] == [True, False]
    assert good.references == ()
    frame = bad.frame()
    assert frame.depth_m[0, 1] == pytest.approx(1.2)
    assert math.isnan(frame.depth_m[0, 0])
    assert np.unique(bad.label_mask()).tolist() == [0, 1]
    assert not good.label_mask().any()


def test_a_split_can_be_chosen(tmp_path):
    write_rgbd_coco(tmp_path, [True, False, False])
    assert [s.image_id for s in open_dataset(f'rgbd-coco:{tmp_path}', 'val')] == [2]
    with pytest.raises(CallError, match='no split train; it has: test, val'):
        open_dataset(f'rgbd-coco:{tmp_path}', 'train')


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'image': {'file_name': '../../etc/passwd'}}, 'must be a path inside'),
        ({'image': {'file_name': '/etc/passwd'}}, 'must be a path inside'),
        ({'image': {'file_name': None}}, 'file name must be text'),
        ({'image': {'sku': '../..'}}, 'must be a path inside'),
        ({'image': {'id': None}}, 'id must be'),
        ({'image': {'id': 1}}, 'two images have the same id|not listed'),
        ({'image': {'width': -3}}, 'cannot be -3x40'),
        ({'image': {'width': 'wide'}}, 'width must be int'),
        ({'image': {'camera': {'fx': 0, 'fy': 1, 'cx': 1, 'cy': 1}}}, 'camera must hold'),
        ({'image': {'camera': [1]}}, 'camera must hold'),
        ({'image': {'camera': dict.fromkeys(('fx', 'fy', 'cx', 'cy'), 10**400)}}, 'camera must'),
        ({'image': {'tags': 'lookalike:crack'}}, 'tags must be list'),
        ({'damage': {'depth_mm': 10**400}}, 'depth_mm must be a number'),
        ({'damage': {'depth_mm': math.nan}}, 'depth_mm must be a number'),
        ({'damage': {'category_id': 42}}, 'category_id must be 1 to 7 or 100'),
        ({'damage': {'severity': 'huge'}}, 'severity must be minor, major or null'),
        ({'damage': {'depth_mm': 'deep'}}, 'depth_mm must be a number'),
        ({'damage': {'image_id': 99}}, 'image 99, which is not listed'),
    ],
)
def test_entries_that_make_no_sense_are_refused(tmp_path, change, said):
    path = write_rgbd_coco(tmp_path, [True, True], **change)
    with pytest.raises(UserError, match=said) as refused:
        read(tmp_path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize('text', ['', '{"images": [', '[]', 'null', '[' * 100_000, '\udcff'])
def test_a_file_that_is_not_the_format_is_refused(tmp_path, text):
    (tmp_path / 'dataset.json').write_text(text, errors='surrogateescape')
    with pytest.raises(UserError, match=r'dataset\.json'):
        read(tmp_path)


@pytest.mark.parametrize('name', ['rgb/000001.png', 'depth/000001.png'])
@pytest.mark.parametrize('share', [0.0, 0.5, 0.95])
def test_a_truncated_image_is_refused_by_name(tmp_path, name, share):
    write_rgbd_coco(tmp_path, [True])
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(UserError, match=name):
        read(tmp_path)[0].frame()


def test_depth_of_the_wrong_kind_or_size_is_refused(tmp_path):
    write_rgbd_coco(tmp_path, [True])
    write_png(tmp_path / 'depth/000001.png', np.zeros(SIZE, np.uint8))
    with pytest.raises(UserError, match='16-bit PNG in millimetres'):
        read(tmp_path)[0].frame()
    write_png(tmp_path / 'depth/000001.png', np.ones((3, 3), np.uint16))
    with pytest.raises(UserError, match='depth must be'):
        read(tmp_path)[0].frame()


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30))
def test_runs_decode_as_the_coco_library_writes_them(seed, height, width):
    rng = np.random.default_rng(seed)
    mask = np.asfortranarray((rng.random((height, width)) < rng.random()).astype(np.uint8))
    packed = coco.encode(mask)
    packed['counts'] = packed['counts'].decode()
    np.testing.assert_array_equal(CocoRegion(packed, height, width, 'x').read(), mask > 0)
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, flat.size]).tolist()
    plain = {'size': [height, width], 'counts': ([0] if flat[0] else []) + counts}
    np.testing.assert_array_equal(CocoRegion(plain, height, width, 'x').read(), mask > 0)


@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(st.integers(-9, 99), max_size=9),
        st.lists(st.lists(st.floats() | st.integers(), max_size=8), max_size=3),
        st.fixed_dictionaries(
            {
                'size': st.sampled_from([[9, 9], [9], None]),
                'counts': st.one_of(
                    st.text(max_size=20), st.lists(st.integers(-99, 2**70), max_size=9), st.none()
                ),
            }
        ),
        st.none(),
    )
)
def test_hostile_segmentations_are_decoded_or_refused(segmentation):
    region = CocoRegion(segmentation, 9, 9, 'made.json')
    with contextlib.suppress(UserError):
        assert region.read().shape == (9, 9)


def test_one_unknown_format_is_a_wrong_call(tmp_path):
    with pytest.raises(CallError, match=r'rgbd-coco \| kaputt'):
        open_dataset(f'cocoa:{tmp_path}')
    with pytest.raises(CallError, match='is not a folder'):
        open_dataset('rgbd-coco:/nowhere')
    (tmp_path / 'dataset.json').write_text(json.dumps({'images': [], 'annotations': []}))
    with pytest.raises(UserError, match='holds no image'):
        open_dataset(f'rgbd-coco:{tmp_path}')
