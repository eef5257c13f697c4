"""From what a first pass hands on to the few that may be among the best, by full products in float32."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hardneg.parallel import each
from hardneg.ragged import BoolArray, IntArray
from hardneg.search._blocks import Sides

__all__ = ["narrowed"]

_ANCHORS = 64  # that one thread works on at a time


def narrowed(sides: Sides, rows: IntArray, at: IntArray, items: IntArray, depth: int) -> BoolArray:
    """Which pairs (of an anchor ``rows[at[i]]`` and an item, sorted by anchor) may be among the ``depth`` best.

    All within the rounding bound of the depth-th best product stay, so that exact scores, which cost more, are worked
    out for hardly more than are wanted and decide all the same.
    """
    starts = np.searchsorted(at, np.arange(len(rows) + 1))
    keep = np.ones(len(at), bool)

    def narrow(first: int) -> None:
        bounds = starts[first : first + _ANCHORS + 1]
        mine = items[bounds[0] : bounds[-1]]
        left, right, less = sides.left(rows[first : first + _ANCHORS]), sides.right(mine), sides.half_squares(mine)
        slack = sides.bound(left)
        for place, (start, stop) in enumerate(pairwise(bounds.tolist())):
            if stop - start > depth:
                part = slice(start - int(bounds[0]), stop - int(bounds[0]))
                products = right[part] @ left[place]
                if less is not None:
                    products -= less[part]
                last = np.partition(products, len(products) - depth)[len(products) - depth]
                keep[start:stop] = products >= last - slack[place]

    each(narrow, range(0, len(rows), _ANCHORS))
    return keep
