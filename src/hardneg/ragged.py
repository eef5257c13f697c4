"""Lists of different lengths in two arrays. The only place where offsets are computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import OptionError

__all__ = ["BoolArray", "IntArray", "Ragged", "expand", "place_within", "places"]

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def expand(starts: IntArray, lengths: IntArray) -> IntArray:
    """Concatenate the ranges ``starts[i] .. starts[i] + lengths[i]``.

    >>> expand(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    shift = starts - (ends - lengths)
    out: IntArray = np.arange(total, dtype=np.int64) + np.repeat(shift, lengths)
    return out


def places(lengths: IntArray) -> IntArray:
    """Where each value stands in its row, for rows of these lengths one after the other.

    >>> places(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    return expand(np.zeros(len(lengths), np.int64), lengths)


def place_within(group: IntArray) -> IntArray:
    """The place of each among those of its group, where these stand side by side.

    >>> place_within(np.array([4, 4, 7])).tolist()
    [0, 1, 0]
    """
    fresh = np.ones(len(group), bool)
    fresh[1:] = group[1:] != group[:-1]
    return places(np.diff(np.append(np.flatnonzero(fresh), len(group))))


@dataclass(frozen=True, eq=False)
class Ragged:
    """``n`` rows of integers; row ``i`` is ``values[offsets[i]:offsets[i + 1]]``.

    >>> friends = Ragged.from_lists([[3, 1], [], [2]])
    >>> friends[0].tolist(), len(friends), friends.lengths().tolist()
    ([3, 1], 3, [2, 0, 1])
    """

    offsets: IntArray
    values: IntArray

    def __post_init__(self) -> None:
        sound = (
            len(self.offsets) >= 1
            and self.offsets[0] == 0
            and self.offsets[-1] == len(self.values)
            and bool((np.diff(self.offsets) >= 0).all())
        )
        if not sound:
            raise OptionError("The 'offsets' of a Ragged must start at 0, never fall, and end at the number of values.")

    @classmethod
    def empty(cls, rows: int) -> Ragged:
        """``rows`` rows without a value."""
        return cls(np.zeros(rows + 1, np.int64), np.zeros(0, np.int64))

    @classmethod
    def from_lengths(cls, lengths: IntArray, values: IntArray) -> Ragged:
        """Rows of these lengths, one after the other.

        >>> Ragged.from_lengths(np.array([2, 0, 1]), np.array([5, 6, 7])).offsets.tolist()
        [0, 2, 2, 3]
        """
        return cls(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), values)

    @classmethod
    def from_lists(cls, lists: Iterable[Sequence[int] | IntArray]) -> Ragged:
        """One row for each list, in order."""
        arrays = [np.asarray(one, np.int64) for one in lists]
        lengths = np.fromiter((len(one) for one in arrays), np.int64, len(arrays))
        values = np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
        return cls.from_lengths(lengths, values)

    @classmethod
    def from_pairs(cls, rows: IntArray, values: IntArray, n_rows: int) -> Ragged:
        """Group ``(row, value)`` pairs; each row comes out sorted and without repeats.

        >>> Ragged.from_pairs(np.array([1, 0, 1, 1]), np.array([7, 4, 2, 7]), 2)[1].tolist()
        [2, 7]
        """
        rows, values = _sorted_pairs(np.asarray(rows, np.int64), np.asarray(values, np.int64))
        fresh = np.ones(len(rows), bool)
        fresh[1:] = (rows[1:] != rows[:-1]) | (values[1:] != values[:-1])
        return cls.from_lengths(np.bincount(rows[fresh], minlength=n_rows), values[fresh])

    @classmethod
    def from_codes(cls, codes: IntArray | Ragged) -> Ragged:
        """One row for each code, without a value where it is below 0; a Ragged stays what it is.

        >>> Ragged.from_codes(np.array([7, -1])).lengths().tolist()
        [1, 0]
        """
        if isinstance(codes, Ragged):
            return codes
        some = codes >= 0
        return cls.from_lengths(some.astype(np.int64), codes[some])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> IntArray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def lengths(self) -> IntArray:
        """The number of values in each row, shape ``(n,)``."""
        return np.diff(self.offsets)

    def rows(self) -> IntArray:
        """The row of every value, shape ``(len(values),)``."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths())

    def take(self, rows: IntArray) -> Ragged:
        """The given rows, in the given order.

        >>> Ragged.from_lists([[3], [], [2, 5]]).take(np.array([2, 0])).values.tolist()
        [2, 5, 3]
        """
        lengths = self.lengths()[rows]
        return Ragged.from_lengths(lengths, self.values[expand(self.offsets[:-1][rows], lengths)])

    def where(self, which: BoolArray) -> Ragged:
        """The values of a mask, shape ``(len(values),)``, in their rows and in their order.

        >>> Ragged.from_lists([[3, 1], [], [2]]).where(np.array([False, True, True])).lengths().tolist()
        [1, 0, 1]
        """
        return Ragged.from_lengths(np.bincount(self.rows()[which], minlength=len(self)), self.values[which])

    def contains(self, rows: IntArray, values: IntArray) -> BoolArray:
        """Whether row ``rows[i]`` holds ``values[i]``, shape ``(len(rows),)``.

        >>> pets = Ragged.from_lists([[3, 1], [], [2]])
        >>> pets.contains(np.array([0, 1, 2]), np.array([1, 1, 2])).tolist()
        [True, False, True]
        """
        return self.find(rows, values) >= 0

    def find(self, rows: IntArray, values: IntArray) -> IntArray:
        """The place of ``values[i]`` in row ``rows[i]``, whose values rise; -1 where it is not there.

        >>> Ragged.from_lists([[1, 3], [], [2]]).find(np.array([0, 1, 2]), np.array([3, 1, 2])).tolist()
        [1, -1, 0]
        """
        if not len(self.values) or not len(rows):
            return np.full(len(rows), -1, np.int64)
        low, width, keys = self._keys
        away = np.asarray(values, np.int64) - low
        wanted = np.asarray(rows, np.int64) * width + away
        place = np.searchsorted(keys, wanted)
        there = (keys[np.minimum(place, len(keys) - 1)] == wanted) & (away >= 0) & (away < width)
        return np.where(there, place - self.offsets[rows], -1)

    @cached_property
    def _keys(self) -> tuple[int, int, IntArray]:
        """The least value, how far the values reach, and one number for each (row, value), rising."""
        low = int(self.values.min())
        width = int(self.values.max()) - low + 1
        return low, width, np.sort(self.rows() * width + self.values - low)

    def merged(self, other: Ragged) -> Ragged:
        """Row by row the union of both, sorted and without repeats.

        >>> Ragged.from_lists([[3], [1]]).merged(Ragged.from_lists([[2, 3], []]))[0].tolist()
        [2, 3]
        """
        return Ragged.from_pairs(
            np.concatenate([self.rows(), other.rows()]),
            np.concatenate([self.values, other.values]),
            len(self),
        )

    def ranks(self, numbers: NDArray[np.float64]) -> IntArray:
        """How many values of its row have a lower number than each value has; of equal numbers the first is lower.

        So ``ranks(draws) < k`` draws ``k`` values of each row.

        >>> Ragged.from_lists([[7, 8, 9], [], [5]]).ranks(np.array([0.3, 0.1, 0.2, 0.9])).tolist()
        [2, 0, 1, 0]
        """
        out = np.empty(len(self.values), np.int64)
        out[np.lexsort((numbers, self.rows()))] = places(self.lengths())
        return out

    def inverted(self, n_values: int) -> Ragged:
        """For each value the rows that hold it.

        >>> Ragged.from_lists([[0, 1], [1]]).inverted(2)[1].tolist()
        [0, 1]
        """
        return Ragged.from_pairs(self.values, self.rows(), n_values)

    def connected(self, n_values: int) -> IntArray:
        """The number of the connected part of each row, where rows that share a value hang together, by first row.

        The least row of a part is handed on till it rests.

        >>> Ragged.from_lists([[0], [1], [0, 2], [2]]).connected(3).tolist()
        [0, 1, 0, 0]
        """
        rows, least = self.rows(), np.arange(len(self), dtype=np.int64)
        while True:
            lowest = np.full(n_values, len(self), np.int64)
            np.minimum.at(lowest, self.values, least[rows])
            fresh = least.copy()
            np.minimum.at(fresh, rows, lowest[self.values])
            fresh = fresh[fresh]
            if (fresh == least).all():
                return np.unique(least, return_inverse=True)[1].astype(np.int64)
            least = fresh


def _sorted_pairs(rows: IntArray, values: IntArray) -> tuple[IntArray, IntArray]:
    """The pairs by row, then value. One number for each pair sorts ten times as fast as two."""
    low, width = int(values.min(initial=0)), int(values.max(initial=0)) - int(values.min(initial=0)) + 1
    if int(rows.max(initial=0)) >= 2**62 // width:  # no room for both in 64 bits
        order = np.lexsort((values, rows))
        return rows[order], values[order]
    keys = np.sort(rows * width + (values - low))
    return keys // width, keys % width + low
