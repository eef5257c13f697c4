"""From a probability to a promise: which share of the mined will be false negatives if all below a threshold pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import BoolArray, IntArray
from hardneg.similarity import FloatArray

__all__ = ["Curve", "Pool", "curve", "thresholds", "unknown_positives"]

Figures = NDArray[np.float64]
_Z = 1.6449  # the 95% quantile of the normal distribution
_STEPS = 100


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates and hidden positives of some anchors with the figure that tells them apart, sorted by anchor.

    Args:
        anchor: shape ``(n,)``.
        score: the primary similarity: the hardest that pass are mined.
        figure: higher is more likely a positive, from models that had not seen the anchor.
        hidden: which are hidden positives; the others are candidates that nobody has judged.
        group: unknown positives of each group are like the hidden ones of the same, numbers from 0.
        unit: what is drawn as a whole by the chance that hid something, if that is not the anchor.
        counted: the rows of anchors that the figures are about, all if not given. Other anchors lend their hidden
            positives: how hard these would be mined takes their candidates, which do not count otherwise.
    """

    anchor: IntArray
    score: FloatArray
    figure: Figures
    hidden: BoolArray
    group: IntArray
    unit: IntArray | None = None
    counted: BoolArray | None = None

    @property
    def candidates(self) -> BoolArray:
        """The candidates that count."""
        return np.asarray(~self.hidden if self.counted is None else ~self.hidden & self.counted)


@dataclass(frozen=True, eq=False)
class Curve:
    """What a threshold leads to: all that is below ``figure[i]`` passes. Figures rise.

    ``share`` is the estimated share of false negatives among the mined and ``bound`` one that it exceeds with a
    probability of 5% at most; neither falls. ``hardness`` is the mean score of the mined, ``mined`` how many they are.
    """

    figure: Figures
    share: Figures
    bound: Figures
    hardness: Figures
    mined: IntArray

    def rate(self, figure: Figures, *, promised: bool) -> FloatArray:
        """The lowest rate under which each candidate passes: that of the first threshold above its figure."""
        rates = np.append(self.bound if promised else self.share, 1.0)  # no rate that may be asked for is as high
        return rates[np.searchsorted(self.figure, figure, side="right")].astype(np.float32)


def unknown_positives(pool: Pool, group: int) -> tuple[float, float]:
    """At most how many of a group's candidates are positives: an estimate, and an upper bound of 95%.

    All unknown positives above a figure are among the candidates above it, and of the hidden ones a share is found
    there; so there are at most the number of these candidates divided by that share, for any figure (Blanchard, Lee &
    Scott 2010, JMLR 11; the denominator is the trick of Elkan & Noto 2008). The least counts over figures that most
    hidden ones exceed: far up, slight differences between known and unknown positives would decide. The bound takes the
    lower limit of the share. Where the evidence is weak both are far too high, which is the safe side.
    """
    mine = pool.group == group
    hidden, others = np.sort(pool.figure[mine & pool.hidden]), np.sort(pool.figure[mine & pool.candidates])
    if len(others) == 0:
        return 0.0, 0.0
    if len(hidden) == 0:
        return float(len(others)), float(len(others))
    cuts = np.quantile(hidden, np.linspace(0.05, 0.3, 6))
    above = len(others) - np.searchsorted(others, cuts, side="left")
    found = 1 - np.searchsorted(hidden, cuts, side="left") / len(hidden)
    least = wilson(found, len(hidden) / _spread(pool, mine & pool.hidden), lower=True)
    most = above + _Z**2 / 2 + _Z * np.sqrt(above + _Z**2 / 4)  # of a Poisson number, by its score; of none 2.7
    return float((above / found).min()), float((most / np.maximum(least, 1e-9)).min())


def curve(
    pool: Pool, wanted: int, unknown: Callable[[int], tuple[float, float]] | None = None, cuts: Figures | None = None
) -> Curve:
    """What each threshold leads to, where each anchor gets the ``wanted`` hardest that pass.

    A hidden positive would be mined if it passes and is among the hardest that do. The share of the hidden ones that
    would, times the number of unknown ones, is how many false negatives to expect; of the bound both are upper limits
    of 95%, with room for chance in what happens to be mined. Thresholds are looked at from the strictest on, and shares
    are made not to fall, so that the first that breaks a promise ends it (fixed-sequence testing: Angelopoulos et al.
    2021, arXiv 2110.01052). Anchors count as wholes: what their hidden positives have in common widens the bound.

    Holds if unknown positives are like the hidden ones of their group (exchangeability).

    Args:
        pool: what is known.
        wanted: negatives an anchor is to get.
        unknown: how many positives of a group are unknown, an estimate and a bound; from the pool if not given.
        cuts: the thresholds, rising; :func:`thresholds` if not given.
    """
    groups = np.unique(pool.group)
    told = {int(one): (unknown or (lambda g: unknown_positives(pool, g)))(int(one)) for one in groups}
    ladder = _Ladder.of(pool, wanted)
    cuts = thresholds(pool) if cuts is None else cuts
    spread = {g: _spread(pool, pool.hidden & (pool.group == g)) for g in told}
    rows = []
    for cut in cuts:
        mined, taken = ladder.mined(cut)
        mined &= pool.candidates
        expected, high, noise = 0.0, 0.0, 0.0
        for group, (likely, most) in told.items():
            mine = pool.hidden & (pool.group == group)
            many = int(mine.sum())
            through = float(taken[mine].mean()) if many else 1.0
            limit = float(wilson(np.array(through), many / spread[group])) if many else 1.0
            expected += likely * through
            high += most * limit
            noise += spread[group] * most * limit
        room = float(np.sqrt((high - expected) ** 2 + _Z**2 * noise)) if high > 0 else 0.0
        count = int(mined.sum())
        rows.append((expected / max(count, 1), (expected + room) / max(count, 1), _mean(pool.score[mined]), count))
    share, bound, hardness, count = np.array(rows).T
    rising = np.maximum.accumulate
    return Curve(cuts, rising(np.minimum(share, 1)), rising(np.minimum(bound, 1)), hardness, count.astype(np.int64))


def thresholds(pool: Pool, which: BoolArray | None = None) -> Figures:
    """Quantiles of the candidates' figures, and what all figures are below; of some of the rows where given."""
    here = np.ones(len(pool.figure), bool) if which is None else which
    shares = np.concatenate([np.linspace(0.02, 0.8, _STEPS // 4), np.linspace(0.8, 1, _STEPS)])
    some = pool.figure[here & pool.candidates]
    cuts = np.unique(np.quantile(some, shares)) if len(some) else some
    return np.append(cuts, np.nextafter(pool.figure[here].max(), np.inf))


def wilson(share: Figures, many: float, *, lower: bool = False) -> Figures:
    """The 95% limit of a share of ``many``, on one side (Wilson 1927).

    >>> wilson(np.array(0.0), 100).round(3), wilson(np.array(1.0), 100, lower=True).round(3)
    (np.float64(0.026), np.float64(0.974))
    """
    side = -1 if lower else 1
    middle = share + _Z**2 / (2 * many)
    half = _Z * np.sqrt(np.maximum(share * (1 - share), 0) / many + _Z**2 / (4 * many**2))
    return np.asarray((middle + side * half) / (1 + _Z**2 / many))


@dataclass(frozen=True, eq=False)
class _Ladder:
    """A pool with its rows by anchor, hardest first, so that many thresholds are looked at quickly."""

    pool: Pool
    order: IntArray
    first: IntArray  # for each row in that order, where its anchor begins
    wanted: int

    @classmethod
    def of(cls, pool: Pool, wanted: int) -> _Ladder:
        order = np.lexsort((~pool.hidden, -pool.score, pool.anchor))  # of equal scores a hidden one comes first
        anchor = pool.anchor[order]
        return cls(pool, order, np.searchsorted(anchor, anchor), wanted)

    def mined(self, cut: float) -> tuple[BoolArray, BoolArray]:
        """Which candidates are mined below a threshold, and which rows are, or would be if they were unknown."""
        passes = self.pool.figure[self.order] < cut
        candidate = passes & ~self.pool.hidden[self.order]
        before: IntArray = np.cumsum(candidate) - candidate
        taken = passes & (before - before[self.first] < self.wanted) if len(before) else passes
        out, would = np.zeros(len(passes), bool), np.zeros(len(passes), bool)
        out[self.order] = taken & candidate
        would[self.order] = taken
        return out, would


def _spread(pool: Pool, which: BoolArray) -> float:
    """How much more the rows of one unit have in common than chance: the variance of its mean figure, relative.

    Kish's design effect 1 + (m - 1) rho, with the intraclass correlation of the ranks of the figures.
    """
    rows = np.flatnonzero(which)
    if len(rows) < 3:
        return 1.0
    rank = np.argsort(np.argsort(pool.figure[rows], kind="stable"), kind="stable").astype(np.float64)
    rank = (rank - rank.mean()) / max(rank.std(), 1e-9)
    unit = pool.anchor if pool.unit is None else pool.unit
    _, at, many = np.unique(unit[rows], return_inverse=True, return_counts=True)
    pairs = (np.bincount(at, rank) ** 2 - np.bincount(at, rank**2)).sum()
    of = (many * (many - 1)).sum()
    rho = max(0.0, float(pairs / of)) if of else 0.0
    return float(1 + max(0.0, float((many**2).sum() / len(rows)) - 1) * rho)


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else float("nan")
