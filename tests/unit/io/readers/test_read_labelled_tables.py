from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.io.readers.pictures import encoded, pets, picture
from tests.unit.io.readers.reader_files import jsonl, parquet, skipped, table

from hardneg.context import anchors_of
from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.reading import Reading
from hardneg.recipe import given_vectors

ROWS = [
    {"text": "a fine film", "label": "good"},
    {"text": "loved it", "label": "good"},
    {"text": "a waste of time", "label": "bad"},
    {"text": "never again", "label": "bad"},
]


def noted(reading: Reading) -> dict[str, int]:
    return {note.reason: note.count for note in reading.notes}


def column(reading: Reading, name: str) -> list[Any]:
    found: list[Any] = reading.positives.items.table.column(name).to_pylist()
    return found


def labels(reading: Reading) -> dict[str, Any]:
    return dict(zip(column(reading, "text"), column(reading, "label"), strict=True))


def test_every_carrier_gives_the_same(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path / "set"))
    readings = [
        read(table(tmp_path / "a.csv", ROWS)),
        read(table(tmp_path / "a.tsv", ROWS, "\t")),
        read(jsonl(tmp_path / "a.jsonl", ROWS)),
        read(jsonl(tmp_path / "a.jsonl.gz", ROWS)),
        read(parquet(tmp_path / "a.parquet", ROWS)),
        read(tmp_path / "set"),
    ]
    assert [one.format.split(", ")[1] for one in readings] == ["csv", "tsv", "jsonl", "jsonl", "parquet", "datasets"]
    for reading in readings:
        assert reading.positives.items.table.equals(readings[0].positives.items.table)
        assert reading.positives.items.root is None
        assert reading.positives.classes.names == ("bad", "good")  # type: ignore[union-attr]
        assert reading.counts["labelled"] == 4
        assert reading.files


def test_no_label_is_no_error_but_no_label_at_all_is(tmp_path: Path) -> None:
    rows = [*ROWS, {"text": "so so", "label": None}, {"text": "hm", "label": ""}, {"text": "well", "label": " "}]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    assert [labels(reading)[one] for one in ("so so", "hm", "well")] == [None] * 3
    assert reading.counts["unlabelled"] == 3
    assert len(reading.positives.anchors) == 4
    with pytest.raises(InputError, match=r"a.csv: No item has a value in 'label'"):
        read(table(tmp_path / "a.csv", [{"text": "x", "label": ""}]))
    left_out = read(jsonl(tmp_path / "b.jsonl", [*ROWS, {"text": "no such key"}]))
    assert labels(left_out)["no such key"] is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 0, -1, None], ["1", "0", "-1", None]),
        ([1.0, 0.0, math.nan, 0.5], ["1", "0", None, "0.5"]),
        ([True, False, None, True], ["true", "false", None, "true"]),
        ([["a", "b"], ["b"], [], "a"], [["a", "b"], ["b"], None, ["a"]]),
        ([" a", "a ", "b", "\t"], ["a", "a", "b", None]),
    ],
)
def test_labels_of_any_type_become_text(tmp_path: Path, values: list[Any], expected: list[Any]) -> None:
    rows = [{"text": f"text {at}", "label": one} for at, one in enumerate(values)]
    assert column(read(jsonl(tmp_path / "a.jsonl", rows)), "label") == expected


def test_several_labels_in_a_cell(tmp_path: Path) -> None:
    rows = [{"text": "1", "labels": '["a, b", "c"]'}, {"text": "2", "labels": "c|d"}, {"text": "3", "labels": "d"}]
    assert column(read(table(tmp_path / "a.csv", rows)), "labels".removesuffix("s")) == [
        ["a, b", "c"],
        ["c", "d"],
        ["d"],
    ]
    rows = [{"text": "1", "label": "rock|pop"}, {"text": "2", "label": "jazz"}]
    assert column(read(table(tmp_path / "b.csv", rows)), "label") == ["rock|pop", "jazz"]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (["a", 1], r"line 2: The labels are of mixed types: 1 is a number, earlier ones are text"),
        ([["a", 1], ["b"]], r"line 1: The labels are of mixed types"),
        ([{"name": "a"}, "b"], r"line 1: A label must be text or a number. Got dict"),
        ([[["a"]], "b"], r"line 1: A label must be text or a number. Got list"),
        ([[0, 1, 0], [1, 0, 0]], r"The label '0' is twice in one list.*zeros and ones"),
    ],
)
def test_labels_that_make_no_sense(tmp_path: Path, values: list[Any], complaint: str) -> None:
    rows = [{"text": f"text {at}", "label": one} for at, one in enumerate(values)]
    with pytest.raises(InputError, match=complaint):
        read(jsonl(tmp_path / "a.jsonl", rows))


def test_a_missing_label_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The field 'label' is missing. Found: text, stars.*--column label=NAME"):
        read(table(tmp_path / "a.csv", [{"text": "x", "stars": 3}]))
    rows = [{"words": "x", "stars": 3, "query": "a"}, {"words": "y", "stars": 1, "query": "b"}]
    reading = read(table(tmp_path / "b.csv", rows), options=ReadOptions(columns={"text": "words", "label": "stars"}))
    assert labels(reading) == {"x": "3", "y": "1"}
    assert column(reading, "query") == ["a", "b"]
    with pytest.raises(InputError, match="No file has a column 'gruop'"):
        read(table(tmp_path / "d.csv", ROWS), options=ReadOptions(columns={"group": "gruop"}))
    with pytest.raises(InputError, match=r"no text, no picture and no sound in it. Found: stars, label"):
        read(table(tmp_path / "c.csv", [{"stars": 3, "label": "x"}]))


@pytest.mark.parametrize(
    "row",
    [
        {"query": "a", "positive": "b", "label": 1},
        {"sentence1": "a", "sentence2": "b", "label": 1},
        {"question": "a", "answer": "b", "label": 1},
        {"anchor_id": "a", "text": "b", "label": 1},
        {"premise": "a", "negative": "b", "label": 1},
    ],
)
def test_pairs_with_a_grade_are_no_labelled_items(tmp_path: Path, row: dict[str, object]) -> None:
    file = jsonl(tmp_path / "a.jsonl", [row])
    try:
        assert read(file).format == "pairs, jsonl"
    except InputError as error:
        assert "anchor" in str(error) or "positive" in str(error)  # noqa: PT017


def test_pairs_have_no_options_of_labelled_data(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", [{"query": "a", "positive": "b"}])
    with pytest.raises(OptionError, match="'unlabelled' is for labelled data"):
        read(file, options=ReadOptions(unlabelled=tmp_path / "pool"))


def test_splits_in_a_column(tmp_path: Path) -> None:
    names = ["train", "Train ", "test", "unlabelled", ""]
    rows = [{"text": f"t{at}{name}", "label": "ab"[at % 2], "split": name} for name in names for at in range(2)]
    rows += [{"text": "free", "label": "", "split": ""}]
    reading = read(table(tmp_path / "a.csv", rows), options=ReadOptions(split="train"))
    assert reading.format == "labelled, csv, split train of Train, test, train"
    minable = [one for one, out in zip(column(reading, "text"), reading.positives.barred, strict=True) if not out]
    assert minable == ["t0train", "t1train", "t0unlabelled", "t1unlabelled", "free"]
    assert labels(reading)["t0unlabelled"] is None
    assert noted(reading) == {"label_without_split_not_mined": 2}
    assert read(tmp_path / "a.csv").format == reading.format
    parts = [{"text": one, "label": one, "split": one} for one in ("first", "second")]
    with pytest.raises(InputError, match=r"several splits: first, second. Choose one with --split"):
        read(table(tmp_path / "b.csv", parts))
    with pytest.raises(OptionError, match="for evaluation"):
        read(tmp_path / "a.csv", options=ReadOptions(split="test"))


def test_one_label_in_the_split_that_is_mined(tmp_path: Path) -> None:
    rows = [{"text": f"{at}", "label": "ab"[at > 3], "split": "train" if at < 4 else "test"} for at in range(8)]
    with pytest.raises(InputError, match="All items to mine have the label 'a'"):
        read(table(tmp_path / "a.csv", rows))
    pool = [*rows, {"text": "9", "label": "", "split": ""}]
    assert (~read(table(tmp_path / "b.csv", pool)).positives.barred).sum() == 5


def test_the_same_text_again(tmp_path: Path) -> None:
    rows = [
        *({**row, "split": "train"} for row in ROWS),
        {"text": "loved it", "label": "good", "split": "train"},
        {"text": "loved it", "label": "bad", "split": "train"},
        {"text": "never again", "label": "bad", "split": "test"},
        {"text": "a fine film", "label": "", "split": ""},
    ]
    reading = read(table(tmp_path / "a.csv", rows))
    assert skipped(reading) == {"duplicate_row": 1, "already_labelled": 1}
    assert noted(reading) == {"same_text_two_labels": 1, "same_text_two_splits": 1}
    ids = column(reading, "id")
    assert ids[4:] == [f"{ids[1]}-2", f"{ids[3]}-2"]


def test_given_ids(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"id": at, **row} for at, row in enumerate(ROWS)]
    reading = read(parquet(tmp_path / "a.parquet", rows))
    assert column(reading, "id") == [0, 1, 2, 3]
    assert skipped(read(parquet(tmp_path / "b.parquet", [*rows, rows[0]]))) == {"duplicate_row": 1}
    for again, what in (({**rows[0], "text": "other"}, "content"), ({**rows[0], "label": "bad"}, "label")):
        with pytest.raises(
            InputError, match=rf"row 5: The item id 0 was there before \(.*row 1\), with another {what}"
        ):
            read(parquet(tmp_path / "c.parquet", [*rows, again]))
    with pytest.raises(InputError, match="The item id is missing"):
        read(jsonl(tmp_path / "d.jsonl", [{"id": "", **ROWS[0]}]))


def test_ids_that_number_each_split(tmp_path: Path) -> None:
    rows = [{"id": at % 4, **ROWS[at % 4], "text": f"{at}", "split": "train" if at < 4 else "dev"} for at in range(8)]
    reading = read(parquet(tmp_path / "a.parquet", rows))
    assert column(reading, "id")[3:5] == ["train/3", "dev/0"]


def test_groups(tmp_path: Path) -> None:
    rows = [{"text": f"t{at}", "group": at // 2} for at in range(6)] + [{"text": "lone", "group": None}]
    reading = read(jsonl(tmp_path / "a.jsonl", rows), options=ReadOptions(positives="groups"))
    assert reading.positives.positive[0].tolist() == [1]
    assert reading.positives.classes.closed is False  # type: ignore[union-attr]
    assert column(reading, "group") == ["0", "0", "1", "1", "2", "2", None]
    with pytest.raises(InputError, match=r"The field 'group' is missing. Found: text, label"):
        read(table(tmp_path / "b.csv", ROWS), options=ReadOptions(positives="groups"))


def test_further_columns_travel_along(tmp_path: Path) -> None:
    rows = [{**row, "stars": at, "title": None if at else "t", "who": {"name": "x"}} for at, row in enumerate(ROWS)]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    assert reading.positives.items.table.column_names == ["id", "text", "label", "stars", "title", "who"]
    assert column(reading, "stars") == [0, 1, 2, 3]


def test_pictures_by_path(tmp_path: Path) -> None:
    pets(tmp_path / "pets")
    picture(tmp_path / "secret.png", 90)
    inside = ["pets/cat/0.png", str(tmp_path / "pets/cat/1.png"), "pets\\dog\\0.png", "pets/../pets/dog/1.png"]
    rows = [{"path": one, "label": "cat" if "cat" in one else "dog", "text": f"no. {one[-5]}"} for one in inside]
    reading = read(table(tmp_path / "a.csv", rows))
    assert column(reading, "id") == ["pets/cat/0.png", "pets/cat/1.png", "pets/dog/0.png", "pets/dog/1.png"]
    assert column(reading, "text") == ["no. 0", "no. 1", "no. 0", "no. 1"]
    assert reading.positives.items.root == tmp_path
    outside = ["../secret.png", str(tmp_path / "secret.png"), "/etc/passwd", "", "https://x.org/1.png", "cat/9.png"]
    rows = [{"path": one, "label": "cat"} for one in outside]
    rows += [{"path": "cat/0.png", "label": "cat"}, {"path": "dog/0.png", "label": "dog"}]
    file = table(tmp_path / "b.csv", rows)
    narrow = read(file, options=ReadOptions(media_root=tmp_path / "pets"))
    assert skipped(narrow) == {"path_outside_folder": 3, "missing_path": 1, "no_local_file": 1, "missing_file": 1}
    assert column(narrow, "path") == ["cat/0.png", "dog/0.png"]
    assert narrow.positives.items.root == tmp_path / "pets"


def test_a_path_twice(tmp_path: Path) -> None:
    pets(tmp_path)
    rows = [{"image": f"{name}/0.png", "label": name} for name in ("cat", "dog", "cat")]
    assert skipped(read(table(tmp_path / "a.csv", rows))) == {"duplicate_row": 1}
    reading = read(table(tmp_path / "b.csv", [*rows[:2], {"image": "cat/0.png", "label": "dog"}]))
    assert column(reading, "id") == ["cat/0.png", "dog/0.png", "cat/0.png-2"]
    assert noted(reading) == {"same_image_two_labels": 1}


def test_a_column_of_files_beside_texts_is_no_picture(tmp_path: Path) -> None:
    rows = [{**row, "file": f"docs/{at}.txt"} for at, row in enumerate(ROWS)]
    reading = read(table(tmp_path / "a.csv", rows))
    assert reading.positives.items.pictures is None
    assert column(reading, "file")[0] == "docs/0.txt"
    named = [{**row, "path": f"docs/{at}.txt", "number": at} for at, row in enumerate(ROWS)]
    assert read(table(tmp_path / "b.csv", named)).positives.items.table.column_names[3:] == ["path_", "number"]


def test_pictures_in_the_table(tmp_path: Path) -> None:
    images = [{"bytes": encoded(at % 5), "path": f"{at}.png"} for at in range(6)] + [{"bytes": b"", "path": ""}]
    rows: list[dict[str, Any]]
    rows = [{"image": one, "label": "ab"[at % 2], "caption": str(at)} for at, one in enumerate(images)]
    rows.append({"image": None, "label": "a", "caption": ""})
    reading = read(parquet(tmp_path / "a.parquet", rows))
    items = reading.positives.items
    assert items.table.column_names == ["id", "image", "label", "width", "height", "content", "caption"]
    assert items.pictures[0] == encoded(0)  # type: ignore[index]
    assert column(reading, "id")[0] == column(reading, "content")[0][:16]
    assert column(reading, "id")[5] == column(reading, "id")[0] + "-2"
    assert skipped(reading) == {"empty_file": 1, "missing_image": 1}
    assert noted(reading) == {"same_image_two_labels": 1}
    assert items.root is None


def test_a_saved_data_set_with_named_classes_and_splits(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})

    def split(first: int, labels: list[int]) -> Any:
        images = [{"bytes": encoded(first + at), "path": None} for at in range(len(labels))]
        return datasets.Dataset.from_dict({"image": images, "label": labels}, features=features)

    whole = {"train": split(0, [0, 1, 0, 1, -1]), "validation": split(5, [0, 1]), "unsupervised": split(7, [-1, -1])}
    datasets.DatasetDict(whole).save_to_disk(str(tmp_path / "set"))
    reading = read(tmp_path / "set")
    assert reading.format == "labelled, datasets, split train of train, validation"
    assert column(reading, "label") == ["cat", "dog", "cat", "dog", None, "cat", "dog", None, None]
    assert reading.positives.barred.tolist() == [False] * 5 + [True] * 2 + [False] * 2
    assert len(reading.files) >= 6
    whole["train"].save_to_disk(str(tmp_path / "one"))
    assert column(read(tmp_path / "one"), "label") == ["cat", "dog", "cat", "dog", None]
    whole["train"].to_parquet(str(tmp_path / "a.parquet"))
    assert column(read(tmp_path / "a.parquet"), "label") == ["cat", "dog", "cat", "dog", None]


def test_a_class_that_has_no_name(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["cat"])})
    datasets.Dataset.from_dict({"text": ["a"], "label": [0]}, features=features).to_parquet(tmp_path / "a.parquet")
    found = pq.read_table(tmp_path / "a.parquet")
    pq.write_table(found.set_column(1, "label", pa.array([7])).replace_schema_metadata(found.schema.metadata),
                   tmp_path / "b.parquet")  # fmt: skip
    with pytest.raises(InputError, match="row 1: The label 7 is none of the 1 classes"):
        read(tmp_path / "b.parquet")


VECTORS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def _in_parquet(folder: Path) -> Path:
    rows = [{"id": f"i{at}", "vector": VECTORS[at].tolist(), "label": "ab"[at % 2]} for at in range(4)]
    return parquet(folder / "a.parquet", rows)


def _in_lines(folder: Path) -> Path:
    rows = [{"embedding": VECTORS[at].tolist(), "label": "ab"[at % 2]} for at in range(4)]
    return jsonl(folder / "a.jsonl", rows)


@pytest.mark.parametrize("write", [_in_parquet, _in_lines])
def test_vectors_in_the_table(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    reading = read(write(tmp_path))
    np.testing.assert_allclose(np.asarray(reading.item_vectors), VECTORS)
    vectors = given_vectors(reading)
    assert vectors is not None
    np.testing.assert_allclose(np.asarray(vectors.anchors), VECTORS)
    assert reading.positives.items.texts is None


def test_vectors_of_the_items_are_enough(tmp_path: Path) -> None:
    rows = [*ROWS, ROWS[0], {"text": "", "label": "bad"}]
    np.save(tmp_path / "v.npy", np.arange(18, dtype=np.float32).reshape(6, 3) + 1)
    options = ReadOptions(item_vectors=tmp_path / "v.npy", anchors="classes")
    reading = read(table(tmp_path / "a.csv", rows), options=options)
    assert np.asarray(reading.item_vectors)[:, 0].tolist() == [1, 4, 7, 10]
    vectors = given_vectors(reading)
    assert vectors is not None
    assert reading.item_vectors is not None
    expected = anchors_of(reading.item_vectors, reading.positives, "cosine")
    np.testing.assert_array_equal(np.asarray(vectors.anchors), np.asarray(expected))
    bare = table(tmp_path / "b.csv", [{"id": at, "label": "ab"[at % 2]} for at in range(6)])
    assert read(bare, options=options).positives.items.table.column_names == ["id", "label"]


def test_vectors_that_differ_in_length(tmp_path: Path) -> None:
    rows = [{"vector": [1.0, 2.0], "label": "a"}, {"vector": [1.0], "label": "b"}]
    with pytest.raises(InputError, match="line 2: The vector must be a list of 2 numbers"):
        read(jsonl(tmp_path / "a.jsonl", rows))


def test_more_items_without_a_label(tmp_path: Path) -> None:
    more = jsonl(tmp_path / "b.jsonl", [{"text": "so so"}, {"text": "loved it"}, {"text": "who knows", "label": "bad"}])
    reading = read(table(tmp_path / "a.csv", ROWS), options=ReadOptions(unlabelled=more))
    assert labels(reading) == {**{row["text"]: row["label"] for row in ROWS}, "so so": None, "who knows": None}
    assert skipped(reading) == {"already_labelled": 1}
    assert set(reading.files) == {"a.csv", "b.jsonl"}
    pets(tmp_path / "pets")
    with pytest.raises(InputError, match=r"another kind \(path\) than the data \(text\)"):
        read(tmp_path / "a.csv", options=ReadOptions(unlabelled=tmp_path / "pets"))


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", b"", "The file is empty"),
        ("a.csv", b"text,label\n", "There is no row in it"),
        ("a.csv", b"text,label\nx\n", "line 2: The row has 1 fields"),
        ("a.jsonl", b'{"text": "a", "label": "b"}\n{"text": ', "line 2: The JSON is broken"),
        ("a.jsonl", b'{"text": "a", "label": "\xff"}\n', "line 1: The text is not UTF-8"),
        ("a.jsonl", b'{"text": 3, "label": "b"}\n', "line 1: The text must be text. Got int"),
        ("a.jsonl", b'{"text": "' + b"x" * (64 * 2**20) + b'", "label": "b"}\n', "line 1: The line is longer"),
        ("a.parquet", b"PAR1 and then nothing", "cut short or damaged"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}.*{complaint}"):
        read(tmp_path / name)


def test_a_parquet_file_that_ends_too_early(tmp_path: Path) -> None:
    file = parquet(tmp_path / "a.parquet", ROWS * 50)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"a.parquet: The file is cut short or damaged"):
        read(file)


HALF = "a\ud800"  # half a surrogate pair, which JSON can hold and no file can


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "odd", "label": HALF}, r"line 5: The label 'a\\ud800' is not whole Unicode"),
        ({"text": "odd", "label": "good", "group": HALF}, r"line 5: The group 'a\\ud800' is not whole Unicode"),
        ({"text": "odd", "label": "good", "split": HALF}, r"line 5: The split 'a\\ud800' is not whole Unicode"),
        ({"text": "odd", "label": "good", HALF: 1}, r"The column name 'a\\ud800' is not whole Unicode"),
    ],
)
def test_what_is_not_whole_unicode_is_named(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(jsonl(tmp_path / "a.jsonl", [*ROWS, row]))


def test_a_path_that_is_not_whole_unicode_is_counted(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets")
    paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.png"))]
    rows = [{"path": path, "label": path.split("/")[0]} for path in paths]
    reading = read(jsonl(folder / "a.jsonl", [*rows, {"path": f"{HALF}/1.png", "label": "cat"}]))
    assert skipped(reading)["broken_name"] == 1


def test_a_number_that_no_vector_can_hold(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", [{"vector": [1, 2], "label": "x"}, {"vector": [10**400, 2], "label": "y"}])
    with pytest.raises(InputError, match="line 2: The vector holds a number beyond all bounds"):
        read(file)


def test_ids_of_two_tables_are_of_one_sort(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", [{**row, "id": at} for at, row in enumerate(ROWS)])
    pool = jsonl(tmp_path / "b.jsonl", [{"id": "u1", "text": "a film"}])
    with pytest.raises(InputError, match=r"b.jsonl, line 1: The item id 'u1' is str, those of the other table are int"):
        read(file, options=ReadOptions(unlabelled=pool))


def test_ids_where_one_of_two_large_tables_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardneg.io.readers._examples._CHUNK_ROWS", 2)
    file = jsonl(tmp_path / "a.jsonl", [{**row, "id": at} for at, row in enumerate(ROWS)])
    pool = jsonl(tmp_path / "b.jsonl", [{"text": "a film"}, {"text": "a play"}])
    ids = column(read(file, options=ReadOptions(unlabelled=pool)), "id")
    assert ids[:4] == ["0", "1", "2", "3"]
    assert len(set(ids)) == 6


def test_numbers_beside_texts_and_pictures_are_words(tmp_path: Path) -> None:
    reading = read(jsonl(tmp_path / "a.jsonl", [{**row, "title": 2020 + at} for at, row in enumerate(ROWS)]))
    assert column(reading, "title") == ["2020", "2021", "2022", "2023"]
    folder = pets(tmp_path / "pets")
    paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.png"))]
    rows: list[dict[str, Any]] = [{"path": path, "label": path.split("/")[0]} for path in paths]
    said = read(jsonl(folder / "a.jsonl", [{**row, "text": at} for at, row in enumerate(rows)])).positives.items
    assert pa.types.is_large_string(said.table.schema.field("text").type)
    nothing = read(jsonl(folder / "b.jsonl", [{**row, "text": None} for row in rows])).positives.items
    assert nothing.texts is None


cells = st.sampled_from(["", "a", "b", "c d", "\ud800"])
records = st.fixed_dictionaries(
    {
        "text": st.one_of(cells, st.text(max_size=3)),
        "label": st.one_of(st.none(), st.sampled_from(["", "x", "y", "z"]), st.just(["x", "y"])),
        "split": st.sampled_from(["", "train", "test", "unlabelled"]),
    }
)


@given(rows=st.lists(records, min_size=1, max_size=12), more=st.lists(records, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_used_or_counted(
    rows: list[dict[str, Any]], more: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    rows = [*rows, {"text": "one", "label": "x", "split": "train"}, {"text": "two", "label": "y", "split": "train"}]
    more = [*more, {"text": "pool"}]
    file, pool = jsonl(folder / "a.jsonl", rows), jsonl(folder / "b.jsonl", more)
    reading = read(file, options=ReadOptions(unlabelled=pool, split="train"))
    positives = reading.positives
    assert len(positives.items) + sum(skip.count for skip in reading.skips) == len(rows) + len(more)
    assert reading.counts["rows"] == len(rows) + len(more)
    split = positives.items.table.column("split").to_pylist()
    label = column(reading, "label")
    minable = [one == "train" or (one is None and name is None) for one, name in zip(split, label, strict=True)]
    assert (~positives.barred).tolist() == minable
    anchors = [one == "train" and name is not None for one, name in zip(split, label, strict=True)]
    assert positives.own.tolist() == np.flatnonzero(anchors).tolist()
