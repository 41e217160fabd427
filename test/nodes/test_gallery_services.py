"""References enrolled, listed and removed over services while the node runs.

The pipeline is replaced by one that reports what the test says, so that only node, services and
gallery are under test.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gallery_views import make_view
from ros_graph import Graph, wait_for

from damage_perception import msg, srv
from damage_perception.frame import RgbdFrame
from damage_perception.nodes import damage_segmentation_node as module
from damage_perception.perception.decision.calibration import Calibration, OperatingPoint
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.lookup import GallerySettings, References
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.report import DamageReport, Health, ItemReport, Pose, Roi, Status

INFO = msg.ReferenceInfo


class Sees:
    """A pipeline that reports the items of `items`, each with a view of `frames` frames."""

    items: tuple[ItemReport, ...] = ()
    frames = 9.0
    sensor = SensorProfile()
    calibration = Calibration(OperatingPoint(0.005, 0.3, 0.01, 300, 0), 0.95)

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.references = References(settings.gallery.folder)

    def process(self, frame: RgbdFrame) -> DamageReport:
        health = Health.OK if frame.camera else Health.UNKNOWN
        return DamageReport(frame.stamp_ns, frame.frame_id, 64, 48, health, items=self.items)

    def view_of(self, track_id: int) -> Any:
        return dataclasses.replace(make_view(track_id), frames=self.frames)

    def signed(self, report: DamageReport) -> DamageReport:
        return report

    def contradictions(self) -> list[str]:
        return []

    def reset(self) -> None: ...


def item(track: int, sku: str = 'A1', confidence: float = 0.01, status: int = 0) -> ItemReport:
    nothing = np.zeros((4, 4), bool), np.full((4, 4), np.nan, np.float32)
    return ItemReport(
        track, sku, 1.0, Pose((0.0,) * 3, (0.0, 0.0, 0.0, 1.0)), (0.1,) * 3, Roi(0, 0, 4, 4),
        confidence, confidence, np.nan, Status(status), 3, (), *nothing,
    )  # fmt: skip


class Desk:
    """A node with a gallery, and the calls of an operator."""

    def __init__(self, graph: Graph, monkeypatch: pytest.MonkeyPatch, path: Path | str) -> None:
        monkeypatch.setattr(module, 'DamagePipeline', Sees)
        monkeypatch.setattr(Sees, 'items', ())
        monkeypatch.setattr(Sees, 'frames', 9.0)
        self.graph = graph
        self.reports = graph.listen(msg.DamageReport, 'damage/report')
        node = module.DamageSegmentationNode()
        kept = GallerySettings(str(path))
        node.core.value = dataclasses.replace(node.core.value, gallery=kept)
        self.node = graph.add(node)
        graph.stream(lambda: self.reports, 5.0)

    def begin(self, kind: Any, name: str, **fields: Any) -> Any:
        client = self.graph.node.create_client(kind, f'gallery/{name}')
        assert client.wait_for_service(5.0)
        return client.call_async(kind.Request(**fields))

    def call(self, kind: Any, name: str, **fields: Any) -> Any:
        future = self.begin(kind, name, **fields)
        self.graph.stream(future.done, 10.0)
        return future.result()

    def enrol(self, **fields: Any) -> Any:
        return self.call(srv.EnrollReference, 'enroll_reference', **fields)

    def listed(self, sku: str = '') -> list[Any]:
        answer = self.call(srv.ListReferences, 'list_references', sku=sku)
        assert answer.success, answer.message
        return list(answer.references)

    def numbers(self, state: int) -> list[int]:
        return [info.reference for info in self.listed() if info.state == state]


@pytest.fixture
def desk(graph: Graph, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    return Desk(graph, monkeypatch, tmp_path / 'gallery')


def test_an_item_in_view_becomes_a_reference_that_is_seen_without_a_restart(desk: Desk) -> None:
    assert desk.listed() == []
    Sees.items = (item(7),)
    answer = desk.enrol(track_id=7, design='2026', by='Ada')
    assert (answer.success, answer.message) == (True, '')
    listed = desk.listed('A1')
    assert [(i.reference, i.sku, i.state, i.design, i.by) for i in listed] == [
        (answer.reference.reference, 'A1', INFO.ACTIVE, '2026', 'Ada')
    ]
    assert abs(time.time() - listed[0].enrolled_at.sec) < 60.0
    references = desk.node._pipeline.references
    desk.graph.stream(lambda: references.of('A1').references, 5.0)


def test_one_waits_for_its_item_while_the_node_goes_on(desk: Desk) -> None:
    future = desk.begin(srv.EnrollReference, 'enroll_reference', sku='B2', timeout=20.0)
    seen = len(desk.reports)
    desk.graph.stream(lambda: len(desk.reports) > seen + 5, 5.0)
    assert desk.listed() == []  # another call is served meanwhile
    assert not future.done()
    Sees.items = (item(8, 'A1'), item(9, 'B2'))
    desk.graph.stream(future.done, 5.0)
    assert future.result().success
    assert [info.sku for info in desk.listed()] == ['B2']


@pytest.mark.parametrize(
    ('items', 'call', 'sentence'),
    [
        ((), {'track_id': 7}, 'track 7 is not in view'),
        ((), {'sku': 'A1'}, 'no item that is said to be A1 came into view'),
        ((item(7, status=Status.TRUNCATED),), {'track_id': 7}, 'it was never wholly in view'),
        ((item(7, sku=''),), {'track_id': 7}, 'nobody says what track 7 is'),
        ((item(7), item(8)), {'sku': 'A1'}, '2 items in view are said to be A1'),
        ((), {}, 'name a track_id'),
        ((), {'sku': '../A1'}, 'without slashes'),
        ((), {'sku': 'A' * 10_000}, 'at most 128 characters'),
        ((), {'sku': 'A1', 'timeout': -1.0}, 'timeout must lie in'),
        ((), {'sku': 'A1', 'timeout': float('nan')}, 'timeout must lie in'),
        ((), {'sku': 'A1', 'by': 'x' * 500}, 'at most 400 characters'),
    ],
)
def test_what_cannot_be_enrolled_is_said_in_a_sentence(
    desk: Desk, items: tuple[ItemReport, ...], call: dict[str, Any], sentence: str
) -> None:
    Sees.items = items
    answer = desk.enrol(**{'timeout': 0.5} | call)
    assert not answer.success
    assert sentence in answer.message
    assert answer.reference.reference == 0
    assert desk.listed() == []


def test_what_looks_damaged_waits_in_quarantine_unless_a_person_confirms(desk: Desk) -> None:
    Sees.items = (item(7, confidence=0.35),)
    answer = desk.enrol(track_id=7)
    assert answer.success
    assert 'it looks damaged' in answer.message
    assert answer.reference.state == INFO.QUARANTINED
    Sees.items = (item(8, confidence=0.98),)
    assert desk.enrol(track_id=8, confirm=True).reference.state == INFO.ACTIVE
    assert len(desk.numbers(INFO.QUARANTINED)) == len(desk.numbers(INFO.ACTIVE)) == 1


def test_a_new_design_retires_the_old_one_and_can_be_undone(desk: Desk, tmp_path: Path) -> None:
    Sees.items = (item(1), item(2, 'other'))
    old = desk.enrol(track_id=1).reference.reference
    other = desk.enrol(track_id=2).reference.reference
    Sees.items = (item(3, confidence=0.98),)
    new = desk.enrol(track_id=3, replace=True).reference
    assert new.design.startswith('since 2')
    assert desk.numbers(INFO.ACTIVE) == [new.reference, other]
    assert desk.numbers(INFO.RETIRED) == [old]
    with Gallery.open(tmp_path / 'gallery', writable=True) as gallery:
        gallery.undo('Ada')
    assert desk.numbers(INFO.ACTIVE) == [old, other]


def test_a_reference_is_removed_and_an_unknown_one_refused(desk: Desk, tmp_path: Path) -> None:
    answer = desk.call(srv.RemoveReference, 'remove_reference', reference=1)
    assert 'is no gallery' in answer.message
    assert not (tmp_path / 'gallery').exists()
    Sees.items = (item(1),)
    number = desk.enrol(track_id=1).reference.reference
    answer = desk.call(srv.RemoveReference, 'remove_reference', reference=number, reason='wrong')
    assert answer.success
    assert desk.listed() == []
    answer = desk.call(srv.RemoveReference, 'remove_reference', reference=99)
    assert (answer.success, 'no reference 99' in answer.message) == (False, True)


def test_another_writer_is_named_and_nothing_is_lost(desk: Desk, tmp_path: Path) -> None:
    Sees.items = (item(1),)
    with Gallery.open(tmp_path / 'gallery', writable=True):
        answer = desk.enrol(track_id=1)
        assert 'another program is changing the gallery' in answer.message
    assert desk.enrol(track_id=1).success


def test_calls_that_wait_are_answered_when_the_node_is_deactivated(desk: Desk) -> None:
    future = desk.begin(srv.EnrollReference, 'enroll_reference', sku='B2', timeout=60.0)
    desk.graph.stream(lambda: desk.node._enrolments._open, 5.0)
    desk.node.trigger_deactivate()
    wait_for(future.done, 5.0, 'the answer')
    assert future.result().message == 'the node was deactivated'


def test_without_a_folder_all_calls_are_refused(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(graph, monkeypatch, '')
    assert 'gallery.path' in desk.enrol(track_id=1).message
    assert 'gallery.path' in desk.call(srv.ListReferences, 'list_references').message
    assert 'gallery.path' in desk.call(srv.RemoveReference, 'remove_reference').message
