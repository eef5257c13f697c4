from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardneg.errors import OptionError
from hardneg.ragged import IntArray, Ragged
from hardneg.search import Constraints, Hits, Unlike
from hardneg.search._blocks import Sides
from hardneg.search._overfetch import OverFetch, calibrated
from hardneg.similarity import FloatArray, Similarity
from hardneg.testing.engines import brute_force

SIMILARITIES: list[Similarity] = ["cosine", "dot", "euclidean"]
M = 4000


class Index:
    """A true ranking, spoilt as asked: it loses places, shuffles what rounding leaves open, or ends early."""

    def __init__(self, sides: Sides, *, lost: float = 0, rough: float = 0, ends: int = M) -> None:
        self.sides, self.lost, self.rough, self.ends = sides, lost, rough, ends
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, left: FloatArray, count: int, effort: int) -> IntArray:
        self.asked.append((len(left), count, effort))
        rng = np.random.default_rng(count)
        halves = self.sides.half_squares(slice(None))
        products = left @ self.sides.right(slice(None)).T - (0 if halves is None else halves)
        products += self.rough * rng.uniform(-1, 1, products.shape).astype(np.float32)
        products[:, rng.random(products.shape[1]) < self.lost / effort] = -np.inf
        order = np.argsort(-products, axis=1)[:, :count]
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


@pytest.mark.parametrize("rough", [0, 1e-6])
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_sound_index_gives_the_exact_answer(similarity: Similarity, rough: float) -> None:
    """Also where it sees products in float32, and where 572 items tie at the best place."""
    anchors, items, constraints = data()
    index = Index(Sides.of(anchors, items, similarity), rough=rough)
    same(search(index, 20, constraints)(np.arange(12)), brute_force(anchors, items, 20, similarity, constraints))
    assert index.asked[0] == (12, 54, 1)
    assert [count for _, count, _ in index.asked] == [54 * 2**turn for turn in range(len(index.asked))]
    assert all(rows < 12 for rows, _, _ in index.asked[1:])


def test_the_answer_for_an_anchor_does_not_depend_on_the_others() -> None:
    anchors, items, constraints = data()
    prepared = search(Index(Sides.of(anchors, items, "cosine")), 20, constraints)
    rows = np.array([7, 1, 4, 0])
    some = prepared(rows)
    assert some.items.values.tolist() == [one for row in rows for one in prepared(np.array([row])).items.values]


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
    index = Index(Sides.of(anchors, items, "cosine"), lost=0.5)
    about: Any = calibrated(search(index, 20, constraints), 0.9, 1, 64, "").about
    assert about["effort"] in (4, 8)
    assert 0.9 <= about["recall"] < 1
    assert about["recall_anchors"] == 12


def test_a_recall_out_of_reach_is_said() -> None:
    anchors, items, constraints = data()
    index = Index(Sides.of(anchors, items, "cosine"), lost=0.9)
    with pytest.raises(OptionError, match=r"finds \d\d\.\d% of what exact search finds \(12 anchors asked\).*Do this"):
        calibrated(search(index, 20, constraints), 0.9, 1, 2, "Do this.")
    assert max(effort for _, count, effort in index.asked if count == 54) == 2


def test_without_anchors_there_is_nothing_to_measure() -> None:
    _, items, _ = data()
    none = np.zeros((0, 5), np.float32)
    index = Index(Sides.of(none, items, "cosine"), lost=0.9)
    assert calibrated(search(index, 20, Constraints.none(0, M)), 0.9, 1, 2, "").about["recall"] == 1
