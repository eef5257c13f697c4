"""The names that columns commonly have in the field, by role, in order of preference."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["ANCHOR_ROLES", "GRADES", "ITEM_ROLES", "PAIR_ROLES", "QREL_ROLES", "Roles", "normal", "numbered_stem"]

Roles = Mapping[str, tuple[str, ...]]

_ANCHOR = ("anchor", "query", "question", "query_text", "anchor_text", "claim", "sentence1", "sentence_a", "text1")
_ANCHOR_ID = ("anchor_id", "query_id", "qid", "question_id", "anchor_ids", "id1")
_ITEM = (
    "item", "items", "document", "documents", "doc", "passage", "passages", "answer", "response",
    "item_text", "document_text", "passage_text", "sentence2", "sentence_b", "text2",
)  # fmt: skip
_ITEM_ID = ("item_id", "item_ids", "corpus_id", "doc_id", "docid", "document_id", "document_ids", "pid", "passage_id")
GRADES = ("grade", "score", "label", "relevance", "rel", "grades", "scores", "labels")

PAIR_ROLES: Roles = {
    "anchor": _ANCHOR,
    "anchor_id": _ANCHOR_ID,  # not a plain "id", which often numbers the rows
    "positive": (
        "positive", "positives", "pos", "positive_text", "positive_passages", "pos_doc", "relevant_passages",
    ),
    "positive_id": ("positive_id", "positive_ids", "pos_id", "pos_ids", "positive_document_ids"),
    "negative": (
        "negative", "negatives", "neg", "hard_negative", "hard_negatives", "negative_text", "negative_passages",
        "neg_doc",
    ),
    "negative_id": ("negative_id", "negative_ids", "neg_id", "neg_ids", "negative_document_ids"),
    "item": (*_ITEM, "text"),
    "item_id": _ITEM_ID,
    "grade": GRADES,
}  # fmt: skip
ITEM_ROLES: Roles = {
    "item_id": ("_id", "id", *_ITEM_ID),
    "title": ("title",),
    "item": ("text", "contents", "content", "body", *_ITEM),
}
ANCHOR_ROLES: Roles = {"anchor_id": ("_id", "id", *_ANCHOR_ID), "anchor": ("text", *_ANCHOR)}
QREL_ROLES: Roles = {"anchor_id": _ANCHOR_ID, "item_id": _ITEM_ID, "grade": GRADES, "split": ("split",)}


def normal(name: str) -> str:
    """The form in which names are compared.

    >>> normal("Query-ID")
    'query_id'
    """
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def numbered_stem(name: str) -> str | None:
    """The name without its number, for the columns of which there may be several.

    >>> numbered_stem("negative_12"), numbered_stem("sentence1")
    ('negative', None)
    """
    match = _NUMBERED.fullmatch(name)
    return match.group(1) if match else None


_NUMBERED = re.compile(r"(positive|negative|pos|neg|hard_negative)_?\d+")
