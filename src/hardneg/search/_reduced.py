"""The first pass of an approximate search: fewer numbers a vector, and items in clusters.

Anchors and items are turned so that the first few numbers hold most of their products (the principal directions of
the items, Pearson 1901, without centring, since products are what counts). Items are then put into clusters.

Everything an answer depends on is computed in blocks of fixed shape on one thread each, so that no result depends on
how many threads there are or which anchors are asked together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hardneg.matrix import Matrix, Reordered
from hardneg.parallel import each
from hardneg.ragged import IntArray, places
from hardneg.scratch import Scratch, room
from hardneg.search._blocks import Sides, norms
from hardneg.search._clusters import clustered
from hardneg.similarity import FloatArray

__all__ = ["Reduced", "reduced"]

_ENERGY = 0.95  # of the items' squared length that the kept directions hold
_LEARN = 32_768  # items that the directions are learned from
_BLOCK = 1024  # rows that are turned at a time
_GROUP = 16  # clusters of which only the nearest is looked at for a first bound
_SPREAD = 0.45  # how much the spread of a cluster counts beside its centre; measured on vectors of sentences


@dataclass(frozen=True, eq=False)
class Reduced:
    """Both sides with fewer numbers, made so that a plain product orders like the score.

    Args:
        sides: the full vectors, made ready.
        turn: directions, shape ``(d, r)``; None where all numbers are kept.
        items: the items with fewer numbers, in the order of their clusters, each in all its clusters.
        order: the row of each of them.
        starts: where each cluster begins among them, shape ``(c + 1,)``.
        of: the clusters of each row, the first one first, shape ``(m, 1 or 2)``.
        centres: the middle of each cluster, shape ``(r, c)`` (with a row more for distances).
        spread: how far the items of a cluster lie from it, shape ``(c,)``.
        lengths: the length of each item with fewer numbers, in that order.
        left_out: the greatest length that the numbers left out of an item have.
    """

    sides: Sides
    turn: FloatArray | None
    items: Matrix
    order: IntArray
    starts: IntArray
    of: NDArray[np.int32]
    centres: FloatArray
    spread: FloatArray
    lengths: NDArray[np.float64]
    left_out: float

    @cached_property
    def places(self) -> IntArray:
        """Where each item stands in the order of the clusters, shape ``(m, 1 or 2)``, rising."""
        return np.argsort(self.order, kind="stable").reshape(self.of.shape)

    @cached_property
    def before(self) -> NDArray[np.int32]:
        """The first cluster of what stands in its second, -1 for what stands in its first, in that order."""
        cluster = np.repeat(np.arange(self.clusters, dtype=np.int32), np.diff(self.starts))
        first = self.of[self.order, 0]
        return np.where(first == cluster, np.int32(-1), first)

    def rest(self, left: FloatArray) -> NDArray[np.float64]:
        """The most that the numbers left out add to a product of each anchor made ready (Cauchy and Schwarz)."""
        if self.turn is None:
            return np.zeros(len(left))
        short = _turned(left, self.turn)
        squares = (np.einsum("ij,ij->i", one, one, dtype=np.float64) for one in (left, short))
        return np.asarray(np.sqrt(np.maximum(next(squares) - next(squares), 0)) * self.left_out)

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return len(self.starts) - 1

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return int(self.items.shape[1])

    def anchors(self, block: int) -> FloatArray:
        """A block of anchors with fewer numbers."""
        start = block * _BLOCK
        rows = np.arange(start, min(start + _BLOCK, len(self.sides.anchors)))
        found = _turned(self.sides.left(rows), self.turn)
        if self.sides.similarity != "euclidean":
            return found
        return np.append(found, np.ones((len(found), 1), np.float32), axis=1)

    def near(self, anchors: FloatArray) -> FloatArray:
        """How near anchors are to each cluster: what a near item of it may reach, shape ``(n, c)``."""
        size = np.sqrt(np.einsum("ij,ij->i", anchors, anchors))
        return np.asarray(anchors @ self.centres + _SPREAD * size[:, None] * self.spread, np.float32)

    def looks(self, rows: IntArray, count: int) -> tuple[FloatArray, NDArray[np.int32]]:
        """Some anchors with fewer numbers, and the ``count`` clusters nearest to each, the nearest first."""
        vectors = np.empty((len(rows), self.width), np.float32)
        nearest = np.empty((len(rows), count), np.int32)

        def keep(mine: IntArray, block: FloatArray, near: FloatArray) -> None:
            vectors[mine] = block
            nearest[mine] = _highest(near, count)

        self._each_block(rows, keep)
        return vectors, nearest

    def ranked(self, rows: IntArray) -> NDArray[np.int32]:
        """All clusters, the nearest first, for some anchors, shape ``(n, c)``."""
        out = np.empty((len(rows), self.clusters), np.int32)

        def keep(mine: IntArray, _: FloatArray, near: FloatArray) -> None:
            out[mine] = np.argsort(-near, axis=1)

        self._each_block(rows, keep)
        return out

    def _each_block(self, rows: IntArray, keep: Callable[[IntArray, FloatArray, FloatArray], None]) -> None:
        """Give ``keep`` the places of the rows in each block of anchors, their vectors, and how near clusters are."""
        numbers, at = np.unique(rows // _BLOCK, return_inverse=True)

        def one(place: int) -> None:
            mine = np.flatnonzero(at == place)
            block = self.anchors(int(numbers[place]))
            within = rows[mine] - numbers[place] * _BLOCK
            keep(mine, block[within], self.near(block)[within])

        with threadpool_limits(1, "blas"):
            each(one, range(len(numbers)))


def _highest(values: FloatArray, count: int) -> IntArray:
    """The columns of the ``count`` highest values of each row, the highest first.

    >>> _highest(np.array([[3.0, 9.0, 5.0, 1.0]], np.float32), 2).tolist()
    [[1, 2]]
    """
    n, wide = values.shape
    size = wide // _GROUP
    if 2 * count > size:
        return np.argsort(-values, axis=1, kind="stable")[:, :count]
    # The highest of groups give a bound that few values reach: quicker than to look for the highest among all.
    highest = values[:, : size * _GROUP].reshape(n, _GROUP, size).max(axis=1)
    bound = np.partition(highest, size - count, axis=1)[:, size - count]
    at, column = np.divmod(np.flatnonzero(values >= bound[:, None]), wide)
    counts = np.bincount(at, minlength=n)
    shape, place = (n, counts.max(initial=0)), places(counts)
    few, columns = np.full(shape, -np.inf, np.float32), np.zeros(shape, np.int64)
    few[at, place], columns[at, place] = values[at, column], column
    return np.take_along_axis(columns, np.argsort(-few, axis=1, kind="stable")[:, :count], axis=1)


def reduced(sides: Sides, clusters: int) -> Reduced:
    """Learn the directions, turn the items, and put them into clusters."""
    turn = _directions(sides)
    items = _all_turned(sides, turn)
    width = items.shape[1] - (sides.similarity == "euclidean")
    narrow = items if width == items.shape[1] else _Narrow(items, width)
    found = clustered(narrow, clusters)
    first, flat = found.of[:, 0], found.of.ravel()
    order = np.argsort(flat, kind="stable") // found.of.shape[1]
    starts = np.append(0, np.cumsum(np.bincount(flat, minlength=clusters))).astype(np.int64)
    centres = found.centres
    if (less := sides.half_squares(slice(None))) is not None:
        mean = np.bincount(first, less, clusters) / np.maximum(np.bincount(first, minlength=clusters), 1)
        centres = np.append(centres, -mean[:, None].astype(np.float32), axis=1)
    short = norms(narrow)
    lengths = short if narrow is items else norms(items)
    left_out = 0.0 if turn is None else float(np.sqrt(np.maximum(sides.lengths() ** 2 - short**2, 0).max(initial=0)))
    return Reduced(
        sides, turn, Reordered(items, order), order, starts, found.of, np.ascontiguousarray(centres.T), found.spread,
        lengths[order], left_out,
    )  # fmt: skip


def _directions(sides: Sides) -> FloatArray | None:
    """The directions that hold most of the items' products; None where too many are needed to gain anything."""
    n, d = sides.items.shape
    sample = sides.right(np.unique(np.linspace(0, n - 1, min(n, _LEARN)).astype(np.int64)))
    with threadpool_limits(1, "blas"):
        values, vectors = np.linalg.eigh(np.asarray(sample.T @ sample, np.float64))
    held = np.cumsum(values[::-1]) / max(values.sum(), np.finfo(np.float64).tiny)
    keep = 16 * (1 + int(np.searchsorted(held, _ENERGY)) // 16)
    return None if keep > 0.75 * d else np.ascontiguousarray(vectors[:, ::-1][:, :keep], np.float32)


def _turned(vectors: FloatArray, turn: FloatArray | None) -> FloatArray:
    return vectors if turn is None else np.asarray(vectors @ turn, np.float32)


def _all_turned(sides: Sides, turn: FloatArray | None) -> Matrix:
    n, d = sides.items.shape
    distance = sides.similarity == "euclidean"
    width = (d if turn is None else turn.shape[1]) + distance
    out = room(n, width)

    def fill(start: int) -> None:
        rows = slice(start, min(start + _BLOCK, n))
        block = _turned(sides.right(rows), turn)
        if (less := sides.half_squares(rows)) is not None:
            block = np.append(block, -less[:, None], axis=1)
        out[np.arange(rows.start, rows.stop)] = block

    with threadpool_limits(1, "blas"):
        each(fill, range(0, n, _BLOCK))
    return out.stored() if isinstance(out, Scratch) else out


class _Narrow:
    """The first numbers of each row of another matrix."""

    def __init__(self, matrix: Matrix, width: int) -> None:
        self._matrix, self._width = matrix, width
        self.dtype, self.shape = matrix.dtype, (len(matrix), width)

    def __len__(self) -> int:
        return len(self._matrix)

    def __getitem__(self, rows: object, /) -> FloatArray:
        return np.ascontiguousarray(self._matrix[rows][:, : self._width])
