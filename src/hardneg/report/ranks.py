"""Hardness by rank: how fast scores fall, and where the suspects crowd."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hardneg.ragged import IntArray
from hardneg.report.facts import Facts, State
from hardneg.report.numbers import axis_ticks, median, number, plural, share
from hardneg.table import Array

__all__ = ["Bucket", "Ranks", "rank_edges", "ranks"]

_BUCKETS = 16


@dataclass(frozen=True)
class Bucket:
    """The candidates of some neighbouring ranks. Places are in percent from the left and from the top."""

    label: str
    total: int
    low: float  # the 10th percentile of the scores
    median: float
    high: float  # the 90th percentile
    suspects: int
    sampled: int
    x: float
    width: float
    y_low: float
    y_median: float
    y_high: float
    words: str


@dataclass(frozen=True)
class Ranks:
    """All buckets; ``positive`` is the median over the anchors of their reference positive's score."""

    buckets: list[Bucket]
    positive: float
    y_positive: float
    ticks: list[tuple[float, str]]
    most_suspects: float  # the largest share of suspects, in percent


def rank_edges(last: int) -> IntArray:
    """Where buckets begin and end: single ranks at first, then ever wider ones.

    >>> rank_edges(3).tolist(), rank_edges(99).tolist()[:8]
    ([0, 1, 2, 3, 4], [0, 1, 2, 3, 5, 7, 9, 12])
    """
    if last < _BUCKETS:
        return np.arange(last + 2)
    return np.unique(np.round(np.geomspace(1, last + 2, _BUCKETS + 1)).astype(np.int64)) - 1


def ranks(facts: Facts) -> Ranks | None:
    """Score quantiles and shares by raw rank; None where no candidate has a rank."""
    fit = (facts.rank >= 0) & np.isfinite(facts.score)
    if not fit.any():
        return None
    rank, score, state = facts.rank[fit], facts.score[fit], facts.state[fit]
    edges = rank_edges(int(rank.max()))
    bucket = np.searchsorted(edges, rank, side="right") - 1
    order = np.argsort(bucket, kind="stable")
    groups = np.split(order, np.searchsorted(bucket[order], np.arange(1, len(edges) - 1)))
    quantiles = [np.quantile(score[one], (0.1, 0.5, 0.9)) if len(one) else np.full(3, np.nan) for one in groups]
    _, first = np.unique(facts.anchor, return_index=True)
    positive = median(facts.positive_score[first])
    scale = _Scale.around(np.array([*np.concatenate(quantiles), positive]))
    width = 100 / len(groups)
    buckets = [
        _bucket(cut, state[rows], quantiles[at].tolist(), scale, (at * width, width))
        for at, (rows, cut) in enumerate(zip(groups, pairwise(edges.tolist()), strict=True))
        if len(rows)
    ]
    most = max(100 * one.suspects / one.total for one in buckets)
    return Ranks(buckets, positive, scale.y(positive), scale.ticks(), most)


@dataclass(frozen=True)
class _Scale:
    """The vertical axis: a little more than what there is to draw."""

    bottom: float
    top: float

    @classmethod
    def around(cls, values: Array) -> _Scale:
        top, bottom = float(np.nanmax(values)), float(np.nanmin(values))
        pad = 0.06 * (top - bottom) or 0.5
        return cls(bottom - pad, top + pad)

    def y(self, value: float) -> float:
        return round(100 * (self.top - value) / (self.top - self.bottom), 3)

    def ticks(self) -> list[tuple[float, str]]:
        return [(self.y(one), f"{one:g}".replace("-", "−")) for one in axis_ticks(self.bottom, self.top, 5)]


def _bucket(
    cut: tuple[int, int], state: Array, quantiles: list[float], scale: _Scale, place: tuple[float, float]
) -> Bucket:
    low, middle, high = quantiles
    total = len(state)
    suspects, sampled = (int((state == one).sum()) for one in (State.SUSPECT, State.SAMPLED))
    label = str(cut[0]) if cut[1] - cut[0] == 1 else f"{cut[0]}–{cut[1] - 1}"
    words = (
        f"Rank {label}: {plural(total, 'candidate')}, median {number(middle)}, 80% of them from {number(low)} "
        f"to {number(high)}; {share(suspects, total)} suspect, {share(sampled, total)} sampled"
    )
    x, width = (round(one, 3) for one in place)
    heights = (scale.y(low), scale.y(middle), scale.y(high))
    return Bucket(label, total, low, middle, high, suspects, sampled, x, width, *heights, words)
