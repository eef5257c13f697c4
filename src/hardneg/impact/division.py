"""Who is held out, so that nothing of it was trained on: a split of the data, else lots of what belongs together."""

from __future__ import annotations

import numpy as np

from hardneg import random
from hardneg.classes import coded, together, values_of
from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.filters.duplicates import fingerprints
from hardneg.impact.task import Kind, Parts
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray
from hardneg.verify.trials import split_apart

__all__ = ["TEST", "VALIDATION", "divided", "in_turn", "lots_of"]

TEST, VALIDATION = 0.3, 0.15  # of what is not held out by the data themselves; the second of what the first leaves
_LARGEST = 0.5  # a lot with more than this share of all rows cannot be kept on one side


def divided(kind: Kind, positives: Positives, codes: IntArray, held_out: BoolArray | None, seed: int = 0) -> Parts:
    """Divide the rows (anchors in retrieval, else items with a class) into training, validation and test.

    Args:
        kind: of the task.
        positives: the relations of everything.
        codes: the class of each item, as in :class:`Task`.
        held_out: rows that the data themselves hold out; None where they do not.
        seed: draws the lots.

    Raises InputError where nothing can be held out.
    """
    usable = positives.positive.lengths() > 0 if kind == "retrieval" else codes >= 0
    lots, why = lots_of(kind, positives, codes)
    rows = np.flatnonzero(usable)
    if held_out is not None and (held_out & usable).any():
        test = usable & held_out
        how = f"{int(test.sum())} of another split of the data"
    else:
        test = _drawn(rows, lots, TEST, seed, len(usable))
        how = f"{int(test.sum())} drawn from the same data, {why}"
    return _parts(kind, usable, test, lots, how, codes, seed)


def in_turn(
    kind: Kind, positives: Positives, codes: IntArray, folds: int, seed: int = 0, lots: IntArray | None = None
) -> list[Parts]:
    """Divide the rows so often that each is held out once, with all that belongs together (cross-fitting).

    Lots go, in an order drawn by ``seed``, each to the fold that has the fewest rows so far. Of too few lots fewer
    folds are made; where not even two can be, the outcome is that of :func:`divided`.

    Args:
        kind: of the task.
        positives: the relations of everything.
        codes: the class of each item, as in :class:`Task`.
        folds: how many, 2 or more.
        seed: draws the order.
        lots: what belongs together, a number for each row; that of :func:`lots_of` if not given.
    """
    usable = positives.positive.lengths() > 0 if kind == "retrieval" else codes >= 0
    found, why = lots_of(kind, positives, codes)
    lots, why = (found, why) if lots is None else (lots, "no lot on both sides")
    rows = np.flatnonzero(usable)
    for count in range(min(folds, len(np.unique(lots[rows]))), 1, -1):
        fold = _dealt(lots, rows, count, seed)
        sides = [usable & (fold == one) for one in range(count)]
        if kind == "verification" and not all(_both_kinds(codes[side]) for side in sides):
            continue
        how = f"{len(rows)} of the same data in {count} folds, each in turn, {why}"
        return [_parts(kind, usable, side, lots, how, codes, seed) for side in sides]
    return [divided(kind, positives, codes, None, seed)]


def _dealt(lots: IntArray, rows: IntArray, folds: int, seed: int) -> IntArray:
    """The fold of each row, shape of ``lots``; that of rows which do not count says nothing."""
    there, sizes = np.unique(lots[rows], return_counts=True)
    fold, load = np.zeros(int(lots.max()) + 1, np.int64), np.zeros(folds, np.int64)
    for at in np.argsort(random.uniform(seed, there), kind="stable").tolist():
        fold[there[at]] = load.argmin()
        load[fold[there[at]]] += sizes[at]
    return fold[lots]


def _parts(
    kind: Kind, usable: BoolArray, test: BoolArray, lots: IntArray, how: str, codes: IntArray, seed: int
) -> Parts:
    """What is left of the usable rows is for training, but for a part to choose by."""
    rest = np.flatnonzero(usable & ~test)
    # A verifier's impostors take two identities.
    least = 2.5 / len(np.unique(lots[rest])) if kind == "verification" else 0.0
    validation = _drawn(rest, lots, min(0.5, max(VALIDATION, least)), seed + 1, len(usable))
    train = np.flatnonzero(usable & ~test & ~validation)
    if not (len(train) and validation.any() and test.any()):
        raise InputError("There is too little data to hold some out.", remedy="Give more, or a split of its own.")
    if kind == "verification" and not _both_kinds(codes[test]):
        raise InputError(
            "What is held out has no trial of two items of one identity, or none of two identities.",
            remedy="Give more items of each identity, or hold out others.",
        )
    return Parts(train, np.flatnonzero(validation), np.flatnonzero(test), lots, how)


def _both_kinds(codes: IntArray) -> bool:
    """Whether two items have one identity and two have different ones."""
    _, counts = np.unique(codes, return_counts=True)
    return len(counts) > 1 and bool(counts.max() > 1)


def _drawn(rows: IntArray, lots: IntArray, share: float, seed: int, size: int) -> BoolArray:
    out = np.zeros(size, bool)
    out[rows[split_apart([lots[rows]], share=share, seed=seed)]] = True
    return out


def lots_of(kind: Kind, positives: Positives, codes: IntArray) -> tuple[IntArray, str]:
    """The lot of each row, and what keeps the sides apart, in words."""
    if kind == "verification":
        return np.where(codes >= 0, codes, codes.max(initial=0) + 1), "no identity on both sides"
    if kind == "retrieval":
        lots = positives.positive.connected(len(positives.items))
        if np.bincount(lots).max() <= _LARGEST * len(lots):
            return lots, "none with a positive of the training side"
        return np.arange(len(lots)), "some with a positive that the training side has too: nearly all share some"
    groups = _groups(positives.items)
    if groups is None:
        return _copies(positives.items), "no copies on both sides"
    return groups, "no group on both sides"


def _groups(items: Collection) -> IntArray | None:
    """The column ``group`` as numbers, each item without one by itself; None where there is no such column."""
    if "group" not in items.table.column_names:
        return None
    column = items.table.column("group").combine_chunks()
    found = together(coded(column, values_of(column)))
    return np.where(found >= 0, found, found.max(initial=-1) + 1 + np.arange(len(found)))


def _copies(items: Collection) -> IntArray:
    """The first row of those of the same content (picture, sound, else text), as the check for leaks has it."""
    _, first, place = np.unique(fingerprints(items), return_index=True, return_inverse=True)
    return np.asarray(first[place], np.int64)


def sampled(rows: IntArray, most: int, seed: int) -> IntArray:
    """At most so many of the rows, drawn evenly; in their order."""
    if len(rows) <= most:
        return rows
    return np.sort(rows[np.argsort(random.uniform(seed, rows), kind="stable")[:most]])
