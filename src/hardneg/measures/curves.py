"""Figures of accepting and rejecting, from the error rates at every threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.notation import require
from hardneg.ragged import BoolArray
from hardneg.verify.rates import Rates

__all__ = [
    "Point",
    "area",
    "at_threshold",
    "average_precision",
    "fpr_at_tpr",
    "threshold_at_tpr",
    "tpr_at_fprs",
]


@dataclass(frozen=True)
class Point:
    """What a fixed threshold does: the share of targets accepted (recall), and of impostors (false-positive rate)."""

    tpr: float
    fpr: float


def threshold_at_tpr(curve: Rates, tpr: float) -> float:
    """The highest threshold at which at least ``tpr`` of the targets are accepted. A score that was seen.

    Raises OptionError unless 0 < tpr <= 1.

    >>> from hardneg.verify.rates import error_rates
    >>> threshold_at_tpr(error_rates(np.array([0.9, 0.8, 0.3]), np.array([0.5])), 0.6)
    0.8
    """
    return float(curve.thresholds[_place(curve, tpr)])


def fpr_at_tpr(curve: Rates, tpr: float = 0.95) -> float:
    """The share of impostors accepted where at least ``tpr`` of the targets are (FPR at 95% TPR).

    >>> from hardneg.verify.rates import error_rates
    >>> fpr_at_tpr(error_rates(np.array([0.9, 0.8, 0.3]), np.array([0.5, 0.1])), 1.0)
    0.5
    """
    return float(curve.false_accept[_place(curve, tpr)])


def _place(curve: Rates, tpr: float) -> int:
    require(0 < tpr <= 1, "tpr", "above 0 and at most 1", tpr)
    return int(np.argmax(1 - curve.false_reject >= tpr - 1e-12))


def tpr_at_fprs(curve: Rates, fprs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of targets accepted where no more than so many of the impostors are: a ROC curve, read on a grid.

    Steps are not smoothed: each is a threshold that a score could set. One less each figure is a DET curve.

    >>> from hardneg.verify.rates import error_rates
    >>> curve = error_rates(np.array([0.9, 0.8, 0.3]), np.array([0.5, 0.1]))
    >>> tpr_at_fprs(curve, np.array([0.1, 0.5, 1.0])).round(3).tolist()
    [0.667, 1.0, 1.0]
    """
    # A rate of 0.1 of 10 is one, whatever 0.1 is in binary.
    place = np.searchsorted(curve.false_accept, np.asarray(fprs) * (1 + 1e-9), side="right") - 1
    return np.asarray(1 - curve.false_reject[place])


def at_threshold(scores: NDArray[Any], target: BoolArray, threshold: float, weights: NDArray[Any]) -> Point:
    """What a threshold that was chosen elsewhere does here; NaN where there are no targets or no impostors.

    >>> at_threshold(np.array([0.9, 0.2, 0.6]), np.array([True, True, False]), 0.5, np.ones(3))
    Point(tpr=0.5, fpr=1.0)
    """
    accepted = scores >= threshold
    shares = []
    for kind in (target, ~target):
        total = float(weights[kind].sum())
        shares.append(float(weights[kind & accepted].sum()) / total if total > 0 else float("nan"))
    return Point(*shares)


def average_precision(curve: Rates) -> float:
    """The mean precision over the targets: ``sum (recall_i - recall_(i-1)) precision_i``, ties taken together.

    As scikit-learn's ``average_precision_score``, which cites Zhu 2004 (University of Waterloo).

    >>> from hardneg.verify.rates import error_rates
    >>> round(average_precision(error_rates(np.array([0.9, 0.3]), np.array([0.5]))), 4)
    0.8333
    """
    hits = (1 - curve.false_reject) * curve.targets
    accepted = hits + curve.false_accept * curve.impostors
    precision = np.divide(hits, accepted, out=np.ones_like(hits), where=accepted > 0)
    return float(np.sum(np.diff(hits) * precision[1:]) / curve.targets)


def area(curve: Rates) -> float:
    """The area under the ROC curve: how likely a target scores above an impostor, half for equal scores.

    >>> from hardneg.verify.rates import error_rates
    >>> area(error_rates(np.array([0.9, 0.3]), np.array([0.5])))
    0.5
    """
    return float(np.trapezoid(1 - curve.false_reject, curve.false_accept))
