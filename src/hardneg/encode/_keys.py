"""Texts, whichever way they are held, and the keys of 16 bytes that stand for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.ragged import IntArray

__all__ = [
    "Keys",
    "Texts",
    "as_arrow",
    "as_keys",
    "content_keys",
    "digest",
    "distinct",
    "rows_of",
    "text_keys",
]

Keys = NDArray[np.uint64]
Texts: TypeAlias = Sequence[str] | pa.ChunkedArray | pa.Array

_SLICE = 16_384


def digest(text: object, row: int | None = None) -> bytes:
    """The 16 bytes that stand for a text: BLAKE2b of its UTF-8.

    Raises InputError, naming the row, for a value that is missing, no text, or cannot be written as UTF-8.
    """
    place = "A text" if row is None else f"The text in row {row}"
    if not isinstance(text, str):
        what = "missing" if text is None else f"{type(text).__name__}, not text"
        raise InputError(f"{place} is {what}.", remedy="Give every row a text, if only an empty one.")
    try:
        return hashlib.blake2b(text.encode(), digest_size=16).digest()
    except UnicodeEncodeError:
        raise InputError(
            f"{place} cannot be written as UTF-8: {text[:40]!r}.",
            remedy="Read the file with its own encoding, or replace the broken characters.",
        ) from None


def text_keys(texts: Texts) -> Keys:
    """The key of every text, shape ``(n, 2)``, two 64-bit halves.

    Raises InputError like ``digest``.
    """
    return as_keys(digest(text, row) for row, text in enumerate(_each(texts)))


def content_keys(digests: Iterable[str]) -> Keys:
    """Keys from the digests of pictures' contents in hex, 32 digits each."""
    return as_keys(bytes.fromhex(one) for one in digests)


def as_keys(digests: Iterable[bytes]) -> Keys:
    """Keys of shape ``(n, 2)`` from digests of 16 bytes."""
    return np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)


def as_arrow(keys: Keys) -> pa.Array:
    """The same keys as an Arrow array of 16 bytes each."""
    buffer = pa.py_buffer(np.ascontiguousarray(keys))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(keys), [None, buffer])


def distinct(keys: Keys) -> tuple[IntArray, IntArray]:
    """The row where each different key first occurs, in order, and for every row the number of its key.

    >>> first, number = distinct(text_keys(["b", "a", "b"]))
    >>> first.tolist(), number.tolist()
    ([0, 1], [0, 1, 0])
    """
    encoded = as_arrow(keys).dictionary_encode()
    number = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)
    first = np.empty(len(encoded.dictionary), np.int64)
    first[number[::-1]] = np.arange(len(number), dtype=np.int64)[::-1]
    return first, number


def rows_of(texts: Any, rows: IntArray) -> list[Any]:
    """The texts or pictures at ``rows``, in that order."""
    if isinstance(texts, (pa.ChunkedArray, pa.Array)):
        return [texts[int(row)].as_py() for row in rows]
    return [texts[int(row)] for row in rows]


def _each(texts: Texts) -> Iterator[object]:
    """All texts one after the other; an Arrow column is turned to Python a slice at a time."""
    if isinstance(texts, (pa.ChunkedArray, pa.Array)):
        for start in range(0, len(texts), _SLICE):
            yield from texts.slice(start, _SLICE).to_pylist()
    elif isinstance(texts, str):
        raise InputError(f"One text was given where a list of texts is needed: {texts[:40]!r}.")
    else:
        yield from texts
