"""Room on disk for rows of numbers that are made here and are too many for memory."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hardneg.ragged import IntArray
from hardneg.storage import storage_errors
from hardneg.stored import Segment, Stored

__all__ = ["Grouped", "Room", "Scratch", "room"]

_MEMORY = 2**30  # bytes of values that memory is taken for; more are put into a temporary file


class Scratch:
    """Room on disk for ``rows`` rows, filled in any order and then read as a :class:`Stored`.

    It is a file without a name in the folder for temporary files, so nothing of it is left behind. Raises
    StorageError where there is no space for it.

    >>> scratch = Scratch(3, 2)
    >>> scratch[np.array([2, 0])] = np.array([[5, 6], [1, 2]], np.float32)
    >>> scratch.stored()[:].tolist()
    [[1.0, 2.0], [0.0, 0.0], [5.0, 6.0]]
    """

    def __init__(self, rows: int, width: int, dtype: DTypeLike = np.float32) -> None:
        self.shape, self.dtype = (rows, width), np.dtype(dtype)
        self._row = width * self.dtype.itemsize
        with storage_errors(Path(tempfile.gettempdir())):
            self._file = tempfile.TemporaryFile(prefix="hardneg-")  # noqa: SIM115 - open as long as this lives
            self._file.truncate(rows * self._row)

    def __setitem__(self, rows: IntArray, values: NDArray[Any]) -> None:
        order = np.argsort(rows, kind="stable")
        sorted_rows, values = rows[order], np.ascontiguousarray(values[order], self.dtype)
        cuts = np.flatnonzero(np.diff(sorted_rows) != 1) + 1
        with storage_errors(Path(tempfile.gettempdir())):
            for start, stop in pairwise([0, *cuts.tolist(), len(rows)]):
                if start < stop:
                    _write(self._file.fileno(), int(sorted_rows[start]) * self._row, values[start:stop])

    def stored(self) -> Stored:
        """The rows; those that were never filled are zero."""
        return Stored([Segment(self._file.fileno(), 0, self.shape[0])], self.shape[1], self.dtype)


def _write(descriptor: int, at: int, values: NDArray[Any]) -> None:
    rest = values.reshape(-1).view(np.uint8).data
    while len(rest):
        count = os.pwrite(descriptor, rest, at)
        rest, at = rest[count:], at + count


class Grouped:
    """Rows of numbers on disk, put there as they come and read back group by group, each in the order it came in.

    As with :class:`Scratch` it is a file without a name. Raises StorageError where there is no space for it.

    >>> rows = Grouped(1)
    >>> rows.add(np.array([5, 2, 5]), np.array([[1.0], [2.0], [3.0]]))
    >>> rows.groups(), rows[5].ravel().tolist(), rows[9].tolist()
    ([2, 5], [1.0, 3.0], [])
    """

    def __init__(self, width: int, dtype: DTypeLike = np.float64) -> None:
        self._width, self._dtype = width, np.dtype(dtype)
        self._segments: dict[int, list[Segment]] = {}
        self._end = 0
        with storage_errors(Path(tempfile.gettempdir())):
            self._file = tempfile.TemporaryFile(prefix="hardneg-")  # noqa: SIM115 - open as long as this lives

    def add(self, group: IntArray, rows: NDArray[Any]) -> None:
        """Put rows there; ``group`` has the number of each one's group."""
        order = np.argsort(group, kind="stable")
        group, rows = group[order], np.ascontiguousarray(rows[order], self._dtype)
        size = self._width * self._dtype.itemsize
        edges = np.flatnonzero(np.diff(group, prepend=-1, append=-1)) if len(group) else np.zeros(1, np.int64)
        for start, stop in pairwise(edges.tolist()):
            found = Segment(self._file.fileno(), self._end + start * size, stop - start)
            self._segments.setdefault(int(group[start]), []).append(found)
        with storage_errors(Path(tempfile.gettempdir())):
            _write(self._file.fileno(), self._end, rows)
        self._end += len(rows) * size

    def groups(self) -> list[int]:
        """The groups that have rows, in rising order."""
        return sorted(self._segments)

    def __getitem__(self, group: int) -> NDArray[Any]:
        return Stored(self._segments.get(group, []), self._width, self._dtype)[:]


Room = NDArray[np.float32] | Scratch


def room(rows: int, width: int) -> Room:
    """Room for values of shape ``(rows, width)``, float32: in memory, or on disk where they are many."""
    return np.empty((rows, width), np.float32) if rows * width * 4 <= _MEMORY else Scratch(rows, width)
