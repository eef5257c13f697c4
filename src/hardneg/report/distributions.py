"""How positives, negatives, suspects and dropped score, on one axis."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hardneg.report.facts import Facts, State
from hardneg.report.numbers import axis_ticks, count, median, number
from hardneg.similarity import FloatArray

__all__ = ["BINS", "Distributions", "Row", "distributions", "score_range"]

BINS = 48


@dataclass(frozen=True)
class Row:
    """One group: its counts by bin, and for drawing the height of each bin in percent of its highest."""

    kind: str
    name: str
    total: int
    median: float
    median_at: float
    counts: list[int]
    heights: list[float]


@dataclass(frozen=True)
class Distributions:
    """All groups over the same bins; ``ticks`` are (place in percent, label)."""

    rows: list[Row]
    edges: list[float]
    ticks: list[tuple[float, str]]
    bins: list[tuple[float, float, str]]  # (start, width, what a reader sees when pointing at it)


def score_range(facts: Facts) -> tuple[float, float]:
    """The lowest and the highest score of any candidate or positive; never an empty range."""
    both = np.concatenate([facts.score, facts.run.positive_scores])
    both = both[np.isfinite(both)]
    if not len(both):
        return 0.0, 1.0
    low, high = float(both.min()), float(both.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def distributions(facts: Facts) -> Distributions:
    """Histograms of the scores of each group, with medians."""
    low, high = score_range(facts)
    edges = np.linspace(low, high, BINS + 1)
    groups: list[tuple[str, str, FloatArray]] = [
        ("positive", "Positives", facts.run.positive_scores),
        ("sampled", "Negatives", facts.of(State.SAMPLED)),
        ("kept", "Kept, not sampled", facts.of(State.KEPT)),
        ("suspect", "Suspects", facts.of(State.SUSPECT)),
        ("dropped", "Dropped", facts.of(State.DROPPED)),
    ]

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 3)

    rows = []
    for kind, name, scores in groups:
        counts = np.histogram(scores[np.isfinite(scores)], edges)[0]
        heights = np.round(100 * counts / max(1, counts.max()), 2).tolist()
        middle = median(scores)
        at = place(middle) if len(scores) else -1.0
        rows.append(Row(kind, name, len(scores), middle, at, counts.tolist(), heights))
    ticks = [(place(one), f"{one:g}".replace("-", "−")) for one in axis_ticks(low, high)]
    bins = [
        (place(start), round(100 / BINS, 4), _words(start, end, [(row.name, row.counts[at]) for row in rows]))
        for at, (start, end) in enumerate(pairwise(edges.tolist()))
    ]
    return Distributions(rows, edges.tolist(), ticks, bins)


def _words(start: float, end: float, counts: list[tuple[str, int]]) -> str:
    found = " · ".join(f"{name} {count(n)}" for name, n in counts if n)
    return f"Score {number(start)} to {number(end)}: {found or 'none'}"
