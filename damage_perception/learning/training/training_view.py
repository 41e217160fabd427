"""From a rendered sample to what the network learns from: channels, labels, facts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.network.inputs import view_tensor
from damage_perception.perception.comparison.alignment import bring_reference
from damage_perception.perception.comparison.comparison import comparison_features
from damage_perception.perception.evidence.item_features import item_features
from damage_perception.perception.geometry.geometry import find_damage
from damage_perception.perception.geometry.surface import own_relief
from damage_perception.perception.items.cut import ItemsSettings
from damage_perception.perception.items.items import find_items
from damage_perception.perception.projection import Plane, height_image
from damage_perception.perception.sensor.noise import measured_profile
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.support.plane import PlaneSettings
from damage_perception.perception.view.window import window_around
from damage_perception.report import Severity
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.views import LabelledView, labelled_view

_TILT = 0.006  # deviation of the error of the support's normal, radians
_OFFSET_M = 0.002  # and of its distance
_PROFILE = 0.1  # relative deviation of the error of the sensor's noise, beyond how it is measured
_FOUND = 0.8  # share of the items that are outlined as found,
_ALIKE = 0.5  # if what was found is so much the same (intersection over union)
_FEWEST_PIXELS = 12  # of a damage in a view, else nothing of it is to be seen
_LARGEST = 384  # longest side of a stored view, pixels


@dataclass(frozen=True, eq=False)
class TrainingView:
    """A view as the network sees it and what is true of it.

    Attributes:
        channels: (C, H, W) float32, see `view_tensor`.
        labels: (H, W) uint8, DamageType, 0 = none.
        facts: what a row of an evaluation needs, as JSON takes it.
    """

    channels: NDArray[np.float32]
    labels: NDArray[np.uint8]
    facts: dict[str, Any]


def training_view(sample: Sample, rng: Rng) -> TrainingView | None:
    """Look at a sample square on; None where too little of it is seen to be judged.

    Args:
        sample: a rendered item; its first reference is used.
        rng: draws the errors that item finder, support finder and calibration make.
    """
    found = labelled_view(as_found(sample, rng))
    if found is None or not found.view.item_mask.any():
        return None
    view = found.view
    if max(view.item_mask.shape) > _LARGEST:
        return None
    aligned = None
    if sample.references:
        other = labelled_view(_measured(sample.references[0], rng))
        aligned = bring_reference(view, other.view) if other is not None else None
    reference = aligned.view if aligned else None
    compared = comparison_features(view, (aligned,) if aligned else ())
    damages, labels = _truth(found)
    relief = own_relief(view)
    geometry = find_damage(view, relief=relief)
    features = item_features(view, relief, geometry)
    facts = {
        'item_id': sample.item_id,
        'sku': sample.sku,
        'split': sample.split,
        'tags': list(sample.tags),
        'damages': damages,
        'geometry': _known(geometry.score),
        'features': {name: _known(value) for name, value in features.items()},
        'compared': {name: _known(value) for name, value in compared.items()},
        'reference': reference is not None,
        'frames': view.frames,
    }
    return TrainingView(view_tensor(view, reference, relief), labels, facts)


def _known(value: float) -> float | None:
    """Give a number as JSON takes it."""
    return round(float(value), 5) if math.isfinite(value) else None


def _truth(found: LabelledView) -> tuple[list[dict[str, Any]], NDArray[np.uint8]]:
    """Give the damages that are to be seen, and their labels."""
    labels = np.zeros(found.view.item_mask.shape, np.uint8)
    damages = []
    for mask, truth in zip(found.masks, found.damages, strict=True):
        pixels = int(np.count_nonzero(mask))
        if pixels < _FEWEST_PIXELS:
            continue
        labels[mask] = truth.damage_type
        damages.append({
            'type': int(truth.damage_type),
            'kind': truth.kind,
            'major': truth.severity == Severity.MAJOR,
            'depth_mm': round(1e3 * truth.depth_m, 2),
            'pixels': pixels,
        })  # fmt: skip
    return damages, labels


def as_found(sample: Sample, rng: Rng) -> Sample:
    """Give a sample the errors that everything found and calibrated has.

    Most items are outlined as the product finds them, the others by the true outline, shaken.
    """
    sample = _measured(replace(sample, plane=_tilted(sample.plane, rng)), rng)
    shaken = _shaken(sample.item_mask, rng)
    outlines = _found(sample) if rng.random() < _FOUND else None
    mask, others = outlines or (shaken, sample.others_mask & ~shaken)
    return replace(sample, item_mask=mask, others_mask=others)


def _measured(sample: Sample, rng: Rng) -> Sample:
    """Give a sample the noise that the product measures in its picture, a little off."""
    height = height_image(sample.depth_m, sample.plane, sample.camera)
    everywhere = np.ones(height.shape, bool)
    measured = measured_profile(sample.depth_m, height, everywhere, PlaneSettings().tolerance_m)
    profile: SensorProfile = measured or sample.profile
    drift = float(np.exp(rng.normal(0.0, _PROFILE)))
    return replace(
        sample,
        profile=replace(
            profile, floor_m=drift * profile.floor_m, growth_per_m=drift * profile.growth_per_m
        ),
    )


def _found(sample: Sample) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Find the item and its neighbours as the product does; None where it is not found."""
    height = height_image(sample.depth_m, sample.plane, sample.camera)
    everywhere = np.ones(height.shape, bool)
    pixel_m = sample.plane.offset / sample.camera.fx
    items = find_items(sample.rgb, height, everywhere, pixel_m, ItemsSettings(), alone=True)
    best, most = None, _ALIKE
    for item in items:
        shared = np.count_nonzero(sample.item_mask[item.roi.slices] & item.mask)
        either = np.count_nonzero(sample.item_mask) + np.count_nonzero(item.mask) - shared
        if shared > most * either:
            best, most = item, shared / either
    if best is None:
        return None
    window = window_around(best, items, height.shape, max(height.shape))
    return window.item, window.others


def _shaken(mask: NDArray[np.bool_], rng: Rng) -> NDArray[np.bool_]:
    """Move the outline of a mask by up to three pixels, unevenly along it."""
    inside = mask.astype(np.uint8)
    signed = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(
        1 - inside, cv2.DIST_L2, 3
    )
    wander = cv2.GaussianBlur(rng.standard_normal(mask.shape, dtype=np.float32), (0, 0), 9.0)
    offset = rng.normal(0.0, 1.0) + wander / max(float(wander.std()), 1e-6) * rng.uniform(0, 1.5)
    shaken: NDArray[np.bool_] = signed > np.clip(offset, -3.0, 3.0)
    return shaken if np.count_nonzero(shaken) > 0.5 * np.count_nonzero(mask) else mask


def _tilted(plane: Plane, rng: Rng) -> Plane:
    normal = np.asarray(plane.normal) + rng.normal(0.0, _TILT, 3)
    normal /= np.linalg.norm(normal)
    x, y, z = (float(value) for value in normal)
    return Plane((x, y, z), plane.offset + float(rng.normal(0.0, _OFFSET_M)))
