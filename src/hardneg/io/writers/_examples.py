"""What all training formats are made of: each anchor with its positives and its sampled negatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection, Id
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run
from hardneg.similarity import FloatArray

__all__ = ["Document", "Example", "Examples", "Hit", "contents", "documents", "examples", "media_kind", "plain_scores"]

# Anchors or items that are Python objects at one time.
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Document:
    """An item: its id and its texts. ``title`` is None where the items have no titles, and ``body`` the text then.

    The text of a picture is the path of its file.
    """

    id: Id
    text: str | None
    title: str | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A positive or a negative of an anchor. ``score`` is None where there is none.

    ``rank`` (in its source, from 0), ``source`` and ``grade`` are those of a negative.
    """

    row: int
    document: Document
    score: float | None
    rank: int | None = None
    source: str = ""
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """An anchor with its positives, in the order of the items, and its negatives, hardest first.

    ``row`` is the number of the anchor in the run, and that of a hit the number of its item.
    """

    row: int
    id: Id
    text: str | None
    positives: tuple[Hit, ...]
    negatives: tuple[Hit, ...]


def examples(run: Run) -> Iterator[Example]:
    """Give every anchor of a run, in order. Only a block of anchors is ever made into Python objects."""
    return Examples(run).of()


def documents(items: Collection) -> Iterator[Document]:
    """Give every item of a run, in order."""
    table = _texts(items)
    for start in range(0, len(items), _BLOCK):
        yield from _documents(table.slice(start, _BLOCK))


class Examples:
    """The negatives and positives of a run by anchor.

    ``positives`` and ``negatives`` hold one row an anchor: of item rows, and of rows in the table of negatives.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        table = run.negatives
        anchors = run.anchors.positions(table.column("anchor"))
        # The order of the table stays within an anchor: hardest first.
        order = np.argsort(anchors, kind="stable").astype(np.int64)
        starts = np.searchsorted(anchors[order], np.arange(len(run.anchors) + 1))
        self.negatives = Ragged(starts.astype(np.int64), order)
        self.positives = run.positives.positive
        self._items = run.items.positions(table.column("item"))
        self._evidence = {name: _plain(table.column(name)) for name in ("score", "rank", "source", "grade")}
        self._texts = _texts(run.items)
        self._said = contents(run.anchors)

    def of(self, anchors: IntArray | None = None) -> Iterator[Example]:
        """Give all anchors in order, or these rows of them."""
        rows = np.arange(len(self._run.anchors), dtype=np.int64) if anchors is None else anchors
        for start in range(0, len(rows), _BLOCK):
            yield from self._block(rows[start : start + _BLOCK])

    def _block(self, rows: IntArray) -> Iterator[Example]:
        ids = self._run.anchors.ids.take(pa.array(rows)).to_pylist()
        texts = [None] * len(rows) if self._said is None else self._said.take(pa.array(rows)).to_pylist()
        hits = self._positive_hits(rows), self._negative_hits(rows)
        for values in zip(rows.tolist(), ids, texts, *hits, strict=True):
            yield Example(*values)

    def _positive_hits(self, rows: IntArray) -> Iterator[tuple[Hit, ...]]:
        places = Ragged(self.positives.offsets, np.arange(len(self.positives.values))).take(rows)
        items = self.positives.values[places.values]
        scores = plain_scores(self._run.positive_scores[places.values])
        return _split(self._hits(items, [scores]), places)

    def _negative_hits(self, rows: IntArray) -> Iterator[tuple[Hit, ...]]:
        places = self.negatives.take(rows)
        table = {name: column.take(pa.array(places.values)) for name, column in self._evidence.items()}
        scores = plain_scores(table.pop("score").to_numpy())
        return _split(
            self._hits(self._items[places.values], [scores, *map(pa.Array.to_pylist, table.values())]), places
        )

    def _hits(self, items: IntArray, columns: list[list[object]] | list[list[float | None]]) -> list[Hit]:
        found = _documents(self._texts.take(pa.array(items)))
        return [Hit(*values) for values in zip(items.tolist(), found, *columns, strict=True)]


def _split(hits: list[Hit], places: Ragged) -> Iterator[tuple[Hit, ...]]:
    for start, end in zip(places.offsets[:-1].tolist(), places.offsets[1:].tolist(), strict=True):
        yield tuple(hits[start:end])


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One array; names stay a dictionary, as many rows share few of them."""
    whole = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    array = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    return array.dictionary_encode() if pa.types.is_string(array.type) else array


def contents(things: Collection) -> pa.ChunkedArray | None:
    """What things are, in words: their texts, else the paths of their pictures; None for bytes or mere ids."""
    if things.texts is not None or "path" not in things.table.column_names or "image" in things.table.column_names:
        return things.texts
    return pa.chunked_array([pa.array(things.pictures, pa.string())])


def media_kind(things: Collection) -> Literal["audio", "image"] | None:
    """What things are besides their texts: sounds, pictures, or neither."""
    if things.sounds is not None:
        return "audio"
    return None if things.pictures is None else "image"


def _texts(items: Collection) -> pa.Table:
    # In one chunk each, as taking rows from many chunks would copy them all each time.
    names = [name for name in ("id", "text", "title", "body") if name in items.table.column_names]
    table = items.table.select(names)
    if "text" not in names and (said := contents(items)) is not None:
        table = table.append_column("text", said)
    return table.combine_chunks()


def _documents(table: pa.Table) -> list[Document]:
    none: list[None] = [None] * table.num_rows
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    texts, titles = columns.get("text", none), columns.get("title", none)
    bodies = columns.get("body", texts) if "title" in columns else texts
    return [Document(*values) for values in zip(columns["id"], texts, titles, bodies, strict=True)]


def plain_scores(scores: FloatArray) -> list[float | None]:
    """Scores as short numbers that give the same float32 again; None for what is no number.

    >>> plain_scores(np.array([0.1, np.nan], np.float32))
    [0.1, None]
    """
    texts = np.asarray(scores, np.float32).astype(str).tolist()
    return [float(text) if ok else None for text, ok in zip(texts, np.isfinite(scores).tolist(), strict=True)]
