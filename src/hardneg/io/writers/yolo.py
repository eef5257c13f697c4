"""YOLO: ``images/train/``, ``labels/train/`` with a file for each image, and ``data.yaml``, as Ultralytics reads them.

A line of a label file is ``class x y width height``: the class counted from 0 in the order of the categories, centre
and size as shares of the picture. An image in which nothing is has an empty file: it is trained on as background
(``ultralytics/data/utils.py``, ``verify_image_label``), and that is how mined backgrounds come to count. Boxes are cut
at the edge of the picture, for Ultralytics leaves out a whole image with a box outside. The mined boxes themselves
are in ``hard_negatives.csv``; no trainer reads it.

YOLO cannot say "ignore this": a suspect, and a crowd or what is difficult, would be trained on as background. So their
images are copied (as PNG) with these boxes grey, but for what lies in a box that is there. ``unsure`` leaves such
images out instead, or lets the boxes be background; all is counted.

Pictures are symbolic links unless ``files`` says otherwise. An image without a picture, or of unknown size, is left out
and counted. ``hard_class`` adds a last class with a box for each mined background.
"""

from __future__ import annotations

import json
from pathlib import Path

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened
from hardneg.io.writers._ground_truth import BoxOf, Truth
from hardneg.io.writers._hard_class import HARD_CLASS, check_hard_class
from hardneg.io.writers._hard_negatives import write_hard_negatives
from hardneg.io.writers._mined_boxes import Scenes, scenes
from hardneg.io.writers._photos import Size, Stems, check_photos, clipped, masked, put_photo, size_of

__all__ = ["YOLO"]

Labels = list[tuple[int, BoxOf]]


def _write(export: Export) -> None:
    found, stems = scenes(export), Stems()
    check_photos(export, found.truth)
    check_hard_class(export, found.truth)
    images, labels = (export.target / part / "train" for part in ("images", "labels"))
    for one in (images, labels):
        one.mkdir(parents=True)
    files: dict[int, str] = {}
    for row in found.rows():
        photo = found.truth.images[row]
        size, unsure = size_of(export, photo), _unsure(found, row)
        if size is None:
            continue
        if unsure and export.options.unsure == "leave-out":
            export.skips.add("image_with_unsure_boxes", f"{photo.id} ({photo.name}): {len(unsure)}")
            continue
        stem, suffix = stems.of(photo)
        there = _labels(export, found, row, size)
        grey = bool(unsure) and export.options.unsure == "mask" and photo.path is not None
        place = images / f"{stem}{'.png' if grey else suffix}"
        if grey:
            put = masked(export, photo, place, unsure, [box for _, box in there])
            export.counts["images_masked"] += put
            export.counts["boxes_masked"] += len(unsure) * put
        else:
            put = put_photo(export, photo, place)
            export.counts["boxes_to_ignore_not_said"] += len(unsure) * put
        if put:
            _write_labels(labels / f"{stem}.txt", there, size, export)
            files[row] = f"images/train/{place.name}"
    _write_data(export, found.truth)
    write_hard_negatives(export, found, files)
    export.rows(len(files))
    if export.counts["boxes_to_ignore_not_said"]:
        export.notes.append(
            f"{export.counts['boxes_to_ignore_not_said']:,} suspects and uncounted boxes will be trained on as "
            "background, for YOLO cannot ignore them. Copies of the pictures with these in grey: --unsure mask"
        )
    if export.counts["images_masked"]:
        export.notes.append(
            f"{export.counts['boxes_masked']:,} suspects and uncounted boxes are grey in copies of "
            f"{export.counts['images_masked']:,} pictures, for YOLO cannot ignore them."
        )


def _labels(export: Export, found: Scenes, row: int, size: Size) -> Labels:
    """What is there, cut at the edges; with ``hard_class`` the mined backgrounds, each once."""
    hard = len(found.truth.categories)
    boxes = [(one.category, one.box) for one in found.truth.boxes.get(row, ()) if not one.uncounted]
    if export.options.hard_class:
        mined = dict.fromkeys(one.box for one in found.negatives.get(row, ()) if one.background)
        boxes += [(hard, box) for box in mined]
    inside = []
    for category, box in boxes:
        if (part := clipped(box, size)) is None:
            export.skips.add("box_outside_the_picture", f"{found.truth.images[row].name}: {box}")
        else:
            inside.append((category, part))
    return inside


def _unsure(found: Scenes, row: int) -> list[BoxOf]:
    """What should count neither as a thing nor as background."""
    uncounted = [one.box for one in found.truth.boxes.get(row, ()) if one.uncounted]
    return [*uncounted, *(one.box for one in found.suspects.get(row, ()))]


def _write_labels(path: Path, there: Labels, size: Size, export: Export) -> None:
    width, height = size
    export.counts["boxes_written"] += len(there)
    with opened(path) as file:
        for category, (left, top, wide, high) in there:
            shares = ((left + wide / 2) / width, (top + high / 2) / height, wide / width, high / height)
            file.write(f"{category} {' '.join(f'{one:.8g}' for one in shares)}\n".encode())


def _write_data(export: Export, truth: Truth) -> None:
    """``data.yaml``. JSON text is YAML text, so names are quoted as JSON."""
    names = [one.name for one in truth.categories] + [HARD_CLASS] * export.options.hard_class
    with opened(export.target / "data.yaml") as file:
        file.write(b"# Written by hardneg. Put your own validation images at 'val': these are for training.\n")
        file.write(b"train: images/train\nval: images/train\n")
        file.write(f"nc: {len(names)}\nnames:\n".encode())
        for number, name in enumerate(names):
            file.write(f"  {number}: {json.dumps(name)}\n".encode())


YOLO = Writer(
    "yolo", "Ultralytics and other YOLO trainers: images/, labels/, data.yaml; empty labels for background", (),
    "boxes, categories", _write, ("files", "hard_class", "unsure", "backgrounds"), texts=False,
)  # fmt: skip
