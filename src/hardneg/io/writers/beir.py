"""BEIR: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels``.

``qrels/train.tsv`` holds what was judged: positives as 1, known negatives as 0. What was mined is a guess, so it
stands apart in ``qrels/mined_negatives.tsv``, as 0: among the judgements it would count as judged wherever measures
tell judged items from others. Pairs judged as neither have no grade in this format; they are left out and counted.
Ids are text throughout, as the loader finds the queries by the text in the qrels. There is no room for scores. The
corpus holds the items that candidates or judgements name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened, write_lines

__all__ = ["BEIR", "write_corpus", "write_judged"]

_HEADER = ("query-id", "corpus-id", "score")
_BLOCK = 65_536
_Row = tuple[object, object, int]


def _write(export: Export) -> None:
    write_corpus(export)
    write_judged(export)
    export.rows(_write_qrels(export.target / "qrels" / "mined_negatives.tsv", _mined(export)))


def write_corpus(export: Export) -> None:
    """Write ``corpus.jsonl`` and ``queries.jsonl``."""
    items = ({"_id": str(one.id), "title": one.title or "", "text": one.body} for one in export.documents())
    write_lines(export.target / "corpus.jsonl", items)
    export.counts["queries"] = write_lines(export.target / "queries.jsonl", _queries(export))


def write_judged(export: Export) -> None:
    """Write what was judged to ``qrels/train.tsv``."""
    export.counts["judgements"] = _write_qrels(export.target / "qrels" / "train.tsv", _judged(export))
    ignored = export.run.positives.ignored
    if len(ignored.values):
        row, item = int(ignored.rows()[0]), int(ignored.values[0])
        example = f"{export.run.anchors.ids[row].as_py()}, {export.run.items.ids[item].as_py()}"
        export.skips.add("ignored_pair", example, len(ignored.values))


def _queries(export: Export) -> Iterator[dict[str, object]]:
    table = export.run.anchors.table.select(["id", "text"])
    for batch in table.to_batches(max_chunksize=_BLOCK):
        for one, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield {"_id": str(one), "text": text}


def _judged(export: Export) -> Iterator[_Row]:
    anchors, items = export.run.anchors.ids, export.run.items.ids
    positives = export.run.positives
    for start in range(0, len(anchors), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(anchors)))
        names = anchors.take(pa.array(rows)).to_pylist()
        for grade, pairs in ((1, positives.positive.take(rows)), (0, positives.negative.take(rows))):
            found = items.take(pa.array(pairs.values)).to_pylist()
            for row, item in zip(pairs.rows().tolist(), found, strict=True):
                yield names[row], item, grade


def _mined(export: Export) -> Iterator[_Row]:
    for one in export.examples("none"):
        for hit in one.negatives:
            yield one.id, hit.document.id, 0


def _write_qrels(path: Path, rows: Iterable[_Row]) -> int:
    number = 0
    with opened(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, delimiter="\t", lineterminator="\n")
        writer.writerow(_HEADER)
        for row in rows:
            writer.writerow(row)
            number += 1
        text.detach()
    return number


BEIR = Writer(
    "beir", "BEIR: corpus, queries and qrels, with the mined negatives as qrels of their own", (), "texts, titles, ids",
    _write, ("n",),
)  # fmt: skip
