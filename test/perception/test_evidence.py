from __future__ import annotations

import math

import numpy as np
import pytest
from made_views import made_view

from damage_perception.errors import UserError
from damage_perception.network.judgement import NetworkJudgement
from damage_perception.network.network_settings import SHIPPED, NetworkSettings
from damage_perception.perception.evidence.assessor import Asked, Assessor, Memory
from damage_perception.perception.evidence.evidence import load_evidence
from damage_perception.perception.evidence.item_features import ITEM_FEATURES, item_features
from damage_perception.perception.geometry.geometry import GeometrySettings, find_damage
from damage_perception.perception.geometry.surface import own_relief
from damage_perception.report import DamageType


@pytest.fixture(scope='module')
def model():
    return load_evidence(SHIPPED)


def sound_view():
    return made_view(np.random.default_rng(0), (0.2, 0.15))


def weighed(model, view, network=None, **changes):
    relief = own_relief(view)
    geometry = find_damage(view, relief=relief)
    features = item_features(view, relief, geometry) | changes
    return model.weigh(view, geometry, features, network)


def pointing_at(view, odds: float):
    """A judgement that sees a tear in one corner."""
    log_odds = np.full(view.item_mask.shape, -5.0, np.float32)
    log_odds[30:50, 30:50] = odds
    likeliest = np.full(view.item_mask.shape, DamageType.TEAR, np.uint8)
    return NetworkJudgement(log_odds, likeliest, {'net_any': odds, 'net_item_top25': odds})


def test_the_worst_place_says_what_the_item_says(model):
    view = sound_view()
    evidence = weighed(model, view, pointing_at(view, 4.0))
    assert np.nanmax(evidence.confidence) == pytest.approx(evidence.probability, rel=1e-4)
    assert evidence.blobs[0].damage_type is DamageType.TEAR
    assert evidence.blobs[0].confidence == pytest.approx(evidence.probability, rel=1e-4)
    assert evidence.blobs[0].mask[40, 40]
    assert not evidence.blobs[0].mask[80, 80]


def test_a_surer_network_never_lowers_the_score(model):
    view = sound_view()
    scores = [weighed(model, view, pointing_at(view, odds)).score for odds in range(-6, 9)]
    assert (np.diff(scores) >= -1e-9).all()


@pytest.mark.parametrize('part', ['dent', 'lift', 'hole'])
def test_surer_geometry_never_lowers_the_score(model, part):
    view = sound_view()
    scores = [weighed(model, view, **{part: value}).score for value in np.linspace(0, 12, 25)]
    assert (np.diff(scores) >= -1e-9).all()


def test_what_nobody_knows_is_no_evidence(model):
    assert np.isfinite(model.scores([{}, dict.fromkeys(ITEM_FEATURES, math.nan)])).all()


def test_the_network_is_asked_again_only_when_a_view_has_improved():
    view, memory = sound_view(), Memory()
    assessor = Assessor(NetworkSettings())
    assessor.assess([Asked(view, view, (), memory)], GeometrySettings())
    first = memory.judgement
    assessor.assess([Asked(view, view, (), memory)], GeometrySettings())
    assert memory.judgement is first
    better = made_view(np.random.default_rng(0), (0.2, 0.15))
    object.__setattr__(better, 'frames', 2.0)
    assessor.assess([Asked(better, better, (), memory)], GeometrySettings())
    assert memory.judgement is not first


def test_evidence_that_was_altered_is_refused(tmp_path):
    for path in SHIPPED.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    evidence = tmp_path / 'evidence.safetensors'
    evidence.write_bytes(evidence.read_bytes()[:-1] + b'x')
    with pytest.raises(UserError, match='SHA-256 differs'):
        load_evidence(tmp_path)


def test_weights_without_evidence_are_refused(tmp_path):
    with pytest.raises(UserError, match='export'):
        Assessor(NetworkSettings(weights=str(tmp_path)))
