"""From texts to vectors: each different text once, and only those that the cache does not hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._base import Encoder, Role
from hardneg.encode._keys import Texts, distinct, rows_of, text_keys
from hardneg.encode._resume import Progress, computed
from hardneg.encode.cache import EmbeddingCache
from hardneg.errors import InputError
from hardneg.matrix import Matrix, Reordered
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["encode_texts"]


def encode_texts(
    encoder: Encoder,
    texts: Texts,
    role: Role,
    cache: EmbeddingCache | None = None,
    progress: Progress | None = None,
) -> Matrix:
    """Vectors of shape ``(len(texts), d)``, float32, in the order of the texts; on disk where they are many.

    A text that occurs twice is encoded once. With a cache only new texts are encoded, and they are kept while
    going: after a kill the same call goes on where it was. ``progress(done, total)`` counts different texts.

    Raises InputError for no texts, a missing text, vectors of a wrong shape, NaN or infinity (naming the text).

    >>> from hardneg.encode import WordLlama
    >>> encode_texts(WordLlama(dim=64), ["a fox", "a hen", "a fox"], "item").shape
    (3, 64)
    """
    keys = text_keys(texts)
    if not len(keys):
        raise InputError(f"There are no {role} texts to encode.")
    first, number = distinct(keys)

    def compute(rows: IntArray) -> FloatArray:
        wanted = rows_of(texts, first[rows])
        return _sound(encoder.encode(wanted, role), wanted, first[rows], f"The encoder '{encoder.name}'")

    shards = cache.shards(encoder.key(role)) if cache else None
    vectors = computed(keys[first], shards, compute, max(1, encoder.chunk), progress)
    if len(first) == len(number):
        return vectors
    return vectors[number] if isinstance(vectors, np.ndarray) else Reordered(vectors, number)


def _sound(vectors: NDArray[np.generic], texts: list[str], rows: IntArray, who: str) -> FloatArray:
    """The vectors as float32 of shape ``(len(texts), d)``, or an error that names the first text gone wrong."""
    if vectors.ndim != 2 or len(vectors) != len(texts) or vectors.shape[1] == 0:
        raise InputError(f"{who} must give one vector for each text, shape ({len(texts)}, d). Got {vectors.shape}.")
    result = np.ascontiguousarray(vectors, np.float32)
    finite = np.isfinite(result).all(axis=1)
    if not finite.all():
        bad = int(np.flatnonzero(~finite)[0])
        count, first = int((~finite).sum()), f"row {rows[bad]}, {texts[bad][:60]!r}"
        raise InputError(
            f"{who} gave NaN or infinity for {count} texts (first: {first}).",
            remedy="Half precision that overflows is a common cause: try precision=float32.",
        )
    return result
