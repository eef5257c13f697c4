"""PyLate distillation: ``train`` (query_id, document_ids, scores), ``queries`` and ``documents``.

A row for each positive: it first, then its negatives, hardest first, with the similarity as the score to learn. A
batch makes one matrix of the scores, so all rows have the same number of documents; short anchors are left out and
counted. The README names the three tables for ``load_dataset(folder, "train")``. The documents are the items that
candidates or judgements name.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from hardneg.collection import Collection
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened, write_parquet, write_tables

__all__ = ["PYLATE"]

_README = """\
---
configs:
- config_name: train
  default: true
  data_files: train.parquet
- config_name: queries
  data_files: queries.parquet
- config_name: documents
  data_files: documents.parquet
---
"""
_ROWS = 65_536


def _write(export: Export) -> None:
    queries, items = export.run.anchors, export.run.items
    kind = pa.schema(
        [
            ("query_id", queries.ids.type),
            ("document_ids", pa.list_(items.ids.type)),
            ("scores", pa.list_(pa.float32())),
        ]
    )
    export.rows(write_parquet(export.target / "train.parquet", kind, _records(export)))
    for name, column, things in (("queries", "query_id", queries), ("documents", "document_id", items)):
        schema = pa.schema([(column, things.ids.type), ("text", pa.string())])
        export.counts[name] = write_tables(export.target / f"{name}.parquet", schema, _tables(things, schema))
    with opened(export.target / "README.md") as file:
        file.write(_README.encode())


def _records(export: Export) -> Iterator[dict[str, object]]:
    for one, positive in export.triples("same"):
        hits = (positive, *one.negatives)
        if any(hit.score is None for hit in hits):
            export.skips.add("no_score", str(one.id))
            continue
        yield {
            "query_id": one.id,
            "document_ids": [hit.document.id for hit in hits],
            "scores": [hit.score for hit in hits],
        }


def _tables(things: Collection, schema: pa.Schema) -> Iterator[pa.Table]:
    for start in range(0, len(things), _ROWS):
        part = things.table.select(["id", "text"]).slice(start, _ROWS)
        yield part.rename_columns(schema.names).cast(schema)


PYLATE = Writer(
    "pylate", "PyLate distillation: train, queries and documents as Parquet", (), "texts, ids, scores", _write,
    ("n", "positives", "on_short"),
)  # fmt: skip
