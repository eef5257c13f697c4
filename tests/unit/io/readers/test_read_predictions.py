"""Predictions of the user's own model beside labelled data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read

ROWS = [("r1", "a fine film", "good"), ("r2", "a dull film", "bad"), ("r3", "a film", "good"), ("r4", "why", None)]
SAID = {"r1": [0.1, 0.9], "r2": [0.3, 0.7], "r3": [0.2, 0.8], "r4": [0.5, 0.5]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "films.jsonl"
    lines = [json.dumps({"id": one, "text": text, "label": label}) for one, text, label in ROWS]
    file.write_text("\n".join(lines))
    return file


def written(folder: Path, kind: str) -> Path:
    file = folder / f"said.{kind}"
    wide = [{"id": one, "bad": bad, "good": good} for one, (bad, good) in SAID.items()]
    if kind == "csv":
        file.write_text("id,bad,good\n" + "".join(f"{row['id']},{row['bad']},{row['good']}\n" for row in wide))
    elif kind == "tsv":
        file.write_text("id\tprobs\n" + "".join(f"{one}\t{json.dumps(pair)}\n" for one, pair in SAID.items()))
    elif kind == "jsonl":
        file.write_text("\n".join(json.dumps({"id": one, "probs": pair}) for one, pair in SAID.items()))
    else:
        pq.write_table(pa.Table.from_pylist(wide), file)
    return file


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_carrier_gives_the_same(data: Path, tmp_path: Path, kind: str) -> None:
    file = written(tmp_path, kind)
    reading = read(data, options=ReadOptions(predictions=file, held_out=True))
    found = reading.positives.predictions
    assert found is not None
    assert found.classes == ("bad", "good")
    assert np.allclose(found.probabilities, list(SAID.values()))
    assert found.held_out.all()
    assert file.name in reading.files


def test_what_is_not_said_to_be_held_out_is_not(data: Path, tmp_path: Path) -> None:
    reading = read(data, options=ReadOptions(predictions=written(tmp_path, "csv")))
    assert reading.positives.predictions is not None
    assert not reading.positives.predictions.held_out.any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,bad,good\nr1,0.6,0.9\n", "do not sum to 1"),
        ("id,bad,good\nr1,-3,2\n", r"outside \[0, 1\]"),
        ("id,bad,ugly\nr1,0.5,0.5\n", "no column of predictions"),
        ("id,bad,good\nr1,much,0.5\n", "must hold numbers"),
        ("name,bad,good\nr1,0.5,0.5\n", "no column of ids"),
        ("id,bad,good\nr1,0.5,0.5\nr1,0.5,0.5\n", "more than one prediction"),
        ("id,bad,good\nz9,0.5,0.5\n", "None of the 1 ids"),
        ("id,bad,good\n", "no rows"),
        ("", "empty"),
        ("id,bad,good\nr1,0.5\n", "damaged|columns"),
    ],
)
def test_wrong_tables_are_named(data: Path, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "said.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read(data, options=ReadOptions(predictions=file))
    assert "said.csv" in str(caught.value)


def test_a_cut_parquet_file_is_named(data: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "parquet")
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"said\.parquet"):
        read(data, options=ReadOptions(predictions=file))


def test_a_missing_file_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file of predictions"):
        read(data, options=ReadOptions(predictions=tmp_path / "nothing.csv"))


def test_where_predictions_make_no_sense() -> None:
    with pytest.raises(OptionError, match="'held_out' must be left out without 'predictions'"):
        ReadOptions(held_out=True)


@pytest.mark.parametrize("separator", [",", ";"])
def test_ids_of_a_csv_are_taken_as_they_stand(tmp_path: Path, separator: str) -> None:
    data, said = tmp_path / "films.csv", tmp_path / "said.csv"
    data.write_text("id,text,label\n007,a fine film,good\n008,a dull film,x;y\n009,a film,good\n")
    rows = [["id", '"x;y"', "good"], ["007", "0.1", "0.9"], ["009", "0.2", "0.8"]]
    said.write_text("".join(separator.join(row) + "\n" for row in rows))
    found = read(data, options=ReadOptions(predictions=said)).positives.predictions
    assert found is not None
    assert np.allclose(found.probabilities[[0, 2]], [[0.9, 0.1], [0.8, 0.2]])
    said.write_text(said.read_text() + separator.join(["", "0.5", "0.5"]) + "\n")
    with pytest.raises(InputError, match="The id is missing in 1 rows"):
        read(data, options=ReadOptions(predictions=said))
