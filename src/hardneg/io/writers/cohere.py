"""Cohere and LlamaIndex rerankers: ``query, relevant_passages, hard_negatives``, one line an anchor.

Hard negatives are optional there: an anchor without one keeps its line, with an empty list. There is no room for ids
or scores.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._lines import JSONL, lines

__all__ = ["COHERE"]


def _records(export: Export) -> Iterator[dict[str, object]]:
    for one in export.examples("none"):
        yield {
            "query": one.text,
            "relevant_passages": [hit.document.text for hit in one.positives],
            "hard_negatives": [hit.document.text for hit in one.negatives],
        }


COHERE = Writer(
    "cohere", "Cohere and LlamaIndex rerankers: query, relevant_passages, hard_negatives", JSONL, "texts",
    lines(_records),
)  # fmt: skip
