"""nixietune: ``query, doc, neg, negscore``, one line for each positive.

The loader refuses any other field, so there is no room for ids. An anchor without a negative keeps its lines, with
empty lists.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._lines import JSONL, lines

__all__ = ["NIXIETUNE"]


def _records(export: Export) -> Iterator[dict[str, object]]:
    for one, positive in export.triples("none"):
        yield {
            "query": one.text,
            "doc": positive.document.text,
            "neg": [hit.document.text for hit in one.negatives],
            "negscore": [hit.score for hit in one.negatives],
        }


NIXIETUNE = Writer(
    "nixietune", "nixietune: query, doc, neg, negscore; a line for each positive", JSONL, "texts, scores of negatives",
    lines(_records),
)  # fmt: skip
