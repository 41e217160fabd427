"""One self-contained HTML page about a test set: figures and pictures lie inside it."""

from __future__ import annotations

import base64
import html
import io
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.learning.metrics.outcomes import Outcomes
from damage_perception.learning.reports import contact_sheet, figures

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:1080px;margin:2em auto;padding:0 1em}
h1{font-size:1.6em;margin-bottom:.2em}h2{font-size:1.2em;margin:2em 0 .5em}
table{border-collapse:collapse}td,th{padding:.25em .9em .25em 0;text-align:left;
border-bottom:1px solid #e5e5e5;font-variant-numeric:tabular-nums;vertical-align:top}
.note{color:#666}.big{font-size:1.5em;font-weight:600}.cards{display:flex;gap:2.5em;flex-wrap:wrap;align-items:flex-start}
.sheet{display:flex;flex-wrap:wrap;gap:12px}.sheet figure{margin:0;width:160px}
.sheet img{width:160px;height:160px;object-fit:contain;background:#f3f3f3}
figcaption{font-size:.8em;color:#444;overflow-wrap:anywhere}img.plot{max-width:100%}
"""


def write_report(
    path: Path, title: str, metrics: dict[str, Any], outcomes: Outcomes, prevalence: float = 0.001,
    before: NDArray[np.float64] | None = None,
) -> None:  # fmt: skip
    """Write the page.

    Args:
        path: where.
        title: its title.
        metrics: as `metrics.json` holds them.
        outcomes: what was measured.
        prevalence: share of damaged items for which a station is described.
        before: (N,) scores of another run on the same images, to show what changed; None = none.

    Raises:
        UserError: if it cannot be written.
    """
    point = metrics['operating_points'][-1]
    threshold = point['threshold'] if isinstance(point['threshold'], float) else None
    sound = outcomes.score[~outcomes.damaged & ~outcomes.unknown]
    parts = [
        f'<h1>{html.escape(title)}</h1>',
        _lead(metrics),
        _station(point),
        '<h2>Curves</h2>',
        _plot(figures.ranking_figure(outcomes)),
        _plot(figures.score_figure(outcomes, threshold)),
    ]
    if sound.size:
        damaged = outcomes.score[outcomes.damaged]
        parts.append(_plot(figures.station_figure(sound, damaged, prevalence)))
    for entry in metrics['operating_points']:
        parts.append(_operating_point(entry))
    parts += [
        _located(metrics),
        _sheet('Worst misses', outcomes, contact_sheet.worst(outcomes, True)),
        _sheet('Worst alarms', outcomes, contact_sheet.worst(outcomes, False)),
    ]
    if before is not None:
        better, worse = contact_sheet.changed(outcomes, before)
        parts.append(_sheet('Told better than in the other run', outcomes, better))
        parts.append(_sheet('Told worse than in the other run', outcomes, worse))
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    )
    page += f'<style>{STYLE}</style><body>{"".join(parts)}</body></html>'
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding='utf-8')
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror})') from None


def _lead(metrics: dict[str, Any]) -> str:
    counts = metrics['outcomes']
    rows = [
        [name, f'{c["images"]:,}', f'{c["items"]:,}', f'{c["unknown"]:,}', f'{c["missed"]:,}']
        for name, c in counts.items()
    ]
    measures = ('auroc', 'ap', 'recall_at_50_precision', 'roc_recall_at_1pct')
    cells = [
        [_label(name), *(_with_interval(metrics, f'{name}_{s}') for s in ('any', 'major'))]
        for name in measures
    ]
    cells.append(['calibration error', _number(metrics['expected_calibration_error']), ''])
    return (
        '<div class="cards">'
        + _table(['', 'images', 'items', 'UNKNOWN', 'not found'], rows)
        + _table(['', 'any damage', 'major damage'], cells)
        + '</div><p class="note">In brackets: 95 % intervals, bootstrapped over physical items. '
        'An UNKNOWN damaged item counts as not found.</p>'
    )


def _station(point: dict[str, Any]) -> str:
    precision = point['precision_at_prevalence']
    share, items = precision['prevalence'], figures.ITEMS
    damaged = items * share
    hits, alarms = point['recall_any']['rate'] * damaged, point['false_alarms']['rate']
    wrong = alarms * (items - damaged)
    if math.isnan(hits) or math.isnan(wrong):
        return ''
    return (
        f'<h2>What {items:,} items would bring at a budget of {point["budget"]:.2%}</h2><p>With '
        f'{share:.2%} damaged: <span class="big">{hits:.1f}</span> of {damaged:.0f} damaged items '
        f'diverted, with them <span class="big">{wrong:.1f}</span> sound ones; '
        f'<span class="big">{precision["precision"]:.0%}</span> of what is diverted is damaged '
        f'(between {precision["low"]:.0%} and {precision["high"]:.0%}).</p>'
    )


def _operating_point(point: dict[str, Any]) -> str:
    bound = '' if point['bound'] is None else f', bound {point["bound"]:.3%}'
    threshold = point['threshold']
    values = threshold if isinstance(threshold, list) else [threshold]
    text = (
        f'<h2>At a budget of {point["budget"]:.2%}</h2><p class="note">threshold '
        f'{" / ".join(f"{value:.4f}" for value in values)} from {point["threshold_from"]}, '
        f'{point["sound_items_behind_it"]:,} sound items{bound}</p>'
    )
    shares = {'any damage': point['recall_any']}
    if point['recall_major']:
        shares['major damage'] = point['recall_major']
    shares |= point['recall_by_type']
    shares |= {f'{name} severity': v for name, v in point['recall_by_severity'].items()}
    shares |= {f'{name} mm deep': v for name, v in point['recall_by_depth_mm'].items()}
    text += _plot(figures.bars_figure('Recall', shares))
    alarms = {'all sound': point['false_alarms'], 'plain': point['alarms_plain']}
    return text + _plot(figures.bars_figure('Alarms', alarms | point['alarms_by_tag']))


def _located(metrics: dict[str, Any]) -> str:
    rows = [[f'IoU {name}', _number(v)] for name, v in metrics.get('iou_by_type', {}).items()]
    rows += [[f'AUPRO {name}', _number(v)] for name, v in metrics.get('aupro', {}).items()]
    for name, error in metrics.get('depth_error_mm', {}).items():
        said = f'{error["median"]:.1f} mm, {error["median_share"]:.0%}, of {error["count"]}'
        rows.append([f'depth of {name}, median error', said])
    return '<h2>Where and how deep</h2>' + _table(['', ''], rows) if rows else ''


def _sheet(title: str, outcomes: Outcomes, rows: list[int]) -> str:
    cells = []
    for row in rows:
        sample, said = outcomes.samples[row], outcomes.predictions[row]
        kinds = ', '.join(sorted({d.damage_type.name.lower() for d in sample.damages}))
        score = 'UNKNOWN' if math.isnan(said.score) else f'{said.score:.3f}'
        score += ' not found' if said.missed else ''
        words = html.escape(f'{sample.image_id}: {score} {kinds} {" ".join(sample.tags)}')
        picture = cv2.cvtColor(contact_sheet.picture(sample, said), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
        cells.append(
            f'<figure><img src="{_inline(data.tobytes(), "jpeg")}" alt="{words}">'
            f'<figcaption>{words}</figcaption></figure>'
        )
    note = '<p class="note">Yellow: labelled. Red: found.</p>'
    return f'<h2>{title}</h2>{note}<div class="sheet">{"".join(cells)}</div>' if cells else ''


def _plot(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format='svg', metadata={'Date': None})
    return f'<p><img class="plot" src="{_inline(buffer.getvalue(), "svg+xml")}" alt=""></p>'


def _inline(data: bytes, kind: str) -> str:
    return f'data:image/{kind};base64,{base64.b64encode(data).decode()}'


def _table(head: list[str], rows: list[list[str]]) -> str:
    text = ''.join(f'<th>{html.escape(cell)}</th>' for cell in head)
    for row in rows:
        text += '<tr>' + ''.join(f'<td>{html.escape(cell)}</td>' for cell in row) + '</tr>'
    return f'<table>{text}</table>'


def _with_interval(metrics: dict[str, Any], name: str) -> str:
    if name not in metrics:
        return '-'
    low_high = metrics['intervals'].get(name)
    spread = f' [{low_high[0]:.3f}, {low_high[1]:.3f}]' if low_high else ''
    return _number(metrics[name]) + spread


def _number(value: float) -> str:
    return '-' if value is None or not np.isfinite(value) else f'{value:.3f}'


def _label(name: str) -> str:
    words = {
        'auroc': 'AUROC',
        'ap': 'AP',
        'recall_at_50_precision': 'recall at 50 % precision',
        'roc_recall_at_1pct': 'recall at 1 % false alarms (ROC)',
    }
    return words[name]
