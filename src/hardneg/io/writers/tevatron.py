"""Tevatron: ids with a corpus of their own (the present style), or passages in each line (the first one).

A line's ids are of the type the user gave them, in the training file and the corpus alike, as the loader compares
them. The corpus holds the items that candidates or judgements name. An anchor without a negative is left out and
counted: the loader cannot draw from an empty list. Queries are text, so the fields ``query_image``, ``query_video``
and ``query_audio``, all of them optional, are not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hardneg.io.writers._base import Writer
from hardneg.io.writers._examples import Hit
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_lines
from hardneg.io.writers._lines import JSONL, lines

__all__ = ["TEVATRON", "TEVATRON_PASSAGES"]


def _write(export: Export) -> None:
    export.rows(write_lines(export.target / "train.jsonl", _by_id(export)))
    corpus = ({"docid": one.id, "text": one.text} for one in export.documents())
    write_lines(export.target / "corpus.jsonl", corpus)


def _by_id(export: Export) -> Iterator[dict[str, object]]:
    for one in export.examples("one"):
        yield {
            "query_id": one.id,
            "query_text": one.text,
            "positive_document_ids": [hit.document.id for hit in one.positives],
            "negative_document_ids": [hit.document.id for hit in one.negatives],
            "positive_document_scores": [hit.score for hit in one.positives],
            "negative_document_scores": [hit.score for hit in one.negatives],
        }


def _by_passage(export: Export) -> Iterator[dict[str, object]]:
    for one in export.examples("one"):
        yield {
            "query_id": one.id,
            "query": one.text,
            "positive_passages": _passages(one.positives),
            "negative_passages": _passages(one.negatives),
        }


def _passages(hits: Iterable[Hit]) -> list[dict[str, object]]:
    # The loader joins title and text with a space wherever there is a title, even an empty one.
    return [
        {"docid": hit.document.id}
        | ({} if hit.document.title is None else {"title": hit.document.title})
        | {"text": hit.document.body, "score": hit.score}
        for hit in hits
    ]


TEVATRON = Writer(
    "tevatron", "Tevatron: train.jsonl with document ids, and corpus.jsonl", (), "texts, ids, scores", _write
)
TEVATRON_PASSAGES = Writer(
    "tevatron-passages", "Tevatron's first style: positive_passages and negative_passages in each line",
    JSONL, "texts, titles, ids, scores", lines(_by_passage),
)  # fmt: skip
