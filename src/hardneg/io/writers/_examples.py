"""What all training formats are made of: each anchor with its positives and its sampled negatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection, Id
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run
from hardneg.similarity import FloatArray

__all__ = ["Document", "Example", "Examples", "Hit", "documents", "examples", "plain_scores"]

# Anchors or items that are Python objects at one time.
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Document:
    """An item: its id and its texts. ``title`` is None where the items have no titles, and ``body`` the text then."""

    id: Id
    text: str | None
    title: str | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A positive or a negative of an anchor. ``score`` is None where there is none.

    ``rank`` (in its source, from 0), ``source`` and ``grade`` are those of a negative.
    """

    document: Document
    score: float | None
    rank: int | None = None
    source: str = ""
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """An anchor with its positives, in the order of the items, and its negatives, hardest first."""

    row: int
    id: Id
    text: str | None
    positives: tuple[Hit, ...]
    negatives: tuple[Hit, ...]


def examples(run: Run, anchors: IntArray | None = None) -> Iterator[Example]:
    """Give every anchor of a run, in order, or the given rows of anchors in theirs.

    Only a block of anchors is ever made into Python objects.
    """
    return Examples(run).of(anchors)


def documents(items: Collection) -> Iterator[Document]:
    """Give every item of a run, in order."""
    for start in range(0, len(items), _BLOCK):
        yield from _documents(items, np.arange(start, min(start + _BLOCK, len(items))))


class Examples:
    """The negatives and positives of a run by anchor."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._table = run.negatives
        rows = run.anchors.positions(self._table.column("anchor"))
        # The order of the table stays within an anchor: hardest first.
        self._order = np.argsort(rows, kind="stable").astype(np.int64)
        starts = np.searchsorted(rows[self._order], np.arange(len(run.anchors) + 1))
        self._negatives = Ragged(starts.astype(np.int64), self._order)
        self._positives = run.positives.positive

    @cached_property
    def negative_counts(self) -> IntArray:
        """How many negatives each anchor has."""
        return self._negatives.lengths()

    @property
    def positives(self) -> Ragged:
        """The item rows of each anchor's positives."""
        return self._positives

    def of(self, anchors: IntArray | None = None) -> Iterator[Example]:
        """Give these rows of anchors, or all of them."""
        rows = np.arange(len(self._run.anchors), dtype=np.int64) if anchors is None else anchors
        for start in range(0, len(rows), _BLOCK):
            yield from self._block(rows[start : start + _BLOCK])

    def _block(self, rows: IntArray) -> Iterator[Example]:
        anchors = self._run.anchors.table.take(pa.array(rows))
        ids = anchors.column("id").to_pylist()
        texts = anchors.column("text").to_pylist() if "text" in anchors.column_names else [None] * len(rows)
        positives, negatives = self._positive_hits(rows), self._negative_hits(rows)
        for row, one, text, pos, neg in zip(rows.tolist(), ids, texts, positives, negatives, strict=True):
            yield Example(row, one, text, pos, neg)

    def _positive_hits(self, rows: IntArray) -> Iterator[tuple[Hit, ...]]:
        places = Ragged(self._positives.offsets, np.arange(len(self._positives.values))).take(rows)
        found = _documents(self._run.items, self._positives.values[places.values])
        scores = plain_scores(self._run.positive_scores[places.values])
        hits = [Hit(document, score) for document, score in zip(found, scores, strict=True)]
        return _split(hits, places)

    def _negative_hits(self, rows: IntArray) -> Iterator[tuple[Hit, ...]]:
        places = self._negatives.take(rows)
        table = self._table.take(pa.array(places.values))
        found = _documents(self._run.items, self._run.items.positions(table.column("item")))
        scores = plain_scores(table.column("score").to_numpy())
        others = (table.column(name).to_pylist() for name in ("rank", "source", "grade"))
        hits = [Hit(*values) for values in zip(found, scores, *others, strict=True)]
        return _split(hits, places)


def _split(hits: list[Hit], places: Ragged) -> Iterator[tuple[Hit, ...]]:
    for start, end in zip(places.offsets[:-1], places.offsets[1:], strict=True):
        yield tuple(hits[start:end])


def _documents(items: Collection, rows: IntArray) -> list[Document]:
    names = [name for name in ("id", "text", "title", "body") if name in items.table.column_names]
    table = items.table.select(names).take(pa.array(rows))
    columns = {name: table.column(name).to_pylist() for name in names}
    none: list[None] = [None] * len(rows)
    texts = columns.get("text", none)
    titles = columns.get("title", none)
    bodies = columns.get("body", texts) if "title" in columns else texts
    return [Document(*values) for values in zip(columns["id"], texts, titles, bodies, strict=True)]


def plain_scores(scores: FloatArray) -> list[float | None]:
    """Scores as short numbers that give the same float32 again; None for what is no number.

    >>> plain_scores(np.array([0.1, np.nan], np.float32))
    [0.1, None]
    """
    texts = np.asarray(scores, np.float32).astype(str).tolist()
    return [float(text) if ok else None for text, ok in zip(texts, np.isfinite(scores).tolist(), strict=True)]
