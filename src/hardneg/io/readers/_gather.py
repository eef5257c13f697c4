"""Ids and texts, row by row, into a collection; Arrow holds all but the last few thousand rows."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection, Id
from hardneg.errors import InputError
from hardneg.io.readers._ids import IdCheck, encodable
from hardneg.io.readers._rows import Record, Rows
from hardneg.io.reading import Skips
from hardneg.ragged import IntArray

__all__ = ["Gathered", "Gatherer", "column_of_values", "joined_tables"]

_CHUNK_ROWS = 16_384
_CHUNK_CHARACTERS = 32_000_000
_RESERVED = ("id", "text", "title", "body")


@dataclass(frozen=True, eq=False)
class Gathered:
    """A collection and where its rows came from.

    ``lines[i]`` is the line of row ``i``; ``order[i]`` counts the texts before it, of ``total`` in the file, so
    that vectors written in the order of the file find their rows.
    """

    collection: Collection
    rows: Rows
    lines: IntArray
    order: IntArray
    total: int


class Gatherer:
    """Takes rows one by one; the text is ``title body``, and both parts stay where there are titles.

    An empty text is a counted skip. So is a repeated row, unless ``merge`` says that repeats are to be expected.
    """

    def __init__(self, rows: Rows, what: str, skips: Skips, *, merge: bool = False) -> None:
        self._rows, self._what, self._skips, self._merge = rows, what, skips, merge
        self._ids = IdCheck(what, rows)
        self._chunk: dict[Id, tuple[str, str, str, Record]] = {}
        self._tables: list[Any] = []
        self._lines, self._order = array("q"), array("q")
        self._total = self._characters = 0

    def add(self, number: int, given: object, body: object, title: object = "", extra: Record | None = None) -> object:
        """Take one row; return its id. Where the text is empty that is the given one, so perhaps None."""
        self._total += 1
        body, title = self._text(number, body), self._text(number, title)
        text = f"{title} {body}".strip() if title else body
        if not text.strip() or not encodable(text):
            self._skips.add("broken_text" if text.strip() else "empty_text", self._rows.place(number))
            return given if given != "" else None
        key = self._ids.or_made(number, given, text)
        if key in self._chunk:
            self._again(number, key, text)
            return key
        self._chunk[key] = (text, title, body, extra or {})
        self._lines.append(number)
        self._order.append(self._total - 1)
        self._characters += len(text)
        if len(self._chunk) >= _CHUNK_ROWS or self._characters >= _CHUNK_CHARACTERS:
            self._spill()
        return key

    @property
    def total(self) -> int:
        """The number of rows seen, the skipped ones too."""
        return self._total

    def finish(self) -> Gathered:
        """Return everything taken.

        Raises InputError where nothing was taken, or where one id has two texts.
        """
        self._spill()
        if not self._tables:
            raise InputError(
                f"There is no {self._what} with a text.",
                path=self._rows.path,
                remedy=f"Check that this is the file of the {self._what}s.",
            )
        table, self._tables = _with_titles(joined_tables(self._tables, _RESERVED)), []
        lines, order = np.array(self._lines, np.int64), np.array(self._order, np.int64)
        first = self._first_rows(table, lines)
        if len(first) < len(lines):
            table, lines, order = table.take(pa.array(first)), lines[first], order[first]
        return Gathered(Collection(table), self._rows, lines, order, self._total)

    def _text(self, number: int, value: object) -> str:
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        raise self._rows.error(number, f"The {self._what} text must be text. Got {type(value).__name__}.")

    def _again(self, number: int, key: Id, text: str) -> None:
        if self._chunk[key][0] != text:
            raise self._two_texts(number, key)
        if not self._merge:
            self._skips.add("duplicate_row", self._rows.place(number))

    def _two_texts(self, number: int, key: Id) -> InputError:
        return self._rows.error(
            number,
            f"The {self._what} id {key!r} was there before, with another text.",
            "Ids must be unique: number the rows, or remove one of the two.",
        )

    def _spill(self) -> None:
        if not self._chunk:
            return
        texts, titles, bodies, extras = zip(*self._chunk.values(), strict=True)
        columns: dict[str, Any] = {"id": pa.array(list(self._chunk)), "text": pa.array(texts, pa.large_string())}
        if any(titles):
            columns["title"] = pa.array(titles, pa.large_string())
            columns["body"] = pa.array(bodies, pa.large_string())
        for name in dict.fromkeys(name for extra in extras for name in extra):
            if name not in _RESERVED:
                columns[name] = column_of_values([extra.get(name) for extra in extras])
        self._tables.append(pa.table(columns))
        self._chunk, self._characters = {}, 0

    def _first_rows(self, table: Any, lines: IntArray) -> IntArray:
        """The first row of each id, ascending; the later ones must say the same."""
        codes = pc.dictionary_encode(table["id"].combine_chunks()).indices.to_numpy()
        _, first, group = np.unique(codes, return_index=True, return_inverse=True)
        firsts = first[group]
        again = np.flatnonzero(firsts != np.arange(len(codes)))
        if len(again):
            texts = table["text"]
            same = pc.equal(texts.take(pa.array(again)), texts.take(pa.array(firsts[again]))).to_numpy()
            if not same.all():
                row = int(again[np.argmin(same)])
                raise self._two_texts(int(lines[row]), table["id"][row].as_py())
            if not self._merge:
                self._rows.skip(self._skips, "duplicate_row", lines[again])
        return np.sort(first)


def column_of_values(values: Sequence[object]) -> Any:
    """Values of one type as they are, mixed ones as JSON text."""
    try:
        return pa.array(values)
    except (pa.lib.ArrowException, ValueError, TypeError, OverflowError):
        return _as_json(values)


def _as_json(values: Sequence[object]) -> Any:
    return pa.array([None if one is None else json.dumps(one, default=str) for one in values], pa.string())


def joined_tables(tables: list[Any], fixed: Sequence[str]) -> Any:
    """One table; columns may be missing from some, and differ in type but for those that are ``fixed``."""
    for name in dict.fromkeys(name for one in tables for name in one.column_names):
        kinds = {one.schema.field(name).type for one in tables if name in one.column_names} - {pa.null()}
        if len(kinds) > 1 and name not in fixed:
            tables = [_replaced(one, name, _as_json(one[name].to_pylist())) if name in one.column_names else one
                      for one in tables]  # fmt: skip
    return pa.concat_tables(tables, promote_options="default")


def _with_titles(whole: Any) -> Any:
    """Where some chunks had no title, those are empty and the whole text is the body."""
    if "title" in whole.column_names and whole["title"].null_count:
        whole = _replaced(whole, "title", pc.fill_null(whole["title"], ""))
        whole = _replaced(whole, "body", pc.coalesce(whole["body"], whole["text"]))
    return whole


def _replaced(table: Any, name: str, column: Any) -> Any:
    return table.set_column(table.schema.get_field_index(name), name, column)
