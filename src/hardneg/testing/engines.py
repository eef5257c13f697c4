"""What a search engine must do: answer as if it had compared every anchor with every item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import numpy as np

from hardneg.ragged import IntArray, Ragged
from hardneg.search import Constraints, Engine, Hits, Unlike
from hardneg.similarity import FloatArray, Matrix, Similarity, pair_scores
from hardneg.testing._expect import expect

__all__ = ["brute_force", "check_engine"]

Case = tuple[str, Matrix, Matrix, Constraints]


def check_engine(engine: Engine, *, recall: float = 1.0) -> None:
    """Raise AssertionError unless an engine equals brute force, ties, ranks and empty answers included.

    Tried with every similarity, with few and many results, with constraints of all kinds, with vectors stored as
    float32, float16 and int8, and with vectors that are random, on a grid (ties), all the same, zero, far away, very
    large, very small, few or none. With a ``recall`` below 1 an engine may miss that share of what brute force finds
    over all anchors of a case; what it does find must be right.
    """
    for name, anchors, items, constraints in _cases():
        for similarity in get_args(Similarity):
            for k in (1, 5, len(items) + 3):
                who = f"{engine} with {similarity}, k={k}, {name}"
                _check(engine, anchors, items, k, similarity, constraints, recall, who)
                for rows in np.array_split(np.arange(len(anchors)), 3):
                    part = constraints.take(rows)
                    _check(engine, anchors[rows], items, k, similarity, part, recall, who + ", in blocks")


def _check(
    engine: Engine, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints,
    recall: float, who: str,
) -> None:  # fmt: skip
    found = engine.search(anchors, items, k, similarity, constraints)
    wanted = brute_force(anchors, items, k, similarity, constraints)
    if recall >= 1:
        _expect_hits(found, wanted, who)
    else:
        _expect_part(found, wanted, brute_force(anchors, items, len(items), similarity, constraints), recall, who)


def brute_force(anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints) -> Hits:
    """Score every pair and sort: what every engine must find."""
    lists, scores, ranks = [], [np.zeros(0, np.float32)], [np.zeros(0, np.int32)]
    everything = np.arange(len(items))
    codes = [
        tuple([set(one[row].tolist()) for row in range(len(one))] for one in u.lists()) for u in constraints.unlike
    ]
    low, high = constraints.floor, constraints.ceiling
    within = len(items) if constraints.within is None else constraints.within
    for row in range(len(anchors)):
        points = pair_scores(anchors, items, np.full(len(items), row), everything, similarity)
        order = [
            item
            for item in np.lexsort((everything, -points)).tolist()
            if not constraints.barred[item] and not any(left[row] & right[item] for left, right in codes)
        ]
        closed = set(constraints.excluded[row].tolist())
        found = [
            (item, rank)
            for rank, item in enumerate(order)
            if item not in closed
            and constraints.skip <= rank < within
            and (low is None or points[item] >= low[row])
            and (high is None or points[item] <= high[row])
        ][:k]
        lists.append([item for item, _ in found])
        ranks.append(np.array([rank for _, rank in found], np.int32))
        scores.append(points[lists[-1]])
    return Hits(Ragged.from_lists(lists), np.concatenate(scores), np.concatenate(ranks))


def _expect_part(found: Hits, wanted: Hits, admissible: Hits, recall: float, who: str) -> None:
    """What is found is admissible, in order, with its score, and enough of what is wanted is among it."""
    expect(len(found.items) == len(wanted.items), who, "answer every anchor", len(found.items))
    hit = 0
    for row in range(len(wanted.items)):
        mine = slice(*found.items.offsets[row : row + 2])
        every = dict(zip(admissible.items[row].tolist(), _row(admissible, row).tolist(), strict=True))
        items, scores = found.items.values[mine].tolist(), found.scores[mine].tolist()
        expect(set(items) <= set(every), who, f"find admissible items alone for anchor {row}")
        expect([every[one] for one in items] == scores, who, "give the scores of hardneg.similarity.pair_scores")
        in_order = items == [one for _, one in sorted((-every[one], one) for one in items)]
        expect(in_order and len(set(items)) == len(items), who, "put the best first, each item once")
        expect(len(items) <= len(wanted.items[row]), who, "find no more than asked for")
        hit += len(set(items) & set(wanted.items[row].tolist()))
    share = hit / max(1, len(wanted.items.values))
    expect(share >= recall or not len(wanted.items.values), who, f"find {recall:.0%} of the best", f"{share:.1%}")


def _row(hits: Hits, row: int) -> FloatArray:
    return hits.scores[slice(*hits.items.offsets[row : row + 2])]


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
    yield "a ceiling and a floor", grid(9, 3), grid(70, 3), _bounded(rng, 9, 70)
    yield "a window of ranks", normal(9, 3), normal(70, 3), replace(_bounded(rng, 9, 70), skip=4, within=25)
    yield "two codes", normal(12, 4), grid(90, 4), replace(_some(rng, 12, 90), unlike=_codes(rng, 12, 90))
    whole = rng.integers(-9, 10, size=(80, 6))
    yield "whole numbers", whole[:7].astype(np.int8), whole.astype(np.int8), _some(rng, 7, 80)
    yield "half precision", normal(7, 6).astype(np.float16), normal(80, 6).astype(np.float16), _some(rng, 7, 80)
    yield "everything barred", normal(2, 3), normal(6, 3), Constraints(Ragged.empty(2), np.ones(6, bool))


def _some(rng: np.random.Generator, n: int, m: int) -> Constraints:
    """A third of the items excluded for each anchor, a tenth barred; some are both."""
    excluded = [np.sort(rng.choice(m, m // 3, replace=False)) for _ in range(n)]
    return Constraints(Ragged.from_lists(excluded), rng.random(m) < 0.1)


def _bounded(rng: np.random.Generator, n: int, m: int) -> Constraints:
    """A ceiling or a floor for most anchors; on a grid many scores lie on it. Fits every similarity somewhere."""
    ceiling = rng.choice(np.array([-2.0, -1.0, 0.5, 1.0, np.inf], np.float32), n)
    floor = rng.choice(np.array([-np.inf, -3.0, -1.0, 0.0], np.float32), n)
    return replace(_some(rng, n, m), ceiling=ceiling, floor=floor)


def _codes(rng: np.random.Generator, n: int, m: int) -> tuple[Unlike, ...]:
    """A label for nearly all, and lists of groups."""

    def lists(count: int) -> Ragged:
        return Ragged.from_lists([np.unique(rng.integers(0, 12, int(rng.integers(0, 4)))) for _ in range(count)])

    return Unlike(rng.integers(-1, 4, n), rng.integers(-1, 4, m)), Unlike(lists(n), lists(m))
