"""A thread that always works on the newest job: old ones are overwritten, never queued."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar('T')
R = TypeVar('R')


class NewestWorker(Generic[T, R]):
    """Run `work` on jobs in a thread of its own, one at a time, the newest first and only.

    A result is given to `done`, a job whose work or `done` raises to `failed`, which must not
    raise; the thread goes on. After `stop` neither is called, even if a job is still at hand.

    Attributes:
        overwritten: jobs that a newer one replaced before they were begun.
    """

    def __init__(
        self,
        work: Callable[[T], R],
        done: Callable[[R], None],
        failed: Callable[[T, Exception], None],
        name: str,
    ) -> None:
        self.overwritten = 0
        self._work, self._done, self._failed = work, done, failed
        self._job: T | None = None
        self._stopping = self._working = False
        self._changed = threading.Condition()
        self._delivery = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a job waits, is worked on or is not delivered yet."""
        with self._changed:
            return self._working or self._job is not None

    def submit(self, job: T) -> None:
        """Hand over a job; returns at once."""
        with self._changed:
            self.overwritten += self._job is not None
            self._job = job
            self._changed.notify()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Give the job at hand some time, drop the next; tell whether the thread has ended."""
        with self._changed:
            self._stopping, self._job = True, None
            self._changed.notify()
        with self._delivery:  # what is being delivered is delivered
            pass
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _next(self) -> T | None:
        with self._changed:
            self._working = False
            self._changed.wait_for(lambda: self._stopping or self._job is not None)
            job, self._job = self._job, None
            self._working = job is not None
            return job

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._deliver(self._done, self._work(job))
            except Exception as error:  # whatever the work raises, the thread must live
                self._deliver(self._failed, job, error)

    def _deliver(self, take: Callable[..., None], *what: Any) -> None:
        with self._delivery:
            if not self._stopping:
                take(*what)
