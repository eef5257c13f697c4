"""What an engine is asked, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.matrix import Matrix
from hardneg.notation import Step
from hardneg.ragged import IntArray, Ragged, expand
from hardneg.similarity import FloatArray, Similarity

__all__ = ["Constraints", "Engine", "Hits", "Search", "Unlike"]


@dataclass(frozen=True, eq=False)
class Unlike:
    """Codes of which an anchor and what it gets may share none: labels, identities, groups.

    ``anchors`` and ``items`` hold one whole number each, -1 for none, or several (a row of a Ragged each).
    """

    anchors: IntArray | Ragged
    items: IntArray | Ragged

    def lists(self) -> tuple[Ragged, Ragged]:
        """Both sides as lists of codes.

        >>> Unlike(np.array([7, -1]), np.array([7])).lists()[0].lengths().tolist()
        [1, 0]
        """
        return Ragged.from_codes(self.anchors), Ragged.from_codes(self.items)


@dataclass(frozen=True, eq=False)
class Constraints:
    """What may be returned. An item is admissible for an anchor unless one of these rules it out.

    Args:
        excluded: one row an anchor, of item rows: ruled out for that anchor, yet counted in raw ranks.
        barred: items that nobody may have, shape ``(m,)``; they count nowhere.
        unlike: an item that shares a code with the anchor counts nowhere for that anchor.
        ceiling: the highest admissible score of each anchor, shape ``(n,)``, infinity for none; higher ones count in
            raw ranks.
        floor: the lowest admissible score of each anchor, shape ``(n,)``, minus infinity for none.
        skip: raw ranks below this are ruled out.
        within: raw ranks from this on are ruled out.
    """

    excluded: Ragged
    barred: NDArray[np.bool_]
    unlike: tuple[Unlike, ...] = ()
    ceiling: FloatArray | None = None
    floor: FloatArray | None = None
    skip: int = 0
    within: int | None = None

    @classmethod
    def none(cls, anchors: int, items: int) -> Constraints:
        """No constraint at all."""
        return cls(Ragged.empty(anchors), np.zeros(items, bool))

    def take(self, rows: IntArray) -> Constraints:
        """The constraints of some anchors."""
        return replace(
            self,
            excluded=self.excluded.take(rows),
            unlike=tuple(
                Unlike(one.anchors.take(rows) if isinstance(one.anchors, Ragged) else one.anchors[rows], one.items)
                for one in self.unlike
            ),
            ceiling=None if self.ceiling is None else self.ceiling[rows],
            floor=None if self.floor is None else self.floor[rows],
        )

    def depth(self, k: int) -> int:
        """How many admissible items must be seen so that ``k`` of them lie in the window of ranks."""
        return k + self.skip if self.within is None else min(k + self.skip, self.within)


@dataclass(frozen=True, eq=False)
class Hits:
    """For each anchor its admissible items, best first; ties stand in item order.

    ``ranks`` is the place, from 0, among all items that are not barred and share no code with the anchor: those
    excluded and those above the ceiling are counted in.
    """

    items: Ragged
    scores: FloatArray
    ranks: NDArray[np.int32]

    def take(self, rows: IntArray) -> Hits:
        """The answers for some of the anchors, by their place."""
        items = self.items.take(rows)
        which = expand(self.items.offsets[:-1][rows], items.lengths())
        return Hits(items, self.scores[which], self.ranks[which])


class Search(ABC):
    """One search made ready: what can be shared between anchors (an index, a calibration) is built."""

    @abstractmethod
    def __call__(self, rows: IntArray) -> Hits:
        """The answers for these anchors, in their order; they do not depend on which others are asked with them."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What a run's manifest says of the search: which engine, and for an approximate one its measured recall."""
        return {}

    @property
    def together(self) -> int:
        """How many anchors it is best asked for at a time, where work is shared between them; 1 for any number."""
        return 1


class Engine(Step):
    """Finds the ``k`` best admissible items of each anchor, or all of them where fewer exist.

    A frozen dataclass whose fields are its options.
    """

    @abstractmethod
    def prepare(
        self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints
    ) -> Search:
        """Make a search ready. Anchors have shape ``(n, d)``, items ``(m, d)``; higher scores are more alike."""

    def search(self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints) -> Hits:
        """The answers for all anchors at once."""
        return self.prepare(anchors, items, k, similarity, constraints)(np.arange(len(anchors)))
