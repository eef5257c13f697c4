"""Records from any carrier: JSON lines, CSV, TSV, Parquet or a saved ``datasets`` folder.

A format is written once, over numbered records, and so works on every carrier.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._bytes import LONGEST_LINE, head, refuse_packed, text_lines
from hardneg.io.readers._tables import dataset_records, is_dataset, parquet_records
from hardneg.io.reading import Skips
from hardneg.ragged import IntArray

__all__ = ["CARRIERS", "Numbered", "Record", "Rows", "carrier_of", "first_line", "open_rows"]

CARRIERS = ("jsonl", "csv", "tsv", "parquet", "datasets")
Record = dict[str, object]
Numbered = Iterator[tuple[int, Record]]


@dataclass(frozen=True)
class Rows:
    """The records of one file, each with the number that its errors name; can be gone through again."""

    path: Path
    carrier: str
    records: Callable[[], Numbered]

    def __iter__(self) -> Numbered:
        return self.records()

    def place(self, number: int) -> str:
        """Where a record stands: ``pairs.jsonl, line 3``, or ``row`` where there are no lines."""
        return f"{self.path.name}, {self._unit} {number}"

    def error(self, number: int, message: str, remedy: str | None = None) -> InputError:
        """Return the error about one record, not raised."""
        if self._unit == "line":
            return InputError(message, path=self.path, line=number, remedy=remedy)
        return InputError(f"row {number}: {message}", path=self.path, remedy=remedy)

    def skip(self, skips: Skips, reason: str, numbers: IntArray) -> None:
        """Count the records with these numbers as left out."""
        for number in numbers[:3]:
            skips.add(reason, self.place(int(number)))
        if len(numbers) > 3:
            skips.add(reason, self.place(int(numbers[3])), len(numbers) - 3)

    @property
    def _unit(self) -> str:
        return "row" if self.carrier in ("parquet", "datasets") else "line"


def carrier_of(path: Path) -> str | None:
    """Name the carrier by its content; None for something else.

    Raises InputError for what is nearly one: a JSON array, UTF-16, a zip.
    """
    if path.is_dir():
        return "datasets" if is_dataset(path) else None
    start = head(path)
    refuse_packed(path, start)
    if not start.strip():
        raise InputError("The file is empty.", path=path, remedy="Copy, download or write it again.")
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        next(text_lines(path))  # raises
    text = start.decode("utf-8-sig", "replace").lstrip()
    if "\0" in text:
        return None
    if text.startswith("{"):
        return "jsonl"
    if text.startswith("["):
        raise InputError(
            "The file is one JSON array.", path=path, remedy="Write one object a line: jq -c '.[]' OLD > NEW.jsonl."
        )
    line = text.splitlines()[0] if text else ""
    if "\t" in line:
        return "tsv"
    named = next((one for one in ("csv", "tsv") if f".{one}" in path.suffixes), None)
    return "csv" if "," in line or ";" in line else named


def first_line(path: Path) -> str:
    """Return the first line that is not blank, without its line break; empty for an empty file."""
    return next((line.strip("\r\n") for _, line in text_lines(path) if line.strip()), "")


def open_rows(
    path: Path, *, carrier: str | None = None, header: Sequence[str] | None = None, options: ReadOptions | None = None
) -> Rows:
    """Open the records of ``path``.

    Args:
        path: A file, or the folder that ``Dataset.save_to_disk`` wrote.
        carrier: One of ``CARRIERS``, or ``table`` for columns apart by white space; recognised if not given.
        header: The column names of a CSV, TSV or white-space table without a header line.
        options: Gives the split of a ``datasets`` folder.

    Raises:
        InputError: for a content that no carrier has.
    """
    carrier = carrier or carrier_of(path)
    make: dict[str, Callable[[], Numbered]] = {
        "jsonl": partial(_json_records, path),
        "csv": partial(_csv_records, path, header),
        "tsv": partial(_line_records, path, header, "\t"),
        "table": partial(_line_records, path, header, None),
        "parquet": partial(parquet_records, path),
        "datasets": partial(dataset_records, path, options or ReadOptions()),
    }
    if carrier is None:
        raise InputError(
            "The content is not recognised.",
            path=path,
            remedy="Give JSON lines, CSV or TSV with a header, Parquet, or a saved datasets folder.",
        )
    return Rows(path, carrier, make[carrier])


def _json_records(path: Path) -> Numbered:
    for number, line in text_lines(path):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"The JSON is broken ({error}).",
                path=path,
                line=number,
                remedy="Each line must hold one whole JSON object.",
            ) from None
        if not isinstance(record, dict):
            raise InputError(
                f"The line holds {type(record).__name__}, not an object.",
                path=path,
                line=number,
                remedy='Write each line as {"name": value, ...}.',
            )
        yield number, record


def _csv_records(path: Path, header: Sequence[str] | None) -> Numbered:
    line = first_line(path)
    delimiter = ";" if ";" in line and "," not in line else ","
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    reader = csv.reader((line for _, line in text_lines(path)), delimiter=delimiter, strict=True)
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


def _line_records(path: Path, header: Sequence[str] | None, delimiter: str | None) -> Numbered:
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
