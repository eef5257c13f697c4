"""A Parquet table for Renumics Spotlight, pandas or any other browser of tables: a row for each pair to look at.

It holds the sampled negatives (``sampled`` is true) and the suspects, with verdict, reason, scores and evidence.
Suspects are there to be judged, not to be trained on.

Pictures are in the columns ``anchor_image``, ``positive_image`` (the best positive) and ``item_image``, sounds in
``anchor_audio`` and so on: paths of files, or bytes. Where they are parts of a file, ``item_window`` holds start and
end in seconds: ``spotlight.show("pairs.parquet", dtype={"item_audio": "Audio", "item_window": "Window"})``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_tables
from hardneg.io.writers._media import are_bytes, within
from hardneg.io.writers._review import Sides, review_schema, review_tables
from hardneg.ragged import IntArray

__all__ = ["SPOTLIGHT"]

_ENDS = ("start", "end")
_Columns = dict[str, pa.Array]


def _write(export: Export) -> None:
    schema, sides = review_schema(export), Sides(export.run)
    none = np.zeros(0, np.int64)
    media = pa.schema([(name, column.type) for name, column in _media(export, sides, none, none).items()])
    whole = pa.schema([*schema, *media])
    export.rows(write_tables(export.target, whole, _tables(export, sides, schema, whole)))


def _tables(export: Export, sides: Sides, schema: pa.Schema, whole: pa.Schema) -> Iterator[pa.Table]:
    run = export.run
    for table in review_tables(export, schema):
        pairs = run.anchors.positions(table.column("anchor")), run.items.positions(table.column("item"))
        yield pa.table([*table.columns, *_media(export, sides, *pairs).values()], schema=whole)


def _media(export: Export, sides: Sides, anchors: IntArray, items: IntArray) -> _Columns:
    """The columns of pictures or sounds for these pairs."""
    out: _Columns = {}
    for side, (things, rows) in sides.rows(anchors, items).items():
        if kind := sides.kinds[side]:
            out[f"{side}_{kind}"] = _files(export, things, rows, kind)
        if kind == "audio" and set(_ENDS) & set(things.table.column_names):
            out[f"{side}_window"] = _windows(things, rows)
    return out


def _files(export: Export, things: Collection, rows: IntArray, kind: str) -> pa.Array:
    """Bytes, or whole paths; none, and counted, for a path that leaves its folder."""
    column = next(one for one in (kind, "image", "path", "audio") if one in things.table.column_names)
    where = pa.array(rows, mask=rows < 0)
    if are_bytes(things, column):
        return things.table.column(column).take(where).combine_chunks().cast(pa.binary())
    paths: list[str | None] = things.table.column(column).take(where).to_pylist()
    for at, path in enumerate(paths):
        if path is not None and not within(things, int(rows[at]), column):
            export.skips.add("outside_its_root", path)
            paths[at] = None
    root = "" if things.root is None else things.root
    return pa.array([None if path is None else str(Path(root, path)) for path in paths], pa.string())


def _windows(things: Collection, rows: IntArray) -> pa.Array:
    """Start and end in seconds; not a number where the sound is whole at that end."""
    none = np.full(len(rows), np.nan)
    table, where = things.table, pa.array(rows, mask=rows < 0)
    ends = [table.column(name).take(where).to_numpy() if name in table.column_names else none for name in _ENDS]
    return pa.array(list(np.stack(ends, axis=1).astype(np.float64)), pa.list_(pa.float64()))


SPOTLIGHT = Writer(
    "spotlight", "Renumics Spotlight and other table browsers: sampled negatives and suspects, for review",
    (".parquet",), "texts, pictures, sounds, ids, scores, verdicts", _write, (), texts=False,
)  # fmt: skip
