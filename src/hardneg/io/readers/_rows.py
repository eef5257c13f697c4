"""Records from any carrier: JSON lines, CSV, TSV, Parquet or a saved ``datasets`` folder.

A format is written once, over numbered records, and so works on every carrier.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._bytes import head, refuse_packed, text_lines
from hardneg.io.readers._delimited import csv_records, line_records
from hardneg.io.readers._tables import dataset_records, is_dataset, parquet_records
from hardneg.io.reading import Skips
from hardneg.ragged import IntArray

__all__ = ["CARRIERS", "Numbered", "Record", "Rows", "carrier_of", "open_rows"]

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
    if text.startswith("{"):
        return "jsonl"
    if "\0" in text:
        return None
    if text.startswith("["):
        raise InputError(
            "The file is one JSON array.", path=path, remedy="Write one object a line: jq -c '.[]' OLD > NEW.jsonl."
        )
    line = text.splitlines()[0] if text else ""
    if "\t" in line:
        return "tsv"
    named = next((one for one in ("csv", "tsv") if f".{one}" in path.suffixes), None)
    return "csv" if "," in line or ";" in line else named


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
        "csv": partial(csv_records, path, header),
        "tsv": partial(line_records, path, header, "\t"),
        "table": partial(line_records, path, header, None),
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
            why = str(error)
            if isinstance(error, json.JSONDecodeError):
                why = f"{error.msg.removesuffix(' at')}, character {error.pos + 1}"
            raise InputError(
                f"The JSON is broken ({why}).",
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
