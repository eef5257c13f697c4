"""Writes real files for the reader tests, and shows readings in a form that compares."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hardneg.io.reading import Reading

Row = Mapping[str, object]
Pairs = set[tuple[object, object]]


def jsonl(path: Path, rows: Iterable[object]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    data = text.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def table(path: Path, rows: Sequence[Row], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def parquet(path: Path, rows: Sequence[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)
    return path


def beir(folder: Path, qrels: str | Mapping[str, str] = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n") -> Path:
    """A small BEIR folder; ``qrels`` is one file, or one for each split."""
    jsonl(
        folder / "corpus.jsonl",
        [
            {"_id": "d1", "title": "Emma", "text": "A novel by Jane Austen.", "year": 1815},
            {"_id": "d2", "title": "", "text": "Faust is a play by Goethe.", "year": 1808},
            {"_id": "d3", "title": "Persuasion", "text": "", "year": 1817},
        ],
    )
    jsonl(folder / "queries.jsonl", [{"_id": "q1", "text": "Who wrote Emma?"}, {"_id": "q2", "text": "What is Faust?"}])
    if isinstance(qrels, str):
        (folder / "qrels.tsv").write_text(qrels)
    else:
        (folder / "qrels").mkdir()
        for split, text in qrels.items():
            (folder / "qrels" / f"{split}.tsv").write_text(text)
    return folder


def related(reading: Reading, relation: str = "positive", column: str = "id") -> Pairs:
    """The pairs of one relation, by id or by text."""
    positives = reading.positives
    ragged = getattr(positives, relation)
    anchors = positives.anchors.table[column].to_pylist()
    items = positives.items.table[column].to_pylist()
    return {(anchors[a], items[i]) for a, i in zip(ragged.rows(), ragged.values, strict=True)}


def skipped(reading: Reading) -> dict[str, int]:
    return {skip.reason: skip.count for skip in reading.skips}
