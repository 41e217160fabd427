"""Views of coloured items and a map with random weights, for the tests of identification."""

from __future__ import annotations

import numpy as np

from damage_perception.perception.identification.network import SHAPES, IdentificationNetwork
from damage_perception.perception.view.item_view import ItemView

RULE = (1.0, 0.5, 0.0, 0.6, 0.2)


def made_network(digest: str = 'ab' * 32) -> IdentificationNetwork:
    """Give a map whose weights are random but small enough to keep values tame."""
    rng = np.random.default_rng(5)
    tensors = {}
    for name, shape in SHAPES.items():
        fan = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        tensors[name] = rng.normal(0, 1.5 / np.sqrt(fan), shape).astype(np.float32)
        if name.endswith('bias'):
            tensors[name] *= 0
    tensors['scale'] = np.float32(1.0).reshape(())
    tensors['rule'] = np.array(RULE, np.float32)
    return IdentificationNetwork(tensors, digest)


def printed_view(seed: int, length_m: float = 0.18, width_m: float = 0.12, high_m: float = 0.06,
                 light: float = 1.0, quarters: int = 0) -> ItemView:  # fmt: skip
    """Give a clean view of a box with a print of nine coloured fields, turned by quarters."""
    rng = np.random.default_rng(seed)
    metres = 0.0015
    rows, columns = (round((side + 0.06) / metres) for side in (width_m, length_m))
    mask = np.zeros((rows, columns), bool)
    margin = round(0.03 / metres)
    mask[margin:-margin, margin:-margin] = True
    fields = rng.uniform(20, 235, (3, 3, 3))
    at_rows = np.clip((np.arange(rows) - margin) * 3 // (rows - 2 * margin), 0, 2)
    at_columns = np.clip((np.arange(columns) - margin) * 3 // (columns - 2 * margin), 0, 2)
    rgb = np.where(mask[..., None], fields[at_rows[:, None], at_columns], 90)
    rgb = np.clip(rgb * light, 1, 255).astype(np.uint8)
    height_m = np.where(mask, 0.0, -high_m).astype(np.float32)
    arrays = [np.ascontiguousarray(np.rot90(array, quarters)) for array in (rgb, height_m, mask)]
    shape = arrays[2].shape
    return ItemView(
        arrays[0], arrays[1], np.full(shape, 0.002, np.float32), arrays[2], np.ones(shape, bool),
        metres, np.eye(4), 1.0, 0.004,
    )  # fmt: skip
