"""Parts of recordings that share some time."""

from __future__ import annotations

import numpy as np

from hardneg.collection import Collection
from hardneg.ragged import IntArray, Ragged

__all__ = ["overlapping"]


def overlapping(items: Collection, kinds: IntArray) -> Ragged:
    """For each part of a recording those of another kind, of the same file, that share some time with it.

    Pairs of one kind are not listed: windows that slide over a recording have millions of them.

    Args:
        items: with ``audio`` and, in seconds, ``start`` and ``end``; without times a part is the whole file.
        kinds: a number for each part, shape ``(items,)``.
    """
    names = items.table.column_names
    times = [
        items.table.column(name).to_numpy().astype(np.float64) if name in names else np.full(len(items), np.nan)
        for name in ("start", "end")
    ]
    start, end = (np.where(np.isnan(one), none, one) for one, none in zip(times, (0.0, np.inf), strict=True))
    files = items.table.column("audio").combine_chunks()
    codes = files.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.lexsort((start, codes))
    left, right = [], []
    step = 1
    live = np.arange(len(order))
    while True:  # as many steps as parts lie over one another at the most, and one more
        live = live[live + step < len(order)]
        one, other = order[live], order[live + step]
        # Of parts in the order of their beginnings, those after the first that begins later all do.
        meets = (codes[one] == codes[other]) & (start[other] < end[one]) & (codes[one] >= 0)
        live = live[meets]
        if not len(live):
            break
        differ = live[kinds[order[live]] != kinds[order[live + step]]]
        left.append(order[differ])
        right.append(order[differ + step])
        step += 1
    if not left:
        return Ragged.empty(len(items))
    one, other = np.concatenate(left), np.concatenate(right)
    return Ragged.from_pairs(np.concatenate([one, other]), np.concatenate([other, one]), len(items))
