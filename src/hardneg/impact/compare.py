"""Whether one arm is better than another: intervals over subjects and seeds, McNemar's test, Holm's correction.

A difference has two sources of chance: which subjects were asked (queries, items, people), and what the seed drew
(batches, random negatives). Both are drawn anew. Subjects are drawn with replacement, the same for both arms and all
seeds (paired bootstrap: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 16; over two crossed factors:
Owen 2007, Annals of Applied Statistics 1(2)). Of a handful of seeds or people a plain bootstrap is too sure of
itself; so deviations are widened to Student's quantile, as Hesterberg 2015 (arXiv:1411.5279, section 5.3) does for
small samples.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from math import comb, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.quantiles import beta_quantile, percentiles

__all__ = [
    "Difference",
    "Side",
    "difference",
    "drawn_seeds",
    "holm",
    "mcnemar",
    "spread",
    "t_quantile",
    "widening",
]

Draws = NDArray[np.float64]
_SEEDS = 0x5EED  # keeps the draws of seeds apart from those of subjects


@dataclass(frozen=True)
class Difference:
    """A difference of two arms, so that above 0 is more of the measure.

    Args:
        value: the difference of the means over seeds.
        low: the lower end of its interval.
        high: the upper end.
        p: how likely one at least as far from 0 is by chance, both sides.
        smallest: what difference would be seen four times of five (80% power) at the level of the interval.
    """

    value: float
    low: float
    high: float
    p: float
    smallest: float

    def about(self) -> dict[str, float]:
        """The same as JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Side:
    """One arm's measure: of each seed, shape ``(s,)``, and with subjects drawn anew, mean over seeds, ``(draws,)``."""

    each: Draws
    drawn: Draws


def difference(mine: Side, theirs: Side, subjects: int, *, confidence: float = 0.95, seed: int = 0) -> Difference:
    """The difference of two arms that were trained with the same seeds and asked the same subjects.

    Args:
        mine: the measure of one arm.
        theirs: that of the other, with the same seeds and the same draws.
        subjects: how many there are; of one alone nothing can be said.
        confidence: of the interval.
        seed: draws the seeds anew.
    """
    each = mine.each - theirs.each
    value = float(each.mean())
    drawn = spread(each, mine.drawn - theirs.drawn, subjects, confidence=confidence, seed=seed)
    low, high = percentiles(drawn, confidence)
    power = NormalDist().inv_cdf(0.5 + confidence / 2) + NormalDist().inv_cdf(0.8)
    known = drawn[~np.isnan(drawn)]
    return Difference(value, low, high, _p(known), power * float(known.std()) if len(known) else float("nan"))


def spread(each: Draws, drawn: Draws, subjects: int, *, confidence: float = 0.95, seed: int = 0) -> Draws:
    """Where a mean over seeds may lie, shape ``(draws,)``, as subjects and seeds are drawn anew; NaN of one subject.

    Args:
        each: the figure of each seed.
        drawn: the mean over seeds with subjects drawn anew.
        subjects: how many there are.
        confidence: the level at which few are widened.
        seed: draws the seeds.
    """
    value = float(each.mean())
    return value + widening(subjects, confidence) * (drawn - value) + drawn_seeds(each, len(drawn), confidence, seed)


def widening(n: int, confidence: float = 0.95) -> float:
    """By how much deviations of a bootstrap of ``n`` are widened: ``sqrt(n / (n - 1))`` and Student's quantile.

    >>> round(widening(5), 2), round(widening(500), 2), widening(1)
    (1.58, 1.0, nan)
    """
    if n < 2:
        return float("nan")
    share = 0.5 + confidence / 2
    return sqrt(n / (n - 1)) * t_quantile(share, n - 1) / NormalDist().inv_cdf(share)


def drawn_seeds(each: Draws, draws: int, confidence: float = 0.95, seed: int = 0) -> Draws:
    """What drawing the seeds anew adds to a mean of ``each``, shape ``(draws,)``, widened; 0 of a single seed."""
    s = len(each)
    if s < 2:
        return np.zeros(draws)
    chosen = (random.uniform(seed, np.array(_SEEDS), np.arange(draws)[:, None], np.arange(s)[None]) * s).astype(int)
    return np.asarray(widening(s, confidence) * (each - each.mean())[chosen].mean(axis=1))


def _p(drawn: Draws) -> float:
    """Twice the smaller share of the draws on a side of 0, never below what so many draws can tell."""
    n = len(drawn)
    if not n:
        return float("nan")
    fewer = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return float(min(1.0, 2 * (1 + fewer) / (n + 1)))


@cache
def t_quantile(share: float, freedom: int) -> float:
    """The quantile of Student's t, of a share of at least a half, by that of the beta distribution.

    >>> round(t_quantile(0.975, 4), 3)
    2.776
    """
    if share <= 0.5:
        return 0.0
    # t^2 / (t^2 + v) is Beta(1/2, v/2) (Abramowitz & Stegun 26.5.27).
    x = beta_quantile(2 * share - 1, 0.5, freedom / 2)
    return float(sqrt(freedom * x / (1 - x)))


def mcnemar(only_mine: int, only_theirs: int) -> float:
    """The exact p-value, both sides, that two deciders who differ this often are equally good (McNemar 1947).

    Args:
        only_mine: how many of the same subjects one of them alone decided rightly.
        only_theirs: how many the other one alone.

    >>> mcnemar(0, 5), mcnemar(3, 3)
    (0.0625, 1.0)
    """
    n, few = only_mine + only_theirs, min(only_mine, only_theirs)
    return float(min(1.0, 2 * sum(comb(n, one) for one in range(few + 1)) / 2**n))


def holm(values: list[float]) -> list[float]:
    """p-values corrected for being several, so that at most the stated share of times any is wrong (Holm 1979).

    NaN stays, and does not count.

    >>> [round(one, 3) for one in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(values, np.float64)
    order = [int(one) for one in np.argsort(p, kind="stable") if not np.isnan(p[one])]
    out: list[Any] = [float("nan")] * len(p)
    highest = 0.0
    for place, at in enumerate(order):
        highest = max(highest, min(1.0, float(p[at]) * (len(order) - place)))
        out[at] = highest
    return out
