from __future__ import annotations

import numpy as np
import pytest

from hardneg.ragged import Ragged
from hardneg.search import Constraints, Exact
from hardneg.similarity import Similarity
from hardneg.testing import check_engine

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("blocks", [(512, 8192), (4, 7), (1, 16), (100, 50)])
def test_exact_equals_brute_force_whatever_the_blocks(blocks: tuple[int, int]) -> None:
    check_engine(Exact(*blocks))


def test_distances_that_round_to_the_same_tie_in_item_order() -> None:
    """Far away, thousands of different products become one float32 distance; all of them are the k-th best."""
    anchors = np.array([[3e5, 0.0], [0.0, -7e7]], np.float32)
    items = RNG.normal(size=(3000, 2)).astype(np.float32)
    answers = {
        blocks: Exact(*blocks).search(anchors, items, 9, "euclidean", Constraints.none(2, 3000)).items.values.tolist()
        for blocks in [(512, 8192), (1, 100), (2, 2999)]
    }
    assert len({tuple(answer) for answer in answers.values()}) == 1
    assert answers[512, 8192][9:] == list(range(9))  # from 7e7 away all are equally far


def test_ranks_count_what_was_excluded_but_not_what_is_barred() -> None:
    line = np.arange(6, dtype=np.float32)[:, None]
    barred = np.array([False, False, True, False, False, False])
    constraints = Constraints(Ragged.from_lists([[0, 2, 3]]), barred)
    hits = Exact().search(line[:1], line, 2, "euclidean", constraints)
    assert (hits.items[0].tolist(), hits.ranks.tolist()) == ([1, 4], [1, 3])


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_threads_and_layout_of_memory_change_nothing(similarity: Similarity) -> None:
    anchors, items = RNG.normal(size=(20, 33)).astype(np.float32), RNG.normal(size=(500, 33)).astype(np.float32)
    free = Constraints.none(20, 500)
    one = Exact().search(anchors, items, 10, similarity, free)
    other = Exact().search(np.asfortranarray(anchors), np.asfortranarray(items), 10, similarity, free)
    assert one.items.values.tolist() == other.items.values.tolist()
    assert one.scores.tolist() == other.scores.tolist()


def test_what_is_searched_is_left_alone() -> None:
    anchors, items = np.full((2, 2), 1e25, np.float32), np.eye(2, dtype=np.float32)
    before = anchors.copy(), items.copy()
    Exact().search(anchors, items, 1, "euclidean", Constraints.none(2, 2))
    assert (anchors == before[0]).all()
    assert (items == before[1]).all()
