"""`damage-perception benchmark transport`: what arrives of 1280x720 RGB-D at 30 Hz, and when."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def benchmark_transport(
    pairs: Annotated[int, typer.Option(help='Pairs that count.', min=10)] = 150,
    json: Annotated[bool, typer.Option('--json', help='Print JSON for programs.')] = False,
) -> None:
    """Measure from image to report between processes, beside bare transport and bare compute."""
    import json as json_module
    import multiprocessing

    from rich.console import Console

    from damage_perception.cli import transport_trials as trials
    from damage_perception.cli.environment import require_ros
    from damage_perception.installed import shared_file

    require_ros('benchmark transport')
    profiles = {'shipped': str(shared_file('config/fastdds.xml')), 'default': None}
    rows: list[dict[str, Any]] = []
    with multiprocessing.get_context('spawn').Pool(1) as alone:
        for number, (name, profile) in enumerate(profiles.items()):
            with Console(stderr=True).status(f'measuring with the {name} DDS profile'):
                both = _measure(trials, alone, profile, pairs, 90 + 2 * number)
            rows += [{'profile': name, **row} for row in both]
    if json:
        typer.echo(json_module.dumps({'pairs': pairs, 'rows': rows}))
        return
    Console().print(_table(rows))


def _measure(
    trials: Any, alone: Any, profile: str | None, pairs: int, domain: int
) -> list[dict[str, Any]]:
    """Measure a bare subscriber and the node; before, between and after, the pipeline alone.

    The pipeline runs in a process of its own, as it does in the node, and in turn with it, since
    other work on the machine comes and goes.
    """
    import numpy as np

    from damage_perception.cli.transport_scene import compute_ms

    spent = alone.apply(compute_ms)
    bare = _row(trials, trials.listen_to_images, profile, pairs, domain, False)
    spent += alone.apply(compute_ms)
    node = _row(trials, trials.listen_to_reports, profile, pairs, domain + 1, True)
    spent += alone.apply(compute_ms)
    alone_ms = float(np.median(spent))
    if bare['median_ms'] and node['median_ms']:
        node['ratio'] = node['median_ms'] / (bare['median_ms'] + alone_ms)
        if node['compute_ms']:
            node['ratio_in_node'] = node['median_ms'] / (bare['median_ms'] + node['compute_ms'])
    return [{'receiver': 'bare', **bare}, {'receiver': 'node', **node, 'alone_ms': alone_ms}]


def _row(
    trials: Any, listener: Any, profile: str | None, pairs: int, domain: int, node: bool
) -> dict[str, Any]:
    import numpy as np

    sent, received = trials.run_trial(listener, profile, pairs, domain, node)
    latencies = [received.latency_s[stamp] for stamp in sent if stamp in received.latency_s]
    answered = len(latencies) / len(sent)
    return {
        'delivered': received.matched / (len(sent) + trials.WARM_UP) if node else answered,
        'answered': answered,
        'compute_ms': float(np.median(received.compute_ms)) if received.compute_ms else None,
        'median_ms': float(np.median(latencies) * 1e3) if latencies else None,
        'p95_ms': float(np.percentile(latencies, 95) * 1e3) if latencies else None,
    }


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    from damage_perception.cli.transport_scene import HEIGHT, RATE_HZ, WIDTH

    table = Table(
        'profile', 'receiver', 'pairs', 'answered', 'median ms', '95 % ms', 'alone ms', 'ratio',
        'in node',
        title=f'{WIDTH}x{HEIGHT} RGB + depth at {RATE_HZ:g} Hz',
        caption='pairs: that arrived; answered: judged, the newest first; alone: the pipeline '
        'without transport; ratio: median over bare transport + pipeline alone; in node: over '
        'bare transport + pipeline as it ran there',
    )  # fmt: skip
    for row in rows:
        times = [_text(row.get(key), '.1f') for key in ('median_ms', 'p95_ms', 'alone_ms')]
        ratios = [_text(row.get(key), '.2f') for key in ('ratio', 'ratio_in_node')]
        shares = [f'{row[key]:.0%}' for key in ('delivered', 'answered')]
        table.add_row(row['profile'], row['receiver'], *shares, *times, *ratios)
    return table


def _text(value: float | None, form: str) -> str:
    return '' if value is None else format(value, form)
