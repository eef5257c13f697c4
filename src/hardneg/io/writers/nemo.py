"""NeMo Automodel: one JSON file with ids and a corpus folder, or JSON Lines with the texts inline.

The loader reads the corpus as a data set with the columns ``id`` and ``text`` beside ``merlin_metadata.json``, and
finds it by a path relative to the training file. It knows corpora by their ``corpus_id``, which is the name of the
output: two corpora of one training need different names. The corpus holds the items that candidates or judgements
name. An anchor without a negative is left out and counted, as the loader refuses it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pyarrow as pa

from hardneg.io.writers._base import Writer
from hardneg.io.writers._examples import Hit
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_array, write_parquet
from hardneg.io.writers._lines import lines
from hardneg.storage import write_json

__all__ = ["NEMO", "NEMO_INLINE"]


def _write(export: Export) -> None:
    manifest = export.run.manifest
    arguments = {"steps": manifest["steps"], "seed": manifest["seed"], "encoder": manifest.get("encoder")}
    head = {"corpus": [{"path": "corpus"}], "mining": {"args": arguments}}
    before = json.dumps(head, ensure_ascii=False).removesuffix("}") + ', "data": '
    export.rows(write_array(export.target / "train.json", _records(export), before=before, after="}"))
    kind = pa.schema([("id", export.run.items.ids.type), ("text", pa.string())])
    corpus = ({"id": one.id, "text": one.text} for one in export.documents())
    write_parquet(export.target / "corpus" / "train.parquet", kind, corpus)
    about = {"corpus_id": export.name, "class": "TextQADataset"}
    write_json(about, export.target / "corpus" / "merlin_metadata.json")


def _records(export: Export) -> Iterator[dict[str, object]]:
    for one in export.examples("one"):
        yield {
            "question_id": one.id,
            "question": one.text,
            "corpus_id": export.name,
            "pos_doc": [{"id": hit.document.id, "score": hit.score} for hit in one.positives],
            "neg_doc": [{"id": hit.document.id, "score": hit.score} for hit in one.negatives],
        }


def _inline(export: Export) -> Iterator[dict[str, object]]:
    for one in export.examples("one"):
        yield {
            "question_id": one.id,
            "query": one.text,
            "pos_doc": _documents(one.positives),
            "neg_doc": _documents(one.negatives),
        }


def _documents(hits: Iterable[Hit]) -> list[dict[str, object]]:
    return [{"text": hit.document.text, "id": hit.document.id, "score": hit.score} for hit in hits]


NEMO = Writer("nemo", "NeMo Automodel: train.json with document ids, and a corpus", (), "texts, ids, scores", _write)
NEMO_INLINE = Writer(
    "nemo-inline", "NeMo Automodel: query, pos_doc, neg_doc with their texts; a line for each anchor",
    (".jsonl", ".json"), "texts, ids, scores", lines(_inline),
)  # fmt: skip
