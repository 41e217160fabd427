"""Boosted trees without the library that grew them: arrays, evaluated for all trees at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

_LARGEST = 100_000  # nodes of a tree; more is no model of ours


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """Trees of one model; all arrays but `base` are (trees, nodes), leaves point at themselves.

    Attributes:
        base: (1,) float32, the logit before any tree.
        feature: int32, which feature a node asks for.
        threshold: float32, values up to it go left.
        left, right: int32, the next node.
        missing_left: bool, where an unknown value (NaN) goes.
        value: float32, what a leaf adds to the logit; 0 for other nodes.
    """

    base: NDArray[np.float32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = self.feature.shape
        if len(shape) != 2 or not 0 < shape[1] <= _LARGEST or self.base.shape != (1,):
            raise ValueError(f'trees must be (trees, nodes), got {shape}')
        for item in fields(self)[1:]:
            if getattr(self, item.name).shape != shape:
                raise ValueError(f'{item.name} must be {shape}')
        for nodes in (self.left, self.right):
            if nodes.size and not 0 <= nodes.min() <= nodes.max() < shape[1]:
                raise ValueError('a node points outside its tree')

    def logits(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the logit of each row.

        Args:
            values: (N, features) float32, NaN = unknown.

        Raises:
            ValueError: if the trees ask for more features than there are.
        """
        trees, nodes = self.feature.shape
        if self.feature.size and self.feature.max() >= values.shape[1]:
            raise ValueError(f'needs {self.feature.max() + 1} features, got {values.shape[1]}')
        row = np.arange(len(values))[:, None]
        first = (np.arange(trees) * nodes)[None, :]
        node = np.zeros((len(values), trees), np.intp)
        for _ in range(nodes):  # as deep as a tree can be; stops when all are at leaves
            place = first + node
            asked = values[row, self.feature.ravel()[place]]
            to_left = np.where(np.isnan(asked), self.missing_left.ravel()[place],
                               asked <= self.threshold.ravel()[place])  # fmt: skip
            following = np.where(to_left, self.left.ravel()[place], self.right.ravel()[place])
            if np.array_equal(following, node):
                break
            node = following
        added = self.value.ravel()[first + node].astype(np.float64)
        return np.asarray(self.base[0] + added.sum(axis=1))

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """Give the arrays by name, as safetensors takes them."""
        return {item.name: getattr(self, item.name) for item in fields(self)}
