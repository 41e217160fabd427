from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from made_views import made_view

from damage_perception.network.backends import check_batch
from damage_perception.network.judgement import Question, judge_views
from damage_perception.network.outputs import ANY, CLASSES, SCORES, NetworkOutput
from damage_perception.report import DamageType


class Painter:
    """A backend that finds a hole where the picture is white."""

    name, precision = 'painter', 'fp32'

    def predict(self, batch):
        check_batch(batch)
        white = batch[:, 8:11, ::2, ::2].min(axis=1) > 2.0
        maps = np.zeros((len(batch), len(CLASSES), *white.shape[1:]), np.float32)
        maps[:, 0] = 5.0
        maps[:, CLASSES.index('hole')] = np.where(white, 10.0, 0.0)
        scores = np.zeros((len(batch), len(SCORES)), np.float32)
        scores[:, ANY] = white.sum(axis=(1, 2))
        return NetworkOutput(maps, scores)


def marked(size_m, row, column):
    view = made_view(np.random.default_rng(0), size_m)
    rgb = view.rgb.copy()
    rgb[row : row + 12, column : column + 12] = 255
    seen = view.seen.copy()
    seen[:4] = False
    return replace(view, rgb=rgb, seen=seen)


def test_views_of_several_sizes_come_back_in_their_own_pixels():
    views = [marked((0.15, 0.1), 40, 30), marked((0.1, 0.2), 60, 50)]
    for view, said, (row, column) in zip(
        views, judge_views(Painter(), views), ((40, 30), (60, 50)), strict=True
    ):
        assert said.log_odds.shape == said.likeliest.shape == view.item_mask.shape
        rows, columns = np.nonzero(said.log_odds > 0.0)
        assert (rows.min(), rows.max()) == (row, row + 11)
        assert (columns.min(), columns.max()) == (column, column + 11)
        assert (said.likeliest[rows, columns] == DamageType.HOLE).all()
        assert said.features['net_any'] == 36
        assert said.features['net_item_sure'] == 36


def test_what_is_not_seen_is_not_judged():
    view = marked((0.15, 0.1), 40, 30)
    said = judge_views(Painter(), [view])[0]
    np.testing.assert_array_equal(np.isnan(said.log_odds), ~view.seen)


def test_no_views_need_no_network():
    assert judge_views(Painter(), []) == []


class Slow(Painter):
    """A painter that waits until it may go on."""

    def __init__(self):
        self.go_on = threading.Event()

    def predict(self, batch):
        assert self.go_on.wait(10.0)
        return super().predict(batch)


def test_the_caller_goes_on_while_the_network_judges():
    view, slow = marked((0.15, 0.1), 40, 30), Slow()
    question = Question(slow, [view])
    slow.go_on.set()
    (said,), (expected,) = question.answer(), judge_views(Painter(), [view])
    assert said.log_odds.tobytes() == expected.log_odds.tobytes()
    np.testing.assert_equal(said.features, expected.features)


class Broken(Painter):
    def predict(self, batch):
        raise RuntimeError('no network today')


def test_an_error_of_the_network_is_raised_with_the_answer_and_harms_no_other_question():
    view = marked((0.15, 0.1), 40, 30)
    question = Question(Broken(), [view])
    with pytest.raises(RuntimeError, match='no network today'):
        question.answer()
    assert judge_views(Painter(), [view])[0].features['net_any'] == 36
