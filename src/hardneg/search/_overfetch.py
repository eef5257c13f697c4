"""For indexes that know no constraints: fetch more than wanted, leave out what may not be had, and fetch again.

An anchor is asked for twice as many each time until what it has is proved enough (:mod:`hardneg.search._enough`). Once
a good share of all items would have to be fetched, comparing with all of them is quicker and cannot fall short.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hardneg.errors import OptionError
from hardneg.ragged import IntArray, expand
from hardneg.search._base import Constraints, Hits, Search
from hardneg.search._blocks import Sides
from hardneg.search._enough import Kept, Part, Wide, deviation, limits, until_enough
from hardneg.search._recall import recall, samples
from hardneg.search._scan import exhaustive
from hardneg.search._settle import answer, joined, open_pairs
from hardneg.similarity import FloatArray

__all__ = ["OverFetch", "calibrated"]

# ``fetch(anchors made ready, count, effort)``: the places of the nearest items, -1 where the index finds no more.
Fetch = Callable[[FloatArray, int, int], IntArray]

_SPARE = 32  # fetched beyond what is wanted: for positives among them, and to see where ties end
_MANY = 1024
_SHARE = 32  # an index that is to find one item in so many looks at most of them
_ROOM = 2**22  # numbers of vectors at hand at a time


@dataclass(frozen=True, eq=False)
class OverFetch(Search):
    """A search that asks an index.

    Args:
        rows_of: the item row of each place in the index, shape ``(places,)``.
        fetch: asks the index.
        effort: how far the index looks at first, in its own measure (``nprobe``, ``efSearch``); it grows with what is
            fetched.
        says: what is said of the engine.
    """

    sides: Sides
    k: int
    constraints: Constraints
    rows_of: IntArray
    fetch: Fetch
    effort: int = 1
    says: Mapping[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> Mapping[str, Any]:
        return self.says

    @property
    def first(self) -> int:
        """How many items are fetched at first."""
        return self._depth + _SPARE

    @property
    def _depth(self) -> int:
        return max(1, min(self.constraints.depth(self.k), len(self.rows_of)))

    def __call__(self, rows: IntArray) -> Hits:
        constraints, sides = self.constraints.take(rows), self.sides
        by_all = [np.zeros(0, np.int64)]

        def look(waiting: IntArray, count: int) -> list[Part]:
            if count >= len(self.rows_of) or (count >= _MANY and count * _SHARE >= len(self.rows_of)):
                by_all.append(waiting)
                return []
            size = max(1, _ROOM // count)
            places = [waiting[at : at + size] for at in range(0, len(waiting), size)]
            return [self._kept(rows[mine], count).part(mine, self._depth) for mine in places]

        at, found, _ = until_enough(len(rows), self.first, 2, look)
        rest = np.concatenate(by_all)
        some = np.setdiff1d(np.arange(len(rows)), rest)
        place = np.searchsorted(some, at)
        mine = constraints.take(some)
        hits = answer(sides, rows[some], self.k, mine, place, found)
        if not len(rest):
            return hits
        return _in_order(hits, exhaustive(sides, rows[rest], self.k, self.constraints), np.concatenate([some, rest]))

    def _kept(self, rows: IntArray, count: int) -> Kept:
        """What the index finds for some anchors, with products of our own, so that it may store vectors roughly."""
        left, constraints = self.sides.left(rows), self.constraints.take(rows)
        places = self.fetch(left, count, self.effort * (count // self.first))
        items = self.rows_of[places]  # where there is none, any: its product counts for nothing
        at, column = np.nonzero(places >= 0)
        fit = open_pairs(constraints, at, items[at, column]) & ~constraints.excluded.contains(at, items[at, column])
        off = deviation(self.sides, left)
        products = np.where(places >= 0, _products(self.sides, left, items), np.inf)
        # The index saw a product that is off once, this one is off, and so is what it did not return.
        unseen = np.where((places >= 0).all(axis=1), products.min(axis=1) + 3 * off, np.inf)
        highest = np.full(places.shape, -np.inf)
        highest[at[fit], column[fit]] = (products + off[:, None])[at[fit], column[fit]]
        return Kept(
            items, highest, 2 * off, unseen, limits(self.sides, constraints, left), np.zeros(len(rows), np.int64)
        )


def calibrated(search: OverFetch, target: float, least: int, most: int, remedy: str) -> OverFetch:
    """The search with an effort, doubled from ``least`` up to ``most``, that finds enough for a sample of anchors.

    The recall is the share of what exact search returns, under the same constraints; what is said of it is measured
    on a second sample. Raises OptionError where the index cannot reach it; ``remedy`` says what can be done.
    """
    first, second = samples(len(search.sides.anchors))
    truth = exhaustive(search.sides, first, search.k, search.constraints)
    search = replace(search, effort=least)
    while (found := recall(search(first), truth)).cautious < target and search.effort < most:
        search = replace(search, effort=min(most, 2 * search.effort))
    if found.mean < target:
        raise OptionError(
            f"The index finds {found.mean:.1%} of what exact search finds ({found.anchors} anchors asked); the "
            f"'recall' asks for {target:.1%}. {remedy}"
        )
    if len(second):
        found = recall(search(second), exhaustive(search.sides, second, search.k, search.constraints))
    measured = {
        "recall_target": target,
        "recall": round(found.mean, 4),
        "recall_interval": [round(found.low, 4), round(found.high, 4)],
        "recall_anchors": found.anchors,
        "effort": search.effort,
    }
    return replace(search, says={**search.says, **measured})


def _products(sides: Sides, left: FloatArray, items: IntArray) -> Wide:
    """The product of each anchor with its own items, less the half squares for distances, shape ``(n, c)``."""
    out = np.empty(items.shape)
    step = max(1, _ROOM // max(1, items.shape[1] * left.shape[1]))
    for start in range(0, len(items), step):
        part = items[start : start + step]
        right = sides.right(part.ravel()).reshape(*part.shape, -1)
        out[start : start + step] = np.einsum("nd,ncd->nc", left[start : start + step], right)
    halves = sides.half_squares(items.ravel())
    return out if halves is None else out - halves.reshape(items.shape)


def _in_order(one: Hits, other: Hits, places: IntArray) -> Hits:
    """Two answers as one, in the order of the places at which their anchors stand."""
    both, order = joined([one, other]), np.argsort(places)
    values = expand(both.items.offsets[:-1][order], both.items.lengths()[order])
    return Hits(both.items.take(order), both.scores[values], both.ranks[values])
