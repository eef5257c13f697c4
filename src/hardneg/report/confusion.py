"""Which classes are taken for one another: counts of negatives and suspects by class, and examples of the worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardneg.classes import Classes
from hardneg.ragged import IntArray, Ragged
from hardneg.report.confused import ConfusedPair, worst_pairs
from hardneg.report.facts import Facts, State
from hardneg.report.numbers import plural, shade, share

__all__ = ["Cell", "Confusion", "Map", "confusion"]

MOST = 30  # classes in a map that can still be read
UNLABELLED = "no label"


@dataclass(frozen=True)
class Cell:
    """How many of a class's candidates are items of another class; ``level`` is the shade, 0 for none."""

    count: int
    level: int
    same: bool


@dataclass(frozen=True)
class Map:
    """One heat map: a row for each class of anchors, a cell for each class of items."""

    kind: str  # sampled or suspect
    title: str
    rows: list[tuple[str, list[Cell], int]]
    total: int


@dataclass(frozen=True)
class Confusion:
    """The maps of the most confused classes, and the pairs of classes that are confused most of all."""

    columns: list[str]
    maps: list[Map]
    classes: int
    shown: int
    sentences: list[str]
    pairs: list[ConfusedPair]
    pictures: bool

    @property
    def turned(self) -> bool:
        """Whether the heads of the columns are turned upright: many that are too long to stand side by side."""
        return len(self.columns) > 8 and max(map(len, self.columns[: self.shown])) > 3


def confusion(facts: Facts) -> Confusion | None:
    """Count negatives and suspects by class of anchor and of item; None without labels or without either."""
    classes = facts.classes
    counts = {} if classes is None else {state: _counts(facts, classes, state) for state in _TITLES}
    if classes is None or not any(len(one[2]) for one in counts.values()):
        return None
    order, unlabelled = _most_confused(counts, len(classes.names))
    columns = [classes.names[code] for code in order] + [UNLABELLED] * unlabelled
    maps = [
        _map(state, counts[state], order, classes, unlabelled=unlabelled) for state in _TITLES if len(counts[state][2])
    ]
    pairs = worst_pairs(facts, classes, counts)
    known = len(classes.names)
    return Confusion(columns, maps, known, len(order), _words(counts, pairs), pairs, bool(facts.album))


_TITLES = {State.SAMPLED: "Sampled as negatives", State.SUSPECT: "Suspects, set aside"}

Counts = tuple[IntArray, IntArray, IntArray]  # class of anchor, class of item (the number of classes: none), how many


def _counts(facts: Facts, classes: Classes, state: State) -> Counts:
    """How often each pair of classes occurs. A thing of several classes counts for each of them."""
    rows = np.flatnonzero(facts.state == state)
    size = len(classes.names)
    left = Ragged.from_codes(classes.anchors).take(facts.anchor[rows])
    right = _or_none(classes, size).take(facts.item[rows][left.rows()])
    keys, number = np.unique(left.values[right.rows()] * (size + 1) + right.values, return_counts=True)
    anchors, items = np.divmod(keys, size + 1)
    return anchors, items, number


def _or_none(classes: Classes, none: int) -> Ragged:
    """The classes of each item, and ``none`` for one that has none."""
    if not isinstance(classes.items, Ragged):
        return Ragged.from_codes(np.where(classes.items < 0, none, classes.items))
    without = np.flatnonzero(classes.items.lengths() == 0)
    return classes.items.merged(Ragged.from_pairs(without, np.full(len(without), none), len(classes.items)))


def _most_confused(counts: dict[State, Counts], size: int) -> tuple[list[int], bool]:
    """The classes to show, those first that are taken for others or others for them most; is anything unlabelled?"""
    mass = np.zeros(size + 1, np.int64)
    for anchors, items, number in counts.values():
        np.add.at(mass, anchors, number)
        np.add.at(mass, items, number)
    order = np.argsort(-mass[:size], kind="stable")[:MOST]
    return order[mass[order] > 0].tolist(), bool(mass[size])


def _map(state: State, counts: Counts, order: list[int], classes: Classes, *, unlabelled: bool) -> Map:
    anchors, items, number = counts
    size = len(classes.names)
    place = np.full(size + 1, -1, np.int64)
    place[order] = np.arange(len(order))
    place[size] = len(order) if unlabelled else -1
    dense = np.zeros((len(order), len(order) + unlabelled), np.int64)
    shown = (place[anchors] >= 0) & (place[items] >= 0)
    dense[place[anchors[shown]], place[items[shown]]] = number[shown]
    totals = np.bincount(anchors, number, size + 1).astype(np.int64)
    most = int(dense.max(initial=1))
    rows = [
        (
            classes.names[code],
            [Cell(int(n), shade(int(n), most), at == column) for column, n in enumerate(dense[at])],
            int(totals[code]),
        )
        for at, code in enumerate(order)
    ]
    return Map(state.name.lower(), _TITLES[state], rows, int(number.sum()))


def _words(counts: dict[State, Counts], pairs: list[ConfusedPair]) -> list[str]:
    total = sum(int(one[2].sum()) for one in counts.values())
    if not pairs:
        return []
    first = pairs[0]
    both = sum(one.negatives + one.suspects for one in pairs)
    found = [plural(first.negatives, "negative"), *([plural(first.suspects, "suspect")] if first.suspects else [])]
    out = [f"Most often “{first.item}” is taken for “{first.anchor}”: {' and '.join(found)}."]
    if len(pairs) > 1:
        out.append(f"The {len(pairs)} pairs below hold {share(both, total)} of all negatives and suspects.")
    return out
