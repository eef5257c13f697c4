"""Labels hidden one at a time: what an unlabelled member of a class looks like, and which of a pool may pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.calibrate.calibration import Judged
from hardneg.calibrate.evidence import Found
from hardneg.calibrate.frontier import LEARNT, Point, learnt_points, point_at
from hardneg.calibrate.learning import LEAST, Cases, Learnt, learn
from hardneg.calibrate.model import logit, probability
from hardneg.calibrate.threshold import Curve, Pool, curve, unknown_positives
from hardneg.classes import Classes
from hardneg.context import Context
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.table import Rows

__all__ = ["ITEMS", "LabelCalibration", "calibrated_labels"]

Figures = NDArray[np.float64]
Likely = Callable[[Rows], Figures]
_ANCHORS = 1024  # that are learnt from at most
ITEMS = 50  # with fewer hidden even a threshold below all of them may let one in fifty pass: no share is known
_PAIRS = 200_000  # of an anchor and a hidden item at most, about
_NEVER = 1e-6  # a probability of 0 has no logarithm


@dataclass(frozen=True, eq=False)
class LabelCalibration:
    """What was learnt from hidden labels; it judges items without a label, and lets all others pass.

    ``promised`` says whether the rates are bounds; where nothing can be promised they are estimates. ``share`` is the
    share of the unlabelled candidates that are of their anchor's class.
    """

    context: Context
    likely: Likely
    learnt: Learnt
    curve: Curve
    points: list[Point]
    share: float
    promised: bool
    about: Mapping[str, Any]

    def judge(self, rows: Rows) -> Judged:
        """Judge candidates; what is judged of one does not depend on others."""
        open_ = ~_classes(self.context).labelled()[rows.item]
        rate, likely = np.zeros(len(rows), np.float32), np.full(len(rows), np.nan, np.float32)
        asked = rows.take(open_)
        odds = self.learnt.log_odds(_figures(asked, self.likely), self.context.positives.items.keys[asked.item])
        rate[open_] = self.curve.rate(odds, promised=self.promised)
        likely[open_] = probability(odds + logit(np.array(self.share)))
        return Judged(rate, likely, np.full(len(rows), -1, np.int32))


def calibrated_labels(
    context: Context, rate: float, likely: Likely, usable: BoolArray
) -> LabelCalibration | tuple[int, int]:
    """Learn from hidden labels what an unlabelled member of an anchor's class looks like.

    A label is hidden for all anchors alike, and all others of its class keep theirs; then it is a candidate without a
    label, as an unlabelled member is. Candidates of another class compete for the places among the mined and are no
    false negatives here. No item is judged by a model that was fitted to it. Holds if it is chance which items have a
    label, alike in all classes, so that the unlabelled members are like the labelled ones. How many is not assumed.

    Where too few items can be hidden (50, of 10 anchors), their numbers are given instead.

    Args:
        context: of the mining; its ``propose`` gives the candidates.
        rate: the share of false negatives that is wanted.
        likely: how likely the item of each row is of a class of its anchor, by some models, shape ``(n, models)``; of
            a labelled item without having seen its label.
        usable: for which items that is so.
    """
    anchors = _drawn(context)
    found = context.propose(anchors) if context.propose is not None else None
    if found is None:
        return 0, 0
    found = Rows(found.anchor, found.item, {"score": found["score"], "rank": found["rank"]})
    hidden = _hidden(context, anchors, found, usable)
    counts = len(np.unique(hidden.item)), len(np.unique(hidden.anchor))
    labelled = _classes(context).labelled()[found.item]
    if counts[0] < ITEMS or counts[1] < LEAST or labelled.all():
        return counts
    keys = context.positives.anchors.keys, context.positives.items.keys
    rows = Rows.concatenated([found.take(~labelled), hidden])
    away = np.arange(len(rows)) >= len(rows) - len(hidden)
    nothing = np.zeros(len(rows), bool)
    evidence = Found(_figures(rows, likely), np.full(len(rows), -1), np.zeros(len(rows), np.int64))
    names = _names(evidence.figures)
    known = Cases(rows, evidence, away, nothing, anchors, names=False, signs=tuple(names.values()))
    learnt = learn(known, *keys, held=keys[1][rows.item])
    odds = learnt.log_odds(evidence.figures, keys[1][rows.item])
    pool = _pool(rows, odds, away, found.take(labelled))
    told = {0: unknown_positives(pool, 0), 1: (0.0, 0.0)}
    made = curve(pool, context.wanted, told.__getitem__, _cuts(odds, away))
    promised = bool(made.bound[0] <= rate)
    about = {
        "promised": promised,
        "confidence": 0.95,
        "assumption": "it is chance which items have a label, alike in all classes",
        "anchors": counts[1],
        "hidden": counts[0],
        "of": "labels",
        "candidates": int((~away).sum()),
        "unknown_positives": {"estimate": round(told[0][0], 1), "at_most": round(told[0][1], 1)},
        "least": {"share": round(float(made.share[0]), 5), "bound": round(float(made.bound[0]), 5)},
        "model": learnt.about(tuple(names)),
    }
    share = told[0][0] / max(1, int((~away).sum()))
    whole = point_at(made, len(made.figure) - 1, pool, LEARNT, "")  # without any filter
    points = [whole, *learnt_points(pool, made, made.bound if promised else made.share)]
    return LabelCalibration(context, likely, learnt, made, points, min(share, 1.0), promised, about)


def _drawn(context: Context) -> IntArray:
    """The anchors that are looked at, rising: at most 1,024, drawn by the seed and their ids."""
    positives = context.positives
    active = np.arange(len(positives.anchors)) if context.active is None else context.active
    order = np.argsort(random.uniform(context.seed, positives.anchors.keys[active]), kind="stable")
    return np.sort(active[order[:_ANCHORS]])


def _hidden(context: Context, anchors: IntArray, found: Rows, usable: BoolArray) -> Rows:
    """For each anchor the labelled items of its classes that would be proposed without their label.

    Of very many some items are drawn, each as likely as any other, so that large classes keep their weight.
    """
    positives, classes = context.positives, _classes(context)
    items = usable & classes.labelled() & ~positives.barred
    members = Ragged.from_codes(classes.items_of(items)).inverted(len(classes.names))
    mine = Ragged.from_codes(classes.anchors.take(anchors))
    share = _PAIRS / max(1, int(members.lengths()[mine.values].sum()))
    if share < 1:
        items &= random.uniform(4, positives.items.keys) < share
        members = Ragged.from_codes(classes.items_of(items)).inverted(len(classes.names))
    of = members.take(mine.values)
    pairs = Ragged.from_pairs(mine.rows()[of.rows()], of.values, len(anchors))
    anchor, item = anchors[pairs.rows()], pairs.values
    other = positives.own[anchor] != item
    anchor, item = anchor[other], item[other]
    score = context.vectors(None).pairs(anchor, item)
    least = np.full(len(positives.anchors), np.inf, np.float32)
    np.minimum.at(least, found.anchor, found["score"])
    there = score >= least[anchor]
    anchor, item, score = anchor[there], item[there], score[there]
    return Rows(anchor, item, {"score": score, "rank": _ranks(anchor, score, found)})


def _ranks(anchor: IntArray, score: NDArray[np.float32], found: Rows) -> NDArray[np.int32]:
    """How many candidates of its anchor score higher than each: what is of the anchor's class has no rank."""
    many = len(found)
    anchors, scores = np.concatenate([found.anchor, anchor]), np.concatenate([found["score"], score])
    order = np.lexsort((np.arange(len(anchors)) < many, -scores, anchors))
    candidate = order < many
    before: IntArray = np.cumsum(candidate) - candidate
    first = np.searchsorted(anchors[order], anchors[order])
    out = np.empty(len(anchors), np.int32)
    out[order] = before - before[first]
    return out[many:]


def _figures(rows: Rows, likely: Likely) -> Figures:
    """The evidence of rows: log odds of each model, the score and the rank."""
    odds = logit(np.clip(likely(rows).astype(np.float64), _NEVER, 1 - _NEVER))
    rank = np.where(rows["rank"] >= 0, np.log1p(np.maximum(rows["rank"], 0)), np.nan)
    return np.column_stack([odds, rows["score"].astype(np.float64), rank])


def _names(figures: Figures) -> dict[str, int]:
    """The names of the evidence, and how the probability may move with each."""
    models = {f"model_{number}": 1 for number in range(figures.shape[1] - 2)}
    return {**models, "score": 1, "rank": -1}


def _pool(rows: Rows, odds: Figures, hidden: BoolArray, negatives: Rows) -> Pool:
    """All that competes for the places among the mined; what is labelled otherwise always passes.

    Chance is in which items have a label, so what is of one item hangs together.
    """
    every = Rows.concatenated([rows, negatives])
    known = np.arange(len(every)) >= len(rows)
    figure = np.concatenate([odds, np.full(len(negatives), np.nextafter(odds.min(), -np.inf))])
    away = np.concatenate([hidden, np.zeros(len(negatives), bool)])
    return Pool(every.anchor, every["score"], figure, away, known.astype(np.int64), every.item)


def _cuts(odds: Figures, hidden: BoolArray) -> Figures:
    """Thresholds from where nothing unlabelled passes to where everything does, finest where few hidden ones pass."""
    low = np.concatenate([np.linspace(0, 0.1, 61), np.linspace(0.1, 1, 19)])
    found = [np.quantile(odds[~hidden], np.linspace(0, 1, 61)), np.quantile(odds[hidden], low)]
    return np.unique(np.concatenate([[odds.min()], *found, [np.nextafter(odds.max(), np.inf)]]))


def _classes(context: Context) -> Classes:
    return context.classes(LEARNT)
