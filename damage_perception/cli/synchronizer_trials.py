"""Made streams of stamps, and two synchronisers that are fed with them."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from damage_perception.errors import CallError
from damage_perception.ros.image_conversion import stamp_ns
from damage_perception.ros.synchronizer import Synchronizer

PERIOD_S, QUEUE = 1 / 30, 10
LOSS = 0.1  # share of frames that are dropped
RAISE_EVERY = 50  # matches between two failures of the raising consumer

Pair = tuple[Any, Any]
Consumer = Callable[[Any, Any], None]


@dataclass(frozen=True, eq=False)
class Arrival:
    """One message, when it arrives."""

    at_s: float
    stream: int
    message: SimpleNamespace


@dataclass(frozen=True)
class Trial:
    """What came of one stream: pairs, their mean distance, processor time a message."""

    pairs: int
    skew_ms: float
    cost_us: float


def make_streams(name: str, count: int, seed: int) -> list[Arrival]:
    """Make two streams of `count` stamps at 30 Hz, 4 ms apart, in order of arrival.

    Args:
        name: one of `STREAMS`; time goes back half way through streams of which one is at half
            rate, as in a recording that is looped.
        count: messages of each stream before any is dropped.
        seed: of jitter and losses.
    """
    rng = np.random.default_rng(seed)
    first = 100.0 + PERIOD_S * np.arange(count)
    second = first + 0.004
    keep = [np.ones(count, bool), np.ones(count, bool)]
    if name == 'jittered':
        first, second = (t + rng.uniform(-0.006, 0.006, count) for t in (first, second))
    elif name == 'dropped frames':
        keep = [rng.random(count) > LOSS for _ in range(2)]
    if name in ('half rate', 'time going back'):
        second = second + 0.014
        keep[1][1::2] = False
    if name == 'time going back':
        back = np.where(np.arange(count) >= count // 2, count // 2 * PERIOD_S, 0.0)
        first, second = first - back, second - back
    arrivals = [
        Arrival(PERIOD_S * k + 0.001 + 0.004 * stream, stream, _message(stamps[k]))
        for stream, stamps in enumerate((first, second))
        for k in np.flatnonzero(keep[stream])
    ]
    return sorted(arrivals, key=lambda arrival: arrival.at_s)


STREAMS = (
    'steady', 'jittered', 'half rate', 'dropped frames', 'time going back', 'raising consumer',
)  # fmt: skip


def run_ours(slop_s: float, arrivals: list[Arrival], consumer: Consumer) -> Iterator[None]:
    """Feed the synchroniser of this package; yields after each message."""
    sync, names = Synchronizer(['first', 'second'], slop_s, QUEUE), ('first', 'second')
    for arrival in arrivals:
        message = arrival.message
        for match in sync.add(names[arrival.stream], stamp_ns(message), message, arrival.at_s):
            _call(consumer, match.messages['first'], match.messages['second'])
        yield
    for match in sync.flush():
        _call(consumer, match.messages['first'], match.messages['second'])


def run_field(
    module: ModuleType, slop_s: float, arrivals: list[Arrival], consumer: Consumer
) -> Iterator[None]:
    """Feed the `ApproximateTimeSynchronizer`; yields after each message."""
    inputs = [module.SimpleFilter(), module.SimpleFilter()]
    sync = module.ApproximateTimeSynchronizer(inputs, QUEUE, slop_s)
    sync.registerCallback(consumer)
    for arrival in arrivals:
        if sync.lock.locked():
            return  # it would wait for ever
        _call(inputs[arrival.stream].signalMessage, arrival.message)
        yield


def measure(
    run: Callable[[list[Arrival], Consumer], Iterator[None]], name: str, count: int, seed: int
) -> Trial:
    """Run one synchroniser on one kind of stream."""
    arrivals = make_streams(name, count, seed)
    pairs: list[Pair] = []

    def consumer(first: Any, second: Any) -> None:
        pairs.append((first, second))
        if name == 'raising consumer' and len(pairs) % RAISE_EVERY == 0:
            raise RuntimeError('a consumer that fails')

    began = time.process_time()
    fed = sum(1 for _ in run(arrivals, consumer))
    spent = time.process_time() - began
    skews = [abs(stamp_ns(first) - stamp_ns(second)) / 1e6 for first, second in pairs]
    return Trial(len(pairs), float(np.mean(skews)) if skews else float('nan'), 1e6 * spent / fed)


def load_field(path: Path | None) -> ModuleType | None:
    """Load Python's `message_filters`: of a checkout, or as installed; None = neither."""
    if path is None:
        try:
            return importlib.import_module('message_filters')
        except ImportError:
            return None
    candidates = (path, path / '__init__.py', path / 'src' / 'message_filters' / '__init__.py')
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    spec = file and importlib.util.spec_from_file_location('message_filters', file)
    if not spec or spec.loader is None:
        raise CallError(f'{path} is no checkout of message_filters: it has no src/message_filters')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _call(function: Callable[..., None], *messages: Any) -> None:
    with contextlib.suppress(RuntimeError):  # as a node that logs a failed callback and goes on
        function(*messages)


def _message(seconds: float) -> SimpleNamespace:
    from builtin_interfaces.msg import Time

    whole, rest = divmod(round(seconds * 1e9), 1_000_000_000)
    return SimpleNamespace(header=SimpleNamespace(stamp=Time(sec=int(whole), nanosec=int(rest))))
