"""Arctic Embed: ``queries``, ``documents`` and ``relations`` as Parquet.

Relevance is 1 for a positive and -1 for a mined or judged negative; what has no row is unknown. The format wants
ids that are 64-bit numbers without a sign. Where the user's are, they stay; else things are numbered in order, and
``query_ids`` and ``document_ids`` say which number is whose. There is no room for scores. The documents are the
items that candidates or judgements name.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_parquet, write_tables
from hardneg.ragged import IntArray

__all__ = ["ARCTIC"]

_RELATIONS = pa.schema([("QUERY_ID", pa.uint64()), ("DOCUMENT_ID", pa.uint64()), ("RELEVANCE", pa.int8())])
_ROWS = 65_536


def _write(export: Export) -> None:
    run = export.run
    queries, items = _numbers(run.anchors), _numbers(run.items)
    export.rows(write_parquet(export.target / "relations.parquet", _RELATIONS, _relations(export, queries, items)))
    _write_things(export, "query", run.anchors, queries)
    _write_things(export, "document", run.items, items)


def _relations(export: Export, queries: IntArray, items: IntArray) -> Iterator[dict[str, object]]:
    judged = export.run.positives.negative
    for one in export.examples("none"):
        mined = [hit.row for hit in one.negatives]
        negative = mined + sorted(set(judged[one.row].tolist()) - set(mined))
        for relevance, rows in ((1, [hit.row for hit in one.positives]), (-1, negative)):
            for row in rows:
                yield {"QUERY_ID": int(queries[one.row]), "DOCUMENT_ID": int(items[row]), "RELEVANCE": relevance}


def _numbers(things: Collection) -> IntArray:
    """The ids, where they are numbers from 0; else the number of each thing."""
    if pa.types.is_int64(things.ids.type) and (not len(things) or pc.min(things.ids).as_py() >= 0):
        return np.asarray(things.ids.to_numpy(), np.int64)
    return np.arange(len(things), dtype=np.int64)


def _write_things(export: Export, name: str, things: Collection, numbers: IntArray) -> None:
    column = f"{name.upper()}_ID"
    file = "queries" if name == "query" else "documents"
    kind = pa.schema([(column, pa.uint64()), (f"{name.upper()}_TEXT", pa.string())])
    export.counts[file] = write_tables(export.target / f"{file}.parquet", kind, _tables(things, "text", numbers, kind))
    if not np.array_equal(numbers, np.asarray(things.ids)):
        kind = pa.schema([(column, pa.uint64()), ("ID", things.ids.type)])
        write_tables(export.target / f"{name}_ids.parquet", kind, _tables(things, "id", numbers, kind))


def _tables(things: Collection, column: str, numbers: IntArray, kind: pa.Schema) -> Iterator[pa.Table]:
    values = things.table.column(column)
    for start in range(0, len(things), _ROWS):
        part = pa.array(numbers[start : start + _ROWS]).cast(pa.uint64())
        yield pa.table([part, values.slice(start, _ROWS).cast(kind.field(1).type)], schema=kind)


ARCTIC = Writer(
    "arctic", "Arctic Embed: queries, documents and relations as Parquet", (), "texts, ids that are numbers", _write
)
