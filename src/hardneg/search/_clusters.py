"""k-means over the items: which lie together, and so need only be looked at together."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from hardneg import random
from hardneg.matrix import Matrix
from hardneg.parallel import each
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["clustered"]

_ROUNDS = 5
_SAMPLE = 32  # points a cluster that the centres are learned from
_BLOCK = 2048  # points that one thread works on at a time: decides the last bits, so it depends on nothing


def clustered(points: Matrix, count: int) -> IntArray:
    """The cluster of each point, shape ``(n,)``: Lloyd's algorithm (1982) on a sample, from random points.

    The same points give the same clusters, whatever the number of threads.

    >>> clustered(np.array([[0.0], [0.1], [9.0], [9.1]], np.float32), 1).tolist()
    [0, 0, 0, 0]
    """
    n = len(points)
    few = min(n, count * _SAMPLE)
    sample = points[np.sort(np.argsort(random.uniform(0, np.arange(n)), kind="stable")[:few])]
    centres = sample[np.argsort(random.uniform(1, np.arange(few)), kind="stable")[:count]]
    with threadpool_limits(1, "blas"):
        for _ in range(_ROUNDS if count > 1 else 0):
            centres = _means(sample, _nearest(sample, centres), centres)
        return _nearest(points, centres)


def _nearest(points: Matrix, centres: FloatArray) -> IntArray:
    """The nearest centre of each point, read block by block."""
    less = np.einsum("ij,ij->i", centres, centres) / 2

    def nearest(start: int) -> IntArray:
        block = points[start : min(start + _BLOCK, len(points))]
        return np.asarray((block @ centres.T - less).argmax(axis=1), np.int64)

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
