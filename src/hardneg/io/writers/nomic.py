"""Nomic (contrastors): ``shard-*.jsonl.gz`` with ``counts.json`` and ``offsets.json.gz``; a line for each positive.

A data set's objective reads ``type: triplet, columns: [query, pos, neg]``. The loader puts all documents of a batch
in one list, so every line has the same number of negatives; short anchors are left out and counted. It never
shuffles and takes the other documents of a batch for negatives, so lines are shuffled here, by the run's seed.
Scores stand where it looks for them when distilling. The index names a shard by ``bucket``, folder and file; a bucket
of another name is a matter of the option ``bucket``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np

from hardneg import random
from hardneg.io.writers._base import Writer
from hardneg.io.writers._examples import Example, Hit
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import line, opened
from hardneg.ragged import IntArray
from hardneg.storage import write_json

__all__ = ["NOMIC"]

_METADATA = {"objective": {"self": [], "paired": [], "triplet": [["query", "pos", "neg"]]}}


def _write(export: Export) -> None:
    rows = _records(export)
    counts: dict[str, int] = {}
    first = next(rows, None)
    with opened(export.target / "offsets.json.gz") as index:
        index.write(b"{")
        while first is not None:
            file = f"shard-{len(counts):05d}.jsonl.gz"
            name = f"{export.options.bucket}/{export.name}/{file}"
            offsets = _write_shard(export.target / file, chain([first], islice(rows, export.options.shard_rows - 1)))
            index.write(b", " if counts else b"")
            index.write(line({name: offsets}).strip()[1:-1])
            counts[name] = len(offsets)
            first = next(rows, None)
        index.write(b"}\n")
    write_json({"count_per_file": counts, "total_count": sum(counts.values())}, export.target / "counts.json")
    export.rows(sum(counts.values()))


def _write_shard(path: Path, records: Iterable[dict[str, object]]) -> dict[str, list[int]]:
    """Write one shard; give where each line begins and ends, in bytes of the unpacked file."""
    offsets, place = {}, 0
    with opened(path) as file:
        for number, record in enumerate(records):
            text = line(record)
            file.write(text)
            offsets[str(number)] = [place, place + len(text)]
            place += len(text)
    return offsets


def _records(export: Export) -> Iterator[dict[str, object]]:
    for one, positive in _pairs(export):
        yield {
            "query": one.text,
            "pos": positive.document.text,
            "neg": [hit.document.text for hit in one.negatives],
            "document_score": positive.score,
            "negatives_scores": [hit.score for hit in one.negatives],
            "query_id": one.id,
            "pos_id": positive.document.id,
            "neg_id": [hit.document.id for hit in one.negatives],
            "metadata": _METADATA,
        }


def _pairs(export: Export) -> Iterator[tuple[Example, Hit]]:
    pairs = [(one.row, at) for one in export.examples("same") for at in range(len(one.positives))]
    if not pairs:
        return
    anchors, numbers = _shuffled(np.array(pairs, np.int64), int(export.run.manifest["seed"])).T
    for one, at in zip(export.source.of(anchors), numbers.tolist(), strict=True):
        negatives = one.negatives[: export.width]
        yield Example(one.row, one.id, one.text, one.positives, negatives), one.positives[at]


def _shuffled(pairs: IntArray, seed: int) -> IntArray:
    return pairs[np.argsort(random.uniform(seed, *pairs.T), kind="stable")]


NOMIC = Writer(
    "nomic", "Nomic contrastors: shards of query, pos, neg with their index", (), "texts, ids, scores", _write,
    ("n", "positives", "on_short", "bucket", "shard_rows"),
)  # fmt: skip
