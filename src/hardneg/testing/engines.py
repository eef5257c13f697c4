"""What a search engine must do: answer as if it had compared every anchor with every item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np

from hardneg.ragged import IntArray, Ragged
from hardneg.search import Constraints, Engine, Hits
from hardneg.similarity import FloatArray, Similarity, pair_scores
from hardneg.testing._expect import expect

__all__ = ["brute_force", "check_engine"]

Case = tuple[str, FloatArray, FloatArray, Constraints]


def check_engine(engine: Engine) -> None:
    """Raise AssertionError unless an engine equals brute force, ties, ranks and empty answers included.

    Tried with every similarity, with few and many results, with constraints of all kinds, and with vectors that are
    random, on a grid (ties), all the same, zero, far away, very large, very small, few or none.
    """
    for name, anchors, items, constraints in _cases():
        for similarity in get_args(Similarity):
            for k in (1, 5, len(items) + 3):
                who = f"{engine} with {similarity}, k={k}, {name}"
                found = engine.search(anchors, items, k, similarity, constraints)
                _expect_hits(found, brute_force(anchors, items, k, similarity, constraints), who)
                for rows in np.array_split(np.arange(len(anchors)), 3):
                    part = Constraints(constraints.excluded.take(rows), constraints.barred)
                    found = engine.search(anchors[rows], items, k, similarity, part)
                    _expect_hits(found, brute_force(anchors[rows], items, k, similarity, part), who + ", in blocks")


def brute_force(
    anchors: FloatArray, items: FloatArray, k: int, similarity: Similarity, constraints: Constraints
) -> Hits:
    """Score every pair and sort: what every engine must find."""
    lists, scores, ranks = [], [np.zeros(0, np.float32)], [np.zeros(0, np.int32)]
    everything = np.arange(len(items))
    for row in range(len(anchors)):
        points = pair_scores(anchors, items, np.full(len(items), row), everything, similarity)
        order = [item for item in np.lexsort((everything, -points)).tolist() if not constraints.barred[item]]
        closed = set(constraints.excluded[row].tolist())
        found = [(item, rank) for rank, item in enumerate(order) if item not in closed][:k]
        lists.append([item for item, _ in found])
        ranks.append(np.array([rank for _, rank in found], np.int32))
        scores.append(points[lists[-1]])
    return Hits(Ragged.from_lists(lists), np.concatenate(scores), np.concatenate(ranks))


def _expect_hits(found: Hits, wanted: Hits, who: str) -> None:
    expect(len(found.items) == len(wanted.items), who, "answer every anchor", len(found.items))
    for row in range(len(wanted.items)):
        same = np.array_equal(found.items[row], wanted.items[row])
        rule = f"find the items {_short(wanted.items[row])} for anchor {row}"
        expect(same, who, rule, _short(found.items[row]))
    expect(found.scores.dtype == np.float32, who, "give scores as float32", found.scores.dtype)
    expect(np.array_equal(found.scores, wanted.scores), who, "give the scores of hardneg.similarity.pair_scores")
    expect(found.ranks.dtype == np.int32, who, "give ranks as int32", found.ranks.dtype)
    expect(np.array_equal(found.ranks, wanted.ranks), who, "count the excluded but not the barred items in the ranks")


def _short(values: IntArray) -> str:
    return f"{values[:12].tolist()}{' ...' if len(values) > 12 else ''}"


def _cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)

    def normal(n: int, d: int) -> FloatArray:
        return rng.normal(size=(n, d)).astype(np.float32)

    def grid(n: int, d: int) -> FloatArray:
        return rng.integers(-1, 2, size=(n, d)).astype(np.float32)

    free = Constraints.none
    yield "random vectors", normal(9, 16), normal(70, 16), free(9, 70)
    yield "vectors on a grid", grid(9, 2), grid(70, 2), _some(rng, 9, 70)
    yield "equal vectors", np.ones((4, 3), np.float32), np.ones((40, 3), np.float32), _some(rng, 4, 40)
    yield "zero vectors", np.zeros((3, 3), np.float32), grid(20, 3), _some(rng, 3, 20)
    yield "anchors far away", normal(6, 2) * np.float32(1e5), normal(300, 2), _some(rng, 6, 300)
    yield "large numbers", normal(4, 4) * np.float32(1e18), normal(30, 4) * np.float32(1e18), _some(rng, 4, 30)
    yield "unlike numbers", normal(4, 4) * np.float32(1e-12), normal(30, 4) * np.float32(1e25), _some(rng, 4, 30)
    yield "small numbers", normal(4, 4) * np.float32(1e-18), normal(30, 4) * np.float32(1e-18), _some(rng, 4, 30)
    yield "one anchor", normal(1, 4), normal(30, 4), _some(rng, 1, 30)
    yield "one item", normal(4, 4), normal(1, 4), free(4, 1)
    yield "no anchors", normal(0, 4), normal(5, 4), free(0, 5)
    yield (
        "everything excluded",
        normal(2, 3),
        normal(6, 3),
        Constraints(Ragged.from_lists([np.arange(6), np.arange(5)]), np.zeros(6, bool)),
    )
    yield "everything barred", normal(2, 3), normal(6, 3), Constraints(Ragged.empty(2), np.ones(6, bool))


def _some(rng: np.random.Generator, n: int, m: int) -> Constraints:
    """A third of the items excluded for each anchor, a tenth barred; some are both."""
    excluded = [np.sort(rng.choice(m, m // 3, replace=False)) for _ in range(n)]
    return Constraints(Ragged.from_lists(excluded), rng.random(m) < 0.1)
