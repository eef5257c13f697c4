"""The figures of a verifier: EER, TAR at a FAR, minimum detection cost, the points of a DET curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.notation import require
from hardneg.verify.rates import Rates

__all__ = ["AtFar", "Cost", "Det", "at_far", "at_fars", "det", "eer", "min_dcf"]

FARS = (1e-1, 1e-2, 1e-3, 1e-4)


def eer(curve: Rates, *, method: Literal["linear", "hull"] = "linear") -> float:
    """The equal error rate: where as many targets are rejected as impostors accepted.

    The measured points are joined by straight lines and the crossing taken, ``linear``, the default. ``hull`` takes
    the lower convex hull of the points (ROCCH-EER: Brümmer & de Villiers 2013, The BOSARIS Toolkit, arXiv:1304.2865),
    which a verifier reaches that throws dice between two thresholds. It is never higher, and of few trials too good:
    the hull picks the luckiest thresholds.

    >>> from hardneg.verify.rates import error_rates
    >>> eer(error_rates(np.array([0.9, 0.8, 0.3]), np.array([0.5, 0.2, 0.1])))
    0.3333333333333333
    """
    require(method in ("linear", "hull"), "method", "linear or hull", method)
    x, y = curve.false_accept, curve.false_reject
    if method == "hull":
        keep = _hull(x, y)
        x, y = x[keep], y[keep]
    after = int(np.argmax(x >= y))  # there is one: the last point is (1, 0)
    before = after - 1
    gap_before, gap_after = y[before] - x[before], y[after] - x[after]
    part = gap_before / (gap_before - gap_after)
    return float(x[before] + part * (x[after] - x[before]))


def _hull(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[int]:
    """The points of the lower convex hull, ``x`` rising and ``y`` falling (Andrew 1979, monotone chain)."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) >= 2:
            a, b = kept[-2], kept[-1]
            if (x[b] - x[a]) * (y[i] - y[a]) - (y[b] - y[a]) * (x[i] - x[a]) > 0:
                break
            kept.pop()
        kept.append(i)
    return kept


@dataclass(frozen=True)
class AtFar:
    """What a verifier does at a false-accept rate.

    Args:
        far: the rate asked for.
        threshold: the lowest one at which no more than ``far`` of the impostors are accepted; NaN where it cannot be
            known.
        tar: the share of targets accepted there (true-accept rate, 1 - FRR); NaN likewise.
        reason: why it cannot be known, empty where it can.
    """

    far: float
    threshold: float
    tar: float
    reason: str = ""


def at_far(curve: Rates, far: float) -> AtFar:
    """The threshold and the share of targets accepted at a false-accept rate.

    Steps are not smoothed: the threshold is a score that was seen, and what it accepts is counted. With fewer than
    ``1 / far`` impostors not one may be accepted, and the rate says nothing; then both are NaN, with the reason.
    (To know a rate to within 30%, see 30 errors: Doddington et al. 2000, Speech Communication 31.)

    Raises OptionError unless 0 < far <= 1.

    >>> from hardneg.verify.rates import error_rates
    >>> curve = error_rates(np.array([0.9, 0.8, 0.3]), np.array([0.5, 0.2, 0.1, 0.0]))
    >>> at_far(curve, 0.25).threshold, at_far(curve, 0.25).tar
    (0.3, 1.0)
    >>> at_far(curve, 1e-3).reason
    'A FAR of 0.001 needs at least 1000 impostor trials. There are 4.'
    """
    require(0 < far <= 1, "far", "above 0 and at most 1", far)
    allowed = far * curve.impostors * (1 + 1e-9)  # a rate of 0.1 of 10 is one, whatever 0.1 is in binary
    if allowed < 1:
        needed = int(np.ceil(1 / far - 1e-6))
        why = f"A FAR of {far:g} needs at least {needed} impostor trials. There are {curve.impostors:g}."
        return AtFar(far, float("nan"), float("nan"), why)
    place = int(np.searchsorted(curve.false_accept * curve.impostors, allowed, side="right")) - 1
    return AtFar(far, float(curve.thresholds[place]), float(1 - curve.false_reject[place]))


def at_fars(curve: Rates, fars: Sequence[float] = FARS) -> tuple[AtFar, ...]:
    """The same for several rates, 0.1 down to 0.0001 if not given."""
    return tuple(at_far(curve, far) for far in fars)


@dataclass(frozen=True)
class Cost:
    """The least cost and the threshold it is reached at."""

    value: float
    threshold: float


def min_dcf(curve: Rates, *, p_target: float = 0.01, c_miss: float = 1, c_fa: float = 1) -> Cost:
    """The least detection cost over all thresholds, as NIST normalises it.

    ``c_miss * p_target * FRR + c_fa * (1 - p_target) * FAR``, divided by the cost of the better of accepting all and
    accepting none, so that 1 is what a verifier without ears reaches (NIST 2016 Speaker Recognition Evaluation Plan,
    section 3). Of equal costs the highest threshold is taken.

    Raises OptionError unless 0 < p_target < 1 and both costs are above 0.

    >>> from hardneg.verify.rates import error_rates
    >>> min_dcf(error_rates(np.array([0.9, 0.3]), np.array([0.5, 0.1])), p_target=0.5)
    Cost(value=0.5, threshold=0.9)
    """
    require(0 < p_target < 1, "p_target", "above 0 and under 1", p_target)
    require(c_miss > 0, "c_miss", "above 0", c_miss)
    require(c_fa > 0, "c_fa", "above 0", c_fa)
    miss, accept = c_miss * p_target, c_fa * (1 - p_target)
    costs = (miss * curve.false_reject + accept * curve.false_accept) / min(miss, accept)
    best = int(np.argmin(costs))
    return Cost(float(costs[best]), float(curve.thresholds[best]))


@dataclass(frozen=True, eq=False)
class Det:
    """The corners of a DET curve, and where they stand on its axes (the normal quantiles of the rates)."""

    thresholds: NDArray[np.float64]
    false_accept: NDArray[np.float64]
    false_reject: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def det(curve: Rates) -> Det:
    """The points of a DET curve (Martin et al. 1997, Eurospeech), without those on a straight line of two others.

    The quantile of 0 is minus infinity and that of 1 infinity: such points lie beyond the edge of a plot.

    >>> from hardneg.verify.rates import error_rates
    >>> det(error_rates(np.array([4.0, 3.0, 2.0]), np.array([1.0, 0.0]))).false_accept.tolist()
    [0.0, 0.0, 1.0]
    """
    x, y = np.diff(curve.false_accept), np.diff(curve.false_reject)
    straight = np.isclose(x[1:] * y[:-1], x[:-1] * y[1:], rtol=1e-9, atol=0)
    keep = np.concatenate([[True], ~straight, [True]])
    accept, reject = curve.false_accept[keep], curve.false_reject[keep]
    return Det(curve.thresholds[keep], accept, reject, _probit(accept), _probit(reject))


def _probit(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    quantile = NormalDist().inv_cdf
    return np.array([quantile(one) if 0 < one < 1 else (np.inf if one >= 1 else -np.inf) for one in shares.tolist()])
