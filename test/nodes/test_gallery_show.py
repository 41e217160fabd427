"""A product whose own shape looks like damage, through the real nodes, and then its new design."""

from __future__ import annotations

from pathlib import Path

from reference_show import show
from ros_graph import Graph


def test_references_turn_divert_into_pass_and_a_new_design_into_inspect(
    graph: Graph, tmp_path: Path
) -> None:
    # By geometry, which is quicker; `python test/helpers/reference_show.py` plays it to all.
    shown = show(graph, tmp_path, ['--set', 'network.weights:=none'])
    # The second and the seventh are enrolled while they are in view, and fit themselves.
    one = ['DIVERT', 'PASS', 'PASS']
    assert shown.verdicts == [*one, 'DIVERT', 'DIVERT', 'INSPECT', 'PASS', 'PASS']
    reason = shown.decisions[5].reason
    assert 'deviate alike from its references: a new design?' in reason
    first, second = shown.answers
    assert first.success
    assert second.success
    assert second.reference.design.startswith('since ')
