"""Identities as wholes: how alike two of them are, and which are the nearest of each (look-alikes)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray, Ragged, places
from hardneg.search import Constraints, Engine, Exact, Unlike
from hardneg.similarity import FloatArray, check_vectors, prepared

__all__ = ["Identities", "Nearest", "nearest_by_best_pair", "nearest_identities", "summed_up"]

_SHRINK = 3.0  # pairs of the average name that are added to the pairs of each
_LEAST = 0.05  # of the average likeness within a name; less would make a name like everybody
_PART = 4096
_SAMPLE = 2000  # names whose pairs tell what strangers are like


@dataclass(frozen=True, eq=False)
class Identities:
    """Each identity as one vector, such that the product of two is how alike they are.

    ``likeness`` is the mean cosine across two names over the geometric mean of those within each: 1 where one is as
    like the other as each is to itself, whatever their sizes. (Correction for attenuation: Spearman 1904, American
    Journal of Psychology 15. A plain cosine of centroids is lower for names with few examples: theirs are noisier.)

    Args:
        codes: the identity of each row, shape ``(i,)``, rising.
        vectors: shape ``(i, d)``.
        within: the mean cosine of two examples of the name, shrunk to the mean of all names where there are few.
        sizes: how many examples each has.
    """

    codes: IntArray
    vectors: FloatArray
    within: NDArray[np.float64]
    sizes: IntArray

    def __len__(self) -> int:
        return len(self.codes)

    def likeness(self, left: IntArray, right: IntArray) -> NDArray[np.float64]:
        """How alike identities of two rows are, shape ``(len(left),)``."""
        products = np.einsum("ij,ij->i", self.vectors[left], self.vectors[right], dtype=np.float64)
        return np.asarray(products, np.float64)


def summed_up(vectors: Matrix, codes: IntArray) -> Identities:
    """One vector for each identity; see :class:`Identities`.

    A name's own mean cosine counts with its number of pairs, that of all names with 3.

    Args:
        vectors: of the examples, shape ``(n, d)``; the cosine is what is compared.
        codes: whole numbers, -1 for none, shape ``(n,)``.

    Raises InputError where no identity has two examples, or their examples are no more alike than strangers.

    >>> faces = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    >>> people = summed_up(faces, np.array([7, 7, 9, 9]))
    >>> people.codes.tolist(), people.likeness(np.array([0]), np.array([1])).tolist()
    ([7, 9], [0.0])
    """
    vectors = check_vectors(vectors, "identity", rows=len(codes))
    known = np.flatnonzero(codes >= 0)
    names, place, sizes = np.unique(codes[known], return_inverse=True, return_counts=True)
    sums, lengths = np.zeros((len(names), vectors.shape[1])), np.zeros(len(names))
    for start in range(0, len(known), _PART):
        part = slice(start, start + _PART)
        unit = prepared(vectors[known[part]], "cosine").astype(np.float64)
        np.add.at(sums, place[part], unit)
        np.add.at(lengths, place[part], (unit * unit).sum(axis=1))
    twice = sizes * (sizes - 1.0)
    alike = (sums * sums).sum(axis=1) - lengths
    average = float(alike.sum() / twice.sum()) if twice.any() else 0.0
    if not average > 0:
        raise InputError(
            "The examples of one identity are no more alike than strangers, so identities cannot be compared.",
            remedy="Give at least one identity two examples, and vectors of a model that tells them apart.",
        )
    within = within_names(alike / 2, twice / 2, average)
    scaled = sums / (sizes * np.sqrt(within))[:, None]
    return Identities(names.astype(np.int64), scaled.astype(np.float32), within, sizes.astype(np.int64))


def within_names(
    alike: NDArray[np.float64], pairs: NDArray[np.float64], average: float
) -> NDArray[np.float64]:  # fmt: skip
    """The mean cosine within each name from the sum over its ``pairs``, shrunk to the ``average`` of all names."""
    return np.maximum((alike + _SHRINK * average) / (pairs + _SHRINK), _LEAST * average)


def likeness_across(people: Identities, seed: int) -> NDArray[np.float64]:
    """How alike two different identities are, for all pairs; of more than 2,000 identities so many are drawn."""
    drawn = np.argsort(random.uniform(seed, np.arange(len(people))), kind="stable")[:_SAMPLE]
    some = people.vectors[np.sort(drawn)].astype(np.float64)
    return np.concatenate([some[i + 1 :] @ some[i] for i in range(len(some))])


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest other identities of each, nearest first: row numbers of :class:`Identities`, and their scores."""

    identities: Ragged
    scores: FloatArray

    def pairs(self) -> tuple[IntArray, IntArray]:
        """Each pair of neighbours once, the lower row first.

        >>> Nearest(Ragged.from_lists([[1], [0], [1]]), np.zeros(3, np.float32)).pairs()[1].tolist()
        [1, 2]
        """
        mine, theirs = self.identities.rows(), self.identities.values
        both = Ragged.from_pairs(np.minimum(mine, theirs), np.maximum(mine, theirs), len(self.identities))
        return both.rows(), both.values


def nearest_identities(people: Identities, k: int, *, engine: Engine | None = None) -> Nearest:
    """The ``k`` identities most like each, its look-alikes, by their likeness as wholes.

    >>> faces = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [3, 1], [3, 1]], np.float32)
    >>> nearest_identities(summed_up(faces, np.array([0, 0, 1, 1, 2, 2])), 1).identities.values.tolist()
    [2, 2, 0]
    """
    require(k >= 1, "k", "at least 1", k)
    n, self_only = len(people), np.arange(len(people), dtype=np.int64)
    free = Constraints(Ragged.from_codes(self_only), np.zeros(n, bool))
    hits = (engine or Exact()).search(people.vectors, people.vectors, k, "dot", free)
    return Nearest(hits.items, hits.scores)


def nearest_by_best_pair(vectors: Matrix, codes: IntArray, k: int, *, engine: Engine | None = None) -> Nearest:
    """The ``k`` nearest identities of each by their two most similar examples; rows stand for the codes in order.

    Which two photographs are most alike, not which two persons: it finds what a threshold on pairs will confuse. Exact
    where the engine is: an example is asked for more neighbours until they are of ``k`` identities.

    Args:
        vectors: of the examples, shape ``(n, d)``, compared by cosine.
        codes: whole numbers, -1 for none, shape ``(n,)``.
        k: how many identities.
        engine: ``exact`` if not given.

    >>> faces = np.array([[1, 0], [0, 1], [1, 5], [-1, 0]], np.float32)
    >>> nearest_by_best_pair(faces, np.array([0, 0, 1, 2]), 1).identities.values.tolist()
    [1, 0, 0]
    """
    require(k >= 1, "k", "at least 1", k)
    vectors = check_vectors(vectors, "identity", rows=len(codes))
    names, place = np.unique(codes[codes >= 0], return_inverse=True)
    rows = np.flatnonzero(codes >= 0)
    mine = np.full(len(codes), -1, np.int64)
    mine[rows] = place
    wanted, depth = min(k, len(names) - 1), k
    found: list[tuple[IntArray, IntArray, FloatArray]] = []
    free = Constraints(Ragged.empty(len(codes)), codes < 0, unlike=(Unlike(mine, mine),))
    while len(rows):
        hits = (engine or Exact()).prepare(vectors, vectors, depth, "cosine", free)(rows)
        theirs = Ragged.from_pairs(hits.items.rows(), mine[hits.items.values], len(rows))
        done = (theirs.lengths() >= wanted) | (hits.items.lengths() < depth)
        keep = done[hits.items.rows()]
        found.append((mine[rows[hits.items.rows()]][keep], mine[hits.items.values][keep], hits.scores[keep]))
        rows, depth = rows[~done], depth * 2
    if not found:
        return Nearest(Ragged.empty(len(names)), np.zeros(0, np.float32))
    left, right, scores = (np.concatenate(one) for one in zip(*found, strict=True))
    return _best(left, right, scores, len(names), k)


def _best(left: IntArray, right: IntArray, scores: FloatArray, n: int, k: int) -> Nearest:
    """The best score of each pair, then the ``k`` best pairs of each row; ties stand by row."""
    order = np.lexsort((-scores, right, left))
    left, right, scores = left[order], right[order], scores[order]
    first = np.append(True, (left[1:] != left[:-1]) | (right[1:] != right[:-1]))[: len(left)]
    left, right, scores = left[first], right[first], scores[first]
    order = np.lexsort((right, -scores, left))
    left, right, scores = left[order], right[order], scores[order]
    counts = np.bincount(left, minlength=n).astype(np.int64)
    keep = places(counts) < k
    offsets = np.append(0, np.cumsum(np.minimum(counts, k))).astype(np.int64)
    return Nearest(Ragged(offsets, right[keep]), scores[keep])
