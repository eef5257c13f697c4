"""Random items for the places that a mining left empty: a training set in use cannot lose rows."""

from __future__ import annotations

import numpy as np

from hardneg import random
from hardneg.errors import InputError
from hardneg.positives import Positives
from hardneg.ragged import IntArray, Ragged

__all__ = ["filled"]

_TRIES = 16


def filled(rows: IntArray, positives: Positives, used: IntArray, seed: int, number: int) -> tuple[IntArray, int]:
    """The same item rows with random items in the places that are -1, and how many these were.

    No item is drawn that the anchor may not have: its positives, itself, what is ignored or barred, what shares its
    class. An anchor has an item twice only where too few are admissible.

    Args:
        rows: item rows of each anchor, shape ``(anchors, n)``, -1 for an empty place.
        positives: who is positive for whom.
        used: the anchors that training uses; others stay as they are.
        seed: what is drawn depends on it, on the ids and on
        number: which mining it is.

    Raises InputError, naming it, for an anchor that may have no item at all.
    """
    out = rows.copy()
    empty = np.zeros(len(rows), bool)
    empty[used] = True
    anchor, place = np.nonzero((out < 0) & empty[:, None])
    many, count = len(anchor), len(positives.items)
    for attempt in range(_TRIES):
        if not len(anchor):
            return out, many
        keys = positives.anchors.keys[anchor]
        draw = random.uniform(seed, np.array(number), np.array(attempt), keys, place)
        item = np.minimum((draw * count).astype(np.int64), count - 1)
        good = ~_ruled_out(positives, anchor, item) & ~(out[anchor] == item[:, None]).any(axis=1)
        order = np.flatnonzero(good)
        first = np.unique(anchor[order] * count + item[order], return_index=True)[1]  # two places, one draw
        order = order[first]
        out[anchor[order], place[order]] = item[order]
        left = out[anchor, place] < 0
        anchor, place = anchor[left], place[left]
    for one in np.unique(anchor):
        free = np.flatnonzero(out[one] < 0)
        out[one, free] = _admissible(positives, int(one), out[one], len(free), seed)
    return out, many


def _ruled_out(positives: Positives, anchors: IntArray, items: IntArray) -> np.ndarray:
    unique, row = np.unique(anchors, return_inverse=True)
    listed: Ragged = positives.excluded(unique)
    return listed.contains(row, items) | positives.forbids(anchors, items) | positives.barred[items]


def _admissible(positives: Positives, anchor: int, has: IntArray, count: int, seed: int) -> IntArray:
    """Any items that one anchor may have, those it has not yet first: for anchors that may have few."""
    items = np.arange(len(positives.items))
    free = items[~_ruled_out(positives, np.full(len(items), anchor), items)]
    if not len(free):
        name = positives.anchors.ids[anchor].as_py()
        raise InputError(f"No item can be a negative of the anchor '{name}'.", remedy="Leave it out, or add items.")
    keys = random.uniform(seed, positives.anchors.keys[[anchor]], positives.items.keys[free])
    return np.resize(free[np.lexsort((keys, np.isin(free, has)))], count)
