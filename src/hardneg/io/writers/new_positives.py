"""New positives: pairs that the calibrated filter finds likelier positive than not, to look at and to train on.

A ``.tsv`` has the three columns of qrels (``query-id``, ``corpus-id``, ``score``, which is 1), so that it can be added
to the judgements; a ``.jsonl`` says also how likely each pair is positive, which known positive it is nearest to and
how near, with the texts where there are some. The likeliest come first. They are guesses: somebody should look at them,
and what is decided comes back with the next mining as a judgement.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.errors import OptionError
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_lines, write_tsv
from hardneg.run import Run

__all__ = ["NEW_POSITIVES"]

_LIKELY = "calibrated.likely_positive"
_HEADER = ("query-id", "corpus-id", "score")


def _write(export: Export) -> None:
    found = _likely(export.run)
    if export.target.name.split(".", 1)[-1].startswith("jsonl"):
        export.rows(write_lines(export.target, _records(export.run, found)))
        return
    pairs = ((_id(one["anchor"]), _id(one["item"]), 1) for one in found)
    export.rows(write_tsv(export.target, [_HEADER, *pairs], str) - 1)


def _likely(run: Run) -> list[dict[str, object]]:
    """The likely positives, the likeliest first.

    Raises OptionError for a run without a calibrated filter.
    """
    wanted = ["anchor", "item", "score", "positive_similarity", "positive_probability", "nearest_positive"]
    found: list[dict[str, object]] = []
    for part in run.parts():
        if "positive_probability" not in part.column_names:
            raise OptionError(
                "There are no likely new positives in this run: its filters have not looked for any. Mine with "
                "--filter calibrated"
            )
        mine = part.filter(pc.equal(part.column("reason").cast(pa.string()), _LIKELY))
        found += mine.select(wanted).to_pylist()
    order = np.argsort([-float(str(one["positive_probability"])) for one in found], kind="stable")
    return [found[row] for row in order]


def _records(run: Run, found: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    positive = run.positives.positive
    anchors = run.anchors.positions([one["anchor"] for one in found]) if found else np.zeros(0, np.int64)
    items = run.items.positions([one["item"] for one in found]) if found else np.zeros(0, np.int64)
    for one, anchor, item in zip(found, anchors.tolist(), items.tolist(), strict=True):
        place = int(str(one["nearest_positive"]))
        nearest = None if place < 0 else run.items.ids[int(positive[anchor][place])].as_py()
        yield {
            "anchor": one["anchor"],
            "item": one["item"],
            "probability": round(float(str(one["positive_probability"])), 4),
            "score": one["score"],
            "nearest_positive": nearest,
            "similarity": one["positive_similarity"] if place >= 0 else None,
            **_texts(run.anchors, anchor, "anchor"),
            **_texts(run.items, item, "item"),
        }


def _texts(side: Collection, row: int, name: str) -> dict[str, object]:
    return {} if side.texts is None else {f"{name}_text": side.texts[row].as_py()}


def _id(value: object) -> str:
    return str(value)


NEW_POSITIVES = Writer(
    name="new-positives",
    description="Likely positives that nobody wrote down, as qrels or with reasons, to review and to add.",
    suffixes=(".tsv", ".jsonl"),
    holds="ids, texts and probabilities",
    write=_write,
    takes=(),
    texts=False,
)
