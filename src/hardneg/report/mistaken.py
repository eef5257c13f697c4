"""What a detector got wrong: how many mistakes of each kind, in all and by the category it took them for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardneg.detect import Kind
from hardneg.errors import MissingExtraError
from hardneg.evaluation import WRONG, Judged
from hardneg.ragged import BoolArray, IntArray
from hardneg.report.numbers import number, shade

__all__ = ["KINDS", "KindRow", "Mistaken", "mistaken"]

_CATEGORIES = 15  # shown
KINDS = {
    Kind.CORRECT: ("Right", "It finds a box of its category."),
    Kind.BACKGROUND: ("Background", "Nothing is there, or nothing that is labelled. A hard negative."),
    Kind.CONFUSION: ("Confusion", "Something of another category is there. A hard negative."),
    Kind.LOCALISATION: (
        "Off the mark",
        "Its category is there, but the box is off. Shows a part of it, so no negative.",
    ),
    Kind.BOTH: ("Other and off", "Another category, and the box is off. Shows a part of something, so no negative."),
    Kind.DUPLICATE: ("Duplicate", "Found before, by a surer one. Shows the thing itself, so no negative."),
    Kind.UNCOUNTED: ("Uncounted", "In a crowd or an ignored box, or beyond the first hundred of its image."),
}


@dataclass(frozen=True)
class KindRow:
    """A kind of find: how many of each detector, and what AP50 would be without them.

    For those that are right it is what AP50 is now; empty where it says nothing.
    """

    kind: str
    name: str
    meaning: str
    counts: list[int]
    without: list[str]
    width: float  # of the first count's bar, in percent of the longest


@dataclass(frozen=True)
class Mistaken:
    """Mistakes by kind, and of the first detector by category.

    ``categories`` are (name, boxes, counts of each kind in ``heads``, missed), with a shade from 0 to 8 for each count.
    """

    detectors: list[str]
    kinds: list[KindRow]
    heads: list[str]
    categories: list[tuple[str, int, list[tuple[int, int]], int]]
    of: int


def mistaken(judged: Sequence[Judged], categories: Sequence[str]) -> Mistaken:
    """Count mistakes."""
    shown = (Kind.CORRECT, *WRONG, *([Kind.UNCOUNTED] if any(one.count(Kind.UNCOUNTED) for one in judged) else []))
    most = max(judged[0].count(kind) for kind in shown) or 1
    figures = [_ap50_by_kind(one) for one in judged]
    kinds = [
        KindRow(
            kind.name.lower(),
            *KINDS[kind],
            [one.count(kind) for one in judged],
            [one.get(kind, "") for one in figures],
            round(100 * judged[0].count(kind) / most, 2),
        )
        for kind in shown
    ]
    missed = [int(one.missed.sum()) for one in judged]
    kinds.append(
        KindRow(
            "missed",
            "Missed",
            "A box that nothing found.",
            missed,
            [""] * len(judged),
            round(min(100.0, 100 * missed[0] / most), 2),
        )
    )
    rows, of = _by_category(judged[0], categories)
    heads = [KINDS[kind][0] for kind in WRONG]
    return Mistaken([one.name for one in judged], kinds, heads, rows, of)


def _ap50_by_kind(one: Judged) -> dict[Kind, str]:
    """AP50 as it is, and without each kind of mistake; dashes without the package that counts it."""
    try:
        return {kind: number(value) for kind, value in ((Kind.CORRECT, one.ap50), *one.without.items())}
    except MissingExtraError:
        return dict.fromkeys((Kind.CORRECT, *WRONG), "–")


def _by_category(
    judged: Judged, categories: Sequence[str]
) -> tuple[list[tuple[str, int, list[tuple[int, int]], int]], int]:
    """The categories with most backgrounds and confusions, and of how many."""
    size = len(categories)

    def count(of: IntArray, mask: BoolArray) -> IntArray:
        return np.bincount(of[mask], minlength=size)

    counts = np.stack([count(judged.found.category, judged.mistakes.kind == kind) for kind in WRONG], axis=1)
    boxes, missed = count(judged.truth.category, ~judged.truth.uncounted), count(judged.truth.category, judged.missed)
    mass = counts[:, :2].sum(axis=1)
    order = np.lexsort((np.arange(size), -counts.sum(axis=1), -mass))
    known = order[(counts.sum(axis=1)[order] > 0) | (boxes[order] > 0)]
    most = max(int(counts.max(initial=1)), 1)
    rows = [
        (
            categories[row],
            int(boxes[row]),
            [(int(one), shade(int(one), most)) for one in counts[row]],
            int(missed[row]),
        )
        for row in known[:_CATEGORIES].tolist()
    ]
    return rows, len(known)
