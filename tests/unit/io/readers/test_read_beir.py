from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.io.readers.reader_files import beir, jsonl, related, skipped

from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.reading import Reading

HEADER = "query-id\tcorpus-id\tscore\n"
GRADES = {"SUPPORT": 1.0, "CONTRADICT": 0.0}


def test_text_is_title_and_text_and_further_columns_travel(tmp_path: Path) -> None:
    items = read(beir(tmp_path)).positives.items
    assert items.table.to_pylist() == [
        {
            "id": "d1",
            "text": "Emma A novel by Jane Austen.",
            "title": "Emma",
            "body": "A novel by Jane Austen.",
            "year": 1815,
        },
        {
            "id": "d2",
            "text": "Faust is a play by Goethe.",
            "title": "",
            "body": "Faust is a play by Goethe.",
            "year": 1808,
        },
        {"id": "d3", "text": "Persuasion", "title": "Persuasion", "body": "", "year": 1817},
    ]


def test_gz_and_plain_read_alike(tmp_path: Path) -> None:
    plain = read(beir(tmp_path))
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        file = tmp_path / name
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    packed = read(tmp_path)
    assert packed.positives.items.table.equals(plain.positives.items.table)
    assert related(packed) == related(plain) == {("q1", "d1"), ("q2", "d2")}
    assert set(packed.files) == {"corpus.jsonl.gz", "queries.jsonl.gz", "qrels.tsv.gz"}


@pytest.mark.parametrize(
    "qrels",
    [
        HEADER + "q1\td1\t2\nq1\td2\t0\n",
        "q1\td1\t2\nq1\td2\t0\n",  # no header
        "q1 0 d1 2\nq1 0 d2 0\n",  # TREC
        "q1\t0\td1\t2\nq1\t0\td2\t0\n",  # TREC with tabs
        "corpus-id\trelevance\tquery_id\nd1\t2\tq1\nd2\t0\tq1\n",  # by name, in another order
        "qid,docid,label\nq1,d1,2\nq1,d2,0\n",
        '{"query-id":"q1","corpus-id":"d1","score":2}\n{"query-id":"q1","corpus-id":"d2","score":0}\n',
    ],
)
def test_qrels_in_all_their_dialects(tmp_path: Path, qrels: str) -> None:
    reading = read(beir(tmp_path, qrels))
    assert related(reading) == {("q1", "d1")}
    assert related(reading, "negative") == {("q1", "d2")}
    assert skipped(reading) == {"no_positive": 1}


def test_thresholds_and_the_ignored_grade(tmp_path: Path) -> None:
    folder = beir(tmp_path, HEADER + "q1\td1\t3\nq1\td2\t1\nq1\td3\t-1\nq2\td1\t2\nq2\td2\t3\n")
    reading = read(folder, options=ReadOptions(positive_from=2, negative_to=1, ignore=(-1,)))
    assert related(reading) == {("q1", "d1"), ("q2", "d1"), ("q2", "d2")}
    assert related(reading, "negative") == {("q1", "d2")}
    assert related(reading, "ignored") == {("q1", "d3")}


def test_text_grades_need_a_meaning(tmp_path: Path) -> None:
    folder = beir(tmp_path, "query-id\tcorpus-id\tlabel\nq1\td1\tCONTRADICT\nq1\td2\tSUPPORT\n")
    with pytest.raises(InputError, match=r"SUPPORT, CONTRADICT.*--grade SUPPORT=1 --grade CONTRADICT=0"):
        read(folder)
    reading = read(folder, options=ReadOptions(grades=GRADES))
    assert related(reading) == {("q1", "d2")}
    assert related(reading, "negative") == {("q1", "d1")}


def test_splits_by_file(tmp_path: Path) -> None:
    folder = beir(tmp_path, {"train": HEADER + "q1\td1\t1\n", "test": HEADER + "q2\td2\t1\nq2\td3\t0\n"})
    reading = read(folder)
    assert reading.format == "beir, split train of test, train"
    assert related(reading) == {("q1", "d1")}
    assert set(reading.files) == {"corpus.jsonl", "queries.jsonl", "train.tsv"}
    assert related(read(folder, options=ReadOptions(split="test"))) == {("q2", "d2")}
    barred = read(folder, options=ReadOptions(exclude_split=("test",)))
    assert barred.positives.barred.tolist() == [False, True, False]
    assert "test.tsv" in barred.files
    with pytest.raises(InputError, match=r"no split 'dev'. Found: test, train"):
        read(folder, options=ReadOptions(split="dev"))


def test_splits_by_column(tmp_path: Path) -> None:
    folder = beir(tmp_path, "split\tquery-id\tcorpus-id\tscore\na\tq1\td1\t1\nb\tq2\td2\t1\n")
    with pytest.raises(InputError, match="several splits: a, b"):
        read(folder)
    reading = read(folder, options=ReadOptions(split="b", exclude_split=("a",)))
    assert related(reading) == {("q2", "d2")}
    assert skipped(reading) == {"other_split": 1, "no_positive": 1}
    assert reading.positives.barred.tolist() == [True, False, False]


def test_a_split_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column 'split'"):
        read(beir(tmp_path), options=ReadOptions(split="test"))
    with pytest.raises(OptionError, match="both read and excluded"):
        ReadOptions(split="test", exclude_split=("test",))


def test_every_row_is_used_or_counted(tmp_path: Path) -> None:
    lines = ["q1\td1\t1", "q1\td1\t1", "q1\td9\t1", "q9\td1\t1", "q1\td2\t", "q2\td2\t0", "q3\td1\t1"]
    folder = beir(tmp_path, HEADER + "\n".join(lines) + "\n")
    with (folder / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "d4", "title": " ", "text": null}\n{"_id": "d2", "text": "Faust is a play by Goethe."}\n')
    with (folder / "queries.jsonl").open("a") as file:
        file.write('{"_id": "q3", "text": ""}\n')
    reading = read(folder)
    assert skipped(reading) == {
        "empty_text": 2, "duplicate_row": 2, "unknown_anchor": 2, "unknown_item": 1, "no_grade": 1,
        "no_positive": 1, "unused_judgement": 1,
    }  # fmt: skip
    examples = {skip.reason: skip.examples for skip in reading.skips}
    assert examples["unknown_item"] == ("qrels.tsv, line 4",)
    assert examples["empty_text"] == ("corpus.jsonl, line 4", "queries.jsonl, line 3")
    _assert_closes(reading)


judgement = st.tuples(
    st.sampled_from(["q1", "q2", "q9"]),
    st.sampled_from(["d1", "d2", "d3", "d9"]),
    st.sampled_from(["-1", "0", "1", "2", "", "nan"]),
)


@given(st.lists(judgement, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_account_closes(tmp_path_factory: pytest.TempPathFactory, judgements: list[tuple[str, str, str]]) -> None:
    folder = beir(tmp_path_factory.mktemp("beir"), HEADER + "\n".join("\t".join(one) for one in judgements) + "\n")
    known = [(q, d, float(g)) for q, d, g in judgements if "9" not in q + d and g not in ("", "nan")]
    options = ReadOptions(positive_from=2, ignore=(-1,))
    positive = {(q, d) for q, d, grade in known if grade >= 2}
    if not positive:
        with pytest.raises(InputError, match=r"can be used|No anchor has a positive"):
            read(folder, options=options)
        return
    reading = read(folder, options=options)
    heard = [(q, d, grade) for q, d, grade in known if q in {one for one, _ in positive}]
    ignored = {(q, d) for q, d, grade in heard if grade in (-1, 1)} - positive
    assert related(reading) == positive
    assert related(reading, "ignored") == ignored
    assert related(reading, "negative") == {(q, d) for q, d, grade in heard if grade == 0} - positive - ignored
    _assert_closes(reading)


def _assert_closes(reading: Reading) -> None:
    counts = reading.counts
    rows = counts["item_rows"] + counts["anchor_rows"] + counts["judgement_rows"]
    used = counts["items"] + counts["anchors"] + counts["positives"] + counts["known_negatives"] + counts["ignored"]
    assert rows == used + sum(skipped(reading).values())


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        (
            "corpus.jsonl",
            '{"_id": "d1", "text": "a"}\n{"_id": "d1", "text": "b"}\n',
            r"corpus.jsonl, line 2: .*'d1'.*another text",
        ),
        (
            "corpus.jsonl",
            '{"_id": "d1", "text": "a"}\n{"_id": 2, "text": "b"}\n',
            r"line 2: The item ids mix numbers and text",
        ),
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{"text": "b"}\n', r"line 2: The field '_id' is missing"),
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{"_id": null, "text": "b"}\n', r"line 2: The id is missing"),
        ("corpus.jsonl", '{"_id": "d1"}\n', r"line 1: The field 'text' is missing. Found: _id. .*--column item=NAME"),
        ("corpus.jsonl", '{"_id": "d1", "text": 5}\n', r"line 1: The item text must be text. Got int"),
        ("corpus.jsonl", '{"_id": true, "text": "a"}\n', r"line 1: The item id must be text or a whole number"),
        ("corpus.jsonl", '{"_id": 99999999999999999999, "text": "a"}\n', r"line 1: .*beyond 64 bits"),
        ("corpus.jsonl", '{"_id": "\\ud800", "text": "a"}\n', r"line 1: .*not whole Unicode"),
        ("corpus.jsonl", '{"_id": "d1", "text": " "}\n', r"no item with a text"),
        ("corpus.jsonl", "", r"The file is empty"),
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{"_id": "d2",\n', r"line 2: The JSON is broken"),
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n[1]\n', r"line 2: The line holds list"),
        ("corpus.jsonl", '{"a":' * 100_000 + "\n", r"line 1: The JSON is broken"),
        ("qrels.tsv", "q1\td1\t1\nq1\td2\n", r"qrels.tsv, line 2: The row has 2 fields where 3"),
        ("qrels.tsv", HEADER + "q7\td1\t1\nq1\td9\t1\n", r"None of the 2 judgements.*1 name an unknown anchor, 1 an"),
        ("qrels.tsv", HEADER + "q1\td1\t0\n", r"No anchor has a positive: the grades run from 0 to 0.*--positive-from"),
        ("qrels.tsv", HEADER + "q1\t\t1\n", r"line 2: The item id is missing"),
        ("qrels.tsv", HEADER, r"holds no judgement"),
        ("qrels.tsv", "alpha beta gamma\n", r"line 1: The columns are not recognised"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, file: str, content: str, complaint: str) -> None:
    beir(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=complaint):
        read(tmp_path)


def test_a_missing_file_and_a_wrong_option(tmp_path: Path) -> None:
    beir(tmp_path)
    with pytest.raises(OptionError, match="'corpus' option"):
        read(tmp_path, options=ReadOptions(corpus=tmp_path / "corpus.jsonl"))
    (tmp_path / "queries.jsonl").unlink()
    with pytest.raises(InputError, match="The folder has no queries"):
        read(tmp_path)


def test_ids_of_different_types_meet(tmp_path: Path) -> None:
    beir(tmp_path, HEADER + "7\t1\t1\n")
    jsonl(tmp_path / "corpus.jsonl", [{"_id": 1, "text": "a"}, {"_id": 2, "text": "b"}])
    jsonl(tmp_path / "queries.jsonl", [{"_id": 7, "text": "c"}])
    assert related(read(tmp_path)) == {(7, 1)}


def test_an_anchor_knows_itself_among_the_items(tmp_path: Path) -> None:
    beir(tmp_path, HEADER + "d1\td2\t1\nd2\td1\t1\nd3\td1\t1\n")
    texts = ["A novel by Jane Austen.", "another text", "Persuasion"]
    jsonl(tmp_path / "queries.jsonl", [{"_id": f"d{i}", "text": text} for i, text in enumerate(texts, 1)])
    assert read(tmp_path).positives.own.tolist() == [0, -1, 2]


def test_own_column_names(tmp_path: Path) -> None:
    beir(tmp_path, "Q\tD\tG\nq1\td1\t1\n")
    jsonl(tmp_path / "corpus.jsonl", [{"D": "d1", "text": "a"}])
    named = {"anchor_id": "Q", "item_id": "D", "grade": "G"}
    assert related(read(tmp_path, options=ReadOptions(columns=named))) == {("q1", "d1")}
    with pytest.raises(InputError, match="No file has a column 'titel'"):
        read(tmp_path, options=ReadOptions(columns={**named, "title": "titel"}))


def test_a_list_of_ids_is_barred(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (tmp_path / "test-ids.txt").write_text("d3\n\nd9\n")
    reading = read(folder, options=ReadOptions(exclude_ids=tmp_path / "test-ids.txt"))
    assert reading.positives.barred.tolist() == [False, False, True]
    assert skipped(reading) == {"unknown_excluded_id": 1}
    assert "test-ids.txt" in reading.files


def test_further_columns_of_mixed_types_become_json(tmp_path: Path) -> None:
    beir(tmp_path, HEADER + "q1\td1\t1\n")
    rows = [{"_id": "d1", "text": "a", "x": 1}, {"_id": "d2", "text": "b", "x": "one"}, {"_id": "d3", "text": "c"}]
    jsonl(tmp_path / "corpus.jsonl", rows)
    assert read(tmp_path).positives.items.table["x"].to_pylist() == ["1", '"one"', None]


def test_chunks_join_whatever_each_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardneg.io.readers._gather._CHUNK_ROWS", 2)
    rows = [
        {"_id": "d1", "text": "a", "x": 1}, {"_id": "d2", "text": "b", "x": 2},
        {"_id": "d3", "title": "T", "text": "c", "x": "one"}, {"_id": "d4", "text": "d", "y": [1]},
        {"_id": "d2", "text": "b"}, {"_id": "d5", "text": "e"},
    ]  # fmt: skip
    beir(tmp_path, HEADER + "q1\td5\t1\n")
    jsonl(tmp_path / "corpus.jsonl", rows)
    reading = read(tmp_path)
    table = reading.positives.items.table
    assert table["id"].to_pylist() == ["d1", "d2", "d3", "d4", "d5"]
    assert table["text"].to_pylist() == ["a", "b", "T c", "d", "e"]
    assert table["body"].to_pylist() == ["a", "b", "c", "d", "e"]
    assert table["title"].to_pylist() == ["", "", "T", "", ""]
    assert table["x"].to_pylist() == ["1", "2", '"one"', None, None]
    assert skipped(reading) == {"duplicate_row": 1, "no_positive": 1}
    jsonl(tmp_path / "corpus.jsonl", [*rows, {"_id": "d1", "text": "z"}])
    with pytest.raises(InputError, match=r"corpus.jsonl, line 7: .*'d1' was there before, with another text"):
        read(tmp_path)


def test_scifact(data_dir: Path) -> None:
    options = ReadOptions(grades=GRADES, split="train", exclude_split=("validation",))
    reading = read(data_dir / "text_scifact", options=options)
    assert len(reading.positives.items) == 5183
    assert reading.counts["positives"] == 370
    assert reading.counts["judgement_rows"] == 773
    assert skipped(reading)["other_split"] == 71 + 138
    assert skipped(reading)["unused_judgement"] + reading.counts["known_negatives"] == 194
    assert reading.counts["barred"] > 0
    first = reading.positives.items.table.slice(0, 1).to_pylist()[0]
    assert first["text"] == f"{first['title']} {first['body']}"
    _assert_closes(reading)


def test_stackfaq(data_dir: Path) -> None:
    reading = read(data_dir / "text_stackfaq")
    assert (len(reading.positives.anchors), len(reading.positives.items)) == (1249, 844)
    assert reading.counts["positives"] == 8433
    assert reading.skips == []
    strict = read(data_dir / "text_stackfaq", options=ReadOptions(positive_from=2))
    assert strict.counts["positives"] + strict.counts["ignored"] == 8433
