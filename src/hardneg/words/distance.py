"""How far apart words sound: the least that must change to turn the sounds of one into those of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray
from hardneg.words._features import UNIT, costs

__all__ = ["Bank", "Sounds", "apart"]

Sounds = tuple[str, ...]  # of one pronunciation, in the International Phonetic Alphabet
Distances = NDArray[np.float64]
Codes = NDArray[Any]  # whole numbers, as small as they may be


@dataclass(frozen=True, eq=False)
class Bank:
    """Many pronunciations, side by side as numbers, so that one is compared with all of them at once.

    ``groups`` holds the rows of pronunciations of one length and their sounds as places in ``inventory``, shape
    ``(length, rows)``.
    """

    inventory: Sounds
    groups: tuple[tuple[IntArray, Codes], ...]
    lengths: IntArray

    @classmethod
    def of(cls, pronunciations: Sequence[Sounds]) -> Bank:
        """Lay out pronunciations; one without a sound is as far from everything as can be."""
        places: dict[str, int] = {}
        codes = [[places.setdefault(sound, len(places)) for sound in one] for one in pronunciations]
        lengths = np.fromiter(map(len, codes), np.int64, len(codes))
        groups = []
        for length in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == length)
            groups.append((rows, np.ascontiguousarray(np.array([codes[row] for row in rows.tolist()], np.int16).T)))
        return cls(tuple(places), tuple(groups), lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def whole(self, sounds: Sounds) -> Distances:
        """How far a pronunciation is from each of these, shape ``(len(self),)``: the first of :func:`apart`."""
        found = np.ones(len(self))
        for rows, codes, table in self._tables(sounds):
            changes = _changes(table, codes, ends_count=True)[-1]
            found[rows] = changes / (UNIT * max(len(sounds), len(codes)))
        return found

    def within(self, sounds: Sounds) -> Distances:
        """How far it is from the nearest stretch of each, shape ``(len(self),)``: the second of :func:`apart`."""
        found = np.ones(len(self))
        for rows, codes, table in self._tables(sounds):
            found[rows] = _changes(table, codes, ends_count=False).min(axis=0) / (UNIT * len(sounds))
        return found

    def _tables(self, sounds: Sounds) -> Iterator[tuple[IntArray, Codes, Codes]]:
        """The rows of one length, their sounds, and what it costs to hear each sound for one of the inventory."""
        if not sounds or not self.groups:
            return
        table = costs(sounds, self.inventory)
        for rows, codes in self.groups:
            small = UNIT * (len(sounds) + len(codes)) < np.iinfo(np.int16).max
            yield rows, codes, table.astype(np.int16 if small else np.int64)


def apart(one: Sounds, other: Sounds) -> tuple[float, float]:
    """How far two pronunciations are apart, and how far the first is from the nearest stretch of the second.

    Both are 0 for the same sounds and at most 1. The first is the weighted edit distance (Wagner and Fischer 1974), in
    which a sound left out or put in costs 1 and a changed one what :func:`~hardneg.words._features.costs` says,
    divided by the number of sounds of the longer of both. The distance itself is a metric; divided by a length it need
    not be. The second lets the other begin and end anywhere at no cost (Sellers 1980), divided by the number of sounds
    of the first: a keyword that is spoken inside a longer word, or across the border of two, is at 0.

    >>> apart(("ɡ", "o", "ʊ"), ("n", "o", "ʊ"))[0] < apart(("ɡ", "o", "ʊ"), ("j", "ɛ", "s"))[0]
    True
    >>> apart(("ɡ", "o", "ʊ"), ("ɡ", "o", "ʊ", "t"))  # go in goat
    (0.25, 0.0)
    """
    bank = Bank.of([other])
    return float(bank.whole(one)[0]), float(bank.within(one)[0])


def _changes(table: Codes, codes: Codes, *, ends_count: bool) -> Codes:
    """The last row of the dynamic programme, shape ``(1 + length, pronunciations)``, in ``1 / UNIT``.

    Within a row, each place may follow from the one before it by putting a sound in. Counted from that place on, this
    is a running minimum, so that a row takes as many steps as one place would.
    """
    length, n = codes.shape
    steps = (UNIT * np.arange(length + 1)).astype(table.dtype)[:, None]
    before = np.repeat(steps if ends_count else np.zeros_like(steps), n, axis=1)
    for row in table:
        now = before + table.dtype.type(UNIT)  # left out
        np.minimum(now[1:], before[:-1] + row[codes], out=now[1:])
        now -= steps
        for place in range(length):  # a running minimum down the columns; np.minimum.accumulate is slower
            np.minimum(now[place], now[place + 1], out=now[place + 1])
        now += steps
        before = now
    return before
