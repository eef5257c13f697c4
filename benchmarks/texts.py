"""Real texts for the benchmarks: StackFAQ and SciFact where they are, else the demo that comes with hardneg."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hardneg.demo

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Judged:
    """Texts by id, and the positive items of each anchor."""

    name: str
    anchors: dict[str, str]
    items: dict[str, str]
    positives: dict[str, list[str]]


def data_folder() -> Path:
    """HARDNEG_DATA, or ``../shared/data`` beside the project."""
    return Path(os.environ.get("HARDNEG_DATA", ROOT.parent / "shared" / "data"))


def stackfaq() -> Judged:
    folder = data_folder() / "text_stackfaq"
    items = {row["_id"]: row["text"] for row in _lines(folder / "corpus.jsonl")}
    anchors = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
    judged = [(row["query-id"], row["corpus-id"]) for row in _table(folder / "qrels.tsv") if float(row["score"]) > 0]
    return Judged("StackFAQ", anchors, items, _grouped(judged))


def scifact() -> Judged:
    """Claims and abstracts; an abstract that supports or contradicts a claim is about it, so positive."""
    folder = data_folder() / "text_scifact"
    items = {row["_id"]: f"{row['title']}. {row['text']}" for row in _lines(folder / "corpus.jsonl.gz")}
    anchors = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
    judged = [(row["query-id"], row["corpus-id"]) for row in _table(folder / "qrels.tsv")]
    return Judged("SciFact", anchors, items, _grouped(judged))


def judged_sets() -> list[Judged]:
    """The judged data sets that are here."""
    readers = {"text_stackfaq": stackfaq, "text_scifact": scifact}
    return [read() for folder, read in readers.items() if (data_folder() / folder).is_dir()]


def short_texts() -> tuple[str, list[str]]:
    """Some thousand real short texts, each once, and where they come from."""
    if data_folder().is_dir():
        faq, papers = stackfaq(), scifact()
        titles = [text.split(". ", 1)[0] for text in papers.items.values()]
        groups = [faq.items.values(), faq.anchors.values(), papers.anchors.values(), titles]
        where = "StackFAQ and SciFact"
    else:
        demo = Path(str(hardneg.demo.__file__)).parent
        groups = [[row["text"] for row in _lines(demo / name)] for name in ("corpus.jsonl", "queries.jsonl")]
        where = "the demo that comes with hardneg (no other data here)"
    texts = (" ".join(text.split()[:40]) for group in groups for text in group)
    return where, [text for text in dict.fromkeys(texts) if text]


def sentences() -> tuple[str, list[str]]:
    """Some ten thousand real sentences, each once: the short texts, sentences of abstracts, and reviews."""
    where, texts = short_texts()
    folder = data_folder() / "sent_mr_sst_cr"
    if not folder.is_dir():
        return where, texts
    reviews = [row["text"] for name in ("mr", "cr", "subj") for row in _lines(folder / f"{name}.jsonl.gz")]
    told = [one for text in scifact().items.values() for one in text.split(". ")[1:]]
    return f"{where}, and film and product reviews", list(dict.fromkeys([*texts, *reviews, *told[::8]]))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    yield from (json.loads(line) for line in text.split("\n") if line.strip())


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t")


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for anchor, item in pairs:
        out.setdefault(anchor, []).append(item)
    return out
