"""A thread that always works on the newest job: old ones are overwritten, never queued."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar('T')


class NewestWorker(Generic[T]):
    """Run `work` on jobs in a thread of its own, one at a time, the newest first and only.

    A job that raises is given to `failed` and the thread goes on; `failed` must not raise.

    Attributes:
        overwritten: jobs that a newer one replaced before they were begun.
    """

    def __init__(
        self, work: Callable[[T], None], failed: Callable[[T, Exception], None], name: str
    ) -> None:
        self.overwritten = 0
        self._work, self._failed = work, failed
        self._job: T | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: T) -> None:
        """Hand over a job; returns at once."""
        with self._changed:
            self.overwritten += self._job is not None
            self._job = job
            self._changed.notify()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Finish the job at hand, drop the next; tell whether the thread has ended."""
        with self._changed:
            self._stopping, self._job = True, None
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _next(self) -> T | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._job is not None)
            job, self._job = self._job, None
            return job

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._work(job)
            except Exception as error:  # whatever the work raises, the thread must live
                self._failed(job, error)
