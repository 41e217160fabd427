"""The outputs of the segmentation node; pictures are only made when somebody watches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image

import damage_perception.msg as msg
from damage_perception.overlay import draw_overlay
from damage_perception.report import DamageReport
from damage_perception.ros import qos
from damage_perception.ros.image_conversion import fill_image
from damage_perception.ros.messages import header, label_info_message, report_to_message


class ResultPublishers:
    """Publish a report and what is painted from it, all with the header of its image.

    Args:
        node: the node that they belong to.
        report_mismatch: told of subscribers whose QoS does not fit.
    """

    def __init__(self, node: LifecycleNode, report_mismatch: qos.Report) -> None:
        def make(kind: Any, topic: str, profile: Any) -> Any:
            events = qos.publisher_events(node.resolve_topic_name(topic), report_mismatch)
            return node.create_lifecycle_publisher(kind, topic, profile, event_callbacks=events)

        self.report = make(msg.DamageReport, 'damage/report', qos.RESULT)
        self.label_info = make(msg.LabelInfo, 'damage/label_info', qos.LATCHED)
        self.images = {
            name: make(Image, f'damage/{name}', qos.RESULT)
            for name in ('mask', 'instance_mask', 'confidence', 'overlay')
        }
        self._named_threshold: float | None = None

    def publish(self, report: DamageReport, rgb: NDArray[np.uint8] | None = None) -> None:
        """Publish; without `rgb` no overlay, and for a report without image size no picture."""
        image_header = header(report.stamp_ns, report.frame_id)
        self.report.publish(report_to_message(report))
        if report.width > 0:
            self._publish_images(report, image_header, rgb)
        if report.threshold and report.threshold != self._named_threshold:
            self._named_threshold = report.threshold
            self.label_info.publish(label_info_message(image_header, report.threshold))

    def destroy(self, node: LifecycleNode) -> None:
        """Give the publishers back."""
        for publisher in (self.report, self.label_info, *self.images.values()):
            node.destroy_lifecycle_publisher(publisher)

    def _publish_images(
        self,
        report: DamageReport,
        image_header: Any,
        rgb: NDArray[np.uint8] | None,
    ) -> None:
        if self._watched('mask'):
            self._send('mask', report.label_mask(), 'mono8', image_header)
        if self._watched('instance_mask'):
            self._send('instance_mask', report.instance_mask(), 'mono8', image_header)
        if self._watched('confidence'):
            self._send('confidence', report.confidence_image(), '32FC1', image_header)
        if rgb is not None and self._watched('overlay'):
            self._send('overlay', draw_overlay(rgb, report), 'rgb8', image_header)

    def _watched(self, name: str) -> bool:
        return bool(self.images[name].get_subscription_count())

    def _send(self, name: str, pixels: NDArray[Any], encoding: str, image_header: Any) -> None:
        self.images[name].publish(fill_image(Image(header=image_header), pixels, encoding))
