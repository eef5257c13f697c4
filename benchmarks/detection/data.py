"""Photos with boxes, of which a share is deleted: what found these is a false positive that is none."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.texts import data_folder
from hardneg.collection import Collection
from hardneg.detect import Boxes, Detections, Kind, Mistakes, Truth, matched, mistakes
from hardneg.positives import Positives

__all__ = ["DELETED", "Photos", "Planted", "photos", "planted", "planted_where", "records"]

DELETED = 0.2


@dataclass(frozen=True, eq=False)
class Photos:
    """85 photos of rooms: all labelled boxes, what NanoDet found from a score of 0.05 on, and what another found."""

    truth: Truth
    found: Detections
    second: Detections
    images: Collection
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Planted:
    """The relations without the deleted boxes, and what each item is when these are counted again.

    ``missing``: a background whose detection is the one that finds a deleted box; ``negative``: a background by the
    whole ground truth as well. The other backgrounds lie beside a deleted box, or find it a second time. ``deleted``
    counts the boxes, ``found`` those of them that the detector finds.
    """

    positives: Positives
    missing: NDArray[np.bool_]
    negative: NDArray[np.bool_]
    deleted: int
    found: int


def photos(work: Path) -> Photos:
    """Read the data; the pictures are unpacked into ``work`` once."""
    folder = data_folder() / "det_map85_gt_dt"
    said = json.loads((folder / "annotations.json").read_text())
    if not (work / "pictures").is_dir():
        with zipfile.ZipFile(folder / "images.zip") as archive:
            archive.extractall(work / "pictures")
    rows = {one["id"]: row for row, one in enumerate(said["images"])}
    of = {one["id"]: row for row, one in enumerate(said["categories"])}

    def columns(boxes: list[dict[str, Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        image = np.array([rows[one["image_id"]] for one in boxes])
        return image, np.array([of[one["category_id"]] for one in boxes]), np.array([one["bbox"] for one in boxes])

    def results(name: str) -> Detections:
        boxes = json.loads((folder / name).read_text())
        return Detections(*columns(boxes), np.array([one["score"] for one in boxes]))

    paths = {file.name: str(file.relative_to(work)) for file in (work / "pictures").rglob("*.jpg")}
    images = pa.table({"id": list(rows), "path": [paths[one["file_name"]] for one in said["images"]]})
    return Photos(
        Truth(*columns(said["annotations"])),
        results("detections_nanodet.json"),
        results("detections.json"),
        Collection(images, work),
        tuple(one["name"] for one in said["categories"]),
    )


def records(boxes: Boxes) -> list[dict[str, Any]]:
    """Image, category and box of each, by number, as COCO has them."""
    columns = (one.tolist() for one in (boxes.image, boxes.category, boxes.box))
    return [dict(zip(("image_id", "category_id", "bbox"), one, strict=True)) for one in zip(*columns, strict=True)]


def planted(data: Photos, seed: int, *, second: bool = True, pictures: bool = True) -> Planted:
    """Delete each box with probability ``DELETED``."""
    gone = np.random.default_rng(seed).random(len(data.truth)) < DELETED
    return planted_where(data, gone, second=second, pictures=pictures)


def planted_where(data: Photos, gone: NDArray[np.bool_], *, second: bool = True, pictures: bool = True) -> Planted:
    """Delete these boxes."""
    truth = data.truth
    left = Truth(truth.image[~gone], truth.category[~gone], truth.box[~gone])
    images = data.images if pictures else Collection(data.images.table.drop_columns("path"))
    positives = Positives.from_boxes(
        left, data.found, _judged(left, data.found), images=images, categories=data.names,
        second=data.second if second else None,
    )  # fmt: skip
    whole = _judged(truth, data.found)
    finds = (whole.kind == Kind.CORRECT) & gone[whole.truth]
    row = _detections_of(positives, data)
    mined = (row >= 0) & np.isin(_column(positives, "predicted"), positives.anchors.ids.to_pylist())
    mined &= _column(positives, "mistake") == "background"
    missing, negative = mined & finds[row], mined & (whole.kind == Kind.BACKGROUND)[row]
    return Planted(positives, missing, negative, int(gone.sum()), int(finds.sum()))


def _judged(truth: Truth, found: Detections) -> Mistakes:
    return mistakes(truth, found, matched(truth, found))


def _detections_of(positives: Positives, data: Photos) -> NDArray[np.int64]:
    """For each item the row of its detection, -1 for a labelled box."""
    found, ids = data.found, data.images.ids.to_pylist()
    parts = zip(found.image.tolist(), found.category.tolist(), found.box.tolist(), found.score.tolist(), strict=True)
    rows = {(ids[image], data.names[of], *box, score): row for row, (image, of, box, score) in enumerate(parts)}
    items = positives.items.table.select(["image_id", "predicted", "box", "detector_score"]).to_pylist()
    return np.array(
        [rows.get((one["image_id"], one["predicted"], *one["box"], one["detector_score"]), -1) for one in items]
    )


def _column(positives: Positives, name: str) -> NDArray[np.object_]:
    return np.array(positives.items.table.column(name).to_pylist(), object)
