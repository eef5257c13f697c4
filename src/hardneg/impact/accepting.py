"""Trials that are accepted or not: sorted once, so that their curve is quickly drawn for any weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.impact.exam import Answers, Figures, Measure
from hardneg.impact.operating import rates_grid
from hardneg.measures import at_threshold, average_precision, fpr_at_tpr, threshold_at_tpr, tpr_at_fprs
from hardneg.ragged import BoolArray, IntArray
from hardneg.similarity import FloatArray
from hardneg.verify.rates import Rates, in_order

__all__ = [
    "OPERATING",
    "RECALL",
    "Accepting",
    "curve_of",
    "operating",
    "operating_threshold",
    "sorted_trials",
]

RECALL = 0.95  # of the operating point: its threshold is chosen on validation data
OPERATING = (
    Measure("AP", 1, "mean precision over the targets"),
    Measure("FPR@95TPR", -1, "impostors accepted where 95% of the targets are, threshold chosen on the held-out data"),
    Measure("FPR", -1, "impostors accepted at the threshold where 95% of the validation targets are"),
    Measure("TPR", 1, "targets accepted at that threshold: the guard of recall"),
)


def sorted_trials(scores: FloatArray, target: BoolArray, left: IntArray, right: IntArray) -> Answers:
    """Trials in falling order of their scores, with the units that each hangs on (the same one twice, for one)."""
    order = np.argsort(-scores, kind="stable")
    return {"scores": scores[order], "target": target[order], "one": left[order], "other": right[order]}


def weights_of(answers: Mapping[str, NDArray[Any]], weights: Figures | None) -> Figures:
    """How much each trial counts: a target as often as its identity was drawn, an impostor for both of its sides."""
    if weights is None:
        return np.ones(len(answers["scores"]))
    left = weights[answers["one"]]
    alone = answers["target"] | (answers["one"] == answers["other"])
    return np.asarray(np.where(alone, left, left * weights[answers["other"]]))


def curve_of(answers: Mapping[str, NDArray[Any]], weights: Figures) -> Rates | None:
    """The error rates at every threshold; None without targets or impostors."""
    try:
        return in_order(answers["scores"].astype(np.float64), answers["target"], weights)
    except InputError:
        return None


def operating(answers: Mapping[str, NDArray[Any]], curve: Rates, weights: Figures) -> list[float]:
    """The figures of ``OPERATING``; the last two are NaN without a ``threshold`` among the answers."""
    out = [average_precision(curve), fpr_at_tpr(curve, RECALL)]
    if "threshold" not in answers:
        return [*out, float("nan"), float("nan")]
    point = at_threshold(answers["scores"], answers["target"], float(answers["threshold"]), weights)
    return [*out, point.fpr, point.tpr]


def operating_threshold(answers: Mapping[str, NDArray[Any]]) -> float | None:
    """Where 95% of the targets are accepted; None where there are none."""
    curve = curve_of(answers, np.ones(len(answers["scores"])))
    return None if curve is None else threshold_at_tpr(curve, RECALL)


class Accepting:
    """What examinations by trials have in common: the curve of all of them."""

    draws = 400
    across = "false accepts"

    def grid(self, answers: Mapping[str, NDArray[Any]]) -> Figures:
        """The false-accept rates at which the curve is read; none without targets or impostors."""
        target = answers["target"]
        return rates_grid(int((~target).sum())) if target.any() and not target.all() else np.zeros(0)

    def found_at(self, answers: Mapping[str, NDArray[Any]], rates: Figures, weights: Figures | None = None) -> Figures:
        """The share of the targets accepted at each rate; NaN where these weights leave no trials of a kind."""
        curve = curve_of(answers, weights_of(answers, weights))
        return np.full(len(rates), np.nan) if curve is None else tpr_at_fprs(curve, rates)
