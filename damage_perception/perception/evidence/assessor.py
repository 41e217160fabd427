"""All items of a frame assessed together: one batch for the network, none twice without need."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from damage_perception.network.backends import Backend, open_backend
from damage_perception.network.judgement import NetworkJudgement, Question, judge_views
from damage_perception.network.network_settings import NetworkSettings
from damage_perception.network.weights import manifest_digest
from damage_perception.perception.comparison.comparison import comparison_features
from damage_perception.perception.decision.calibration import GEOMETRY
from damage_perception.perception.evidence.evidence import (
    Evidence,
    EvidenceModel,
    load_evidence,
    of_geometry,
)
from damage_perception.perception.evidence.item_features import item_features
from damage_perception.perception.gallery.fit import FittedReference
from damage_perception.perception.geometry.geometry import (
    GeometryEvidence,
    GeometrySettings,
    find_damage,
)
from damage_perception.perception.geometry.surface import Relief, own_relief
from damage_perception.perception.view.item_view import ItemView

_SUSPECT = 0.0  # score from which an item is looked at without the relief of its product
_IMPROVED = 1.25  # times as many frames behind a view make it worth another judgement


@dataclass(eq=False)
class Memory:
    """What the network last said about a track, and how good the view was that it saw.

    Attributes:
        judgement: what it said; None = it was not asked yet.
        frames: behind the view.
        compared: whether there was a reference.
        differences: what the view was found to differ in from the references.
        unexplained: what the network says without the relief of the product; None = not asked.
    """

    judgement: NetworkJudgement | None = None
    frames: float = 0.0
    compared: bool = False
    differences: dict[str, float] = field(default_factory=dict)
    unexplained: NetworkJudgement | None = None

    def serves(self, view: ItemView, compared: bool) -> bool:
        """Tell whether what was said still holds for a view."""
        said = self.judgement
        return (
            said is not None
            and said.log_odds.shape == view.item_mask.shape
            and self.compared == compared
            and self.frames <= view.frames < _IMPROVED * self.frames
        )

    def take(self, item: Asked, judgement: NetworkJudgement, differences: dict[str, float]) -> None:
        """Remember what the network says of an item and what it differs in from its references."""
        self.judgement, self.frames = judgement, item.view.frames
        self.compared = item.reference is not None
        self.differences, self.unexplained = differences, None


@dataclass(frozen=True, eq=False)
class Asked:
    """One item to assess.

    Attributes:
        view: what is seen of it.
        unexplained: the same without the relief that its product has by design.
        references: sound items of its product on the view's grid, the best first.
        memory: of its track; None = the network is not asked, as for what is cut or covered.
    """

    view: ItemView
    unexplained: ItemView
    references: tuple[FittedReference, ...] = ()
    memory: Memory | None = None

    @property
    def reference(self) -> ItemView | None:
        """The reference that fits best; None = there is none."""
        return self.references[0].aligned.view if self.references else None

    @property
    def smooth(self) -> ItemView | None:
        """The same without the relief that its product has by design; only suspects need it."""
        return self.references[0].smooth if self.references else None

    @cached_property
    def relief(self) -> Relief | None:
        """Relief of the view, which the network sees and, mostly, geometry judges."""
        return own_relief(self.view)


@dataclass(frozen=True, eq=False)
class _Shape:
    """What depth tells of an item without the relief that its product has by design."""

    relief: Relief | None
    geometry: GeometryEvidence
    features: dict[str, float]

    @staticmethod
    def of(item: Asked, settings: GeometrySettings) -> _Shape:
        view = item.unexplained
        relief = item.relief if view is item.view else own_relief(view)
        geometry = find_damage(view, settings, relief)
        return _Shape(relief, geometry, item_features(view, relief, geometry))


def _differences(item: Asked) -> dict[str, float]:
    return comparison_features(item.view, [fitted.aligned for fitted in item.references])


class Assessor:
    """Geometry, and beside it the network with the trees that weigh both.

    Attributes:
        detector: SHA-256 of the weights' manifest, or `geometry` and a version.

    Raises:
        UserError: if the weights cannot be used.
        CallError: if there is no such backend or precision.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        self.detector = GEOMETRY
        self._backend: Backend | None = None
        self._model: EvidenceModel | None = None
        folder = settings.folder
        if folder is not None:
            self.detector = manifest_digest(folder)
            self._backend, self._model = _opened(folder, settings, self.detector)

    def assess(self, items: list[Asked], settings: GeometrySettings) -> list[Evidence]:
        """Say what is known of each item; the network judges beside geometry."""
        new = [
            (item, item.memory) for item in items
            if item.memory and not item.memory.serves(item.view, item.reference is not None)
        ]  # fmt: skip
        question = self._question([item for item, _ in new])
        shapes = [_Shape.of(item, settings) for item in items]
        if question is not None:
            differences = [_differences(item) for item, _ in new]
            said = question.answer()
            for (item, memory), judgement, differs in zip(new, said, differences, strict=True):
                memory.take(item, judgement, differs)
        return [self._weighed(item, shape) for item, shape in zip(items, shapes, strict=True)]

    def _question(self, items: list[Asked]) -> Question | None:
        if self._backend is None or not items:
            return None
        return Question(
            self._backend,
            [item.view for item in items],
            [item.reference for item in items],
            [item.relief for item in items],
        )

    def _weighed(self, item: Asked, shape: _Shape) -> Evidence:
        geometry = shape.geometry
        if self._model is None:
            return of_geometry(geometry)
        judgement = item.memory.judgement if item.memory else None
        features = shape.features | (item.memory.differences if item.memory else {})
        said = self._model.weigh(item.view, geometry, features, judgement)
        plain = item.unexplained is item.view
        if plain or not (item.memory and judgement and said.score > _SUSPECT):
            return said
        again = self._again(item, item.memory, shape.relief)
        return min(
            said,
            self._model.weigh(item.unexplained, geometry, features, again),
            key=lambda evidence: evidence.score,
        )

    def _again(self, item: Asked, memory: Memory, relief: Relief | None) -> NetworkJudgement:
        """Ask the network about an item and its reference without what the product has by design.

        It takes a large bowl for a dent even where the reference has one too. Of all items asked,
        those that look sound would look worse, since what is taken out leaves its traces.
        """
        if memory.unexplained is None:
            assert self._backend is not None
            (memory.unexplained,) = judge_views(
                self._backend, [item.unexplained], [item.smooth], [relief]
            )
        return memory.unexplained


@lru_cache(maxsize=2)
def _opened(folder: Path, how: NetworkSettings, digest: str) -> tuple[Backend, EvidenceModel]:
    """Open weights once in a process; `digest` tells other weights in the same folder."""
    backend = open_backend(folder, how.backend, how.threads, how.precision)
    return backend, load_evidence(folder)
