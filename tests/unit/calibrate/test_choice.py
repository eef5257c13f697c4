"""What decides where nothing can be promised: what was learnt, if it keeps the rate, else the hardest fixed rule."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from hardneg.calibrate.choice import SEVERAL, chosen
from hardneg.calibrate.frontier import LEARNT, Family, families, figure_of, frontier
from hardneg.calibrate.threshold import Curve, Pool, unknown_positives
from hardneg.table import Rows

RATE, WANTED = 0.02, 8


def _pool() -> Pool:
    """Two anchors with ten candidates each; only their number matters here."""
    anchor = np.repeat([0, 1], 10)
    score = np.tile(np.linspace(1, 0.1, 10), 2).astype(np.float32)
    return Pool(anchor, score, score.astype(np.float64), np.zeros(20, bool), np.zeros(20, np.int64))


def _curve(*rows: tuple[float, float, float]) -> Curve:
    """Shares, hardness and negatives an anchor, the strictest first."""
    share, hardness, many = np.array(rows).T
    return Curve(np.arange(len(rows), dtype=np.float64), share, share * 2 + 0.1, hardness, (2 * many).astype(np.int64))


def _rule(*rows: tuple[float, float, float]) -> list[Family]:
    return [Family("rank", tuple(f"rank(skip={9 - place})" for place in range(len(rows))), _curve(*rows))]


GOOD = _rule((0.0, 0.3, 8), (0.01, 0.5, 8), (0.3, 0.9, 8))


@pytest.mark.parametrize(
    ("learnt", "plain", "counts", "family", "text"),
    [
        pytest.param([(0.01, 0.4, 8)], GOOD, (20, 20), LEARNT, "calibrated(false_negatives=0.02)", id="double keeps"),
        pytest.param([(0.015, 0.6, 8)], GOOD, (20, 20), "rank", "rank(skip=8)", id="double does not keep it"),
        pytest.param([(0.01, 0.6, 3)], GOOD, (20, 20), "rank", "rank(skip=8)", id="it leaves too few"),
        pytest.param([(0.01, 0.6, 8)], GOOD, (20, 41), "rank", "rank(skip=8)", id="most have one positive"),
        pytest.param(
            [(0.004, 0.4, 8)], GOOD, (20, 41), LEARNT, "calibrated(false_negatives=0.02)",
            id="most have one positive, and four times the estimate keeps it",
        ),
        pytest.param([(0.01, 0.6, 8)], GOOD, (20, 40), LEARNT, "calibrated(false_negatives=0.02)", id="half have one"),
        pytest.param([(0.01, 0.4, 8)], GOOD, (SEVERAL, 1000), LEARNT, "calibrated(false_negatives=0.02)", id="many"),
        pytest.param([(0.05, 0.6, 8)], GOOD, (SEVERAL, 50), "rank", "rank(skip=8)", id="many, no estimate keeps it"),
        pytest.param(
            [(0.01, 0.6, 8)], _rule((0.01, 0.5, 3)), (20, 41), LEARNT, "calibrated(false_negatives=0.02)",
            id="the rule leaves too few",
        ),
        pytest.param(
            [(0.05, 0.6, 8)], _rule((0.04, 0.3, 8), (0.04, 0.5, 8), (0.3, 0.9, 8)), (20, 20), "rank", "rank(skip=8)",
            id="nothing keeps it: the lowest, the hardest of these",
        ),
    ],
)  # fmt: skip
def test_what_decides(
    learnt: list[tuple[float, float, float]], plain: list[Family], counts: tuple[int, int], family: str, text: str
) -> None:
    found = chosen(_pool(), _curve(*learnt), plain, RATE, WANTED, counts)
    assert (found.family, found.point.filter) == (family, text)
    assert found.kept == (found.point.share <= RATE)
    assert found.why


def test_the_families_are_what_the_frontier_shows() -> None:
    rng = np.random.default_rng(0)
    anchor = np.repeat(np.arange(30), 20)
    rank = np.tile(np.arange(20), 30).astype(np.int32)
    score = (1 - rank / 25 + 0.01 * rng.normal(size=600)).astype(np.float32)
    references = {f"positive_{one}": np.full(600, value, np.float32) for one, value in
                  (("min", 0.5), ("mean", 0.7), ("max", 0.9))}  # fmt: skip
    rows = Rows(anchor, np.arange(600), {"score": score, "rank": rank, **references})
    pool = Pool(anchor, score, rng.normal(size=600), rng.random(600) < 0.1, np.zeros(600, np.int64))
    learnt = _curve((0.01, 0.6, 8))
    told = {
        one.filter: one
        for one in frontier(pool, families(pool, rows, WANTED, partial(unknown_positives, pool)), learnt, learnt.bound)
    }
    for family in families(pool, rows, WANTED, partial(unknown_positives, pool)):
        for text, share in zip(family.settings, family.curve.share, strict=True):
            assert told[text].share == share
    margin = figure_of("margin of the mean", rows)
    assert ((margin <= -0.1) == ((score - 0.7) / 0.7 <= -0.1)).mean() > 0.99
    assert figure_of("rank", rows).tolist() == (-rank).tolist()
