"""The fused selection: a few anchors against block after block of items, keeping what may be among the best.

A product differs in its last bits with the shape of the block and the number of threads, or is rounded. So it only
proposes: everything within the rounding bound of the k-th best product stays, and exact scores decide in the end.
The k-th best so far is a threshold; one comparison a product finds the few that pass it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import BoolArray, IntArray, places
from hardneg.search._base import Constraints
from hardneg.search._blocks import Block, Sides, members
from hardneg.similarity import FloatArray

__all__ = ["Room", "Tile", "width"]

Wide = NDArray[np.float64]
Again = Callable[[IntArray, IntArray], BoolArray]

_LOWEST = -3e38  # all real products are above; what is ruled out is below
_ALL = slice(None)
_GROUP = 16  # products of which only the largest is looked at for a first threshold


def width(depth: int) -> int:
    """How many candidates a tile keeps for each anchor: room for a whole block's where the block is narrower."""
    return 2 * depth + depth // 2 + 64


class Room:
    """Space for the products of a tile and a block, used again and again by one thread."""

    def __init__(self, products: int) -> None:
        self._products, self._passes = np.empty(products, np.float32), np.empty(products, bool)

    def shaped(self, rows: int, columns: int) -> tuple[FloatArray, BoolArray]:
        """Space for products, and for which of them pass, both of shape ``(rows, columns)``."""
        size, shape = rows * columns, (rows, columns)
        return self._products[:size].reshape(shape), self._passes[:size].reshape(shape)


class Tile:
    """Anchors, their thresholds, and what may be among their ``depth`` best.

    ``again`` tells which pairs of an anchor (its place in ``rows``) and an item are shown elsewhere as well, and so
    left out here.
    """

    def __init__(
        self, sides: Sides, rows: IntArray, depth: int, constraints: Constraints, again: Again | None = None
    ) -> None:
        self.rows, self.depth, self._sides = rows, depth, sides
        left = sides.left(rows)
        self._left = sides.products.ready(left)
        self._slack = sides.bound(left)
        n, self._wide = len(rows), width(depth)
        self._floor = np.full(n, -np.inf)  # the depth-th best product so far
        self._count = np.zeros(n, np.int64)
        self._products = np.full((n, self._wide), -np.inf, np.float32)
        self._items = np.zeros((n, self._wide), np.int32 if len(sides.items) < 2**31 else np.int64)
        self.above = np.zeros(n, np.int64)
        self._constraints, self._again = constraints.take(rows), again
        floor, ceiling = self._constraints.floor, self._constraints.ceiling
        self._low = None if floor is None else sides.product_of(floor, left)
        high = None if ceiling is None else sides.product_of(ceiling, left)
        # Products up to the first are surely under the ceiling, those beyond the second surely above.
        self._high = None if high is None else (high - self._leeway(high), high + self._leeway(high))
        excluded = self._constraints.excluded
        order = np.argsort(excluded.values, kind="stable")
        self._excluded = excluded.values[order], excluded.rows()[order]
        self._codes = [members(one.anchors) for one in self._constraints.unlike]

    def see(self, block: Block, room: Room, only: IntArray | None = None) -> None:
        """Show a block of items to all anchors, or to some (places in ``rows``, rising)."""
        some = np.arange(len(self.rows)) if only is None else only
        products, passes = room.shaped(len(some), len(block.vectors))
        multiplier = self._sides.products
        left = self._left if only is None else multiplier.take(self._left, only)
        multiplier.multiply(left, block.vectors, products)
        if block.half_squares is not None:
            products -= block.half_squares
        self._rule_out(products, block, only)
        fresh = ~np.isfinite(self._floor[some])
        self._learn(products, some, fresh)
        hits = np.flatnonzero(np.greater_equal(products, self._threshold(some)[:, None], out=passes))
        at = hits // max(1, products.shape[1])
        found = products.ravel()[hits]
        crowded = (np.bincount(at, minlength=len(some)) > self.depth) & ~fresh
        if crowded.any():  # a block with many near items by itself gives a better threshold
            self._learn(products, some, crowded)
            keep = found >= self._threshold(some)[at]
            at, hits, found = at[keep], hits[keep], found[keep]
        items = block.item_rows(hits - at * products.shape[1])
        if self._again is not None:
            new = ~self._again(some[at], items)
            at, items, found = at[new], items[new], found[new]
        self._add(some, at, items, found)

    def found(self, *, just: bool = False) -> tuple[IntArray, IntArray]:
        """The pairs that may be among the best: places in ``rows``, and items; any order.

        They are a few more than ``depth`` for each anchor, as rounding has it; with ``just``, where nobody settles
        them later, those that cannot be told apart are settled here.
        """
        self._tidy(np.arange(len(self.rows)))
        at, place = np.nonzero(np.isfinite(self._products))
        items = self._items[at, place].astype(np.int64)
        if just:
            keep = self._settles(at, items, self._products[at, place])
            at, items = at[keep], items[keep]
        return at, items

    def _settles(self, at: IntArray, items: IntArray, products: FloatArray) -> BoolArray:
        """Which candidates are among the ``depth`` best; exact scores decide near the last of them."""
        sure = products > (self._floor + self._leeway(self._floor))[at]
        open_ = np.flatnonzero(~sure)
        scores = self._sides.scores(self.rows[at[open_]], items[open_])
        order = np.lexsort((items[open_], -scores, at[open_]))
        owner = at[open_][order]
        counts = np.bincount(owner, minlength=len(self.rows))
        place = places(counts)
        left = self.depth - np.bincount(at[sure], minlength=len(self.rows))
        sure[open_[order[place < left[owner]]]] = True
        return sure

    def _rule_out(self, products: FloatArray, block: Block, only: IntArray | None) -> None:
        """What may not be returned gets a product of minus infinity."""
        items, at = self._excluded
        here = slice(*np.searchsorted(items, (block.start, block.stop)))
        if here.start == here.stop and not self._codes:
            return
        places = None if only is None else _places(only, len(self.rows))
        rows, columns = at[here] if places is None else places[at[here]], block.columns(items[here])
        fit = (columns >= 0) & (rows >= 0)
        products[rows[fit], columns[fit]] = -np.inf
        for (mine, anchors), (theirs, columns_of) in zip(self._codes, block.codes, strict=True):
            _, left, right = np.intersect1d(mine, theirs, assume_unique=True, return_indices=True)
            for one, other in zip(left, right, strict=True):
                rows = anchors[one] if places is None else places[anchors[one]]
                _fill(products, rows[rows >= 0], columns_of[other])

    def _leeway(self, products: Wide, rows: IntArray | slice = _ALL) -> Wide:
        return self._sides.leeway(self._slack[rows], products)

    def _threshold(self, rows: IntArray) -> FloatArray:
        """The lowest product that matters to some anchors, never above the true one for its rounding."""
        lowest = self._floor[rows] if self._low is None else np.maximum(self._floor[rows], self._low[rows])
        lowest = np.maximum(lowest - self._leeway(lowest, rows), _LOWEST).astype(np.float32)
        return np.asarray(np.maximum(np.nextafter(lowest, np.float32(-np.inf)), _LOWEST))

    def _raise(self, rows: IntArray, floor: FloatArray) -> None:
        self._floor[rows] = np.maximum(self._floor[rows], floor)

    def _learn(self, products: FloatArray, some: IntArray, which: BoolArray) -> None:
        """Raise the thresholds of some anchors by what this block alone shows."""
        if which.any():
            theirs = products if which.all() else products[which]
            self._raise(some[which], self._first(theirs, some[which]))

    def _sure(self, products: FloatArray, rows: IntArray) -> FloatArray:
        """Products of those that are surely under the ceiling; only these raise the threshold."""
        if self._high is None:
            return products
        sure = self._high[0][rows].reshape(-1, *[1] * (products.ndim - 1))
        return np.where(products <= sure, products, np.float32(-np.inf))

    def _first(self, products: FloatArray, rows: IntArray) -> FloatArray:
        """A first threshold: at least ``depth`` products of each anchor reach it; minus infinity where too few are."""
        n, wide = products.shape
        if wide < self.depth:
            return np.full(n, -np.inf, np.float32)
        group = next((g for g in (_GROUP, 8, 4, 2) if wide // g >= 2 * self.depth), 1)
        each = wide // group
        grouped = products[:, : each * group].reshape(n, group, each)
        floor = self._reached(grouped.max(axis=1), rows)
        if self._high is not None and len(low := np.flatnonzero(np.isneginf(floor))):
            # Groups of which the largest is above the ceiling, and so not sure, count by their largest below it.
            floor[low] = self._reached(self._sure(grouped[low], rows[low]).max(axis=1), rows[low])
        return floor

    def _reached(self, products: FloatArray, rows: IntArray) -> FloatArray:
        """What ``depth`` of the products of each anchor reach, of those that are surely under the ceiling."""
        place = products.shape[1] - self.depth
        return np.asarray(np.partition(self._sure(products, rows), place, axis=1)[:, place])

    def _add(self, some: IntArray, at: IntArray, items: IntArray, products: FloatArray) -> None:
        """Keep new candidates of the anchors ``some[at]``, rising; those above the ceiling are only counted."""
        if self._high is not None:
            high = products > self._high[1][some[at]]
            self.above[some] += np.bincount(at[high], minlength=len(some))
            at, items, products = at[~high], items[~high], products[~high]
        counts = np.bincount(at, minlength=len(some))
        full = self._count[some] + counts
        if (full > self._wide).any():
            self._tidy(some[full > self._wide - self.depth])
            at, items, products = self._thinned(some, at, items, products)
            counts = np.bincount(at, minlength=len(some))
        owner = some[at]
        column = places(counts) + self._count[owner]
        self._products[owner, column] = products
        self._items[owner, column] = items
        self._count[some] += counts

    def _thinned(
        self, some: IntArray, at: IntArray, items: IntArray, products: FloatArray
    ) -> tuple[IntArray, IntArray, FloatArray]:
        """Those of new candidates that still matter; anchors that have no room for theirs take them in here."""
        fit = products >= self._threshold(some)[at]
        at, items, products = at[fit], items[fit], products[fit]
        full = self._count[some] + np.bincount(at, minlength=len(some)) > self._wide
        if full.any():
            for place in np.flatnonzero(full):
                mine = slice(*np.searchsorted(at, (place, place + 1)))
                self._squeeze(int(some[place]), items[mine], products[mine])
            rest = ~full[at]
            at, items, products = at[rest], items[rest], products[rest]
        return at, items, products

    def _tidy(self, rows: IntArray) -> None:
        """Raise the thresholds of some anchors, and let go of what no longer reaches them."""
        products = self._products[rows]
        self._raise(rows, self._reached(products, rows))
        at, place = np.nonzero(products >= self._threshold(rows)[:, None])
        counts = np.bincount(at, minlength=len(rows))
        fresh = places(counts)
        kept, items = products[at, place], self._items[rows[at], place]
        self._count[rows], self._products[rows] = counts, -np.inf
        self._products[rows[at], fresh], self._items[rows[at], fresh] = kept, items

    def _squeeze(self, row: int, items: IntArray, products: FloatArray) -> None:
        """Make room for one anchor: the threshold of old and new together and, where too many tie, exact scores."""
        old = slice(0, int(self._count[row]))
        items = np.concatenate([self._items[row, old].astype(np.int64), items])
        products = np.concatenate([self._products[row, old], products])
        sure = products if self._high is None else products[products <= self._high[0][row]]
        if len(sure) >= self.depth:
            self._floor[row] = max(self._floor[row], np.partition(sure, len(sure) - self.depth)[len(sure) - self.depth])
        keep = products >= self._threshold(np.array([row]))
        items, products = items[keep], products[keep]
        if len(items) > self._wide:
            items, products = self._settled(row, items, products)
        self._count[row] = len(items)
        self._products[row] = -np.inf
        self._products[row, : len(items)], self._items[row, : len(items)] = products, items

    def _settled(self, row: int, items: IntArray, products: FloatArray) -> tuple[IntArray, FloatArray]:
        """The ``depth`` best by exact score, ties in item order: the others can never be among the best again."""
        limits = self._constraints
        scores = self._sides.scores(np.full(len(items), self.rows[row]), items)
        if limits.ceiling is not None:
            self.above[row] += np.count_nonzero(scores > limits.ceiling[row])
        low = -np.inf if limits.floor is None else limits.floor[row]
        high = np.inf if limits.ceiling is None else limits.ceiling[row]
        fit = np.flatnonzero((scores >= low) & (scores <= high))
        best = fit[np.lexsort((items[fit], -scores[fit]))][: self.depth]
        return items[best], products[best]


def _places(some: IntArray, n: int) -> IntArray:
    """Where each of ``n`` numbers stands in ``some``; -1 for those that do not."""
    places = np.full(n, -1, np.int64)
    places[some] = np.arange(len(some))
    return places


def _fill(products: FloatArray, rows: IntArray, columns: IntArray) -> None:
    """Rule out a rectangle; where both sides stand side by side that is one quick write."""
    if not len(rows):
        return
    left, right = (
        slice(int(one[0]), int(one[-1]) + 1) if one[-1] - one[0] == len(one) - 1 else one for one in (rows, columns)
    )
    if isinstance(left, slice) or isinstance(right, slice):
        products[left, right] = -np.inf
    else:
        products[np.ix_(left, right)] = -np.inf
