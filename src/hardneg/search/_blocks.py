"""Items a block at a time, made ready for a matrix product: float32, in range, unit length for cosine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.matrix import Matrix
from hardneg.ragged import IntArray, Ragged
from hardneg.search._base import Constraints
from hardneg.search._products import FLOAT32, Products, Ready
from hardneg.similarity import FloatArray, Similarity, Squares, lengths, pair_scores, scaled, squared

__all__ = ["Block", "Blocks", "Sides", "float_rows", "members", "norms"]

_LARGE = 2.0**32  # vectors longer or shorter than this (or its inverse) are scaled, so that no product overflows
_UNIT = 2.0**-24  # rounding unit of float32
_TINY = 2.0**-126  # smallest normal float32
_NEARLY_ONE = 2e-6  # lengths this close to 1 are left as they are, and the bound allows for it


def float_rows(vectors: Matrix, rows: Any) -> FloatArray:
    """Some rows as C-ordered float32."""
    if isinstance(vectors, np.ndarray) and isinstance(rows, np.ndarray):
        return np.ascontiguousarray(vectors.take(rows, axis=0), np.float32)  # quicker than vectors[rows]
    return np.ascontiguousarray(vectors[rows], np.float32)


@dataclass(frozen=True, eq=False)
class Sides:
    """How anchors and items are made ready, so that ``left @ right.T`` (less ``half_squares``) orders like the score.

    ``norms`` holds the items' lengths. ``scale`` is a power of two for each side. ``squares`` are those that exact
    scores would else work out again for each pair: for cosine the items', and the anchors' of :meth:`take`. With
    ``products`` both sides are multiplied.
    """

    anchors: Matrix
    items: Matrix
    similarity: Similarity
    norms: NDArray[np.float64]
    scale: tuple[float, float]
    divide: bool  # whether items must be divided by their length
    squares: tuple[Squares | None, Squares | None] = (None, None)
    products: Products = FLOAT32

    @classmethod
    def of(cls, anchors: Matrix, items: Matrix, similarity: Similarity) -> Sides:
        """Measure both sides once, block by block."""
        if similarity == "cosine":
            squares = squared(items)
            found = np.sqrt(np.where(squares == 0, 1, squares))
            off = np.abs(found - 1).max(initial=0)
            return cls(anchors, items, similarity, found, (1.0, 1.0), bool(off > _NEARLY_ONE), (None, squares))
        found = norms(items)
        longest = (norms(anchors).max(initial=0), found.max(initial=0))
        scale = (_scale(longest[0]), _scale(longest[1]))
        if similarity == "euclidean":
            scale = (_scale(max(longest)),) * 2
        return cls(anchors, items, similarity, found, scale, False)

    def lengths(self) -> NDArray[np.float64]:
        """The length of each item made ready."""
        return np.ones(len(self.norms)) if self.divide else self.norms * self.scale[1]

    def left(self, rows: IntArray) -> FloatArray:
        """Anchors made ready."""
        found = float_rows(self.anchors, rows)
        if self.similarity == "cosine":
            return scaled(found, lengths(found))
        return found if self.scale[0] == 1 else np.asarray(found * np.float32(self.scale[0]), np.float32)

    def right(self, rows: Any) -> FloatArray:
        """Items made ready; ``rows`` is a slice or an array of row numbers."""
        found = float_rows(self.items, rows)
        if self.divide:
            return scaled(found, self.norms[rows])
        return found if self.scale[1] == 1 else np.asarray(found * np.float32(self.scale[1]), np.float32)

    def half_squares(self, rows: Any) -> FloatArray | None:
        """What a product is lessened by so that it orders like a distance; None unless euclidean."""
        if self.similarity != "euclidean":
            return None
        return np.asarray((self.norms[rows] * self.scale[1]) ** 2 / 2, np.float32)

    def take(self, rows: IntArray) -> Sides:
        """The same with some of the anchors only, in memory."""
        anchors = self.anchors[rows]
        mine = squared(anchors) if self.similarity == "cosine" else None
        return replace(self, anchors=anchors, squares=(mine, self.squares[1]))

    def scores(self, anchors: IntArray, items: IntArray) -> FloatArray:
        """The exact score of each pair of rows."""
        return pair_scores(self.anchors, self.items, anchors, items, self.similarity, self.squares)

    def bound(self, left: FloatArray) -> NDArray[np.float64]:
        """How far the gap of two products of an anchor may be from its true value, shape ``(len(left),)``.

        What :meth:`leeway` adds comes on top. A distance is rounded after its root, so far away many different
        products become one distance.
        """
        d, longest = left.shape[1], self.longest
        size = np.sqrt(np.einsum("ij,ij->i", left, left, dtype=np.float64))
        bound = 2 * (self.products.off(left) * size * longest + (d + 8) * _TINY * (1 + size + longest))
        if self.similarity == "cosine":
            bound = bound + 2 * _NEARLY_ONE * (not self.divide)
        if self.similarity == "euclidean":
            bound = bound + 2 * (d + 8) * _UNIT * longest**2 + 8 * _UNIT * (size + longest) ** 2
            bound = bound + 2 * self.products.rounding * (1 + self.products.off(left)) * size * longest
        return np.asarray(bound, np.float64)

    @property
    def longest(self) -> float:
        """The length of the longest item made ready."""
        if self.similarity == "cosine":
            return 1 + _NEARLY_ONE
        return float(self.norms.max(initial=0)) * self.scale[1]

    def leeway(self, bound: NDArray[np.float64], products: NDArray[Any]) -> NDArray[np.float64]:
        """How far below such products of some anchors, each with its bound, others may be that are no lower in truth.

        Beside the bound a product is rounded by a share of itself; of a distance that is in the bound, as there the
        half square has still to go off.
        """
        share = 2 * self.products.rounding * (1 + 2 * self.products.rounding)
        if not share or self.similarity == "euclidean":
            return bound
        near = np.where(np.isfinite(products), np.abs(products), 0)  # beyond infinity there is nothing
        return np.asarray(bound + share * (near + bound))

    def product_of(self, scores: FloatArray, left: FloatArray) -> NDArray[np.float64]:
        """The product at which each anchor's score is reached; infinite where every or no product reaches it."""
        wide = scores.astype(np.float64)
        if self.similarity == "cosine":
            return wide
        if self.similarity == "dot":
            return wide * self.scale[0] * self.scale[1]
        squares = np.einsum("ij,ij->i", left, left, dtype=np.float64)
        with np.errstate(over="ignore"):
            reached = (squares - (wide * self.scale[0]) ** 2) / 2
        return np.where(wide > 0, np.inf, reached)


@dataclass(frozen=True, eq=False)
class Block:
    """Some items, ready to be multiplied. ``items`` holds their rows where they do not just count up from ``start``."""

    start: int
    stop: int
    vectors: Ready
    half_squares: FloatArray | None
    items: IntArray | None
    codes: tuple[tuple[IntArray, Ragged], ...]

    def item_rows(self, columns: IntArray) -> IntArray:
        """The row numbers of some columns."""
        return columns + self.start if self.items is None else self.items[columns]

    def columns(self, items: IntArray) -> IntArray:
        """The columns of items of this block; -1 for those that are not among them."""
        return items - self.start if self.items is None else self._places[items - self.start]

    @cached_property
    def _places(self) -> IntArray:
        places = np.full(self.stop - self.start, -1, np.int64)
        if self.items is not None:
            places[self.items - self.start] = np.arange(len(self.items))
        return places


@dataclass(frozen=True, eq=False)
class Blocks:
    """The items in blocks: barred ones left out, those with one code side by side."""

    sides: Sides
    constraints: Constraints

    def between(self, start: int, stop: int) -> Block:
        """The items of these row numbers as one block."""
        rows = self._rows(start, stop)
        which: Any = slice(start, stop) if rows is None else rows
        everything = np.arange(start, stop) if rows is None else rows
        codes = tuple(members(_codes_of(one.items, everything)) for one in self.constraints.unlike)
        return Block(
            start, stop, self.sides.products.ready(self.sides.right(which)), self.sides.half_squares(which), rows, codes
        )

    def _rows(self, start: int, stop: int) -> IntArray | None:
        """The items of a block in their order; None where they just count up."""
        barred = self.constraints.barred[start:stop]
        first = _first_codes(self.constraints)
        if not barred.any() and first is None:
            return None
        rows = np.flatnonzero(~barred) + start
        return rows if first is None else rows[np.argsort(first(rows), kind="stable")]


def _first_codes(constraints: Constraints) -> Callable[[IntArray], IntArray] | None:
    """By which codes to sort: the first that are one number for each item."""
    for one in constraints.unlike:
        if isinstance(one.items, np.ndarray):
            codes = one.items
            return lambda rows: codes[rows]
    return None


def _codes_of(codes: IntArray | Ragged, rows: IntArray) -> IntArray | Ragged:
    return codes.take(rows) if isinstance(codes, Ragged) else codes[rows]


def members(codes: IntArray | Ragged) -> tuple[IntArray, Ragged]:
    """The distinct codes, rising, and for each the places that have it.

    >>> names, places = members(np.array([7, -1, 3, 7]))
    >>> names.tolist(), places[1].tolist()
    ([3, 7], [0, 3])
    """
    if isinstance(codes, Ragged):
        values, places = codes.values, codes.rows()
    else:
        places = np.flatnonzero(codes >= 0)
        values = codes[places]
    order = np.argsort(values, kind="stable")
    names, starts = np.unique(values[order], return_index=True)
    offsets = np.append(starts, len(values)).astype(np.int64)
    return names, Ragged(offsets, places[order])


def norms(vectors: Matrix, step: int = 8192) -> NDArray[np.float64]:
    """The length of each vector."""
    out = np.zeros(len(vectors))
    for start in range(0, len(vectors), step):
        block = float_rows(vectors, slice(start, start + step))
        out[start : start + step] = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
    return out


def _scale(longest: float) -> float:
    """1, or the power of two that brings such a length near 1."""
    return 1.0 if longest == 0 or 1 / _LARGE <= longest <= _LARGE else float(2.0 ** -np.floor(np.log2(longest)))
