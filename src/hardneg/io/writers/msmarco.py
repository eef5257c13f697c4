"""The msmarco-hard-negatives layout, ``{"qid", "pos", "neg": {system: [...]}}``, and GPL's folder around it.

Each negative stands under every source that proposed it. ``msmarco`` is that file alone: ids as the user gave them,
no texts. ``gpl`` is a BEIR folder with the file in it as ``hard-negatives.jsonl``, for ``use_train_qrels=True``; there
ids are text. An anchor without a negative keeps its line: the loader passes over it. There is no room for scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hardneg.collection import Id
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_lines
from hardneg.io.writers._lines import JSONL, lines
from hardneg.io.writers.beir import write_corpus, write_judged

__all__ = ["GPL", "MSMARCO"]


def _records(export: Export, as_id: Callable[[Id], Id] = lambda one: one) -> Iterator[dict[str, object]]:
    for one in export.examples("none"):
        systems: dict[str, list[Id]] = {}
        for hit in one.negatives:
            for system in hit.source.split("+"):
                systems.setdefault(system, []).append(as_id(hit.document.id))
        yield {"qid": as_id(one.id), "pos": [as_id(hit.document.id) for hit in one.positives], "neg": systems}


def _write_gpl(export: Export) -> None:
    write_corpus(export)
    write_judged(export)
    export.rows(write_lines(export.target / "hard-negatives.jsonl", _records(export, str)))


MSMARCO = Writer(
    "msmarco", "msmarco-hard-negatives: qid, pos and neg by source; a line for each anchor", JSONL, "ids",
    lines(_records), texts=False,
)  # fmt: skip
GPL = Writer(
    "gpl", "GPL: a BEIR folder with hard-negatives.jsonl", (), "texts, titles, ids", _write_gpl, ("n", "positives")
)
