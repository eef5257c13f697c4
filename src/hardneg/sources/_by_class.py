"""What sources share that know a list of items for each class: from lists by class to candidates by anchor."""

from __future__ import annotations

import numpy as np

from hardneg.classes import Classes
from hardneg.positives import Positives
from hardneg.ragged import IntArray, Ragged, expand, places
from hardneg.similarity import FloatArray
from hardneg.sources._base import Propose, ranked_rows
from hardneg.table import Rows

__all__ = ["by_class", "once"]


def by_class(positives: Positives, classes: Classes, lists: Ragged, scores: FloatArray, k: int) -> Propose:
    """Propose for each anchor the ``k`` items of highest score that are listed for one of its classes.

    Args:
        positives: what an anchor may not have.
        classes: the classes of the anchors.
        lists: for each class its items, each once.
        scores: of each listed item, shape ``(len(lists.values),)``.
        k: at most this many for an anchor.
    """

    def propose(anchors: IntArray) -> Rows:
        mine = Ragged.from_codes(classes.anchors.take(anchors))
        lengths = lists.lengths()[mine.values]
        which = expand(lists.offsets[:-1][mine.values], lengths)
        at, items, points = np.repeat(mine.rows(), lengths), lists.values[which], scores[which]
        fit = ~positives.forbids(anchors[at], items) & ~positives.excluded(anchors).contains(at, items)
        at, items, points = once(at[fit], items[fit], points[fit])
        order = np.lexsort((items, -points, at))
        at, items, points = at[order], items[order], points[order]
        ranks = places(np.bincount(at, minlength=len(anchors)))
        first = ranks < k
        chosen = Ragged.from_lengths(np.bincount(at[first], minlength=len(anchors)), items[first])
        return ranked_rows(anchors, chosen, points[first], ranks[first])

    return propose


def once(rows: IntArray, items: IntArray, scores: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Each (row, item) once, with its highest score, by row and item."""
    order = np.lexsort((-scores, items, rows))
    rows, items, scores = rows[order], items[order], scores[order]
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (rows[1:] != rows[:-1]) | (items[1:] != items[:-1])
    return rows[fresh], items[fresh], scores[fresh]
