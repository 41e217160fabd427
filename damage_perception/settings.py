"""Every setting of the perception core as data: default, meaning, unit, range.

The ROS parameters, `config/damage_perception.yaml` and the table of the README are made from
these dataclasses (names joined by dots: `items.min_height_m`) and kept equal by a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from damage_perception.network.network_settings import NetworkSettings
from damage_perception.perception.decision.decision import DecisionSettings
from damage_perception.perception.gallery.lookup import GallerySettings
from damage_perception.perception.geometry.geometry import GeometrySettings
from damage_perception.perception.items.cut import ItemsSettings
from damage_perception.perception.support.plane import PlaneSettings
from damage_perception.perception.tracking import TrackingSettings

__all__ = ['Settings']


@dataclass(frozen=True)
class Settings:
    """All settings of `DamagePipeline` and of the decision."""

    plane: PlaneSettings = field(default_factory=PlaneSettings)
    items: ItemsSettings = field(default_factory=ItemsSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    geometry: GeometrySettings = field(default_factory=GeometrySettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    gallery: GallerySettings = field(default_factory=GallerySettings)
