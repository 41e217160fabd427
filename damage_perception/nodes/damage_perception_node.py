"""Both nodes in one process: segmentation and divert."""

from __future__ import annotations

import sys

from damage_perception.nodes.damage_segmentation_node import DamageSegmentationNode
from damage_perception.nodes.divert_node import DivertNode
from damage_perception.ros.spinning import spin


def main() -> None:
    """Run the nodes."""
    sys.exit(spin([DamageSegmentationNode, DivertNode]))


if __name__ == '__main__':
    main()
