"""From a context to the figures of every candidate: all of a filter's learning in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.calibrate.choice import Choice, chosen
from hardneg.calibrate.evidence import FEATURES, GROUPS, LISTED, Evidence
from hardneg.calibrate.frontier import LEARNT, Point, families, figure_of, frontier
from hardneg.calibrate.learning import Cases, Learnt, cases, learn
from hardneg.calibrate.model import logit, probability
from hardneg.calibrate.sharing import barring, shared_or_not
from hardneg.calibrate.threshold import Curve, Pool, unknown_positives
from hardneg.context import REFERENCES, Context, Vectors, reference_scores
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["Calibration", "Judged", "calibrated"]

Figures = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """Of some candidates the lowest rate under which each passes and its probability of being a positive.

    ``nearest`` is the place of the nearest positive in its anchor's list, -1 for none, and for anchors with more than
    32 positives, of which some are drawn: the nearest of those need not be the nearest of all.
    """

    rate: FloatArray
    probability: FloatArray
    nearest: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was learnt from the hidden positives of a mining.

    ``promised`` says whether the rates are bounds; where nothing can be promised at the wanted rate they are estimates,
    and ``choice`` says by what they are: what was learnt, or a fixed rule.
    ``barred`` says whether positives shared with another anchor are held back, however unlike the known ones they are.
    ``shares`` holds for each group (nobody else has the item, another anchor has it) the share of the candidates that
    are positives. ``hidden`` are the known positives of the anchors that were learnt from, as they were judged.
    """

    context: Context
    evidence: Evidence
    learnt: Learnt
    curve: Curve
    choice: Choice | None
    points: list[Point]
    shares: Figures
    promised: bool
    barred: bool
    hidden: Rows
    about: Mapping[str, Any]

    @property
    def rule(self) -> str:
        """The fixed rule that decides, as text; empty where what was learnt does, or where it lets all pass."""
        return "" if self.choice is None or self.choice.family == LEARNT else self.choice.point.filter

    @property
    def fallback(self) -> str:
        """The fixed rule that takes the place where no rate can be kept, as text; empty where one can."""
        return "" if self.choice is None or self.choice.kept else self.choice.point.filter

    def judge(self, rows: Rows) -> Judged:
        """Judge candidates; what is judged of an anchor does not depend on other anchors."""
        positives = self.context.positives
        some, at = np.unique(rows.anchor, return_inverse=True)
        vectors = self.context.vectors(None)
        references = reference_scores(positives.positive.take(some), lambda row, items: vectors.pairs(some[row], items))
        of_anchor = {f"positive_{one}": references[one][at] for one in REFERENCES}
        order = np.argsort(rows.anchor, kind="stable")
        mine = rows.having(**of_anchor).take(order)
        found = self.evidence.of(mine)
        odds = self.learnt.log_odds(found.figures, positives.anchors.keys[rows.anchor[order]])
        likely = odds + logit(self.shares)[found.group]
        figure = barring(likely, found.shared) if self.barred else likely
        out = Judged(np.empty(len(rows), np.float32), np.empty(len(rows), np.float32), np.empty(len(rows), np.int32))
        out.rate[order] = _rates(self.curve, self.choice, mine, figure)
        out.probability[order] = probability(likely)
        out.nearest[order] = _places(positives.positive, rows.anchor[order], found.nearest)
        return out


def calibrated(context: Context, rate: float, second: Vectors | None = None) -> Calibration | int:
    """Learn from the hidden positives of a mining.

    Where there are too few of them (10, of 10 anchors) nothing is learnt, and their number is given instead.

    Args:
        context: of the mining; its ``propose`` gives the candidates.
        rate: the share of false negatives that is wanted: where no threshold can promise it, estimates take the place
            of bounds.
        second: the vectors of a second encoder, whose opinion is evidence too; None for none.
    """
    evidence = Evidence(context, second)
    known = cases(context, evidence)
    if not known.enough:
        return int((known.hidden & ~known.nameless).sum())
    positives = context.positives
    evidence = evidence.without_naming() if not known.names else evidence
    found = learn(known, positives.anchors.keys, positives.items.keys)
    odds = found.log_odds(known.found.figures, positives.anchors.keys[known.rows.anchor])
    mine = np.isin(known.rows.anchor, known.anchors)
    rows = known.rows.take(mine)
    pool = Pool(rows.anchor, rows["score"], odds[mine], known.hidden[mine], known.found.group[mine])
    unknown = [unknown_positives(pool, group) for group in range(GROUPS)]
    candidates = np.bincount(pool.group[~pool.hidden], minlength=GROUPS)
    shares = np.array([one[0] for one in unknown]) / np.maximum(candidates, 1)
    likely = odds + logit(shares)[known.found.group]
    pool = replace(pool, figure=likely[mine])
    made, barred = shared_or_not(pool, known.found.shared[mine], context.wanted, unknown.__getitem__, rate)
    figure = barring(likely, known.found.shared) if barred else likely
    pool = replace(pool, figure=figure[mine])
    promised = bool(made.bound[0] <= rate)
    fixed = families(pool, rows, context.wanted)
    points = frontier(pool, fixed, made, promised=promised)
    choice = None if promised else chosen(pool, made, fixed, rate, context.wanted, _counts(context))
    about = _about(known, found, pool, unknown, made, choice, barred, positives.anchors.keys)
    asked = Rows(known.rows.anchor, known.rows.item, {
        "hidden_for": known.nameless.astype(np.uint8),
        "false_negative_rate": _rates(made, choice, known.rows, figure),
        "positive_probability": probability(likely).astype(np.float32),
        "nearest_positive": _places(positives.positive, known.rows.anchor, known.found.nearest),
    }).take(known.hidden)  # fmt: skip
    hidden = _with_others(asked, known.anchors, positives.positive)
    return Calibration(context, evidence, found, made, choice, points, shares, promised, barred, hidden, about)


def _rates(learnt: Curve, choice: Choice | None, rows: Rows, learnt_figure: Figures) -> FloatArray:
    """The lowest rate under which each row passes; under a rule that keeps none 0 for what passes, 1 for the rest."""
    if choice is None:
        return learnt.rate(learnt_figure, promised=True)
    figure = learnt_figure if choice.family == LEARNT else figure_of(choice.family, rows)
    if choice.kept:
        return choice.curve.rate(figure, promised=False)
    return (figure >= choice.cut).astype(np.float32)


def _counts(context: Context) -> tuple[int, int]:
    """How many anchors have two positives or more, and how many are mined."""
    many = context.positives.positive.lengths()
    mined = many if context.active is None else many[context.active]
    return int((mined >= 2).sum()), len(mined)


def _places(positive: Ragged, anchors: IntArray, items: IntArray) -> NDArray[np.int32]:
    """The place of each item among its anchor's positives; -1 where not all of them were compared with."""
    place = positive.find(anchors, items)
    return np.where(positive.lengths()[anchors] <= LISTED, place, -1).astype(np.int32)


def _with_others(asked: Rows, anchors: IntArray, positive: Ragged) -> Rows:
    """The hidden positives with those of the same anchors that no source would have proposed, by anchor and item."""
    mine = positive.take(anchors)
    anchor, item = anchors[mine.rows()], mine.values
    there = Ragged.from_pairs(asked.anchor, asked.item, len(positive)).contains(anchor, item)
    anchor, item = anchor[~there], item[~there]
    nothing = {"hidden_for": 0, "false_negative_rate": np.nan, "positive_probability": np.nan, "nearest_positive": -1}
    columns = {name: np.full(len(anchor), value, asked[name].dtype) for name, value in nothing.items()}
    out = Rows.concatenated([asked, Rows(anchor, item, columns)])
    return out.take(np.lexsort((out["hidden_for"], out.item, out.anchor)))


def _about(
    known: Cases, found: Learnt, pool: Pool, unknown: list[tuple[float, float]], made: Curve, choice: Choice | None,
    barred: bool, anchor_keys: IntArray,
) -> Mapping[str, Any]:  # fmt: skip
    hidden = known.hidden & ~known.nameless
    return {
        "promised": choice is None,
        **({} if choice is None else {"decides": choice.family, "why": choice.why}),
        **({"shared_positives": "suspect" if barred else "evidence"} if _learnt(choice) else {}),
        "confidence": 0.95,
        "assumption": "unknown positives are like the known ones",
        "anchors": len(np.unique(known.rows.anchor[hidden])),
        "hidden": int(hidden.sum()),
        "candidates": int((~pool.hidden).sum()),
        "unknown_positives": {"estimate": round(sum(one[0] for one in unknown), 1),
                              "at_most": round(sum(one[1] for one in unknown), 1)},
        "least": {"share": round(float(made.share[0]), 5), "bound": round(float(made.bound[0]), 5)},
        "weight": _weights(found, known, anchor_keys),
        "model": found.about(),
    }  # fmt: skip


def _learnt(choice: Choice | None) -> bool:
    return choice is None or choice.family == LEARNT


def _weights(found: Learnt, known: Cases, anchor_keys: IntArray) -> dict[str, float]:
    """How much each kind of evidence tells hidden positives from candidates: the difference of what it adds."""
    parts = found.parts(known.found.figures, anchor_keys[known.rows.anchor])
    apart = parts[known.hidden].mean(axis=0) - parts[~known.hidden].mean(axis=0)
    return {name: round(float(value), 3) for name, value in zip(FEATURES, apart, strict=True)}
