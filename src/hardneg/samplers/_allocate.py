"""Who gets which negatives, when anchors have quotas and items have caps.

Anchors propose to items in the order of their preference; an item that gets more proposals than it may serve holds
the hardest and sends the others on to their next choice, until nobody is sent on. This is deferred acceptance
(Gale and Shapley 1962) with a count on both sides: the result does not depend on the order of the work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hardneg.ragged import IntArray
from hardneg.samplers._base import Preference, place_within
from hardneg.samplers._wishes import Kinds, Mask, Wishes
from hardneg.table import Rows

__all__ = ["allocate", "held_by_item", "settle"]


def allocate(rows: Rows, preference: Preference, n: IntArray, kinds: Kinds, room: IntArray | None) -> Mask:
    """Choose rows, sorted by anchor: at most ``n[anchor]`` an anchor, within its quotas, and ``room[item]`` an item.

    Returns a mask in the order of ``rows``.
    """
    wishes = Wishes.of(rows, preference, kinds)
    settle([wishes], n, room)
    return wishes.chosen()


def settle(parts: Sequence[Wishes], n: IntArray, room: IntArray | None) -> None:
    """Let all anchors ask, and ask again where an item refuses, until none does; ``held`` is then the choice.

    An anchor's rows stand in one part.
    """
    for part in parts:
        part.ask(n)
    while room is not None and any(map(len, found := _refused(parts, room))):
        for part, rows in zip(parts, found, strict=True):
            if len(rows):
                part.refuse(rows, n)


def _refused(parts: Sequence[Wishes], room: IntArray) -> list[IntArray]:
    """For each part the proposals beyond an item's cap: all but the hardest; ties go to the earlier anchor."""
    load = held_by_item(parts, len(room))
    over = load > room
    rows = [part.held[over[part.item[part.held]]] for part in parts]
    item, score, anchor = (
        np.concatenate(columns)
        for columns in zip(
            *((one.item[at], one.score[at], one.anchors[one.owners(at)]) for one, at in zip(parts, rows, strict=True)),
            strict=True,
        )
    )
    order = np.lexsort((anchor, -score, item))
    refused = np.zeros(len(item), bool)
    refused[order[place_within(item[order]) >= room[item[order]]]] = True
    ends = np.cumsum([len(one) for one in rows])
    return [one[mask] for one, mask in zip(rows, np.split(refused, ends[:-1]), strict=True)]


def held_by_item(parts: Sequence[Wishes], items: int) -> IntArray:
    """How many anchors each item serves, shape ``(items,)``."""
    load = np.zeros(items, np.int64)
    for part in parts:
        load += np.bincount(part.item[part.held], minlength=items)
    return load
