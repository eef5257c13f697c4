from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.reading import Reading

pytest.importorskip("yaml", reason="data.yaml needs the extra 'detection'")

# Pictures of 100 x 80 pixels; the boxes are those of COCO's [10, 10, 20, 20], [60, 10, 30, 30] and [50, 50, 20, 20].
LABELS = {
    "a": "0 0.2 0.25 0.2 0.25\n1 0.75 0.3125 0.3 0.375\n",
    "b": "0 0.6 0.75 0.2 0.25\n",
    "empty": "",
}
FOUND = {
    "a": "0 0.2 0.25 0.2 0.25 0.9\n0 0.75 0.3125 0.3 0.375 0.8\n",  # correct; the dog
    "b": "1 0.875 0.09375 0.15 0.1875 0.6\n",  # nothing there
    "bare": "0 0.5 0.5 0.5 0.5 0.7\n",  # nothing there, in a picture without a file of labels
}


def _written(folder: Path, labels: dict[str, str] = LABELS, *, part: str = "", names: bool = True) -> Path:
    """``part`` is the folder of a split within images and labels."""
    pictures, texts = folder / "images" / part, folder / "labels" / part
    for one in (pictures, texts):
        one.mkdir(parents=True, exist_ok=True)
    for name in ("a", "b", "empty", "bare"):
        Image.new("RGB", (100, 80), "white").save(pictures / f"{name}.png")
    for name, text in labels.items():
        (texts / f"{name}.txt").write_text(text)
    if names:
        (folder / "classes.txt").write_text("cat\ndog\n")
    return folder


def _results(folder: Path, found: dict[str, str] = FOUND) -> ReadOptions:
    folder.mkdir(parents=True)
    for name, text in found.items():
        (folder / f"{name}.txt").write_text(text)
    return ReadOptions(predictions=folder)


def _rows(reading: Reading) -> list[tuple[object, ...]]:
    table = reading.positives.items.table
    return list(zip(*(table.column(one).to_pylist() for one in ("id", "label", "predicted", "mistake")), strict=True))


def _skipped(reading: Reading) -> dict[str, int]:
    return {one.reason: one.count for one in reading.skips}


def _boxes(reading: Reading) -> list[Any]:
    return [pytest.approx(one) for one in reading.positives.items.table.column("box").to_pylist()]


def test_a_folder_of_images_and_labels_is_read(tmp_path: Path) -> None:
    reading = read(_written(tmp_path / "data"), options=_results(tmp_path / "run/labels"))
    assert reading.format == "yolo"
    assert _rows(reading) == [
        ("a/0", "cat", None, None),
        ("a/1", "dog", None, None),
        ("a/d0", "dog", "cat", "confusion"),
        ("b/0", "cat", None, None),
        ("b/d0", None, "dog", "background"),
        ("bare/d0", None, "cat", "background"),
    ]
    assert _boxes(reading)[:2] == [[10, 10, 20, 20], [60, 10, 30, 30]]
    assert reading.counts["images"] == 4
    assert not reading.skips
    assert not reading.notes
    pictures = reading.positives.items.pictures
    assert pictures is not None
    assert str(pictures[0].picture) == str(tmp_path / "data/images/a.png")  # type: ignore[union-attr]


def test_the_same_in_coco_reads_the_same(tmp_path: Path) -> None:
    yolo = read(_written(tmp_path / "data"), options=_results(tmp_path / "run"))
    names = ["a", "b", "bare", "empty"]
    truth = {
        "images": [{"id": one, "file_name": f"{one}.png", "width": 100, "height": 80} for one in names],
        "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
        "annotations": [
            {"image_id": "a", "category_id": 0, "bbox": [10, 10, 20, 20]},
            {"image_id": "a", "category_id": 1, "bbox": [60, 10, 30, 30]},
            {"image_id": "b", "category_id": 0, "bbox": [50, 50, 20, 20]},
        ],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    coco = read(tmp_path / "truth.json", options=ReadOptions(predictions=tmp_path / "run"))
    assert _rows(coco) == _rows(yolo)
    assert coco.counts == yolo.counts
    assert _boxes(coco) == coco.positives.items.table.column("box").to_pylist()


@pytest.mark.parametrize("path", ["", "path: .\n", "path: /elsewhere/data\n"])
def test_a_data_yaml_names_splits_and_classes(tmp_path: Path, path: str) -> None:
    for part in ("train", "val"):
        _written(tmp_path, part=part, names=False)
    file = tmp_path / "data.yaml"
    file.write_text(f"{path}train: ../images/train\nval: images/val\nnc: 2\nnames: {{0: cat, 1: dog}}\n")
    for place in (file, tmp_path):
        reading = read(place)
        assert reading.format == "yolo, split train"
        assert reading.positives.items.ids.to_pylist() == ["a/0", "a/1", "b/0"]
        assert reading.positives.anchors.ids.to_pylist() == ["cat", "dog"]
    with pytest.raises(OptionError, match="'val' is for evaluation"):
        read(file, options=ReadOptions(split="val"))
    assert read(file, options=ReadOptions(split="val", mine_evaluation=True)).counts["boxes"] == 3


def test_a_data_yaml_may_list_pictures(tmp_path: Path) -> None:
    _written(tmp_path, names=False)
    (tmp_path / "few.txt").write_text("./images/b.png\n./images/a.png\n")
    (tmp_path / "data.yaml").write_text("train: few.txt\nnames: [cat, dog]\n")
    assert read(tmp_path).positives.items.ids.to_pylist() == ["b/0", "a/0", "a/1"]


@pytest.mark.parametrize("form", ["images/train", "train/images"])
def test_splits_are_seen_from_folders(tmp_path: Path, form: str) -> None:
    for part in ("train", "valid"):
        _written(tmp_path if form == "images/train" else tmp_path / part, part=part if form == "images/train" else "")
    assert read(tmp_path).format == "yolo, split train"


def test_classes_without_names_go_by_their_numbers(tmp_path: Path) -> None:
    assert read(_written(tmp_path, names=False)).positives.anchors.ids.to_pylist() == ["0", "1"]


def test_polygons_and_points_are_read_as_boxes(tmp_path: Path) -> None:
    polygon = "0 0.1 0.125 0.3 0.125 0.3 0.375 0.1 0.375 0.2 0.4"
    reading = read(_written(tmp_path / "one", {"a": f"{polygon}\n", "b": LABELS["a"]}))
    assert _boxes(reading)[0] == [10, 10, 20, 22]
    _written(tmp_path / "two", {"a": "0 0.2 0.25 0.2 0.25 0.9 0.9\n1 0.75 0.3125 0.3 0.375 0 0\n"})
    (tmp_path / "two/data.yaml").write_text("train: images\nnames: [cat, dog]\nkpt_shape: [1, 2]\n")
    assert _boxes(read(tmp_path / "two"))[0] == [10, 10, 20, 20]


def test_results_of_tracks_and_polygons_are_read(tmp_path: Path) -> None:
    found = {"a": "0 0.2 0.25 0.2 0.25 0.9 17\n", "b": "1 0.8 0 0.95 0 0.95 0.1875 0.8 0.1875 0.6\n"}
    reading = read(_written(tmp_path / "data"), options=_results(tmp_path / "run", found))
    assert reading.counts["detections_correct"] == 1
    assert reading.counts["detections_background"] == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.2 0.25 0.2 0.25", "no_score"),
        ("0 0.2 0.25 0.2 0.25 nan", "no_score"),
        ("0 0.2 0.25 0.2", "broken_line"),
        ("0 0.2 cat 0.2 0.25 0.9", "broken_line"),
        ("0 20 25 20 25 0.9", "not_normalised"),
        ("7 0.2 0.25 0.2 0.25 0.9", "unknown_category"),
        ("-1 0.2 0.25 0.2 0.25 0.9", "unknown_category"),
        ("0 0.2 0.25 0.0 0.25 0.9", "no_area"),
        ("0 0.2 0.25 nan 0.25 0.9", "not_normalised"),
    ],
)
def test_a_result_that_cannot_be_used_is_counted(tmp_path: Path, line: str, reason: str) -> None:
    found = FOUND | {"a": f"{FOUND['a']}\n{line}\n"}
    reading = read(_written(tmp_path / "data"), options=_results(tmp_path / "run", found))
    assert _skipped(reading) == {reason: 1}
    assert "a.txt, line 4" in reading.skips[0].examples[0]


def test_results_of_other_pictures_and_labels_without_one_are_counted(tmp_path: Path) -> None:
    data = _written(tmp_path / "data", LABELS | {"gone": "0 0.5 0.5 0.1 0.1\n"})
    reading = read(data, options=_results(tmp_path / "run", FOUND | {"other": FOUND["a"]}))
    assert _skipped(reading) == {"labels_without_a_picture": 1, "unknown_image": 2}


def test_a_broken_picture_is_noted_and_its_boxes_counted(tmp_path: Path) -> None:
    data = _written(tmp_path / "data")
    (data / "images/b.png").write_bytes(b"<html>")
    reading = read(data, options=_results(tmp_path / "run"))
    assert [(one.reason, one.count) for one in reading.notes] == [("not_an_image", 1)]
    assert _skipped(reading) == {"image_without_a_picture": 2}


def test_a_box_that_sticks_out_is_noted(tmp_path: Path) -> None:
    found = FOUND | {"bare": "0 0.02 0.5 0.5 0.5 0.7\n"}
    reading = read(_written(tmp_path / "data"), options=_results(tmp_path / "run", found))
    assert [(one.reason, one.count) for one in reading.notes] == [("partly_outside_the_image", 1)]


def test_results_without_scores_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of the results can be used.*2 no_score.*has a score"):
        read(_written(tmp_path / "data"), options=_results(tmp_path / "run", {"a": LABELS["a"]}))
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match=r"no text file with results.*save_conf=True"):
        read(tmp_path / "data", options=ReadOptions(predictions=tmp_path / "bare"))


def test_yolo_results_need_the_sizes_of_images(tmp_path: Path) -> None:
    truth = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 3, "name": "cat"}, {"id": 7, "name": "dog"}],
        "annotations": [{"image_id": 1, "category_id": 3, "bbox": [10, 10, 20, 20]}],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    with pytest.raises(InputError, match="2 image_of_unknown_size"):
        read(tmp_path / "truth.json", options=_results(tmp_path / "run", {"a": FOUND["a"]}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train: images/gone\nnames: [cat]\n", "There is no 'images/gone'.*--images FOLDER"),
        ("train: ../../..\nnames: [cat]\n", r"There is no '\.\./\.\./\.\.'"),
        ("train: images\nnames: {1: cat}\n", "numbered from 0"),
        ("train: images\nnames: cat\n", "must be a list"),
        ("train: [images\n", "no YAML"),
        ("nothing: here\n", "no YOLO data set"),
    ],
)
def test_a_data_yaml_that_is_no_use(tmp_path: Path, text: str, words: str) -> None:
    _written(tmp_path / "data")
    (tmp_path / "data/data.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        read(tmp_path / "data/data.yaml")


def test_pictures_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    data = _written(tmp_path / "data")
    Image.new("RGB", (100, 80)).save(tmp_path / "secret.png")
    (data / "images/b.png").unlink()
    (data / "images/b.png").symlink_to(tmp_path / "secret.png")
    reading = read(data)
    assert [(one.reason, one.count) for one in reading.notes] == [("path_outside_folder", 1)]
    assert reading.positives.items.ids.to_pylist() == ["a/0", "a/1"]
