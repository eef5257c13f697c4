"""Rows of numbers that stay on disk until they are asked for.

They are read by position and not mapped: pages of a mapped file count as memory of this process. Nothing is shared
between two reads, so any number of threads may ask at a time.
"""

from __future__ import annotations

import errno
import os
import weakref
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hardneg.errors import InputError
from hardneg.matrix import refuse_whole, row_numbers
from hardneg.parallel import each
from hardneg.ragged import IntArray

__all__ = ["Segment", "Stored"]

# Two rows with at most this many bytes between them are read at once: that costs less than a second call.
_GAP = 64 * 2**10
# Scattered rows pass through memory in windows of about this many bytes.
_WINDOW = 4 * 2**20


@dataclass(frozen=True)
class Segment:
    """``rows`` rows of a file, one after the other from the byte ``offset`` on.

    ``file`` is a path, or the descriptor of an open file (one without a name), which stays the caller's to close.
    """

    file: Path | int
    offset: int
    rows: int


class Stored:
    """Rows of segments, one after the other: a :class:`hardneg.matrix.Matrix` of shape ``(n, width)``.

    ``[slice]`` and ``[row numbers in any order, repeats allowed]`` give arrays in memory. The files are opened once
    and closed with the object.

    Raises InputError for a file that cannot be opened or is shorter than its segments say.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(np.arange(6, dtype="<f4").tobytes())
    ...     file.flush()
    ...     stored = Stored([Segment(Path(file.name), 0, 3)], 2, "<f4")
    >>> stored.shape, stored[1:].tolist(), stored[np.array([2, 0])].tolist()
    ((3, 2), [[2.0, 3.0], [4.0, 5.0]], [[4.0, 5.0], [0.0, 1.0]])
    """

    def __init__(self, segments: Sequence[Segment], width: int, dtype: DTypeLike) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._segments = tuple(segments)
        self._starts = [0, *accumulate(one.rows for one in self._segments)]
        self._row = width * self.dtype.itemsize
        self.shape: tuple[int, ...] = (self._starts[-1], width)
        self._descriptors: dict[Path | int, int] = {}
        weakref.finalize(self, _close, self._descriptors)
        for one in self._segments:
            if one.file not in self._descriptors:
                self._descriptors[one.file] = _opened(one.file)
            _require_bytes(one, self._descriptors[one.file], one.offset + one.rows * self._row)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        """The rows of a slice or of an array of row numbers, read now.

        Raises IndexError for a row that is not there, InputError for a file that was cut short meanwhile.
        """
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self._span(start, max(start, stop))
            rows = np.arange(start, stop, step)
        return self._scattered(row_numbers(rows, len(self)))

    def __array__(self, dtype: object = None, copy: object = None) -> NDArray[Any]:
        return refuse_whole()

    def _span(self, start: int, stop: int) -> NDArray[Any]:
        content = np.empty((stop - start) * self._row, np.uint8)
        self._fill(start, stop, content.data)
        return self._rows_of(content)

    def _scattered(self, wanted: IntArray) -> NDArray[Any]:
        order = np.argsort(wanted, kind="stable")
        rows = wanted[order]
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        covered = np.cumsum(np.where(self._far(rows), 1, np.diff(rows, prepend=0))) * self._row
        cuts = np.flatnonzero(np.diff(covered // _WINDOW)) + 1

        def fill(window: tuple[int, int]) -> None:
            part = slice(*window)
            out[order[part]] = self._window(rows[part])

        each(fill, list(pairwise([0, *cuts.tolist(), len(rows)])))
        return out

    def _window(self, rows: IntArray) -> NDArray[Any]:
        """Rows in rising order, read in runs: neighbours, and what lies close together, at once."""
        begins = np.flatnonzero(self._far(rows))
        first, last = rows[begins], rows[np.append(begins[1:], len(rows))[: len(begins)] - 1] + 1
        ends = np.cumsum(last - first)
        content = np.empty(int(ends[-1] if len(ends) else 0) * self._row, np.uint8)
        view = content.data
        for start, stop, end in zip(first.tolist(), last.tolist(), ends.tolist(), strict=True):
            self._fill(start, stop, view[(end - stop + start) * self._row : end * self._row])
        shift = np.repeat(ends - last, np.diff(begins, append=len(rows)))
        picked: NDArray[Any] = self._rows_of(content)[rows + shift]
        return picked

    def _far(self, rows: IntArray) -> NDArray[np.bool_]:
        """Whether a new run begins at each of these rows in rising order."""
        far = np.ones(len(rows), bool)
        far[1:] = np.diff(rows) > 1 + _GAP // self._row
        return far

    def _rows_of(self, content: NDArray[np.uint8]) -> NDArray[Any]:
        return np.asarray(content.view(self.dtype).reshape(-1, self.shape[1]))

    def _fill(self, start: int, stop: int, into: memoryview) -> None:
        """Read rows ``start`` to ``stop`` into memory, across segments."""
        at = bisect_right(self._starts, start) - 1
        while start < stop:
            segment, begin = self._segments[at], self._starts[at]
            end = min(stop, self._starts[at + 1])
            size = (end - start) * self._row
            _read(segment, self._descriptors[segment.file], segment.offset + (start - begin) * self._row, into[:size])
            start, into, at = end, into[size:], at + 1


def _opened(file: Path | int) -> int:
    try:
        return os.dup(file) if isinstance(file, int) else os.open(file, os.O_RDONLY)
    except OSError as error:
        remedy = "Raise the limit with ulimit -n, or join the files." if error.errno == errno.EMFILE else None
        raise InputError(f"The file cannot be opened ({error.strerror}).", path=_name(file), remedy=remedy) from error


def _close(descriptors: dict[Path | int, int]) -> None:
    for one in descriptors.values():
        os.close(one)


def _require_bytes(segment: Segment, descriptor: int, wanted: int) -> None:
    if (size := os.fstat(descriptor).st_size) < wanted:
        raise _cut_short(segment, f"its vectors take {wanted} bytes, it has {size}")


def _read(segment: Segment, descriptor: int, at: int, into: memoryview) -> None:
    while len(into):
        count = os.preadv(descriptor, [into], at)
        if count == 0:
            raise _cut_short(segment, f"nothing more at byte {at}")
        into, at = into[count:], at + count


def _cut_short(segment: Segment, why: str) -> InputError:
    return InputError(
        f"The file is cut short or damaged ({why}).", path=_name(segment.file), remedy="Copy or write it again."
    )


def _name(file: Path | int) -> Path | str:
    return "a temporary file" if isinstance(file, int) else file
