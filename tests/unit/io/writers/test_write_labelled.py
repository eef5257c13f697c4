"""Exports of labelled runs, read back with other tools: csv, pyarrow, numpy, scikit-learn."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.labelled import labelled

from hardneg.errors import InputError
from hardneg.io.writers import ExportOptions, export
from hardneg.run import Run
from hardneg.weights import sample_weight, suspects


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return labelled(tmp_path_factory.mktemp("labelled"))


@pytest.fixture(scope="module")
def class_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return labelled(tmp_path_factory.mktemp("classes"), anchors="classes")


def label_of(run: Run) -> dict[Any, Any]:
    return dict(zip(run.items.ids.to_pylist(), run.items.table.column("label").to_pylist(), strict=True))


def rows_of(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def test_the_index_counts_what_was_sampled(run: Run, tmp_path: Path) -> None:
    report = export(run, "index", tmp_path / "a.parquet")
    found = {row["id"]: row for row in rows_of(tmp_path / "a.parquet")}
    assert len(found) == report.rows
    negatives, labels = run.negatives.to_pylist(), label_of(run)
    times = Counter(row["item"] for row in negatives)
    assert {key: row["times"] for key, row in found.items() if row["times"]} == times
    for key, row in found.items():
        mine = [one for one in negatives if one["item"] == key]
        assert sorted(row["for_class"]) == sorted({labels[one["anchor"]] for one in mine})
        assert ("negative" in row["role"]) == bool(mine)
        if mine:
            best = max(mine, key=lambda one: one["score"])
            assert (row["hardest_anchor"], row["highest_score"]) == (best["anchor"], best["score"])
            counts = Counter(labels[one["anchor"]] for one in mine)
            assert [counts[one] for one in row["for_class"]] == sorted(counts.values(), reverse=True)
        assert row["label"] == labels[key]


def test_the_index_names_likely_label_errors(run: Run, tmp_path: Path) -> None:
    export(run, "index", tmp_path / "a.parquet")
    labels, suspects = label_of(run), run.candidates.suspects().to_pylist()
    rows = [row for row in rows_of(tmp_path / "a.parquet") if row["verdict"] == "suspect"]
    assert {row["id"] for row in rows} == {row["item"] for row in suspects}
    least = min(row["weight"] for row in rows)
    for row in rows:
        assert set(row["may_be"]) == {labels[one["anchor"]] for one in suspects if one["item"] == row["id"]}
        assert row["label"] not in row["may_be"]
        assert row["reason"] == "margin.ceiling"
        assert "suspect" in row["role"]
        assert row["weight"] == pytest.approx(least)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_csv_holds_the_same(run: Run, tmp_path: Path, name: str) -> None:
    import gzip

    export(run, "index", tmp_path / name)
    export(run, "index", tmp_path / "b.parquet")
    read = gzip.open if name.endswith(".gz") else open
    with read(tmp_path / name, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, other in zip(rows, rows_of(tmp_path / "b.parquet"), strict=True):
        assert row["id"] == other["id"]
        assert json.loads(row["for_class"]) == other["for_class"]
        assert float(row["weight"]) == other["weight"]
        assert np.float32(row["highest_score"] or "nan") == pytest.approx(other["highest_score"], nan_ok=True)
        assert row["hardest_anchor"] == (other["hardest_anchor"] or "")


def test_items_that_were_only_candidates_are_counted(class_run: Run, tmp_path: Path) -> None:
    report = export(class_run, "index", tmp_path / "a.parquet")
    left = sum(one.count for one in report.skips)
    assert report.rows + left == len(class_run.items)
    rows = rows_of(tmp_path / "a.parquet")
    assert {row["hardest_anchor"] for row in rows if row["times"]} <= set(class_run.anchors.ids.to_pylist())
    assert not any("anchor" in row["role"] for row in rows)


@pytest.mark.parametrize("balanced", [False, True])
def test_weights_in_every_form(run: Run, tmp_path: Path, balanced: bool) -> None:
    options = ExportOptions(balanced=balanced)
    for name in ("w.npy", "w.parquet", "w.csv"):
        assert export(run, "sample-weight", tmp_path / name, options=options).rows == len(run.items)
    wanted = sample_weight(run, balanced=balanced)
    np.testing.assert_array_equal(np.load(tmp_path / "w.npy"), wanted)
    table = pq.read_table(tmp_path / "w.parquet")
    assert table.column("id").to_pylist() == run.items.ids.to_pylist()
    np.testing.assert_array_equal(table.column("weight").to_numpy(), wanted)
    with (tmp_path / "w.csv").open(newline="") as file:
        assert [float(row["weight"]) for row in csv.DictReader(file)] == wanted.tolist()


def test_scikit_learn_trains_with_them(run: Run) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    labels = label_of(run)
    ids = [key for key, label in labels.items() if label is not None]
    points = np.random.default_rng(0).normal(size=(len(ids), 4))
    fit = linear.LogisticRegression().fit(points, [labels[one] for one in ids], sample_weight=sample_weight(run, ids))
    assert len(fit.classes_) == 4


@pytest.mark.parametrize("shape", ["triplet", "n-tuple", "labeled-pair", "labeled-list"])
def test_pictures_are_written_as_paths(run: Run, tmp_path: Path, shape: str) -> None:
    assert export(run, shape, tmp_path / "a.parquet").rows
    row = rows_of(tmp_path / "a.parquet")[0]
    paths = [one for value in row.values() for one in (value if isinstance(value, list) else [value])]
    paths = [one for one in paths if isinstance(one, str)]
    assert len(paths) >= 2
    assert all(Path(one).is_file() for one in paths)


def test_a_triplet_is_of_two_classes(run: Run, class_run: Run, tmp_path: Path) -> None:
    for number, one in enumerate((run, class_run)):
        out = tmp_path / f"{number}.parquet"
        export(one, "triplet", out, options=ExportOptions(ids=True))
        labels, pictures = (
            label_of(one),
            dict(zip(one.items.ids.to_pylist(), list(one.items.pictures or ()), strict=True)),
        )
        rows = rows_of(out)
        assert rows
        for row in rows:
            assert labels[row["anchor_id"]] == labels[row["positive_id"]] != labels[row["negative_id"]]
            assert row["anchor_id"] != row["positive_id"]
            assert all(row[side] == pictures[row[f"{side}_id"]] for side in ("anchor", "positive", "negative"))


def test_each_member_of_a_class_is_once_an_anchor_and_once_a_positive(class_run: Run, tmp_path: Path) -> None:
    export(class_run, "n-tuple", tmp_path / "a.parquet", options=ExportOptions(ids=True))
    rows, labels = rows_of(tmp_path / "a.parquet"), label_of(class_run)
    members = {key for key, label in labels.items() if label is not None}
    assert {row["anchor_id"] for row in rows} == {row["positive_id"] for row in rows} == members
    assert len(rows) == len(members)
    negatives = {labels[row["anchor_id"]]: [row[f"negative_{n}_id"] for n in (1, 2, 3)] for row in rows}
    for row in class_run.negatives.to_pylist():
        assert row["item"] in negatives[row["anchor"]]


def test_a_member_never_has_a_negative_that_shares_a_label(tmp_path: Path) -> None:
    run = labelled(tmp_path, "text", anchors="classes", several=True, filters="known")
    export(run, "triplet", tmp_path / "a.jsonl", options=ExportOptions(ids=True))
    labels = label_of(run)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows
    assert not any(set(labels[row["anchor_id"]]) & set(labels[row["negative_id"]] or ()) for row in rows)
    assert all(row["anchor"].startswith("text ") for row in rows)


def test_what_cannot_be_written_says_what_can(class_run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Classes have none: choose a format that takes their members \(triplet\)"):
        export(class_run, "cohere", tmp_path / "a.jsonl")
    with pytest.raises(InputError, match=r"needs the texts of the anchors.*one that writes pictures out"):
        export(labelled(tmp_path, "image"), "triplet", tmp_path / "a.parquet")


def test_where_the_anchor_is_doubted_its_candidates_are_not(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(run.path, out)
    own = Run.open(out)
    file = out / own.manifest["parts"][0]["file"]
    part = pq.read_table(file)
    doubtful = part.column("anchor").to_pylist()[0]
    mine = np.array(part.column("anchor").to_pylist()) == doubtful
    for name, value in (("verdict", "suspect"), ("reason", "mislabelled.anchor_likely_mislabelled")):
        changed = pa.array(np.where(mine, value, np.where(name == "verdict", "keep", "")), pa.string())
        part = part.set_column(part.schema.get_field_index(name), name, changed.dictionary_encode())
    pq.write_table(part, file)
    export(own, "index", tmp_path / "a.parquet")
    rows = [row for row in rows_of(tmp_path / "a.parquet") if "suspect" in row["role"]]
    assert [(row["id"], row["verdict"], row["reason"], row["may_be"]) for row in rows] == [
        (doubtful, "suspect", "own_label", [])
    ]
    assert suspects(own).sum() == 1
