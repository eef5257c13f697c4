"""Results and labels with a mask and no box: the box around it is used, and that is noted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.detected import CAT, FOUND, TRUTH, write_data

import hardneg as hn
from hardneg.io.readers import ReadOptions, read
from hardneg.io.readers._masks import box_around
from hardneg.run import Run

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")
pytest.importorskip("hotcoco", reason="masks need the extra 'detection'")
mask = pytest.importorskip("pycocotools.mask")


@given(arrays(np.uint8, (9, 11), elements=st.integers(0, 1)))
def test_the_box_around_a_mask_is_that_of_pycocotools(pixels: Any) -> None:
    runs = mask.encode(np.asfortranarray(pixels))
    text = {"size": runs["size"], "counts": runs["counts"].decode()}
    assert box_around(text) == mask.toBbox(runs).tolist()


def test_polygons_and_what_is_no_mask() -> None:
    assert box_around([[1, 2, 5, 2, 5, 9], [0, 3, 2, 3, 2, 4]]) == [0, 2, 5, 7]
    all_broken: tuple[Any, ...] = (
        "x",
        3,
        [],
        [[]],
        [["a", "b"]],
        [[1, 2, 3]],
        [4],
        {"size": [3, 4], "counts": [99]},
        {"counts": "a"},
    )
    for broken in all_broken:
        assert box_around(broken) is None


def _without_boxes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    out = []
    for one in rows:
        x, y, w, h = one["bbox"]
        polygon = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        out.append({name: value for name, value in one.items() if name != "bbox"} | {"segmentation": polygon})
    return out


def test_results_of_masks_are_used_by_their_boxes(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    options = ReadOptions(predictions=tmp_path / "found.json")
    boxes = read(file, options=options)
    (tmp_path / "found.json").write_text(json.dumps(_without_boxes(FOUND)))
    masks = read(file, options=options)
    assert masks.positives.items.table.equals(boxes.positives.items.table)
    noted = {one.reason: one for one in masks.notes}["box_of_a_mask"]
    assert noted.count == len(FOUND)
    assert "found.json, box 0: image 1" in noted.examples[0]


def test_a_mask_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    rows = [*FOUND, {"image_id": 3, "category_id": CAT, "segmentation": {"size": [2, 2], "counts": [9]}, "score": 0.5}]
    (tmp_path / "found.json").write_text(json.dumps(rows))
    reading = read(file, options=ReadOptions(predictions=tmp_path / "found.json"))
    assert {one.reason: one.count for one in reading.skips}["no_box"] == 1
    assert "box_of_a_mask" not in {one.reason for one in reading.notes}


def test_labels_of_masks_are_read_and_exported(tmp_path: Path) -> None:
    labels = _without_boxes([one for one in TRUTH["annotations"] if one["image_id"] in (1, 3)])
    truth = TRUTH | {"annotations": labels}
    file = write_data(tmp_path, truth)
    options = ReadOptions(predictions=tmp_path / "found.json", media_root=tmp_path / "images")
    recipe = hn.Recipe(file, read=options, filters=("known",))
    run: Run = recipe.mine(recipe.read_data(), tmp_path / "run", hn.mining.Settings())
    hn.export(run, "coco", tmp_path / "train.json")
    written = json.loads((tmp_path / "train.json").read_text())["annotations"]
    boxes = {one["id"]: one["bbox"] for one in written if not one.get("suspect")}
    assert boxes == {11: [10, 10, 40, 40], 12: [90, 50, 40, 40], 13: [60, 30, 40, 40], 14: [0, 80, 160, 40]}
