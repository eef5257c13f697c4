"""Positives shared between anchors, counted one by one."""

from __future__ import annotations

import numpy as np

from hardneg.calibrate.naming import Naming
from hardneg.ragged import Ragged
from hardneg.table import Rows


def test_overlap_as_counted_by_hand() -> None:
    rng = np.random.default_rng(0)
    lists = [set(rng.choice(12, size, replace=False).tolist()) for size in (1, 3, 4, 5, 2, 6, 3)]
    known = Ragged.from_lists([sorted(one) for one in lists])
    naming = Naming(known, np.arange(12), np.arange(len(lists)), np.full(len(lists), -1))
    anchor, item = np.repeat(np.arange(len(lists)), 12), np.tile(np.arange(12), len(lists))
    hidden = known.contains(anchor, item)
    rows = Rows(anchor, item)
    most, share = naming.overlap(rows, naming.others(rows), hidden)
    for row, (a, i) in enumerate(zip(anchor.tolist(), item.tolist(), strict=True)):
        mine = lists[a] - {i}
        others = [lists[b] - {i} for b in range(len(lists)) if b != a and i in lists[b]]
        told = [min(1, 2 * len(mine & one) / min(len(mine), len(one))) for one in others if min(len(mine), len(one))]
        assert np.isnan(most[row]) if not told else most[row] == max(told)
        everybody = sum(len(mine & lists[b]) for b in range(len(lists)) if b != a)
        if told and everybody:
            assert share[row] == min(1, 2 * sum(len(mine & one) for one in others) / everybody)


def test_an_item_that_is_an_anchor_speaks_for_itself() -> None:
    known = Ragged.from_lists([[1, 2, 3], [2, 3]])
    naming = Naming(known, np.arange(5), np.arange(2), np.array([0, 4]))
    rows = Rows(np.array([0]), np.array([4]))
    assert len(naming.others(rows).row) == 0
    assert naming.overlap(rows, naming.themselves(rows), np.zeros(1, bool))[0].tolist() == [1.0]
