from __future__ import annotations

import numpy as np
import pytest

from damage_perception.network.boosted_trees import BoostedTrees


def stump(threshold: float, missing_left: bool = True) -> BoostedTrees:
    """One question: is feature 1 at most the threshold?"""
    own = np.array([[1, 1, 2]], np.int32)
    return BoostedTrees(
        np.array([0.5], np.float32),
        np.array([[1, 0, 0]], np.int32),
        np.array([[threshold, 0, 0]], np.float32),
        own,
        np.array([[2, 1, 2]], np.int32),
        np.array([[missing_left, False, False]]),
        np.array([[0.0, -1.0, 2.0]], np.float32),
    )


@pytest.mark.parametrize(
    ('value', 'logit'), [(0.9, -0.5), (1.0, -0.5), (1.1, 2.5), (np.inf, 2.5), (np.nan, -0.5)]
)
def test_a_question_is_asked_once_and_answered(value, logit):
    rows = np.array([[9.0, value]], np.float32)
    assert stump(1.0).logits(rows) == pytest.approx([logit])


def test_what_is_unknown_goes_where_it_was_learned():
    rows = np.array([[0.0, np.nan]], np.float32)
    assert stump(1.0, missing_left=False).logits(rows) == pytest.approx([2.5])


def test_no_rows_have_no_logits():
    assert stump(1.0).logits(np.zeros((0, 2), np.float32)).shape == (0,)


@pytest.mark.parametrize('name', ['left', 'right'])
def test_a_node_outside_its_tree_is_refused(name):
    tensors = {**stump(1.0).tensors(), name: np.array([[1, 3, 2]], np.int32)}
    with pytest.raises(ValueError, match='outside'):
        BoostedTrees(**tensors)


def test_a_circle_of_nodes_ends():
    tensors = stump(1.0).tensors() | {
        'left': np.array([[1, 0, 2]], np.int32), 'right': np.array([[1, 0, 2]], np.int32),
    }  # fmt: skip
    assert np.isfinite(BoostedTrees(**tensors).logits(np.zeros((1, 2), np.float32))).all()


def test_too_few_features_are_said():
    with pytest.raises(ValueError, match='needs 2 features, got 1'):
        stump(1.0).logits(np.zeros((1, 1), np.float32))
