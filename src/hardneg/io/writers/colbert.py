"""ColBERT and RAGatouille: triples of numbers, and the texts they number, as files of tab-separated fields.

ColBERT numbers passages by their line, so ids are replaced; ``query_ids`` and ``document_ids`` say which number is
whose. It reads lines without quotes, so tabs and line breaks in a text become spaces, which is counted. It never
shuffles and takes the other passages of a batch for negatives, so the triples are shuffled here, by the run's seed.
There is no room for scores. The corpus holds the items that candidates or judgements name.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardneg import random
from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import flat, write_lines, write_tsv
from hardneg.ragged import IntArray

__all__ = ["COLBERT"]

_BLOCK = 65_536


def _write(export: Export) -> None:
    triples = _shuffled(_triples(export), int(export.run.manifest["seed"]))
    export.rows(write_lines(export.target / "triples.train.colbert.jsonl", _lists(triples)))
    for kind, file, ids, things in (
        ("queries", "queries.train.colbert.tsv", "query_ids.jsonl", export.run.anchors),
        ("documents", "corpus.train.colbert.tsv", "document_ids.jsonl", export.run.items),
    ):
        clean = _Cleaner(export, file)
        export.counts[kind] = write_tsv(export.target / file, _numbered(things, "text"), clean)
        names = ({"number": number, "id": one} for number, one in _numbered(things, "id"))
        write_lines(export.target / ids, names)


def _triples(export: Export) -> IntArray:
    found = [
        np.array([(one.row, positive.row, hit.row) for hit in one.negatives], np.int64)
        for one, positive in export.triples("one")
    ]
    return np.concatenate(found) if found else np.zeros((0, 3), np.int64)


def _shuffled(triples: IntArray, seed: int) -> IntArray:
    return triples[np.argsort(random.uniform(seed, *triples.T), kind="stable")]


def _lists(triples: IntArray) -> Iterator[list[int]]:
    for start in range(0, len(triples), _BLOCK):
        yield from triples[start : start + _BLOCK].tolist()


def _numbered(things: Collection, column: str) -> Iterator[tuple[int, object]]:
    values = things.table.column(column)
    for start in range(0, len(things), _BLOCK):
        yield from enumerate(values.slice(start, _BLOCK).to_pylist(), start)


class _Cleaner:
    """Makes a text fit on a line, counts where that changed it, and refuses a text without a word."""

    def __init__(self, export: Export, file: str) -> None:
        self._export, self._file = export, file

    def __call__(self, text: str) -> str:
        clean = flat(text)
        if clean != text:
            self._export.counts["texts_with_breaks_replaced"] += 1
        if not clean.strip():
            raise InputError(
                f"The format 'colbert' needs a word in every text; one in {self._file} is empty.",
                remedy="Leave empty texts out of the mining.",
            )
        return clean


COLBERT = Writer(
    "colbert", "ColBERT and RAGatouille: triples of numbers, and the texts as TSV", (), "texts, ids beside them", _write
)
