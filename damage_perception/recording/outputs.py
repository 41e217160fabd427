"""Where judgements go: lines of JSON, a recording, pictures. Each appears only when whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.recording.jsonl import (
    decision_dict,
    decision_line,
    label_info_dict,
    report_dict,
    report_line,
)
from damage_perception.recording.judging import Judgement
from damage_perception.recording.types import DECISION, IMAGE, LABELS, REPORT
from damage_perception.recording.writer import RecordingWriter
from damage_perception.report import DamageReport, header_dict


class LineFile:
    """A text file that gets its name only when it is whole.

    Raises:
        UserError: if it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f'.{path.name}.part')
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._part.open('w', encoding='utf-8')
        except OSError as error:
            raise self._cannot_write(error) from error

    def write(self, *lines: str) -> None:
        """Add lines."""
        try:
            self._stream.writelines(f'{line}\n' for line in lines)
        except OSError as error:
            raise self._cannot_write(error) from error

    def __enter__(self) -> LineFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._stream.close()
            if kind is None:
                self._part.replace(self.path)
        except OSError as failure:
            raise self._cannot_write(failure) from failure
        finally:
            self._part.unlink(missing_ok=True)

    def _cannot_write(self, error: OSError) -> UserError:
        return UserError(
            f'{self.path} cannot be written ({error.strerror or error}); '
            'free space there or give another place'
        )


class JsonLines(LineFile):
    """Write a line a report and a line a decision."""

    def take(self, judgement: Judgement) -> None:
        """Write what one step gave."""
        if judgement.report is not None:
            self.write(report_line(judgement.report))
        self.write(*map(decision_line, judgement.decisions))


class ResultBag:
    """Write reports, masks and decisions as the topics that the nodes publish."""

    def __init__(self, folder: Path) -> None:
        self._writer = RecordingWriter(folder)
        self._last_ns = 0
        self._named_threshold = 0.0

    def take(self, judgement: Judgement) -> None:
        """Write what one step gave; decisions at the end get the time of the last report."""
        report = judgement.report
        if report is not None:
            self._last_ns = report.stamp_ns
            if report.threshold not in (0.0, self._named_threshold):
                self._named_threshold = report.threshold
                labels = label_info_dict(report)
                self._writer.write('/damage/label_info', LABELS, labels, report.stamp_ns, True)
            self._writer.write('/damage/report', REPORT, report_dict(report), report.stamp_ns)
            if report.width > 0:
                self._write_images(report)
        for decision in judgement.decisions:
            fields = decision_dict(decision)
            self._writer.write('/divert/decision', DECISION, fields, self._last_ns)

    def _write_images(self, report: DamageReport) -> None:
        for topic, pixels, encoding in (
            ('/damage/mask', report.label_mask(), 'mono8'),
            ('/damage/instance_mask', report.instance_mask(), 'mono8'),
            ('/damage/confidence', report.confidence_image(), '32FC1'),
        ):
            fields = _image_fields(report, pixels, encoding)
            self._writer.write(topic, IMAGE, fields, report.stamp_ns)

    def __enter__(self) -> ResultBag:
        return self

    def __exit__(self, *exit_details: Any) -> None:
        self._writer.__exit__(*exit_details)


class Pictures:
    """Write a PNG a frame with its findings drawn in."""

    def __init__(
        self, folder: Path, draw: Callable[[NDArray[np.uint8], DamageReport], NDArray[np.uint8]]
    ) -> None:
        self.folder, self._draw, self._count = folder, draw, 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f'{folder} cannot be made ({error.strerror})') from error

    def take(self, judgement: Judgement) -> None:
        """Draw what one step gave."""
        if judgement.report is None or judgement.frame is None:
            return
        picture = self._draw(judgement.frame.rgb, judgement.report)
        write_png(self.folder / f'{self._count:06d}.png', picture)
        self._count += 1


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) uint8 picture, red first.

    Raises:
        UserError: if the file cannot be written.
    """
    done, data = cv2.imencode('.png', np.ascontiguousarray(rgb[..., ::-1]))
    try:
        if not done:
            raise OSError('encoding failed')
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror or error})') from error


def _image_fields(report: DamageReport, pixels: NDArray[Any], encoding: str) -> dict[str, Any]:
    pixels = np.ascontiguousarray(pixels)
    return {
        'header': header_dict(report.stamp_ns, report.frame_id),
        'height': pixels.shape[0],
        'width': pixels.shape[1],
        'encoding': encoding,
        'is_bigendian': 0,
        'step': pixels.strides[0],
        'data': pixels.view(np.uint8).reshape(-1),
    }
