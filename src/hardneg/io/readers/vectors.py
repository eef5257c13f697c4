"""Precomputed vectors: ``.npy``, ``.npz``, ``.safetensors`` or a Parquet column, in the order of a collection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._vector_files import load_vectors
from hardneg.ragged import IntArray
from hardneg.similarity import Matrix, check_vectors

__all__ = ["read_vectors", "vector_files"]


def read_vectors(
    path: Path | str,
    collection: Collection,
    what: str,
    *,
    order: IntArray | None = None,
    total: int | None = None,
) -> Matrix:
    """Read one vector for each row of ``collection``, shape ``(len(collection), d)``.

    With ids (``ids`` in ``.npz`` or ``.safetensors``, an id column in Parquet, or a file ``NAME.ids.txt`` beside
    ``NAME.npy``, one id a line) the vectors are put in order; there may be more of them than needed. Without ids
    they must follow the collection, or the file it came from: then ``order`` says which of the ``total`` texts
    each row was. Zero vectors pass.

    Args:
        path: The file of vectors, recognised by its content.
        collection: The anchors or items that the vectors are for.
        what: ``anchor`` or ``item``, for messages.
        order: The position of each row among the texts of its file.
        total: The number of texts in that file.

    Raises:
        InputError: for an unknown or damaged file, ids without a vector, a wrong number or shape, NaN or infinity.

    >>> import tempfile
    >>> docs = Collection.of(["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder, "v.npz"), ids=["b", "a"], vectors=np.array([[3.0, 4.0], [1.0, 2.0]]))
    ...     read_vectors(Path(folder, "v.npz"), docs, "item").tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    path = Path(path)
    vectors, ids = load_vectors(path)
    ids = ids if ids is not None else _sidecar(path)
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise InputError(
            f"The {what} vectors must be numbers of shape (n, d). Got {vectors.dtype} of shape {vectors.shape}.",
            path=path,
        )
    if ids is not None:
        vectors = vectors[_rows_by_id(path, collection, ids, len(vectors), what)]
    elif len(vectors) != len(collection) and order is not None and len(vectors) == total:
        vectors = vectors[order]
    elif len(vectors) != len(collection):
        texts = f", from {total} texts" if total is not None and total != len(collection) else ""
        raise InputError(
            f"There are {len(vectors)} vectors without ids for {len(collection)} {what}s{texts}.",
            path=path,
            remedy="Store the ids with the vectors (.npz or Parquet), or one id a line in NAME.ids.txt beside them.",
        )
    _refuse_unfinite(path, vectors, collection, what)
    return check_vectors(vectors, what, rows=len(collection))


def vector_files(path: Path | str) -> list[Path]:
    """The file of vectors and, where there is one, the file of ids beside it."""
    beside = Path(path).with_suffix(".ids.txt")
    return [Path(path), beside] if beside.is_file() else [Path(path)]


def _sidecar(path: Path) -> list[str] | None:
    files = vector_files(path)
    return [line.strip() for _, line in text_lines(files[1]) if line.strip()] if len(files) > 1 else None


def _rows_by_id(path: Path, collection: Collection, ids: object, count: int, what: str) -> IntArray:
    try:
        given = Collection.of(ids)
    except InputError as error:
        raise InputError(str(error), path=path) from None
    if len(given) != count:
        raise InputError(f"There are {len(given)} ids and {count} vectors.", path=path, remedy="Write both anew.")
    rows = given.positions(collection.ids)
    if (rows < 0).any():
        missing = collection.ids.filter(pa.array(rows < 0))
        examples = ", ".join(repr(one) for one in missing[:3].to_pylist())
        raise InputError(
            f"{len(missing)} of the {len(collection)} {what}s have no vector ({examples}).",
            path=path,
            remedy=f"Encode these {what}s too.",
        )
    return rows


def _refuse_unfinite(path: Path, vectors: NDArray[np.generic], collection: Collection, what: str) -> None:
    sums: Any = vectors.sum(axis=1, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(sums))
    if len(bad):
        examples = ", ".join(repr(one) for one in collection.ids.take(pa.array(bad[:3])).to_pylist())
        raise InputError(
            f"The vectors of {len(bad)} {what}s hold NaN or infinity ({examples}).",
            path=path,
            remedy="Encode these again; half precision that overflows is a common cause.",
        )
