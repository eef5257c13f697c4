from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hardneg.errors import OptionError
from hardneg.ragged import IntArray, Ragged
from hardneg.search import Constraints, Hits, Unlike
from hardneg.search._blocks import Sides
from hardneg.search._enough import deviation
from hardneg.search._overfetch import OverFetch, calibrated
from hardneg.search._recall import recall
from hardneg.similarity import FloatArray, Similarity
from hardneg.testing.engines import brute_force

SIMILARITIES: list[Similarity] = ["cosine", "dot", "euclidean"]
M = 4000


class Index:
    """A true ranking, spoilt as asked.

    It loses a share of the items, rounds as badly as allowed, ends early, or visits one of so many clusters.
    """

    def __init__(self, sides: Sides, *, lost: float = 0, rough: float = 0, ends: int = M, clusters: int = 1) -> None:
        self.sides, self.lost, self.rough, self.ends, self.clusters = sides, lost, rough, ends, clusters
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, left: FloatArray, count: int, effort: int) -> IntArray:
        self.asked.append((len(left), count, effort))
        rng = np.random.default_rng(count)
        halves = self.sides.half_squares(slice(None))
        products = left @ self.sides.right(slice(None)).T - (0 if halves is None else halves)
        off = self.rough * deviation(self.sides, left)[:, None]
        products = products + off * rng.choice([-1, 1], products.shape)
        products[:, rng.random(M) < self.lost / effort] = -np.inf
        products[:, np.arange(M) % self.clusters >= effort] = -np.inf
        order = np.argsort(-products, axis=1)[:, :count]
        order[np.take_along_axis(products, order, 1) == -np.inf] = -1
        order[:, self.ends :] = -1
        return order


def data() -> tuple[FloatArray, FloatArray, Constraints]:
    rng = np.random.default_rng(5)
    anchors, items = (rng.normal(size=(n, 5)).astype(np.float32) for n in (12, M))
    items[::7] = items[0]
    anchors[:2] = items[0]
    excluded = Ragged.from_lists([np.sort(rng.choice(M, 300, replace=False)) for _ in range(12)])
    codes = (Unlike(rng.integers(-1, 3, 12), rng.integers(-1, 3, M)),)
    ceiling = np.where(np.arange(12) % 2, 0.5, np.inf).astype(np.float32)
    return anchors, items, Constraints(excluded, np.zeros(M, bool), codes, ceiling, skip=2)


def search(index: Index, k: int, constraints: Constraints) -> OverFetch:
    return OverFetch(index.sides, k, constraints, np.arange(M), index)


def same(found: Hits, wanted: Hits) -> None:
    assert found.items.offsets.tolist() == wanted.items.offsets.tolist()
    assert found.items.values.tolist() == wanted.items.values.tolist()
    assert found.scores.tolist() == wanted.scores.tolist()
    assert found.ranks.tolist() == wanted.ranks.tolist()


@pytest.mark.parametrize("rough", [0, 0.99])
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_sound_index_gives_the_exact_answer(similarity: Similarity, rough: float) -> None:
    """Also where it sees products in float32, and where 572 items tie at the best place."""
    anchors, items, constraints = data()
    index = Index(Sides.of(anchors, items, similarity), rough=rough)
    same(search(index, 20, constraints)(np.arange(12)), brute_force(anchors, items, 20, similarity, constraints))
    assert index.asked[0] == (12, 54, 1)
    assert [count for _, count, _ in index.asked] == [54 * 2**turn for turn in range(len(index.asked))]
    assert [effort for _, _, effort in index.asked] == [2**turn for turn in range(len(index.asked))]
    assert all(rows < 12 for rows, _, _ in index.asked[1:])


def test_products_that_rounding_may_have_swapped_are_told_apart() -> None:
    """Neighbours on the line differ by a seventeenth of what rounding may do to each."""
    anchors = np.ones((1, 1), np.float32)
    items = (1 - np.random.default_rng(0).permutation(M) * 2.0**-24).astype(np.float32)[:, None]
    index = Index(Sides.of(anchors, items, "dot"), rough=0.99)
    free = Constraints.none(1, M)
    same(search(index, 20, free)(np.arange(1)), brute_force(anchors, items, 20, "dot", free))
    assert len(index.asked) > 1


def test_the_answer_for_an_anchor_does_not_depend_on_the_others() -> None:
    anchors, items, constraints = data()
    prepared = search(Index(Sides.of(anchors, items, "cosine")), 20, constraints)
    rows = np.array([7, 1, 4, 0])
    some = prepared(rows)
    assert some.items.values.tolist() == [one for row in rows for one in prepared(np.array([row])).items.values]


def test_an_index_that_visits_too_few_is_asked_to_visit_more() -> None:
    anchors, items, constraints = data()
    index = Index(Sides.of(anchors, items, "dot"), clusters=128)
    same(search(index, 20, constraints)(np.arange(12)), brute_force(anchors, items, 20, "dot", constraints))


@pytest.mark.parametrize("ends", [0, 40, 200])
def test_an_index_that_ends_early_leaves_no_anchor_short(ends: int) -> None:
    anchors, items, constraints = data()
    index = Index(Sides.of(anchors, items, "dot"), ends=ends)
    same(search(index, 20, constraints)(np.arange(12)), brute_force(anchors, items, 20, "dot", constraints))


def test_the_few_that_are_left_are_found_however_far_they_are() -> None:
    anchors, items, _ = data()
    products = anchors[0] @ items.T
    last = np.argsort(products)[:4]
    constraints = Constraints(Ragged.from_lists([np.setdiff1d(np.arange(M), last)]), np.zeros(M, bool))
    index = Index(Sides.of(anchors[:1], items, "dot"))
    same(search(index, 9, constraints)(np.arange(1)), brute_force(anchors[:1], items, 9, "dot", constraints))
    assert max(count for _, count, _ in index.asked) < M / 2  # then all items are looked at


def test_effort_doubles_until_the_recall_is_reached() -> None:
    anchors, items, constraints = data()
    plain = search(Index(Sides.of(anchors, items, "cosine"), lost=0.5), 20, constraints)
    about: Any = calibrated(plain, 0.9, 1, 64, "").about
    truth = brute_force(anchors[::2], items, 20, "cosine", constraints.take(np.arange(0, 12, 2)))

    def at(effort: int) -> float:
        return recall(replace(plain, effort=effort)(np.arange(0, 12, 2)), truth).cautious

    assert at(about["effort"] // 2) < 0.9 <= at(about["effort"])
    assert about["recall_target"] == 0.9
    assert about["recall_interval"][0] < about["recall"] <= about["recall_interval"][1]
    assert about["recall_anchors"] == 6  # the other six


def test_a_recall_out_of_reach_is_said() -> None:
    anchors, items, constraints = data()
    index = Index(Sides.of(anchors, items, "cosine"), lost=0.9)
    with pytest.raises(OptionError, match=r"finds \d\d\.\d% of what exact search finds \(6 anchors asked\).*Do this"):
        calibrated(search(index, 20, constraints), 0.9, 1, 2, "Do this.")
    assert max(effort for _, count, effort in index.asked if count == 54) == 2


def test_without_anchors_there_is_nothing_to_measure() -> None:
    _, items, _ = data()
    none = np.zeros((0, 5), np.float32)
    index = Index(Sides.of(none, items, "cosine"), lost=0.9)
    assert calibrated(search(index, 20, Constraints.none(0, M)), 0.9, 1, 2, "").about["recall"] == 1
