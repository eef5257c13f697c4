"""What holds for every format: options, paths, the manifest, and the same bytes for the same run."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

from hardneg.errors import InputError, OptionError, StorageError
from hardneg.io.writers import WRITERS, ExportOptions, examples, export, find_writer
from hardneg.run import Run

MEDIA = {
    "image-folder",
    "sound-folder",
    "openwakeword",
    "speechbrain",
    "nemo-manifest",
    "coco",
    "yolo",
    "voc",
    "crops",
    "image-weight",
}  # which need pictures, sounds or boxes
LEARNT = {"new-positives"}  # which need what a calibrated filter has learnt
EVERY = sorted(set(WRITERS) - MEDIA - LEARNT)
TEXTS = sorted(name for name, writer in WRITERS.items() if writer.texts)
TRAINING = sorted(set(EVERY) - {"flagembedding-pool", "label-studio", "spotlight", "index", "sample-weight"})


def path_for(tmp_path: Path, name: str) -> Path:
    writer = WRITERS[name]
    return tmp_path / (f"train{writer.suffixes[0]}" if writer.suffixes else "train")


def content(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {path.name: path.read_bytes()}
    return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}


def manifest_of(out: Path) -> Any:
    file = out / "manifest.json" if out.is_dir() else out.with_name(f"{out.name}.manifest.json")
    return json.loads(file.read_text(encoding="utf-8"))


def test_examples_follow_the_run(run: Run) -> None:
    found = list(examples(run))
    assert [one.id for one in found] == run.anchors.ids.to_pylist()
    assert [[hit.document.id for hit in one.positives] for one in found[:2]] == [["d0", "d9"], ["d1"]]
    pairs = [(one.id, hit.document.id, hit.rank, hit.source) for one in found for hit in one.negatives]
    table = run.negatives
    assert pairs == list(zip(*(table.column(name).to_pylist() for name in ("anchor", "item", "rank", "source"))))  # noqa: B905
    scores = [hit.score for one in found for hit in one.negatives]
    np.testing.assert_array_equal(np.array(scores, np.float32), table.column("score").to_numpy())


def test_examples_have_texts_titles_and_scores_of_positives(run: Run) -> None:
    first = next(examples(run))
    document = first.positives[1].document
    items = {row["id"]: row for row in run.items.table.to_pylist()}
    assert (document.text, document.title, document.body) == tuple(
        items["d9"][key] for key in ("text", "title", "body")
    )
    relations = {(row["anchor"], row["item"]): row["score"] for row in run.relations.to_pylist()}
    assert first.positives[1].score == pytest.approx(relations["q0", "d9"])


def test_without_titles_the_body_is_the_text(number_run: Run) -> None:
    document = next(examples(number_run)).positives[0].document
    assert document.id == 0
    assert document.title is None
    assert document.body == document.text


@pytest.mark.parametrize("name", EVERY)
def test_same_run_gives_same_bytes_and_one_manifest(run: Run, name: str, tmp_path: Path) -> None:
    outs = [path_for(tmp_path / part, name) for part in "ab"]
    reports = [export(run, name, out) for out in outs]
    assert content(outs[0]) == content(outs[1])
    assert reports[0].files
    assert all(file.is_file() for file in reports[0].files)
    assert reports[0].rows > 0
    found = manifest_of(outs[0])
    assert found["run"] == json.loads((run.path / "manifest.json").read_text(encoding="utf-8"))
    assert found["export"]["format"] == name
    assert found["export"]["counts"] == dict(reports[0].counts)
    assert {path.name for path in outs[0].parent.iterdir()} <= {outs[0].name, f"{outs[0].name}.manifest.json"}


@pytest.mark.parametrize("name", TRAINING)
def test_every_anchor_is_accounted_for(run: Run, name: str, tmp_path: Path) -> None:
    report = export(run, name, path_for(tmp_path, name))
    left_out = sum(
        one.count for one in report.skips if one.reason in ("no_positive", "no_negative", "too_few_negatives")
    )
    assert report.counts["anchors"] == len(run.anchors) == report.counts["anchors_written"] + left_out
    assert "q7" in next(one for one in report.skips if one.reason == "no_positive").examples


@pytest.mark.parametrize("name", EVERY)
def test_a_run_without_negatives_can_be_exported(empty_run: Run, name: str, tmp_path: Path) -> None:
    assert not empty_run.negatives.num_rows
    report = export(empty_run, name, path_for(tmp_path, name))
    assert report.path.exists()
    assert manifest_of(report.path)["export"]["counts"]["anchors"] == len(empty_run.anchors)


def test_no_suspect_is_a_negative(run: Run, tmp_path: Path) -> None:
    table = run.candidates.suspects()
    suspects = set(zip(*(table.column(side).to_pylist() for side in ("anchor", "item")), strict=True))
    assert suspects
    export(run, "flagembedding", tmp_path / "a.jsonl")
    records = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert not suspects & {(record["query_id"], item) for record in records for item in record["neg_id"]}
    assert not suspects & {(one.id, hit.document.id) for one in examples(run) for hit in one.negatives}


@pytest.mark.parametrize("name", TEXTS)
def test_missing_texts_are_named(make_run: Callable[..., Run], name: str, tmp_path: Path) -> None:
    without = make_run(texts=False)
    out = path_for(tmp_path, name)
    with pytest.raises(InputError, match=f"The format '{name}' needs the texts of the anchors. The run has none."):
        export(without, name, out)
    assert not list(tmp_path.iterdir())


def test_a_text_that_is_missing_in_one_row_is_named(run: Run, tmp_path: Path) -> None:
    table = run.items.table
    texts = pc.if_else(pc.equal(table.column("id"), "d4"), None, table.column("text"))
    holed = replace(run)
    holed.__dict__["items"] = type(run.items)(table.set_column(1, "text", texts))
    with pytest.raises(InputError, match="1 have none \\(first: 'd4'\\)"):
        export(holed, "cohere", tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", EVERY)
def test_existing_output_stays_unless_replaced(run: Run, name: str, tmp_path: Path) -> None:
    out = path_for(tmp_path, name)
    export(run, name, out)
    before = content(out)
    with pytest.raises(StorageError, match="exists already"):
        export(run, name, out)
    export(run, name, out, options=ExportOptions(overwrite=True))
    assert content(out) == before


def test_overwrite_never_removes_what_no_export_made(run: Run, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is not from an earlier export"):
        export(run, "beir", run.path, options=ExportOptions(overwrite=True))
    assert Run.open(run.path).negatives.num_rows
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(StorageError, match="is not from an earlier export"):
        export(run, "beir", tmp_path / "notes", options=ExportOptions(overwrite=True))
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(StorageError, match="is not from an earlier export"):
        export(run, "cohere", tmp_path / "a.jsonl", options=ExportOptions(overwrite=True))


def test_an_empty_folder_may_be_filled(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export(run, "beir", tmp_path / "out").rows


def test_an_export_is_no_run(run: Run, tmp_path: Path) -> None:
    export(run, "beir", tmp_path / "out")
    with pytest.raises(Exception, match="schema version"):
        Run.open(tmp_path / "out")


@pytest.mark.parametrize("name", ["beir", "cohere"])
def test_a_failed_export_leaves_nothing(run: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hardneg.storage.os.fsync", fail)
    with pytest.raises(StorageError, match="disk is full"):
        export(run, name, path_for(tmp_path, name))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", sorted(n for n, w in WRITERS.items() if ".jsonl.gz" in w.suffixes and n not in MEDIA))
def test_gz_packs_the_same_lines(run: Run, name: str, tmp_path: Path) -> None:
    export(run, name, tmp_path / "a.jsonl")
    export(run, name, tmp_path / "b.jsonl.gz")
    assert gzip.decompress((tmp_path / "b.jsonl.gz").read_bytes()) == (tmp_path / "a.jsonl").read_bytes()


def test_texts_stay_as_they_are_and_lines_stay_lines(run: Run, tmp_path: Path) -> None:
    export(run, "cohere", tmp_path / "a.jsonl")
    text = (tmp_path / "a.jsonl").read_text(encoding="utf-8")
    assert "Zoë 東京 🦊" in text
    assert [json.loads(line)["query"] for line in text.splitlines()] == [
        one.text for one in examples(run) if one.positives
    ]


@pytest.mark.parametrize(
    ("name", "out", "message"),
    [
        ("cohere", "a.csv", "must|ends in .jsonl, .jsonl.gz"),
        ("cohere", "folder", "ends in .jsonl, .jsonl.gz. Got"),
        ("triplet", "a.csv", "or no ending for a folder"),
        ("beir", "a.jsonl", "The format 'beir' is a folder"),
        ("flagembedding", "a.jsonl.gz", "ends in .jsonl, .json"),
        ("spotlight", "a.jsonl", "ends in .parquet"),
    ],
)
def test_an_ending_that_does_not_fit(run: Run, tmp_path: Path, name: str, out: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        export(run, name, tmp_path / out)


def test_unknown_formats() -> None:
    with pytest.raises(OptionError, match=r"There is no format 'tripplet'\. Did you mean 'triplet'"):
        find_writer("tripplet")
    assert find_writer("ragatouille").name == "colbert"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "The 'n' must be at least 1. Got 0."),
        ({"shard_rows": 0}, "The 'shard_rows' must be at least 1"),
        ({"on_short": "pad"}, "The 'on_short' must be skip or shrink. Got pad."),
        ({"positives": "best"}, "The 'positives' must be all or first"),
        ({"values": "margin"}, "The 'values' must be label or score"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ExportOptions(**options)


@pytest.mark.parametrize(
    ("name", "options"),
    [("cohere", {"prompt": "p"}), ("flagembedding", {"columns": {"query": "q"}}), ("spotlight", {"n": 2})],
)
def test_an_option_without_a_use_is_refused(run: Run, tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="has no use for the option"):
        export(run, name, path_for(tmp_path, name), options=ExportOptions(**options))


def test_options_stand_in_the_manifest(run: Run, tmp_path: Path) -> None:
    export(run, "cohere", tmp_path / "a.jsonl", options=ExportOptions(n=2, positives="first"))
    assert manifest_of(tmp_path / "a.jsonl")["export"]["options"] == {"n": 2, "positives": "first"}


def test_every_format_says_what_it_is() -> None:
    for name, writer in WRITERS.items():
        assert writer.name == name
        assert writer.description
        assert writer.holds
        assert writer.usual
