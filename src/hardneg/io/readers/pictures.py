"""Labelled pictures as they are, for work before any mining: no choice of a split, no relations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._columns import check_chosen
from hardneg.io.readers._examples import Examples
from hardneg.io.readers._labelled_names import LABELLED_ROLES
from hardneg.io.readers._labelled_sources import open_source
from hardneg.io.readers._names import normal
from hardneg.io.readers._rows import carrier_of, open_rows
from hardneg.io.reading import Skip, Skips

__all__ = ["Pictures", "read_pictures"]

_PEOPLE = ("identity", "person", "subject", "name")  # what a column of labels is called where they are people


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures with a ``label`` each, None where there is none, and an account of all that was read.

    Attributes:
        items: Their ids, paths (or bytes), labels, and all other columns; ``content`` is a hash of each file.
        total: How many rows or files were read.
        skips: Those that were left out, by reason.
        notes: Those in use, but odd.
    """

    items: Collection
    total: int
    skips: Sequence[Skip]
    notes: Sequence[Skip]


def read_pictures(path: Path, options: ReadOptions | None = None) -> Pictures:
    """Read a folder with a folder of pictures for each label, or a table with a path (or a picture) and a label.

    The label may also stand in a column called identity, person, subject or name. Every picture is looked at, so a
    broken one is a counted skip.

    Raises InputError for what is none of these, for several labels to a picture, and where no picture can be used.
    """
    options = _naming_people(path, options or ReadOptions())
    skips, notes, seen = Skips(), Skips(), set[str]()
    source = open_source(path, options, seen)
    if source.kind not in ("path", "image"):
        raise InputError(
            f"It holds no pictures ({source.kind}).", path=path, remedy="Name their column: --column path=NAME."
        )
    examples = Examples(source.kind, source.base, skips, notes)
    source.feed(examples, source.base)
    found = examples.finish()
    check_chosen(options, seen)
    if not len(found.items):
        reasons = ", ".join(f"{one.count} {one.reason}" for one in skips.list())
        raise InputError(f"None of the {found.total} rows or files can be used ({reasons}).", path=path)
    if found.items.table.schema.field("label").type != "string":
        raise InputError("Some pictures have several labels.", path=path, remedy="Give each picture one identity.")
    return Pictures(found.items, found.total, skips.list(), notes.list())


def _naming_people(path: Path, options: ReadOptions) -> ReadOptions:
    """The same options; where a table has no usual column for a label, one that names people is it."""
    carrier = carrier_of(path)
    if carrier in (None, "datasets") or "label" in options.columns:
        return options
    names = [name for _, record in islice(open_rows(path, carrier=carrier), 1) for name in record]
    if any(normal(name) in LABELLED_ROLES["label"] for name in names):
        return options
    named = next((name for one in _PEOPLE for name in names if normal(name) == one), None)
    return options if named is None else replace(options, columns={**options.columns, "label": named})
