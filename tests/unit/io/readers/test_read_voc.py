from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.reading import Reading

# Boxes from the first to the last pixel, counted from 1: COCO's [10, 10, 20, 20], [60, 10, 30, 30] and so on.
TRUTH = {
    "a": [("cat", 11, 11, 30, 30, 0), ("dog", 61, 11, 90, 40, 0)],
    "b": [("dog", 1, 1, 40, 40, 1), ("cat", 51, 51, 70, 70, 0)],
    "c": [],
}
FOUND = {
    "cat": ["a 0.9 11 11 30 30", "a 0.8 62 12 90 40", "b 0.7 2 2 21 21"],  # correct, the dog, in what is difficult
    "dog": ["b 0.6 81 1 95 15"],  # nothing there
}


def _xml(name: str, boxes: list[Any]) -> str:
    objects = "".join(
        f"<object><name>{kind}</name><difficult>{difficult}</difficult><bndbox><xmin>{x}</xmin><ymin>{y}</ymin>"
        f"<xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox><part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
        "<xmax>5</xmax><ymax>5</ymax></bndbox></part></object>"
        for kind, x, y, right, bottom, difficult in boxes
    )
    size = "<size><width>100</width><height>80</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}.png</filename>{size}{objects}</annotation>"


def _written(folder: Path, truth: dict[str, Any] = TRUTH) -> Path:
    for one in ("Annotations", "JPEGImages"):
        (folder / one).mkdir(parents=True)
    for name, boxes in truth.items():
        (folder / "Annotations" / f"{name}.xml").write_text(_xml(name, boxes))
        Image.new("RGB", (100, 80), "white").save(folder / "JPEGImages" / f"{name}.png")
    return folder


def _results(folder: Path, found: dict[str, list[str]] = FOUND) -> ReadOptions:
    folder.mkdir()
    for name, lines in found.items():
        (folder / f"comp4_det_test_{name}.txt").write_text("\n".join(lines) + "\n")
    return ReadOptions(predictions=folder)


def _rows(reading: Reading) -> list[tuple[object, ...]]:
    table = reading.positives.items.table
    names = ("id", "label", "predicted", "mistake", "box")
    return list(zip(*(table.column(one).to_pylist() for one in names), strict=True))


def _skipped(reading: Reading) -> dict[str, int]:
    return {one.reason: one.count for one in reading.skips}


def test_annotations_and_results_are_read(tmp_path: Path) -> None:
    reading = read(_written(tmp_path / "VOC"), options=_results(tmp_path / "found"))
    assert reading.format == "voc"
    assert _rows(reading) == [
        ("a/0", "cat", None, None, [10, 10, 20, 20]),
        ("a/1", "dog", None, None, [60, 10, 30, 30]),
        ("a/d0", "dog", "cat", "confusion", [61, 11, 29, 29]),
        ("b/0", "cat", None, None, [50, 50, 20, 20]),
        ("b/d0", None, "dog", "background", [80, 0, 15, 15]),
    ]
    assert _skipped(reading) == {"detection_uncounted": 1}
    assert reading.counts["images"] == 3
    assert reading.positives.items.pictures is not None


def test_one_file_of_results_and_results_of_coco_are_read(tmp_path: Path) -> None:
    data, folder = _written(tmp_path / "VOC"), _results(tmp_path / "found").predictions
    assert folder is not None
    assert read(data, options=ReadOptions(predictions=folder / "comp4_det_test_dog.txt")).counts["detections"] == 1
    found = [{"image_id": "a", "category_name": "cat", "bbox": [61, 11, 29, 29], "score": 0.8}]
    (tmp_path / "found.json").write_text(json.dumps(found))
    counts = read(data, options=ReadOptions(predictions=tmp_path / "found.json")).counts
    assert counts["detections_confusion"] == 1


def test_splits_are_those_of_imagesets(tmp_path: Path) -> None:
    data = _written(tmp_path / "VOC")
    (data / "ImageSets/Main").mkdir(parents=True)
    (data / "ImageSets/Main/train.txt").write_text("a\nc\ngone\n")
    (data / "ImageSets/Main/val.txt").write_text("b\n")
    (data / "ImageSets/Main/cat_train.txt").write_text("a 1\nc -1\n")
    reading = read(data)
    assert reading.format == "voc, split train"
    assert reading.positives.items.ids.to_pylist() == ["a/0", "a/1"]
    assert _skipped(reading) == {"listed_without_a_file": 1}
    with pytest.raises(OptionError, match="'val' is for evaluation"):
        read(data, options=ReadOptions(split="val"))


def test_a_folder_of_xml_without_pictures_is_read(tmp_path: Path) -> None:
    for name, boxes in TRUTH.items():
        (tmp_path / f"{name}.xml").write_text(_xml(name, boxes))
    reading = read(tmp_path)
    assert reading.positives.items.ids.to_pylist() == ["a/0", "a/1", "b/0"]
    assert reading.positives.items.pictures is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("z 0.9 1 1 20 20", "unknown_image"),
        ("a 0.9 1 1 20", "broken_line"),
        ("a high 1 1 20 20", "broken_line"),
        ("a nan 1 1 20 20", "no_score"),
        ("a 0.9 20 1 10 20", "negative_side"),
        ("a 0.9 200 1 220 20", "outside_the_image"),
    ],
)
def test_a_result_that_cannot_be_used_is_counted(tmp_path: Path, line: str, reason: str) -> None:
    options = _results(tmp_path / "found", {"cat": [*FOUND["cat"][:2], line]})
    reading = read(_written(tmp_path / "VOC"), options=options)
    assert _skipped(reading) == {reason: 1}
    assert "comp4_det_test_cat.txt, line 3" in reading.skips[0].examples[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE z [<!ENTITY l0 "ha">{lines}]>{_xml("a", [])}'
    outside = f'<!DOCTYPE z [<!ENTITY e SYSTEM "file:///etc/passwd">]>{_xml("&e;", [])}'
    data = _written(tmp_path / "VOC")
    for text in (bomb, outside):
        (data / "Annotations/b.xml").write_bytes(text.encode(encoding))
        with pytest.raises(InputError, match=r"b\.xml: It declares an entity"):
            read(data)


@pytest.mark.parametrize("text", ["", "<annotation><object>", "<svg/>", "no xml"])
def test_broken_xml_is_named(tmp_path: Path, text: str) -> None:
    data = _written(tmp_path / "VOC")
    (data / "Annotations/b.xml").write_text(text)
    with pytest.raises(InputError, match=r"b\.xml: It is (no XML|about 'svg')"):
        read(data)


def test_real_boxes_written_as_voc_and_yolo_read_as_coco_does(data_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("ijson")
    source = data_dir / "det_map85_gt_dt"
    truth = json.loads((source / "annotations.json").read_text())
    found = json.loads((source / "detections_nanodet.json").read_text())
    with zipfile.ZipFile(source / "images.zip") as packed:
        packed.extractall(tmp_path / "packed")
    files = {Path(one).name: one for one in (tmp_path / "packed").rglob("*.jpg")}
    for folder in ("yolo/images", "yolo/labels", "yolo_found", "voc/Annotations", "voc_found"):
        (tmp_path / folder).mkdir(parents=True)
    rows = {one["id"]: row for row, one in enumerate(truth["categories"])}
    kinds = {one["id"]: one["name"] for one in truth["categories"]}
    (tmp_path / "yolo/classes.txt").write_text("\n".join(kinds.values()))
    stems = {}
    for one in truth["images"]:
        name, sides = Path(one["file_name"]).name, (one["width"], one["height"])
        stems[one["id"]] = Path(name).stem, sides
        (tmp_path / "yolo/images" / name).write_bytes(files[name].read_bytes())
        mine = [box for box in truth["annotations"] if box["image_id"] == one["id"]]
        (tmp_path / "yolo/labels" / f"{stems[one['id']][0]}.txt").write_text(
            "".join(f"{rows[box['category_id']]} {_shares(box['bbox'], sides)}\n" for box in mine)
        )
        boxes = [(kinds[box["category_id"]], *_ends(box["bbox"]), 0) for box in mine]
        (tmp_path / "voc/Annotations" / f"{stems[one['id']][0]}.xml").write_text(
            _xml(name, boxes).replace(">100<", f">{sides[0]}<").replace(">80<", f">{sides[1]}<")
        )
    for box in found:
        stem, sides = stems[box["image_id"]]
        with (tmp_path / "yolo_found" / f"{stem}.txt").open("a") as file:
            file.write(f"{rows[box['category_id']]} {_shares(box['bbox'], sides)} {box['score']}\n")
        with (tmp_path / f"voc_found/comp4_det_val_{kinds[box['category_id']]}.txt").open("a") as file:
            file.write(" ".join(map(repr, (stem, box["score"], *_ends(box["bbox"])))).replace("'", "") + "\n")
    coco, yolo, voc = (
        read(tmp_path / place if made else source / place, options=ReadOptions(predictions=predictions)).counts
        for place, made, predictions in (
            ("annotations.json", False, source / "detections_nanodet.json"),
            ("yolo", True, tmp_path / "yolo_found"),
            ("voc", True, tmp_path / "voc_found"),
        )
    )
    assert {**yolo, "images": 0} == {**coco, "images": 0}
    assert voc["boxes"] == coco["boxes"]
    # VOC's classes are those that are there; what was taken for another is left out.
    assert voc["detections_correct"] == coco["detections_correct"]
    assert voc["detections"] < coco["detections"]


def _shares(box: list[float], sides: tuple[int, int]) -> str:
    x, y, width, height = box
    numbers = ((x + width / 2) / sides[0], (y + height / 2) / sides[1], width / sides[0], height / sides[1])
    return " ".join(map(repr, numbers))


def _ends(box: list[float]) -> tuple[float, ...]:
    return box[0] + 1, box[1] + 1, box[0] + box[2], box[1] + box[3]
