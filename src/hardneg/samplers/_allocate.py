"""Who gets which negatives, when anchors have quotas, and items or pairs of classes have caps.

Anchors propose in the order of their preference to what has a cap: an item, or a pair of classes. What gets more
proposals than it may serve holds the hardest and sends the others on to their next choice, until nobody is sent on.
This is deferred acceptance (Gale and Shapley 1962) with a count on both sides: the result does not depend on the order
of the work. Where each row needs a place of several kinds at once, :mod:`hardneg.samplers._greedy` decides instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hardneg.ragged import IntArray, place_within
from hardneg.samplers._base import Preference
from hardneg.samplers._greedy import grant
from hardneg.samplers._wishes import Kinds, Mask, Wishes
from hardneg.table import Array, Rows

__all__ = ["Cap", "allocate", "places_taken", "settle"]

Cap = tuple[Array, IntArray]  # what each row takes a place of, from 0; how many places each has


def allocate(rows: Rows, preference: Preference, n: IntArray, kinds: Kinds, caps: Sequence[Cap] = ()) -> Mask:
    """Choose rows, sorted by anchor: at most ``n[anchor]`` an anchor, within its quotas and all caps.

    Returns a mask in the order of ``rows``.
    """
    wishes = Wishes.of(rows, preference, kinds, [claim for claim, _ in caps])
    settle([wishes], n, [room for _, room in caps])
    return wishes.chosen()


def settle(parts: Sequence[Wishes], n: IntArray, rooms: Sequence[IntArray]) -> None:
    """Let all anchors have what they may; ``held`` is then the choice. An anchor's rows stand in one part.

    ``rooms`` says how many places there are of each thing that the parts claim, an array for each of their claims.
    """
    if len(rooms) > 1:
        grant(parts, n, rooms)
        return
    for part in parts:
        part.ask(n)
    for room in rooms:
        while any(map(len, found := _refused(parts, room))):
            for part, rows in zip(parts, found, strict=True):
                if len(rows):
                    part.refuse(rows, n)


def _refused(parts: Sequence[Wishes], room: IntArray) -> list[IntArray]:
    """For each part the proposals beyond a cap: all but the hardest.

    Ties go to the earlier anchor, and of one anchor to what it wants more.
    """
    over = places_taken(parts, 0, len(room)) > room
    rows = [part.held[over[part.claims[0][part.held]]] for part in parts]
    claim, score, anchor = (
        np.concatenate(columns)
        for columns in zip(
            *(
                (one.claims[0][at], one.score[at], one.anchors[one.owners(at)])
                for one, at in zip(parts, rows, strict=True)
            ),
            strict=True,
        )
    )
    order = np.lexsort((anchor, -score, claim))
    refused = np.zeros(len(claim), bool)
    refused[order[place_within(claim[order]) >= room[claim[order]]]] = True
    ends = np.cumsum([len(one) for one in rows])
    return [one[mask] for one, mask in zip(rows, np.split(refused, ends[:-1]), strict=True)]


def places_taken(parts: Sequence[Wishes], which: int, size: int) -> IntArray:
    """How many places of each thing are taken, of the claims number ``which``, shape ``(size,)``."""
    load = np.zeros(size, np.int64)
    for part in parts:
        load += np.bincount(part.claims[which][part.held], minlength=size)
    return load
