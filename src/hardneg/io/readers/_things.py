"""The texts and ids in one cell of a pairs file: one or a list, plain or as an object with id, title and text."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hardneg.io.readers._names import ITEM_ROLES, normal
from hardneg.io.readers._rows import Record, Rows

__all__ = ["Thing", "things"]


class Thing(NamedTuple):
    """One item as a pairs file names it. An id of None is not given; a text of None is not there."""

    id: object
    title: object
    text: object


def things(
    rows: Rows, number: int, record: Record, text_columns: tuple[str, ...], id_columns: tuple[str, ...]
) -> Iterator[Thing]:
    """Give the items in these columns; lists of texts and of ids run in parallel.

    Raises InputError for lists of different lengths.
    """
    texts = [one for name in text_columns for one in _listed(record[name], rows, named=name)]
    ids = [one for name in id_columns for one in _listed(record[name], rows, named=name)]
    if text_columns and id_columns and len(texts) != len(ids):
        raise rows.error(
            number,
            f"There are {len(texts)} texts in '{text_columns[0]}' and {len(ids)} ids in '{id_columns[0]}'.",
            "Give one id for each text.",
        )
    if not text_columns:
        yield from (Thing(one, None, None) for one in ids)
        return
    for at, text in enumerate(texts):
        given = ids[at] if ids else None
        yield _object(text, given) if isinstance(text, Mapping) else Thing(given, None, text)


def _object(value: Mapping[str, object], given: object) -> Thing:
    names = {normal(name): name for name in value}

    def of(role: str) -> object:
        return next((value[names[one]] for one in ITEM_ROLES[role] if one in names), None)

    return Thing(given if given is not None else of("item_id"), of("title"), of("item"))


def _listed(value: object, rows: Rows, *, named: str) -> list[object]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str) and rows.carrier in ("csv", "tsv"):
        cell = _list_in_cell(value)
        if cell is not None:
            return cell
    optional = value is None or value == ""
    return [] if optional and "neg" in normal(named) else [value]


def _list_in_cell(text: str) -> list[object] | None:
    """The list of texts that a CSV cell spells, as JSON or as Python prints it; None for a plain text."""
    inside = text.strip()
    if not (inside == "[]" or (inside[:2] in ('["', "['") and inside[-2:] in ('"]', "']"))):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(inside)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        # Python reads ['a' 'b'], as NumPy prints two texts, as one text 'ab'.
        exact = parse is json.loads or repr(value) == inside
        if exact and isinstance(value, list) and all(isinstance(one, str) for one in value):
            return list(value)
    return None
