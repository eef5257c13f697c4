"""Tables of text: CSV, TSV, and columns apart by white space."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._bytes import LONGEST_LINE, text_lines

__all__ = ["csv_records", "first_line", "line_records", "separator_of"]

Record = dict[str, object]


def first_line(path: Path) -> str:
    """Return the first line that is not blank, without its line break; empty for an empty file."""
    return next((line.strip("\r\n") for _, line in text_lines(path) if line.strip()), "")


def separator_of(path: Path) -> str:
    """What stands between the fields of a CSV: a comma, or a semicolon where its first line has no comma."""
    line = first_line(path)
    return ";" if ";" in line and "," not in line else ","


def csv_records(path: Path, header: Sequence[str] | None) -> Iterator[tuple[int, Record]]:
    """Give each row of a CSV with the number of its first line."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    reader = csv.reader((line for _, line in text_lines(path)), delimiter=separator_of(path), strict=True)
    number = 1
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"The CSV is broken ({error}).",
                path=path,
                line=number,
                remedy='Close each quote, and double a quote inside a quoted field: "".',
            ) from None
        if values and header is None:
            header = _header(values, path, number)
        elif values and header is not None:
            yield number, _record(header, values, path, number)
        number = reader.line_num + 1


def line_records(path: Path, header: Sequence[str] | None, delimiter: str | None) -> Iterator[tuple[int, Record]]:
    """Give each line of a TSV, or of columns apart by white space where ``delimiter`` is None."""
    all_quoted = False
    for number, line in text_lines(path):
        if not line.strip(None if delimiter is None else "\r\n"):
            continue
        values = line.rstrip("\r\n").split(delimiter)
        if header is None:
            all_quoted = all(one.startswith('"') for one in values)
            header = _header([_unquoted(one, all_quoted) for one in values], path, number)
            continue
        if delimiter and '"' in line:
            values = [_unquoted(one, all_quoted) for one in values]
        yield number, _record(header, values, path, number)


def _unquoted(value: str, all_quoted: bool) -> str:
    """Undo what a CSV writer does to a TSV field that holds a quote; leave the quotes of plain TSV alone."""
    inner = value[1:-1]
    if len(value) < 2 or value[0] != '"' or value[-1] != '"' or '"' in inner.replace('""', ""):
        return value
    return inner.replace('""', '"') if all_quoted or '""' in inner or "\r" in inner else value


def _header(values: Sequence[str], path: Path, number: int) -> list[str]:
    names = [one.strip() for one in values]
    twice = [one for one in names if one and names.count(one) > 1]
    if twice:
        raise InputError(
            f"The column '{twice[0]}' occurs twice.", path=path, line=number, remedy="Rename or remove one of them."
        )
    return names


def _record(header: Sequence[str], values: Sequence[str], path: Path, number: int) -> Record:
    if len(values) != len(header):
        raise InputError(
            f"The row has {len(values)} fields where {len(header)} are expected ({', '.join(header)}).",
            path=path,
            line=number,
            remedy="Quote a field that holds the separator (CSV), or write JSON lines.",
        )
    return dict(zip(header, values, strict=True))
