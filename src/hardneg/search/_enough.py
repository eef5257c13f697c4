"""When the best products that an engine kept are enough, whatever rounding did to them.

A product (less the half square, for distances) orders like the score; see :class:`hardneg.search._blocks.Sides`. An
engine keeps the items with the largest. Each true product lies within a bound of the one that was computed, so

- an item whose highest possible product is below the lowest possible one of ``depth`` others is not among the
  ``depth`` best, and
- where no item that was not kept can reach that line, all that matter were kept. Otherwise more must be kept.

The bounds also hold what rounding a score to float32 may hide: scores that tie in float32 are kept together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import BoolArray, IntArray
from hardneg.search._base import Constraints
from hardneg.search._blocks import Sides
from hardneg.similarity import FloatArray

__all__ = ["Kept", "Part", "deviation", "enough", "limits", "until_enough"]

_UNIT = 2.0**-24  # rounding unit of float32
_TINY = 2.0**-126  # smallest normal float32

Wide = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Kept:
    """What an engine kept for ``n`` anchors, ``c`` items each.

    Args:
        items: item rows, shape ``(n, c)``; anything where ``highest`` is minus infinity.
        highest: the highest product that each may have, shape ``(n, c)``; minus infinity for what is ruled out.
        gap: how far below this the true product may be, shape ``(n,)``.
        unseen: the highest product of an item that was not kept, shape ``(n,)``; minus infinity where there is none.
        limits: products below the first belong to scores below the floor, products above the second to scores above
            the ceiling, shapes ``(n,)``.
        above: how many items above the ceiling were counted and not kept, shape ``(n,)``.
    """

    items: IntArray
    highest: Wide
    gap: Wide
    unseen: Wide
    limits: tuple[Wide, Wide]
    above: IntArray

    def part(self, places: IntArray, depth: int) -> Part:
        """What is known of these anchors, which stand at ``places``; ``depth`` admissible items are wanted."""
        keep, closed = enough(self.highest, self.gap, self.unseen, depth, *self.limits)
        at, column = np.nonzero(keep & closed[:, None])
        return Part(places[closed], self.above[closed], places[~closed], places[at], self.items[at, column])


@dataclass(frozen=True, eq=False)
class Part:
    """Anchors whose proposals are enough, with the counts above their ceilings; anchors that wait; and the pairs."""

    closed: IntArray
    above: IntArray
    waiting: IntArray
    at: IntArray
    found: IntArray


def until_enough(
    n: int, first: int, growth: int, look: Callable[[IntArray, int], Iterable[Part]]
) -> tuple[IntArray, IntArray, IntArray]:
    """Ask ``look(anchors, count)`` with more and more room until all ``n`` anchors are closed.

    Anchors of which it says nothing are asked no more. Returns the pairs of anchors and items, and the counts above
    the ceilings, shape ``(n,)``.
    """
    at, found, above = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], np.zeros(n, np.int64)
    waiting, count = np.arange(n), first
    while len(waiting):
        parts = list(look(waiting, count))
        for part in parts:
            at.append(part.at)
            found.append(part.found)
            above[part.closed] = part.above
        waiting, count = np.concatenate([at[0], *(part.waiting for part in parts)]), count * growth
    return np.concatenate(at), np.concatenate(found), above


def enough(highest: Wide, gap: Wide, unseen: Wide, depth: int, low: Wide, high: Wide) -> tuple[BoolArray, BoolArray]:
    """Which kept items may be among the best, shape ``(n, c)``, and for which anchors nothing else may, ``(n,)``.

    Args:
        highest: the highest product that each kept item may have, shape ``(n, c)``; minus infinity for one ruled out.
        gap: how far below this the true product may be, shape ``(n,)``.
        unseen: the highest product of an item that was not kept, shape ``(n,)``; minus infinity where there is none.
        depth: how many admissible items are wanted, at least 1.
        low: products below belong to scores below the floor, shape ``(n,)``.
        high: products above belong to scores above the ceiling, shape ``(n,)``: these are kept, but take no place.

    >>> one = np.ones(1)
    >>> keep, closed = enough(np.array([[9.0, 8.9, 5.0]]), 0.5 * one, 4 * one, 1, -np.inf * one, np.inf * one)
    >>> keep.tolist(), closed.tolist()
    ([[True, True, False]], [True])
    """
    sure = np.where(highest <= high[:, None], highest, -np.inf)
    place = highest.shape[1] - depth
    kth = np.partition(sure, place, axis=1)[:, place] if place >= 0 else np.full(len(highest), -np.inf)
    line = np.maximum(kth - gap, low)
    keep = (highest >= line[:, None]) & (highest > -np.inf)
    return keep, np.asarray((unseen < line) | (unseen == -np.inf))


def limits(sides: Sides, constraints: Constraints, left: FloatArray) -> tuple[Wide, Wide]:
    """The products at which the floor and the ceiling of each anchor lie, shapes ``(n,)``."""
    low, high = np.full(len(left), -np.inf), np.full(len(left), np.inf)
    if constraints.floor is not None:
        low = sides.product_of(constraints.floor, left)
    if constraints.ceiling is not None:
        high = sides.product_of(constraints.ceiling, left)
    return low, high


def deviation(sides: Sides, left: FloatArray) -> Wide:
    """How far a float32 product of each anchor may be from its true value, however it is summed, shape ``(n,)``.

    A sum of ``d`` products errs by at most ``d`` units of the sum of their sizes (Higham, Accuracy and Stability of
    Numerical Algorithms, 2002, section 3.1); the 16 stand for scaling both vectors and for rounding the score. A
    distance may be summed from its squares, so it errs by the square of both lengths.
    """
    d = left.shape[1]
    size = np.sqrt(np.einsum("ij,ij->i", left, left, dtype=np.float64))
    longest = float(sides.norms.max(initial=0)) * sides.scale[1]
    if sides.similarity == "cosine":
        off = 0.0 if sides.divide else float(np.abs(sides.norms - 1).max(initial=0))
        return np.asarray((d + 16) * _UNIT * size * (1 + off) + off + d * _TINY)
    reach = size + longest
    kind = reach**2 if sides.similarity == "euclidean" else size * longest
    return np.asarray((d + 16) * (_UNIT * kind + _TINY * (1 + reach)))
