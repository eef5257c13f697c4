"""The classes of a finished run, for exports, weights and reports."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.classes import Classes, Codes, coded, values_of
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run

__all__ = ["about_anchor", "are_classes", "classes_of", "label_column", "mean_over_classes", "names_at", "own_items"]


def label_column(run: Run) -> str | None:
    """The column that holds the labels of both anchors and items, None where there is none.

    Groups, of which to be in another says nothing, are no labels.
    """
    about = run.manifest.get("labels", {})
    return str(about["column"]) if about.get("closed") else None


def are_classes(run: Run) -> bool:
    """Whether the anchors of a run are classes."""
    return bool(run.manifest.get("labels", {}).get("anchors") == "classes")


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
    if label_column(run) is None or are_classes(run):
        return np.full(len(run.anchors), -1, np.int64)
    return run.items.positions(run.anchors.ids)


def about_anchor(reason: str) -> bool:
    """Whether a reason doubts the anchor, not the item.

    >>> about_anchor("mislabelled.anchor_likely_mislabelled"), about_anchor("duplicates.anchor_text")
    (True, False)
    """
    return reason.partition(".")[2].startswith("anchor_likely")


def mean_over_classes(
    members: Ragged, figures: NDArray[np.float64], without: float
) -> NDArray[np.float64]:  # fmt: skip
    """The mean of the ``figures`` of each thing's classes; ``without`` for a thing that has no class.

    >>> mean_over_classes(Ragged.from_lists([[0, 1], []]), np.array([1.0, 3.0]), np.nan).tolist()
    [2.0, nan]
    """
    number = members.lengths()
    sums = np.bincount(members.rows(), figures[members.values], len(members))
    return np.where(number > 0, sums / np.maximum(number, 1), without)


def names_at(codes: Codes, names: tuple[str, ...], rows: IntArray) -> list[list[str]]:
    """The names of the classes that each of these things has.

    >>> names_at(np.array([1, -1]), ("cat", "dog"), np.array([0, 1]))
    [['dog'], []]
    """
    found = Ragged.from_codes(codes).take(rows)
    flat = [names[code] for code in found.values.tolist()]
    bounds = zip(found.offsets[:-1].tolist(), found.offsets[1:].tolist(), strict=True)
    return [flat[start:end] for start, end in bounds]
