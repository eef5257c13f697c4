"""Hidden positives are what a mining would have made of them."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.calibrate import hidden_positives
from hardneg.ragged import Ragged
from hardneg.table import Rows


@pytest.mark.parametrize("seed", range(5))
def test_as_worked_out_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = Ragged.from_lists([np.sort(rng.choice(30, size, replace=False)) for size in (0, 1, 2, 5, 9)])
    scores = rng.integers(0, 12, len(known.values)).astype(np.float32) / np.float32(8)  # with ties
    pairs = [(a, i) for a in (1, 2, 3) for i in range(30) if i not in known[a]]
    anchor, item = (np.array(side) for side in zip(*pairs, strict=True))
    candidates = Rows(anchor, item, {"score": rng.integers(0, 12, len(anchor)).astype(np.float32) / np.float32(8)})
    hidden = hidden_positives(known, scores, candidates)
    assert hidden.anchor.tolist() == known.rows().tolist()
    assert hidden.item.tolist() == known.values.tolist()
    for row, (a, i) in enumerate(zip(hidden.anchor, hidden.item, strict=True)):
        others = [s for b, j, s in zip(known.rows(), known.values, scores, strict=True) if b == a and j != i]
        theirs = [(s, j) for b, j, s in zip(anchor, item, candidates["score"], strict=True) if b == a]
        both = theirs + [(s, j) for b, j, s in zip(known.rows(), known.values, scores, strict=True) if b == a]
        mine = scores[row]
        assert hidden["rank"][row] == sum(s > mine or (s == mine and j < i) for s, j in both)
        assert hidden["proposed"][row] == (bool(theirs) and mine >= min(s for s, _ in theirs))
        for name, made in (("min", min), ("max", max), ("mean", np.mean)):
            expected = made(others) if others else np.nan
            assert hidden[f"positive_{name}"][row] == pytest.approx(expected, nan_ok=True)


def test_no_positive_and_no_candidate() -> None:
    none = Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), {"score": np.zeros(0, np.float32)})
    assert len(hidden_positives(Ragged.empty(3), np.zeros(0, np.float32), none)) == 0
    alone = hidden_positives(Ragged.from_lists([[4]]), np.ones(1, np.float32), none)
    assert not alone["proposed"].any()
    assert np.isnan(alone["positive_min"]).all()
