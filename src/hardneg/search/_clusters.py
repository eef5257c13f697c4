"""k-means over the items: which lie together, and so need only be looked at together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hardneg import random
from hardneg.matrix import Matrix
from hardneg.parallel import each
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Clusters", "clustered"]

_ROUNDS = 3
_SAMPLE = 32  # points a cluster that the centres are learned from
_MOST = 2**18  # but no more in all, for they are held in memory
_BLOCK = 2048  # points that one thread works on at a time: decides the last bits, so it depends on nothing
_REGIONS = 512  # at most so many; points of one region are compared with the same centres
_CANDIDATES = 1536  # so many, those nearest to its middle
_APART = 1.5  # how much the direction of the first error counts for a second cluster


@dataclass(frozen=True, eq=False)
class Clusters:
    """What lies together.

    Args:
        centres: shape ``(c, d)``.
        of: the clusters of each point, the nearest first, shape ``(n, 2)``; ``(n, 1)`` where there is only one.
        spread: how far points lie from the centre of their first cluster, shape ``(c,)``.
    """

    centres: FloatArray
    of: NDArray[np.int32]
    spread: FloatArray


def clustered(points: Matrix, count: int) -> Clusters:
    """Put each point into two of ``count`` clusters.

    The centres are learned on a sample by Lloyd's algorithm (1982), from random points. The second cluster of a point
    is near it too, but in another direction (Sun et al., SOAR, 2023): where an anchor takes the one for further away
    than the point is, it seldom does so with the other. The same points give the same clusters, whatever the number of
    threads.

    >>> clustered(np.array([[0.0], [0.1], [9.0], [9.1]], np.float32), 1).of.tolist()
    [[0], [0], [0], [0]]
    """
    with threadpool_limits(1, "blas"):
        sample = points[_some(0, len(points), min(count * _SAMPLE, max(count, _MOST)))]
        regions = max(1, min(_REGIONS, count // 8))
        few = sample[_some(1, len(sample), regions * _SAMPLE)]
        middles = _learned(few, regions, lambda centres: _nearest(few, centres))
        near = _Near(sample, middles)
        centres = _learned(sample, count, near.first)
        return _Near(points, middles).clusters(centres)


def _learned(points: FloatArray, count: int, nearest: Callable[[FloatArray], IntArray]) -> FloatArray:
    """The centres of clusters, from random points."""
    centres = points[_some(2, len(points), count)]
    for _ in range(_ROUNDS if count > 1 else 0):
        centres = _means(points, nearest(centres), centres)
    return centres


class _Near:
    """Finds centres near points, region by region: only those near the middle of a region are looked at."""

    def __init__(self, points: Matrix, middles: FloatArray) -> None:
        self._points, self._middles = points, middles
        region = _nearest(points, middles)
        order, stops = np.argsort(region, kind="stable"), np.cumsum(np.bincount(region, minlength=len(middles)))
        self._blocks = [
            (one, order[at : min(at + _BLOCK, stop)])
            for one, (start, stop) in enumerate(pairwise([0, *stops.tolist()]))
            for at in range(start, stop, _BLOCK)
        ]

    def first(self, centres: FloatArray) -> IntArray:
        """The nearest centre of each point, shape ``(n,)``."""
        out = np.zeros(len(self._points), np.int64)

        def look(rows: IntArray, points: FloatArray, few: IntArray) -> None:
            out[rows] = few[_apart(points, centres[few]).argmin(axis=1)]

        self._each(centres, look)
        return out

    def clusters(self, centres: FloatArray) -> Clusters:
        """Two centres for each point."""
        n, count = len(self._points), len(centres)
        of, far = np.zeros((n, min(2, count)), np.int32), np.zeros(n)

        def look(rows: IntArray, points: FloatArray, few: IntArray) -> None:
            found, far[rows] = _two(points, centres[few])
            of[rows] = few[found[:, : of.shape[1]]]

        self._each(centres, look)
        members = np.maximum(np.bincount(of[:, 0], minlength=count), 1)
        return Clusters(centres, of, np.sqrt(np.bincount(of[:, 0], far, count) / members).astype(np.float32))

    def _each(self, centres: FloatArray, look: Callable[[IntArray, FloatArray, IntArray], None]) -> None:
        few = min(_CANDIDATES, len(centres))
        near = np.argpartition(_apart(self._middles, centres), few - 1, axis=1)[:, :few]
        near.sort(axis=1)
        each(lambda block: look(block[1], self._points[block[1]], near[block[0]]), self._blocks)


def _apart(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Half the squared distance of each point from each centre, but for what is the point's alone."""
    return np.asarray(np.einsum("ij,ij->i", centres, centres) / 2 - points @ centres.T, np.float32)


def _two(points: FloatArray, centres: FloatArray) -> tuple[IntArray, FloatArray]:
    """The nearest centre of each point and a second one, shape ``(n, 2)``, and the squared distance to the first."""
    rows, apart = np.arange(len(points)), _apart(points, centres)
    first = apart.argmin(axis=1)
    error = points - centres[first]
    squares = np.einsum("ij,ij->i", error, error)
    error /= np.sqrt(np.maximum(squares, np.finfo(np.float32).tiny))[:, None]
    along = error @ centres.T
    along -= np.einsum("ij,ij->i", error, points)[:, None]
    np.square(along, out=along)
    along *= np.float32(_APART / 2)
    apart += along
    apart[rows, first] = np.inf
    return np.stack([first, apart.argmin(axis=1)], axis=1), squares


def _some(stream: int, n: int, few: int) -> IntArray:
    """Some of ``n`` rows at random, rising."""
    return np.sort(np.argsort(random.uniform(stream, np.arange(n)), kind="stable")[:few])


def _nearest(points: Matrix, centres: FloatArray) -> IntArray:
    """The nearest centre of each point, read block by block."""

    def nearest(start: int) -> IntArray:
        block = points[start : min(start + _BLOCK, len(points))]
        return np.asarray(_apart(block, centres).argmin(axis=1), np.int64)

    return np.concatenate([np.zeros(0, np.int64), *each(nearest, range(0, len(points), _BLOCK))])


def _means(points: FloatArray, cluster: IntArray, centres: FloatArray) -> FloatArray:
    """The mean of each cluster; an empty one keeps its centre."""
    order = np.argsort(cluster, kind="stable")
    counts = np.bincount(cluster, minlength=len(centres))
    some = np.flatnonzero(counts)
    out = centres.copy()
    sums = np.add.reduceat(points[order], (np.cumsum(counts) - counts)[some])
    out[some] = sums / counts[some, None].astype(np.float32)
    return out
