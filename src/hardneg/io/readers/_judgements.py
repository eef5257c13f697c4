"""Judgements: this item has this grade for this anchor."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.errors import InputError
from hardneg.io.readers._ids import IdCheck
from hardneg.io.readers._rows import Rows

__all__ = ["GradeReader", "Judgements"]

_CHUNK_ROWS = 65_536
_SHOWN = 20


class GradeReader:
    """Turns what stands in a file into a number; text grades only as the user says.

    >>> read = GradeReader({"SUPPORT": 1})
    >>> read("2"), read("SUPPORT"), read("")
    (2.0, 1.0, nan)
    """

    def __init__(self, grades: Mapping[str, float]) -> None:
        self._known: dict[object, float] = {name: float(value) for name, value in grades.items()}
        self._unknown: dict[str, None] = {}

    def __call__(self, value: object) -> float:
        """Return the grade, NaN where there is none; a grade without a meaning is kept for :meth:`check`."""
        if value is None or value == "":
            return float("nan")
        if isinstance(value, (int, float)):
            return float(value)
        text = str(value)
        if text not in self._known:
            try:
                self._known[text] = float(text)
            except ValueError:
                self._unknown[text[:60]] = None
                self._known[text] = float("nan")
        return self._known[text]

    def check(self, rows: Rows) -> None:
        """Raise InputError if there were text grades that the user did not explain, with the flag to give."""
        if self._unknown:
            names = sorted(self._unknown, key=_says_no)
            flags = " ".join(f"--grade {_quoted(name)}={int(not _says_no(name))}" for name in names[:_SHOWN])
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise InputError(
                f"The grades are text: {', '.join(names[:_SHOWN])}{more}.",
                path=rows.path,
                remedy=f"Say what they stand for, 1 for a positive and 0 for a known negative, as in: {flags}.",
            )


def _says_no(name: str) -> bool:
    """Whether a grade sounds like a negative: good enough for an example, never for a reading."""
    return _NO.search(name) is not None


_NO = re.compile("contra|refut|neg|false|ir+el|^no|^un", re.IGNORECASE)


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


class Judgements:
    """Takes judgements one by one.

    The table has the columns ``anchor`` and ``item`` (ids), ``grade`` (float64, NaN for none), ``split`` and
    ``line``.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._anchor_ids, self._item_ids = IdCheck("anchor", rows), IdCheck("item", rows)
        self._ids: tuple[list[object], list[object], list[str]] = ([], [], [])
        self._grades, self._lines = array("d"), array("q")
        self._chunks: list[Any] = []

    def add(self, number: int, anchor: object, item: object, grade: float, split: str = "") -> None:
        """Take one judgement; an id that is missing or of another type than before raises InputError."""
        anchors, items, splits = self._ids
        anchors.append(self._anchor_ids(number, anchor))
        items.append(self._item_ids(number, item))
        splits.append(split)
        self._grades.append(grade)
        self._lines.append(number)
        if len(anchors) >= _CHUNK_ROWS:
            self._spill()

    def finish(self) -> Any:
        """Return the judgements as an Arrow table, in the order of the file."""
        self._spill()
        if not self._chunks:
            raise InputError("The file holds no judgement.", path=self._rows.path, remedy="Check that it is complete.")
        ids = pa.concat_tables(self._chunks)
        grades, lines = np.array(self._grades, np.float64), np.array(self._lines, np.int64)
        return ids.append_column("grade", pa.array(grades)).append_column("line", pa.array(lines))

    def _spill(self) -> None:
        anchors, items, splits = self._ids
        if anchors:
            columns = {"anchor": pa.array(anchors), "item": pa.array(items), "split": pa.array(splits, pa.string())}
            self._chunks.append(pa.table(columns))
            self._ids = ([], [], [])
