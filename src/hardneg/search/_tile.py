"""The fused selection: a few anchors against block after block of items, keeping what may be among the best.

A float32 product differs in its last bits with the shape of the block and the number of threads. So it only
proposes: everything within the rounding bound of the k-th best product stays, and exact scores decide in the end.
The k-th best so far is a threshold; one comparison a product finds the few that pass it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import BoolArray, IntArray
from hardneg.search._base import Constraints
from hardneg.search._blocks import Block, Sides, members
from hardneg.similarity import FloatArray, pair_scores

__all__ = ["Room", "Tile", "width"]

_LOWEST = -3e38  # all real products are above; what is ruled out is below
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
    """Anchors, their thresholds, and what may be among their ``depth`` best."""

    def __init__(self, sides: Sides, rows: IntArray, depth: int, constraints: Constraints) -> None:
        self.rows, self.depth, self._sides = rows, depth, sides
        self._left = sides.left(rows)
        self._slack = sides.bound(self._left)
        n, self._wide = len(rows), width(depth)
        self._floor = np.full(n, -np.inf)  # the depth-th best product so far
        self._count = np.zeros(n, np.int64)
        self._products = np.full((n, self._wide), -np.inf, np.float32)
        self._items = np.zeros((n, self._wide), np.int32 if len(sides.items) < 2**31 else np.int64)
        self.above = np.zeros(n, np.int64)
        self._constraints = constraints.take(rows)
        self._low = self._limit(self._constraints.floor)
        self._high = self._limit(self._constraints.ceiling)
        excluded = self._constraints.excluded
        order = np.argsort(excluded.values, kind="stable")
        self._excluded = excluded.values[order], excluded.rows()[order]
        self._codes = [members(one.anchors) for one in self._constraints.unlike]

    def _limit(self, scores: FloatArray | None) -> NDArray[np.float64] | None:
        return None if scores is None else self._sides.product_of(scores, self._left)

    def see(self, block: Block, room: Room) -> None:
        """Look at a block of items; ``room`` is space for the products."""
        wide = len(block.vectors)
        products, passes = room.shaped(len(self.rows), wide)
        np.matmul(self._left, block.vectors.T, out=products)
        if block.half_squares is not None:
            products -= block.half_squares
        self._rule_out(products, block)
        if not np.isfinite(self._floor).all():
            self._floor = np.maximum(self._floor, self._first(products))
        hits = np.flatnonzero(np.greater_equal(products, self._threshold()[:, None], out=passes))
        at = hits // wide if wide else hits
        self._add(at, block.item_rows(hits - at * wide), products.ravel()[hits])

    def found(self) -> tuple[IntArray, IntArray]:
        """The pairs that may be among the best: places in ``rows``, and items; any order."""
        self._tidy()
        at, place = np.nonzero(np.isfinite(self._products))
        return at, self._items[at, place].astype(np.int64)

    def _rule_out(self, products: FloatArray, block: Block) -> None:
        """What may not be returned gets a product of minus infinity."""
        items, at = self._excluded
        here = slice(*np.searchsorted(items, (block.start, block.stop)))
        columns = block.columns(items[here])
        fit = columns >= 0
        products[at[here][fit], columns[fit]] = -np.inf
        for (mine, anchors), (theirs, columns_of) in zip(self._codes, block.codes, strict=True):
            _, left, right = np.intersect1d(mine, theirs, assume_unique=True, return_indices=True)
            for one, other in zip(left, right, strict=True):
                _fill(products, anchors[one], columns_of[other])

    def _threshold(self) -> FloatArray:
        """The lowest product that matters, never above the true one for its rounding."""
        lowest = self._floor if self._low is None else np.maximum(self._floor, self._low)
        lowest = np.maximum(lowest - self._slack, _LOWEST).astype(np.float32)
        return np.maximum(np.nextafter(lowest, np.float32(-np.inf)), _LOWEST)

    def _sure(self, products: FloatArray) -> FloatArray:
        """Products of those that are surely under the ceiling; only these raise the threshold."""
        if self._high is None:
            return products
        sure = (self._high - self._slack).reshape(-1, *[1] * (products.ndim - 1))
        return np.where(products <= sure, products, np.float32(-np.inf))

    def _first(self, products: FloatArray) -> FloatArray:
        """A first threshold: at least ``depth`` products of each anchor reach it; minus infinity where too few are."""
        n, wide = products.shape
        if wide < self.depth:
            return np.full(n, -np.inf, np.float32)
        group = next((g for g in (_GROUP, 8, 4, 2) if wide // g >= 2 * self.depth), 1)
        each = wide // group
        largest = self._sure(products[:, : each * group].reshape(n, group, each)).max(axis=1)
        return np.asarray(np.partition(largest, each - self.depth, axis=1)[:, each - self.depth])

    def _add(self, at: IntArray, items: IntArray, products: FloatArray) -> None:
        """Keep new candidates, sorted by anchor; those above the ceiling are only counted."""
        if self._high is not None:
            high = products > (self._high + self._slack)[at]
            self.above += np.bincount(at[high], minlength=len(self.rows))
            at, items, products = at[~high], items[~high], products[~high]
        counts = np.bincount(at, minlength=len(self.rows))
        if (self._count + counts > self._wide).any():
            self._tidy()
            fit = products >= self._threshold()[at]
            at, items, products = at[fit], items[fit], products[fit]
            counts = np.bincount(at, minlength=len(self.rows))
            crowded = np.flatnonzero(self._count + counts > self._wide)
            if len(crowded):
                apart = np.isin(at, crowded)
                for row in crowded:
                    self._squeeze(row, items[at == row], products[at == row])
                at, items, products = at[~apart], items[~apart], products[~apart]
                counts = np.bincount(at, minlength=len(self.rows))
        places = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts) + self._count[at]
        self._products[at, places] = products
        self._items[at, places] = items
        self._count += counts

    def _tidy(self) -> None:
        """Raise the thresholds, and let go of what no longer reaches them."""
        kth = self._wide - self.depth
        self._floor = np.maximum(self._floor, np.partition(self._sure(self._products), kth, axis=1)[:, kth])
        keep = self._products >= self._threshold()[:, None]
        at, place = np.nonzero(keep)
        self._count = np.bincount(at, minlength=len(self.rows))
        places = np.arange(len(at)) - np.repeat(np.cumsum(self._count) - self._count, self._count)
        products, items = self._products[at, place], self._items[at, place]
        self._products.fill(-np.inf)
        self._products[at, places], self._items[at, places] = products, items

    def _squeeze(self, row: int, items: IntArray, products: FloatArray) -> None:
        """Make room for one anchor: the threshold of old and new together and, where too many tie, exact scores."""
        old = slice(0, int(self._count[row]))
        items = np.concatenate([self._items[row, old].astype(np.int64), items])
        products = np.concatenate([self._products[row, old], products])
        sure = products if self._high is None else products[products <= self._high[row] - self._slack[row]]
        if len(sure) >= self.depth:
            self._floor[row] = max(self._floor[row], np.partition(sure, len(sure) - self.depth)[len(sure) - self.depth])
        keep = products >= self._threshold()[row]
        items, products = items[keep], products[keep]
        if len(items) > self._wide:
            items, products = self._settled(row, items, products)
        self._count[row] = len(items)
        self._products[row] = -np.inf
        self._products[row, : len(items)], self._items[row, : len(items)] = products, items

    def _settled(self, row: int, items: IntArray, products: FloatArray) -> tuple[IntArray, FloatArray]:
        """The ``depth`` best by exact score, ties in item order: the others can never be among the best again."""
        sides, limits = self._sides, self._constraints
        anchor = np.full(len(items), self.rows[row])
        scores = pair_scores(sides.anchors, sides.items, anchor, items, sides.similarity)
        if limits.ceiling is not None:
            self.above[row] += np.count_nonzero(scores > limits.ceiling[row])
        low = -np.inf if limits.floor is None else limits.floor[row]
        high = np.inf if limits.ceiling is None else limits.ceiling[row]
        fit = np.flatnonzero((scores >= low) & (scores <= high))
        best = fit[np.lexsort((items[fit], -scores[fit]))][: self.depth]
        return items[best], products[best]


def _fill(products: FloatArray, rows: IntArray, columns: IntArray) -> None:
    """Rule out a rectangle; where both sides stand side by side that is one quick write."""
    left, right = (
        slice(int(one[0]), int(one[-1]) + 1) if one[-1] - one[0] == len(one) - 1 else one for one in (rows, columns)
    )
    if isinstance(left, slice) or isinstance(right, slice):
        products[left, right] = -np.inf
    else:
        products[np.ix_(left, right)] = -np.inf
