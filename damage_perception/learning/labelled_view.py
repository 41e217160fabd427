"""From a rendered sample to a view with its truth, seen as the item finder would show it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import MeasuredFrame
from damage_perception.learning.reference_pair import bring_reference
from damage_perception.network.inputs import view_tensor
from damage_perception.perception.face import find_face
from damage_perception.perception.geometry import find_damage
from damage_perception.perception.item_view import ItemView
from damage_perception.perception.projection import Plane, height_image
from damage_perception.perception.rectify import rectify
from damage_perception.perception.sensor import SensorProfile
from damage_perception.perception.surface import own_relief
from damage_perception.perception.window import ItemWindow
from damage_perception.report import Roi, Severity
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.sample import Sample, SeenDamage

_NEIGHBOUR_M = 0.012  # what stands higher on the support and is not the item is a neighbour
_TILT = 0.006  # deviation of the error of the support's normal, radians
_FEWEST_PIXELS = 12  # of a damage in a view, else nothing of it is to be seen
_LARGEST = 384  # longest side of a stored view, pixels


@dataclass(frozen=True, eq=False)
class LabelledView:
    """A view as the network sees it and what is true of it.

    Attributes:
        channels: (C, H, W) float32, see `view_tensor`.
        labels: (H, W) uint8, DamageType, 0 = none.
        facts: what a row of an evaluation needs, as JSON takes it.
    """

    channels: NDArray[np.float32]
    labels: NDArray[np.uint8]
    facts: dict[str, Any]


def label_view(sample: Sample, rng: Rng) -> LabelledView | None:
    """Look at a sample square on; None where too little of it is seen to be judged.

    Args:
        sample: a rendered item, its first reference is used.
        rng: draws the errors of mask and support that the item finder makes.
    """
    profile = _profile(rng)
    plane = _tilted(sample.plane, rng)
    found = _look(sample, _shaken(sample.item_mask, rng), plane, profile)
    if found is None:
        return None
    view, labels, severities = found
    if max(view.item_mask.shape) > _LARGEST or not view.item_mask.any():
        return None
    reference = None
    if sample.references:
        other = _look(sample.references[0], sample.references[0].item_mask, plane, profile)
        reference = bring_reference(view, other[0]) if other is not None else None
    evidence = find_damage(view)
    facts = {
        'item_id': sample.item_id,
        'split': sample.split,
        'tags': list(sample.tags),
        'damages': severities,
        'geometry': evidence.score if math.isfinite(evidence.score) else None,
        'reference': reference is not None,
        'measured': float(view.valid[view.item_mask].mean()),
    }
    return LabelledView(view_tensor(view, reference, own_relief(view)), labels, facts)


def _look(
    sample: Sample, mask: NDArray[np.bool_], plane: Plane, profile: SensorProfile
) -> tuple[ItemView, NDArray[np.uint8], list[dict[str, Any]]] | None:
    """Turn a sample square on; its labels go the same way as its colours."""
    camera = sample.camera
    frame = MeasuredFrame(sample.rgb, sample.depth_m, camera)
    roi = Roi(0, 0, camera.width, camera.height)
    face = find_face(frame, mask, roi, plane, profile) if mask.any() else None
    if face is None:
        return None
    window = ItemWindow(roi, mask, _neighbours(sample, mask))
    view = rectify(frame, window, face, profile)
    labels = np.zeros(view.item_mask.shape, np.uint8)
    severities = []
    for damage in sample.damages:
        painted = np.repeat(damage.mask[..., None].astype(np.uint8) * 255, 3, axis=2)
        marks = rectify(replace(frame, rgb=painted), window, face, profile).rgb[..., 0] > 127
        marks &= view.seen
        if np.count_nonzero(marks) >= _FEWEST_PIXELS:
            labels[marks] = damage.truth.damage_type
            severities.append(_describe(damage, int(np.count_nonzero(marks))))
    return view, labels, severities


def _describe(damage: SeenDamage, pixels: int) -> dict[str, Any]:
    truth = damage.truth
    return {
        'type': int(truth.damage_type),
        'kind': truth.kind,
        'major': truth.severity == Severity.MAJOR,
        'depth_mm': round(1e3 * truth.depth_m, 2),
        'pixels': pixels,
    }


def _neighbours(sample: Sample, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give what stands beside the item and is no damage of it, a little larger than it is."""
    height = height_image(sample.true_depth_m, sample.plane, sample.camera)
    standing = (height > _NEIGHBOUR_M) & ~sample.item_mask & ~mask
    for damage in sample.damages:
        standing &= ~damage.mask
    opened = cv2.morphologyEx(standing.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return (cv2.dilate(opened, np.ones((5, 5), np.uint8)) > 0) & ~mask


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
    return Plane((x, y, z), plane.offset + float(rng.normal(0.0, 0.002)))


def _profile(rng: Rng) -> SensorProfile:
    """Draw how well the sensor is known: profiles are measured once and cameras drift."""
    usual = SensorProfile()
    return replace(usual, growth_per_m=usual.growth_per_m * float(np.exp(rng.normal(0.0, 0.2))))
