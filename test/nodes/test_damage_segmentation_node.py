"""The segmentation node over real DDS: headers, silence, jumps, bad frames, life cycle.

The pipeline is replaced by one that finds nothing, so that only the node is under test;
test_processes.py runs the real one.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from ros_graph import FRAME, Graph, wait_for
from sensor_msgs.msg import Image

from damage_perception import msg
from damage_perception.frame import RgbdFrame
from damage_perception.nodes import damage_segmentation_node as module
from damage_perception.perception.decision.policy_file import load_policy
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.report import DamageReport, Health
from damage_perception.ros import qos, result_publishers
from damage_perception.ros.image_conversion import stamp_ns

S = 1_000_000_000
REPORT = 'damage/report'


class FindsNothing:
    """A pipeline that is content with every frame."""

    def __init__(self, settings: Any) -> None:
        self.settings, self.resets, self.sensor = settings, 0, SensorProfile()

    def process(self, frame: RgbdFrame) -> DamageReport:
        if frame.camera is None:
            return DamageReport(frame.stamp_ns, frame.frame_id, 64, 48, Health.UNKNOWN, 'no info')
        return self.signed(DamageReport(frame.stamp_ns, frame.frame_id, 64, 48, Health.OK))

    def signed(self, report: DamageReport) -> DamageReport:
        return dataclasses.replace(report, threshold=0.5)

    def contradictions(self) -> list[str]:
        return []

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture(autouse=True)
def _plain_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'DamagePipeline', FindsNothing)


def health_of(reports: list[Any]) -> int | None:
    return reports[-1].health if reports else None


def is_ok(reports: list[Any]) -> bool:
    return health_of(reports) == Health.OK


def is_unknown(reports: list[Any]) -> bool:
    return health_of(reports) == Health.UNKNOWN


def test_every_output_has_the_header_of_its_image(graph: Graph) -> None:
    outputs = [graph.listen(msg.DamageReport, REPORT)]
    outputs += [graph.listen(Image, f'damage/{name}') for name in ('mask', 'confidence', 'overlay')]
    graph.add(module.DamageSegmentationNode())
    graph.stream(lambda: all(outputs) and is_ok(outputs[0]), 5.0)
    reports, masks, confidences, overlays = (
        {o.header.stamp.nanosec: o for o in k} for k in outputs
    )
    common = set(reports) & set(masks) & set(confidences) & set(overlays)
    assert common
    assert {o.header.frame_id for kind in outputs for o in kind} == {FRAME}
    assert [kind[-1].encoding for kind in outputs[1:]] == ['mono8', '32FC1', 'rgb8']
    assert (outputs[1][-1].height, outputs[1][-1].width, outputs[1][-1].step) == (48, 64, 64)


def test_the_overlay_is_not_drawn_unless_somebody_watches(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(result_publishers, 'draw_overlay', lambda rgb, *_: drawn.append(1) or rgb)
    reports = graph.listen(msg.DamageReport, REPORT)
    graph.add(module.DamageSegmentationNode())
    graph.stream(lambda: len(reports) > 5, 5.0)
    assert not drawn
    graph.listen(Image, 'damage/overlay')
    graph.stream(lambda: drawn, 5.0)


def test_silent_depth_is_named_and_recovers_within_a_second(graph: Graph) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    arrays = graph.listen(DiagnosticArray, '/diagnostics')
    graph.add(module.DamageSegmentationNode())
    graph.stream(lambda: is_ok(reports) and len(reports) > 5, 5.0)
    named = '/depth_registered/image_rect has been silent'

    def diagnosed() -> bool:
        return any(named in status.message for array in arrays for status in array.status)

    graph.stream(lambda: is_unknown(reports) and diagnosed(), 1.0, depth=False)
    assert named in reports[-1].reason
    assert arrays[-1].status[0].level == DiagnosticStatus.ERROR
    seen = len(reports)
    graph.stream(lambda: len(reports) >= seen + 3, 2.5, depth=False)
    graph.stream(lambda: is_ok(reports), 1.0)


def test_missing_camera_info_is_unknown_until_it_comes(graph: Graph) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    graph.add(module.DamageSegmentationNode())
    graph.stream(lambda: len(reports) > 3, 5.0, info=False)
    assert {report.health for report in reports} == {Health.UNKNOWN}
    graph.stream(lambda: is_ok(reports), 1.0)


def test_nothing_at_all_is_said_once_a_second(graph: Graph) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    graph.add(module.DamageSegmentationNode())
    wait_for(lambda: len(reports) >= 2, 3.0, 'a second report')
    assert 'have not sent anything yet' in reports[-1].reason


@pytest.mark.parametrize(
    ('broken', 'sentence'),
    [
        ({'step': 5}, 'step must be at least'),
        ({'encoding': 'bayer_rggb8'}, 'cv_bridge'),
        ({'data': b'', 'height': 0}, 'image size must be'),
    ],
)
def test_a_broken_image_is_unknown_and_the_next_one_is_judged(
    graph: Graph, broken: dict[str, Any], sentence: str
) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    graph.add(module.DamageSegmentationNode())
    graph.stream(lambda: is_ok(reports), 5.0)
    graph.stream(lambda: is_unknown(reports), 1.0, **broken)
    assert sentence in reports[-1].reason
    graph.stream(lambda: is_ok(reports), 1.0)


def test_time_going_back_clears_the_tracks_once(graph: Graph) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    node = graph.add(module.DamageSegmentationNode())
    graph.stream(lambda: is_ok(reports), 5.0)
    first = node._pipeline.resets
    for run in range(2):
        for k in range(25):
            graph.send(100 * S + k * S // 30)
            time.sleep(0.01)
        wait_for(lambda: reports[-1].header.stamp.sec == 100, 2.0, 'a report of the new run')
        assert node._pipeline.resets == first + run + 1


def test_a_worker_that_raises_goes_on(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    node = graph.add(module.DamageSegmentationNode())
    graph.stream(lambda: is_ok(reports), 5.0)
    with monkeypatch.context() as patch:
        patch.setattr(node._pipeline, 'process', lambda frame: 1 / 0)
        graph.stream(lambda: is_unknown(reports), 1.0)
    assert 'division by zero' in reports[-1].reason
    graph.stream(lambda: is_ok(reports), 1.0)


def test_life_cycle_by_its_services(graph: Graph) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    graph.add(module.DamageSegmentationNode(), autostart=False)
    client = graph.node.create_client(ChangeState, 'damage_segmentation_node/change_state')
    assert client.wait_for_service(5.0)

    def change(transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        future = client.call_async(request)
        wait_for(future.done, 5.0, 'the transition')
        return bool(future.result().success)

    for _ in range(2):
        assert change(Transition.TRANSITION_CONFIGURE)
        assert not change(Transition.TRANSITION_CONFIGURE)
        assert change(Transition.TRANSITION_ACTIVATE)
        reports.clear()
        graph.stream(lambda: is_ok(reports), 5.0)
        assert change(Transition.TRANSITION_DEACTIVATE)
        time.sleep(0.2)
        reports.clear()
        for _ in range(5):
            graph.send(graph.node.get_clock().now().nanoseconds)
            time.sleep(0.02)
        assert not reports
        assert change(Transition.TRANSITION_CLEANUP)


def test_parameters_are_checked_as_a_whole_and_read_only_ones_stay(graph: Graph) -> None:
    node = graph.add(module.DamageSegmentationNode())
    client = graph.node.create_client(
        SetParametersAtomically, 'damage_segmentation_node/set_parameters_atomically'
    )
    assert client.wait_for_service(5.0)

    def change(**values: Any) -> bool:
        parameters = [
            Parameter(name.replace('__', '.'), value=value).to_parameter_msg()
            for name, value in values.items()
        ]
        future = client.call_async(SetParametersAtomically.Request(parameters=parameters))
        wait_for(future.done, 5.0, 'the answer')
        return bool(future.result().result.successful)

    assert change(decision__threshold=0.25, input__stale_after_s=0.8)
    assert node.core.value.decision.threshold == 0.25
    assert node.settings.value.input.stale_after_s == 0.8
    assert not change(decision__threshold=0.75, input__stale_after_s=-1.0)
    assert not change(decision__threshold=1.5)
    assert not change(input__slop_s=0.1)
    assert node.core.value.decision.threshold == 0.25


def test_how_long_silence_may_last_can_be_changed_while_the_node_runs(graph: Graph) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    node = graph.add(module.DamageSegmentationNode())
    node.set_parameters([Parameter('input.stale_after_s', value=30.0)])
    graph.stream(lambda: is_ok(reports), 5.0)
    time.sleep(1.5)
    assert is_ok(reports)


def test_a_frame_that_takes_long_is_reported_before_silence_is(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its report would have an older stamp than the one that tells of silence."""
    reports = graph.listen(msg.DamageReport, REPORT, qos.DECISION)
    node = graph.add(module.DamageSegmentationNode())
    node.set_parameters([Parameter('input.stale_after_s', value=0.2)])
    graph.stream(lambda: is_ok(reports), 5.0)
    time.sleep(0.3)  # what was sent last is judged
    process = node._pipeline.process
    monkeypatch.setattr(node._pipeline, 'process', lambda f: time.sleep(1.0) or process(f))
    reports.clear()
    slow = graph.node.get_clock().now().nanoseconds
    graph.send(slow)
    wait_for(lambda: is_ok(reports), 5.0, 'the report')
    stamps = [stamp_ns(report) for report in reports]
    assert stamps[-1] == slow
    assert all(stamp < slow for stamp in stamps[:-1])
    wait_for(lambda: is_unknown(reports), 5.0, 'silence')


def test_a_policy_that_cannot_be_read_is_told_in_a_sentence(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(settings: Any) -> None:
        load_policy('/nowhere/policy.yaml')

    monkeypatch.setattr(module, 'DamagePipeline', refuse)
    graph.add(module.DamageSegmentationNode())
    said = capfd.readouterr().err
    assert '/nowhere/policy.yaml cannot be read' in said
    assert 'Traceback' not in said


def test_label_info_is_latched(graph: Graph) -> None:
    reports = graph.listen(msg.DamageReport, REPORT)
    graph.add(module.DamageSegmentationNode())
    graph.stream(lambda: is_ok(reports), 5.0)
    infos = graph.listen(msg.LabelInfo, 'damage/label_info', qos.LATCHED)
    wait_for(lambda: infos, 3.0, 'the latched message')
    names = {entry.class_id: entry.class_name for entry in infos[0].class_map}
    assert (names[0], names[1], names[255]) == ('none', 'crush', 'not_judged')


def test_a_subscriber_that_asks_for_too_much_is_named(graph: Graph) -> None:
    node = module.DamageSegmentationNode()
    said: list[str] = []
    node.warn = said.append
    graph.add(node)
    graph.listen(msg.DamageReport, REPORT, qos.LATCHED)
    wait_for(lambda: said, 3.0, 'a warning')
    assert said[0].startswith('/damage/report: a subscriber asks for another durability')
