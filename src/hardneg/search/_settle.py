"""From what an engine proposes to its answer: exact scores decide, and ranks count what was ruled out.

Every engine ends here, so that all of them give the same scores, the same order and the same ranks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray, Ragged, expand, places
from hardneg.search._base import Constraints, Hits, Unlike
from hardneg.search._blocks import Sides
from hardneg.similarity import FloatArray

__all__ = ["answer", "joined", "open_pairs"]


def answer(
    sides: Sides, rows: IntArray, k: int, constraints: Constraints,
    at: IntArray, found: IntArray, above: IntArray | None = None,
) -> Hits:  # fmt: skip
    """The hits among proposed pairs of an anchor ``rows[at[i]]`` and an item ``found[i]``, each pair at most once.

    What is proposed must be admissible but for its score and its rank. The constraints are those of ``rows``; ``above``
    counts for each of them the items above its ceiling that are not among the proposed, for the ranks.
    """
    n, sides = len(rows), sides.take(rows)
    scores = sides.scores(at, found)
    before = np.zeros(n, np.int64) if above is None else above
    if constraints.ceiling is not None:
        high = scores > constraints.ceiling[at]
        before = before + np.bincount(at[high], minlength=n)
        at, found, scores = at[~high], found[~high], scores[~high]
    if constraints.floor is not None:
        fit = scores >= constraints.floor[at]
        at, found, scores = at[fit], found[fit], scores[fit]
    at, found, scores = _best(at, found, scores, constraints.depth(k))
    ranks = before[at] + _places(sides, constraints, at, found, scores)
    if constraints.skip or constraints.within is not None:
        inside = ranks >= constraints.skip
        if constraints.within is not None:
            inside &= ranks < constraints.within
        at, found, scores, ranks = at[inside], found[inside], scores[inside], ranks[inside]
        keep = _place(at) < k
        at, found, scores, ranks = at[keep], found[keep], scores[keep], ranks[keep]
    return Hits(Ragged.from_lengths(np.bincount(at, minlength=n), found), scores, ranks.astype(np.int32))


def joined(parts: list[Hits]) -> Hits:
    """The answers for consecutive blocks of anchors as one."""
    if not parts:
        return Hits(Ragged.empty(0), np.zeros(0, np.float32), np.zeros(0, np.int32))
    lengths = np.concatenate([one.items.lengths() for one in parts])
    items = Ragged.from_lengths(lengths, np.concatenate([one.items.values for one in parts]))
    return Hits(items, np.concatenate([one.scores for one in parts]), np.concatenate([one.ranks for one in parts]))


def open_pairs(constraints: Constraints, at: IntArray, found: IntArray) -> NDArray[np.bool_]:
    """Which pairs of an anchor and an item are neither barred nor share a code: those that take a rank."""
    fit = ~constraints.barred[found]
    for one in constraints.unlike:
        fit &= ~_share(one, at, found)
    return fit


def _share(codes: Unlike, at: IntArray, found: IntArray) -> NDArray[np.bool_]:
    """For each pair whether both have a code in common."""
    if isinstance(codes.anchors, np.ndarray) and isinstance(codes.items, np.ndarray):
        mine = codes.anchors[at]
        return np.asarray((mine >= 0) & (mine == codes.items[found]))
    left, right = (one.take(rows) for one, rows in zip(codes.lists(), (at, found), strict=True))
    out = np.zeros(len(at), bool)
    out[left.rows()[right.contains(left.rows(), left.values)]] = True
    return out


def _best(at: IntArray, found: IntArray, scores: FloatArray, k: int) -> tuple[IntArray, IntArray, FloatArray]:
    """The k best of each anchor, by score and then item order."""
    keys = _falling(at, scores)
    order = np.argsort(keys)
    keys = keys[order]
    equal = keys[1:] == keys[:-1]
    if equal.any():  # few do: only these are put in item order
        tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
        order[tied] = order[tied][np.lexsort((found[order[tied]], keys[tied]))]
    at = at[order]
    keep = _place(at) < k
    order = order[keep]
    return at[keep], found[order], scores[order]


def _falling(at: IntArray, scores: FloatArray) -> NDArray[np.int64]:
    """Whole numbers that sort by anchor, then by falling score: quicker than a sort by two keys."""
    bits = (scores + np.float32(0)).view(np.int32)  # + 0 makes -0 and 0 the same bits
    rising = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return np.asarray((at << 32) - rising.astype(np.int64), np.int64)


def _place(at: IntArray) -> IntArray:
    """Each row's place among those of its anchor; rows are sorted by anchor."""
    return places(np.bincount(at, minlength=1))


def _places(sides: Sides, constraints: Constraints, at: IntArray, found: IntArray, scores: FloatArray) -> IntArray:
    """Places in the list without exclusions: every excluded item that comes earlier counts. Hits are sorted."""
    ex_at, ex_items = constraints.excluded.rows(), constraints.excluded.values
    takes_rank = open_pairs(constraints, ex_at, ex_items)
    ex_at, ex_items = ex_at[takes_rank], ex_items[takes_rank]
    ex_scores = sides.scores(ex_at, ex_items)
    keys, wanted = _falling(at, scores), _falling(ex_at, ex_scores)
    first, last = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
    ties = Ragged.from_lengths(last - first, expand(first, last - first))
    earlier = found[ties.values] < ex_items[ties.rows()]
    first = first + np.bincount(ties.rows()[earlier], minlength=len(first))
    # An excluded item pushes back the hits from its place on; those of earlier anchors push back none of these.
    pushed = np.cumsum(np.bincount(first, minlength=len(at) + 1))[: len(at)]
    before = np.cumsum(np.bincount(ex_at, minlength=len(sides.anchors) + 1))
    return _place(at) + pushed - np.where(at > 0, before[at - 1], 0)
