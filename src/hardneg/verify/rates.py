"""False accepts and false rejects at every threshold, from the scores of target and impostor trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.ragged import BoolArray

__all__ = ["Rates", "Weights", "error_rates", "rates_of"]

Weights = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rates:
    """The error rates of a verifier that accepts a trial whose score is at least the threshold.

    One row for each distinct score, falling, after a first row at infinity where nothing is accepted. Trials of equal
    score are accepted together, so ties are exact: no order among them is made up.

    Args:
        thresholds: shape ``(t,)``, from infinity down to the lowest score.
        false_accept: the share of impostors accepted (FAR), rising from 0 to 1.
        false_reject: the share of targets rejected (FRR, miss rate), falling from 1 to 0.
        targets: how many target trials there are, or the sum of their weights.
        impostors: the same of the impostors.
    """

    thresholds: NDArray[np.float64]
    false_accept: NDArray[np.float64]
    false_reject: NDArray[np.float64]
    targets: float
    impostors: float


def error_rates(targets: NDArray[Any], impostors: NDArray[Any]) -> Rates:
    """The rates of target trials (same identity) and impostor trials (different ones); higher scores are more alike.

    Raises InputError without a target, without an impostor or with a score that is NaN.

    >>> curve = error_rates(np.array([0.9, 0.5]), np.array([0.5, 0.1]))
    >>> curve.thresholds.tolist(), curve.false_accept.tolist(), curve.false_reject.tolist()
    ([inf, 0.9, 0.5, 0.1], [0.0, 0.0, 0.5, 1.0], [1.0, 0.5, 0.0, 0.0])
    """
    scores = np.concatenate([np.asarray(targets, np.float64).ravel(), np.asarray(impostors, np.float64).ravel()])
    return rates_of(scores, np.arange(len(scores)) < np.size(targets))


def rates_of(scores: NDArray[Any], target: BoolArray, weights: Weights | None = None) -> Rates:
    """The rates of trials of both kinds, some of which may count more than others.

    Args:
        scores: shape ``(n,)``.
        target: which trials are of one identity, shape ``(n,)``.
        weights: how much each trial counts, shape ``(n,)``, none below 0; 1 if not given.

    Raises InputError as :func:`error_rates`.

    >>> rates_of(np.array([0.9, 0.5, 0.1]), np.array([True, False, False]), np.array([1.0, 3.0, 1.0])).false_accept[2]
    np.float64(0.75)
    """
    scores = np.asarray(scores, np.float64)
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    if not len(scores) == len(target) == len(weights):
        raise InputError(f"There are {len(scores)} scores, {len(target)} kinds and {len(weights)} weights of trials.")
    if np.isnan(scores).any():
        raise InputError(
            f"{int(np.isnan(scores).sum())} of the {len(scores)} scores are NaN.",
            remedy="Score these trials again, or leave them out.",
        )
    order = np.argsort(-scores, kind="stable")
    return in_order(scores[order], np.asarray(target, bool)[order], weights[order])


def in_order(scores: NDArray[np.float64], target: BoolArray, weights: Weights) -> Rates:
    """The same of trials that stand in falling order of their scores."""
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) if len(scores) else np.zeros(0, np.int64)
    accepted = [np.append(0.0, np.cumsum(np.where(which, weights, 0))[ends]) for which in (target, ~target)]
    totals = [float(one[-1]) for one in accepted]
    for name, total in zip(("target", "impostor"), totals, strict=True):
        if not total > 0:
            raise InputError(
                f"There is no {name} trial, so nothing can be measured.",
                remedy="Give trials of one identity (targets) and of two (impostors).",
            )
    return Rates(
        np.append(np.inf, scores[ends]), accepted[1] / totals[1], 1 - accepted[0] / totals[0], totals[0], totals[1]
    )
