"""Tables that people open in what they have: Parquet, or CSV with lists as JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa

from hardneg.io.writers._examples import plain_scores
from hardneg.io.writers._files import opened, write_tables

__all__ = ["FLAT", "write_flat"]

FLAT = (".parquet", ".csv", ".csv.gz")

_BLOCK = 8192


def write_flat(path: Path, table: pa.Table) -> int:
    """Write a table in the form that the ending names; give the number of rows."""
    if path.suffix == ".parquet":
        return write_tables(path, table.schema, [table])
    with opened(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table.column_names)
        for batch in table.to_batches(max_chunksize=_BLOCK):
            writer.writerows(zip(*map(_plain, batch.columns), strict=True))
        text.detach()
    return int(table.num_rows)


def _plain(column: pa.Array) -> list[object]:
    """The values as they stand in CSV: nothing for what is missing, scores in their short form, lists as JSON."""
    if pa.types.is_float32(column.type):
        return ["" if one is None else one for one in plain_scores(column.to_numpy(zero_copy_only=False))]
    return [_field(one) for one in column.to_pylist()]


def _field(value: object) -> object:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value
