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

__all__ = ["Room", "Scratch", "room"]

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


Room = NDArray[np.float32] | Scratch


def room(rows: int, width: int) -> Room:
    """Room for values of shape ``(rows, width)``, float32: in memory, or on disk where they are many."""
    return np.empty((rows, width), np.float32) if rows * width * 4 <= _MEMORY else Scratch(rows, width)
