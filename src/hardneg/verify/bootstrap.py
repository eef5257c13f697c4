"""How sure a figure of a verifier is: intervals that draw identities anew, not trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.progress import Report
from hardneg.quantiles import percentiles
from hardneg.ragged import BoolArray, IntArray
from hardneg.random import redrawn
from hardneg.verify.rates import Rates, Weights, in_order, rates_of

__all__ = ["Interval", "Statistic", "identity_interval", "identity_intervals", "identity_weights"]

Statistic = Callable[[Rates], float]


@dataclass(frozen=True)
class Interval:
    """A figure, the ends of its interval, and how many draws of identities gave one.

    Some may give none: a draw without a target, or with too few impostors for the FAR asked for.
    """

    value: float
    low: float
    high: float
    draws: int


def identity_interval(
    statistic: Statistic,
    scores: NDArray[Any],
    left: IntArray,
    right: IntArray,
    *,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """A figure of trials with an interval by bootstrap over identities.

    Trials that share a person are not independent, so an interval over pairs is far too narrow (subset bootstrap:
    Bolle, Ratha & Pankanti 2004, Computer Vision and Image Understanding 93). Here a person drawn ``a`` times and one
    drawn ``b`` times meet in ``a * b`` impostor trials, since an impostor trial hangs on both ("vertex bootstrap":
    Snijders & Borgatti 1999, Connections 22); a target trial counts ``a`` times. The ends are percentiles of the draws.

    Args:
        statistic: the figure, such as ``eer`` or ``lambda curve: at_far(curve, 1e-2).tar``.
        scores: of the trials, shape ``(n,)``.
        left: the identity of one side of each trial, shape ``(n,)``, whole numbers from 0.
        right: that of the other; a trial of one identity is a target.
        draws: how many times identities are drawn.
        confidence: how often the interval should hold the truth.
        seed: draws the identities.

    Raises InputError with fewer than 2 identities, OptionError for ``draws`` or ``confidence`` out of range.

    >>> from hardneg.verify.errors_at import eer
    >>> left, right = np.triu_indices(12, k=1)
    >>> who = np.arange(12) // 3
    >>> scores = np.where(who[left] == who[right], 0.9, 0.1)
    >>> identity_interval(eer, scores, who[left], who[right], draws=20)
    Interval(value=0.0, low=0.0, high=0.0, draws=20)
    """
    return identity_intervals((statistic,), scores, left, right, draws=draws, confidence=confidence, seed=seed)[0]


def identity_intervals(
    statistics: Sequence[Statistic],
    scores: NDArray[Any],
    left: IntArray,
    right: IntArray,
    *,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    report: Report = lambda done, total: None,  # noqa: ARG005 - nobody watches
) -> tuple[Interval, ...]:
    """Several figures of the same trials and the same draws; see :func:`identity_interval`.

    ``report`` is told how many of the draws are done.
    """
    require(draws >= 1, "draws", "at least 1", draws)
    require(0 < confidence < 1, "confidence", "above 0 and under 1", confidence)
    people, codes = np.unique(np.concatenate([left, right]), return_inverse=True)
    if len(people) < 2:
        raise InputError(f"An interval over identities needs at least 2. There are {len(people)}.")
    scores = np.asarray(scores, np.float64)
    target = np.asarray(left) == np.asarray(right)
    whole = rates_of(scores, target)
    order = np.argsort(-scores, kind="stable")
    sides = codes[: len(scores)][order], codes[len(scores) :][order]
    drawn = np.empty((draws, len(statistics)))
    for draw in range(draws):
        weights = identity_weights(len(people), *sides, draw, seed=seed)
        drawn[draw] = _figures(statistics, scores[order], target[order], weights)
        report(draw + 1, draws)
    return tuple(_interval(one(whole), drawn[:, place], confidence) for place, one in enumerate(statistics))


def _interval(value: float, drawn: NDArray[np.float64], confidence: float) -> Interval:
    return Interval(float(value), *percentiles(drawn, confidence), int((~np.isnan(drawn)).sum()))


def identity_weights(people: int, left: IntArray, right: IntArray, draw: int, *, seed: int = 0) -> Weights:
    """How often each trial counts when ``people`` identities are drawn anew with replacement, shape ``(n,)``.

    >>> identity_weights(2, np.array([0, 0, 1]), np.array([0, 1, 1]), draw=0, seed=5).tolist()
    [1.0, 1.0, 1.0]
    """
    times = redrawn(seed, draw, people).astype(np.float64)
    return np.where(left == right, times[left], times[left] * times[right])


def _figures(
    statistics: Sequence[Statistic], scores: NDArray[np.float64], target: BoolArray, weights: Weights
) -> list[float]:
    if not (weights[target].any() and weights[~target].any()):
        return [float("nan")] * len(statistics)
    curve = in_order(scores, target, weights)
    return [float(one(curve)) for one in statistics]
