"""Files that are whole or not there at all, and a clear word when the disk says no."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hardneg.errors import InputError, RunError, StorageError

__all__ = [
    "digest",
    "folder",
    "place",
    "read_table",
    "refuse_taken",
    "storage_errors",
    "swept",
    "take_name",
    "write_json",
    "write_rows",
    "write_table",
    "write_tables",
]

_BLOCK = 131_072  # rows

_REMEDIES = {
    errno.ENOSPC: "The disk is full. Free some space and run the same command again; a mining goes on where it was.",
    errno.EDQUOT: "The quota is used up. Free some and run the same command again; a mining goes on where it was.",
    errno.EROFS: "The file system is read-only. Choose another place for the output.",
    errno.EACCES: "Writing there is not permitted. Choose another place, or change the permissions.",
    errno.EPERM: "Writing there is not permitted. Choose another place, or change the permissions.",
    errno.ENOTDIR: "A part of this path is a file. Choose another place for the output.",
}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into a StorageError that says what to do."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in _REMEDIES:
            raise StorageError(f"Cannot write '{path}'. {_REMEDIES[error.errno]}") from error
        raise


@contextmanager
def place(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when it is complete and on the disk."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill that takes the name ``path`` when all is written; what was there is replaced then."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage_errors(path):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            yield unfinished
            take_name(unfinished, path)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def swept(partial: Path, inside: str = "") -> None:
    """Make a folder that is filled over several processes, without what a killed one was writing.

    ``inside`` is a folder in it that is made as well.
    """
    with storage_errors(partial):
        (partial / inside).mkdir(parents=True, exist_ok=True)
        for left in partial.rglob(".*.tmp"):
            left.unlink()


def take_name(made: Path, path: Path) -> None:
    """Give a folder that is complete its name; what was there is moved aside first, and gone then."""
    aside = path.with_name(f".{path.name}.replaced")
    with storage_errors(path):
        shutil.rmtree(aside, ignore_errors=True)
        if path.exists():
            path.rename(aside)
        made.rename(path)
        shutil.rmtree(aside, ignore_errors=True)


def refuse_taken(path: Path, mark: str, why: str, *, overwrite: bool) -> None:
    """Raise RunError where there is something that may not be replaced: only a folder that holds the file ``mark`` is.

    ``why`` says what another one is: "is no run".
    """
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        raise RunError(f"'{path}' exists already. Choose another output, or replace it with --overwrite.")
    empty = path.is_dir() and not any(path.iterdir())
    if not empty and not (path / mark).is_file():
        raise RunError(f"'{path}' {why}, so it is not replaced. Choose another output, or move it away.")


def write_json(value: Any, path: Path) -> None:
    """Write JSON in a form that is the same for the same value."""
    with place(path) as file:
        file.write((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def write_table(table: pa.Table, path: Path) -> None:
    """Write Parquet, zstd-compressed, the same bytes for the same table."""
    with place(path) as file, _parquet(file, table.schema) as parquet:
        parquet.write_table(table)


def write_tables(tables: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    """Write tables below one another, each gone before the next one comes."""
    with place(path) as file, _parquet(file, schema) as parquet:
        for table in tables:
            parquet.write_table(table)


def write_rows(table: pa.Table, rows: NDArray[np.int64], path: Path) -> None:
    """Write some rows of a table, a block at a time: they may be most of a table that fills the memory."""
    with place(path) as file, _parquet(file, table.schema) as parquet:
        for start in range(0, max(1, len(rows)), _BLOCK):
            parquet.write_table(table.take(pa.array(rows[start : start + _BLOCK])))


def _parquet(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    """Scores hardly repeat, so they go without a dictionary, byte by byte: half the size and a third of the time."""
    scores = [one.name for one in schema if pa.types.is_float32(one.type)]
    return pq.ParquetWriter(
        file, schema, compression="zstd", write_page_checksum=True, write_statistics=False,
        use_dictionary=[name for name in schema.names if name not in scores],
        column_encoding=dict.fromkeys(scores, "BYTE_STREAM_SPLIT"),
    )  # fmt: skip


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read Parquet back, dictionaries and all; a damaged file is an InputError."""
    try:
        return pq.read_table(path, columns=columns, page_checksum_verification=True, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise InputError("The file is damaged.", path=path, remedy=f"Restore it or mine again ({error}).") from error


def digest(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    hasher = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()
