"""Detections as trainers read them: read back by pycocotools, a parser of YOLO, and the XML library."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tests.detected import CAT, DOG, FILES, FOUND, HIDDEN, STRIPE, TAKEN, TRUTH, mined, write_data
from tests.labelled import labelled

import hardneg as hn
from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.writers import ExportOptions, export
from hardneg.run import Run

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")

BOXES = ["coco", "yolo", "voc", "crops", "image-weight"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return mined(tmp_path_factory.mktemp("boxes"))


def _out(folder: Path, name: str) -> Path:
    return folder / {"coco": "out.json", "image-weight": "out.csv"}.get(name, "out")


def _skipped(report: Any) -> dict[str, int]:
    return {one.reason: one.count for one in report.skips}


def test_the_run_is_what_the_others_rest_on(run: Run) -> None:
    verdicts = {one["item"]: one["verdict"] for one in run.candidates.table.to_pylist()}
    assert verdicts == {"1/d0": "keep", "2/d0": "suspect", "2/d1": "keep"}


# COCO


def test_pycocotools_gives_every_image_and_box_back(run: Run, tmp_path: Path) -> None:
    report = export(run, "coco", tmp_path / "out.json")
    coco = COCO(str(tmp_path / "out.json"))
    assert set(coco.imgs) == set(FILES)
    assert report.rows == len(FILES)
    assert [coco.imgs[key]["file_name"] for key in FILES] == list(FILES.values())
    assert coco.loadCats(coco.getCatIds()) == TRUTH["categories"]
    usable = [one for one in TRUTH["annotations"] if one["bbox"][2]]
    found = [one for one in coco.anns.values() if "suspect" not in one]
    assert [(o["image_id"], o["category_id"], o["bbox"]) for o in found] == [
        (o["image_id"], o["category_id"], o["bbox"]) for o in usable
    ]
    assert len(coco.anns) == len(usable) + 1, "ids must be unique"
    assert coco.anns[11]["colour"] == "red"
    assert coco.anns[11]["segmentation"] == usable[0]["segmentation"]
    assert coco.getAnnIds(imgIds=4) == []
    assert _skipped(report) == {"annotation_no_area": 1}


def test_suspects_are_regions_that_pycocotools_ignores(run: Run, tmp_path: Path) -> None:
    export(run, "coco", tmp_path / "out.json")
    coco = COCO(str(tmp_path / "out.json"))
    (suspect,) = [one for one in coco.anns.values() if "suspect" in one]
    assert (suspect["image_id"], suspect["category_id"], suspect["bbox"]) == (2, CAT, HIDDEN)
    assert suspect["iscrowd"] == 1
    assert "ignore" not in suspect
    judged = COCOeval(coco, coco.loadRes([one for one in FOUND if one["image_id"] == 2]), "bbox")
    judged.evaluate()
    (image,) = [one for one in judged.evalImgs if one and one["image_id"] == 2 and one["aRng"] == [0, 1e10]]
    assert dict(zip(image["dtIds"], image["dtIgnore"][0], strict=True)) == {1: False, 2: True}  # stripe, hidden cat


def test_hard_negatives_load_as_results(run: Run, tmp_path: Path) -> None:
    export(run, "coco", tmp_path / "out.json")
    hard = json.loads((tmp_path / "out.json").read_text())["hard_negatives"]
    assert [(one["image_id"], one["bbox"], one["reason"], one["score"]) for one in hard] == [
        (1, TAKEN, "confusion", 0.55),
        (2, STRIPE, "background", 0.75),
    ]
    shown = COCO(str(tmp_path / "out.json")).loadRes(hard)
    assert [one["bbox"] for one in shown.loadAnns(shown.getAnnIds(catIds=CAT))] == [TAKEN, STRIPE]


def test_a_class_of_hard_negatives_holds_backgrounds_alone(run: Run, tmp_path: Path) -> None:
    export(run, "coco", tmp_path / "out.json", options=ExportOptions(hard_class=True))
    coco = COCO(str(tmp_path / "out.json"))
    (key,) = coco.getCatIds(catNms="hard_negative")
    assert key == DOG + 1
    assert [(one["image_id"], one["bbox"]) for one in coco.loadAnns(coco.getAnnIds(catIds=key))] == [(2, STRIPE)]


def test_an_id_that_is_there_twice_is_made_new(tmp_path: Path) -> None:
    truth = json.loads(json.dumps(TRUTH))
    truth["annotations"][1]["id"] = 11
    report = export(mined(tmp_path, truth), "coco", tmp_path / "out.json")
    assert len(COCO(str(tmp_path / "out.json")).anns) == 7
    assert _skipped(report)["annotation_id_made_new"] == 1


def test_it_reads_as_it_was_read(run: Run, tmp_path: Path) -> None:
    export(run, "coco", tmp_path / "out.json.gz")
    again = read(tmp_path / "out.json.gz", options=ReadOptions()).positives.items.table
    boxes = {(one["image_id"], one["label"], tuple(one["box"])) for one in again.to_pylist()}
    there = [one for one in run.items.table.to_pylist() if one["predicted"] is None]
    assert boxes == {(one["image_id"], one["label"], tuple(one["box"])) for one in there}


# YOLO


def _yolo(folder: Path) -> Iterator[tuple[str, Path, list[tuple[str, list[float]]]]]:
    """For each image its stem, its picture, and class and box in pixels: as a trainer finds labels by images."""
    data = yaml.safe_load((folder / "data.yaml").read_text())
    assert data["nc"] == len(data["names"])
    for picture in sorted((folder / data["train"]).iterdir()):
        label = Path(str(picture).replace("/images/", "/labels/")).with_suffix(".txt")
        width, height = Image.open(picture).size
        boxes = []
        for line in label.read_text().splitlines():
            number, *shares = line.split()
            x, y, w, h = map(float, shares)
            assert min(x, y, w, h) >= 0
            assert max(x + w / 2, y + h / 2) <= 1 + 1e-6
            box = [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height]
            boxes.append((data["names"][int(number)], box))
        yield picture.stem, picture, boxes


def test_yolo_gives_the_boxes_back_and_empty_files_for_the_rest(run: Run, tmp_path: Path) -> None:
    report = export(run, "yolo", tmp_path / "out", options=ExportOptions(unsure="background"))
    found = {stem: boxes for stem, _, boxes in _yolo(tmp_path / "out")}
    expected: dict[str, list[tuple[str, list[float]]]] = {
        "a": [("cat", [10, 10, 40, 40]), ("dog", [90, 50, 40, 40])],
        "b": [],
        "b-2": [("cat", [60, 30, 40, 40])],
        "c": [],
        "d": [("cat", [140.5, 100, 19.5, 20])],
        "e": [],
    }
    assert found.keys() == expected.keys()
    for stem, boxes in expected.items():
        assert [name for name, _ in found[stem]] == [name for name, _ in boxes]
        assert np.allclose([box for _, box in found[stem]], [box for _, box in boxes], atol=1e-4), stem
    assert (tmp_path / "out/images/train/b.png").resolve() == run.path.parent / "images/night/b.png"
    assert report.rows == 6
    assert report.counts["boxes_to_ignore_not_said"] == 3
    assert any("3 suspects and uncounted boxes will be trained on as background" in one for one in report.notes)
    rows = list(csv.DictReader((tmp_path / "out/hard_negatives.csv").open()))
    assert [(one["file"], one["taken_for"], one["reason"]) for one in rows] == [
        ("images/train/a.png", "cat", "confusion"),
        ("images/train/b.png", "cat", "background"),
    ]


def test_masks_make_suspects_grey_and_nothing_else(run: Run, tmp_path: Path) -> None:
    report = export(run, "yolo", tmp_path / "out", options=ExportOptions(files="copy"))
    assert report.counts["images_masked"] == 3
    assert report.counts["boxes_to_ignore_not_said"] == 0
    assert report.counts["boxes_masked"] == 3
    assert any("3 suspects and uncounted boxes are grey in copies of 3 pictures" in one for one in report.notes)
    masked, before = (
        np.asarray(Image.open(one).convert("RGB"))
        for one in (tmp_path / "out/images/train/b.png", run.path.parent / "images/night/b.png")
    )
    inside = np.zeros(masked.shape[:2], bool)
    inside[20:60, 100:140] = True
    assert (masked[inside] == 114).all()
    assert (masked[~inside] == before[~inside]).all()


def test_images_with_unsure_boxes_can_be_left_out(run: Run, tmp_path: Path) -> None:
    report = export(run, "yolo", tmp_path / "out", options=ExportOptions(unsure="leave-out"))
    assert _skipped(report)["image_with_unsure_boxes"] == 3
    assert [stem for stem, *_ in _yolo(tmp_path / "out")] == ["a", "c", "d"]


def _images(folder: Path, name: str) -> set[str]:
    """The images of an export, by the stem of their files."""
    if name == "coco":
        return {Path(one["file_name"]).stem for one in json.loads((folder / "out.json").read_text())["images"]}
    pictures = folder / "out" / {"yolo": "images/train", "voc": "JPEGImages"}[name]
    return {one.stem.partition("-")[0] for one in pictures.iterdir()}


@pytest.mark.parametrize("name", ["coco", "yolo", "voc"])
def test_a_budget_for_images_without_boxes(run: Run, tmp_path: Path, name: str) -> None:
    # Three images of six have a box that counts, so a share of 0.25 has room for one of the others: that with the
    # stripe, the only one in which something was mined.
    report = export(run, name, _out(tmp_path, name), options=ExportOptions(backgrounds=0.25))
    assert _skipped(report)["background_image_beyond_the_budget"] == 2
    assert _images(tmp_path, name) == {"a", "b", "d"}
    assert report.counts["images"] == 4
    assert report.counts["images_without_boxes"] == report.counts["images_without_boxes_with_negatives"] == 1
    assert not any("Trainers advise" in one for one in report.notes)


def test_without_boxes_none_stay_where_none_are_wanted(run: Run, tmp_path: Path) -> None:
    report = export(run, "coco", tmp_path / "out.json", options=ExportOptions(backgrounds=0.0))
    found = json.loads((tmp_path / "out.json").read_text())
    assert len(found["images"]) == 3
    assert report.counts["negatives_beyond_the_budget"] == 1
    there = {one["id"] for one in found["images"]}
    for part in ("annotations", "hard_negatives"):
        assert {one["image_id"] for one in found[part]} <= there


def test_a_class_of_hard_negatives_makes_a_box_of_a_background(run: Run, tmp_path: Path) -> None:
    options = ExportOptions(backgrounds=0.0, hard_class=True)
    export(run, "coco", tmp_path / "out.json", options=options)
    assert {one["id"] for one in json.loads((tmp_path / "out.json").read_text())["images"]} >= {2}


def test_more_images_without_boxes_than_trainers_advise_are_said(run: Run, tmp_path: Path) -> None:
    report = export(run, "coco", tmp_path / "out.json")
    (note,) = [one for one in report.notes if "Trainers advise" in one]
    assert note.startswith("3 of 6 images (50%) have no boxes.")
    assert note.endswith("--backgrounds 0.1")


def test_a_mask_leaves_what_is_there(tmp_path: Path) -> None:
    truth = json.loads(json.dumps(TRUTH))
    truth["annotations"][3]["bbox"] = [50, 40, 60, 60]  # the crowd lies over the cat
    export(mined(tmp_path, truth), "yolo", tmp_path / "out", options=ExportOptions())
    picture = Image.open(tmp_path / "out/images/train/b-2.png").convert("RGB")
    assert picture.getpixel((75, 60)) == (255, 0, 0)
    assert picture.getpixel((105, 95)) == (114, 114, 114)


def test_names_are_quoted(tmp_path: Path) -> None:
    truth = json.loads(json.dumps(TRUTH))
    for one, name in zip(truth["categories"], ['no: "yes"\n', "off"], strict=True):
        one["name"] = name
    export(mined(tmp_path, truth), "yolo", tmp_path / "out", options=ExportOptions(hard_class=True))
    names = yaml.safe_load((tmp_path / "out/data.yaml").read_text())["names"]
    assert names == {0: 'no: "yes"\n', 1: "off", 2: "hard_negative"}
    assert [name for stem, _, boxes in _yolo(tmp_path / "out") for name, _ in boxes if stem == "b"] == ["hard_negative"]


# Pascal VOC


def test_voc_reads_back(run: Run, tmp_path: Path) -> None:
    report = export(run, "voc", tmp_path / "out", options=ExportOptions(files="copy"))
    names = (tmp_path / "out/ImageSets/Main/train.txt").read_text().split()
    assert names == ["a", "b", "b-2", "c", "d", "e"]
    found: dict[str, list[tuple[str | None, int, list[float]]]] = {}
    for name in names:
        root = Xml.parse(tmp_path / f"out/Annotations/{name}.xml").getroot()
        assert Image.open(tmp_path / "out/JPEGImages" / (root.findtext("filename") or "")).size == (160, 120)
        assert [root.findtext(f"size/{one}") for one in ("width", "height")] == ["160", "120"]
        found[name] = [
            (
                one.findtext("name"),
                int(one.findtext("difficult") or -1),
                [float(one.findtext(f"bndbox/{at}") or math.nan) for at in ("xmin", "ymin", "xmax", "ymax")],
            )
            for one in root.findall("object")
        ]
    assert found["a"] == [("cat", 0, [11, 11, 50, 50]), ("dog", 0, [91, 51, 130, 90])]
    assert found["b"] == [("cat", 1, [101, 21, 140, 60])]  # the suspect
    assert found["b-2"] == [("cat", 0, [61, 31, 100, 70]), ("dog", 1, [1, 81, 160, 120])]
    assert found["c"] == []
    assert found["d"] == [("cat", 0, [141.5, 101, 160, 120])]
    assert report.counts["pictures_not_jpeg"] == 6


# Crops and weights


def test_crops_stand_under_their_class_and_what_they_were_taken_for(run: Run, tmp_path: Path) -> None:
    export(run, "crops", tmp_path / "out")
    colours = {
        path.relative_to(tmp_path / "out").as_posix(): np.asarray(Image.open(path))[20, 20].tolist()
        for path in (tmp_path / "out").rglob("*.png")
        if "hard_negative/cat/b" not in path.as_posix() and "train/cat/d" not in path.as_posix()
    }
    red, blue = [255, 0, 0], [0, 0, 255]
    assert colours == {
        "train/cat/a-t0.png": red,
        "train/dog/a-t1.png": blue,
        "train/cat/b-2-t0.png": red,
        "hard_negative/cat/a-h0.png": blue,
        "suspects/cat/b-s0.png": red,
    }
    assert Image.open(tmp_path / "out/hard_negative/cat/b-h0.png").size == (60, 20)
    assert Image.open(tmp_path / "out/train/cat/d-t0.png").size == (20, 20)
    index = list(csv.DictReader((tmp_path / "out/index.csv").open()))
    assert {one["file"] for one in index} == {
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")
    }


def test_weights_follow_their_formula_over_all_images(run: Run, tmp_path: Path) -> None:
    export(run, "image-weight", tmp_path / "out.csv")
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert [one["image"] for one in rows] == list(FILES.values())
    assert [int(one["n_negatives"]) for one in rows] == [1, 1, 0, 0, 0, 0]
    scores = {one["item"]: one["score"] for one in run.negatives.to_pylist()}
    hardness = {1: 0.5, 2: 1.0} if scores["1/d0"] < scores["2/d1"] else {1: 1.0, 2: 0.5}
    raw = np.array([1 + math.log2(1 + hardness.get(key, 0)) for key in FILES])
    assert np.allclose([float(one["weight"]) for one in rows], raw / raw.mean())


# What a run does not hold


@pytest.mark.parametrize("name", BOXES)
def test_the_counts_are_those_that_a_trainer_check_needs(run: Run, tmp_path: Path, name: str) -> None:
    report = export(run, name, _out(tmp_path, name))
    assert {key: report.counts[key] for key in ("images", "boxes", "negatives", "suspects")} == {
        "images": 6, "boxes": 6, "negatives": 2, "suspects": 1,
    }  # fmt: skip
    assert report.counts["images_without_boxes"] == 3  # 2, 4 and, with a crowd alone, 6
    assert report.counts["images_without_boxes_with_negatives"] == 1
    assert report.notes[0] == "All images and boxes, read again from 'truth.json'."


@pytest.mark.parametrize("form", ["yolo", "voc"])
def test_all_boxes_come_back_from_data_in_other_forms(run: Run, tmp_path: Path, form: str) -> None:
    export(run, form, tmp_path / "data", options=ExportOptions(files="copy"))
    names = {1: "a", 2: "b"}
    found = [
        {"image_id": names[one["image_id"]], "category_name": "cat", "bbox": one["bbox"], "score": one["score"]}
        for one in FOUND
    ]
    (tmp_path / "found.json").write_text(json.dumps(found))
    recipe = hn.Recipe(tmp_path / "data", read=ReadOptions(predictions=tmp_path / "found.json"), filters=("known",))
    again = recipe.mine(recipe.read_data(), tmp_path / "run", hn.Settings())
    report = export(again, "yolo", tmp_path / "again")
    assert report.notes[0] == "All images and boxes, read again from 'data'."
    export(run, "yolo", tmp_path / "first")
    first, then = ({stem: boxes for stem, _, boxes in _yolo(tmp_path / name)} for name in ("first", "again"))
    assert set(first) == set(then) == {"a", "b", "b-2", "c", "d", "e"}
    for stem, boxes in first.items():
        assert [name for name, _ in boxes] == [name for name, _ in then[stem]]
        for (_, one), (_, other) in zip(boxes, then[stem], strict=True):
            np.testing.assert_allclose(one, other, atol=1)


def test_a_run_without_its_data_says_what_is_missing(tmp_path: Path) -> None:
    run = mined(tmp_path)
    (tmp_path / "truth.json").unlink()
    report = export(run, "coco", tmp_path / "out.json")
    assert "Only what the run holds" in report.notes[0]
    assert "truth.json" in report.notes[0]
    coco = COCO(str(tmp_path / "out.json"))
    assert set(coco.imgs) == {1, 2, 3, 5}
    assert coco.imgs[2]["file_name"] == "night/b.png"
    assert coco.imgs[2]["width"] == 160
    assert len([one for one in coco.anns.values() if not one["iscrowd"]]) == 4
    manifest = json.loads((tmp_path / "out.json.manifest.json").read_text())
    assert manifest["export"]["notes"] == list(report.notes)


def test_a_run_made_in_python_has_no_recipe(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    options = ReadOptions(predictions=tmp_path / "found.json", media_root=tmp_path / "images")
    run = hn.mine(read(file, options=options).positives, encoder="descriptor", out=tmp_path / "run")
    report = export(run, "yolo", tmp_path / "out")
    assert report.notes[0].startswith("Only what the run holds, for it has no recipe.toml. Crowds are missing, and")
    assert {stem for stem, _, _ in _yolo(tmp_path / "out")} == {"a", "b", "b-2", "d"}


def test_data_that_changed_are_told(tmp_path: Path) -> None:
    run = mined(tmp_path)
    truth = json.loads(json.dumps(TRUTH))
    truth["images"][1]["id"], truth["annotations"][0]["bbox"] = 77, [10, 10, 30, 30]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    report = export(run, "coco", tmp_path / "out.json")
    assert report.notes[0].endswith("It has changed since the mining.")
    assert _skipped(report)["image_or_category_is_gone"] == 2  # the negative and the suspect of image 2


@pytest.mark.parametrize("name", ["yolo", "voc", "crops"])
def test_without_pictures_there_is_nothing_to_train_on(tmp_path: Path, name: str) -> None:
    run = mined(tmp_path)
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(InputError, match=r"needs the pictures. None of the 6 images has one. Mine with --images"):
        export(run, name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_and_a_broken_picture_are_counted(tmp_path: Path) -> None:
    run = mined(tmp_path)
    (tmp_path / "images/c.png").unlink()
    (tmp_path / "images/night/b.png").write_bytes(b"no picture")
    report = export(run, "yolo", tmp_path / "out")
    assert _skipped(report) == {"annotation_no_area": 1, "image_without_a_picture": 1, "not_an_image": 1}
    pictures = {one.stem for one in (tmp_path / "out/images/train").iterdir()}
    assert pictures == {one.stem for one in (tmp_path / "out/labels/train").iterdir()} == {"a", "b-2", "d", "e"}


def test_a_size_that_the_data_lack_is_that_of_the_picture(tmp_path: Path) -> None:
    truth = json.loads(json.dumps(TRUTH))
    for one in truth["images"]:
        del one["width"]
    export(mined(tmp_path, truth), "coco", tmp_path / "out.json")
    assert {one["width"] for one in COCO(str(tmp_path / "out.json")).imgs.values()} == {160}


def test_a_path_that_leads_out_has_no_picture(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "secret.png")
    truth = json.loads(json.dumps(TRUTH))
    truth["images"][3]["file_name"] = "../secret.png"
    report = export(mined(tmp_path, truth), "yolo", tmp_path / "out")
    assert _skipped(report)["image_without_a_picture"] == 1
    assert not list((tmp_path / "out").rglob("*secret*"))


@pytest.mark.parametrize("name", BOXES)
def test_other_runs_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="needs a mining of detections"):
        export(labelled(tmp_path), name, _out(tmp_path, name))


def test_a_category_of_that_name_is_refused(tmp_path: Path) -> None:
    truth = json.loads(json.dumps(TRUTH))
    truth["categories"][1]["name"] = "hard_negative"
    with pytest.raises(InputError, match="There is a category 'hard_negative' already"):
        export(mined(tmp_path, truth), "voc", tmp_path / "out", options=ExportOptions(hard_class=True))


def test_an_option_without_a_use_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="has no use for the option 'unsure'"):
        export(run, "voc", tmp_path / "out", options=ExportOptions(unsure="background"))


@pytest.mark.parametrize("name", BOXES)
def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path, name: str) -> None:
    told = []
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        report = export(run, name, _out(tmp_path / part, name))
        told.append({path.relative_to(tmp_path / part).as_posix(): path.read_bytes() for path in report.files})
    assert told[0] == told[1]
