"""The journal: whole after a kill, bounded, an item once, and a full disk ends nothing."""

from __future__ import annotations

import csv
import json
import math
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from damage_perception.errors import UserError
from damage_perception.journal.entries import read_entries, write_csv, write_parquet
from damage_perception.journal.journal import Journal, Review
from damage_perception.journal.summary import summarise
from damage_perception.perception.decision.decision import JudgedDecision
from damage_perception.perception.decision.item_history import Versions
from damage_perception.report import (
    DamageInstance,
    DamageType,
    ItemReport,
    Pose,
    Roi,
    Severity,
    Status,
    Verdict,
)

POSE = Pose((0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 1.0))
CRUSH = DamageInstance(
    DamageType.CRUSH, Severity.MAJOR, 0.9, Roi(0, 0, 1, 1), (0.0, 0.0, 1.0), 0.002, 0.021, 1,
    np.ones((1, 1), bool),
)  # fmt: skip


def made(track: int, verdict: Verdict = Verdict.DIVERT, sku: str = 'A') -> JudgedDecision:
    damages = (CRUSH,) if verdict is Verdict.DIVERT else ()
    evidence = ItemReport(
        track, sku, 1.0, POSE, (0.1, 0.1, 0.1), Roi(0, 0, 1, 1), 0.9, 4.5, math.nan,
        Status.NO_REFERENCE, 5, damages, np.ones((1, 1), bool), np.zeros((1, 1), np.float32),
    )  # fmt: skip
    return JudgedDecision(
        1000 + track, 'camera', track, sku, verdict, 0.9, 0.5, 5, 'why', POSE, evidence=evidence,
        versions=Versions('geometry 1', 'c0', '7'),
    )  # fmt: skip


def open_journal(path: Path, max_rows: int = 1000) -> Journal:
    return Journal(path, max_rows, {'policy': 'abc'})


def test_a_decision_is_kept_with_its_evidence(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'journal.sqlite'
    assert open_journal(path).record('s1', made(1))
    (entry,) = read_entries(path)
    assert (entry['decision'], entry['sku'], entry['stamp_ns']) == ('DIVERT', 'A', 1001)
    assert (entry['segmentation_score'], entry['anomaly_score']) == (4.5, None)
    assert entry['status'] == Status.NO_REFERENCE
    (damage,) = json.loads(entry['damages'])
    assert damage['type'] == 'crush'
    assert damage['depth_m'] == 0.021
    assert json.loads(entry['versions']) == {
        'policy': 'abc', 'detector': 'geometry 1', 'calibration': 'c0', 'gallery': '7',
    }  # fmt: skip


def test_an_item_of_a_source_is_kept_once_also_after_a_new_start(tmp_path: Path) -> None:
    path = tmp_path / 'journal.sqlite'
    journal = open_journal(path)
    assert [journal.record('s1', made(track)) for track in (2, 1, 2)] == [True, True, False]
    again = open_journal(path)
    assert not again.record('s1', made(1))
    assert again.record('s2', made(1))
    assert again.decided('s1') == [2, 1]
    assert again.decided('other') == []


def test_the_oldest_go_and_the_file_stays_small(tmp_path: Path) -> None:
    path = tmp_path / 'journal.sqlite'
    journal = open_journal(path, max_rows=50)
    sizes = []
    for track in range(1, 2001):
        journal.record('s1', made(track))
        journal.review(track, 1000 + track, Review(damaged=True))
        if track % 500 == 0:
            sizes.append(path.stat().st_size)
    entries = read_entries(path)
    assert [entry['track_id'] for entry in entries] == list(range(1951, 2001))
    assert all(entry['found'] == 'damaged' for entry in entries)
    assert sizes[-1] <= sizes[0] + 50_000
    with sqlite3.connect(path) as connection:
        assert connection.execute('SELECT count(*) FROM review').fetchone() == (50,)


def test_a_review_is_kept_with_its_decision_and_the_last_one_counts(tmp_path: Path) -> None:
    path = tmp_path / 'journal.sqlite'
    journal = open_journal(path)
    journal.record('s1', made(1))
    assert not journal.review(1, 7, Review(damaged=False))
    assert journal.review(1, 1001, Review(damaged=False))
    assert journal.review(1, 1001, Review(True, DamageType.TEAR, minor=True))
    (entry,) = read_entries(path)
    assert (entry['found'], entry['found_type'], entry['found_minor']) == ('damaged', 'tear', 1)


def _record_for_ever(journal: Journal, tracks: Iterator[int]) -> None:
    for track in tracks:
        journal.record('s1', made(track))


def test_a_full_disk_is_a_sentence_and_work_goes_on_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / 'journal.sqlite'
    journal = open_journal(path)
    journal.record('s1', made(1))
    journal._connection.execute('PRAGMA max_page_count = 1')
    tracks = iter(range(2, 10**6))
    with pytest.raises(UserError, match=r'the journal .* cannot be used \(.*full\); make room'):
        _record_for_ever(journal, tracks)
    refused = next(tracks) - 1
    assert journal.record('s1', made(5000))
    assert [entry['track_id'] for entry in read_entries(path)] == [*range(1, refused), 5000]


@pytest.mark.parametrize('content', [b'not a database at all' * 100, b''])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'other'
    path.write_bytes(content)
    with pytest.raises(UserError, match='other'):
        read_entries(path)
    assert path.read_bytes() == content


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / 'other.sqlite'
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE mine (x)')
    with pytest.raises(UserError, match='is not a journal'):
        open_journal(path).record('s1', made(1))


def test_a_place_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot be used'):
        open_journal(tmp_path / 'file' / 'journal.sqlite').record('s1', made(1))


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_journal import made, open_journal
journal = open_journal(Path(sys.argv[1]), 10**6)
for track in range(1, 10**6):
    journal.record('s1', made(track))
    print(track, flush=True)
"""


def test_a_killed_writer_leaves_a_whole_journal_with_all_that_it_acknowledged(
    tmp_path: Path,
) -> None:
    path = tmp_path / 'journal.sqlite'
    call = [sys.executable, '-c', WRITER, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        acknowledged = [int(process.stdout.readline())]
        time.sleep(0.3)
        process.kill()
        acknowledged += [int(line) for line in process.stdout if line.endswith('\n')]
    tracks = [entry['track_id'] for entry in read_entries(path)]
    assert tracks in ([*acknowledged], [*acknowledged, acknowledged[-1] + 1])
    with sqlite3.connect(path) as connection:
        assert connection.execute('PRAGMA integrity_check').fetchone() == ('ok',)


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    """Ten items: 4 diverted (3 reviewed, 2 right), 5 passed (2 reviewed, 1 missed), 1 unknown."""
    path = tmp_path / 'journal.sqlite'
    journal = open_journal(path)
    verdicts = [Verdict.DIVERT] * 4 + [Verdict.PASS] * 5 + [Verdict.UNKNOWN]
    for track, verdict in enumerate(verdicts, 1):
        journal.record('s1', made(track, verdict, 'A' if track <= 5 else ''))
    for track, review in {
        1: Review(True, DamageType.CRUSH), 2: Review(True, DamageType.TEAR), 3: Review(False),
        5: Review(True, DamageType.SPILL), 6: Review(False),
    }.items():  # fmt: skip
        assert journal.review(track, 1000 + track, review)
    return path


def test_figures_of_all_by_type_and_by_product(reviewed: Path) -> None:
    figures = summarise(read_entries(reviewed))
    assert figures['decisions'] == 10
    assert figures['reviewed'] == 5
    assert {name: share['count'] for name, share in figures['rates'].items()} == {
        'divert': 4, 'pass': 5, 'unknown': 1, 'inspect': 0,
    }  # fmt: skip
    assert (figures['precision']['count'], figures['precision']['of']) == (2, 3)
    assert (figures['misses']['count'], figures['misses']['of']) == (1, 2)
    assert figures['precision']['low'] < 2 / 3 < figures['precision']['high']
    kinds = {name: group['decisions'] for name, group in figures['by_type'].items()}
    assert kinds == {'crush': 3, 'none found': 5, 'spill': 1, 'tear': 1}
    assert figures['by_sku']['A']['misses']['count'] == 1
    assert figures['by_sku']['']['decisions'] == 5


def test_a_journal_without_decisions_has_no_shares(tmp_path: Path) -> None:
    path = tmp_path / 'journal.sqlite'
    open_journal(path).decided('s1')
    assert summarise(read_entries(path))['rates']['divert']['share'] is None


def test_csv_has_a_line_a_decision(reviewed: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / 'out.csv', read_entries(reviewed))
    with (tmp_path / 'out.csv').open(newline='') as stream:
        rows = list(csv.DictReader(stream))
    assert [row['found'] for row in rows[:4]] == ['damaged', 'damaged', 'sound', '']
    assert rows[0]['decision'] == 'DIVERT'


def test_parquet_gives_back_what_is_known(reviewed: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip('pyarrow.parquet', reason='pyarrow is not installed')
    entries = read_entries(reviewed)
    write_parquet(tmp_path / 'out.parquet', entries)
    rows = parquet.read_table(tmp_path / 'out.parquet').to_pylist()
    assert rows == [dict(entry) for entry in entries]


def test_parquet_without_pyarrow_is_a_sentence(
    reviewed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    with pytest.raises(UserError, match='Parquet needs pyarrow: pip install pyarrow'):
        write_parquet(tmp_path / 'out.parquet', read_entries(reviewed))
    assert not list(tmp_path.glob('*out.parquet*'))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, '-m', 'damage_perception.cli.main', 'report', *arguments]
    return subprocess.run(call, capture_output=True, text=True, timeout=60)


def test_the_command_prints_figures(reviewed: Path, tmp_path: Path) -> None:
    shown = run(str(reviewed))
    assert shown.returncode == 0, shown.stderr
    assert '66.67%' in shown.stdout
    told = run(str(reviewed), '--json', '--csv', str(tmp_path / 'out.csv'))
    assert json.loads(told.stdout)['precision']['count'] == 2
    assert (tmp_path / 'out.csv').exists()


def test_the_command_refuses_what_is_no_journal(tmp_path: Path) -> None:
    result = run(str(tmp_path / 'absent.sqlite'))
    assert result.returncode == 1
    assert 'absent.sqlite does not exist' in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
