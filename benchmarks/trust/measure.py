"""One trial: half of the positives hidden; the false negatives and the hardness of filters; what a promise is worth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.trust.data import Judged
from hardneg.calibrate import Calibration, calibrated
from hardneg.context import Context, reference_scores
from hardneg.search import Constraints, Exact
from hardneg.table import Rows

__all__ = ["RATE", "RULES", "WANTED", "K", "Trial", "mined", "trial"]

RATE, WANTED, K = 0.02, 8, 100
RULES = ("rank(skip=10)", "95% of the best")
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """Figures of one seed.

    ``rules``: for each fixed rule its false-negative share and its hardness, the calibrated filter's share where its
    mined are as hard, and whether that can be reached without a false negative (by an oracle).
    """

    rules: dict[str, dict[str, Any]]
    rate: float
    hardness: float
    mined: float
    promised: bool
    seconds: dict[str, float]


def trial(data: Judged, seed: int, way: str) -> Trial | None:
    """Hide, search, learn and judge; None where there is nothing to learn from."""
    known, hidden = data.hidden(seed, way)
    anchors = np.arange(len(known.anchors))
    clock = [time.process_time()]
    free = Constraints(known.excluded(anchors), known.barred)
    hits = Exact().search(data.vectors.anchors, data.vectors.items, K, data.vectors.similarity, free)
    rows = Rows(hits.items.rows(), hits.items.values, {"score": hits.scores, "rank": hits.ranks.astype(np.int32)})
    clock.append(time.process_time())
    context = Context(known, data.vectors, propose=lambda some: rows.take(np.isin(rows.anchor, some)), wanted=WANTED)
    made = calibrated(context, RATE)
    if not isinstance(made, Calibration):
        return None
    clock.append(time.process_time())
    found = made.judge(rows)
    clock.append(time.process_time())
    false, able = hidden.contains(rows.anchor, rows.item), hidden.lengths() > 0
    best = reference_scores(known.positive, data.vectors.pairs)["max"][rows.anchor]
    fixed = {RULES[0]: rows["rank"] >= 10, RULES[1]: rows["score"] <= 0.95 * best}
    rate = np.minimum(found.rate.astype(np.float64), 2)  # of what no rate lets pass
    figure = rate + 1e-6 * found.probability  # of one rate the likelier goes first
    cuts = np.unique(np.quantile(figure, np.concatenate([np.linspace(0.02, 0.9, 30), np.linspace(0.9, 1, 60)])))
    path = np.array([mined(rows, false, able, figure <= cut) for cut in cuts])
    path = path[~np.isnan(path[:, 1])]
    oracle = mined(rows, false, able, ~false)[1]
    rules = {}
    for name, passes in fixed.items():
        share, hardness, _ = mined(rows, false, able, passes)
        mine = float(np.interp(hardness, np.maximum.accumulate(path[:, 1]), path[:, 0]))
        rules[name] = {"share": share, "hardness": hardness, "calibrated": mine, "reachable": bool(oracle >= hardness)}
    share, hardness, many = mined(rows, false, able, found.rate <= RATE)
    seconds = dict(zip(("search", "learn", "judge"), np.diff(clock).tolist(), strict=True))
    return Trial(rules, share, hardness, many, made.promised, seconds)


def mined(rows: Rows, false: Bools, able: Bools, passes: Bools) -> tuple[float, float, float]:
    """The share of hidden positives, the mean score and the number an anchor, over the anchors that hide one.

    Rows are sorted by anchor, the hardest first.
    """
    order = np.flatnonzero(passes & able[rows.anchor])
    anchor = rows.anchor[order]
    order = order[np.arange(len(order)) - np.searchsorted(anchor, anchor) < WANTED]
    if not len(order):
        return float("nan"), float("nan"), 0.0
    return float(false[order].mean()), float(rows["score"][order].mean()), len(order) / float(able.sum())
