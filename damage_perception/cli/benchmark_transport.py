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

    import numpy as np
    from rich.console import Console

    from damage_perception.cli import transport_trials as trials
    from damage_perception.cli.environment import require_ros
    from damage_perception.recording.types import shared_file

    require_ros('benchmark transport')
    profiles = {'shipped': str(shared_file('config/fastdds.xml')), 'default': None}
    console = Console(stderr=True)
    with console.status('measuring the pipeline alone'):
        spent = trials.compute_ms()
    rows: list[dict[str, Any]] = []
    for number, (name, profile) in enumerate(profiles.items()):
        with console.status(f'{name} DDS profile, bare subscriber'):
            bare = _row(trials, trials.listen_to_images, profile, pairs, 90 + 2 * number, False)
        with console.status(f'{name} DDS profile, segmentation node'):
            node = _row(trials, trials.listen_to_reports, profile, pairs, 91 + 2 * number, True)
        rows += [{'profile': name, 'receiver': 'bare', **bare}]
        rows += [{'profile': name, 'receiver': 'node', **node}]
    with console.status('measuring the pipeline alone once more'):
        compute = float(np.median(spent + trials.compute_ms()))
    for bare, node in zip(rows[::2], rows[1::2], strict=True):
        if bare['median_ms'] and node['median_ms']:
            node['ratio'] = node['median_ms'] / (bare['median_ms'] + compute)
        if bare['median_ms'] and node['median_ms'] and node['compute_ms']:
            node['ratio_in_node'] = node['median_ms'] / (bare['median_ms'] + node['compute_ms'])
    if json:
        typer.echo(json_module.dumps({'pairs': pairs, 'compute_ms': compute, 'rows': rows}))
        return
    Console().print(_table(rows, compute))


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


def _table(rows: list[dict[str, Any]], compute: float) -> Any:
    from rich.table import Table

    from damage_perception.cli.transport_trials import HEIGHT, RATE_HZ, WIDTH

    table = Table(
        'profile', 'receiver', 'pairs', 'answered', 'median ms', '95 % ms', 'ratio', 'in node',
        title=f'{WIDTH}x{HEIGHT} RGB + depth at {RATE_HZ:g} Hz; pipeline alone {compute:.1f} ms',
        caption='pairs: that arrived; answered: judged, the newest first; ratio: median over bare '
        'transport + pipeline alone; in node: over bare transport + pipeline as it ran there',
    )  # fmt: skip
    for row in rows:
        times = ['-' if row[k] is None else f'{row[k]:.1f}' for k in ('median_ms', 'p95_ms')]
        ratios = [f'{row[k]:.2f}' if k in row else '' for k in ('ratio', 'ratio_in_node')]
        shares = [f'{row[key]:.0%}' for key in ('delivered', 'answered')]
        table.add_row(row['profile'], row['receiver'], *shares, *times, *ratios)
    return table
