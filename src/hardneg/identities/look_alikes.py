"""Which identities are nearest to which, and by which examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.identities.examples import Examples
from hardneg.progress import Progress
from hardneg.ragged import IntArray, Ragged, places
from hardneg.similarity import FloatArray, pair_scores, prepared
from hardneg.verify import Identities, Nearest, best_pairs, nearest_identities

__all__ = ["LookAlikes", "Pairs", "look_alikes_of", "typical_examples"]

_NEAREST = 10
_PART = 4096


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of identities.

    Args:
        left: the code of one, shape ``(p,)``.
        right: that of the other.
        rank: the place of the other among the nearest of the one, from 0.
        likeness: as wholes; 1 is as like as each is to itself.
        left_rows: of the two examples that are most alike, the one's.
        right_rows: the other's.
        scores: the cosine of these two.
    """

    left: IntArray
    right: IntArray
    rank: IntArray
    likeness: NDArray[np.float64]
    left_rows: IntArray
    right_rows: IntArray
    scores: FloatArray

    def __len__(self) -> int:
        return len(self.left)

    def take(self, rows: IntArray) -> Pairs:
        """Some of the pairs, in the given order."""
        return Pairs(*(column[rows] for column in vars(self).values()))

    @classmethod
    def of(
        cls, examples: Examples, left: IntArray, right: IntArray, rank: IntArray, likeness: NDArray[Any], seed: int
    ) -> Pairs:
        """Pairs with the two examples that are most alike; of an identity with more than 1,000 so many are drawn."""
        low, high = np.minimum(left, right), np.maximum(left, right)
        pairs, place = np.unique(np.stack([low, high], axis=1), axis=0, return_inverse=True)
        found = best_pairs(examples.vectors, examples.codes, pairs[:, 0], pairs[:, 1], seed=seed)
        one, other = (side[place.ravel()] for side in found)
        ours, theirs = np.where(left == low, one, other), np.where(left == low, other, one)
        scores = pair_scores(examples.vectors, examples.vectors, ours, theirs, "cosine")
        return cls(left, right, rank, np.asarray(likeness, np.float64), ours, theirs, scores)


@dataclass(frozen=True, eq=False)
class LookAlikes:
    """The nearest of each identity.

    Args:
        nearest: its ten nearest others, by identity, nearest first.
        cohort: the nearest that are certainly strangers, as rows of the identities as wholes.
    """

    nearest: Pairs
    cohort: Nearest

    def closest(self, persons: IntArray, most: int = 100) -> Pairs:
        """The pairs of identities that are most alike and not suspected to be one person, each once."""
        pairs = self.nearest
        strangers = persons[pairs.left] != persons[pairs.right]
        keys = np.stack([np.minimum(pairs.left, pairs.right), np.maximum(pairs.left, pairs.right)], axis=1)
        first = np.unique(keys[strangers], axis=0, return_index=True)[1]
        rows = np.flatnonzero(strangers)[first]
        return pairs.take(rows[np.argsort(-pairs.likeness[rows], kind="stable")][:most])


def look_alikes_of(
    examples: Examples, people: Identities, persons: IntArray, *, cohort: int, seed: int, progress: Progress
) -> LookAlikes:
    """Look for the nearest of each identity; ``persons`` says by code which names may be one person."""
    with progress.stage("nearest identities", len(people), "identities") as report:
        found = nearest_identities(people, max(_NEAREST, cohort))
        near = _first(found, places(found.identities.lengths()) < _NEAREST)
        ours, theirs = people.codes[near.identities.rows()], people.codes[near.identities.values]
        rank = places(near.identities.lengths())
        nearest = Pairs.of(examples, ours, theirs, rank, near.scores, seed)
        report(len(people), len(people))
    ours, theirs = people.codes[found.identities.rows()], people.codes[found.identities.values]
    strangers = _first(found, persons[ours] != persons[theirs])
    return LookAlikes(nearest, _first(strangers, places(strangers.identities.lengths()) < cohort))


def _first(found: Nearest, keep: NDArray[np.bool_]) -> Nearest:
    """Some of the nearest of each, in their order."""
    counts = np.bincount(found.identities.rows()[keep], minlength=len(found.identities))
    return Nearest(Ragged.from_lengths(counts, found.identities.values[keep]), found.scores[keep])


def typical_examples(examples: Examples, people: Identities) -> IntArray:
    """For each identity as a whole the example that is nearest to its centre, as a row; ties by row."""
    rows = np.flatnonzero(examples.codes >= 0)
    place = np.searchsorted(people.codes, examples.codes[rows])
    scores = np.empty(len(rows))
    for start in range(0, len(rows), _PART):
        part = slice(start, start + _PART)
        unit = prepared(examples.vectors[rows[part]], "cosine").astype(np.float64)
        scores[part] = np.einsum("ij,ij->i", unit, people.vectors[place[part]])
    order = np.lexsort((rows, -scores, place))
    return np.asarray(rows[order[np.searchsorted(place[order], np.arange(len(people)))]])
