"""Precomputed vectors, from a file or a folder of files, in the order of a collection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.readers._vector_files import load_vectors
from hardneg.matrix import Matrix, Reordered
from hardneg.ragged import IntArray
from hardneg.similarity import check_vectors, unfinite_rows

__all__ = ["read_vectors"]


def read_vectors(
    path: Path | str,
    collection: Collection,
    what: str,
    *,
    order: IntArray | None = None,
    total: int | None = None,
) -> Matrix:
    """Read one vector for each row of ``collection``, shape ``(len(collection), d)``.

    With ids (``ids`` in ``.npz`` or ``.safetensors``, an id column in Parquet or Arrow, or a file ``NAME.ids.txt``
    beside ``NAME.npy``, one id a line) the vectors are put in order; there may be more of them than needed. Without
    ids they must follow the collection, or the file it came from: then ``order`` says which of the ``total`` texts
    each row was. Zero vectors pass.

    Few vectors are loaded; many stay on disk, so that there may be more of them than memory holds. Where they are
    packed (Parquet, ``.npz``, compressed Arrow files) many are unpacked once, into a temporary file without a name.

    Args:
        path: A file of vectors (``.npy``, ``.npz``, ``.safetensors``, Parquet, Arrow), recognised by its content, or
            a folder of such files, taken in the order of their names: shard-2 before shard-10.
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
    vectors, ids = load_vectors(path, what)
    if ids is not None:
        vectors = _in_order(vectors, _rows_by_id(path, collection, ids, what))
    elif len(vectors) != len(collection) and order is not None and len(vectors) == total:
        vectors = _in_order(vectors, order)
    elif len(vectors) != len(collection):
        texts = f", from {total} texts" if total is not None and total != len(collection) else ""
        raise InputError(
            f"There are {len(vectors)} vectors without ids for {len(collection)} {what}s{texts}.",
            path=path,
            remedy="Store the ids with the vectors (.npz or Parquet), or one id a line in NAME.ids.txt beside them.",
        )
    _refuse_unfinite(path, vectors, collection, what)
    return check_vectors(vectors, what, rows=len(collection))


def _in_order(vectors: Matrix, rows: IntArray) -> Matrix:
    if len(rows) == len(vectors) and bool((rows == np.arange(len(rows))).all()):
        return vectors
    return vectors[rows] if isinstance(vectors, np.ndarray) else Reordered(vectors, rows)


def _rows_by_id(path: Path, collection: Collection, ids: pa.Array, what: str) -> IntArray:
    try:
        given = Collection.of(ids)
    except InputError as error:
        raise InputError(str(error), path=path) from None
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


def _refuse_unfinite(path: Path, vectors: Matrix, collection: Collection, what: str) -> None:
    bad = unfinite_rows(vectors)
    if len(bad):
        examples = ", ".join(repr(one) for one in collection.ids.take(pa.array(bad[:3])).to_pylist())
        raise InputError(
            f"The vectors of {len(bad)} {what}s hold NaN or infinity ({examples}).",
            path=path,
            remedy="Encode these again; half precision that overflows is a common cause.",
        )
