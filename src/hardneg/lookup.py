"""Where an id stands among many, asked again and again: a table of numbers that stand for the ids."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.ragged import IntArray

__all__ = ["Lookup"]

_CHUNK = 65_536  # ids turned into numbers at a time
_WORD = 8  # bytes of an id taken in at a time
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_COUNTED = np.array([2 ** (8 * n) - 1 for n in range(_WORD + 1)], np.uint64)  # masks: so many bytes of a word


class Lookup:
    """The rows of ids, type string or int64, all different; about 16 bytes an id.

    >>> Lookup(pa.array(["a", "b"])).find(pa.array(["b", "x"])).tolist()
    [1, -1]
    """

    def __init__(self, ids: pa.Array) -> None:
        self._ids = ids
        numbers = _numbers(ids)
        self._order = np.argsort(numbers).astype(np.int32)
        self._sorted = numbers[self._order]
        # The upper bits of a number say nearly where it stands, since all numbers are equally likely.
        bits = max(1, len(ids).bit_length())
        self._shift = np.uint64(64 - bits)
        counts = np.bincount((numbers >> self._shift).astype(np.int64), minlength=2**bits)
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def find(self, wanted: pa.Array) -> IntArray:
        """The row of each id, -1 for an unknown one; ids of the type of those that are known."""
        numbers = _numbers(wanted)
        rows = np.full(len(wanted), -1, np.int64)
        bucket = (numbers >> self._shift).astype(np.int64)
        who, at, end = np.arange(len(wanted)), self._starts[bucket], self._starts[bucket + 1]
        while (left := at < end).any():
            who, at, end = who[left], at[left], end[left]
            found = self._sorted[at] == numbers[who]
            rows[who[found]] = self._order[at[found]]
            who, at, end = who[~found], at[~found] + 1, end[~found]
        if pa.types.is_int64(wanted.type):
            return rows
        alike = np.flatnonzero(rows >= 0)
        same = pc.equal(self._ids.take(pa.array(rows[alike])), wanted.take(pa.array(alike)))
        different = alike[~same.to_numpy(zero_copy_only=False)]
        if len(different):  # two ids may have one number: rare enough to be slow
            found = pc.index_in(wanted.take(pa.array(different)), value_set=self._ids)
            rows[different] = pc.fill_null(found, -1).to_numpy(zero_copy_only=False)
        return rows


def _numbers(ids: pa.Array) -> NDArray[np.uint64]:
    """A number for each id, the same for the same id and evenly spread; different ones for different whole numbers."""
    if pa.types.is_int64(ids.type):
        return _mixed(np.asarray(ids.to_numpy(zero_copy_only=False), np.int64).view(np.uint64))
    out = np.empty(len(ids), np.uint64)
    for start in range(0, len(ids), _CHUNK):
        out[start : start + _CHUNK] = _hashes(ids.slice(start, _CHUNK))
    return out


def _hashes(ids: pa.Array) -> NDArray[np.uint64]:
    """Mix each text's bytes into one number, eight at a time."""
    _, offsets, data = ids.buffers()
    ends = np.frombuffer(offsets, np.int32)[ids.offset : ids.offset + len(ids) + 1].astype(np.int64)
    mine = np.frombuffer(data if data is not None else b"", np.uint8)[ends[0] : ends[-1]]
    words = np.lib.stride_tricks.sliding_window_view(np.append(mine, np.zeros(_WORD, np.uint8)), _WORD)
    at, left = ends[:-1] - ends[0], np.diff(ends)
    out, who = left.astype(np.uint64), np.arange(len(ids))
    while len(who):
        word = words[at].view("<u8").ravel().astype(np.uint64) & _COUNTED[np.minimum(left, _WORD)]
        out[who] = _mixed(out[who] ^ word)
        longer = left > _WORD
        who, at, left = who[longer], at[longer] + _WORD, left[longer] - _WORD
    return out


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each number turned into another, no two into the same."""
    numbers = (numbers ^ (numbers >> np.uint64(32))) * _GOLDEN
    return (numbers ^ (numbers >> np.uint64(29))) * _GOLDEN
