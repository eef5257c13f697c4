"""Which candidates are nearly a harder candidate of the same anchor, so that one noise does not fill a whole set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from hardneg.context import Vectors
from hardneg.ragged import BoolArray, IntArray
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["repeats"]

_BLOCK = 1024  # easier rows compared at a time
_SLACK = 1e-6  # above what a product in float64 and a score rounded to float32 can differ by


def repeats(rows: Rows, leads: BoolArray, vectors: Vectors, among: float) -> FloatArray:
    """For each row its highest similarity to a harder row of its anchor that stays, NaN where that is under ``among``.

    Rows stand hardest first. From the first on each stays that is not so similar to one that stays, so that those that
    stay are all unlike one another and every repeat is like one of them.

    Args:
        rows: sorted by anchor.
        leads: what stays as far as other rules go, shape ``(len(rows),)``; the others hold nothing back.
        vectors: of the primary encoder.
        among: the similarity from which on a row is a repeat, above 0.
    """
    out = np.full(len(rows), np.nan, np.float32)
    for start, stop in _runs(rows.anchor):
        out[start:stop] = _of_one(rows.item[start:stop], leads[start:stop].copy(), vectors, among)
    return out


def _of_one(items: IntArray, leads: BoolArray, vectors: Vectors, among: float) -> FloatArray:
    out = np.full(len(items), np.nan, np.float32)
    first, second = _likely(items, vectors, among)
    scores = vectors.item_pairs(items[first], items[second])
    near = scores >= among
    first, second, scores = first[near], second[near], scores[near]
    for start, stop in _runs(second):
        staying = leads[first[start:stop]]  # settled already: what is harder comes first
        if staying.any():
            out[second[start]] = scores[start:stop][staying].max()
            leads[second[start]] = False
    return out


def _likely(items: IntArray, vectors: Vectors, among: float) -> tuple[IntArray, IntArray]:
    """Pairs ``(harder, easier)`` that may reach ``among``, by the easier one; scores decide about them."""
    wide = np.asarray(vectors.items[items], np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    if vectors.similarity == "cosine":
        wide = np.divide(wide, lengths[:, None], out=np.zeros_like(wide), where=lengths[:, None] > 0)
        lengths = np.ones(len(items))
    if vectors.similarity == "euclidean":  # -|x - y| is never above 0
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    parts = []
    for start in range(0, len(items), _BLOCK):
        stop = min(start + _BLOCK, len(items))
        products = wide[start:stop] @ wide[:stop].T + _SLACK * np.outer(lengths[start:stop], lengths[:stop])
        easier, harder = np.nonzero(np.tril(products >= among, start - 1))
        parts.append((harder, easier + start))
    first, second = (np.concatenate(one) for one in zip(*parts, strict=True))
    return first, second


def _runs(values: IntArray) -> Iterator[tuple[int, int]]:
    """From where to where the same value stands."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return pairwise(edges if len(values) else [])
