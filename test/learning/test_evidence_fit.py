from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('sklearn', reason='scikit-learn is installed for training only')

from damage_perception.learning.exported_trees import exported_trees
from damage_perception.learning.training.evidence_fit import fit_evidence


class View:
    """As much of a stored view as the fit asks for."""

    def __init__(self, damaged: bool) -> None:
        self.damaged = self.major = damaged


def made(count: int, seed: int):
    rng = np.random.default_rng(seed)
    damaged = rng.random(count) < 0.5
    dent = rng.normal(2.0 * damaged, 1.0)
    noise = np.where(rng.random(count) < 0.3, np.nan, rng.normal(0.0, 1.0, count))
    rows = [{'dent': float(d), 'noise': float(n), 'never': np.nan}
            for d, n in zip(dent, noise, strict=True)]  # fmt: skip
    return rows, [View(bool(value)) for value in damaged]


@pytest.fixture(scope='module')
def model():
    return fit_evidence(*made(1500, 0), *made(400, 1), seed=0)


def test_what_is_never_known_is_not_asked(model):
    assert model.names == ('dent', 'noise')


def test_it_tells_damaged_from_sound(model):
    rows, views = made(400, 2)
    scores = model.scores(rows)
    damaged = np.array([view.damaged for view in views])
    assert np.mean(scores[damaged]) > np.mean(scores[~damaged]) + 1.0


def test_a_surer_dent_never_lowers_the_score(model):
    for noise in (-1.0, 0.0, 2.0, np.nan):
        scores = model.scores([{'dent': dent, 'noise': noise} for dent in np.linspace(-3, 8, 60)])
        assert (np.diff(scores) >= -1e-9).all()


def test_the_exported_trees_say_what_the_library_says():
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(3)
    values = rng.normal(size=(800, 4)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    truth = np.nan_to_num(values[:, 0]) + np.nan_to_num(values[:, 1]) ** 2 > 0.7
    library = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(values, truth)
    fresh = rng.normal(size=(300, 4)).astype(np.float32)
    fresh[rng.random(fresh.shape) < 0.1] = np.nan
    ours = exported_trees(library).logits(fresh)
    np.testing.assert_allclose(ours, library.decision_function(fresh), atol=1e-4)
    np.testing.assert_allclose(
        exported_trees(library).logits(values), library.decision_function(values), atol=1e-4
    )
