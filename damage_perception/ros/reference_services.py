"""The services that enrol, list and remove references while items are judged.

An enrolment waits for its item without holding anything up: the thread that judges offers it each
frame, a thread of its own compares and writes, and a timer of the node answers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rclpy.task
from builtin_interfaces.msg import Time
from rclpy.callback_groups import ReentrantCallbackGroup

import damage_perception.msg as msg
from damage_perception.errors import UserError
from damage_perception.perception.decision.verdict import seems_new_design
from damage_perception.perception.gallery.candidate import Candidate
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.hygiene import UNSAID, Admission, admit
from damage_perception.perception.gallery.index import FILE_NAME
from damage_perception.perception.gallery.records import (
    Reference,
    State,
    check_sku,
    check_text,
)
from damage_perception.perception.gallery.soundness import doubted_from
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageReport
from damage_perception.ros.managed_node import ManagedNode
from damage_perception.srv import EnrollReference, ListReferences, RemoveReference

WAIT_S, LONGEST_WAIT_S = 10.0, 600.0
REFRESH_S = 0.5  # how soon a change of the gallery is seen, whoever made it
NO_GALLERY = 'no gallery is kept; name a folder with gallery.path'
OPERATOR = 'operator'
_STATES = {
    State.ACTIVE: msg.ReferenceInfo.ACTIVE,
    State.QUARANTINED: msg.ReferenceInfo.QUARANTINED,
    State.RETIRED: msg.ReferenceInfo.RETIRED,
}


@dataclass(eq=False)
class _Enrolment:
    """One call that is not answered yet."""

    candidate: Candidate
    admission: Admission
    deadline_s: float
    doubted_from: float = UNSAID  # P(damaged)
    answered: rclpy.task.Future = field(default_factory=rclpy.task.Future)
    kept: Future[Reference] | None = None  # while it is compared and written


class ReferenceServices:
    """Serve `gallery/enroll_reference`, `gallery/list_references`, `gallery/remove_reference`.

    Args:
        node: the node that offers them.
        folder: that of the gallery; None = all calls are refused.
    """

    def __init__(self, node: ManagedNode, folder: Path | None) -> None:
        self._node, self._folder = node, folder
        self._refreshed_s = 0.0
        self._open: list[_Enrolment] = []
        self._writer = ThreadPoolExecutor(1, 'gallery')
        # One that waits must not keep the callbacks of the node from being served.
        group = ReentrantCallbackGroup()
        self._services = [
            node.create_service(kind, f'gallery/{name}', serve, callback_group=group)
            for kind, name, serve in (
                (EnrollReference, 'enroll_reference', self._enrol),
                (ListReferences, 'list_references', self._list),
                (RemoveReference, 'remove_reference', self._remove),
            )
        ]

    def offer(self, report: DamageReport, pipeline: DamagePipeline) -> None:
        """Show a judged frame to the enrolments that wait; for the thread that judges."""
        if self._folder is None:
            return
        for enrolment in list(self._open):
            if enrolment.kept is None:
                enrolment.doubted_from = doubted_from(pipeline.calibration)
                enrolment.candidate.offer(report, pipeline.view_of)
        if time.monotonic() - self._refreshed_s >= REFRESH_S:
            self._refreshed_s = time.monotonic()
            pipeline.references.refresh()
            if pipeline.references.problem:
                self._node.warn(pipeline.references.problem, kind='gallery')
        for item in report.items:
            if seems_new_design(item):
                self._node.warn(
                    f'items of {item.sku} deviate alike from their references; if that is a new '
                    f'design, call gallery/enroll_reference with sku {item.sku} and replace',
                    kind=f'new design of {item.sku}',
                )

    def poll(self) -> None:
        """Answer what is due; for the node's own thread."""
        for enrolment in list(self._open):
            candidate, kept = enrolment.candidate, enrolment.kept
            if kept is not None and kept.done():
                self._refreshed_s = 0.0  # it is used at once
                self._answer(enrolment, _outcome(kept))
            elif kept is None and (candidate.done or self._node.now_s() >= enrolment.deadline_s):
                enrolment.kept = self._writer.submit(self._keep, enrolment)

    def stop(self, why: str) -> None:
        """Answer all calls that wait: no frame will come."""
        for enrolment in list(self._open):
            self._answer(enrolment, why)

    def destroy(self) -> None:
        """End the services."""
        self.stop('the node was stopped')
        for service in self._services:
            self._node.destroy_service(service)
        self._writer.shutdown(wait=False)

    async def _enrol(self, request: Any, response: Any) -> Any:
        try:
            enrolment = self._begin(request)
        except UserError as error:
            response.message = str(error)
            return response
        self._open.append(enrolment)
        outcome = await enrolment.answered
        if isinstance(outcome, Reference):
            response.success, response.reference = True, _to_message(outcome)
            response.message = outcome.reason
        else:
            response.message = outcome
        return response

    def _begin(self, request: Any) -> _Enrolment:
        if self._folder is None:
            raise UserError(NO_GALLERY)
        if not request.track_id and not request.sku:
            raise UserError('name a track_id, or the sku of the item that will come')
        if request.sku:
            check_sku(request.sku)
        check_text('the design', request.design)
        check_text('who', request.by)
        wait_s = request.timeout or WAIT_S
        if not (math.isfinite(wait_s) and 0.0 < wait_s <= LONGEST_WAIT_S):
            raise UserError(f'timeout must lie in [0, {LONGEST_WAIT_S:.0f}] s, got {wait_s}')
        admission = Admission(
            request.by or OPERATOR, request.design, request.confirm, request.replace
        )
        candidate = Candidate(request.track_id, request.sku)
        return _Enrolment(candidate, admission, self._node.now_s() + wait_s)

    def _keep(self, enrolment: _Enrolment) -> Reference:
        """Compare and write; in a thread of its own, one at a time."""
        if enrolment.candidate.why_not:
            raise UserError(enrolment.candidate.why_not)
        assert self._folder is not None
        with Gallery.open(self._folder, writable=True) as gallery:
            candidate, how = enrolment.candidate, enrolment.admission
            return admit(gallery, candidate, how, enrolment.doubted_from)

    def _answer(self, enrolment: _Enrolment, outcome: Reference | str) -> None:
        with suppress(ValueError):  # it was answered when the node stopped
            self._open.remove(enrolment)
            enrolment.answered.set_result(outcome)
            if self._node.executor is not None:
                self._node.executor.wake()  # it looks at what waits only when something happens

    def _list(self, request: Any, response: Any) -> Any:
        response.message = self._refused(lambda folder: _list(folder, request, response))
        response.success = not response.message
        return response

    def _remove(self, request: Any, response: Any) -> Any:
        def remove(folder: Path) -> None:
            with Gallery.open(folder, writable=True, create=False) as gallery:
                gallery.remove([request.reference], request.by or OPERATOR, request.reason)

        response.message = self._refused(remove)
        response.success = not response.message
        return response

    def _refused(self, work: Callable[[Path], None]) -> str:
        """Do something with the gallery; give why it could not be done, or nothing."""
        if self._folder is None:
            return NO_GALLERY
        try:
            work(self._folder)
        except UserError as error:
            return str(error)
        return ''


def _outcome(kept: Future[Reference]) -> Reference | str:
    error = kept.exception()
    return kept.result() if error is None else str(error) or type(error).__name__


def _list(folder: Path, request: Any, response: Any) -> None:
    if not (folder / FILE_NAME).is_file():
        return  # the first enrolment makes the gallery
    with Gallery.open(folder) as gallery:
        references = gallery.references(request.sku or None)
    response.references = [_to_message(reference) for reference in references]


def _to_message(reference: Reference) -> Any:
    at = reference.enrolled_at
    return msg.ReferenceInfo(
        reference=reference.id,
        sku=reference.sku,
        state=_STATES[reference.state],
        reason=reference.reason,
        design=reference.design,
        enrolled_at=Time(sec=int(at.timestamp()), nanosec=at.microsecond * 1000),
        by=reference.by,
    )
