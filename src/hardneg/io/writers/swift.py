"""ms-swift: ``messages``, exactly one of ``positive_messages``, and ``negative_messages``; a line for each positive.

An anchor without a negative keeps its lines, without ``negative_messages``: InfoNCE then uses the batch. Leave
INFONCE_HARD_NEGATIVES unset, or at the number that every anchor has: swift fills up short ones at random. The format
has room for neither ids nor scores, and texts need no ``images``.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._lines import JSONL, lines

__all__ = ["MS_SWIFT"]


def _records(export: Export) -> Iterator[dict[str, object]]:
    for one, positive in export.triples("none"):
        record: dict[str, object] = {
            "messages": _message(one.text),
            "positive_messages": [_message(positive.document.text)],
        }
        if one.negatives:
            record["negative_messages"] = [_message(hit.document.text) for hit in one.negatives]
        yield record


def _message(text: str | None) -> list[dict[str, str | None]]:
    return [{"role": "user", "content": text}]


MS_SWIFT = Writer(
    "ms-swift", "ms-swift embedding training: one line for each positive", JSONL, "texts", lines(_records)
)
