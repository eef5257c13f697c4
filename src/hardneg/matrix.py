"""Rows of numbers, in memory or not: what all code that reads vectors may ask of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hardneg.ragged import IntArray

__all__ = ["KINDS", "Converted", "Matrix", "Reordered", "blocks", "row_numbers"]

KINDS = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(np.int8))  # what vectors may be stored as
_BLOCK = 8 * 2**20


class Matrix(Protocol):
    """Rows of numbers (float32, float16 or int8): a NumPy array, or rows that stay on disk until they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(n, d)``."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """How the numbers are stored."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        """The rows of a slice, or of an array of row numbers in any order, in memory."""
        ...


class Reordered:
    """Rows of another matrix in another order: row ``i`` is its row ``rows[i]``. Nothing is copied.

    Raises IndexError for a row that is not there.

    >>> view = Reordered(np.array([[1.0], [2.0], [3.0]]), np.array([2, 0]))
    >>> view.shape, view[:1].tolist(), view[np.array([1, 1])].tolist()
    ((2, 1), [[3.0]], [[1.0], [1.0]])
    """

    def __init__(self, matrix: Matrix, rows: IntArray) -> None:
        self._matrix, self._rows = matrix, row_numbers(rows, len(matrix))
        self.dtype = matrix.dtype
        self.shape: tuple[int, ...] = (len(self._rows), *matrix.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        """The rows of a slice or of an array of row numbers."""
        return self._matrix[self._rows[rows if isinstance(rows, slice) else row_numbers(rows, len(self))]]

    def __array__(self, dtype: object = None, copy: object = None) -> NDArray[Any]:
        return refuse_whole()


class Converted:
    """Another matrix as numbers of another type; rows are converted when they are asked for.

    >>> Converted(np.array([[1.0], [2.0]]), np.float32)[1:].dtype
    dtype('float32')
    """

    def __init__(self, matrix: Matrix, dtype: DTypeLike) -> None:
        self._matrix, self.dtype, self.shape = matrix, np.dtype(dtype), matrix.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        """The rows of a slice or of an array of row numbers."""
        with np.errstate(over="ignore"):  # what overflows is infinity, which the check of the vectors finds
            return self._matrix[rows].astype(self.dtype, copy=False)

    __array__ = Reordered.__array__


def blocks(matrix: Matrix, size: int = _BLOCK) -> Iterator[tuple[int, NDArray[Any]]]:
    """Give all rows, about ``size`` bytes at a time, each block with the number of its first row.

    >>> [(start, len(rows)) for start, rows in blocks(np.zeros((5, 2), np.float32), size=16)]
    [(0, 2), (2, 2), (4, 1)]
    """
    step = max(1, size // max(1, row_bytes(matrix)))
    for start in range(0, len(matrix), step):
        yield start, matrix[start : start + step]


def row_bytes(matrix: Matrix) -> int:
    """The bytes of one row."""
    return int(np.prod(matrix.shape[1:])) * matrix.dtype.itemsize


def row_numbers(rows: Any, count: int) -> IntArray:
    """``rows`` as whole numbers from 0 up to ``count``.

    Raises TypeError for what is no list of whole numbers, IndexError for numbers outside.
    """
    numbers = np.asarray(rows)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
        raise TypeError(f"Ask for rows by a slice or an array of row numbers. Got {numbers.dtype} {numbers.shape}.")
    if numbers.size and (numbers.min() < 0 or numbers.max() >= count):
        raise IndexError(f"There are {count} rows. Got row numbers from {numbers.min()} to {numbers.max()}.")
    return numbers.astype(np.int64, copy=False)


def refuse_whole() -> NDArray[Any]:
    """Raise TypeError: NumPy would read row by row, and all of it into memory."""
    raise TypeError("These vectors stay on disk. Ask for some of the rows, or for all of them: vectors[:].")
