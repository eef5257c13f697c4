"""From labelled examples, wherever they come from, to relations: what all formats of labelled data share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from hardneg.classes import values_of
from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.io.readers._assemble import listed_ids, named_files
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._columns import check_chosen
from hardneg.io.readers._example import SOUNDS
from hardneg.io.readers._examples import Examples, Found
from hardneg.io.readers._labelled_names import SAME, same_as
from hardneg.io.readers._labelled_sources import Source, open_source
from hardneg.io.readers._media import common_root
from hardneg.io.readers._predicted import table_of
from hardneg.io.readers._splits import choose_minable
from hardneg.io.readers._vector_files import vector_files
from hardneg.io.readers.vectors import read_vectors
from hardneg.io.reading import Reading, Skips
from hardneg.matrix import Matrix
from hardneg.positives import Positives
from hardneg.predict import predictions_of
from hardneg.ragged import BoolArray, Ragged
from hardneg.similarity import check_vectors

__all__ = ["read_labelled"]

_NO_CLASS = (
    *("id", "text", "path", "image", "audio", "start", "end", "seconds", "rate", "width", "height", "content", "split"),
)
_ELSEWHERE = {"missing_file", "path_outside_folder", "no_such_recording"}
Open = Callable[[Path, ReadOptions, set[str]], Source]


def read_labelled(path: Path, options: ReadOptions, skips: Skips, *, opened: Open) -> Reading:
    """Read labelled examples; ``opened`` says where they come from.

    Raises InputError where nothing can be used or mined, OptionError for options that do not go together.
    """
    _refuse_options(options)
    notes, seen = Skips(), set[str]()
    source = opened(path, options, seen)
    more = open_source(Path(options.unlabelled), options, seen, labelled=False) if options.unlabelled else None
    found = _gathered(source, more, options, skips, notes)
    check_chosen(options, seen)
    if not len(found.items):
        raise _nothing_usable(path, found.total, skips)
    for name in source.classes_without(found.items.table):
        notes.add(f"class_without_a_usable_{'sound' if source.kind in SOUNDS else 'picture'}", name)
    chosen = choose_minable(found.items, options, path, notes)
    related = _related(found.items, chosen.minable, options, path)
    _note_overlaps(related, notes)
    positives = _predicted(related, options)
    for ids in listed_ids(options.exclude_ids, found.items, skips):
        positives = positives.barring(ids)
    return Reading(
        positives, f"labelled, {source.name}{chosen}", skips.list(), _files(source, more, options),
        item_vectors=_vectors(source, more, found, options), counts=_counts(positives, found), notes=notes.list(),
    )  # fmt: skip


def _nothing_usable(path: Path, total: int, skips: Skips) -> InputError:
    reasons = {one.reason: one.count for one in skips.list()}
    said = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    elsewhere = _ELSEWHERE & set(reasons)
    return InputError(
        f"None of the {total} rows or files can be used ({said}).",
        path=path,
        remedy="Say with --media-root in which folder the files are." if elsewhere else None,
    )


def _refuse_options(options: ReadOptions) -> None:
    for name in ("agreeing", "frames"):
        if getattr(options, name) is not None:
            raise OptionError(f"The option '{name}' is for boxes. Leave it out.")
    if options.corpus is not None:
        raise OptionError("The 'corpus' option is for a pairs file. Add items without a label with --unlabelled.")
    if options.anchor_vectors is not None:
        raise OptionError("The anchors of labelled data are among the items. Give --item-vectors alone.")


def _gathered(source: Source, more: Source | None, options: ReadOptions, skips: Skips, notes: Skips) -> Found:
    """All examples of one or two sources."""
    if more is not None and more.kind != source.kind:
        raise InputError(
            f"It holds examples of another kind ({more.kind}) than the data ({source.kind}).", path=more.path
        )
    root = common_root(source.base, more.base if more is not None else None)
    start = source.start or source.base
    inside = Path(os.path.relpath(start.resolve(), root.resolve())).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    examples = Examples(source.kind, root, skips, notes, prefix, same_as(options.positives))
    source.feed(examples, root)
    own = examples.total
    if more is not None:
        more.feed(examples, root)
    found = examples.finish()
    if more is not None and not (found.order >= own).any() and _ELSEWHERE & {one.reason for one in skips.list()}:
        raise _nothing_usable(more.path, found.total - own, skips)
    return found


def _related(items: Collection, minable: BoolArray, options: ReadOptions, path: Path) -> Positives:
    same = same_as(options.positives)
    if same not in items.table.column_names:
        raise _no_such_column(items, options.positives, path)
    try:
        if options.positives == "groups":
            return Positives.from_groups(items, minable=minable)
        if {"start", "end"} & set(items.table.column_names) and items.sounds is not None:
            related = Positives.from_segments(items, same=same, anchors=options.anchors, minable=minable)
        else:
            related = Positives.from_labels(items, label=same, anchors=options.anchors, minable=minable)
    except InputError as error:
        raise InputError(str(error), path=path) from None
    mine = items.table.column(same).filter(pa.array(minable))
    if not mine.null_count and len(values_of(mine.combine_chunks())) == 1:  # other labels are in other splits only
        raise InputError(
            f"All items to mine have the {same} '{mine[0].as_py()}', so none can be a negative.",
            path=path,
            remedy="Choose another split, or add items without a label with --unlabelled.",
        )
    return related


def _no_such_column(items: Collection, asked: str, path: Path) -> InputError:
    words = {column: word for word, column in SAME.items()}
    known = [words.get(name, name) for name in items.table.column_names if name not in _NO_CLASS]
    return InputError(
        f"There is no column '{asked}' to say what is the same. There are: {', '.join(known) or 'none'}.",
        path=path,
        remedy="Name one of these with --positives, or write a table that has it for each file.",
    )


def _note_overlaps(related: Positives, notes: Skips) -> None:
    """Note the parts of recordings that lie over a part with another label."""
    classes = related.classes
    if classes is None or not len(related.ignored.values):
        return
    rows, others = related.ignored.rows(), related.ignored.values
    rows = np.unique(rows[classes.otherwise(rows, others)])
    notes.add_rows(f"overlaps_another_{classes.column}", rows, lambda row: str(related.anchors.ids[row]))


def _predicted(positives: Positives, options: ReadOptions) -> Positives:
    """The same relations with the predictions that a model of the user's made."""
    if options.predictions is None:
        return positives
    file = Path(options.predictions)
    if positives.classes is None or not positives.classes.closed:
        raise OptionError("The 'predictions' are of classes, and groups are none. Leave one of them out.")
    several = isinstance(positives.classes.items, Ragged)
    table = table_of(file)
    try:
        found = predictions_of(
            table, positives.items, positives.classes.names, independent=several, held_out=options.held_out
        )
    except InputError as error:
        raise InputError(str(error), path=file) from None
    return positives.with_predictions(found)


def _vectors(source: Source, more: Source | None, found: Found, options: ReadOptions) -> Matrix | None:
    """The vectors of the items: from a file of their own, or from the table itself where it holds nothing else."""
    path = options.item_vectors
    if path is None and source.kind != "vector":
        return None
    if path is None and more is not None:
        raise InputError("Vectors in two tables cannot be joined.", path=more.path, remedy="Give --item-vectors FILE.")
    inside = source.vectors() if path is None else None
    if inside is not None:
        return check_vectors(inside[found.order], "item", rows=len(found.items))
    return read_vectors(path or source.path, found.items, "item", order=found.order, total=found.total)


def _files(source: Source, more: Source | None, options: ReadOptions) -> dict[str, Path]:
    listed = [Path(options.exclude_ids)] if options.exclude_ids is not None else []
    vectors = vector_files(options.item_vectors) if options.item_vectors is not None else []
    predicted = [Path(options.predictions)] if options.predictions is not None else []
    return named_files([*source.files, *(more.files if more is not None else ()), *listed, *vectors, *predicted])


def _counts(positives: Positives, found: Found) -> dict[str, int]:
    labelled = positives.classes.labelled() if positives.classes is not None else np.zeros(len(found.items), bool)
    return {
        "rows": found.total, "items": len(found.items),
        "classes": len(positives.classes.names) if positives.classes is not None else 0,
        "labelled": int(labelled.sum()), "unlabelled": int((~labelled).sum()),
        "anchors": len(positives.anchors), "barred": int(positives.barred.sum()),
    }  # fmt: skip
