"""FlagEmbedding (BGE): ``query, pos, neg, pos_scores, neg_scores, prompt, type``, one line an anchor.

The loader repeats negatives where an anchor has fewer than the training group, and divides by zero where it has none:
those anchors are left out and counted. ``query_id``, ``pos_id`` and ``neg_id`` run along; the loader passes over
them. Give it the file rather than its folder, where it would take the manifest for training data.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._lines import JSONL, lines

__all__ = ["FLAGEMBEDDING", "FLAGEMBEDDING_POOL"]


def _records(export: Export) -> Iterator[dict[str, object]]:
    prompt = {} if export.options.prompt is None else {"prompt": export.options.prompt}
    for one in export.examples("one"):
        yield {
            "query": one.text,
            "pos": [hit.document.text for hit in one.positives],
            "neg": [hit.document.text for hit in one.negatives],
            "pos_scores": [hit.score for hit in one.positives],
            "neg_scores": [hit.score for hit in one.negatives],
            **prompt,
            "type": "normal",
            "query_id": one.id,
            "pos_id": [hit.document.id for hit in one.positives],
            "neg_id": [hit.document.id for hit in one.negatives],
        }


def _pool(export: Export) -> Iterator[dict[str, object]]:
    return ({"text": one.text, "id": one.id} for one in export.documents())


# The loader chooses its files by the endings .json and .jsonl; it does not unpack.
FLAGEMBEDDING = Writer(
    "flagembedding", "FlagEmbedding (BGE): query, pos, neg with scores; a line for each anchor",
    (".jsonl", ".json"), "texts, ids, scores", lines(_records), ("n", "positives", "prompt"),
)  # fmt: skip
FLAGEMBEDDING_POOL = Writer(
    "flagembedding-pool", "FlagEmbedding's candidate pool: the items that candidates or judgements name",
    JSONL, "texts, ids", lines(_pool), (),
)  # fmt: skip
