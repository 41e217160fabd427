"""Fuse the views of one item: noise falls with every independent frame, gaps fill."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.view.item_view import MARGIN_M, ItemView, without_whiskers

_GATE = 4.0  # standard deviations from which a height is a flying pixel, not noise
_STAYS = 0.5  # share of the noise's variance that stays at its pixel; as in the engine
_ALIGN_STEPS = 20
_WORST_FIT = 0.5  # correlation of two aligned views below which they show different things


@dataclass(eq=False)
class News:
    """Tell how much of each look at an item is news.

    Noise of a depth camera hangs on the pixel: an item that moved by the correlation length of
    the noise shows a fresh sample. While it stands, a share of the noise's variance stays, so k
    looks at one place tell as much as k / (1 + (k - 1) share) independent ones: never more than
    1 / share, however long it stands.

    Attributes:
        place_m: (3,) where the looks at one place began.
    """

    place_m: NDArray[np.float64]
    _farthest_m: float = 0.0  # from there
    _looks: int = 1  # from there

    def of(self, place_m: NDArray[np.float64], correlation_m: float) -> float:
        """Give the share (0, 1] of the look at an item that is news to the looks before.

        Args:
            place_m: (3,) where the item is now.
            correlation_m: distance over which noise is correlated.
        """
        away = float(np.linalg.norm(place_m - self.place_m))
        # There and back shows what was seen already: only what lies farther off is fresh.
        moved = max(0.0, away - self._farthest_m) / max(correlation_m, 1e-9)
        looks = self._looks
        news = max(moved, _told(looks + 1) - _told(looks))
        self._farthest_m, self._looks = max(away, self._farthest_m), looks + 1
        if away >= correlation_m:
            self.place_m, self._farthest_m, self._looks = place_m, 0.0, 1
        return min(news, 1.0)


def _told(looks: int) -> float:
    """Give how many independent looks so many at one place are worth."""
    return looks / (1.0 + (looks - 1) * _STAYS)


def align(fixed: ItemView, moving: ItemView) -> tuple[NDArray[np.float32], float]:
    """Find the rotation and shift that bring a view onto another of the same item.

    Returns:
        (2, 3) float32 from pixels of `fixed` to pixels of `moving`, and how well they fit: the
        correlation of grey values and item masks, up to 1 (enhanced correlation coefficient,
        Evangelidis and Psarakis 2008); 0 = no fit was found.
    """
    offset_x = (moving.item_mask.shape[1] - fixed.item_mask.shape[1]) / 2
    offset_y = (moving.item_mask.shape[0] - fixed.item_mask.shape[0]) / 2
    warp = np.array([[1.0, 0.0, offset_x], [0.0, 1.0, offset_y]], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ALIGN_STEPS, 1e-3)
    try:
        fit, found = cv2.findTransformECC(
            _picture(fixed), _picture(moving), warp.copy(), cv2.MOTION_EUCLIDEAN, criteria
        )
    except cv2.error:  # no texture, or it ran away
        return warp, 0.0
    moved = np.abs(found @ _corners(fixed) - warp @ _corners(fixed)).max()
    # A wall that shows makes a face larger, by as much as a small item is wide.
    farthest = max(0.1 * max(fixed.item_mask.shape), MARGIN_M / fixed.resolution_m)
    if not np.isfinite(moved) or moved > farthest:
        return warp, 0.0
    return found.astype(np.float32), float(fit)


def _picture(view: ItemView) -> NDArray[np.float32]:
    """Grey values of the item on black, so that outline and print both count."""
    grey = cv2.cvtColor(view.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cv2.GaussianBlur(np.where(view.item_mask, grey + 64.0, 0.0), (5, 5), 0)


def _corners(view: ItemView) -> NDArray[np.float32]:
    rows, columns = view.item_mask.shape
    ends = [[0, columns, columns, 0], [0, 0, rows, rows], [1, 1, 1, 1]]
    return np.array(ends, np.float32)


def fuse(old: ItemView, new: ItemView, news: float) -> ItemView | None:
    """Add a view to what is known of an item.

    Heights are averaged by their inverse variance; a height that is off by more than four
    standard deviations is a flying pixel and keeps out. Places that one view missed are taken
    from the other.

    Args:
        old: what is known; its grid is kept.
        new: the next view.
        news: share of `new` that is independent of `old`, (0, 1], see `News`.

    Returns:
        The fused view, with the pose of the new one; None if the two do not show the same item.
    """
    warp, fit = align(old, new)
    if fit < _WORST_FIT:
        return None
    rgb, height, item, seen = _brought(new, warp, old.item_mask.shape)
    height -= lean(height - old.height_m, old.item_mask & item)
    old_weight, typical = _weight(old.height_std_m), _median_weight(new)
    new_weight = np.where(np.isnan(height), 0.0, typical * news)
    off = np.abs(height - old.height_m) > _GATE * np.sqrt(
        1.0 / np.maximum(old_weight, 1e-9) + 1.0 / max(typical, 1e-9)
    )
    new_weight[off] = 0.0
    total = old_weight + new_weight
    with np.errstate(divide='ignore', invalid='ignore'):
        mean = np.nan_to_num(old.height_m) * old_weight + np.nan_to_num(height) * new_weight
        fused = np.where(total > 0, mean / total, np.nan).astype(np.float32)
        std = np.where(total > 0, 1.0 / np.sqrt(total), np.nan).astype(np.float32)
    share = news / (old.frames + news)
    colour = cv2.addWeighted(old.rgb, 1.0 - share, rgb, share, 0.0)
    colour[~old.seen] = rgb[~old.seen]
    colour[~seen] = old.rgb[~seen]
    both = old.seen & seen
    return ItemView(
        colour,
        fused,
        std,
        # The first clean outline stands, but where only one view saw the place it decides.
        without_whiskers(
            np.where(both, old.item_mask, np.where(seen, item, old.item_mask)), old.resolution_m
        ),
        old.seen | seen,
        old.resolution_m,
        new.to_camera @ _shift_in_metres(warp, old, new),
        old.frames + news,
        old.noise_correlation_m,
    )


def lean(difference: NDArray[np.float32], item: NDArray[np.bool_]) -> NDArray[np.float32] | float:
    """Give the plane through the difference of two views: their faces were fitted apart."""
    rows, columns = np.nonzero(item & np.isfinite(difference))
    if len(rows) < 100:
        return 0.0
    some = slice(None, None, 1 + len(rows) // 4000)
    rows, columns = rows[some], columns[some]
    values = difference[rows, columns].astype(np.float64)
    design = np.stack([np.ones(len(rows)), rows, columns], axis=1)
    kept = np.ones(len(rows), bool)
    for _ in range(3):
        terms, *_ = np.linalg.lstsq(design[kept], values[kept], rcond=None)
        off = np.abs(values - design @ terms)
        kept = off <= 3.0 * max(float(np.median(off)), 1e-4)
    height, width = difference.shape
    plane = terms[0] + terms[1] * np.arange(height)[:, None] + terms[2] * np.arange(width)
    return np.asarray(plane, np.float32)


def _weight(std_m: NDArray[np.float32]) -> NDArray[np.float64]:
    with np.errstate(divide='ignore'):
        return np.where(np.isnan(std_m), 0.0, 1.0 / np.square(std_m, dtype=np.float64))


def _median_weight(view: ItemView) -> float:
    known = view.height_std_m[~np.isnan(view.height_std_m)]
    return float(1.0 / np.median(known) ** 2) if known.size else 0.0


def _brought(
    view: ItemView, warp: NDArray[np.float32], shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Resample a view: colour, height, item mask and what is seen of it."""
    size = (shape[1], shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    def warped(image: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.warpAffine(image, warp, size, flags=flags)

    weight = warped(view.valid.astype(np.float32))
    total = warped(np.nan_to_num(view.height_m).astype(np.float32))
    with np.errstate(divide='ignore', invalid='ignore'):
        height = np.where(weight > 0.5, total / weight, np.nan).astype(np.float32)
    return (
        cv2.warpAffine(view.rgb, warp, size, flags=flags),
        height,
        warped(view.item_mask.astype(np.float32)) > 0.5,
        warped(view.seen.astype(np.float32)) > 0.5,
    )


def _shift_in_metres(
    warp: NDArray[np.float32], old: ItemView, new: ItemView
) -> NDArray[np.float64]:
    """(4, 4) from view coordinates of `old` to those of `new`."""
    shift = np.eye(4)
    shift[:2, :2] = warp[:, :2]
    middle = (np.array(old.item_mask.shape[::-1]) - 1) / 2
    there = warp[:, :2] @ middle + warp[:, 2] - (np.array(new.item_mask.shape[::-1]) - 1) / 2
    shift[:2, 3] = there * new.resolution_m
    return shift
