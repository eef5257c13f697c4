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
from hardneg.ragged import IntArray
from hardneg.scratch import Scratch, room
from hardneg.search._blocks import Sides, norms
from hardneg.search._clusters import clustered
from hardneg.similarity import FloatArray

__all__ = ["Reduced", "reduced"]

_ENERGY = 0.87  # of the items' squared length that the kept directions hold
_LEARN = 32_768  # items that the directions are learned from
_BLOCK = 1024  # rows that are turned at a time
_SPREAD = 0.3  # how much the spread of a cluster counts beside its centre; measured on vectors of sentences


@dataclass(frozen=True, eq=False)
class Reduced:
    """Both sides with fewer numbers, made so that a plain product orders like the score.

    Args:
        sides: the full vectors, made ready.
        turn: directions, shape ``(d, r)``; None where all numbers are kept.
        items: the items with fewer numbers, in the order of their clusters.
        order: the row of each of them.
        starts: where each cluster begins among them, shape ``(c + 1,)``.
        centres: the mean of each cluster, shape ``(r, c)`` (with a row more for distances).
        spread: how far the items of a cluster lie from its mean, shape ``(c,)``.
        lengths: the length of each item with fewer numbers, in that order.
        left_out: the greatest length that the numbers left out of an item have.
    """

    sides: Sides
    turn: FloatArray | None
    items: Matrix
    order: IntArray
    starts: IntArray
    centres: FloatArray
    spread: FloatArray
    lengths: NDArray[np.float64]
    left_out: float

    @cached_property
    def place(self) -> IntArray:
        """Where each item stands in the order of the clusters."""
        place = np.empty(len(self.order), np.int64)
        place[self.order] = np.arange(len(self.order))
        return place

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

    def of(self, rows: IntArray, count: int) -> tuple[FloatArray, NDArray[np.int32]]:
        """Some anchors with fewer numbers, and the ``count`` clusters nearest to each, shape ``(n, count)``."""
        vectors = np.empty((len(rows), self.width), np.float32)
        nearest = np.empty((len(rows), count), np.int32)

        def keep(mine: IntArray, block: FloatArray, near: FloatArray) -> None:
            vectors[mine] = block
            nearest[mine] = np.argpartition(near, self.clusters - count, axis=1)[:, self.clusters - count :]

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


def reduced(sides: Sides, clusters: int) -> Reduced:
    """Learn the directions, turn the items, and put them into clusters."""
    turn = _directions(sides)
    items = _all_turned(sides, turn)
    width = items.shape[1] - (sides.similarity == "euclidean")
    cluster = clustered(items if width == items.shape[1] else _Narrow(items, width), clusters)
    order = np.argsort(cluster, kind="stable")
    starts = np.append(0, np.cumsum(np.bincount(cluster, minlength=clusters))).astype(np.int64)
    view = Reordered(items, order)
    centres, spread = _summary(view, starts, width)
    lengths = norms(view)
    full = sides.lengths()[order]
    short = lengths if width == items.shape[1] else norms(_Narrow(view, width))
    left_out = 0.0 if turn is None else float(np.sqrt(np.maximum(full**2 - short**2, 0).max(initial=0)))
    return Reduced(sides, turn, view, order, starts, np.ascontiguousarray(centres.T), spread, lengths, left_out)


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


def _summary(items: Matrix, starts: IntArray, width: int) -> tuple[FloatArray, FloatArray]:
    """The mean of each cluster and how far its items lie from it."""
    centres = np.zeros((len(starts) - 1, items.shape[1]), np.float32)
    spread = np.zeros(len(starts) - 1, np.float32)
    for cluster in np.flatnonzero(np.diff(starts)):
        block = items[starts[cluster] : starts[cluster + 1]]
        centres[cluster] = block.mean(axis=0)
        apart = (block - centres[cluster])[:, :width]
        spread[cluster] = np.sqrt(np.einsum("ij,ij->", apart, apart) / len(block))
    return centres, spread
