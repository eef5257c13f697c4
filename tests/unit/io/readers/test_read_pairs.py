from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.io.readers.reader_files import Row, jsonl, parquet, related, skipped, table

from hardneg.errors import InputError, MissingExtraError
from hardneg.io.readers import ReadOptions, read


def saved(path: Path, rows: list[dict[str, Any]]) -> Path:
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(rows).save_to_disk(str(path))
    return path


text = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n\t"), min_size=1, max_size=8)
plain = text.filter(lambda one: one.strip() != "" and not one.startswith("["))
rows = st.lists(st.fixed_dictionaries({"query": plain, "positive": plain, "negative": plain}), min_size=1, max_size=6)


@given(rows=rows)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_carrier_gives_the_same_relations(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("carriers")
    readings = [
        read(jsonl(folder / "a.jsonl", rows)),
        read(jsonl(folder / "a.jsonl.gz", rows)),
        read(table(folder / "a.csv", rows)),
        read(table(folder / "a.tsv", rows, "\t")),
        read(parquet(folder / "a.parquet", rows)),
    ]
    positive = {(row["query"], row["positive"]) for row in rows}
    for reading in readings:
        assert related(reading, column="text") == positive
        assert related(reading, "negative", "text") == {(r["query"], r["negative"]) for r in rows} - positive
        assert reading.positives.items.table.equals(readings[0].positives.items.table)
        assert skipped(reading) == skipped(readings[0])


def test_a_saved_datasets_folder_reads_like_the_rest(tmp_path: Path) -> None:
    rows = [{"query": "a", "pos": ["b", "c"]}, {"query": "d", "pos": []}]
    reading = read(saved(tmp_path / "set", rows))
    assert reading.format == "pairs, datasets"
    assert related(reading) == related(read(jsonl(tmp_path / "a.jsonl", rows)))
    assert "data-00000-of-00001.arrow" in reading.files
    assert skipped(reading) == {"no_positive": 1}


def test_datasets_with_splits(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    one = datasets.Dataset.from_list([{"query": "a", "positive": "b"}, {"query": "c", "positive": "d"}])
    other = datasets.Dataset.from_list([{"query": "e", "positive": "b"}])
    datasets.DatasetDict({"train": one, "test": other}).save_to_disk(str(tmp_path / "set"))
    reading = read(tmp_path / "set", options=ReadOptions(exclude_split=("test",)))
    assert reading.format == "pairs, datasets, split train of train, test"
    assert related(reading, column="text") == {("a", "b"), ("c", "d")}
    assert reading.positives.barred.tolist() == [True, False]
    assert related(read(tmp_path / "set", options=ReadOptions(split="test")), column="text") == {("e", "b")}
    with pytest.raises(InputError, match=r"There is no split 'dev'. Found: train, test"):
        read(tmp_path / "set", options=ReadOptions(split="dev"))


def test_a_damaged_datasets_folder(tmp_path: Path) -> None:
    folder = saved(tmp_path / "set", [{"query": "a", "positive": "b"}])
    data = folder / "data-00000-of-00001.arrow"
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(InputError, match="cut short or damaged"):
        read(folder)


def test_without_the_package_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path / "set", [{"query": "a", "positive": "b"}])
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "datasets":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "datasets")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"hardneg\[hf\]"):
        read(folder)


@pytest.mark.parametrize(
    ("row", "positive", "negative"),
    [
        ({"anchor": "a", "positive": "b", "negative": "c"}, {"b"}, {"c"}),
        ({"query": "a", "pos": ["b", "c"], "neg": ["d"], "pos_scores": [1], "prompt": "x"}, {"b", "c"}, {"d"}),
        ({"question": "a", "answer": "b"}, {"b"}, set()),
        ({"sentence1": "a", "sentence2": "b", "label": 1}, {"b"}, set()),
        ({"anchor": "a", "positive": "b", "negative_1": "c", "negative_2": "d", "negative_3": None}, {"b"}, {"c", "d"}),
        ({"anchor": "a", "items": ["b", "c", "d"], "labels": [1, 0, 1]}, {"b", "d"}, {"c"}),
        ({"anchor": "a", "items": ["b", "c"], "scores": [1.0, 0.0]}, {"b"}, {"c"}),
        ({"anchor": "a", "positive": "b", "negative": "c", "score": 0.3}, {"b"}, {"c"}),  # the score is a margin
        (
            {
                "query_id": "1", "query": "a",
                "positive_passages": [{"docid": "7", "title": "T", "text": "b"}],
                "negative_passages": [{"docid": "8", "title": "", "text": "c"}],
            },
            {"T b"},
            {"c"},
        ),
        ({"query": "a", "pos": {"id": 5, "text": "b"}}, {"b"}, set()),
        ({"query": "a", "document": "b", "label": True}, {"b"}, set()),
        ({"Query-Text": "a", "Passage": "b"}, {"b"}, set()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("carrier", [jsonl, parquet])
def test_names_that_are_common(tmp_path: Path, row: Row, positive: set[str], negative: set[str], carrier: Any) -> None:
    reading = read(carrier(tmp_path / "a.data", [row]))
    assert related(reading, column="text") == {("a", one) for one in positive}
    assert related(reading, "negative", "text") == {("a", one) for one in negative}


def test_equal_texts_become_one(tmp_path: Path) -> None:
    rows = [{"query": "a", "positive": "b"}, {"query": "a", "positive": "c"}, {"query": "d", "positive": "b"}]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    assert len(reading.positives.anchors) == len(reading.positives.items) == 2
    assert related(reading, column="text") == {("a", "b"), ("a", "c"), ("d", "b")}
    backwards = read(jsonl(tmp_path / "b.jsonl", rows[::-1]))
    assert related(backwards) == related(reading)  # made ids come from the texts, not from the order


def test_an_anchor_that_is_also_an_item(tmp_path: Path) -> None:
    rows = [{"sentence1": "a", "sentence2": "b", "label": 1}, {"sentence1": "b", "sentence2": "c", "label": 1}]
    assert read(jsonl(tmp_path / "a.jsonl", rows)).positives.own.tolist() == [-1, 0]


def test_ids_of_the_user(tmp_path: Path) -> None:
    rows = [
        {"qid": 1, "query": "a", "pos": ["b", "c"], "pos_ids": ["x", "y"], "neg": ["d"], "neg_ids": ["z"]},
        {"qid": 2, "query": "a", "pos": ["b"], "pos_ids": ["x"], "neg": [], "neg_ids": []},
    ]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    assert related(reading) == {(1, "x"), (1, "y"), (2, "x")}
    assert related(reading, "negative") == {(1, "z")}


def test_labelled_pairs_with_thresholds_and_text_grades(tmp_path: Path) -> None:
    graded = [{"query": "a", "document": one, "score": score} for one, score in [("b", 3), ("c", 1), ("d", 0)]]
    reading = read(jsonl(tmp_path / "a.jsonl", graded), options=ReadOptions(positive_from=2))
    assert [len(related(reading, one)) for one in ("positive", "ignored", "negative")] == [1, 1, 1]
    named = table(tmp_path / "a.csv", [{"claim": "a", "document": one, "label": one} for one in ("yes", "no")])
    with pytest.raises(InputError, match=r"The grades are text: yes, no. .*--grade yes=1 --grade no=0"):
        read(named)
    reading = read(named, options=ReadOptions(grades={"yes": 1, "no": 0}))
    assert related(reading, column="text") == {("a", "yes")}


def test_rows_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"query": "a", "positive": "b"},
        {"query": "a", "positive": "b"},
        {"query": "", "positive": "c"},
        {"query": "d", "positive": " "},
        {"query": "e"},
    ]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    assert skipped(reading) == {"empty_text": 2, "duplicate_row": 1, "no_positive": 2}
    assert reading.skips[0].examples == ("a.jsonl, line 3", "a.jsonl, line 4")
    assert reading.counts["rows"] == 5


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([{"a": "b"}], r"line 1: The field 'anchor' is missing. Found: a. Name it 'anchor', 'query'"),
        ([{"query": "b"}], r"line 1: The field 'positive' is missing. Found: query"),
        ([{"query": ["b"], "pos": "c"}], r"line 1: The anchor text must be text. Got list"),
        ([{"query": "a", "pos": [1]}], r"line 1: The item text must be text. Got int"),
        ([{"query": "a", "pos": ["b"], "pos_ids": ["x", "y"]}], r"line 1: There are 1 texts in 'pos' and 2 ids"),
        ([{"query": "a", "items": ["b"], "labels": [1, 0]}], r"line 1: There are 1 items and 2 grades"),
        ([{"qid": 1, "query": "a", "pos": "x"}, {"qid": 1, "query": "b", "pos": "x"}], r"line 2: The anchor id 1 was"),
        ([{"qid": 1, "query": "a", "pos": "x"}, {"query": "b", "pos": "x"}], r"line 2: This anchor has no id, earlier"),
        ([{"query": "a", "pos": "x"}, {"qid": 1, "query": "b", "pos": "x"}], r"line 2: This anchor has an id, earlier"),
        ([{"query": "a", "pos_ids": ["x"]}], r"name their items by id only. Give .*--corpus"),
        ([{"query": "a", "pos": []}], r"holds no judgement"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, rows: list[Row], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read(jsonl(tmp_path / "a.jsonl", rows))


def test_own_column_names(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", [{"text": "a", "reply": "b", "bad": "c"}])
    names = {"anchor": "text", "positive": "reply", "negative": "bad"}
    reading = read(file, options=ReadOptions(columns=names))
    assert related(reading, column="text") == {("a", "b")}
    assert related(reading, "negative", "text") == {("a", "c")}
    with pytest.raises(InputError, match=r"No file has a column 'bat' \(for negative\)"):
        read(file, options=ReadOptions(columns={**names, "negative": "bat"}))


@pytest.mark.parametrize("cell", ['["b", "c"]', "['b', 'c']"])
def test_lists_in_csv_cells(tmp_path: Path, cell: str) -> None:
    file = table(tmp_path / "a.csv", [{"query": "a", "pos": cell}, {"query": "d", "pos": "['b' 'c']"}])
    reading = read(file)
    assert related(reading, column="text") == {("a", "b"), ("a", "c"), ("d", "['b' 'c']")}


def test_a_pairs_file_has_no_splits(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no splits"):
        read(jsonl(tmp_path / "a.jsonl", [{"query": "a", "pos": "b"}]), options=ReadOptions(split="train"))


CORPUS = [{"id": 1, "text": "b"}, {"id": 2, "title": "T", "text": "c"}, {"id": 3, "text": "d"}]


def test_a_corpus_by_id(tmp_path: Path) -> None:
    corpus = jsonl(tmp_path / "corpus.jsonl", CORPUS)
    pairs = table(tmp_path / "a.csv", [{"query": "a", "doc_id": "1"}, {"query": "a", "doc_id": "9"}])
    reading = read(pairs, options=ReadOptions(corpus=corpus))
    assert related(reading, column="id") == {(reading.positives.anchors.ids[0].as_py(), 1)}
    assert len(reading.positives.items) == 3
    assert skipped(reading) == {"unknown_item": 1}
    assert set(reading.files) == {"a.csv", "corpus.jsonl"}


def test_a_corpus_by_text(tmp_path: Path) -> None:
    corpus = jsonl(tmp_path / "corpus.jsonl", CORPUS)
    pairs = jsonl(tmp_path / "a.jsonl", [{"query": "a", "pos": ["b", "c"]}, {"query": "e", "pos": ["T c"]}])
    reading = read(pairs, options=ReadOptions(corpus=corpus))
    assert {item for _, item in related(reading)} == {1, 2}
    assert related(reading, column="text") == {("a", "b"), ("a", "T c"), ("e", "T c")}


def test_a_positive_that_the_corpus_lacks_joins_it(tmp_path: Path) -> None:
    corpus = jsonl(tmp_path / "corpus.jsonl", CORPUS)
    pairs = jsonl(tmp_path / "a.jsonl", [{"query": "a", "pos": ["b", "new"]}])
    reading = read(pairs, options=ReadOptions(corpus=corpus))
    assert related(reading, column="text") == {("a", "b"), ("a", "new")}
    assert reading.positives.items.table["id"].to_pylist()[:3] == ["1", "2", "3"]
    assert reading.counts["items_added"] == 1


def test_a_corpus_of_plain_lines(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("b\n c\n\nb\n")
    pairs = jsonl(tmp_path / "a.jsonl", [{"query": "a", "pos": ["b", " c"]}])
    reading = read(pairs, options=ReadOptions(corpus=tmp_path / "corpus.txt"))
    assert reading.positives.items.table["text"].to_pylist() == ["b", " c"]
    assert skipped(reading) == {"empty_text": 1, "duplicate_row": 1}


def test_reading_loads_no_extra() -> None:
    code = "import sys, hardneg.io.readers; assert not {'torch', 'datasets', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
