"""From what a first pass hands on to the few that may be among the best, by full products in float32."""

from __future__ import annotations

import numpy as np

from hardneg.parallel import each
from hardneg.ragged import BoolArray, IntArray
from hardneg.search._blocks import Sides

__all__ = ["narrowed"]

_NUMBERS = 2**23  # of the items that one thread works on at a time


def narrowed(sides: Sides, rows: IntArray, at: IntArray, items: IntArray, depth: int) -> BoolArray:
    """Which pairs (of an anchor ``rows[at[i]]`` and an item, sorted by anchor) may be among the ``depth`` best.

    All within the rounding bound of the depth-th best product stay, so that exact scores, which cost more, are worked
    out for hardly more than are wanted and decide all the same.
    """
    lengths = np.bincount(at, minlength=len(rows))
    starts = np.cumsum(lengths) - lengths
    keep = np.ones(len(at), bool)
    size = max(1, _NUMBERS // (int(lengths.max(initial=1)) * sides.items.shape[1]))

    def narrow(first: int) -> None:
        begins, counts = starts[first : first + size, None], lengths[first : first + size, None]
        most = int(counts.max(initial=0))
        if most <= depth:
            return
        # One row an anchor, as wide as the longest; a shorter one has its last item again, which counts for nothing.
        columns = np.arange(most)
        pairs = np.minimum(begins + columns, len(at) - 1)
        real = columns < counts
        mine = items[pairs].ravel()
        left = sides.left(rows[first : first + size])
        products = (sides.right(mine).reshape(*pairs.shape, -1) @ left[:, :, None])[:, :, 0]
        if (less := sides.half_squares(mine)) is not None:
            products -= less.reshape(pairs.shape)
        products[~real] = -np.inf
        last = np.partition(products, most - depth, axis=1)[:, most - depth]
        keep[pairs[real]] = (products >= (last - sides.bound(left))[:, None])[real]

    each(narrow, range(0, len(rows), size))
    return keep
