from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import hardneg as hn
from hardneg.errors import InputError, OptionError
from hardneg.images import Crop
from hardneg.io.readers import ReadOptions, read
from hardneg.io.reading import Reading

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")

TRUTH: dict[str, Any] = {
    "images": [{"id": 7, "file_name": "a.png", "width": 100, "height": 80}, {"id": "8", "file_name": "b.png"}],
    "categories": [{"id": 1, "name": "cat"}, {"id": 5, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 10, 20, 20], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 5, "bbox": [60, 10, 30, 30]},
        {"id": 3, "image_id": 8, "category_id": 5, "bbox": [0, 0, 40, 40], "ignore": 1},
        {"id": 4, "image_id": 8, "category_id": 1, "bbox": [50, 50, 20, 20]},
    ],
}
FOUND: list[dict[str, Any]] = [
    {"image_id": 7, "category_id": 1, "bbox": [10, 10, 20, 20], "score": 0.9},  # correct
    {"image_id": 7, "category_id": 1, "bbox": [61, 11, 29, 29], "score": 0.8},  # the dog
    {"image_id": "8", "category_id": 1, "bbox": [1, 1, 20, 20], "score": 0.7},  # within what is ignored
    {"image_id": 8, "category_id": 5, "bbox": [80, 0, 15, 15], "score": 0.6},  # nothing there
    {"image_id": 8, "category_id": 1, "bbox": [52, 52, 30, 30], "score": 0.5},  # off
]


def _written(folder: Path, truth: Any = TRUTH, found: Any = FOUND, images: bool = True) -> ReadOptions:
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "found.json").write_text(json.dumps(found))
    for name in ("a.png", "b.png") if images else ():
        Image.new("RGB", (100, 80), "white").save(folder / name)
    return ReadOptions(predictions=folder / "found.json", media_root=folder if images else None)


def _skipped(reading: Reading) -> dict[str, int]:
    return {one.reason: one.count for one in reading.skips}


def test_boxes_and_mistakes_are_read(tmp_path: Path) -> None:
    options = _written(tmp_path)
    reading = read(tmp_path / "truth.json", options=options)
    table = reading.positives.items.table
    assert reading.format == "coco"
    assert table.column("id").to_pylist() == ["7/0", "7/1", "7/d0", "8/0", "8/d0"]
    assert table.column("label").to_pylist() == ["cat", "dog", "dog", "cat", None]
    assert table.column("predicted").to_pylist() == [None, None, "cat", None, "dog"]
    assert table.column("detector_score").to_pylist() == [None, None, 0.8, None, 0.6]
    assert table.column("mistake").to_pylist() == [None, None, "confusion", None, "background"]
    assert _skipped(reading) == {"detection_uncounted": 1, "detection_localisation": 1}
    counts = reading.counts
    assert counts["detections"] == 5 == sum(counts[name] for name in counts if name.startswith("detections_"))
    pictures = reading.positives.items.pictures
    assert pictures is not None
    assert pictures[2] == Crop(str(tmp_path / "a.png"), (61.0, 11.0, 29.0, 29.0))
    assert reading.item_vectors is None


def test_what_is_there_is_positive_and_the_confused_thing_is_not_its_negative(tmp_path: Path) -> None:
    positives = read(tmp_path / "truth.json", options=_written(tmp_path)).positives
    assert positives.anchors.ids.to_pylist() == ["cat", "dog"]
    assert [one.tolist() for one in (positives.positive[0], positives.positive[1])] == [[0, 3], [1]]
    assert positives.forbids(np.array([1, 0]), np.array([2, 2])).tolist() == [True, False]


def test_it_is_mined_without_pictures_by_the_detectors_scores(tmp_path: Path) -> None:
    reading = read(tmp_path / "truth.json", options=_written(tmp_path, images=False))
    assert reading.item_vectors is not None
    reads = ReadOptions(predictions=tmp_path / "found.json")
    recipe = hn.Recipe(tmp_path / "truth.json", read=reads, filters=("known", "duplicates"))
    run = recipe.mine(reading, tmp_path / "run", hn.Settings())
    found = run.negatives.select(["anchor", "item", "score"]).to_pylist()
    assert [(one["anchor"], one["item"]) for one in found] == [("cat", "7/d0"), ("dog", "8/d0")]
    np.testing.assert_allclose([one["score"] for one in found], [0.8, 0.6], atol=1e-6)
    assert run.manifest["steps"]["sources"] == ["detections(k=1000)"]
    assert run.manifest["steps"]["sampler"] == ["top(n=1000, per_positive=1)"]


def test_it_is_mined_with_pictures(tmp_path: Path) -> None:
    reading = read(tmp_path / "truth.json", options=_written(tmp_path))
    run = hn.mine(reading.positives, filters=["known", "duplicates"], out=tmp_path / "run")
    assert {one["item"] for one in run.negatives.select(["item"]).to_pylist()} == {"7/d0", "8/d0"}
    pictures = hn.Run.open(tmp_path / "run").items.pictures
    assert pictures is not None
    assert all(isinstance(one, Crop) for one in pictures)


def test_a_thing_is_looked_at_where_it_was_found_and_written_as_it_is_labelled(tmp_path: Path) -> None:
    found = [FOUND[0] | {"bbox": [11, 8, 22, 24]}, *FOUND[1:]]
    options = _written(tmp_path, found=found)
    recipe = hn.Recipe(tmp_path / "truth.json", read=options, filters=("known", "duplicates"))
    run = recipe.mine(recipe.read_data(), tmp_path / "run", hn.Settings())
    table = run.items.table
    assert table.column("box").to_pylist()[:3] == [[10, 10, 20, 20], [60, 10, 30, 30], [61, 11, 29, 29]]
    assert table.column("found_box").to_pylist()[:3] == [[11, 8, 22, 24], [60, 10, 30, 30], [61, 11, 29, 29]]
    assert run.items.looked_at is not None
    assert run.items.looked_at[0] == Crop(str(tmp_path / "a.png"), (11.0, 8.0, 22.0, 24.0))
    hn.export(run, "coco", tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert [10, 10, 20, 20] in [one["bbox"] for one in written]
    hn.export(run, "crops", tmp_path / "crops")
    sizes = {Image.open(one).size for one in (tmp_path / "crops" / "train" / "cat").glob("*.png")}
    assert sizes == {(20, 20)}


def test_truth_alone_is_labelled_boxes(tmp_path: Path) -> None:
    _written(tmp_path)
    (tmp_path / "truth.json.gz").write_bytes(gzip.compress((tmp_path / "truth.json").read_bytes()))
    reading = read(tmp_path / "truth.json.gz", options=ReadOptions(media_root=tmp_path))
    assert reading.positives.items.ids.to_pylist() == ["7/0", "7/1", "8/0"]
    assert not reading.counts["detections"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image_id": 99}, "unknown_image"),
        ({"category_id": 2}, "unknown_category"),
        ({"category_id": None}, "unknown_category"),
        ({"bbox": [1, 2, 3]}, "no_box"),
        ({"bbox": [1, 2, None, 3]}, "no_box"),
        ({"bbox": [1, 2, True, 3]}, "no_box"),
        ({"bbox": [1, 2, -3, 3]}, "negative_side"),
        ({"bbox": [1, 2, 0, 3]}, "no_area"),
        ({"score": None}, "no_score"),
        ({"bbox": [1, 2, 10**15, 3]}, "no_box"),
        ({"bbox": [100, 2, 5, 3]}, "outside_the_image"),
        ({"bbox": [-5, 2, 5, 3]}, "outside_the_image"),
        ({"score": "high"}, "no_score"),
    ],
)
def test_a_result_that_cannot_be_used_is_counted(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    options = _written(tmp_path, found=[*FOUND, FOUND[0] | change])
    reading = read(tmp_path / "truth.json", options=options)
    assert _skipped(reading)[reason] == 1
    assert any("found.json, box 5" in one.examples[0] for one in reading.skips if one.reason == reason)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "None of the results can be used"),
        ([FOUND[0] | {"image_id": 99}], "None of the results can be used"),
        ([*FOUND, FOUND[0] | {"score": float("nan")}], "holds NaN or infinity, which JSON does not have"),
        ([FOUND[0] | {"score": 4.5}, *FOUND], r"1 of 6 are not \(first: 4.5 in place 0\).*logistic"),
        (["text"], "holds 'text', no object"),
    ],
)
def test_results_that_are_no_use_at_all(tmp_path: Path, found: Any, words: str) -> None:
    options = _written(tmp_path, found=found)
    with pytest.raises(InputError, match=words):
        read(tmp_path / "truth.json", options=options)


def test_broken_files_are_named(tmp_path: Path) -> None:
    options = _written(tmp_path)
    whole = (tmp_path / "found.json").read_bytes()
    (tmp_path / "found.json").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"found\.json.*cut short or damaged"):
        read(tmp_path / "truth.json", options=options)
    twice = TRUTH | {"images": TRUTH["images"] + TRUTH["images"]}
    with pytest.raises(InputError, match="image id 7 is there twice"):
        read(tmp_path / "truth.json", options=_written(tmp_path, twice))
    with pytest.raises(InputError, match="no images or no categories"):
        read(tmp_path / "truth.json", options=_written(tmp_path, {"images": []}))


def test_pictures_that_are_not_there_are_noted_or_refused(tmp_path: Path) -> None:
    options = _written(tmp_path)
    (tmp_path / "b.png").unlink()
    reading = read(tmp_path / "truth.json", options=options)
    assert [(one.reason, one.count) for one in reading.notes] == [("image_without_a_picture", 1)]
    assert _skipped(reading)["image_without_a_picture"] == 5  # two boxes and three results
    assert reading.positives.items.ids.to_pylist() == ["7/0", "7/1", "7/d0"]
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match="None of the pictures is in this folder"):
        read(tmp_path / "truth.json", options=options)
    outside = TRUTH | {"images": [{"id": 7, "file_name": "../a.png"}, {"id": 8, "file_name": "b.png"}]}
    options = _written(tmp_path, outside)
    assert [one.reason for one in read(tmp_path / "truth.json", options=options).notes] == ["path_outside_folder"]


def test_options_that_boxes_do_not_have(tmp_path: Path) -> None:
    _written(tmp_path)
    with pytest.raises(OptionError, match="'unlabelled' is not for boxes"):
        read(tmp_path / "truth.json", options=ReadOptions(unlabelled=tmp_path / "truth.json"))


def test_real_detections_are_all_accounted_for(data_dir: Path) -> None:
    folder = data_dir / "det_map85_gt_dt"
    options = ReadOptions(predictions=folder / "detections_nanodet.json")
    counts = read(folder / "annotations.json", options=options).counts
    assert counts["detections"] == 8383
    assert sum(counts[name] for name in counts if name.startswith("detections_")) == 8383
    assert counts["items"] == counts["boxes"] + counts["detections_background"] + counts["detections_confusion"]


def _with(folder: Path, found: Any, truth: Any = TRUTH, **more: Any) -> Reading:
    _written(folder, truth, found, images=False)
    return read(folder / "truth.json", options=ReadOptions(predictions=folder / "found.json", **more))


def test_ids_may_be_text_and_names_of_files_or_categories(tmp_path: Path) -> None:
    texts = {**TRUTH, "images": [{"id": "x", "file_name": "one/000042.jpg"}, {"id": "y", "file_name": "two/b.jpg"}]}
    texts["annotations"] = [
        {"image_id": "x", "category_id": "cat", "bbox": [10, 10, 20, 20]},
        {"image_id": "two/b.jpg", "category_id": 5.0, "bbox": [50, 50, 20, 20]},
    ]
    box = {"bbox": [10, 10, 20, 20], "score": 0.9}
    names = ["x", "one/000042.jpg", "000042.jpg", "one/000042", "000042", 42, "42"]
    found = [{"image_id": one, "category_name": "cat", **box} for one in names]
    found += [{"image_id": "b", "category_id": one, **box} for one in ("5", 5.0, "dog")]
    reading = _with(tmp_path, found, texts)
    assert reading.counts["boxes"] == 2
    assert reading.counts["detections"] == len(found)
    assert reading.counts["detections_correct"] == 1
    assert reading.counts["detections_duplicate"] == len(names) - 1
    assert reading.counts["detections_background"] == 3


def test_a_number_stands_for_no_file_where_ids_are_numbers(tmp_path: Path) -> None:
    truth = TRUTH | {"images": [{"id": 7, "file_name": "000008.jpg"}, {"id": 8, "file_name": "000009.jpg"}]}
    found = [*FOUND, FOUND[0] | {"image_id": 9}, FOUND[0] | {"image_id": True}, FOUND[0] | {"image_id": [7]}]
    reading = _with(tmp_path, found, truth)
    assert _skipped(reading)["unknown_image"] == 3
    assert reading.counts["detections_correct"] == 1


def test_a_file_name_of_two_images_stands_for_neither(tmp_path: Path) -> None:
    truth = TRUTH | {"images": [{"id": 7, "file_name": "one/a.png"}, {"id": 8, "file_name": "two/a.png"}]}
    reading = _with(tmp_path, [*FOUND, FOUND[0] | {"image_id": "a.png"}], truth)
    assert _skipped(reading)["unknown_image"] == 1


def test_low_scores_left_out_change_nothing_of_the_others(data_dir: Path) -> None:
    folder = data_dir / "det_map85_gt_dt"
    options = {"predictions": folder / "detections_nanodet.json"}
    every, some = (
        read(folder / "annotations.json", options=ReadOptions(**options, least_score=least))  # type: ignore[arg-type]
        for least in (0.0, 0.4)
    )
    rows = [one for one in every.positives.items.table.to_pylist() if (one["detector_score"] or 1) >= 0.4]
    found = json.loads((folder / "detections_nanodet.json").read_text())
    named = {one["id"]: one["name"] for one in json.loads((folder / "annotations.json").read_text())["categories"]}
    sure = {(one["image_id"], named[one["category_id"]], *one["bbox"]) for one in found if one["score"] >= 0.4}
    for row in rows:
        if (row["hidden_score"] or 0) < 0.4:  # what found the box is left out
            row["hidden_score"] = None
        if row["predicted"] is None and (row["image_id"], row["label"], *row["found_box"]) not in sure:
            row["found_box"] = row["box"]
    assert some.positives.items.table.to_pylist() == rows
    assert 0 < _skipped(some)["below_least_score"] == 8383 - some.counts["detections"]


def test_the_least_score_does_not_hide_logits(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1 of \d+ are not \(first: -2\.5"):
        _with(tmp_path, [*FOUND, FOUND[0] | {"score": -2.5}], least_score=0.5)
    with pytest.raises(InputError, match="look like percentages: divide them by 100"):
        _with(tmp_path, [one | {"score": 100 * one["score"]} for one in FOUND])
    with pytest.raises(OptionError, match=r"'least_score' must be in \[0, 1\]. Got 2"):
        ReadOptions(predictions=tmp_path, least_score=2)
    with pytest.raises(OptionError, match="'least_score' must be left out without 'predictions'"):
        ReadOptions(least_score=0.5)


def test_a_recipe_keeps_the_least_score(tmp_path: Path) -> None:
    recipe = hn.Recipe(tmp_path / "t.json", read=ReadOptions(predictions=tmp_path / "f.json", least_score=0.25))
    assert hn.Recipe.parse(recipe.text(tmp_path), tmp_path).read.least_score == 0.25


def test_a_box_that_sticks_out_is_noted_and_used_as_it_is(tmp_path: Path) -> None:
    off = [FOUND[0] | {"bbox": box} for box in ([90, 10, 20, 20], [-3, 10, 20, 20], [80.5, 10, 20, 20])]
    reading = _with(tmp_path, [*FOUND, *off])
    assert [(one.reason, one.count) for one in reading.notes] == [("partly_outside_the_image", 2)]
    assert [90, 10, 20, 20] in reading.positives.items.table.column("box").to_pylist()


def test_truth_and_results_that_are_swapped_are_told(tmp_path: Path) -> None:
    options = _written(tmp_path)
    with pytest.raises(
        InputError, match=r"found\.json: These are a detector's results.*ANNOTATIONS\.json --predictions"
    ):
        read(tmp_path / "found.json", options=options)
    with pytest.raises(InputError, match=r"4 no_score.*that each has a score"):
        read(tmp_path / "truth.json", options=ReadOptions(predictions=tmp_path / "truth.json"))


def test_predictions_that_are_not_there_or_of_another_form(tmp_path: Path) -> None:
    _written(tmp_path)
    (tmp_path / "found.csv").write_text("image,score\n")
    for name, words in (("gone.json", "no such file or folder"), ("found.csv", "no results that can be read")):
        with pytest.raises(InputError, match=words):
            read(tmp_path / "truth.json", options=ReadOptions(predictions=tmp_path / name))


def test_a_category_named_twice_is_refused(tmp_path: Path) -> None:
    truth = TRUTH | {"categories": [{"id": 1, "name": "cat"}, {"id": 5, "name": "cat"}]}
    with pytest.raises(InputError, match="'cat' is there twice"):
        _with(tmp_path, FOUND, truth)


def test_what_is_left_does_not_depend_on_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [*FOUND, FOUND[0] | {"score": None}, FOUND[1], FOUND[0] | {"bbox": [1]}, FOUND[3]]
    whole = _with(tmp_path, found)
    monkeypatch.setattr("hardneg.io.readers._box_rows._BLOCK", 2)
    again = _with(tmp_path, found)
    assert again.positives.items.table.equals(whole.positives.items.table)
    assert (again.skips, again.counts) == (whole.skips, whole.counts)


def test_a_second_detector_says_how_sure_it_is_of_the_same_box(tmp_path: Path) -> None:
    options = _written(tmp_path)
    other = [
        {"image_id": 8, "category_id": 5, "bbox": [81, 0, 15, 15], "score": 0.3},
        {"image_id": 8, "category_id": 5, "bbox": [80, 1, 15, 15], "score": 0.4},
        {"image_id": 8, "category_id": 1, "bbox": [80, 0, 15, 15], "score": 0.9},  # another category
        {"image_id": 7, "category_id": 1, "bbox": [10, 11, 20, 20], "score": 0.2},
    ]
    (tmp_path / "other.json").write_text(json.dumps(other))
    reading = read(tmp_path / "truth.json", options=replace(options, agreeing=tmp_path / "other.json"))
    table = reading.positives.items.table
    assert table.column("id").to_pylist() == ["7/0", "7/1", "7/d0", "8/0", "8/d0"]
    assert table.column("second_score").to_pylist() == [0.2, None, 0.0, None, 0.4]
    assert table.column("hidden_score").to_pylist() == [0.9, None, None, None, None]
    assert "other.json" in reading.files
    assert reading.counts["detections_of_second"] == 4


def test_a_second_detector_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'agreeing' must be with 'predictions'"):
        ReadOptions(agreeing=tmp_path / "other.json")
