"""How near positives are, worked out one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.calibrate import nearness as room
from hardneg.calibrate.nearness import nearness
from hardneg.context import Vectors
from hardneg.ragged import Ragged
from hardneg.similarity import Similarity
from hardneg.table import Rows

SIZES, CANDIDATES = (1, 2, 5, 0, 9), 30


def _world(seed: int = 0) -> tuple[np.ndarray, Ragged, Rows, np.ndarray]:
    """Vectors, positives of five anchors, and as rows their candidates and each positive, hidden."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(80, 6)).astype(np.float32)
    lists = [np.sort(rng.choice(80, size, replace=False)) for size in SIZES]
    anchor, item, rank, hidden = [], [], [], []
    for one, mine in enumerate(lists):
        others = rng.permutation(np.setdiff1d(np.arange(80), mine))[:CANDIDATES]
        anchor += [one] * (CANDIDATES + len(mine))
        item += [*others.tolist(), *mine.tolist()]
        rank += [*range(CANDIDATES), *rng.integers(0, CANDIDATES, len(mine)).tolist()]
        hidden += [False] * CANDIDATES + [True] * len(mine)
    rows = Rows(np.array(anchor), np.array(item), {"rank": np.array(rank, np.int32)})
    return vectors, Ragged.from_lists(lists), rows, np.array(hidden)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("crowd", [64, 15])
def test_as_worked_out_one_by_one(similarity: Similarity, crowd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_CROWD", crowd)
    x, known, rows, hidden = _world()
    vectors = Vectors(x[:5], x, similarity)
    found, nearest = nearness(vectors, known, rows, hidden)
    everyone = np.arange(len(x))
    sims = vectors.item_pairs(np.repeat(everyone, len(x)), np.tile(everyone, len(x))).reshape(len(x), -1).astype(float)
    for row, (a, i) in enumerate(zip(rows.anchor.tolist(), rows.item.tolist(), strict=True)):
        others = [p for p in known[a].tolist() if p != i]
        if not others:
            assert np.isnan(found[:, row]).all()
            assert nearest[row] == -1
            continue
        near = sorted((sims[i, p] for p in others), reverse=True)
        pairs = [sims[p, q] for p in others for q in others if p != q]
        mine = rows.item[(rows.anchor == a) & ~hidden][:: -(-CANDIDATES // crowd)].tolist()
        beside = [c for c in (mine if i in mine else mine[:-1]) if c != i]
        dense = np.mean(sorted(sims[i, c] for c in beside)[-9:])
        expected = [near[0], near[min(1, len(near) - 1)], np.mean(near),
                    near[0] - np.mean(pairs) if pairs else np.nan, near[0] - dense]  # fmt: skip
        assert found[:, row] == pytest.approx(expected, abs=1e-6, nan_ok=True)
        assert sims[i, nearest[row]] == pytest.approx(near[0], abs=1e-6)


def test_an_anchor_is_judged_alike_alone_and_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    x, known, rows, hidden = _world(1)
    vectors = Vectors(x[:5], x)
    whole, nearest = nearness(vectors, known, rows, hidden)
    monkeypatch.setattr(room, "_ANCHORS", 2)
    assert np.array_equal(whole, nearness(vectors, known, rows, hidden)[0], equal_nan=True)
    for anchor in range(5):
        mine = rows.anchor == anchor
        alone = nearness(vectors, known, rows.take(mine), hidden[mine])
        assert np.array_equal(whole[:, mine], alone[0], equal_nan=True)
        assert np.array_equal(nearest[mine], alone[1])


def test_few_candidates_have_no_density() -> None:
    x, known, rows, hidden = _world()
    few = np.flatnonzero((rows["rank"] < 9) | hidden)
    found, _ = nearness(Vectors(x[:5], x), known, rows.take(few), hidden[few])
    assert np.isnan(found[4]).all()
    assert np.isfinite(found[0]).any()
    assert nearness(Vectors(x[:5], x), known, rows.take(few[:0]), hidden[:0])[0].shape == (5, 0)
