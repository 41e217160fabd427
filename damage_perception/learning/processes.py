"""Work that is shared among processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import cv2

_In = TypeVar('_In')
_Out = TypeVar('_Out')


def each_in_order(
    work: Callable[[_In], _Out], tasks: Iterable[_In], workers: int, chunk: int = 1
) -> Iterator[_Out]:
    """Yield what `work` gives for each task, in order; none is begun once nobody asks any more."""
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        try:
            yield from pool.map(work, tasks, chunksize=chunk)
        finally:
            pool.shutdown(cancel_futures=True)
