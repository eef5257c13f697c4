"""From a context to the figures of every candidate: all of a filter's learning in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.calibrate.decision import Decision, decided
from hardneg.calibrate.evidence import LISTED, Evidence
from hardneg.calibrate.frontier import Point
from hardneg.calibrate.learning import cases, learn
from hardneg.calibrate.model import probability
from hardneg.context import REFERENCES, Context, Vectors, reference_scores
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["Calibration", "Judged", "calibrated"]

_APART = 0.05  # of the anchors: where fewer have one positive, they matter little, and little could be known of them


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

    ``several`` judges anchors with at least two positives and ``single`` those with one: what a single positive tells
    is less, and more of theirs may be unknown. ``single`` is None where they are under a twentieth, or where the
    others, each with all but one positive hidden, hide too few; then ``several`` judges all. ``hidden`` are the known
    positives of the anchors that were learnt from, as they were judged.
    """

    context: Context
    several: Decision
    single: Decision | None
    hidden: Rows

    @property
    def parts(self) -> list[Decision]:
        """What decides, for one kind of anchor or for both."""
        return [self.several] if self.single is None else [self.several, self.single]

    @property
    def promised(self) -> bool:
        """Whether all rates are bounds."""
        return all(one.promised for one in self.parts)

    @property
    def points(self) -> list[Point]:
        """The frontier, of anchors with several positives."""
        return self.several.points

    @property
    def about(self) -> Mapping[str, Any]:
        """As plain values, for a manifest."""
        alone = {} if self.single is None else {"single": self.single.about}
        return {**self.several.about, **alone}

    def judge(self, rows: Rows) -> Judged:
        """Judge candidates; what is judged of an anchor does not depend on other anchors."""
        positives = self.context.positives
        some, at = np.unique(rows.anchor, return_inverse=True)
        vectors = self.context.vectors(None)
        references = reference_scores(positives.positive.take(some), lambda row, items: vectors.pairs(some[row], items))
        of_anchor = {f"positive_{one}": references[one][at] for one in REFERENCES}
        order = np.argsort(rows.anchor, kind="stable")
        alone = positives.positive.lengths()[rows.anchor[order]] < 2
        out = Judged(np.empty(len(rows), np.float32), np.empty(len(rows), np.float32), np.empty(len(rows), np.int32))
        whose = np.zeros(len(rows), bool) if self.single is None else alone
        for one, mine in zip(self.parts, (order[~whose], order[whose]), strict=False):
            these = rows.having(**of_anchor).take(mine)
            rate, likely, nearest = one.judge(these, positives.anchors.keys[these.anchor])
            out.rate[mine], out.probability[mine] = rate, probability(likely)
            out.nearest[mine] = _places(positives.positive, these.anchor, nearest)
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
    mined = positives.positive.lengths() if context.active is None else positives.positive.lengths()[context.active]
    many, one = int((mined > 1).sum()), int((mined == 1).sum())
    alone = cases(context, evidence, single=True) if one and one >= _APART * (many + one) else None
    alone = alone if alone is not None and alone.enough else None
    counts = many, many if alone is not None else len(mined)
    found = learn(known, positives.anchors.keys, positives.items.keys)
    several = decided(context, evidence, known, found, rate, counts)
    single = None if alone is None else decided(context, evidence, alone, found, rate, counts, several)
    keys = positives.anchors.keys[known.rows.anchor]
    judged, likely, nearest = several.judge_found(known.rows, known.found, keys)
    asked = Rows(known.rows.anchor, known.rows.item, {
        "hidden_for": known.nameless.astype(np.uint8),
        "false_negative_rate": judged,
        "positive_probability": probability(likely).astype(np.float32),
        "nearest_positive": _places(positives.positive, known.rows.anchor, nearest),
    }).take(known.hidden)  # fmt: skip
    return Calibration(context, several, single, _with_others(asked, known.anchors, positives.positive))


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
