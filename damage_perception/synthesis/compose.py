"""Compose a scene around one item, damage it, take its picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.projection import Plane
from damage_perception.synthesis.build import build_item
from damage_perception.synthesis.colour_sensor import ColourSensor, draw_colour_sensor, take_picture
from damage_perception.synthesis.crowd import add_crowd
from damage_perception.synthesis.damage import DAMAGE_NAMES, WEIGHTS, inflict, possible
from damage_perception.synthesis.depth_sensor import measure_depth
from damage_perception.synthesis.lighting import Light, shade
from damage_perception.synthesis.neighbours import add_neighbours
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.patch import Patch
from damage_perception.synthesis.products import Product
from damage_perception.synthesis.raymarch import CameraPose, Hits, cast, sample_list
from damage_perception.synthesis.sample import Sample, SeenDamage
from damage_perception.synthesis.scene import MAIN, Placement, SceneMap
from damage_perception.synthesis.sensor_kinds import DepthSensor, draw_sensor, sensor_profile
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.support import lay_support
from damage_perception.synthesis.truth import is_seen
from damage_perception.synthesis.viewpoint import Bounds, View, draw_view, seen_bounds


def render_product(
    spec: SynthesisSpec,
    product: Product,
    rng: Rng,
    damaged: bool = False,
    plain: bool = False,
    view: View | None = None,
    shots: int = 1,
) -> Sample:
    """Render one copy of a product; it has no item id and no split yet.

    Args:
        spec: what to synthesise.
        product: the product.
        rng: generator of everything that is not the product's own.
        damaged: whether to damage it.
        plain: alone on its support with few oddities, as references are taken.
        view: camera and crop; None = draw one.
        shots: pictures of the same scene, each with noise of its own.
    """
    view = view or draw_view(rng, spec, product.size, plain)
    scene, patch, place, tags = _compose(spec, product, rng, view, damaged, plain)
    sensor = draw_sensor(rng, view.full.fx, spec.style, _pick(rng, spec.sensors))
    colour = draw_colour_sensor(rng, spec.style)
    light = Light.draw(rng, robot=not plain and rng.random() < 0.08)
    hits = cast(scene, view.pose, view.camera)
    rgb, depth = take_shot(scene, hits, view, light, colour, sensor, rng)
    more = tuple(take_shot(scene, hits, view, light, colour, sensor, rng) for _ in range(shots - 1))
    ids, marks = seen_items(scene, hits)
    damages = _seen_damages(patch, scene, hits, marks, view)
    to_camera = item_to_camera(view.pose) @ _leaning(place, product)
    return Sample(
        rgb, depth, hits.depth, view.camera, ids == MAIN, ids > MAIN, damages,
        support_plane(view.pose), sensor_profile(sensor, view.scale), to_camera,
        product.size, product.sku, '', '', (*patch.tags, *tags, f'sensor:{sensor.kind}'), more,
    )  # fmt: skip


def _seen_damages(
    patch: Patch, scene: SceneMap, hits: Hits, marks: NDArray[np.uint8], view: View
) -> tuple[SeenDamage, ...]:
    found = []
    for damage in patch.damages:
        mask = marks == damage.mark
        col, row, depth = (layer[mask] for layer in (hits.col, hits.row, hits.depth))
        if len(depth) == 0:
            continue
        shown = float((depth**2).sum()) / (view.camera.fx * view.camera.fy) / damage.area_m2
        if is_seen(sample_list(scene.trace, col, row, cv2.INTER_NEAREST), shown):
            found.append(SeenDamage(damage, mask))
    return tuple(found)


def _pick(rng: Rng, kinds: tuple[str, ...]) -> str:
    return str(rng.choice(kinds)) if kinds else ''


def _compose(
    spec: SynthesisSpec, product: Product, rng: Rng, view: View, damaged: bool, plain: bool
) -> tuple[SceneMap, Patch, Placement, list[str]]:
    """Lay support, neighbours and the item down."""
    height = product.size[2]
    distance = float(view.pose.position[2]) - height
    mpp = float(np.clip(0.95 * distance / view.camera.fx, 0.0005, 0.004))
    most = 2.5 if spec.frames == 'whole' else 2.2 * max(product.size) + 0.3
    bounds = _limited(seen_bounds(view, height), most)
    scene = SceneMap.empty(bounds, mpp)
    reach = 0.5 * float(np.hypot(*product.size[:2])) + 0.02
    tags = lay_support(scene, rng, reach, 'table' if plain and rng.random() < 0.5 else '')
    ground = np.median(scene.albedo[::8, ::8], axis=(0, 1))
    patch = build_item(product, rng, mpp, 0.05 if plain else spec.oddities, damaged)
    patch.ground = (int(ground[0]), int(ground[1]), int(ground[2]))
    if damaged:
        _damage(spec, patch, product, rng)
    if not plain and rng.random() < spec.neighbours:
        crowd = spec.crowded > 0 and rng.random() < spec.crowded
        add = add_crowd if crowd else add_neighbours
        place, more = add(scene, patch, product, rng, spec)
        return scene, patch, place, tags + more
    scene.stamp(patch, Placement(), MAIN)
    return scene, patch, Placement(), tags


def _damage(spec: SynthesisSpec, patch: Patch, product: Product, rng: Rng) -> None:
    fitting = [name for name in spec.damages if possible(DAMAGE_NAMES[name], product)]
    if not fitting:
        return
    count = 2 if rng.random() < spec.several else 1
    weights = np.array([WEIGHTS.get(name, 1.0) for name in fitting])
    count = min(count, len(fitting))
    for name in rng.choice(fitting, count, replace=False, p=weights / weights.sum()):
        inflict(patch, product, DAMAGE_NAMES[str(name)], rng, bool(rng.random() < spec.major))


def _limited(bounds: Bounds, most: float) -> Bounds:
    low_x, low_y, high_x, high_y = (float(np.clip(value, -most, most)) for value in bounds)
    return low_x, low_y, high_x, high_y


def _leaning(place: Placement, product: Product) -> NDArray[np.float64]:
    """Give the turn of an item that leans along its length, scene from item."""
    rise = place.slope[0]
    run = 1.0 / np.hypot(1.0, rise)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 2] = (run, 0.0, rise * run), (-rise * run, 0.0, run)
    matrix[2, 3] = abs(rise) * product.size[0] / 2
    return matrix


def take_shot(
    scene: SceneMap, hits: Hits, view: View, light: Light, colour: ColourSensor,
    sensor: DepthSensor, rng: Rng, lasting: Rng | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:  # fmt: skip
    """Give the colour picture and the measured depth of a scene; `lasting`: see `measure_depth`."""
    towards = -view.pose.rotation[:, 2]
    radiance = shade(scene, hits, light, towards)
    rgb = take_picture(colour, radiance, light.white, rng, view.scale)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) * np.float32(1 / 255)
    gloss = cv2.remap(scene.gloss, hits.col, hits.row, cv2.INTER_NEAREST,
                      borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    shiny = gloss.astype(np.float32) * np.float32(1 / 255)
    return rgb, measure_depth(sensor, hits.depth, luma, shiny, rng, view.scale, lasting)


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
