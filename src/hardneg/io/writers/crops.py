"""Crops for a classifier behind a detector: ``train/<class>/``, ``hard_negative/<class it was taken for>/``.

What is there is cut out of the pictures and stands under its class; what counts for nothing is left out. A mined
detection stands under the class that it was taken for: train on it as a class of its own (background), or as a
negative of that class. Suspects stand apart, in ``suspects/``, to be looked at. ``image-folder`` has only items with a
label of their own, so it leaves out backgrounds.

Crops are PNG files; ``index.csv`` says for each its image and box.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from hardneg.images import BrokenImage, Crop, rgb
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._flat import write_flat
from hardneg.io.writers._ground_truth import BoxOf
from hardneg.io.writers._mined_boxes import Scenes, scenes
from hardneg.io.writers._names import Names
from hardneg.io.writers._photos import Stems, check_photos

__all__ = ["CROPS"]

_PARTS = ("train", "hard_negative", "suspects")


def _write(export: Export) -> None:
    found, stems, kinds = scenes(export), Stems(), Names()
    check_photos(export, found.truth)
    folders = [kinds.free(one.name) for one in found.truth.categories]
    made: list[tuple[str, str, BoxOf]] = []
    for row, photo in enumerate(found.truth.images):
        stem, _ = stems.of(photo)
        if photo.path is None:
            export.skips.add("image_without_a_picture", f"{photo.id} ({photo.name})")
            continue
        numbers: defaultdict[str, int] = defaultdict(int)
        for part, category, box in _boxes(found, row):
            file = Path(part, folders[category], f"{stem}-{part[0]}{numbers[part]}.png")
            numbers[part] += 1
            if _cut(export, Crop(str(photo.path), box), export.target / file):
                export.counts[f"crops_{part}"] += 1
                made.append((file.as_posix(), str(photo.id), box))
    files, images, boxes = zip(*made, strict=True) if made else ((), (), ())
    columns = {"file": pa.array(files, pa.string()), "image": pa.array(images, pa.string())}
    columns["box"] = pa.array([list(one) for one in boxes], pa.list_(pa.float64()))
    export.rows(export.counts["crops_train"] + export.counts["crops_hard_negative"])
    write_flat(export.target / "index.csv", pa.table(columns))


def _boxes(found: Scenes, row: int) -> Iterator[tuple[str, int, BoxOf]]:
    there = [(one.category, one.box) for one in found.truth.boxes.get(row, ()) if not one.uncounted]
    mined, doubted = ([(one.category, one.box) for one in of.get(row, ())] for of in (found.negatives, found.suspects))
    for part, boxes in zip(_PARTS, (there, mined, doubted), strict=True):
        yield from ((part, *one) for one in boxes)


def _cut(export: Export, crop: Crop, place: Path) -> bool:
    try:
        image = rgb(crop)
    except BrokenImage as error:
        export.skips.add(error.reason, place.name)
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    image.save(place, "png")
    return True


CROPS = Writer(
    "crops", "a classifier behind a detector: crops of what is there, and of what was taken for it", (),
    "pictures, categories", _write, (), texts=False,
)  # fmt: skip
