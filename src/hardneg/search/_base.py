"""What an engine is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import Ragged
from hardneg.similarity import FloatArray, Similarity

__all__ = ["Constraints", "Engine", "Hits"]


@dataclass(frozen=True, eq=False)
class Constraints:
    """What may not be returned.

    ``excluded`` holds one row an anchor, of item rows: ruled out for that anchor, yet counted in raw ranks.
    ``barred`` marks items that nobody may have; they count nowhere.
    """

    excluded: Ragged
    barred: NDArray[np.bool_]

    @classmethod
    def none(cls, anchors: int, items: int) -> Constraints:
        """No constraint at all."""
        return cls(Ragged.empty(anchors), np.zeros(items, bool))


@dataclass(frozen=True, eq=False)
class Hits:
    """For each anchor its admissible items, best first; ties stand in item order.

    ``ranks`` is the place among all items that are not barred, the excluded ones counted in.
    """

    items: Ragged
    scores: FloatArray
    ranks: NDArray[np.int32]


class Engine(Protocol):
    """Finds the ``k`` best admissible items of each anchor, or all of them where fewer exist."""

    def search(
        self, anchors: FloatArray, items: FloatArray, k: int, similarity: Similarity, constraints: Constraints
    ) -> Hits:
        """Anchors of shape ``(n, d)``, items of shape ``(m, d)``; scores are higher where more alike."""
        ...
