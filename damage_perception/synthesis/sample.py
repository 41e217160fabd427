"""One sample: an item as an RGB-D camera sees it, with the whole truth about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane
from damage_perception.perception.sensor import SensorProfile
from damage_perception.synthesis.build import build_item
from damage_perception.synthesis.colour_sensor import ColourSensor, draw_colour_sensor, take_picture
from damage_perception.synthesis.damage import DAMAGE_NAMES, inflict, possible
from damage_perception.synthesis.depth_sensor import (
    DepthSensor,
    draw_sensor,
    measure_depth,
    sensor_profile,
)
from damage_perception.synthesis.lighting import Light, shade
from damage_perception.synthesis.neighbours import add_neighbours
from damage_perception.synthesis.noise import Rng, stream
from damage_perception.synthesis.patch import Damage, Patch
from damage_perception.synthesis.products import Product, make_product
from damage_perception.synthesis.raymarch import CameraPose, Hits, cast
from damage_perception.synthesis.scene import MAIN, Placement, SceneMap
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.support import lay_support
from damage_perception.synthesis.viewpoint import View, draw_view, seen_bounds

_ATTEMPTS = 5
_FEWEST_PIXELS = 12  # of a damage that counts as seen
_FEWEST_ITEM_PIXELS = 600


@dataclass(frozen=True, eq=False)
class SeenDamage:
    """A damage and where the camera sees it, (H, W) bool."""

    truth: Damage
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture of one item and the truth about it. Arrays are (H, W) unless said.

    Attributes:
        rgb: (H, W, 3) uint8, red first.
        depth_m: float32 metres as measured, NaN = invalid.
        true_depth_m: float32 metres.
        camera: intrinsics of this crop.
        item_mask: bool, what is seen of the item.
        others_mask: bool, what is seen of other items.
        damages: what is seen of its damages.
        plane: the support, in the optical frame.
        profile: the noise of the depth camera, as a calibration would give it.
        pose: (4, 4) float64, item frame (origin on the support below the item's centre, x along
            its length, z up) to the optical frame.
        size: length, width, height of the sound item, metres.
        sku, item_id: which product, which copy.
        split: train | val | test, or shifted_val | shifted_test.
        tags: family, style, oddities, look-alikes, sensor.
        references: pristine views of the product.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    true_depth_m: NDArray[np.float32]
    camera: CameraIntrinsics
    item_mask: NDArray[np.bool_]
    others_mask: NDArray[np.bool_]
    damages: tuple[SeenDamage, ...]
    plane: Plane
    profile: SensorProfile
    pose: NDArray[np.float64]
    size: tuple[float, float, float]
    sku: str
    item_id: str
    split: str
    tags: tuple[str, ...]
    references: tuple[Sample, ...] = field(default=())

    def label_map(self) -> NDArray[np.uint8]:
        """Give the type of damage at each pixel, 0 = none."""
        labels = np.zeros(self.item_mask.shape, np.uint8)
        for damage in self.damages:
            labels[damage.mask] = damage.truth.damage_type
        return labels


def product_of(spec: SynthesisSpec, seed: int, index: int) -> tuple[int, Product]:
    """Give the number and the product of an item."""
    number = index // spec.copies
    return number, make_product(seed, number, spec.style, spec.families)


def split_of(spec: SynthesisSpec, seed: int, number: int) -> str:
    """Give the split of a product: 80 / 10 / 10 %, or the two halves of the shifted family."""
    draw = stream(seed, 0x5417, number).random()
    if spec.style == 'shifted':
        return 'shifted_val' if draw < 0.5 else 'shifted_test'
    return 'train' if draw < 0.8 else 'val' if draw < 0.9 else 'test'


def render_sample(spec: SynthesisSpec, seed: int, index: int, references: int = 1) -> Sample:
    """Render item `index` of the data set `seed`; the same three arguments give the same bytes.

    Args:
        spec: what to synthesise.
        seed: seed of the data set.
        index: number of the item.
        references: views of the sound product to add, at most.
    """
    number, product = product_of(spec, seed, index)
    wanted = stream(seed, 0xDA4A, index).random() < spec.damaged
    for attempt in range(_ATTEMPTS):
        rng = stream(seed, 0x17E4, index, attempt)
        sample = render_product(spec, product, rng, wanted)
        seen = int(sample.item_mask.sum()) >= _FEWEST_ITEM_PIXELS
        if seen and (not wanted or sample.damages):
            break
    split = split_of(spec, seed, number)
    views = tuple(render_reference(spec, seed, number, k) for k in range(references))
    return _named(sample, f'{product.sku}-{index:07d}', split, views)


def render_reference(spec: SynthesisSpec, seed: int, number: int, k: int) -> Sample:
    """Render reference view `k` of product `number`; a stated share is damaged or outdated."""
    product = make_product(seed, number, spec.style, spec.families)
    flaw = stream(seed, 0xF1A3, number).random()
    bad, old = flaw < spec.bad_references, 1 - flaw < spec.old_references
    rng = stream(seed, 0x2EF5, number, k)
    shown = product.redesigned() if old else product
    sample = render_product(spec, shown, rng, bad, plain=True)
    tags = ('reference:damaged',) * bool(sample.damages) + ('reference:old_design',) * old
    split = split_of(spec, seed, number)
    return _named(sample, f'{product.sku}-r{k}', split, (), tags)


def _named(
    sample: Sample, item_id: str, split: str, references: tuple[Sample, ...],
    tags: tuple[str, ...] = (),
) -> Sample:  # fmt: skip
    from dataclasses import replace

    return replace(sample, item_id=item_id, split=split, references=references,
                   tags=sample.tags + tags)  # fmt: skip


def render_product(
    spec: SynthesisSpec,
    product: Product,
    rng: Rng,
    damaged: bool = False,
    plain: bool = False,
    view: View | None = None,
) -> Sample:
    """Render one copy of a product; it has no item id and no split yet.

    Args:
        spec: what to synthesise.
        product: the product.
        rng: generator of everything that is not the product's own.
        damaged: whether to damage it.
        plain: alone on its support with few oddities, as references are taken.
        view: camera and crop; None = draw one.
    """
    view = view or draw_view(rng, spec, product.size, plain)
    scene, patch, tags = _compose(spec, product, rng, view, damaged, plain)
    sensor = draw_sensor(rng, view.full.fx, spec.style, _pick(rng, spec.sensors))
    colour = draw_colour_sensor(rng, spec.style)
    light = Light.draw(rng, robot=not plain and rng.random() < 0.08)
    hits = cast(scene, view.pose, view.camera)
    rgb, depth = take_shot(scene, hits, view, light, colour, sensor, rng)
    ids, marks = seen_items(scene, hits)
    damages = tuple(
        SeenDamage(damage, marks == damage.mark)
        for damage in patch.damages
        if int((marks == damage.mark).sum()) >= _FEWEST_PIXELS
    )
    to_camera = item_to_camera(view.pose)
    return Sample(
        rgb, depth, hits.depth, view.camera, ids == MAIN, ids > MAIN, damages,
        support_plane(view.pose), sensor_profile(sensor, view.scale), to_camera, product.size, product.sku, '', '', (*patch.tags, *tags, f'sensor:{sensor.kind}'),
    )  # fmt: skip


def _pick(rng: Rng, kinds: tuple[str, ...]) -> str:
    return str(rng.choice(kinds)) if kinds else ''


def _compose(
    spec: SynthesisSpec, product: Product, rng: Rng, view: View, damaged: bool, plain: bool
) -> tuple[SceneMap, Patch, list[str]]:
    """Lay support, neighbours and the item down."""
    height = product.size[2]
    distance = float(view.pose.position[2]) - height
    mpp = float(np.clip(0.95 * distance / view.camera.fx, 0.0005, 0.004))
    most = 2.5 if spec.frames == 'whole' else 2.2 * max(product.size) + 0.3
    bounds = _limited(seen_bounds(view, height), most)
    scene = SceneMap.empty(bounds, mpp)
    reach = 0.5 * float(np.hypot(*product.size[:2])) + 0.02
    tags = lay_support(scene, rng, reach, 'table' if plain and rng.random() < 0.5 else '')
    patch = build_item(product, rng, mpp, 0.05 if plain else spec.oddities, damaged)
    if damaged:
        _damage(spec, patch, product, rng)
    if not plain and rng.random() < spec.neighbours:
        tags += add_neighbours(scene, patch, product, rng, spec)
    else:
        scene.stamp(patch, Placement(), MAIN)
    return scene, patch, tags


def _damage(spec: SynthesisSpec, patch: Patch, product: Product, rng: Rng) -> None:
    fitting = [name for name in spec.damages if possible(DAMAGE_NAMES[name], product)]
    if not fitting:
        return
    count = 2 if rng.random() < spec.several else 1
    for name in rng.choice(fitting, min(count, len(fitting)), replace=False):
        inflict(patch, product, DAMAGE_NAMES[str(name)], rng, bool(rng.random() < spec.major))


def _limited(bounds: tuple[float, float, float, float], most: float):  # type: ignore[no-untyped-def]
    return tuple(float(np.clip(value, -most, most)) for value in bounds)


def take_shot(
    scene: SceneMap, hits: Hits, view: View, light: Light, colour: ColourSensor,
    sensor: DepthSensor, rng: Rng,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:  # fmt: skip
    """Give the colour picture and the measured depth of a scene."""
    towards = -view.pose.rotation[:, 2]
    radiance = shade(scene, hits, light, towards)
    rgb = take_picture(colour, radiance, light.white, rng, view.scale)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) * np.float32(1 / 255)
    gloss = cv2.remap(scene.gloss, hits.col, hits.row, cv2.INTER_NEAREST,
                      borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    shiny = gloss.astype(np.float32) * np.float32(1 / 255)
    return rgb, measure_depth(sensor, hits.depth, luma, shiny, rng, view.scale)


def seen_items(scene: SceneMap, hits: Hits) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Give the id of the item and the number of the damage that each pixel sees."""
    layers = np.dstack([scene.ids, scene.mark])
    seen = cv2.remap(layers, hits.col, hits.row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(seen[..., 0]), np.ascontiguousarray(seen[..., 1])


def item_to_camera(pose: CameraPose) -> NDArray[np.float64]:
    """Give the transform from the scene (the main item's frame) to the optical frame."""
    matrix = np.eye(4)
    matrix[:3, :3] = pose.rotation.T
    matrix[:3, 3] = -pose.rotation.T @ pose.position
    return matrix


def support_plane(pose: CameraPose) -> Plane:
    """Give the support plane (z = 0 of the scene) in the optical frame."""
    matrix = item_to_camera(pose)
    return Plane.through(matrix[:3, 2], matrix[:3, 3])
