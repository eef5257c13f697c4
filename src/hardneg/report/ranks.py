"""Hardness by rank: how fast scores fall, and where the suspects crowd."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hardneg.ragged import IntArray
from hardneg.report.facts import Facts, State
from hardneg.report.numbers import axis_ticks, count, median, number, share

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
    ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 6, 8, 11])
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
    _, first = np.unique(facts.anchor, return_index=True)
    positive = median(facts.positive_score[first])
    quantiles = [np.quantile(score[one], (0.1, 0.5, 0.9)) if len(one) else np.full(3, np.nan) for one in groups]
    ends = np.array([*np.concatenate(quantiles), positive])
    top, bottom = float(np.nanmax(ends)), float(np.nanmin(ends))
    pad = 0.06 * (top - bottom) or 0.5
    top, bottom = top + pad, bottom - pad

    def y(value: float) -> float:
        return round(100 * (top - value) / (top - bottom), 3)

    buckets = []
    for at, (rows, cut) in enumerate(zip(groups, pairwise(edges.tolist()), strict=True)):
        if not len(rows):
            continue
        low, middle, high = (float(one) for one in quantiles[at])
        suspects, sampled = (int((state[rows] == one).sum()) for one in (State.SUSPECT, State.SAMPLED))
        label = str(cut[0]) if cut[1] - cut[0] == 1 else f"{cut[0]}–{cut[1] - 1}"
        words = (
            f"Rank {label}: {count(len(rows))} candidates, median {number(middle)}, 80% of them from {number(low)} "
            f"to {number(high)}; {share(suspects, len(rows))} suspect, {share(sampled, len(rows))} sampled"
        )
        width = 100 / (len(edges) - 1)
        place = (round(at * width, 3), round(width, 3), y(low), y(middle), y(high))
        buckets.append(Bucket(label, len(rows), low, middle, high, suspects, sampled, *place, words))
    ticks = [(y(one), f"{one:g}".replace("-", "−")) for one in axis_ticks(bottom, top, 5)]
    most = max(100 * one.suspects / one.total for one in buckets)
    return Ranks(buckets, positive, y(positive), ticks, most)
