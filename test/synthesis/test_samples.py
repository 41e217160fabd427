"""Samples: the same seed gives the same bytes, and the truth is true."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from damage_perception.report import DamageType, Severity
from damage_perception.synthesis.build import build_item
from damage_perception.synthesis.damage import DAMAGE_NAMES, inflict, possible
from damage_perception.synthesis.lookalikes import LOOKALIKES
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.products import FAMILIES, SIZES, Product, artwork, make_product
from damage_perception.synthesis.render import render_reference, render_sample, split_of
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.truth import VISIBLE_M, rate_severity
from damage_perception.synthesis.views import labelled_view

SMALL = SynthesisSpec(crop=96)


def _product(family: str, lookalike: str = '', seed: int = 5) -> Product:
    size = tuple(sum(bounds) / 2 for bounds in SIZES[family])
    if family in ('tin', 'jar'):
        size = (size[0], size[0], size[2])
    if family in ('tube', 'bottle'):
        size = (size[0], size[1], size[1])
    return Product(f'{family}-{seed}', family, size, seed, lookalike=lookalike)


def test_same_arguments_give_same_bytes() -> None:
    for index in (0, 3, 7):
        first, second = (render_sample(SMALL, 11, index) for _ in range(2))
        np.testing.assert_array_equal(first.rgb, second.rgb)
        np.testing.assert_array_equal(first.depth_m, second.depth_m)
        np.testing.assert_array_equal(first.label_map(), second.label_map())
        assert first.tags == second.tags
        assert first.sku == second.sku


def test_order_does_not_matter() -> None:
    forwards = {index: render_sample(SMALL, 4, index, 0).rgb for index in range(4)}
    for index in (3, 1, 0, 2):
        np.testing.assert_array_equal(render_sample(SMALL, 4, index, 0).rgb, forwards[index])


def test_another_seed_gives_another_picture() -> None:
    assert render_sample(SMALL, 1, 0, 0).sku != render_sample(SMALL, 2, 0, 0).sku


def test_a_sample_is_whole() -> None:
    for index in range(6):
        sample = render_sample(SMALL, 21, index, 1)
        shape = (sample.camera.height, sample.camera.width)
        assert sample.rgb.shape == (*shape, 3)
        assert sample.rgb.dtype == np.uint8
        assert sample.depth_m.shape == shape
        assert sample.depth_m.dtype == np.float32
        assert sample.item_mask.any()
        assert len(sample.references) == 1
        assert sample.references[0].sku == sample.sku
        for damage in sample.damages:
            assert damage.mask.any()
            assert damage.truth.severity != Severity.UNKNOWN
            assert np.isfinite(damage.truth.depth_m)
            assert damage.truth.area_m2 > 0


def test_item_stands_on_the_support_where_pose_and_size_say() -> None:
    spec = dataclasses.replace(
        SMALL, families=('shipping_carton',), damaged=0.0, neighbours=0.0, oddities=0.0,
        truncated=0.0,
    )  # fmt: skip
    sample = render_sample(spec, 3, 0, 0)
    v, u = np.nonzero(sample.item_mask)
    camera = sample.camera
    ray = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(len(u))], 1)
    points = ray * sample.true_depth_m[v, u].astype(float)[:, None]
    top = np.percentile(sample.plane.heights(points), 95)
    assert top == pytest.approx(sample.size[2], abs=0.008)
    local = (points - sample.pose[:3, 3]) @ sample.pose[:3, :3]
    extent = np.ptp(local[local[:, 2] > 0.8 * sample.size[2]], axis=0)
    assert extent[0] == pytest.approx(sample.size[0], abs=0.02)
    assert extent[1] == pytest.approx(sample.size[1], abs=0.02)


def test_the_pose_follows_an_item_that_leans() -> None:
    spec = dataclasses.replace(SMALL, families=('shipping_carton', 'retail_carton'), damaged=0.0,
                               neighbours=1.0, oddities=0.0, truncated=0.0, copies=1)  # fmt: skip
    tried = 0
    for index in range(60):
        sample = render_sample(spec, 17, index, 0)
        if 'oddity:neighbour_leaning' not in sample.tags:
            continue
        camera = sample.camera
        v, u = np.nonzero(sample.item_mask)
        ray = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(len(u))])
        points = ray.T * sample.true_depth_m[v, u].astype(float)[:, None]
        local = (points - sample.pose[:3, 3]) @ sample.pose[:3, :3]
        top = local[np.abs(local[:, 2] - sample.size[2]) < 0.02]
        assert len(top) > 0.4 * len(local)
        assert np.median(top[:, 2]) == pytest.approx(sample.size[2], abs=0.008)
        tried += 1
        if tried == 3:
            return
    raise AssertionError('no item leaned')


def test_measured_depth_agrees_with_true_depth() -> None:
    errors = []
    for index in range(6):
        sample = render_sample(SMALL, 8, index, 0)
        inner = sample.item_mask & ~np.isnan(sample.depth_m)
        errors.append(np.median(np.abs(sample.depth_m - sample.true_depth_m)[inner]))
    assert 0.0001 < np.median(errors) < 0.012


_PAIRS = [
    (family, name)
    for family in FAMILIES
    for name, kind in DAMAGE_NAMES.items()
    if possible(kind, _product(family))
]


@pytest.mark.parametrize(('family', 'name'), _PAIRS)
def test_damage_changes_what_it_marks_and_depth_is_true(family: str, name: str) -> None:
    product, kind = _product(family), DAMAGE_NAMES[name]
    done = 0
    for attempt in range(6):
        patch = build_item(product, stream(1, attempt), 0.002, 0.0, roomy=True)
        before, print_before = patch.height.copy(), patch.albedo.copy()
        on_item = before > 0.0005
        damage = inflict(patch, product, kind, stream(2, attempt), major=attempt % 2 == 0)
        if damage is None:
            continue
        done += 1
        marked = patch.mark == damage.mark
        changed = (patch.height != before) | (patch.albedo != print_before).any(axis=2)
        assert damage.damage_type == kind
        assert changed[marked].mean() > 0.9
        inwards = (before - patch.height)[marked & on_item if (marked & on_item).any() else marked]
        extreme = max(inwards.max(), -inwards.min())
        assert abs(damage.depth_m) == pytest.approx(extreme, abs=1e-5)
        if kind == DamageType.CRUSH:
            assert np.abs(inwards).min() > VISIBLE_M
    assert done >= 3


@pytest.mark.parametrize('name', LOOKALIKES)
def test_lookalike_is_print_without_relief(name: str) -> None:
    plain, alike = _product('retail_carton'), _product('retail_carton', lookalike=name)
    patches = [build_item(product, stream(9), 0.002, 0.0) for product in (plain, alike)]
    assert (artwork(plain) != artwork(alike)).any(axis=2).mean() > 0.003
    np.testing.assert_array_equal(patches[0].height, patches[1].height)
    assert not patches[1].mark.any()
    assert f'lookalike:{name}' in patches[1].tags


def test_a_soft_pack_is_wrinkled_anew_and_a_print_is_not() -> None:
    product = _product('poly_mailer')
    first, second = (build_item(product, stream(seed), 0.002, 0.0) for seed in (1, 2))
    both = first.mask & second.mask
    assert np.abs(first.height - second.height)[both].mean() > 0.0005
    carton = _product('retail_carton')
    prints = [build_item(carton, stream(seed), 0.002, 0.0).albedo for seed in (1, 2)]
    assert (prints[0] == prints[1]).all(axis=2).mean() > 0.98


def test_severity_follows_the_rule() -> None:
    assert rate_severity(DamageType.CRUSH, 0.011, 1e-4, False) == Severity.MAJOR
    assert rate_severity(DamageType.CRUSH, 0.007, 40e-4, False) == Severity.MAJOR
    assert rate_severity(DamageType.CRUSH, 0.007, 10e-4, False) == Severity.MINOR
    assert rate_severity(DamageType.HOLE, 0.05, 1e-4, False) == Severity.MINOR
    assert rate_severity(DamageType.HOLE, 0.05, 1e-4, True) == Severity.MAJOR
    assert rate_severity(DamageType.SPILL, 0.0, 25e-4, False) == Severity.MAJOR
    assert rate_severity(DamageType.MISSING_UNIT, 0.0, 1e-5, False) == Severity.MAJOR


def test_products_and_their_splits() -> None:
    products = [make_product(6, number) for number in range(300)]
    assert len({product.sku for product in products}) == 300
    shares = {}
    for number in range(300):
        split = split_of(SMALL, 6, number)
        shares[split] = shares.get(split, 0) + 1
    assert set(shares) == {'train', 'val', 'test'}
    assert shares['train'] > 200
    shifted = dataclasses.replace(SMALL, style='shifted')
    assert {split_of(shifted, 6, n) for n in range(50)} == {'shifted_val', 'shifted_test'}
    assert not {make_product(6, n, 'shifted').sku for n in range(300)} & {
        product.sku for product in products
    }


def test_flawed_references_are_tagged() -> None:
    bad = dataclasses.replace(SMALL, bad_references=1.0, old_references=0.0)
    old = dataclasses.replace(SMALL, bad_references=0.0, old_references=1.0)
    tags = [render_reference(bad, 2, number, 0).tags for number in range(4)]
    assert sum('reference:damaged' in tag for tag in tags) >= 3
    assert 'reference:old_design' in render_reference(old, 2, 0, 0).tags
    product = make_product(2, 0)
    assert (artwork(product) != artwork(product.redesigned())).any()


def test_views_carry_the_labels() -> None:
    spec = dataclasses.replace(SMALL, damaged=1.0, damages=('hole', 'tear'), oblique=0.0,
                               families=('retail_carton',), neighbours=0.0, several=0.0,
                               truncated=0.0)  # fmt: skip
    marked = 0
    for index in range(4):
        sample = render_sample(spec, 13, index, 0)
        labelled = labelled_view(sample)
        if labelled is None or not sample.damages:
            continue
        labels = labelled.label_map()
        assert labels.shape == labelled.view.item_mask.shape
        area = (labels > 0).sum() * labelled.view.resolution_m**2
        truth = sample.damages[0].truth.area_m2
        marked += 0.3 * truth < area < 2.0 * truth
    assert marked >= 3


@pytest.mark.parametrize('family', FAMILIES)
@pytest.mark.parametrize('scale', [0.75, 1.2])
def test_smallest_and_largest_products_can_be_made_and_damaged(family: str, scale: float) -> None:
    corner = 0 if scale < 1 else 1
    size = tuple(scale * bounds[corner] for bounds in SIZES[family])
    if family in ('tin', 'jar'):
        size = (size[0], size[0], size[2])
    product = Product('edge', family, size, 3, 'shifted', LOOKALIKES[0])
    for number, kind in enumerate(DAMAGE_NAMES.values()):
        for attempt in range(3):
            patch = build_item(product, stream(number, attempt), 0.003, 1.0, roomy=True)
            assert patch.mask.any()
            assert np.isfinite(patch.height).all()
            if possible(kind, product):
                inflict(patch, product, kind, stream(attempt), major=attempt > 0)
                assert patch.height[patch.mask].min() > -0.06
