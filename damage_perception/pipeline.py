"""The only way from a frame to a report, for nodes, replay, evaluation and tests."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import FrameError, MeasuredFrame, RgbdFrame
from damage_perception.perception.decision.calibration import Calibration
from damage_perception.perception.decision.calibration_file import detector_calibration
from damage_perception.perception.decision.item_figures import PictureWatch
from damage_perception.perception.decision.policy_file import load_policy
from damage_perception.perception.evidence.assessor import Assessor
from damage_perception.perception.evidence.evidence import Evidence
from damage_perception.perception.gallery.lookup import References
from damage_perception.perception.items.items import find_items
from damage_perception.perception.judge import Judge
from damage_perception.perception.projection import height_image
from damage_perception.perception.sensor.noise import SensorWatch
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.support.support import SupportFinder
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageReport, Health
from damage_perception.settings import Settings

_POOR_DEPTH = 0.15  # share of the region with depth below which the camera is not to be trusted


def unknown_report(frame: RgbdFrame, reason: str) -> DamageReport:
    """Say that nothing was judged, and why."""
    height, width = frame.rgb.shape[:2]
    return DamageReport(frame.stamp_ns, frame.frame_id, width, height, Health.UNKNOWN, reason)


class DamagePipeline:
    """Find the items of a frame, follow them, judge them.

    Not thread-safe: one owner calls `process` with frames in order of time. `settings` may be
    replaced between two calls.

    Attributes:
        detector: SHA-256 of the weights that judge, or `geometry` and a version.
        references: pristine references of products, looked up when an item needs them.

    Args:
        settings: see `Settings`.
        calibration: what raw scores mean and what is diverted; None = as the settings say.
        references: what items are compared with; None = the gallery that the settings name.
        only_look: whether each picture stands alone, so that the network judges what is cut off,
            covered or merged too; on a belt a better look comes.

    Raises:
        UserError: if weights or calibration cannot be used or are not of each other.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        calibration: Calibration | None = None,
        references: References | None = None,
        only_look: bool = False,
    ) -> None:
        self._settings = settings or Settings()
        assessor = Assessor(self._settings.network)
        self.detector = assessor.detector
        file = self._settings.decision.calibration_file
        self._calibration = calibration or detector_calibration(file, self.detector)
        self._calibration.check_detector(self.detector)
        self._policy = load_policy(self._settings.decision.policy_file)
        self._support = SupportFinder(self._settings.plane, only_look)
        self.references = references or References(self._settings.gallery.folder)
        self._sensor = SensorWatch()
        self._only_look = only_look
        self._judge = Judge(self._settings, assessor, self._counts, self.references, only_look)
        self._pictures = PictureWatch()
        self._newest_ns: int | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings
        self._support.settings = settings.plane
        self._judge.settings = settings

    def process(self, frame: RgbdFrame) -> DamageReport:
        """Judge one frame; evidence that is missing gives health UNKNOWN with a reason."""
        return self.signed(self._process(frame))

    def signed(self, report: DamageReport) -> DamageReport:
        """Name in a report what judged, and from which P(damaged) an item counts as damaged."""
        return dataclasses.replace(
            report,
            threshold=self._threshold,
            detector=self.detector,
            calibration=self._calibration.version,
            gallery=str(self.references.version or ''),
            drift=self._pictures.sentence(),
        )

    @property
    def _threshold(self) -> float:
        return self._settings.decision.threshold or self._calibration.point.threshold

    def _counts(self, evidence: Evidence, sku: str) -> bool:
        """Tell whether an item of a product with this evidence counts as damaged."""
        said = self._calibration.said(evidence.score, evidence.probability)
        return said >= self._policy.threshold(self._threshold, sku)

    def _process(self, frame: RgbdFrame) -> DamageReport:
        if self._newest_ns is not None and frame.stamp_ns <= self._newest_ns:
            return unknown_report(frame, 'the frame is not newer than the one before')
        self._newest_ns = frame.stamp_ns
        try:
            measured = MeasuredFrame.of(frame)
        except FrameError as error:
            return unknown_report(frame, str(error))
        timings: dict[str, float] = {}
        with _timed(timings, 'support'):
            support = self._support.update(measured.depth_m, measured.camera)
        if support is None:
            away = float(np.nanmedian(measured.depth_m))
            return unknown_report(
                frame,
                f'no belt or tray was found (median depth {away:.3g} m): show the camera more of '
                'it or set plane.region',
            )
        with _timed(timings, 'items'):
            height_m = height_image(measured.depth_m, support.plane, measured.camera)
            profile = self._sensor.update(
                measured.depth_m, height_m, support.region, self._settings.plane.tolerance_m
            )
            pixel_m = support.plane.offset / measured.camera.fx
            found = find_items(
                frame.rgb, height_m, support.region, pixel_m, self._settings.items, self._only_look
            )
        with _timed(timings, 'judge'):
            raw = self._judge.judge(measured, found, support.plane, profile)
            items = tuple(self._calibration.apply(item) for item in raw)
            self._pictures.take(measured, items)
        health, reason = self._health(measured, support.region)
        rows, columns = frame.rgb.shape[:2]
        return DamageReport(
            frame.stamp_ns, frame.frame_id, columns, rows, health, reason, items, timings
        )

    @property
    def calibration(self) -> Calibration:
        """What raw scores mean and what is diverted."""
        return self._calibration

    @property
    def sensor(self) -> SensorProfile:
        """The noise of the depth as the newest frames show it."""
        return self._sensor.profile

    def contradictions(self) -> list[str]:
        """Name the items of the newest frame whose looks and barcode disagree, a sentence each."""
        return self._judge.contradictions()

    def view_of(self, track_id: int) -> ItemView | None:
        """Give the fused view of an item that was in the newest frames; None = there is none."""
        return self._judge.view_of(track_id)

    def reset(self) -> None:
        """Forget all tracks and the support, as after a jump back in time; ids stay used.

        The support too, so that a recording that is played again is judged again alike.
        """
        self._judge.reset()
        self._support.forget()
        self._sensor.forget()
        self._newest_ns = None

    @staticmethod
    def _health(frame: MeasuredFrame, region: NDArray[np.bool_]) -> tuple[Health, str]:
        share = float(np.isfinite(frame.depth_m[region]).mean()) if region.any() else 0.0
        if share < _POOR_DEPTH:
            return Health.DEGRADED, f'only {share:.0%} of the region of interest has depth'
        return Health.OK, ''


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings[stage] = (time.perf_counter() - start) * 1e3
