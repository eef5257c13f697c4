"""Granting wishes in one order, the most wanted first: what is left to do where each needs several places at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hardneg.ragged import BoolArray, IntArray, place_within
from hardneg.samplers._wishes import Wishes, room_for_kinds
from hardneg.table import Array

__all__ = ["grant", "granted"]

Counter = tuple[IntArray, IntArray]  # what each row takes a place of, from 0; how many places each has


def grant(parts: Sequence[Wishes], n: IntArray, rooms: Sequence[IntArray]) -> None:
    """Grant wishes one after the other where all that they need has room: their anchor, its quotas, the caps.

    The most wanted come first, of these the hardest, then the earlier anchor, then what it wants more. So who gets
    nothing was refused by something that is full of what is wanted more: the choice is stable under that one order, and
    no place is left empty that anyone could have.
    """
    free = [np.flatnonzero(part.free) for part in parts]
    anchor = _joined([part.anchors[part.owners(rows)] for part, rows in zip(parts, free, strict=True)])
    want = _joined([part.want[rows] for part, rows in zip(parts, free, strict=True) if part.want is not None])
    score = _joined([part.score[rows] for part, rows in zip(parts, free, strict=True)])
    counters = [(anchor, n), *_quotas(parts, free)]
    for which, room in enumerate(rooms):
        claims = [part.claims[which][rows] for part, rows in zip(parts, free, strict=True)]
        counters.append((_joined(claims), room))
    mask = granted(np.lexsort((anchor, -score, -want)), counters)
    ends = np.cumsum([len(rows) for rows in free])
    for part, rows, chosen in zip(parts, free, np.split(mask, ends[:-1]), strict=True):
        part.held = rows[chosen]


def granted(order: IntArray, counters: Sequence[Counter]) -> BoolArray:
    """Which rows are taken, one by one in this ``order``, where each counter still has a place.

    Shape: ``(len(order),)``, by row. All that no earlier row can change is decided at once: a row is granted where even
    all the undecided before it leave room, and refused where something is full. The first undecided row is always one
    of these.

    >>> item, pair = np.array([0, 0, 1]), np.array([0, 1, 1])
    >>> granted(np.array([0, 1, 2]), [(item, np.array([1, 1])), (pair, np.array([9, 1]))]).tolist()
    [True, False, True]
    """
    out = np.zeros(len(order), bool)
    left = [room for _, room in counters]
    while len(order):
        fits, full = np.ones(len(order), bool), np.zeros(len(order), bool)
        for (slot, _), room in zip(counters, left, strict=True):
            mine = slot[order]
            by_slot = np.argsort(mine, kind="stable")
            place = np.empty(len(order), np.int64)
            place[by_slot] = place_within(mine[by_slot])
            fits &= place < room[mine]
            full |= room[mine] <= 0
        out[order[fits]] = True
        taken = [np.bincount(slot[order[fits]], minlength=len(room)) for slot, room in counters]
        left = [room - used for room, used in zip(left, taken, strict=True)]
        order = order[~fits & ~full]
    return out


def _quotas(parts: Sequence[Wishes], free: Sequence[IntArray]) -> list[Counter]:
    """A counter for each kind of quota: a place for each anchor and kind, those of a part after those of the others."""
    found = []
    for which in range(len(parts[0].kinds) if parts else 0):
        slots, rooms, start = [], [], 0
        for part, rows in zip(parts, free, strict=True):
            kind, limits = part.kinds[which]
            slot, room = room_for_kinds(part.owners(rows), len(part.anchors), kind[rows], limits)
            slots.append(slot + start)
            rooms.append(room)
            start += len(room)
        found.append((_joined(slots), _joined(rooms)))
    return found


def _joined(arrays: Sequence[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
