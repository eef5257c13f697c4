"""A table of predictions as Arrow columns, on any carrier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from hardneg.errors import InputError
from hardneg.io.readers._bytes import damaged
from hardneg.io.readers._delimited import separator_of
from hardneg.io.readers._labelled_names import LABELLED_ROLES
from hardneg.io.readers._rows import carrier_of, open_rows
from hardneg.io.readers._tables import open_parquet

__all__ = ["table_of"]

_IDS = (*LABELLED_ROLES["id"], "item")


def table_of(path: Path) -> Any:
    """All columns of a CSV, TSV, JSON lines or Parquet file; lists in CSV are JSON.

    Raises InputError for another content or a damaged file.
    """
    if not path.is_file():
        raise InputError("There is no such file of predictions.", path=path)
    carrier = carrier_of(path)
    try:
        if carrier == "parquet":
            with open_parquet(path) as file:
                return file.read()
        if carrier == "jsonl":
            return pa.Table.from_pylist([record for _, record in open_rows(path, carrier=carrier)])
        if carrier in ("csv", "tsv"):
            return _with_lists(_csv(path, "\t" if carrier == "tsv" else separator_of(path)))
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error
    raise InputError(
        "The content is not recognised.", path=path, remedy="Give CSV or TSV with a header, JSON lines or Parquet."
    )


def _csv(path: Path, separator: str) -> pa.Table:
    """The table with ids as they stand there: 007 is not 7, and nothing is none."""
    as_text = pc_csv.ConvertOptions(column_types=dict.fromkeys(_IDS, pa.string()))
    table = pc_csv.read_csv(path, parse_options=pc_csv.ParseOptions(delimiter=separator), convert_options=as_text)
    for name in set(_IDS) & set(table.column_names):
        ids = table.column(name)
        table = table.set_column(table.column_names.index(name), name, pc.if_else(pc.equal(ids, ""), None, ids))
    return table


def _with_lists(table: pa.Table) -> pa.Table:
    """The table with columns of lists where texts spell them, as in ``[0.1, 0.9]``."""
    for at, name in enumerate(table.column_names):
        texts = table.column(at)
        if pa.types.is_string(texts.type) and len(texts) and str(texts[0]).startswith("["):
            try:
                lists = [None if one is None else json.loads(one) for one in texts.to_pylist()]
                table = table.set_column(at, name, pa.array(lists))
            except (ValueError, pa.ArrowException):
                continue  # whoever reads the column says what is wrong with it
    return table
