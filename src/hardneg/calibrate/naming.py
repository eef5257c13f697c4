"""Positives shared between anchors: who else has an item, and how much they have in common with an anchor."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.table import Rows

__all__ = ["Naming", "Pairs"]

Figures = NDArray[np.float64]
_HALF = 2  # half a list in common is as good as all of it: how much more it is says how the judgements were made
_MOST = 16  # anchors that are asked about an item; of more, some are drawn by their ids


@dataclass(frozen=True, eq=False)
class Pairs:
    """For rows of candidates other anchors that have the item.

    ``row[i]`` rises; ``pair[i]`` is a row of ``asking`` and ``asked``, which hold each pair of the row's anchor and
    another once: two anchors meet over many items. ``has[i]`` says whether the other one is known to have the item.
    """

    row: IntArray
    pair: IntArray
    asking: IntArray
    asked: IntArray
    has: BoolArray

    @classmethod
    def of(cls, rows: Rows, row: IntArray, anchor: IntArray, has: BoolArray) -> Pairs:
        """The pairs of some rows with other anchors."""
        most = int(anchor.max(initial=0)) + 1
        keys, pair = np.unique(rows.anchor[row] * most + anchor, return_inverse=True)
        return cls(row, pair.astype(np.int64), keys // most, keys % most, has)

    def without(self, rows: BoolArray) -> Pairs:
        """The pairs of all rows but these."""
        kept = ~rows[self.row]
        return Pairs(self.row[kept], self.pair[kept], self.asking, self.asked, self.has[kept])

    def highest(self, values: Figures, n: int) -> Figures:
        """The highest value of each of ``n`` rows, one of each pair being given; NaN without one."""
        out = np.full(n, -np.inf)
        starts = np.flatnonzero(np.append(True, self.row[1:] != self.row[:-1]))[: len(self.row)]
        out[self.row[starts]] = np.fmax.reduceat(values, starts) if len(starts) else 0
        return np.where(np.isfinite(out), out, np.nan)


class Naming:
    """The known positives as a graph of anchors and items, in which an item has at most 16 anchors.

    >>> known = Ragged.from_lists([[0, 1], [0, 1, 2], [3]])
    >>> naming = Naming(known, np.arange(4), np.arange(3), np.full(3, -1))
    >>> rows = Rows(np.array([0]), np.array([2]))
    >>> naming.overlap(rows, naming.others(rows), np.zeros(1, bool))[0].tolist()
    [1.0]
    """

    def __init__(self, positive: Ragged, item_keys: IntArray, anchor_keys: IntArray, own: IntArray) -> None:
        by_item = positive.inverted(len(item_keys))
        if int(by_item.lengths().max(initial=0)) > _MOST:
            draw = random.uniform(1, item_keys[by_item.rows()], anchor_keys[by_item.values])
            by_item = by_item.where(by_item.ranks(draw) < _MOST)
        self._by_item = by_item
        self._by_anchor = self._asking = by_item.inverted(len(anchor_keys))
        self._itself = np.full(len(item_keys), -1, np.int64)  # of an item that is an anchor too, which one
        self._itself[own[own >= 0]] = np.flatnonzero(own >= 0)

    def asked_by(self, positive: Ragged) -> Naming:
        """The same, as if the anchors that ask had some of their positives only."""
        out = copy(self)
        out._asking = self._by_anchor.where(positive.contains(self._by_anchor.rows(), self._by_anchor.values))
        return out

    def others(self, rows: Rows) -> Pairs:
        """The other anchors that have each row's item."""
        theirs = self._by_item.take(rows.item)
        row, anchor = theirs.rows(), theirs.values
        other = anchor != rows.anchor[row]
        return Pairs.of(rows, row[other], anchor[other], np.ones(int(other.sum()), bool))

    def themselves(self, rows: Rows) -> Pairs:
        """Of rows whose item is an anchor as well, that anchor."""
        found = self._itself[rows.item]
        row = np.flatnonzero((found >= 0) & (found != rows.anchor))
        return Pairs.of(rows, row, found[row], self._by_anchor.contains(found[row], rows.item[row]))

    def overlap(self, rows: Rows, pairs: Pairs, hidden: BoolArray) -> tuple[Figures, Figures]:
        """How much the anchors that have a row's item share with the row's anchor, the item itself left out.

        The first figure is the most of what is shared, as a share of the shorter of the two lists of positives; NaN
        where no list is left. The second is the part of all such overlap of the row's anchor that is with anchors that
        have the item. A ``hidden`` row's item counts as no positive of its anchor.
        """
        n, sizes, holds = len(rows), self._by_anchor.lengths(), hidden.copy()
        own = self._asking.lengths()
        shared = self._shared(pairs.asking, pairs.asked)[pairs.pair]
        holds[hidden] = self._asking.contains(rows.anchor[hidden], rows.item[hidden])
        lost = (holds[pairs.row] & pairs.has).astype(np.int64)
        mine = own[rows.anchor[pairs.row]] - holds[pairs.row]
        shorter = np.minimum(mine, sizes[pairs.asked][pairs.pair] - pairs.has)
        overlap = np.where(shorter > 0, np.minimum(1, _HALF * (shared - lost) / np.maximum(shorter, 1)), np.nan)
        most = pairs.highest(overlap, n)
        common = np.bincount(pairs.row, np.maximum(shared - lost, 0), minlength=n)
        # What is shared with anybody, less what is shared by the hidden item alone.
        of_all = self._of_all(rows.anchor) - np.where(holds, np.bincount(pairs.row, lost, minlength=n), 0)
        share = np.where((of_all > 0) & np.isfinite(most), common / np.maximum(of_all, 1), np.nan)
        return most, np.minimum(_HALF * share, 1.0)

    def _shared(self, left: IntArray, right: IntArray) -> IntArray:
        """How many positives each two anchors have in common: as often as an item of the one names the other."""
        asking, at = np.unique(left, return_inverse=True)
        mine = self._asking.take(asking)
        named = self._by_item.take(mine.values)
        keys = mine.rows()[named.rows()] * len(self._by_anchor) + named.values
        found, many = np.unique(keys, return_counts=True)
        wanted = at * len(self._by_anchor) + right
        place = np.minimum(np.searchsorted(found, wanted), max(0, len(found) - 1))
        return np.where(found[place] == wanted, many[place], 0) if len(found) else np.zeros(len(left), np.int64)

    def _of_all(self, anchors: IntArray) -> IntArray:
        """How much each anchor shares with all other anchors: over its positives, how many others have each."""
        wanted, at = np.unique(anchors, return_inverse=True)
        mine = self._asking.take(wanted)
        others = self._by_item.lengths()[mine.values] - 1
        return np.bincount(mine.rows(), others, minlength=len(wanted)).astype(np.int64)[at]
