"""Formula and direction of a similarity. Above this file, higher always means more alike, so harder."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError, OptionError
from hardneg.ragged import IntArray

__all__ = ["FloatArray", "Similarity", "check_vectors", "pair_scores", "prepared", "zero_rows"]

FloatArray = NDArray[np.float32]
Similarity = Literal["cosine", "dot", "euclidean"]

# Pairs are scored in slices of about this many float64 numbers a side (2 MiB), which stay in a processor's cache.
_SLICE = 262_144


def check_similarity(name: str) -> None:
    """Raise OptionError unless ``name`` is a known similarity."""
    if name not in get_args(Similarity):
        raise OptionError(f"The 'similarity' must be one of {', '.join(get_args(Similarity))}. Got '{name}'.")


def check_vectors(vectors: NDArray[np.generic], what: str, *, rows: int | None = None) -> FloatArray:
    """Return ``vectors`` as C-ordered float32 of shape ``(n, d)``, or say what is wrong with them.

    Raises InputError for another shape, another number of rows than ``rows``, or a value that is not finite.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise InputError(f"The {what} vectors must have shape (n, d). Got {vectors.shape}.")
    if rows is not None and len(vectors) != rows:
        raise InputError(
            f"There must be one {what} vector for each id: {rows} ids, {len(vectors)} vectors.",
            remedy="Give vectors in the order of the ids, or name their ids.",
        )
    result = np.ascontiguousarray(vectors, np.float32)
    with np.errstate(invalid="ignore"):  # infinity less infinity
        total = result.sum(dtype=np.float64)
    if not np.isfinite(total) and not (finite := np.isfinite(result).all(axis=1)).all():
        bad = np.flatnonzero(~finite)
        raise InputError(
            f"{len(bad)} of the {len(result)} {what} vectors hold NaN or infinity (first: row {bad[0]}).",
            remedy="Encode these again, or leave them out; half precision that overflows is a common cause.",
        )
    return result


def zero_rows(vectors: FloatArray) -> NDArray[np.bool_]:
    """Which rows have length zero, shape ``(n,)``: they have no direction, so no cosine."""
    return np.asarray(~vectors.any(axis=1))


def prepared(vectors: FloatArray, similarity: Similarity) -> FloatArray:
    """Vectors whose plain dot product orders like ``similarity`` (unit length for cosine)."""
    if similarity != "cosine":
        return vectors
    return scaled(vectors, lengths(vectors))


def lengths(vectors: FloatArray) -> NDArray[np.float64]:
    """The length of each vector, 1 for a zero vector, shape ``(n,)``."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    return np.where(norms == 0, 1, norms)


def scaled(vectors: FloatArray, lengths: NDArray[np.float64]) -> FloatArray:
    """Each vector divided by its length, in float64 and then rounded, without a float64 copy of all."""
    return np.divide(vectors, lengths[:, None], out=np.empty(vectors.shape, np.float32), casting="unsafe")


def pair_scores(
    left: FloatArray, right: FloatArray, left_rows: IntArray, right_rows: IntArray, similarity: Similarity
) -> FloatArray:
    """Score ``left[left_rows[i]]`` against ``right[right_rows[i]]``; higher means more alike.

    Every engine's survivors pass through here. The sum runs in float64 over one pair at a time, so a score
    does not depend on which other pairs are scored with it, on a block size or on a thread count.

    Raises InputError for a score beyond the range of float32.

    ``cosine`` is x.y / (|x| |y|), ``dot`` is x.y, ``euclidean`` is -|x - y|.

    >>> x = np.array([[1.0, 0.0]], np.float32); y = np.array([[0.0, 2.0], [3.0, 0.0]], np.float32)
    >>> pair_scores(x, y, np.array([0, 0]), np.array([0, 1]), "cosine").tolist()
    [0.0, 1.0]
    """
    check_similarity(similarity)
    out = np.empty(len(left_rows), np.float32)
    step = max(1, _SLICE // left.shape[1])
    for start in range(0, len(out), step):
        part = slice(start, start + step)
        x = left[left_rows[part]].astype(np.float64)
        y = right[right_rows[part]].astype(np.float64)
        with np.errstate(over="ignore"):
            out[part] = _score(x, y, similarity)
    if not np.isfinite(out).all():
        raise InputError(
            f"The {similarity} of some vectors is beyond the range of float32.", remedy="Scale the vectors down."
        )
    return out


def _score(x: NDArray[np.float64], y: NDArray[np.float64], similarity: Similarity) -> NDArray[np.float64]:
    if similarity == "euclidean":
        gap = x - y
        return np.asarray(-np.sqrt(np.einsum("ij,ij->i", gap, gap)), np.float64)
    products: NDArray[np.float64] = np.einsum("ij,ij->i", x, y)
    if similarity == "dot":
        return products
    lengths = np.sqrt(np.einsum("ij,ij->i", x, x) * np.einsum("ij,ij->i", y, y))
    return np.asarray(products / np.where(lengths == 0, 1, lengths), np.float64)
