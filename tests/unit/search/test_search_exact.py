from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hardneg.ragged import Ragged
from hardneg.search import Constraints, Exact, Unlike
from hardneg.similarity import Similarity
from hardneg.stored import Segment, Stored
from hardneg.testing import check_engine
from hardneg.testing.engines import brute_force

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("blocks", [(512, 8192), (4, 7), (1, 16), (100, 50)])
def test_exact_equals_brute_force_whatever_the_blocks(blocks: tuple[int, int]) -> None:
    check_engine(Exact(*blocks))


def test_bfloat16_proposes_and_exact_scores_decide() -> None:
    pytest.importorskip("torch")
    for blocks in [(512, 8192), (4, 7), (100, 50)]:
        check_engine(Exact(*blocks, precision="bf16"))


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


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e15])
def test_every_rule_at_once_equals_brute_force(similarity: Similarity, scale: float) -> None:
    """More items than a tile has room for, in an order that floods it: the best come last, a block at a time."""
    n, m, k = 25, 2500, 12
    items = np.sort(RNG.normal(size=(m, 6)), axis=0).astype(np.float32) * np.float32(scale)
    anchors = np.abs(RNG.normal(size=(n, 6))).astype(np.float32) * np.float32(scale)
    free = brute_force(anchors, items, 400, similarity, Constraints.none(n, m))
    scores = free.scores.reshape(n, 400)
    constraints = Constraints(
        Ragged.from_lists([np.sort(free.items[row][RNG.random(400) < 0.3]) for row in range(n)]),
        RNG.random(m) < 0.1,
        tuple(Unlike(RNG.integers(-1, some, n), RNG.integers(-1, some, m)) for some in (4, 40)),
        ceiling=scores[np.arange(n), RNG.integers(0, 200, n)],
        floor=scores[:, 390],
        skip=9,
        within=250,
    )
    wanted = brute_force(anchors, items, k, similarity, constraints)
    low = [Exact(9, 700, "bf16")] if find_spec("torch") else []
    for engine in (Exact(), Exact(7, 64), Exact(1, 1000), *low):
        hits = engine.search(anchors, items, k, similarity, constraints)
        assert hits.items.values.tolist() == wanted.items.values.tolist()
        assert hits.scores.tolist() == wanted.scores.tolist()
        assert hits.ranks.tolist() == wanted.ranks.tolist()


def test_thousands_of_ties_keep_item_order_in_little_room() -> None:
    """All are equal but for ten better ones at the end; a tile has room for a few of the ties only."""
    items = np.tile(np.array([[1.0, 1.0]], np.float32), (6000, 1))
    items[5990:] = [2.0, 2.0]
    hits = Exact(4, 512).search(items[:2], items, 15, "dot", Constraints.none(2, 6000))
    assert hits.items[1].tolist() == [*range(5990, 6000), *range(5)]


def test_items_of_ones_own_label_take_no_rank() -> None:
    line = np.arange(6, dtype=np.float32)[:, None]
    labels = np.array([0, 0, 1, 0, 1, -1])
    constraints = Constraints(Ragged.from_lists([[2]]), np.zeros(6, bool), (Unlike(labels[:1], labels),))
    hits = Exact().search(line[:1], line, 5, "euclidean", constraints)
    assert (hits.items[0].tolist(), hits.ranks.tolist()) == ([4, 5], [1, 2])  # 2 is excluded, and was the first


def test_ranks_count_what_lies_above_the_ceiling() -> None:
    line = np.arange(6, dtype=np.float32)[:, None]
    constraints = Constraints(Ragged.from_lists([[1]]), np.zeros(6, bool), ceiling=np.array([-3], np.float32))
    hits = Exact().search(line[:1], line, 2, "euclidean", constraints)
    assert (hits.items[0].tolist(), hits.ranks.tolist()) == ([3, 4], [3, 4])


def test_vectors_on_disk_give_the_same_answer(tmp_path: Path) -> None:
    anchors, items = RNG.normal(size=(50, 20)).astype(np.float32), RNG.normal(size=(3000, 20)).astype(np.float32)
    items.tofile(tmp_path / "items")
    stored = Stored([Segment(tmp_path / "items", 0, 3000)], 20, "<f4")
    constraints = Constraints(Ragged.from_lists([np.arange(row, row + 9) for row in range(50)]), RNG.random(3000) < 0.2)
    for similarity in ("cosine", "dot", "euclidean"):
        here, there = (Exact(16, 200).search(anchors, one, 11, similarity, constraints) for one in (items, stored))
        assert here.items.values.tolist() == there.items.values.tolist()
        assert here.scores.tolist() == there.scores.tolist()
        assert here.ranks.tolist() == there.ranks.tolist()


def test_a_search_made_ready_once_answers_any_part() -> None:
    anchors, items = RNG.normal(size=(60, 8)).astype(np.float32), RNG.normal(size=(900, 8)).astype(np.float32)
    constraints = Constraints.none(60, 900)
    search = Exact().prepare(anchors, items, 7, "cosine", constraints)
    whole = search(np.arange(60))
    part = search(np.array([41, 3, 59]))
    assert part.items.values.tolist() == whole.take(np.array([41, 3, 59])).items.values.tolist()
    assert len(search(np.zeros(0, np.int64)).items) == 0
