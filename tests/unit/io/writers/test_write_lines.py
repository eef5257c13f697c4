"""Formats of one file: the fields that the peers' loaders ask for, their types, and how they load."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardneg.io.writers import ExportOptions, examples, export
from hardneg.run import Run

Load = Callable[..., Any]
Read = Callable[[Path], list[Any]]

# What each loader reads: field -> type; a list holds the type of its members.
FIELDS: dict[str, dict[str, Any]] = {
    "flagembedding": {
        "query": str, "pos": [str], "neg": [str], "pos_scores": [float], "neg_scores": [float], "type": str,
        "query_id": str, "pos_id": [str], "neg_id": [str],
    },
    "flagembedding-pool": {"text": str, "id": str},
    "tevatron-passages": {
        "query_id": str, "query": str,
        "positive_passages": [{"docid": str, "title": str, "text": str, "score": float}],
        "negative_passages": [{"docid": str, "title": str, "text": str, "score": float}],
    },
    "nemo-inline": {
        "question_id": str, "query": str,
        "pos_doc": [{"text": str, "id": str, "score": float}], "neg_doc": [{"text": str, "id": str, "score": float}],
    },
    "ms-swift": {
        "messages": [{"role": str, "content": str}],
        "positive_messages": [[{"role": str, "content": str}]],
        "negative_messages": [[{"role": str, "content": str}]],
    },
    "msmarco": {"qid": str, "pos": [str], "neg": dict},
    "cohere": {"query": str, "relevant_passages": [str], "hard_negatives": [str]},
    "nixietune": {"query": str, "doc": str, "neg": [str], "negscore": [float]},
    "dpr": {
        "question": str, "answers": [str],
        "positive_ctxs": [{"title": str, "text": str, "score": float, "passage_id": str}],
        "negative_ctxs": [{"title": str, "text": str, "score": float, "passage_id": str}],
        "hard_negative_ctxs": [{"title": str, "text": str, "score": float, "passage_id": str}],
        "question_id": str,
    },
}  # fmt: skip
OPTIONAL = {"negative_messages"}
NEED_NEGATIVES = ("flagembedding", "tevatron-passages", "nemo-inline")
ONE_POSITIVE = ("ms-swift", "nixietune")


def fits(value: object, kind: Any) -> bool:
    if isinstance(kind, list):
        return isinstance(value, list) and all(fits(one, kind[0]) for one in value)
    if isinstance(kind, dict):
        named = isinstance(value, dict) and value.keys() <= kind.keys() and kind.keys() - value.keys() <= OPTIONAL
        return named and all(fits(one, kind[name]) for name, one in value.items())  # type: ignore[attr-defined]
    return isinstance(value, kind)


@pytest.mark.parametrize("name", FIELDS)
def test_fields_and_types(run: Run, read_lines: Read, tmp_path: Path, name: str) -> None:
    out = tmp_path / "a.jsonl"
    report = export(run, name, out)
    records = read_lines(out)
    assert len(records) == report.rows
    for record in records:
        assert fits(record, FIELDS[name]), record


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"msmarco"}))
def test_loads_with_datasets(run: Run, load: Load, read_lines: Read, tmp_path: Path, name: str) -> None:
    export(run, name, tmp_path / "a.jsonl")
    table = load("json", data_files=str(tmp_path / "a.jsonl"))
    assert set(table.column_names) == set(FIELDS[name])
    first = read_lines(tmp_path / "a.jsonl")[0]
    assert {key: table[0][key] for key in first} == first


@pytest.mark.parametrize("name", ["flagembedding", "tevatron-passages", "nemo-inline", "msmarco", "dpr"])
def test_ids_that_are_numbers_stay_numbers(number_run: Run, read_lines: Read, tmp_path: Path, name: str) -> None:
    export(number_run, name, tmp_path / "a.jsonl")
    record = read_lines(tmp_path / "a.jsonl")[0]
    assert {"query_id": 100, "question_id": 100, "qid": 100}.items() & record.items()
    assert '"0"' not in json.dumps(record)


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"flagembedding-pool"}))
def test_anchors_without_negatives(run: Run, read_lines: Read, tmp_path: Path, name: str) -> None:
    report = export(run, name, tmp_path / "a.jsonl")
    reasons = {one.reason for one in report.skips}
    assert ("no_negative" in reasons) == (name in NEED_NEGATIVES)
    texts = json.dumps(read_lines(tmp_path / "a.jsonl"))
    assert ("query 6" in texts or '"q6"' in texts) == (name not in NEED_NEGATIVES)


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"flagembedding-pool"}))
def test_positives_all_or_first(run: Run, read_lines: Read, tmp_path: Path, name: str) -> None:
    export(run, name, tmp_path / "all.jsonl")
    export(run, name, tmp_path / "first.jsonl", options=ExportOptions(positives="first"))
    every, first = (read_lines(tmp_path / f"{one}.jsonl") for one in ("all", "first"))
    assert len(every) == len(first) + (name in ONE_POSITIVE)
    field = next((one for one in FIELDS[name] if "pos" in one or "relevant" in one), "doc")
    assert name in ONE_POSITIVE or (len(every[0][field]), len(first[0][field])) == (2, 1)


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"flagembedding-pool"}))
def test_at_most_n_negatives(run: Run, read_lines: Read, tmp_path: Path, name: str) -> None:
    export(run, name, tmp_path / "a.jsonl", options=ExportOptions(n=1))
    record = read_lines(tmp_path / "a.jsonl")[0]
    field = next(one for one in reversed(FIELDS[name]) if "neg" in one)
    found = record[field] if isinstance(record[field], list) else [one for ids in record[field].values() for one in ids]
    assert len(found) == 1


def test_flagembedding_scores_run_beside_the_texts(run: Run, read_lines: Read, tmp_path: Path) -> None:
    export(run, "flagembedding", tmp_path / "a.jsonl", options=ExportOptions(prompt="Find the answer."))
    for record, one in zip(read_lines(tmp_path / "a.jsonl"), examples(run), strict=False):
        assert record["prompt"] == "Find the answer."
        assert record["type"] == "normal"
        assert record["pos_scores"] == [hit.score for hit in one.positives]
        assert record["neg"] == [hit.document.text for hit in one.negatives]
        assert record["neg_scores"] == sorted(record["neg_scores"], reverse=True)


def test_tevatron_gives_title_and_body_apart(run: Run, number_run: Run, read_lines: Read, tmp_path: Path) -> None:
    export(run, "tevatron-passages", tmp_path / "a.jsonl")
    passage = read_lines(tmp_path / "a.jsonl")[1]["positive_passages"][0]
    assert passage["title"] == "Title 1"
    assert passage["text"].startswith("body 1")
    export(number_run, "tevatron-passages", tmp_path / "b.jsonl")
    assert "title" not in read_lines(tmp_path / "b.jsonl")[0]["positive_passages"][0]


def test_swift_has_exactly_one_positive(run: Run, read_lines: Read, tmp_path: Path) -> None:
    export(run, "ms-swift", tmp_path / "a.jsonl")
    records = read_lines(tmp_path / "a.jsonl")
    assert all(len(record["positive_messages"]) == 1 for record in records)
    assert "negative_messages" not in records[-1]


def test_dpr_is_an_array_or_lines(run: Run, read_lines: Read, tmp_path: Path) -> None:
    export(run, "dpr", tmp_path / "a.json")
    export(run, "dpr", tmp_path / "a.jsonl")
    array = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert array == read_lines(tmp_path / "a.jsonl")
    assert array[1]["positive_ctxs"][0]["title"] == "Title 1"
    assert array[0]["negative_ctxs"] == []


def test_msmarco_names_each_source_that_proposed_it(run: Run, read_lines: Read, tmp_path: Path) -> None:
    export(run, "msmarco", tmp_path / "a.jsonl")
    for record, one in zip(read_lines(tmp_path / "a.jsonl"), examples(run), strict=False):
        assert set(record["neg"]) <= {"neighbors", "uniform"}
        for system, ids in record["neg"].items():
            assert ids == [hit.document.id for hit in one.negatives if system in hit.source.split("+")]


def test_msmarco_needs_no_texts(make_run: Callable[..., Run], read_lines: Read, tmp_path: Path) -> None:
    report = export(make_run(texts=False), "msmarco", tmp_path / "a.jsonl")
    assert len(read_lines(tmp_path / "a.jsonl")) == report.rows > 0
