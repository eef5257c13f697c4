"""How near the positives of an anchor are to its items, and how near its other candidates are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.context import Vectors
from hardneg.ragged import BoolArray, IntArray, Ragged, place_within
from hardneg.similarity import FloatArray, wide_rows
from hardneg.table import Rows

__all__ = ["NEARNESS", "nearness"]

Figures = NDArray[np.float64]
NEARNESS = ("near_max", "near_second", "near_mean", "near_within", "near_crowd")
_CROWD, _NEAREST = 64, 9  # candidates that local density is measured among at most, and how many of them are near
_ANCHORS = 256  # whose figures are in memory at a time


def nearness(vectors: Vectors, positive: Ragged, rows: Rows, hidden: BoolArray) -> tuple[Figures, IntArray]:
    """The figures ``NEARNESS`` of rows, shape ``(len(NEARNESS), n)``, and the item row of each one's nearest positive.

    NaN and -1 where there is no positive but the item itself.

    Args:
        vectors: that are compared.
        positive: of each anchor, rising.
        rows: sorted by anchor, with ``rank``; all candidates of an anchor together.
        hidden: which are known positives taken as unknown.
    """
    out, nearest = np.full((len(NEARNESS), len(rows)), np.nan), np.full(len(rows), -1, np.int64)
    crowd = _crowd(rows.anchor, np.where(hidden, -1, rows["rank"]))
    first = np.flatnonzero(place_within(rows.anchor) == 0)
    for start in range(0, len(first), _ANCHORS):
        bounds = np.append(first, len(rows))[start : start + _ANCHORS + 1]
        part = slice(int(bounds[0]), int(bounds[-1]))
        lists = positive.take(rows.anchor[bounds[:-1]])
        found = _block(vectors, lists, rows.item[part], hidden[part], (bounds - bounds[0], crowd[part]))
        out[:, part], nearest[part] = found
    return out, nearest


def _block(
    vectors: Vectors, lists: Ragged, items: IntArray, hidden: BoolArray, parts: tuple[IntArray, BoolArray]
) -> tuple[Figures, IntArray]:
    """The figures of the items of some anchors; ``parts`` says where each anchor's begin and which are its crowd."""
    bounds, crowd = parts
    n, many = len(items), lists.lengths()
    width = max(1, int(many.max(initial=0)))
    sims, among = np.full((n, width), -np.inf, np.float32), np.zeros((len(lists), width))
    density = np.full(n, np.nan)
    for at in np.flatnonzero(many).tolist():
        known, mine = lists[at], slice(int(bounds[at]), int(bounds[at + 1]))
        wide = wide_rows(vectors.items, np.concatenate([known, items[mine]]), vectors.similarity)
        p = len(known)
        found = _alike(wide, wide[:p], vectors)
        sims[mine, :p] = found[p:]
        np.fill_diagonal(found[:p], 0)
        among[at, :p] = found[:p].sum(axis=1, dtype=np.float64)
        density[mine] = _density(wide[p:], np.flatnonzero(crowd[mine]), vectors)
    row = np.repeat(np.arange(len(lists)), np.diff(bounds))
    place = lists.find(row, items)
    own = np.flatnonzero(place >= 0)
    sims[own, place[own]] = -np.inf  # nothing is compared with itself
    others = many[row] - (place >= 0)
    best = sims.max(axis=1).astype(np.float64)
    second = np.partition(sims, width - 2, axis=1)[:, width - 2] if width > 1 else best
    out = np.stack([
        best,
        np.where(others > 1, second, best),
        np.where(np.isfinite(sims), sims, 0).sum(axis=1, dtype=np.float64) / np.maximum(others, 1),
        best - _within(among, many, row, np.where(hidden, place, -1)),
        best - density,
    ])  # fmt: skip
    nearest = np.append(lists.values, -1)[lists.offsets[row] + sims.argmax(axis=1)]
    return np.where(others > 0, out, np.nan), np.where(others > 0, nearest, -1)


def _crowd(anchor: IntArray, rank: NDArray[np.int32]) -> BoolArray:
    """At most so many ranked rows of each anchor, evenly from the first to the last."""
    order = np.lexsort((rank, rank < 0, anchor))
    order = order[rank[order] >= 0]
    mine = anchor[order]
    many = np.searchsorted(mine, mine, side="right") - np.searchsorted(mine, mine)
    out = np.zeros(len(anchor), bool)
    out[order] = place_within(mine) % -(-many // _CROWD) == 0
    return out


def _density(mine: Figures, crowd: IntArray, vectors: Vectors) -> Figures:
    """The mean similarity of each row to the nearest rows of a crowd, itself left out; NaN where there are few.

    Local density, as in the cross-domain similarity of Conneau et al. 2018 (arXiv 1710.04087).
    """
    if len(crowd) <= _NEAREST:
        return np.full(len(mine), np.nan)
    sims = _alike(mine, mine[crowd], vectors)
    outside = np.ones(len(mine), bool)
    outside[crowd] = False
    sims[outside, -1] = -np.inf  # so that all are compared with as many
    sims[crowd, np.arange(len(crowd))] = -np.inf
    near = np.partition(sims, len(crowd) - _NEAREST, axis=1)[:, -_NEAREST:]
    return np.asarray(near.sum(axis=1, dtype=np.float64) / _NEAREST)


def _within(among: Figures, many: IntArray, row: IntArray, left_out: IntArray) -> Figures:
    """The mean similarity of the positives of each row's anchor among themselves, without the one at ``left_out``.

    ``among`` is what the similarities of each positive to the others add up to.
    """
    p, total = many[row], among.sum(axis=1)[row]
    less = left_out >= 0
    total = total - np.where(less, 2 * among[row, np.maximum(left_out, 0)], 0)
    pairs = (p - less) * (p - less - 1)
    return np.where(pairs > 0, total / np.maximum(pairs, 1), np.nan)


def _alike(left: Figures, right: Figures, vectors: Vectors) -> FloatArray:
    """How alike rows are that :func:`wide_rows` made.

    In float64 and then rounded to float32, so that how a product is cut up practically never shows.
    """
    products = left @ right.T
    if vectors.similarity == "euclidean":
        squares = (left * left).sum(axis=1)[:, None] + (right * right).sum(axis=1) - 2 * products
        products = -np.sqrt(np.maximum(squares, 0))
    return products.astype(np.float32)
