"""DPR: ``question, answers, positive_ctxs, negative_ctxs, hard_negative_ctxs`` of ``{title, text, passage_id}``.

A JSON array, or JSON Lines where the file ends in ``.jsonl``. The mined are ``hard_negative_ctxs``; ``negative_ctxs``,
which DPR fills at random, stays empty, as does ``answers``, which a run does not know. An anchor without a negative
stays, with an empty list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hardneg.io.writers._base import Writer
from hardneg.io.writers._examples import Hit
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_array, write_lines

__all__ = ["DPR"]


def _write(export: Export) -> None:
    write = write_lines if ".jsonl" in export.target.suffixes else write_array
    export.rows(write(export.target, _records(export)))


def _records(export: Export) -> Iterator[dict[str, object]]:
    for one in export.examples("none"):
        yield {
            "question": one.text,
            "answers": [],
            "positive_ctxs": _contexts(one.positives),
            "negative_ctxs": [],
            "hard_negative_ctxs": _contexts(one.negatives),
            "question_id": one.id,
        }


def _contexts(hits: Iterable[Hit]) -> list[dict[str, object]]:
    return [
        {
            "title": hit.document.title or "",
            "text": hit.document.body,
            "score": hit.score,
            "passage_id": hit.document.id,
        }
        for hit in hits
    ]


DPR = Writer(
    "dpr", "DPR: positive_ctxs and hard_negative_ctxs; an object for each anchor",
    (".json", ".json.gz", ".jsonl", ".jsonl.gz"), "texts, titles, ids, scores", _write,
)  # fmt: skip
