"""RGB-D topics in, damage masks and reports out."""

from __future__ import annotations

import sys
import traceback
from dataclasses import replace
from threading import Lock
from typing import Any

from sensor_msgs.msg import CameraInfo, Image

import damage_perception.msg as msg
from damage_perception.frame import FrameError
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageReport, Health
from damage_perception.ros import diagnostics, qos
from damage_perception.ros.alive import give_sign
from damage_perception.ros.frame_source import DEPTH, IDENTITY, INFO, RGB, FrameSource, Job
from damage_perception.ros.image_conversion import is_distorted, stamp_ns
from damage_perception.ros.managed_node import ManagedNode
from damage_perception.ros.node_settings import SegmentationNodeSettings
from damage_perception.ros.parameters import LiveSettings
from damage_perception.ros.reference_services import ReferenceServices
from damage_perception.ros.result_publishers import ResultPublishers
from damage_perception.ros.spinning import spin
from damage_perception.ros.worker import NewestWorker
from damage_perception.settings import Settings

WATCH_PERIOD_S = 0.05
REPEAT_UNKNOWN_S = 0.5  # while no pair comes, a report says so at this interval
DIAGNOSE_PERIOD_S = 1.0


class DamageSegmentationNode(ManagedNode):
    """A shell around `DamagePipeline`: pairs in, newest first; reports, masks and figures out."""

    def __init__(self) -> None:
        super().__init__('damage_segmentation_node')
        self.settings = LiveSettings(self, SegmentationNodeSettings())
        self.core = LiveSettings(self, Settings())
        self._worker: Any = None  # NewestWorker while active
        self._judging = Lock()  # a worker that was stopped may still be at its last frame

    def configure(self) -> None:
        """Make the pipeline and what it speaks through."""
        self._pipeline = DamagePipeline(self.core.value)  # loads its libraries before a frame comes
        self._outputs = ResultPublishers(self, self.warn)
        self._diagnostics = diagnostics.Diagnostics(self)
        self._sign = give_sign(self, 'damage/alive')
        self._enrolments = ReferenceServices(self, self.core.value.gallery.folder)

    def activate(self) -> None:
        """Listen to the inputs and begin to work."""
        topics = {name: self.resolve_topic_name(name) for name in (RGB, DEPTH, INFO)}
        self._source = FrameSource(self.settings.value.input, self.now_s(), topics)
        self._worker = NewestWorker(self._work, self._publish, self._failed, 'damage_pipeline')
        self._epoch, self._last = -1, DamageReport(0, '', 0, 0, Health.UNKNOWN, 'no image yet')
        self._contradictions: list[str] = []
        self._silence, self._diagnosed = '', (diagnostics.STALE, False)
        self._repeated_s = self._diagnosed_s = -1e9
        # Of what waits, rclpy serves first what was subscribed first: the calibration of a frame
        # and its depth before the next colour image, with which time may go back.
        self.listen(CameraInfo, INFO, self._on_info, qos.SENSOR)
        self.listen(Image, DEPTH, lambda message: self._on_image(DEPTH, message), qos.SENSOR)
        self.listen(Image, RGB, lambda message: self._on_image(RGB, message), qos.SENSOR)
        self.listen(msg.ItemIdentity, IDENTITY, self._source.add_identity, qos.RESULT)
        self._timer = self.every(WATCH_PERIOD_S, self._watch)

    def deactivate(self) -> None:
        """Stop to listen; a frame that is being judged is not reported any more."""
        if self._worker is None:
            return
        self.destroy_timer(self._timer)
        self.stop_listening()
        self._worker.stop()
        self._worker = None
        self._enrolments.stop('the node was deactivated')

    def cleanup(self) -> None:
        """Give the publishers back."""
        if hasattr(self, '_outputs'):
            self._enrolments.destroy()
            self._outputs.destroy(self)
            self._diagnostics.destroy()
            self.destroy_publisher(self._sign)
            del self._outputs, self._diagnostics, self._pipeline

    def _on_image(self, name: str, message: Any) -> None:
        self._submit(self._source.add_image(name, message, self.now_s()))

    def _on_info(self, message: Any) -> None:
        self._source.add_info(message, self.now_s())
        if is_distorted(message):
            self.once(
                'the camera info is that of a lens with distortion; rectify colour and depth '
                '(image_proc) and remap the topics to what comes out'
            )

    def _submit(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._worker.submit(job)

    def _work(self, job: Job) -> tuple[DamageReport, Any]:
        """Judge one pair; runs in the thread of the worker, which alone uses the pipeline."""
        frame = job.frame()
        with self._judging:
            if job.epoch != self._epoch:
                self._begin_anew(job.epoch)
            self._pipeline.settings = self.core.value
            report = self._pipeline.process(frame)
            self._enrolments.offer(report, self._pipeline)
            self._contradictions = self._pipeline.contradictions()
        for sentence in self._contradictions:
            self.warn(sentence, kind='identity')
        if report.health == Health.UNKNOWN:
            self.warn(report.reason)
        return report, frame.rgb

    def _begin_anew(self, epoch: int) -> None:
        """Forget the tracks: the node was activated, or time went back."""
        self._pipeline.reset()
        if self._epoch >= 0:
            self.get_logger().warning('time went back; queues and tracks are cleared')
        self._epoch = epoch

    def _failed(self, job: Job, error: Exception) -> None:
        if isinstance(error, FrameError):
            self.warn(str(error))
        else:
            text = ''.join(traceback.format_exception(error))
            self.warn(f'a frame could not be judged:\n{text}', kind='failure')
        reason = str(error) or type(error).__name__
        unknown = self._unknown(job.rgb, reason)
        if not isinstance(error, FrameError):  # the image was read, but not judged
            unknown = replace(unknown, width=job.rgb.width, height=job.rgb.height)
        self._publish((unknown, None))

    def _publish(self, result: tuple[DamageReport, Any]) -> None:
        """Publish a report, and the colour image that it is about where it was judged."""
        report, rgb = result
        self._last = report
        self._outputs.publish(report, rgb)

    def _unknown(self, rgb: Any | None, reason: str) -> DamageReport:
        stamp, frame_id = (stamp_ns(rgb), rgb.header.frame_id) if rgb is not None else (0, '')
        return self._pipeline.signed(DamageReport(stamp, frame_id, 0, 0, Health.UNKNOWN, reason))

    def _watch(self) -> None:
        """Say UNKNOWN while the inputs are silent, and how things are once a second."""
        now = self.now_s()
        self._source.settings = self.settings.value.input
        self._submit(self._source.poll(now))
        self._enrolments.poll()
        silence = self._source.silence(now)
        if bool(silence) != bool(self._silence):
            log = self.get_logger()
            log.warning(silence) if silence else log.info('the inputs are back')
        self._silence = silence
        # What is said now would make a report late that is still worked on.
        if silence and not self._worker.busy and now - self._repeated_s >= REPEAT_UNKNOWN_S:
            self._repeated_s = now
            self._publish((self._unknown(self._source.newest_rgb, silence), None))
        self._diagnose(now)

    def _diagnose(self, now: float) -> None:
        level, text = diagnostics.OK, 'judging'
        if self._silence:
            level, text = diagnostics.ERROR, self._silence
        elif self._last.health != Health.OK:
            level, text = diagnostics.WARN, self._last.reason
        state = (level, bool(self._silence))
        if state == self._diagnosed and now - self._diagnosed_s < DIAGNOSE_PERIOD_S:
            return
        self._diagnosed, self._diagnosed_s = state, now
        values = diagnostics.source_values(self._source, now)
        values['frames overwritten'] = self._worker.overwritten
        values['depth noise at 1 m (mm)'] = 1e3 * self._pipeline.sensor.std_m(1.0)
        values['barcode and looks disagree'] = '; '.join(self._contradictions)
        values |= {f'stage {stage} (ms)': float(ms) for stage, ms in self._last.timings_ms.items()}
        self._diagnostics.publish(level, text, values)


def main() -> None:
    """Run the node."""
    sys.exit(spin([DamageSegmentationNode]))


if __name__ == '__main__':
    main()
