"""From anchors, items and judgements as read to a Reading; every judgement is used or counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._gather import Gathered
from hardneg.io.readers._rows import Rows
from hardneg.io.readers._vector_files import vector_files
from hardneg.io.readers.vectors import read_vectors
from hardneg.io.reading import Reading, Skips
from hardneg.positives import Positives
from hardneg.ragged import IntArray
from hardneg.similarity import Matrix

__all__ = ["Parts", "assemble", "listed_ids", "named_files", "positive_items"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Parts:
    """What a reader found. ``judgements`` is the table of ``Judgements``, from ``rows``.

    ``excluded`` are ids of items that may not be mined; ``counts`` are the rows read.
    """

    format: str
    anchors: Gathered
    items: Gathered
    rows: Rows
    judgements: Any
    files: Sequence[Path]
    counts: dict[str, int]
    excluded: list[Any] = field(default_factory=list)


def assemble(parts: Parts, options: ReadOptions, skips: Skips) -> Reading:
    """Join the parts.

    Raises InputError where no judgement names a known anchor and item, or none of them is positive.
    """
    anchors, items = parts.anchors.collection, parts.items.collection
    judged = _usable(parts, skips)
    whole = Positives.from_pairs(
        judged["anchor"], judged["item"], anchors=anchors, items=items, grades=judged["grade"].to_numpy(),
        positive_from=options.positive_from, negative_to=options.negative_to, ignore=options.ignore,
    )  # fmt: skip
    kept = _with_positives(parts, whole, judged, options, skips)
    positives = replace(
        whole, anchors=anchors.take(kept), own=_own(anchors.take(kept), items),
        positive=whole.positive.take(kept), negative=whole.negative.take(kept), ignored=whole.ignored.take(kept),
    )  # fmt: skip
    for ids in [*parts.excluded, *listed_ids(options.exclude_ids, items, skips)]:
        positives = positives.barring(ids)
    kept_anchors = replace(parts.anchors, collection=positives.anchors, order=parts.anchors.order[kept])
    anchor_vectors, item_vectors = _vectors(kept_anchors, parts.items, options)
    counts = {
        **parts.counts,
        "anchors": len(positives.anchors), "items": len(items),
        "positives": len(positives.positive.values), "known_negatives": len(positives.negative.values),
        "ignored": len(positives.ignored.values), "barred": int(positives.barred.sum()),
    }  # fmt: skip
    listed = [Path(options.exclude_ids)] if options.exclude_ids is not None else []
    vectors = [vector_files(one) for one in (options.anchor_vectors, options.item_vectors) if one is not None]
    files = named_files([*parts.files, *listed, *(one for pair in vectors for one in pair)])
    return Reading(positives, parts.format, skips.list(), files, anchor_vectors, item_vectors, counts)


def positive_items(judgements: Any, options: ReadOptions) -> Any:
    """The ids of the items that these judgements call positive."""
    grades = judgements["grade"].to_numpy()
    mask = (grades >= options.positive_from) & ~np.isin(grades, np.array(options.ignore, np.float64))
    return judgements["item"].filter(pa.array(mask)).unique()


def _usable(parts: Parts, skips: Skips) -> Any:
    """The judgements whose ids are known and whose grade is there, each once."""
    judged, lines = parts.judgements, parts.judgements["line"].to_numpy()
    anchors = parts.anchors.collection.positions(judged["anchor"])
    items = parts.items.collection.positions(judged["item"])
    grades = judged["grade"].to_numpy()
    reasons: dict[str, Mask] = {
        "unknown_anchor": anchors < 0,
        "unknown_item": items < 0,
        "no_grade": np.isnan(grades),
        "duplicate_row": _repeated(anchors, items, grades),
    }
    left = np.ones(len(lines), bool)
    for reason, mask in reasons.items():
        parts.rows.skip(skips, reason, lines[mask & left])
        left &= ~mask
    if not left.any():
        unknown_anchors, unknown_items = int((anchors < 0).sum()), int((items < 0).sum())
        raise InputError(
            f"None of the {len(lines)} judgements can be used: {unknown_anchors} name an unknown anchor, "
            f"{unknown_items} an unknown item (such as {judged['item'][0].as_py()!r}).",
            path=parts.rows.path,
            remedy="Check that these judgements belong to these anchors and items.",
        )
    return judged.filter(pa.array(left))


def _repeated(*columns: NDArray[Any]) -> Mask:
    """Which rows were there before."""
    order = np.lexsort(columns)
    same = np.ones(max(len(order) - 1, 0), bool)
    for one in columns:
        same &= one[order][1:] == one[order][:-1]
    mask = np.zeros(len(order), bool)
    mask[order[1:]] = same
    return mask


def _with_positives(parts: Parts, whole: Positives, judged: Any, options: ReadOptions, skips: Skips) -> IntArray:
    """The rows of the anchors that have a positive; the others and their judgements are counted."""
    has = whole.positive.lengths() > 0
    if not has.any():
        grades = judged["grade"].to_numpy()
        raise InputError(
            f"No anchor has a positive: the grades run from {grades.min():g} to {grades.max():g}, "
            f"and a positive needs {options.positive_from:g}.",
            path=parts.rows.path,
            remedy="Lower the threshold with --positive-from.",
        )
    parts.anchors.rows.skip(skips, "no_positive", parts.anchors.lines[~has])
    rows, lines = whole.anchors.positions(judged["anchor"]), judged["line"].to_numpy()
    parts.rows.skip(skips, "unused_judgement", lines[~has[rows]])
    # Of two grades for one pair the better one holds; either way one of the two rows adds nothing.
    again = _repeated(rows, whole.items.positions(judged["item"]))
    parts.rows.skip(skips, "judged_twice", lines[again & has[rows]])
    return np.flatnonzero(has)


def _own(anchors: Collection, items: Collection) -> IntArray:
    """Each anchor's own row: the item with its id and its text. With a title, the text alone may agree."""
    rows = items.positions(anchors.ids)
    known = np.flatnonzero(rows >= 0)
    same = np.zeros(len(known), bool)
    for name in ("text", "body"):
        if name in items.table.column_names and anchors.texts is not None:
            mine, theirs = anchors.texts.take(pa.array(known)), items.table[name].take(pa.array(rows[known]))
            same |= pc.equal(mine, theirs).to_numpy().astype(bool)
    own = np.full(len(anchors), -1, np.int64)
    own[known[same]] = rows[known[same]]
    return own


def listed_ids(path: Path | None, items: Collection, skips: Skips) -> list[list[str]]:
    """The ids in a file, one a line; unknown ones are counted. No list where there is no file."""
    if path is None:
        return []
    listed = [(number, line.strip()) for number, line in text_lines(Path(path)) if line.strip()]
    ids = [one for _, one in listed]
    known = items.positions(ids)
    for (number, one), row in zip(listed, known, strict=True):
        if row < 0:
            skips.add("unknown_excluded_id", f"{Path(path).name}, line {number}: {one}")
    return [ids]


def _vectors(anchors: Gathered, items: Gathered, options: ReadOptions) -> tuple[Matrix | None, Matrix | None]:
    def of(path: Path | None, things: Gathered, what: str) -> Matrix | None:
        if path is None:
            return None
        return read_vectors(path, things.collection, what, order=things.order, total=things.total)

    left, right = of(options.anchor_vectors, anchors, "anchor"), of(options.item_vectors, items, "item")
    if left is not None and right is not None and left.shape[1] != right.shape[1]:
        raise InputError(
            f"The anchor vectors have {left.shape[1]} dimensions, "
            f"the item vectors {right.shape[1]} ({options.item_vectors}).",
            path=options.anchor_vectors,
            remedy="Encode both with one model.",
        )
    return left, right


def named_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the files by name; one whose name is taken goes by its folder and name, else by its whole path."""
    named: dict[str, Path] = {}
    for path in dict.fromkeys(paths):
        names = (path.name, f"{path.parent.name}/{path.name}")
        named[next((one for one in names if one not in named), str(path.absolute()))] = path
    return named
