"""Files and folders, written whole or not at all, row by row, and the same bytes for the same rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from hardneg.errors import StorageError
from hardneg.storage import folder, place

__all__ = [
    "Record",
    "check_free",
    "flat",
    "folder",
    "line",
    "opened",
    "write_array",
    "write_lines",
    "write_parquet",
    "write_tables",
    "write_tsv",
]

Record = Mapping[str, object] | Sequence[object]

_ROWS = 1024
# Legal inside JSON text, but str.splitlines and JavaScript take them for the end of a line.
_LINE_ENDS = {ord(one): f"\\u{ord(one):04x}" for one in "\x85\u2028\u2029"}


def line(record: Record) -> bytes:
    r"""One record as a line of JSON in UTF-8; ValueError for a number that JSON does not have.

    >>> line({"text": "tea\u2028é"}).decode()
    '{"text": "tea\\u2028é"}\n'
    """
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    return (text.translate(_LINE_ENDS) + "\n").encode()


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name when it is complete; packed where it ends in ``.gz``, without a date."""
    with place(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            yield cast(BinaryIO, packed)


def write_lines(path: Path, records: Iterable[Record]) -> int:
    """Write JSON Lines; give the number of lines."""
    number = 0
    with opened(path) as file:
        for record in records:
            file.write(line(record))
            number += 1
    return number


def write_array(path: Path, records: Iterable[Record], *, before: str = "", after: str = "") -> int:
    """Write one JSON array, a record a line, between ``before`` and ``after``; give the number of records."""
    number = 0
    with opened(path) as file:
        file.write(f"{before}[".encode())
        for record in records:
            file.write(b",\n" if number else b"\n")
            file.write(line(record).rstrip(b"\n"))
            number += 1
        file.write(f"\n]{after}\n".encode())
    return number


def write_parquet(path: Path, schema: pa.Schema, records: Iterable[Mapping[str, object]]) -> int:
    """Write Parquet, a block of rows at a time; give the number of rows."""
    blocks = iter(records)

    def tables() -> Iterator[pa.Table]:
        while rows := list(islice(blocks, _ROWS)):
            yield pa.Table.from_pylist(rows, schema=schema)

    return write_tables(path, schema, tables())


def write_tables(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write tables of one schema below one another as Parquet; give the number of rows."""
    number = 0
    with place(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
            number += table.num_rows
    return number


def flat(text: str) -> str:
    r"""The text on one line without tabs, as a field of a file without quotes needs it.

    >>> flat("two\tfields\r\nand lines")
    'two fields and lines'
    """
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ").replace("\t", " ")


def write_tsv(path: Path, rows: Iterable[Sequence[object]], clean: Callable[[str], str]) -> int:
    """Write fields between tabs, each passed through ``clean``; give the number of rows."""
    number = 0
    with opened(path) as file:
        for row in rows:
            file.write(("\t".join(clean(str(field)) for field in row) + "\n").encode())
            number += 1
    return number


def check_free(out: Path, sidecar: Path | None, *, overwrite: bool) -> None:
    """Raise StorageError where the output exists and may not be replaced.

    A folder is replaced only where an earlier export made it: anything else, above all a run, stays.
    """
    if sidecar is None and out.is_dir() and not any(out.iterdir()):
        return
    for taken in (out, sidecar):
        if taken is None or not taken.exists():
            continue
        if not overwrite:
            raise StorageError(f"'{taken}' exists already. Choose another output, or replace it with --overwrite.")
        if not (_is_export(taken) if sidecar is None else taken.is_file()):
            raise StorageError(f"'{taken}' is not from an earlier export, so it stays. Choose another output.")


def _is_export(path: Path) -> bool:
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and "export" in manifest
