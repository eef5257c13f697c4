"""A file of anchors or items: an id, a text and, for items, a title."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._columns import Columns
from hardneg.io.readers._gather import Gathered, Gatherer
from hardneg.io.readers._names import ANCHOR_ROLES, ITEM_ROLES
from hardneg.io.readers._rows import Numbered, Record, Rows, open_rows
from hardneg.io.reading import Skips

__all__ = ["read_anchors", "read_items"]


def read_anchors(path: Path, options: ReadOptions, skips: Skips, seen: set[str]) -> Gathered:
    """Read the anchors of ``path``, each with an id; further columns travel along."""
    rows = open_rows(path)
    columns = Columns(ANCHOR_ROLES, rows, options, seen)
    gatherer = Gatherer(rows, "anchor", skips)
    for number, record in rows:
        columns.need(number, record, "anchor_id", "anchor")
        found = columns(record)
        given, text = _value(record, found["anchor_id"]), _value(record, found["anchor"])
        gatherer.add(number, _given(rows, number, given), text, "", _further(record, found))
    return gatherer.finish()


def read_items(
    path: Path, options: ReadOptions, skips: Skips, seen: set[str], *, ids_needed: bool = True
) -> tuple[Gathered, bool]:
    """Read the items of ``path`` and say whether they have ids of their own.

    Without ``ids_needed``, ids are made from the texts, and a file named ``.txt`` holds one text a line.

    Raises InputError for a missing field, ids that repeat with another text, or a file without a text.
    """
    rows = Rows(path, "txt", lambda: _plain(path)) if not ids_needed and ".txt" in path.suffixes else open_rows(path)
    columns = Columns(ITEM_ROLES, rows, options, seen)
    gatherer = Gatherer(rows, "item", skips)
    has_ids = ids_needed
    for number, record in rows:
        found = columns(record)
        if "title" not in found:
            columns.need(number, record, "item")
        if ids_needed:
            columns.need(number, record, "item_id")
        given = None
        if "item_id" in found:
            given, has_ids = _given(rows, number, _value(record, found["item_id"])), True
        text, title = _value(record, found.get("item")), _value(record, found.get("title"))
        gatherer.add(number, given, text, title, _further(record, found))
    return gatherer.finish(), has_ids


def _plain(path: Path) -> Numbered:
    for number, line in text_lines(path):
        yield number, {"text": line.rstrip("\r\n")}


def _value(record: Record, names: tuple[str, ...] | None) -> object:
    return record[names[0]] if names else None


def _given(rows: Rows, number: int, given: object) -> object:
    if given is None or given == "":
        raise rows.error(number, "The id is missing.", "Give each row an id.")
    return given


def _further(record: Record, found: Mapping[str, tuple[str, ...]]) -> Record:
    """The columns without a role; vectors beside the texts are read by themselves."""
    used = {name for names in found.values() for name in names}
    return {
        name: value
        for name, value in record.items()
        if name not in used and not (isinstance(value, list) and value and isinstance(value[0], float))
    }
