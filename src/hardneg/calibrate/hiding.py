"""Known positives hidden one at a time: each as the candidate it would be, had nobody written it down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["hidden_positives"]

Figures = NDArray[np.float64]


def hidden_positives(positive: Ragged, scores: FloatArray, candidates: Rows) -> Rows:
    """Each known positive as a row of candidates, all other positives of its anchor in their places.

    One row for each value of ``positive``, in its order, with the columns that filters read, worked out as if this pair
    alone were unknown: ``score``; ``rank``, its place by score among the anchor's candidates and positives;
    ``positive_min``, ``positive_max`` and ``positive_mean`` of the anchor's other positives, NaN where it has no other;
    and ``proposed``, whether it scores at least as high as the anchor's last candidate, so that the source would have
    found it. Only what would be proposed can become a false negative, and only an anchor with another positive can be
    judged as it would be: these two are what estimates should be made of.

    Needs no vectors, so it serves a finished run as well: ``hidden_positives(run.positives.positive,
    run.positive_scores, rows)``. That any of the unknown positives is like the known ones is an assumption.

    Args:
        positive: the known positives of each anchor.
        scores: the primary similarity of each, in the order of ``positive.values``.
        candidates: with the column ``score``; of some or all anchors, in any order.

    >>> known = Ragged.from_lists([[0, 1], [2]])
    >>> found = Rows(np.array([0, 0]), np.array([3, 4]), {"score": np.array([0.75, 0.25], np.float32)})
    >>> hidden = hidden_positives(known, np.array([0.5, 1.0, 0.5], np.float32), found)
    >>> hidden["rank"].tolist(), hidden["positive_max"].tolist(), hidden["proposed"].tolist()
    ([2, 0, 0], [1.0, 0.5, nan], [True, True, False])
    """
    anchor, item, score = positive.rows(), positive.values, np.asarray(scores, np.float32)
    least = np.full(len(positive), np.inf, np.float32)
    np.minimum.at(least, candidates.anchor, candidates["score"])
    return Rows(
        anchor,
        item,
        {
            "score": score,
            "rank": _ranks(anchor, item, score, candidates),
            "proposed": score >= least[anchor],
            **_of_others(positive, score.astype(np.float64)),
        },
    )


def _ranks(anchor: IntArray, item: IntArray, score: FloatArray, candidates: Rows) -> NDArray[np.int32]:
    """The raw rank of each positive among the positives and candidates of its anchor; ties in the order of the items.

    Raw ranks count what else is ruled out for an anchor, such as itself: how much of that is above, the rank of the
    candidate before says, or of the first one.
    """
    n = len(anchor)
    anchors = np.concatenate([anchor, candidates.anchor])
    items, scores = np.concatenate([item, candidates.item]), np.concatenate([score, candidates["score"]])
    order = np.lexsort((items, -scores, anchors))
    first = np.searchsorted(anchors[order], anchors[order])  # where the rows of each one's anchor begin
    place = np.arange(len(order)) - first
    if "rank" not in candidates.columns or not len(candidates):
        more = np.zeros(len(order), np.int64)
    else:
        at = np.flatnonzero((order >= n) & (np.concatenate([np.full(n, -1), candidates["rank"]])[order] >= 0))
        gap = np.maximum(candidates["rank"][order[at] - n] - place[at], 0)
        before = np.searchsorted(at, np.arange(len(order)), side="right") - 1
        own = (before >= 0) & (at[np.maximum(before, 0)] >= first) if len(at) else np.zeros(len(order), bool)
        near = np.where(own, before, before + 1)
        there = near < len(at)
        near = np.minimum(near, max(len(at) - 1, 0))
        there &= anchors[order][at[near]] == anchors[order] if len(at) else False
        more = np.where(there, gap[near], 0) if len(at) else np.zeros(len(order), np.int64)
    out = np.empty(len(order), np.int32)
    out[order] = place + more
    return out[:n]


def _of_others(positive: Ragged, score: Figures) -> dict[str, FloatArray]:
    """The lowest, highest and mean score of each anchor's positives without the one of the row."""
    rows, lengths = positive.rows(), positive.lengths()
    others = (lengths - 1)[rows]
    order = np.lexsort((score, rows))  # rising in each row
    start = positive.offsets[:-1][rows]
    last = positive.offsets[1:][rows] - 1
    rising, many = score[order], others > 0
    second, before = np.minimum(start + 1, last), np.maximum(last - 1, start)
    low = np.where(score > rising[start], rising[start], rising[second])
    high = np.where(score < rising[last], rising[last], rising[before])
    sums = np.zeros(len(positive))
    np.add.at(sums, rows, score)
    mean = (sums[rows] - score) / np.maximum(others, 1)
    found = {"positive_min": low, "positive_max": high, "positive_mean": mean}
    return {name: np.where(many, values, np.nan).astype(np.float32) for name, values in found.items()}
