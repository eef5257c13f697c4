"""What decides for one kind of anchor: what was learnt from hidden positives, or a fixed rule, and from where on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.calibrate.choice import Choice, chosen
from hardneg.calibrate.evidence import FEATURES, GROUPS, Evidence, Found
from hardneg.calibrate.frontier import LEARNT, Point, families, figure_of, frontier
from hardneg.calibrate.learning import Cases, Learnt
from hardneg.calibrate.model import logit
from hardneg.calibrate.sharing import barring, shared_or_not
from hardneg.calibrate.threshold import Curve, Pool, unknown_positives
from hardneg.context import Context
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["Decision", "decided"]

Figures = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decision:
    """What decides, and what is known of it.

    ``promised`` says whether the rates are bounds; where nothing can be promised at the wanted rate they are estimates,
    and ``choice`` says by what they are: what was learnt, or a fixed rule.
    ``barred`` says whether positives shared with another anchor are held back, however unlike the known ones they are.
    ``shares`` holds for each group (nobody else has the item, another anchor has it) the share of the candidates that
    are positives, an estimate and a bound, shape ``(GROUPS, 2)``.
    """

    evidence: Evidence
    learnt: Learnt
    curve: Curve
    choice: Choice | None
    points: list[Point]
    shares: Figures
    promised: bool
    barred: bool
    about: Mapping[str, Any]

    @property
    def rule(self) -> str:
        """The fixed rule that decides, as text; empty where what was learnt does, or where it lets all pass."""
        return "" if self.choice is None or self.choice.family == LEARNT else self.choice.point.filter

    @property
    def fallback(self) -> str:
        """The fixed rule that takes the place where no rate can be kept, as text; empty where one can."""
        return "" if self.choice is None or self.choice.kept else self.choice.point.filter

    def judge(self, rows: Rows, keys: IntArray) -> tuple[FloatArray, Figures, IntArray]:
        """Of each row the lowest rate under which it passes, the log odds, and the item row of the nearest positive.

        Args:
            rows: as :meth:`Evidence.of` wants them.
            keys: of their anchors.
        """
        return self.judge_found(rows, self.evidence.of(rows), keys)

    def judge_found(self, rows: Rows, found: Found, keys: IntArray) -> tuple[FloatArray, Figures, IntArray]:
        """The same of rows whose evidence is there."""
        odds = self.learnt.log_odds(found.figures, keys)
        likely = odds + logit(self.shares[:, 0])[found.group]
        figure = barring(likely, found.shared) if self.barred else likely
        return _rates(self.curve, self.choice, rows, figure), likely, found.nearest


def decided(
    context: Context, evidence: Evidence, known: Cases, found: Learnt, rate: float, counts: tuple[int, int],
    others: Decision | None = None,
) -> Decision:  # fmt: skip
    """Find which threshold or fixed rule answers a rate.

    Args:
        context: of the mining.
        evidence: that the cases were looked at with.
        known: enough cases.
        found: what tells the hidden ones among them from candidates.
        rate: the share of false negatives that is asked for.
        counts: how many anchors have two positives, and how many there are that are judged by them.
        others: what decides for other anchors; here at least the same share of the candidates is taken to be positive.
    """
    positives = context.positives
    evidence = evidence if known.names else evidence.without_naming()
    odds, counted = found.log_odds(known.found.figures, positives.anchors.keys[known.rows.anchor]), known.counted
    mine = counted | np.isin(known.rows.anchor, known.rows.anchor[known.hidden])
    rows, group, shared = known.rows.take(mine), known.found.group[mine], known.found.shared[mine]
    pool = Pool(rows.anchor, rows["score"], odds[mine], known.hidden[mine], group, None, counted[mine])
    candidates = np.bincount(group[pool.candidates], minlength=GROUPS)
    shares = np.array([unknown_positives(pool, one) for one in range(GROUPS)]) / np.maximum(candidates, 1)[:, None]
    shares = shares if others is None else np.maximum(shares, others.shares)
    unknown = [(float(one), float(most)) for one, most in shares * candidates[:, None]]
    pool = replace(pool, figure=odds[mine] + logit(shares[:, 0])[group])
    made, barred = shared_or_not(pool, shared, context.wanted, unknown.__getitem__, rate)
    pool = replace(pool, figure=barring(pool.figure, shared)) if barred else pool
    promised = bool(made.bound[0] <= rate)
    fixed = families(pool, rows, context.wanted, unknown.__getitem__)
    choice = None if promised else chosen(pool, made, fixed, rate, context.wanted, counts)
    rates = made.bound if choice is None else choice.curve.share if choice.family == LEARNT else made.share
    points = frontier(pool, fixed, made, rates)
    about = _about(known, found, pool, unknown, made, choice, barred, positives.anchors.keys)
    return Decision(evidence, found, made, choice, points, shares, promised, barred, about)


def _rates(learnt: Curve, choice: Choice | None, rows: Rows, learnt_figure: Figures) -> FloatArray:
    """The lowest rate under which each row passes; under a rule that keeps none 0 for what passes, 1 for the rest."""
    if choice is None:
        return learnt.rate(learnt_figure, promised=True)
    figure = learnt_figure if choice.family == LEARNT else figure_of(choice.family, rows)
    if choice.kept:
        return choice.curve.rate(figure, promised=False)
    return (figure >= choice.cut).astype(np.float32)


def _about(
    known: Cases, found: Learnt, pool: Pool, unknown: list[tuple[float, float]], made: Curve, choice: Choice | None,
    barred: bool, anchor_keys: IntArray,
) -> Mapping[str, Any]:  # fmt: skip
    hidden = known.hidden & ~known.nameless
    return {
        "promised": choice is None,
        **({} if choice is None else {"decides": choice.family, "setting": choice.point.filter, "why": choice.why}),
        **({"shared_positives": "suspect" if barred else "evidence"} if _learnt(choice) else {}),
        "confidence": 0.95,
        "assumption": "unknown positives are like the known ones",
        "anchors": len(np.unique(known.rows.anchor[hidden])),
        "hidden": int(hidden.sum()),
        "candidates": int(pool.candidates.sum()),
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
