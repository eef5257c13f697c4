"""COCO images with a field ``split``: one split is mined, and its images alone are exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.detected import FILES, FOUND, TRUTH, write_data

import hardneg as hn
from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.mining import Settings

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")
TRAIN = {1: "train", 2: "train", 3: "test", 5: "train", 6: "val"}  # and of 4 nothing is said


def _split(folder: Path, splits: dict[int, str], **options: Any) -> tuple[Path, ReadOptions]:
    images = [one | ({"split": splits[one["id"]]} if one["id"] in splits else {}) for one in TRUTH["images"]]
    file = write_data(folder, TRUTH | {"images": images})
    return file, ReadOptions(predictions=folder / "found.json", media_root=folder / "images", **options)


def test_the_training_split_is_mined_and_the_rest_is_counted(tmp_path: Path) -> None:
    file, options = _split(tmp_path, TRAIN)
    found = [*FOUND, FOUND[0] | {"image_id": 3}, FOUND[0] | {"image_id": "day/b.png"}, FOUND[0] | {"image_id": 99}]
    (tmp_path / "found.json").write_text(json.dumps(found))
    reading = read(file, options=options)
    assert reading.format == "coco, split train"
    assert reading.counts["images"] == 3
    assert set(reading.positives.items.table.column("image_id").to_pylist()) == {1, 2, 5}
    skipped = {one.reason: one.count for one in reading.skips}
    assert (skipped["image_of_another_split"], skipped["image_without_a_split"], skipped["unknown_image"]) == (6, 1, 1)


def test_an_evaluation_split_must_be_insisted_on(tmp_path: Path) -> None:
    file, options = _split(tmp_path, dict.fromkeys(FILES, "test") | {4: "train"}, split="test")
    with pytest.raises(OptionError, match="The split 'test' is for evaluation"):
        read(file, options=options)
    reading = read(file, options=ReadOptions(split="test", mine_evaluation=True))
    assert reading.counts["images"] == 5
    with pytest.raises(InputError, match=r"There is no split 'dev'\. Found: test, train"):
        read(file, options=ReadOptions(split="dev"))
    write_data(tmp_path)
    with pytest.raises(InputError, match="The data have no splits"):
        read(file, options=options)


def test_exports_hold_the_split_alone(tmp_path: Path) -> None:
    file, options = _split(tmp_path, TRAIN)
    recipe = hn.Recipe(file, read=options, filters=("known", "margin(ceiling=0.9)"))
    run = recipe.mine(recipe.read_data(), tmp_path / "run", Settings())
    report = hn.export(run, "coco", tmp_path / "train.json")
    assert report.notes[0] == "All images and boxes of the split train, read again from 'truth.json'."
    written = json.loads((tmp_path / "train.json").read_text())
    assert [one["id"] for one in written["images"]] == [1, 2, 5]
    assert {one["image_id"] for one in written["annotations"]} == {1, 2, 5}
    assert all(one["split"] == "train" for one in written["images"])
    hn.export(run, "yolo", tmp_path / "yolo")
    assert len(list((tmp_path / "yolo").rglob("*.png"))) == 3
