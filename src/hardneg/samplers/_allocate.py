"""Who gets which negatives, when anchors have quotas and items have caps.

Anchors propose to items in the order of their preference; an item that gets more proposals than it may serve holds
the hardest and sends the others on to their next choice, until nobody is sent on. This is deferred acceptance
(Gale and Shapley 1962) with a count on both sides: the result does not depend on the order of the work.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray
from hardneg.samplers._base import Preference, place_within
from hardneg.table import Array, Rows

__all__ = ["allocate", "greedy"]

Mask = NDArray[np.bool_]


def greedy(anchor: IntArray, n: IntArray, kinds: list[tuple[Array, Array]], free: Mask) -> Mask:
    """For each anchor its first ``n[anchor]`` free rows that every quota still has room for.

    Rows are sorted by anchor and preference. All anchors advance together, one row each, so the loop runs as often
    as the longest list is long.
    """
    chosen = np.zeros(len(anchor), bool)
    rows = np.flatnonzero(free)
    if not len(rows):
        return chosen
    place = place_within(anchor[rows])
    by_place = rows[np.argsort(place, kind="stable")]
    ends = np.cumsum(np.bincount(place))
    _, owner = np.unique(anchor, return_inverse=True)
    left = n[anchor[np.searchsorted(owner, np.arange(owner[-1] + 1))]].copy()
    room = [np.tile(limits, (len(left), 1)) for _, limits in kinds]
    for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
        now = by_place[start:end]
        who = owner[now]
        fits = left[who] > 0
        for (kind, _), have in zip(kinds, room, strict=True):
            fits &= have[who, kind[now]] > 0
        now, who = now[fits], who[fits]
        chosen[now] = True
        left[who] -= 1
        for (kind, _), have in zip(kinds, room, strict=True):
            have[who, kind[now]] -= 1
    return chosen


def allocate(
    rows: Rows, preference: Preference, n: IntArray, kinds: list[tuple[Array, Array]], room: IntArray | None
) -> Mask:
    """Choose rows: at most ``n[anchor]`` an anchor, within its quotas, and at most ``room[item]`` an item.

    Returns a mask in the order of ``rows``.
    """
    order = np.lexsort((np.arange(len(rows)), -preference, rows.anchor))
    anchor, item, score = rows.anchor[order], rows.item[order], rows["score"][order]
    sorted_kinds = [(kind[order], limits) for kind, limits in kinds]
    free = np.isfinite(preference[order])
    while True:
        chosen = greedy(anchor, n, sorted_kinds, free)
        if room is None:
            break
        refused = _refused(np.flatnonzero(chosen), anchor, item, score, room)
        if not len(refused):
            break
        free[refused] = False
    out = np.zeros(len(rows), bool)
    out[order] = chosen
    return out


def _refused(chosen: IntArray, anchor: IntArray, item: IntArray, score: Array, room: IntArray) -> IntArray:
    """The proposals beyond an item's cap: all but the hardest; ties go to the earlier anchor."""
    order = chosen[np.lexsort((anchor[chosen], -score[chosen], item[chosen]))]
    return order[place_within(item[order]) >= room[item[order]]]
