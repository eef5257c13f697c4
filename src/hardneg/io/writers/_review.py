"""Pairs for a person to look at: the sampled negatives and the suspects, with all that is known of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.io.writers._examples import media_kind
from hardneg.io.writers._export import Export
from hardneg.labels import own_items
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run

__all__ = ["Sides", "review_schema", "review_tables"]

_TEXTS = {"anchor_text": pa.string(), "positive_text": pa.string(), "item_text": pa.string(), "sampled": pa.bool_()}


class Sides:
    """Where the pictures or sounds of a pair are: of the anchor, of its best positive, of the item."""

    def __init__(self, run: Run) -> None:
        self._run, self._own = run, own_items(run)
        self._are_items = bool(len(self._own)) and bool((self._own >= 0).all())
        self._best = _best_positives(run)
        of = {"anchor": run.items if self._are_items else run.anchors, "positive": run.items, "item": run.items}
        self.kinds = {side: media_kind(things) for side, things in of.items()}

    def rows(self, anchors: IntArray, items: IntArray) -> dict[str, tuple[Collection, IntArray]]:
        """For each side the things and the row of each pair among them, -1 for none."""
        run = self._run
        anchor = (run.items, self._own[anchors]) if self._are_items else (run.anchors, anchors)
        return {"anchor": anchor, "positive": (run.items, self._best[anchors]), "item": (run.items, items)}


def _best_positives(run: Run) -> IntArray:
    """The row of the item that is the best positive of each anchor, -1 without one."""
    positive = run.positives.positive
    order = np.lexsort((np.nan_to_num(run.positive_scores, nan=-np.inf), positive.rows()))  # the best comes last
    best = np.full(len(positive), -1, np.int64)
    best[positive.rows()[order]] = positive.values[order]
    return best


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
    them, and is null where the items have no texts. Missing figures stay NaN.
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
    if run.items.texts is None:
        return pa.nulls(len(anchors), pa.string())
    some, at = np.unique(anchors, return_inverse=True)
    positives = run.positives.positive.take(some)
    texts = _taken(run.items, positives.values).to_pylist()
    bounds = zip(positives.offsets[:-1].tolist(), positives.offsets[1:].tolist(), strict=True)
    joined = ["\n\n".join(text or "" for text in texts[start:end]) for start, end in bounds]
    return pa.array(joined, pa.string()).take(pa.array(at))
