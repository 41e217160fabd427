"""Lines of JSON carry the fields of the messages, and are strict JSON."""

from __future__ import annotations

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from damage_perception.recording.jsonl import (
    decision_dict,
    decision_line,
    report_dict,
    report_line,
    to_json,
)
from damage_perception.recording.types import DECISION, REPORT, build_message, typestore
from damage_perception.report import (
    DamageInstance,
    DamageReport,
    DamageType,
    Decision,
    Health,
    ItemReport,
    Pose,
    Roi,
    Severity,
    Status,
    Verdict,
)

POSE = Pose((0.1, 0.2, 1.0), (0.0, 0.0, 0.0, 1.0))


def made_report() -> DamageReport:
    """Make a report with one damaged item, some of whose numbers are unknown."""
    damage = DamageInstance(
        DamageType.CRUSH, Severity.MAJOR, 0.9, Roi(3, 4, 2, 1), (0.1, 0.2, math.nan), 0.002,
        0.025, 1, np.ones((1, 2), bool),
    )  # fmt: skip
    item = ItemReport(
        7, 'sku', 0.5, POSE, (0.2, 0.1, 0.1), Roi(1, 2, 8, 6), 0.8, math.nan, math.inf,
        Status.MERGED | Status.DEPTH_POOR, 3, (damage,), np.ones((6, 8), bool),
        np.zeros((6, 8), np.float32),
    )  # fmt: skip
    return DamageReport(1_500_000_000, 'optical', 16, 12, Health.DEGRADED, 'why', (item,))


DECIDED = Decision(5, 'optical', 7, 'sku', Verdict.DIVERT, math.nan, 0.5, 3, 'crush', POSE)


def test_dicts_fit_the_messages_field_by_field() -> None:
    for msgtype, fields in (
        (REPORT, report_dict(made_report())),
        (DECISION, decision_dict(DECIDED)),
    ):
        message = build_message(msgtype, fields)
        back = typestore().deserialize_cdr(typestore().serialize_cdr(message, msgtype), msgtype)
        assert set(fields) == {name for name, _ in typestore().fielddefs[msgtype][1]}
        assert back.header.frame_id == 'optical'


def test_numbers_come_back_from_the_message() -> None:
    message = build_message(REPORT, report_dict(made_report()))
    back = typestore().deserialize_cdr(typestore().serialize_cdr(message, REPORT), REPORT)
    item, damage = back.items[0], back.items[0].damages[0]
    assert (back.health, back.header.stamp.sec, back.header.stamp.nanosec) == (2, 1, 500_000_000)
    assert (item.track_id, item.status, item.roi.x_offset, item.roi.width) == (7, 17, 1, 8)
    assert (damage.damage_type, damage.severity, damage.mask_value) == (1, 2, 1)
    assert math.isnan(item.segmentation_score)


def test_a_report_line_is_strict_json_with_null_for_unknown() -> None:
    line = json.loads(report_line(made_report()), parse_constant=lambda name: 1 / 0)
    assert line['type'] == 'report'
    assert line['items'][0]['segmentation_score'] is None
    assert line['items'][0]['damages'][0]['centroid'] == {'x': 0.1, 'y': 0.2, 'z': None}
    assert 'timings_ms' not in line


def test_a_decision_line_says_what_to_do() -> None:
    line = json.loads(decision_line(DECIDED))
    assert (line['type'], line['decision'], line['confidence']) == ('decision', 2, None)


@given(st.dictionaries(st.text(), st.lists(st.floats() | st.integers() | st.text())))
def test_any_value_gives_one_line_of_strict_json(value: dict[str, list[object]]) -> None:
    line = to_json(value)
    assert '\n' not in line
    json.loads(line, parse_constant=lambda name: 1 / 0)
