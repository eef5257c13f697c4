"""What some anchors wish for: their kept candidates, each in its anchor's order, in as few bytes as will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray, expand, place_within
from hardneg.samplers._base import Preference
from hardneg.table import Array, Rows

__all__ = ["Kinds", "Mask", "Wishes", "room_for_kinds"]

Mask = NDArray[np.bool_]
Kinds = Sequence[tuple[Array, Array]]  # the kind of each row, from 0; how many of each kind an anchor may have


@dataclass(eq=False)
class Wishes:
    """Lists of candidates, about 14 bytes each: row ``i`` of ``anchors`` wishes for ``offsets[i]:offsets[i + 1]``.

    ``claims`` says what each row takes a place of, an array for each cap: its item, its pair of classes. ``want`` is
    how much it is wanted among all, only where there are several caps. ``free`` says who may still be asked, ``held``
    who has said yes (row numbers, ascending), ``origin`` where each row stood among the rows that these are of,
    ``size`` in number.
    """

    anchors: IntArray
    offsets: IntArray
    claims: tuple[Array, ...]
    score: NDArray[np.float32]
    origin: NDArray[np.int32]
    free: Mask
    kinds: Kinds
    held: IntArray
    size: int
    want: Preference | None = None

    @classmethod
    def of(
        cls, rows: Rows, preference: Preference, kinds: Kinds = (), claims: Sequence[Array] = (), *,
        all_rows: bool = False,
    ) -> Wishes:  # fmt: skip
        """The rows, sorted by anchor, in the order of ``preference``; those at -inf only if ``all_rows``.

        Ties go to the earlier row.
        """
        order = _by_preference(rows.anchor, preference)
        free = np.isfinite(preference[order])
        if not all_rows and not free.all():
            order, free = order[free], np.ones(int(free.sum()), bool)
        anchors, counts = np.unique(rows.anchor[order], return_counts=True)
        return cls(
            anchors,
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            tuple(one[order] for one in claims),
            np.asarray(rows["score"][order], np.float32),
            order.astype(np.int32),
            free,
            [(kind[order].astype(np.min_scalar_type(len(limits))), np.asarray(limits)) for kind, limits in kinds],
            np.zeros(0, np.int64),
            len(rows),
            preference[order] if len(claims) > 1 else None,
        )

    def __len__(self) -> int:
        return len(self.score)

    def ask(self, n: IntArray, who: IntArray | None = None) -> None:
        """Let these anchors (by place; None for all) ask anew: the first ``n[anchor]`` free rows within the kinds."""
        who = np.arange(len(self.anchors)) if who is None else who
        lengths = np.diff(self.offsets)[who]
        rows = expand(self.offsets[:-1][who], lengths)
        free = self.free[rows]
        rows, owner = rows[free], np.repeat(np.arange(len(who)), lengths)[free]
        mask = _first(owner, n[self.anchors[who]], [(kind[rows], limits) for kind, limits in self.kinds])
        others = self.held[~np.isin(self.owners(self.held), who)]
        self.held = np.sort(np.concatenate([others, rows[mask]]), kind="stable")  # which is fast on two sorted runs

    def refuse(self, rows: IntArray, n: IntArray) -> None:
        """These rows are refused, so their anchors ask anew."""
        self.free[rows] = False
        self.ask(n, np.unique(self.owners(rows)))

    def owners(self, rows: IntArray) -> IntArray:
        """The place of each row's anchor among ``anchors``."""
        return np.asarray(np.searchsorted(self.offsets, rows, side="right") - 1, np.int64)

    def rest(self) -> Wishes:
        """What is not held, hardest first, without any kinds."""
        order = np.argsort(self.origin)  # rows stood by anchor, hardest first
        free = np.ones(len(self), bool)
        free[self.held] = False
        claims, score = tuple(one[order] for one in self.claims), self.score[order]
        return Wishes(
            self.anchors, self.offsets, claims, score, self.origin[order], free[order], (), np.zeros(0, np.int64),
            self.size, None if self.want is None else score.astype(np.float64),
        )  # fmt: skip

    def chosen(self) -> Mask:
        """Which of the rows that these are of are held, shape ``(size,)``."""
        out = np.zeros(self.size, bool)
        out[self.origin[self.held]] = True
        return out


def _by_preference(anchor: IntArray, preference: Preference) -> IntArray:
    """The rows by anchor, then preference; mostly they stand so already."""
    falls = (anchor[1:] != anchor[:-1]) | (preference[1:] <= preference[:-1])
    if falls.all():
        return np.arange(len(anchor))
    return np.lexsort((-preference, anchor))


def _first(owner: IntArray, n: IntArray, kinds: Kinds) -> Mask:
    """The first ``n[owner]`` rows of each owner that every kind still has room for; rows stand by owner and wish.

    All owners advance together, one row each, so the loop runs at most as often as the longest list is long.
    """
    place = place_within(owner)
    if not kinds:
        return np.asarray(place < n[owner])
    chosen = np.zeros(len(owner), bool)
    by_place = np.argsort(place, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(place))])
    left = n.copy()
    rooms = [room_for_kinds(owner, len(n), kind, limits) for kind, limits in kinds]
    for start, end in pairwise(ends):
        now = by_place[start:end]
        now = now[left[owner[now]] > 0]
        if not len(now):
            break
        for slot, room in rooms:
            now = now[room[slot[now]] > 0]
        chosen[now] = True
        left[owner[now]] -= 1
        for slot, room in rooms:
            room[slot[now]] -= 1
    return chosen


def room_for_kinds(owner: IntArray, owners: int, kind: Array, limits: Array) -> tuple[IntArray, IntArray]:
    """For each row the place of its owner's room for its kind, and these rooms: never more of them than rows."""
    slot = owner * len(limits) + kind
    if owners * len(limits) <= len(owner):
        return slot, np.tile(limits, owners)
    used, slot = np.unique(slot, return_inverse=True)
    return slot, limits[used % len(limits)]
