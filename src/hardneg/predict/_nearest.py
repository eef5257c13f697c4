"""The nearest rows of rows, and what their likeness weighs."""

from __future__ import annotations

import numpy as np

from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.search import Constraints, Exact
from hardneg.similarity import FloatArray

__all__ = ["nearest", "weights"]


def nearest(vectors: FloatArray, rows: IntArray, k: int, among: BoolArray) -> tuple[Ragged, FloatArray]:
    """The ``k`` rows most alike to each of ``rows`` by cosine, themselves left out, and their scores, flat.

    Args:
        vectors: shape ``(n, d)``.
        rows: row numbers to ask for.
        k: how many; fewer where fewer exist.
        among: which rows may be an answer, shape ``(n,)``.

    >>> line = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]], np.float32)
    >>> nearest(line, np.array([0, 2]), 1, np.ones(3, bool))[0].values.tolist()
    [1, 1]
    """
    itself = Ragged(np.arange(len(rows) + 1, dtype=np.int64), rows)
    hits = Exact().search(vectors[rows], vectors, k, "cosine", Constraints(itself, ~among))
    return hits.items, hits.scores


def weights(scores: FloatArray, temperature: float) -> FloatArray:
    """``exp((s - 1) / temperature)``: what a neighbour of this cosine weighs (Wu 2018, arXiv 1805.01978, section 3.4).

    >>> weights(np.array([1.0, 0.9], np.float32), 0.1).round(3).tolist() == [1.0, np.float32(0.368)]
    True
    """
    return np.asarray(np.exp((scores - 1) / np.float32(temperature)), np.float32)
