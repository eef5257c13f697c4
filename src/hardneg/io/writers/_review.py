"""Pairs for a person to look at: the sampled negatives and the suspects, with all that is known of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.io.writers._export import Export
from hardneg.ragged import IntArray, Ragged

__all__ = ["review_schema", "review_tables"]

_TEXTS = {"anchor_text": pa.string(), "positive_text": pa.string(), "item_text": pa.string(), "sampled": pa.bool_()}


def review_schema(export: Export) -> pa.Schema:
    """The columns: ids, texts, and the columns of the candidates with names written out."""
    fields: dict[str, pa.DataType] = {}
    for part in export.run.manifest["parts"]:
        for one in pq.read_schema(export.run.path / part["file"]):
            fields.setdefault(one.name, one.type.value_type if pa.types.is_dictionary(one.type) else one.type)
    ids = {name: fields.pop(name) for name in ("anchor", "item") if name in fields}
    return pa.schema([*ids.items(), *_TEXTS.items(), *fields.items()])


def review_tables(export: Export, schema: pa.Schema) -> Iterator[pa.Table]:
    """Give the pairs part by part, in the order of the candidates.

    A suspect is no negative: it is here to be judged. ``positive_text`` holds all positives, a blank line between
    them. Missing figures stay NaN.
    """
    run = export.run
    table = run.negatives
    sampled = Ragged.from_pairs(
        run.anchors.positions(table.column("anchor")), run.items.positions(table.column("item")), len(run.anchors)
    )
    for part in run.parts():
        anchors = run.anchors.positions(part.column("anchor"))
        items = run.items.positions(part.column("item"))
        chosen = sampled.contains(anchors, items)
        suspect = pc.equal(part.column("verdict").cast(pa.string()), "suspect").to_numpy()
        rows = np.flatnonzero(chosen | suspect)
        export.counts["sampled"] += int(chosen.sum())
        export.counts["suspect"] += int((suspect & ~chosen).sum())
        yield _table(export, schema, part.take(pa.array(rows)), (anchors[rows], items[rows]), chosen[rows])


def _table(
    export: Export, schema: pa.Schema, part: pa.Table, rows: tuple[IntArray, IntArray], chosen: NDArray[np.bool_]
) -> pa.Table:
    anchors, items = rows
    columns = {
        **{name: part.column(name) for name in part.column_names},
        "anchor_text": _taken(export.run.anchors, anchors),
        "positive_text": _positive_texts(export, anchors),
        "item_text": _taken(export.run.items, items),
        "sampled": pa.array(chosen),
    }
    arrays = [
        columns[one.name].cast(one.type) if one.name in columns else pa.nulls(part.num_rows, one.type) for one in schema
    ]
    return pa.table(arrays, schema=schema)


def _taken(things: Collection, rows: IntArray) -> pa.ChunkedArray | pa.Array:
    return pa.nulls(len(rows), pa.string()) if things.texts is None else things.texts.take(pa.array(rows))


def _positive_texts(export: Export, anchors: IntArray) -> pa.Array:
    run = export.run
    some, at = np.unique(anchors, return_inverse=True)
    positives = run.positives.positive.take(some)
    texts = _taken(run.items, positives.values).to_pylist()
    bounds = zip(positives.offsets[:-1].tolist(), positives.offsets[1:].tolist(), strict=True)
    joined = ["\n\n".join(text or "" for text in texts[start:end]) for start, end in bounds]
    return pa.array(joined, pa.string()).take(pa.array(at))
