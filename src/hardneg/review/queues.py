"""What to look at first: orders over all candidates, each with a reason that a reviewer can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardneg.ragged import IntArray
from hardneg.report.facts import State
from hardneg.review.desk import Desk
from hardneg.table import Array

__all__ = ["QUEUES", "Queue", "border", "doubt", "harm", "suspects"]


@dataclass(frozen=True)
class Queue:
    """A way through the candidates: its title, why one would take it, and the candidates in its order."""

    name: str
    title: str
    why: str
    rows: Callable[[Desk], IntArray]


def border(suspect: Array, gap: Array) -> float:
    """The gap at which suspects and kept are told apart best: candidates above it are rather suspect.

    A decision stump: of all thresholds the one with the fewest on the wrong side. NaN where there is only one kind.

    >>> border(np.array([True, True, False, False]), np.array([0.3, 0.1, -0.1, -0.4]))
    0.0
    """
    order = np.argsort(gap, kind="stable")
    mask, values = suspect[order], gap[order]
    if mask.all() or not mask.any():
        return float("nan")
    below = np.concatenate([[0], np.cumsum(mask)])  # suspects that a threshold before each place has under it
    above = np.concatenate([np.cumsum(~mask[::-1])[::-1], [0]])
    inside = np.concatenate([[False], values[1:] == values[:-1], [False]])  # no threshold parts what is equal
    at = int(np.argmin(np.where(inside, np.inf, below + above)))
    ends = values[max(0, at - 1)], values[min(at, len(values) - 1)]
    return float(ends[0] + ends[1]) / 2


def doubt(desk: Desk) -> IntArray:
    """The least certain first: nearest to even odds where a filter gives odds, else to where verdicts change."""
    rows = _among(desk, State.SAMPLED, State.SUSPECT, State.KEPT)
    if "positive_probability" in desk.evidence:
        return _sorted(rows, np.abs(desk.evidence["positive_probability"][rows] - 0.5))
    gap = np.nan_to_num(desk.columns["gap"][rows].astype(float), nan=-np.inf)
    edge = border(desk.facts.state[rows] == State.SUSPECT, gap)
    return _sorted(rows, -gap if np.isnan(edge) else np.abs(gap - edge))


def harm(desk: Desk) -> IntArray:
    """The negatives whose item serves most often, the hardest of each first: a mistake there is made many times."""
    rows = _among(desk, State.SAMPLED)
    return _sorted(rows, -desk.facts.score[rows], -desk.mined[desk.facts.item[rows]])


def suspects(desk: Desk) -> IntArray:
    """The suspects, those that score highest first: what they cost, and which positives are missing."""
    rows = _among(desk, State.SUSPECT)
    return _sorted(rows, -desk.facts.score[rows])


def _everything(desk: Desk) -> IntArray:
    return np.arange(len(desk))


QUEUES = {
    one.name: one
    for one in (
        Queue("doubt", "Greatest doubt", "where an answer says most", doubt),
        Queue("harm", "Greatest harm", "negatives whose item was mined most often", harm),
        Queue("suspects", "Suspects", "likely positives that were set aside", suspects),
        Queue("all", "All candidates", "in the order of the run", _everything),
    )
}


def _among(desk: Desk, *states: State) -> IntArray:
    return np.flatnonzero(np.isin(desk.facts.state, states) & desk.open)


def _sorted(rows: IntArray, *keys: Array) -> IntArray:
    """Rows by keys, the last one first as ``np.lexsort`` has it; NaN and ties by number."""
    return np.asarray(rows[np.lexsort((rows, *keys))])
