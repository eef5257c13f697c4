"""Exact constrained search on the CPU: blocked matrix products propose, exact pair scores decide.

A float32 matrix product differs in its last bits with the shape of the block and the number of threads. So it
only proposes: every item whose product comes within the rounding bound of the k-th best is scored again by
:func:`hardneg.similarity.pair_scores`, and that score ranks. The answer is the same for any block and any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray, Ragged
from hardneg.search._base import Constraints, Hits
from hardneg.similarity import FloatArray, Similarity, lengths, pair_scores, prepared

__all__ = ["Exact"]

_UNIT = 2.0**-24  # rounding unit of float32
_TINY = 2.0**-126  # smallest normal float32
_LARGE = 2.0**32  # vectors with larger numbers are scaled, so that no product overflows


@dataclass(frozen=True)
class Exact:
    """Exact search; the block sizes decide on memory and speed, never on the result."""

    anchor_block: int = 1024
    item_block: int = 8192

    def search(
        self, anchors: FloatArray, items: FloatArray, k: int, similarity: Similarity, constraints: Constraints
    ) -> Hits:
        """See :class:`hardneg.search.Engine`.

        >>> points = np.array([[0.0], [1.0], [3.0]], np.float32)
        >>> hits = Exact().search(points[:1], points, 2, "euclidean", Constraints.none(1, 3))
        >>> hits.items[0].tolist(), hits.scores.tolist()
        ([0, 1], [-0.0, -1.0])
        """
        job = _Job(anchors, items, k, similarity, constraints)
        blocks = [
            job.block(np.arange(start, min(start + self.anchor_block, len(anchors))), self.item_block)
            for start in range(0, len(anchors), self.anchor_block)
        ]
        rows, found, scores, ranks = (
            (np.concatenate([block[i] for block in blocks]) for i in range(4))
            if blocks
            else (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int32))
        )
        counts = np.bincount(rows, minlength=len(anchors))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Hits(Ragged(offsets, found), scores, ranks)


@dataclass(eq=False)
class _Job:
    anchors: FloatArray
    items: FloatArray
    k: int
    similarity: Similarity
    constraints: Constraints

    def __post_init__(self) -> None:
        self.left = prepared(self.anchors, self.similarity)
        self.right = self.items
        self.factors = 1 / lengths(self.items) if self.similarity == "cosine" else None
        if self.factors is not None and not ((self.factors < _LARGE) & (self.factors > 1 / _LARGE)).all():
            self.right, self.factors = prepared(self.items, self.similarity), None
        if self.similarity == "dot":
            self.left, self.right = _in_range(self.left)[0], _in_range(self.right)[0]
        elif self.similarity == "euclidean":
            self.left, self.right = _in_range(self.left, self.right)
        if self.similarity == "cosine":
            self.half_squares = np.full(min(1, len(self.items)), 0.5)  # every length is 1
        else:
            self.half_squares = np.einsum("ij,ij->i", self.right, self.right) / 2
        self.bound = self._rounding_bound()

    def _rounding_bound(self) -> NDArray[np.float64]:
        """How far a product of each anchor may be from its true value, twice (two values are compared).

        A distance is rounded after its root, so far away many different products become one distance.
        """
        d = self.left.shape[1]
        longest = float(np.sqrt(2 * self.half_squares.max(initial=0)))
        lengths = np.sqrt(np.einsum("ij,ij->i", self.left, self.left, dtype=np.float64))
        bound = 2 * (d + 8) * (_UNIT * lengths * longest + _TINY)
        if self.similarity == "euclidean":
            bound += 2 * (d + 8) * _UNIT * longest**2 + 8 * _UNIT * (lengths + longest) ** 2
        return np.asarray(bound, np.float64)

    def block(self, rows: IntArray, item_block: int) -> tuple[IntArray, IntArray, FloatArray, NDArray[np.int32]]:
        """The answer for some anchors, as flat columns (anchor, item, score, rank), best first."""
        excluded = self.constraints.excluded.take(rows)
        at = np.zeros(0, np.int64)
        found = np.zeros(0, np.int64)
        products = np.zeros(0, np.float32)
        floor = np.full(len(rows), -np.inf)
        for start in range(0, len(self.items), item_block):
            fresh = self._proposals(rows, excluded, slice(start, start + item_block), floor)
            at, found = np.concatenate([at, fresh[0]]), np.concatenate([found, fresh[1]])
            products = np.concatenate([products, fresh[2]])
            at, found, products, floor = self._within(at, found, products, self.bound[rows])
        scores = pair_scores(self.anchors, self.items, rows[at], found, self.similarity)
        at, found, scores = _best(at, found, scores, self.k)
        return rows[at], found, scores, self._ranks(rows, excluded, at, found, scores)

    def _prepared(self, block: slice) -> FloatArray:
        """The items of a block, of unit length for cosine: a block at a time, so no copy of all of them is made."""
        if self.factors is None:
            return self.right[block]
        return np.asarray(self.right[block] * self.factors[block].astype(np.float32)[:, None], np.float32)

    def _proposals(
        self, rows: IntArray, excluded: Ragged, block: slice, floor: NDArray[np.float64]
    ) -> tuple[IntArray, IntArray, FloatArray]:
        """Pairs of this block that may be among the best (within the rounding bound of the k-th), with products."""
        products = self.left[rows] @ self._prepared(block).T
        if self.similarity == "euclidean":
            products -= self.half_squares[block]
        products[:, self.constraints.barred[block]] = -np.inf
        inside = (excluded.values >= block.start) & (excluded.values < block.start + products.shape[1])
        products[excluded.rows()[inside], excluded.values[inside] - block.start] = -np.inf
        if products.shape[1] > self.k and not np.isfinite(floor).all():
            kth = np.partition(products, products.shape[1] - self.k, axis=1)[:, products.shape[1] - self.k]
            floor = np.maximum(floor, kth)
        floor = np.maximum(floor - self.bound[rows], np.finfo(np.float32).min)
        hits = np.flatnonzero(products >= floor[:, None].astype(np.float32))
        at, columns = np.divmod(hits, products.shape[1])
        return at, columns + block.start, products.ravel()[hits]

    def _within(
        self, at: IntArray, found: IntArray, products: FloatArray, bound: NDArray[np.float64]
    ) -> tuple[IntArray, IntArray, FloatArray, NDArray[np.float64]]:
        """Those within the rounding bound of their anchor's k-th product, and that product (-inf where fewer)."""
        order = np.argsort(_descending(at, products))
        at, found, products = at[order], found[order], products[order]
        counts = np.bincount(at, minlength=len(bound))
        full = np.flatnonzero(counts >= self.k)
        floor = np.full(len(bound), -np.inf)
        floor[full] = products[np.cumsum(counts)[full] - counts[full] + self.k - 1]
        keep = products >= (floor - bound)[at]
        return at[keep], found[keep], products[keep], floor

    def _ranks(
        self, rows: IntArray, excluded: Ragged, at: IntArray, found: IntArray, scores: FloatArray
    ) -> NDArray[np.int32]:
        """Places in the list without constraints: every excluded item that comes earlier counts."""
        open_to_all = ~self.constraints.barred[excluded.values]
        ex_at, ex_items = excluded.rows()[open_to_all], excluded.values[open_to_all]
        ex_scores = pair_scores(self.anchors, self.items, rows[ex_at], ex_items, self.similarity)
        order = np.lexsort(
            (np.concatenate([found, ex_items]), -np.concatenate([scores, ex_scores]), np.concatenate([at, ex_at]))
        )
        joined = np.concatenate([at, ex_at])[order]
        counts = np.bincount(joined, minlength=len(rows))
        place = np.arange(len(joined)) - np.repeat(np.cumsum(counts) - counts, counts)
        ranks = np.empty(len(joined), np.int32)
        ranks[order] = place
        return ranks[: len(at)]


def _in_range(*vectors: FloatArray) -> tuple[FloatArray, ...]:
    """The vectors, all scaled by one power of two where their numbers are too large or too small to multiply."""
    largest = max((float(max(one.max(), -one.min())) for one in vectors if one.size), default=0.0)
    if largest == 0 or 1 / _LARGE <= largest <= _LARGE:
        return vectors
    scale = 2.0 ** -np.floor(np.log2(largest))
    return tuple(np.asarray(one * scale, np.float32) for one in vectors)


def _descending(at: IntArray, values: FloatArray) -> NDArray[np.int64]:
    """Numbers that sort by ``at``, then by falling value: one sort of whole numbers, faster than a sort by two keys."""
    bits = (values + np.float32(0)).view(np.int32)  # + 0 makes -0 and 0 the same bits
    wide = bits.astype(np.int64)
    rising = np.where(bits < 0, ~wide & 0xFFFFFFFF, wide | 0x80000000)
    return np.asarray((at << 32) | (0xFFFFFFFF - rising), np.int64)


def _best(at: IntArray, found: IntArray, scores: FloatArray, k: int) -> tuple[IntArray, IntArray, FloatArray]:
    """The k best of each anchor, by score and then item order."""
    order = np.lexsort((found, -scores, at))
    at, found, scores = at[order], found[order], scores[order]
    counts = np.bincount(at, minlength=int(at.max(initial=-1)) + 1)
    place = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
    keep = place < k
    return at[keep], found[keep], scores[keep]
