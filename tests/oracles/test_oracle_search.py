"""Exact search against scikit-learn, faiss and a loop in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hardneg.ragged import Ragged
from hardneg.search import Constraints, Exact
from hardneg.similarity import Similarity

RNG = np.random.default_rng(1)
ANCHORS, ITEMS = RNG.normal(size=(40, 24)).astype(np.float32), RNG.normal(size=(700, 24)).astype(np.float32)
FREE = Constraints.none(40, 700)


@pytest.mark.parametrize(("similarity", "metric"), [("cosine", "cosine"), ("euclidean", "euclidean")])
def test_scikit_learn_finds_the_same(similarity: Similarity, metric: str) -> None:
    neighbors: Any = pytest.importorskip("sklearn.neighbors")
    peer = neighbors.NearestNeighbors(n_neighbors=25, metric=metric, algorithm="brute").fit(ITEMS.astype(np.float64))
    distances, found = peer.kneighbors(ANCHORS.astype(np.float64))
    hits = Exact().search(ANCHORS, ITEMS, 25, similarity, FREE)
    assert hits.items.values.tolist() == found.ravel().tolist()
    scores = 1 - distances if similarity == "cosine" else -distances
    assert np.abs(hits.scores - scores.ravel()).max() < 1e-6
    assert hits.ranks.tolist() == list(range(25)) * 40


def test_faiss_finds_the_same() -> None:
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexFlatIP(24)
    index.add(ITEMS)
    scores, found = index.search(ANCHORS, 25)
    hits = Exact().search(ANCHORS, ITEMS, 25, "dot", FREE)
    assert np.abs(hits.scores.reshape(40, 25) - scores).max() < 1e-4
    assert (hits.items.values.reshape(40, 25) == found).mean() > 0.99  # float32 products may swap near ties


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_a_plain_loop_finds_the_same(similarity: Similarity) -> None:
    """On whole numbers every formula is exact, so ties are ties for both."""
    anchors = RNG.integers(-2, 3, size=(12, 3)).astype(np.float32)
    items = RNG.integers(-2, 3, size=(80, 3)).astype(np.float32)
    excluded = [sorted(RNG.choice(80, 20, replace=False).tolist()) for _ in range(12)]
    barred = RNG.random(80) < 0.2
    hits = Exact(5, 9).search(anchors, items, 15, similarity, Constraints(Ragged.from_lists(excluded), barred))
    for row, x in enumerate(anchors.tolist()):
        scored = [(-_formula(x, y, similarity), item) for item, y in enumerate(items.tolist()) if not barred[item]]
        ranked = [(item, rank) for rank, (_, item) in enumerate(sorted(scored)) if item not in excluded[row]][:15]
        assert list(zip(hits.items[row].tolist(), hits.ranks[hits.items.rows() == row].tolist(), strict=True)) == ranked


def _formula(x: list[float], y: list[float], similarity: Similarity) -> float:
    dot = sum(a * b for a, b in zip(x, y, strict=True))
    if similarity == "dot":
        return dot
    if similarity == "euclidean":
        return float(np.float32(-math.dist(x, y)))
    lengths = math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))
    return float(np.float32(dot / lengths)) if lengths else 0.0
