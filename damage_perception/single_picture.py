"""One picture by itself, with nothing before it: what `predict` and evaluations judge."""

from __future__ import annotations

from dataclasses import replace

from damage_perception.frame import RgbdFrame
from damage_perception.perception.decision.calibration_file import detector_calibration
from damage_perception.perception.evidence.assessor import Assessor
from damage_perception.perception.evidence.photo import judge_photo
from damage_perception.perception.gallery.lookup import References
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageReport
from damage_perception.settings import Settings


def judge_picture(
    frame: RgbdFrame, settings: Settings | None = None, references: References | None = None
) -> DamageReport:
    """Judge a picture by the pipeline, or by colour alone where it has no depth.

    Args:
        frame: the picture; its identity says which references are looked up.
        settings: see `Settings`.
        references: pristine items of the product; they need depth, so colour alone ignores them.

    Raises:
        UserError: if weights or calibration cannot be used or are not of each other.
    """
    if frame.depth_m is not None:
        return DamagePipeline(settings, references=references, only_look=True).process(frame)
    settings = settings or Settings()
    assessor = Assessor(settings.network)
    # It says nothing of colour alone, but one of other weights is a mistake here too.
    detector_calibration(settings.decision.calibration_file, assessor.detector)
    return replace(judge_photo(frame.rgb, assessor), detector=assessor.detector)
