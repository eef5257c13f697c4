"""Labelled items: a folder of pictures for each class, or a table with a column of labels, on any carrier."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pyarrow as pa

from hardneg.classes import values_of
from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.io.readers._assemble import listed_ids, named_files
from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._columns import check_chosen
from hardneg.io.readers._delimited import first_line
from hardneg.io.readers._examples import Examples, Found
from hardneg.io.readers._folder import has_picture
from hardneg.io.readers._labelled_names import LABELLED_ROLES, NO_PAIR
from hardneg.io.readers._labelled_sources import Source, open_source
from hardneg.io.readers._media import common_root
from hardneg.io.readers._names import normal
from hardneg.io.readers._predicted import table_of
from hardneg.io.readers._rows import carrier_of, open_rows
from hardneg.io.readers._splits import choose_minable
from hardneg.io.readers._tables import columns_of
from hardneg.io.readers._vector_files import vector_files
from hardneg.io.readers.vectors import read_vectors
from hardneg.io.reading import Reading, Skips
from hardneg.matrix import Matrix
from hardneg.positives import Positives
from hardneg.predict import predictions_of
from hardneg.ragged import BoolArray, Ragged
from hardneg.similarity import check_vectors

__all__ = ["LABELLED"]


def _sniff(path: Path, options: ReadOptions) -> bool:
    carrier = carrier_of(path)
    if carrier is None:
        return path.is_dir() and has_picture(path)
    names = columns_of(path, carrier) or _names(path, carrier)
    chosen = {role: name for role, name in options.columns.items() if name in names}
    if any(role not in LABELLED_ROLES for role in chosen):
        return False
    left = {normal(name) for name in names if name not in chosen.values()}
    if left & NO_PAIR and not ("label" in chosen or "group" in chosen):
        return False
    return bool(chosen) or any(left & set(LABELLED_ROLES[role]) for role in ("label", "text", "path", "image"))


def _names(path: Path, carrier: str) -> list[str]:
    """The columns of the first record; of a table without one those of its header."""
    for _, record in open_rows(path, carrier=carrier):
        return list(record)
    return re.split(r"[,;\t]", first_line(path).replace('"', ""))


def _read(path: Path, options: ReadOptions, skips: Skips) -> Reading:
    _refuse_options(options)
    notes, seen = Skips(), set[str]()
    source = open_source(path, options, seen)
    more = open_source(Path(options.unlabelled), options, seen, labelled=False) if options.unlabelled else None
    found = _gathered(source, more, skips, notes)
    check_chosen(options, seen)
    if not len(found.items):
        reasons = ", ".join(f"{one.count} {one.reason}" for one in skips.list())
        raise InputError(f"None of the {found.total} rows or files can be used ({reasons}).", path=path)
    for name in source.classes_without(found.items.table):
        notes.add("class_without_a_usable_picture", name)
    chosen = choose_minable(found.items, options, path, notes)
    positives = _predicted(_related(found.items, chosen.minable, options, path), options)
    for ids in listed_ids(options.exclude_ids, found.items, skips):
        positives = positives.barring(ids)
    return Reading(
        positives, f"labelled, {source.name}{chosen}", skips.list(), _files(source, more, options),
        item_vectors=_vectors(source, more, found, options), counts=_counts(positives, found), notes=notes.list(),
    )  # fmt: skip


LABELLED = Format(
    "labelled",
    "a folder of pictures for each class, or a table with a text, a path or a picture and a label",
    _sniff,
    _read,
)


def _refuse_options(options: ReadOptions) -> None:
    if options.corpus is not None:
        raise OptionError("The 'corpus' option is for a pairs file. Add items without a label with --unlabelled.")
    if options.anchor_vectors is not None:
        raise OptionError("The anchors of labelled data are among the items. Give --item-vectors alone.")


def _gathered(source: Source, more: Source | None, skips: Skips, notes: Skips) -> Found:
    """All examples of one or two sources."""
    if more is not None and more.kind != source.kind:
        raise InputError(
            f"It holds examples of another kind ({more.kind}) than the data ({source.kind}).", path=more.path
        )
    root = common_root(source.base, more.base if more is not None else None)
    start = source.path if source.name == "image folder" else source.base
    inside = Path(os.path.relpath(start.resolve(), root.resolve())).as_posix()
    examples = Examples(source.kind, root, skips, notes, "" if inside == "." else f"{inside}/")
    source.feed(examples, root)
    if more is not None:
        more.feed(examples, root)
    return examples.finish()


def _related(items: Collection, minable: BoolArray, options: ReadOptions, path: Path) -> Positives:
    try:
        if options.positives == "groups":
            return Positives.from_groups(items, minable=minable)
        related = Positives.from_labels(items, anchors=options.anchors, minable=minable)
    except InputError as error:
        raise InputError(str(error), path=path) from None
    mine = items.table.column("label").filter(pa.array(minable))
    if not mine.null_count and len(values_of(mine.combine_chunks())) == 1:  # other labels are in other splits only
        raise InputError(
            f"All items to mine have the label '{mine[0].as_py()}', so none can be a negative.",
            path=path,
            remedy="Choose another split, or add items without a label with --unlabelled.",
        )
    return related


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
