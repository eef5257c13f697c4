"""Vectors on a plane, for the eye: the two directions along which they differ most.

Principal component analysis (Pearson 1901, Philosophical Magazine 2). It keeps little of what many numbers say: what is
near on the plane may be far apart, what is far on the plane is far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hardneg.context import Vectors
from hardneg.matrix import Matrix
from hardneg.ragged import BoolArray, IntArray
from hardneg.similarity import Similarity, wide_rows

__all__ = ["MOST", "Plane", "fitted", "places_of"]

Numbers = NDArray[np.float64]

MOST = 200_000
"""Things in all that are put on a plane; of a larger run nothing is kept."""

_FIT = 4000  # vectors that the plane is laid through
_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class Plane:
    """Where the plane lies: its middle, shape ``(d,)``, its two axes, shape ``(d, 2)``, its share of the variance."""

    middle: Numbers
    axes: Numbers
    share: float

    def of(self, vectors: Numbers) -> Numbers:
        """The places of vectors, shape ``(n, 2)``."""
        return (vectors.astype(np.float64) - self.middle) @ self.axes


def fitted(vectors: Numbers) -> Plane:
    """The plane through vectors of shape ``(n, d)``; the largest part of each axis is positive, so it has one sign.

    >>> plane = fitted(np.array([[0.0, 0, 0], [4, 0, 0], [0, 2, 0], [4, 2, 0.0]]))
    >>> plane.of(np.array([[2.0, 1, 0], [4, 2, 9]])).round(3).tolist(), plane.share
    ([[0.0, 0.0], [2.0, 1.0]], 1.0)
    """
    vectors = np.asarray(vectors, np.float64)
    middle = vectors.mean(axis=0)
    spread = vectors - middle
    values, axes = np.linalg.eigh(spread.T @ spread)
    first = axes[:, ::-1][:, :2]
    if first.shape[1] < 2:  # vectors of one number lie on a line
        first = np.concatenate([first, np.zeros((len(first), 2 - first.shape[1]))], axis=1)
    largest = first[np.abs(first).argmax(axis=0), [0, 1]]
    total = float(values.clip(0).sum())
    share = float(values.clip(0)[::-1][:2].sum()) / total if total else 0.0
    return Plane(middle, first * np.where(largest < 0, -1.0, 1.0), share)


def places_of(vectors: Vectors, used: BoolArray) -> pa.Table | None:
    """Where all anchors and the used items lie, in their order; None where they are too many, or none.

    Columns: ``side`` (anchor or item), ``x``, ``y``. The metadata has the ``share`` of the variance.
    """
    items = np.flatnonzero(used)
    if not len(items) or len(items) + len(vectors.anchors) > MOST:
        return None
    spread = items[np.unique(np.linspace(0, len(items) - 1, min(_FIT, len(items))).round().astype(np.int64))]
    with threadpool_limits(1, "blas"):  # however many threads there are, the same bits
        plane = fitted(wide_rows(vectors.items, spread, vectors.similarity))
        sides = ((vectors.anchors, np.arange(len(vectors.anchors))), (vectors.items, items))
        found = [np.concatenate([plane.of(some) for some in _blocks(matrix, rows, vectors.similarity)])
                 for matrix, rows in sides if len(rows)]  # fmt: skip
    both = np.concatenate(found).round(4).astype(np.float32)
    names = pa.array(["anchor", "item"])
    codes = np.repeat(np.arange(2, dtype=np.int8), [len(vectors.anchors), len(items)])
    side = pa.DictionaryArray.from_arrays(pa.array(codes), names)
    table = pa.table({"side": side, "x": both[:, 0], "y": both[:, 1]})
    return table.replace_schema_metadata({"share": f"{plane.share:.4f}"})


def _blocks(matrix: Matrix, rows: IntArray, similarity: Similarity) -> Iterator[Numbers]:
    for start in range(0, len(rows), _BLOCK):
        yield wide_rows(matrix, rows[start : start + _BLOCK], similarity)
