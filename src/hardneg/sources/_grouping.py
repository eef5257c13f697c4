"""Vectors in clusters: learned from a sample where they are many, the others assigned block by block."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hardneg import random
from hardneg.matrix import Matrix, Reordered
from hardneg.predict._extra import needs
from hardneg.ragged import IntArray
from hardneg.search import Constraints, Exact
from hardneg.similarity import FloatArray, Similarity, prepared

__all__ = ["NOISE", "Grouping", "Method", "clusters_for", "grouping"]

Method = Literal["kmeans", "minibatch", "hdbscan", "faiss"]
_PACKAGES = {
    "kmeans": ("sklearn.cluster", "labels"),
    "minibatch": ("sklearn.cluster", "labels"),
    "hdbscan": ("sklearn.cluster", "labels"),
    "faiss": ("faiss", "ann"),
}
NOISE = -1  # what is in no cluster

_LEARN_LEAST = 20_000  # the vectors that clusters are learned from: all of them up to this number, and beyond
_LEARN = 64  # so many a cluster
_LEARN_DENSE = 10_000  # and for hdbscan, whose time grows with the square
_BLOCK = 2048  # vectors assigned at a time
_TIE = 1e-9  # centres as near as this, relative to the squared lengths, are equally near: the first one counts


@dataclass(frozen=True, eq=False)
class Grouping:
    """Clusters that were found: how any vectors are assigned to them, and what they were learned from.

    ``labels`` are the clusters of the rows in ``sample`` where a method says so itself; None where nearness decides.
    """

    assign: Callable[[Matrix], IntArray]
    sample: IntArray
    labels: IntArray | None = None

    def of(self, items: Matrix, rows: IntArray) -> IntArray:
        """The cluster of each item, shape ``(m,)``; ``NOISE`` for all but ``rows``, which rise."""
        out = np.full(len(items), NOISE, np.int64)
        out[rows] = self.assign(items if len(rows) == len(items) else Reordered(items, rows))
        if self.labels is not None:
            out[self.sample] = self.labels
        return out


def clusters_for(items: int) -> int:
    """How many clusters so many items are put into: the square root of half their number (Mardia 1979).

    >>> clusters_for(20_000), clusters_for(3)
    (100, 2)
    """
    return max(2, round(float(np.sqrt(items / 2))))


def grouping(items: Matrix, rows: IntArray, similarity: Similarity, method: Method, size: int, seed: int) -> Grouping:
    """Find clusters among some rows of ``items``, shape ``(m, d)``; with cosine, of their directions.

    Args:
        items: the vectors.
        rows: which of them may be looked at, rising.
        similarity: cosine groups unit vectors, the others the vectors as they are.
        method: what finds them.
        size: the number of clusters, or for ``hdbscan`` the least size of one.
        seed: draws the sample and the first centres.

    Raises MissingExtraError where the method's package is not installed.
    """
    package = needs(*_PACKAGES[method])  # before the limit on threads, which holds for what is loaded already
    limit = _LEARN_DENSE if method == "hdbscan" else max(_LEARN_LEAST, _LEARN * size)
    sample = _sample(rows, limit, seed)
    points = _points(items[sample], similarity)
    with threadpool_limits(1):  # sums in one order, so the same clusters on any number of processors
        if method == "hdbscan":
            labels = _hdbscan(package, points, size)
            return Grouping(_nearest_item(items, sample, labels, similarity), sample, labels)
        centres = _METHODS[method](package, points, min(size, len(points)), seed)
    return Grouping(_nearest_centre(centres, similarity), sample)


def _sample(rows: IntArray, limit: int, seed: int) -> IntArray:
    """At most ``limit`` of the rows, drawn at random, rising."""
    if len(rows) <= limit:
        return rows
    return np.sort(rows[np.argsort(random.uniform(seed, rows), kind="stable")[:limit]])


def _points(vectors: NDArray[Any], similarity: Similarity) -> FloatArray:
    return np.ascontiguousarray(prepared(vectors.astype(np.float32, copy=False), similarity))


def _kmeans(package: Any, points: FloatArray, n: int, seed: int) -> FloatArray:
    """Centres by Lloyd's algorithm (1982) from k-means++ (Arthur and Vassilvitskii 2007)."""
    return _fitted(package.KMeans, points, n_clusters=n, n_init=1, random_state=seed % 2**32)


def _minibatch(package: Any, points: FloatArray, n: int, seed: int) -> FloatArray:
    """Centres from small random batches (Sculley 2010)."""
    return _fitted(package.MiniBatchKMeans, points, n_clusters=n, n_init=1, batch_size=1024, random_state=seed % 2**32)


def _fitted(kind: Any, points: FloatArray, **options: Any) -> FloatArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer different points than clusters: the others stay empty
        model = kind(**options).fit(points)
    return np.asarray(model.cluster_centers_, np.float32)


def _faiss(package: Any, points: FloatArray, n: int, seed: int) -> FloatArray:
    """Centres by FAISS (Johnson 2017)."""
    before = package.omp_get_max_threads()
    package.omp_set_num_threads(1)
    try:
        rules = {"min_points_per_centroid": 1, "max_points_per_centroid": len(points)}
        model = package.Kmeans(points.shape[1], n, niter=25, seed=seed % 2**31, **rules)
        model.train(points)
    finally:
        package.omp_set_num_threads(before)
    return np.asarray(model.centroids, np.float32)


_METHODS: dict[str, Callable[[Any, FloatArray, int, int], FloatArray]] = {
    "kmeans": _kmeans, "minibatch": _minibatch, "faiss": _faiss,
}  # fmt: skip


def _hdbscan(package: Any, points: FloatArray, least: int) -> IntArray:
    """Clusters of any shape, and noise that belongs to none (Campello 2013)."""
    if len(points) < least:
        return np.full(len(points), NOISE, np.int64)
    return np.asarray(package.HDBSCAN(min_cluster_size=least, copy=True).fit(points).labels_, np.int64)


def _nearest_centre(centres: FloatArray, similarity: Similarity) -> Callable[[Matrix], IntArray]:
    """Assign each vector to the nearest centre, in float64; of equally near ones to the first."""
    wide = centres.astype(np.float64)
    squares = np.einsum("ij,ij->i", wide, wide)

    def assign(vectors: Matrix) -> IntArray:
        found = [np.zeros(0, np.int64)]
        for start in range(0, len(vectors), _BLOCK):
            points = _points(vectors[start : start + _BLOCK], similarity).astype(np.float64)
            far = squares - 2 * (points @ wide.T)
            slack = _TIE * (np.einsum("ij,ij->i", points, points) + squares.max())
            found.append((far <= far.min(axis=1, keepdims=True) + slack[:, None]).argmax(axis=1))
        return np.concatenate(found)

    return assign


def _nearest_item(
    items: Matrix, sample: IntArray, labels: IntArray, similarity: Similarity
) -> Callable[[Matrix], IntArray]:
    """Assign each vector to the cluster of the nearest item that clusters were learned from: noise where that is."""
    known = items[sample]
    near: Similarity = "cosine" if similarity == "cosine" else "euclidean"

    def assign(vectors: Matrix) -> IntArray:
        free = Constraints.none(len(vectors), len(known))
        return labels[Exact().search(vectors, known, 1, near, free).items.values]

    return assign
