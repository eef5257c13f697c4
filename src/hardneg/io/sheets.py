"""Answers in a spreadsheet: a CSV with the columns ``anchor``, ``item`` and ``answer``, written and read with care.

A text that a spreadsheet would take for a formula is written with an apostrophe before it, which is taken off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hardneg.errors import InputError
from hardneg.io.readers._bytes import LONGEST_LINE

__all__ = ["harmless", "read_sheet"]

_NEEDED = ("anchor", "item", "answer")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula; all else as it is.

    >>> harmless("=HYPERLINK(1)"), harmless("plain"), harmless(-1)
    ("'=HYPERLINK(1)", 'plain', -1)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith((*_FORMULAS, "'")) else value


def read_sheet(path: Path, remedy: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the number of its line; fields are apart by a comma, a semicolon or a tab.

    Raises InputError for what is no CSV in UTF-8, and with ``remedy`` for a table without one of the columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
        separator = max(",;\t", key=text.split("\n", 1)[0].count)
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restval="")
        missing = [name for name in _NEEDED if name not in (table.fieldnames or [])]
        if missing:
            raise InputError(f"The column '{missing[0]}' is missing.", path=path, line=1, remedy=remedy)
        for row in table:
            there = {name: value for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}
            yield table.line_num, {name: _plain(value) for name, value in there.items()}
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"This is no CSV in UTF-8 ({error}).", path=path, remedy="Save it as CSV UTF-8.") from error


def _plain(value: str) -> str:
    value = value.strip()
    return value[1:] if value.startswith("'") and value[1:2] in (*_FORMULAS, "'") else value
