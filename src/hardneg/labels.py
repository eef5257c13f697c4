"""The classes of a finished run, for exports, weights and reports."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hardneg.classes import Classes, Codes, coded, values_of
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run

__all__ = ["about_anchor", "are_classes", "classes_of", "label_column", "names_at", "own_items"]


def label_column(run: Run) -> str | None:
    """The column that holds the labels of both anchors and items, None where there is none.

    It is ``label``; where the anchors are classes it is what the items call it.
    """
    anchors, items = run.anchors.table, set(run.items.table.column_names)
    name = "label" if "label" in anchors.column_names else _named_by_itself(anchors)
    return name if name in items else None


def are_classes(run: Run) -> bool:
    """Whether the anchors of a run are classes: things that are their own label, and have nothing else."""
    return label_column(run) is not None and _named_by_itself(run.anchors.table) is not None


def _named_by_itself(anchors: pa.Table) -> str | None:
    """The one column besides the id, where both hold the same."""
    others = [name for name in anchors.column_names if name != "id"]
    same = len(others) == 1 and anchors.column(others[0]).equals(anchors.column("id"))
    return others[0] if same else None


def classes_of(run: Run) -> Classes | None:
    """The classes of a run's anchors and items, None where it has no labels. Names stand in alphabetical order."""
    if (name := label_column(run)) is None:
        return None
    sides = [things.table.column(name).combine_chunks() for things in (run.anchors, run.items)]
    names = sorted(values_of(*sides).to_pylist())
    anchors, items = (coded(one, pa.array(names, pa.string())) for one in sides)
    return Classes(tuple(names), anchors, items, "classes" if are_classes(run) else "items")


def own_items(run: Run) -> IntArray:
    """The row of each anchor among the items, -1 for one that is none: a query, a class. Shape ``(anchors,)``."""
    if classes_of(run) is None or are_classes(run):
        return np.full(len(run.anchors), -1, np.int64)
    return run.items.positions(run.anchors.ids)


def about_anchor(reason: str) -> bool:
    """Whether a reason doubts the anchor, not the item.

    >>> about_anchor("mislabelled.anchor_likely_mislabelled"), about_anchor("duplicates.anchor_text")
    (True, False)
    """
    return reason.partition(".")[2].startswith("anchor_likely")


def names_at(codes: Codes, names: tuple[str, ...], rows: IntArray) -> list[list[str]]:
    """The names of the classes that each of these things has.

    >>> names_at(np.array([1, -1]), ("cat", "dog"), np.array([0, 1]))
    [['dog'], []]
    """
    found = Ragged.from_codes(codes).take(rows)
    flat = [names[code] for code in found.values.tolist()]
    bounds = zip(found.offsets[:-1].tolist(), found.offsets[1:].tolist(), strict=True)
    return [flat[start:end] for start, end in bounds]
