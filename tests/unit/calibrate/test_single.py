"""Anchors with one positive beside others with several: the others stand in for them, with one each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardneg.calibrate import Calibration, calibrated, calibration_lines
from hardneg.calibrate.evidence import Evidence
from hardneg.calibrate.learning import cases
from hardneg.calibrate.naming import Naming
from hardneg.collection import Collection
from hardneg.context import Context, Vectors
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.search import Constraints, Exact
from hardneg.table import Rows

TOPICS, EACH, SEVERAL, SINGLE, WANTED, RATE = 60, 8, 100, 150, 4, 0.05


def _world(seed: int, single: int = SINGLE) -> tuple[Context, Rows, Ragged]:
    """Topics of eight items; anchors that know six of a topic's items, and others that know one; what is unknown."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(TOPICS, 24))
    items = np.repeat(topics, EACH, axis=0) + 1.1 * rng.normal(size=(TOPICS * EACH, 24))
    of = rng.integers(0, TOPICS, SEVERAL + single)
    anchors = topics[of] + 1.1 * rng.normal(size=(len(of), 24))
    known = [
        np.sort(rng.choice(EACH, 6 if row < SEVERAL else 1, replace=False)) + EACH * one for row, one in enumerate(of)
    ]
    away = [np.setdiff1d(np.arange(EACH) + EACH * one, mine) for one, mine in zip(of, known, strict=True)]
    sides = Collection.of(np.arange(len(of))), Collection.of(np.arange(len(items)))
    none = Ragged.empty(len(of))
    positives = Positives(
        *sides, Ragged.from_lists(known), none, none, np.full(len(of), -1), np.zeros(len(items), bool)
    )
    vectors = Vectors(anchors.astype(np.float32), items.astype(np.float32))
    free = Constraints(positives.excluded(np.arange(len(of))), positives.barred)
    hits = Exact().search(vectors.anchors, vectors.items, 60, "cosine", free)
    rows = Rows(hits.items.rows(), hits.items.values, {"score": hits.scores, "rank": hits.ranks.astype(np.int32)})
    context = Context(positives, vectors, propose=lambda some: rows.take(np.isin(rows.anchor, some)), wanted=WANTED)
    return context, rows, Ragged.from_lists(away)


def _false(made: Calibration, rows: Rows, away: Ragged, which: np.ndarray) -> float:
    """The share of unknown positives among the hardest that pass, of some anchors."""
    mine = rows.take(np.isin(rows.anchor, which))
    mine = mine.take(made.judge(mine).rate <= RATE)
    place = np.arange(len(mine)) - np.searchsorted(mine.anchor, mine.anchor)
    mine = mine.take(place < WANTED)
    return float(away.contains(mine.anchor, mine.item).mean())


def _made(context: Context) -> Calibration:
    made = calibrated(context, RATE)
    assert isinstance(made, Calibration)
    return made


def test_one_positive_tells_less_and_the_rate_is_kept_all_the_same() -> None:
    alone, lent = [], []
    for seed in range(4):
        context, rows, away = _world(seed)
        made = _made(context)
        assert made.single is not None
        which = np.arange(SEVERAL, SEVERAL + SINGLE)
        alone.append(_false(made, rows, away, which))
        lent.append(_false(replace(made, single=None), rows, away, which))
    assert np.mean(alone) < 1.5 * RATE  # an estimate
    assert np.mean(lent) > 4 * RATE


def test_a_stand_in_is_looked_at_as_if_nobody_had_written_down_the_rest() -> None:
    context, _, _ = _world(0)
    known = cases(context, Evidence(context), single=True)
    positives = context.positives
    hiding = np.unique(known.rows.anchor[known.hidden])
    assert len(hiding) == SEVERAL
    for anchor in hiding[:5].tolist():
        mine = known.rows.anchor == anchor
        away = np.unique(known.rows.item[mine & known.hidden])
        left = np.setdiff1d(positives.positive[anchor], away)
        kept = left[np.argmin(np.abs(context.vectors(None).pairs(np.full(len(left), anchor), left)
                                     - known.rows["positive_max"][mine][0]))]  # fmt: skip
        lists = [
            positives.positive[row] if row != anchor else np.array([kept]) for row in range(len(positives.anchors))
        ]
        forgot = replace(positives, positive=Ragged.from_lists(lists))
        evidence = Evidence(replace(context, positives=forgot))
        found = evidence.of(known.rows.take(mine), known.hidden[mine], known.nameless[mine])
        assert np.array_equal(found.figures, known.found.figures[mine], equal_nan=True)
        assert np.array_equal(found.group, known.found.group[mine])
        assert set(found.nearest.tolist()) == {kept}


def test_only_the_candidates_of_anchors_with_one_positive_are_counted() -> None:
    context, rows, _ = _world(0)
    made = _made(context)
    assert made.single is not None
    single = np.arange(SEVERAL, SEVERAL + SINGLE)
    assert made.single.about["candidates"] == np.isin(rows.anchor, single).sum()
    assert made.several.about["candidates"] == (rows.anchor < SEVERAL).sum()
    assert made.about["single"]["anchors"] == SEVERAL
    steps = {"filters": [f"calibrated(false_negatives={RATE})"]}
    lines = calibration_lines({"steps": steps, "calibrated": made.about, "frontier": []})
    assert sum(line.startswith("Calibrated on") for line in lines) == 2
    assert any("judged apart" in line for line in lines)


def test_an_anchor_is_judged_alone_as_among_others() -> None:
    context, rows, _ = _world(1)
    made, every = _made(context), _made(context).judge(rows)
    for anchor in (0, SEVERAL):
        mine = rows.anchor == anchor
        alone = made.judge(rows.take(mine))
        assert np.array_equal(alone.rate, every.rate[mine])
        assert np.array_equal(alone.probability, every.probability[mine])


@pytest.mark.parametrize("single", [0, 5])
def test_few_with_one_positive_are_judged_like_the_others(single: int) -> None:
    made = _made(_world(0, single)[0])
    assert made.single is None
    assert "single" not in made.about


def test_naming_as_if_an_anchor_had_fewer_positives() -> None:
    lists = [[0, 1, 2], [0, 1, 3], [2, 3]]
    rows = Rows(np.zeros(2, np.int64), np.array([3, 1]))
    naming = Naming(Ragged.from_lists(lists), np.arange(4), np.arange(3), np.full(3, -1))
    fewer = Naming(Ragged.from_lists([[0], *lists[1:]]), np.arange(4), np.arange(3), np.full(3, -1))
    asked = naming.asked_by(Ragged.from_lists([[0], [], []]))
    for one, other in zip(
        *(it.overlap(rows, it.others(rows), np.zeros(2, bool)) for it in (asked, fewer)), strict=True
    ):
        assert np.array_equal(one, other, equal_nan=True)
