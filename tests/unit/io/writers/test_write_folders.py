"""Formats that are folders: read again as the peers' loaders do it, by those loaders where they install."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hardneg.errors import InputError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.writers import ExportOptions, examples, export
from hardneg.run import Run

Load = Callable[..., Any]
Read = Callable[[Path], list[Any]]


def full(run: Run, n: int = 3) -> list[Any]:
    return [one for one in examples(run) if one.positives and len(one.negatives) >= n]


@pytest.mark.parametrize("which", ["run", "number_run"])
def test_tevatron_ids_find_their_documents(which: str, load: Load, tmp_path: Path, request: Any) -> None:
    run = request.getfixturevalue(which)
    export(run, "tevatron", tmp_path / "out")
    train = load("json", data_files=str(tmp_path / "out" / "train.jsonl"))
    corpus = load("json", data_files=str(tmp_path / "out" / "corpus.jsonl"))
    texts = dict(zip(corpus["docid"], corpus["text"], strict=True))
    assert len(texts) == len(run.items)
    for row, one in zip(train, full(run, 1), strict=True):
        assert (row["query_id"], row["query_text"]) == (one.id, one.text)
        assert [texts[key] for key in row["positive_document_ids"]] == [hit.document.text for hit in one.positives]
        assert [texts[key] for key in row["negative_document_ids"]] == [hit.document.text for hit in one.negatives]


def test_nemo_finds_its_corpus_beside_the_file(run: Run, load: Load, tmp_path: Path) -> None:
    export(run, "nemo", tmp_path / "out")
    data = json.loads((tmp_path / "out" / "train.json").read_text(encoding="utf-8"))
    folder = tmp_path / "out" / data["corpus"][0]["path"]
    about = json.loads((folder / "merlin_metadata.json").read_text(encoding="utf-8"))
    assert about == {"corpus_id": "out", "class": "TextQADataset"}
    corpus = load(str(folder))
    texts = dict(zip(corpus["id"], corpus["text"], strict=True))
    assert data["mining"]["args"]["steps"] == run.manifest["steps"]
    for row, one in zip(data["data"], full(run, 1), strict=True):
        assert row.keys() == {"question_id", "question", "corpus_id", "pos_doc", "neg_doc"}
        assert row["corpus_id"] == about["corpus_id"]
        assert [texts[doc["id"]] for doc in row["neg_doc"]] == [hit.document.text for hit in one.negatives]
        assert [doc["score"] for doc in row["pos_doc"]] == [hit.score for hit in one.positives]


def test_arctic_keeps_ids_that_are_numbers(number_run: Run, tmp_path: Path) -> None:
    export(number_run, "arctic", tmp_path / "out")
    tables = {
        name: pq.read_table(tmp_path / "out" / f"{name}.parquet") for name in ("queries", "documents", "relations")
    }
    assert tables["queries"].schema.equals(pa.schema([("QUERY_ID", pa.uint64()), ("QUERY_TEXT", pa.string())]))
    assert tables["documents"].schema.equals(pa.schema([("DOCUMENT_ID", pa.uint64()), ("DOCUMENT_TEXT", pa.string())]))
    assert [str(kind) for kind in tables["relations"].schema.types] == ["uint64", "uint64", "int8"]
    assert tables["queries"].column("QUERY_ID").to_pylist() == number_run.anchors.ids.to_pylist()
    assert not (tmp_path / "out" / "query_ids.parquet").exists()
    rows = [tuple(row.values()) for row in tables["relations"].to_pylist()]
    assert len({row[:2] for row in rows}) == len(rows)
    positive = {(one.id, hit.document.id) for one in examples(number_run) for hit in one.positives}
    mined = {(one.id, hit.document.id) for one in examples(number_run) if one.positives for hit in one.negatives}
    assert {row[:2] for row in rows if row[2] == 1} == positive
    assert {row[:2] for row in rows if row[2] == -1} == mined | {(100, 10)}


def test_arctic_numbers_other_ids_and_says_whose_they_are(run: Run, tmp_path: Path) -> None:
    export(run, "arctic", tmp_path / "out")
    names = pq.read_table(tmp_path / "out" / "document_ids.parquet").to_pydict()
    texts = pq.read_table(tmp_path / "out" / "documents.parquet").to_pydict()
    assert names["ID"] == run.items.ids.to_pylist()
    assert names["DOCUMENT_ID"] == texts["DOCUMENT_ID"] == list(range(len(run.items)))
    queries = pq.read_table(tmp_path / "out" / "query_ids.parquet").column("ID")
    relations = pq.read_table(tmp_path / "out" / "relations.parquet").to_pylist()
    first = relations[0]
    assert (queries[first["QUERY_ID"]].as_py(), names["ID"][first["DOCUMENT_ID"]]) == ("q0", "d0")


def colbert_texts(path: Path) -> dict[int, str]:
    """As ColBERT reads them: text mode, strip, split at tabs."""
    with path.open(encoding="utf-8") as file:
        pairs = [line.strip("\n\r ").split("\t") for line in file]
    assert all(len(pair) == 2 for pair in pairs)
    return {int(number): text for number, text in pairs}


def test_colbert_numbers_passages_by_line(run: Run, read_lines: Read, tmp_path: Path) -> None:
    report = export(run, "colbert", tmp_path / "out")
    queries = colbert_texts(tmp_path / "out" / "queries.train.colbert.tsv")
    corpus = colbert_texts(tmp_path / "out" / "corpus.train.colbert.tsv")
    assert list(corpus) == list(range(len(run.items)))
    names = {row["number"]: row["id"] for row in read_lines(tmp_path / "out" / "document_ids.jsonl")}
    anchors = {row["number"]: row["id"] for row in read_lines(tmp_path / "out" / "query_ids.jsonl")}
    triples = read_lines(tmp_path / "out" / "triples.train.colbert.jsonl")
    wanted = {
        (one.id, positive.document.id, hit.document.id)
        for one in examples(run)
        for positive in one.positives
        for hit in one.negatives
    }
    assert {(anchors[q], names[p], names[n]) for q, p, n in triples} == wanted
    assert len(triples) == report.rows == len(wanted)
    assert [triple[0] for triple in triples] != sorted(triple[0] for triple in triples)
    texts = [one for things in (run.anchors, run.items) for one in things.table.column("text").to_pylist()]
    changed = [one for one in texts if "\t" in one]
    assert report.counts["texts_with_breaks_replaced"] == len(changed) > 0
    assert "tabs and lines break" in queries[1]


def test_colbert_refuses_an_empty_text(run: Run, tmp_path: Path) -> None:
    texts = ["\n" if i == 3 else "text" for i in range(len(run.anchors))]
    blank = replace(run)
    blank.__dict__["anchors"] = type(run.anchors).of(run.anchors.ids, texts=texts)
    with pytest.raises(InputError, match=r"one in queries\.train\.colbert\.tsv is empty"):
        export(blank, "colbert", tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("which", ["run", "number_run"])
def test_pylate_tables(which: str, load: Load, tmp_path: Path, request: Any) -> None:
    run = request.getfixturevalue(which)
    export(run, "pylate", tmp_path / "out")
    train, queries, documents = (load(str(tmp_path / "out"), name) for name in ("train", "queries", "documents"))
    assert (train.column_names, queries.column_names) == (["query_id", "document_ids", "scores"], ["query_id", "text"])
    texts = dict(zip(documents["document_id"], documents["text"], strict=True))
    asked = dict(zip(queries["query_id"], queries["text"], strict=True))
    pairs = [(one, positive) for one in full(run) for positive in one.positives]
    for row, (one, positive) in zip(train, pairs, strict=True):
        hits = (positive, *one.negatives)
        assert asked[row["query_id"]] == one.text
        assert [texts[key] for key in row["document_ids"]] == [hit.document.text for hit in hits]
        assert row["scores"] == pytest.approx([hit.score for hit in hits])


def qrels(path: Path) -> dict[str, dict[str, int]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert rows[0] == ["query-id", "corpus-id", "score"]
    found: dict[str, dict[str, int]] = {}
    for query, item, grade in rows[1:]:
        found.setdefault(query, {})[item] = int(grade)
    return found


def test_beir_sets_the_mined_apart_from_the_judged(run: Run, tmp_path: Path) -> None:
    report = export(run, "beir", tmp_path / "out")
    judged, mined = (qrels(tmp_path / "out" / "qrels" / f"{name}.tsv") for name in ("train", "mined_negatives"))
    assert judged["q0"] == {"d0": 1, "d9": 1, "d10": 0}
    assert {grade for row in mined.values() for grade in row.values()} == {0}
    assert {(q, d) for q, row in mined.items() for d in row} == {
        (one.id, hit.document.id) for one in examples(run) for hit in one.negatives
    }
    assert next(one for one in report.skips if one.reason == "ignored_pair").count == len(run.positives.ignored.values)


def test_beir_measures(run: Run, tmp_path: Path) -> None:
    measures = pytest.importorskip("ir_measures")
    export(run, "beir", tmp_path / "out")
    judged = qrels(tmp_path / "out" / "qrels" / "train.tsv")
    perfect = {query: {item: float(grade) for item, grade in row.items()} for query, row in judged.items()}
    found = measures.calc_aggregate([measures.nDCG @ 10, measures.Judged @ 10], judged, perfect)
    assert set(found.values()) == {1.0}


@pytest.mark.parametrize("which", ["run", "number_run"])
def test_beir_loads_with_beir(which: str, tmp_path: Path, request: Any) -> None:
    loader = pytest.importorskip("beir.datasets.data_loader")
    run = request.getfixturevalue(which)
    export(run, "beir", tmp_path / "out")
    corpus, queries, judged = loader.GenericDataLoader(str(tmp_path / "out")).load(split="train")
    assert len(corpus) == len(run.items)
    assert queries.keys() == judged.keys()
    assert corpus[next(iter(judged[next(iter(judged))]))].keys() == {"text", "title"}
    _, _, mined = loader.GenericDataLoader(str(tmp_path / "out")).load(split="mined_negatives")
    assert mined


@pytest.mark.parametrize("name", ["beir", "gpl"])
def test_beir_read_again_gives_the_same_positives(run: Run, tmp_path: Path, name: str) -> None:
    export(run, name, tmp_path / "out")
    again = read(tmp_path / "out", options=ReadOptions(split="train")).positives

    def pairs(positives: Any, kind: str) -> set[tuple[Any, Any]]:
        lists = positives.lists()[kind]
        anchors = positives.anchors.ids.take(pa.array(lists.rows())).to_pylist()
        return set(zip(anchors, positives.items.ids.take(pa.array(lists.values)).to_pylist(), strict=True))

    for kind in ("positive", "negative"):
        assert pairs(again, kind) == pairs(run.positives, kind)
    texts, found = (
        dict(zip(items.ids.to_pylist(), items.table.column("text").to_pylist(), strict=True))
        for items in (run.items, again.items)
    )
    assert all(found[key] == texts[key].strip() for key in found)


def test_gpl_ids_are_text(number_run: Run, read_lines: Read, tmp_path: Path) -> None:
    export(number_run, "gpl", tmp_path / "out")
    corpus = {row["_id"]: row for row in read_lines(tmp_path / "out" / "corpus.jsonl")}
    queries = {row["_id"]: row["text"] for row in read_lines(tmp_path / "out" / "queries.jsonl")}
    for row in read_lines(tmp_path / "out" / "hard-negatives.jsonl"):
        assert row["qid"] in queries
        ids = [*row["pos"], *(one for found in row["neg"].values() for one in found)]
        assert all(isinstance(corpus[one]["title"], str) for one in ids)


def nomic_rows(folder: Path, name: str) -> list[Any]:
    """As contrastors reads them: by the bytes that the index gives for each line."""
    counts = json.loads((folder / "counts.json").read_text())
    offsets = json.loads(gzip.decompress((folder / "offsets.json.gz").read_bytes()))
    assert counts["count_per_file"].keys() == offsets.keys()
    assert sum(counts["count_per_file"].values()) == counts["total_count"]
    rows = []
    for key, places in offsets.items():
        assert key.startswith(f"{name}/")
        with gzip.open(folder / key.rsplit("/", 1)[1], "rb") as file:
            for number in range(counts["count_per_file"][key]):
                start, end = places[str(number)]
                file.seek(start)
                rows.append(json.loads(file.read(end - start)))
    return rows


@pytest.mark.parametrize("shard_rows", [100, 2])
def test_nomic_index_points_at_the_lines(run: Run, tmp_path: Path, shard_rows: int) -> None:
    report = export(run, "nomic", tmp_path / "out", options=ExportOptions(shard_rows=shard_rows, bucket="b"))
    rows = nomic_rows(tmp_path / "out", "b/out")
    assert len(rows) == report.rows
    assert len(list((tmp_path / "out").glob("shard-*.jsonl.gz"))) == -(-len(rows) // shard_rows)
    pairs = {(one.id, hit.document.id): (one, hit) for one in full(run) for hit in one.positives}
    assert {(row["query_id"], row["pos_id"]) for row in rows} == pairs.keys()
    for row in rows:
        one, positive = pairs[row["query_id"], row["pos_id"]]
        assert row["metadata"]["objective"]["triplet"] == [["query", "pos", "neg"]]
        assert (row["query"], row["pos"]) == (one.text, positive.document.text)
        assert row["neg"] == [hit.document.text for hit in one.negatives]
        assert [row["document_score"], *row["negatives_scores"]] == [hit.score for hit in (positive, *one.negatives)]
