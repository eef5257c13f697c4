from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from hardneg.errors import OptionError
from hardneg.ragged import Ragged
from hardneg.search import Approximate, Constraints, Exact, Hits, Unlike
from hardneg.search._clusters import clustered
from hardneg.search._recall import Recall, recall, samples
from hardneg.search._reduced import _highest
from hardneg.similarity import FloatArray, Similarity

RNG = np.random.default_rng(3)
CENTRES = RNG.normal(size=(60, 64))
FADING = np.arange(1, 65) ** -0.4  # a spectrum like that of real vectors, so that fewer numbers do


def points(count: int) -> FloatArray:
    """Vectors in loose clusters."""
    near = CENTRES[RNG.integers(0, len(CENTRES), count)] + 1.2 * RNG.normal(size=(count, 64))
    return (near * FADING).astype(np.float32)


ANCHORS, ITEMS = points(1500), points(12_000)
FREE = Constraints.none(len(ANCHORS), len(ITEMS))


def found_of(truth: Hits, hits: Hits) -> float:
    """The share of all true pairs that were found, counted apart from the code under test."""
    pairs = [set(zip(one.items.rows().tolist(), one.items.values.tolist(), strict=True)) for one in (truth, hits)]
    return len(pairs[0] & pairs[1]) / len(pairs[0])


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("target", [0.7, 0.95])
def test_the_recall_is_reached_and_the_one_that_is_told_is_true(similarity: Similarity, target: float) -> None:
    search = Approximate(target).prepare(ANCHORS, ITEMS, 20, similarity, FREE)
    hits = search(np.arange(len(ANCHORS)))
    truth = Exact().search(ANCHORS, ITEMS, 20, similarity, FREE)
    really = found_of(truth, hits)
    low, high = search.about["recall_interval"]
    assert really >= target - 0.01
    assert low <= really <= high
    assert search.about["looked_into"] < search.about["clusters"]


def test_a_lower_recall_looks_into_fewer_clusters() -> None:
    looked = [
        Approximate(one).prepare(ANCHORS, ITEMS, 20, "cosine", FREE).about["looked_into"] for one in (0.5, 0.9, 0.99)
    ]
    assert looked == sorted(looked)
    assert looked[0] < looked[-1]


def test_a_recall_of_one_finds_nearly_everything() -> None:
    hits = Approximate(1.0).search(ANCHORS[:300], ITEMS, 10, "cosine", FREE.take(np.arange(300)))
    assert found_of(Exact().search(ANCHORS[:300], ITEMS, 10, "cosine", FREE.take(np.arange(300))), hits) > 0.999


def test_answers_do_not_depend_on_who_is_asked_together() -> None:
    search = Approximate(0.8).prepare(ANCHORS, ITEMS, 20, "cosine", FREE)
    together = search(np.arange(len(ANCHORS)))
    for rows in (np.arange(700, 760), np.array([3, 900, 1499]), np.arange(1, 1500, 7)):
        apart, wanted = search(rows), together.take(rows)
        assert apart.items.values.tolist() == wanted.items.values.tolist()
        assert apart.scores.tolist() == wanted.scores.tolist()


def test_threads_change_nothing() -> None:
    code = (
        "import numpy as np; from hardneg.search import *;"
        "rng = np.random.default_rng(0); x = rng.normal(size=(4000, 24)).astype(np.float32) * np.arange(24, 0, -1);"
        "hits = Approximate(0.9).search(x[:900], x, 10, 'cosine', Constraints.none(900, 4000));"
        "print(hits.items.values.tolist(), hits.scores.tolist())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], env={"OMP_NUM_THREADS": threads}, capture_output=True, check=True
        ).stdout
        for threads in ("1", "2", "5")
    }
    assert len(answers) == 1


def test_constraints_hold_and_the_recall_counts_them_in() -> None:
    n, m = len(ANCHORS), len(ITEMS)
    nearest = Exact().search(ANCHORS, ITEMS, 30, "cosine", FREE)
    label = RNG.integers(0, 5, m)
    constraints = Constraints(
        Ragged.from_lists([np.sort(nearest.items[row][::3]) for row in range(n)]),
        RNG.random(m) < 0.1,
        (Unlike(RNG.integers(-1, 5, n), label),),
        ceiling=np.full(n, 0.6, np.float32),
        floor=np.full(n, 0.2, np.float32),
        skip=2,
    )
    hits = Approximate(0.95).search(ANCHORS, ITEMS, 15, "cosine", constraints)
    at, items = hits.items.rows(), hits.items.values
    assert not constraints.excluded.contains(at, items).any()
    assert not constraints.barred[items].any()
    assert not (np.asarray(constraints.unlike[0].anchors)[at] == label[items]).any()
    assert ((hits.scores <= 0.6) & (hits.scores >= 0.2)).all()
    assert (hits.ranks >= 2).all()
    free_of_ranks = replace(constraints, skip=0)
    truth = Exact().search(ANCHORS, ITEMS, 17, "cosine", free_of_ranks)
    assert found_of(truth, Approximate(0.95).search(ANCHORS, ITEMS, 17, "cosine", free_of_ranks)) > 0.94


def test_many_copies_of_one_item_are_no_trouble() -> None:
    items = np.concatenate([np.repeat(points(1), 5000, axis=0), points(3000)])
    constraints = Constraints.none(40, len(items))
    hits = Approximate(0.9).search(items[:40], items, 10, "cosine", constraints)
    assert (hits.scores > 0.9999).all()
    assert hits.items.lengths().tolist() == [10] * 40


def test_clusters_hold_what_lies_together() -> None:
    apart = np.concatenate([points(64) * 0.01 + 30 * row for row in range(3)]).astype(np.float32)
    cluster = clustered(apart, 3).of[:, 0]
    assert len(cluster) == len(apart)
    within = np.mean([np.var(apart[cluster == one], axis=0).sum() for one in np.unique(cluster)])
    assert within < np.var(apart, axis=0).sum()
    assert cluster.tolist() == clustered(apart, 3).of[:, 0].tolist()


def test_the_second_cluster_is_near_in_another_direction() -> None:
    """Against the loss of the paper: |x - c|^2 + 1.5 (r (x - c))^2, r the direction of the first error."""
    some = points(400)
    found = clustered(some, 12)
    centres = found.centres.astype(np.float64)
    for point, (first, second) in zip(some.astype(np.float64), found.of.tolist(), strict=True):
        errors = point - centres
        apart = (errors**2).sum(axis=1)
        assert apart[first] <= apart.min() + 1e-3
        along = errors @ (errors[first] / np.linalg.norm(errors[first]))
        loss = np.where(np.arange(12) == first, np.inf, apart + 1.5 * along**2)
        assert loss[second] <= loss.min() + 1e-3


def test_no_item_comes_twice_though_it_is_in_two_clusters() -> None:
    search = Approximate(0.98).prepare(ANCHORS, ITEMS, 20, "cosine", FREE)
    hits = search(np.arange(len(ANCHORS)))
    assert all(len(set(hits.items[row].tolist())) == 20 for row in range(len(ANCHORS)))


@pytest.mark.parametrize(("wide", "count"), [(1000, 3), (1000, 31), (1000, 40), (999, 31), (40, 40), (5, 1)])
def test_the_highest_are_those_of_a_whole_sort(wide: int, count: int) -> None:
    values = RNG.normal(size=(50, wide)).astype(np.float32)
    assert _highest(values, count).tolist() == np.argsort(-values, axis=1)[:, :count].tolist()


def test_recall_against_a_plain_count() -> None:
    def hits(lists: list[list[int]]) -> Hits:
        items = Ragged.from_lists(lists)
        return Hits(items, np.zeros(len(items.values), np.float32), np.zeros(len(items.values), np.int32))

    one = recall(hits([[1, 2], [5], []]), hits([[2, 3], [5], []]))
    assert (one.mean, one.anchors) == (0.75, 2)
    assert recall(hits([[]]), hits([[]])).mean == 1


def test_the_interval_is_wilsons() -> None:
    """20 of 100: 0.1334 to 0.2888 (Newcombe 1998, and any table of it)."""
    found = Recall(0.2, 100, 0.04)
    assert (round(found.low, 4), round(found.high, 4)) == (0.1334, 0.2888)


def test_samples_share_no_anchor() -> None:
    first, second = samples(100_000)
    assert len(first) == len(second) == 512
    assert not np.isin(first, second).any()
    assert [one.tolist() for one in samples(1)] == [[0], []]


@pytest.mark.parametrize("recall", [0, 1.1, -1])
def test_a_recall_must_be_a_share(recall: float) -> None:
    with pytest.raises(OptionError, match=r"The 'recall' must be in \(0, 1\]"):
        Approximate(recall)
