"""COCO: every image and every box of the data set, with the mined negatives and the suspects.

``annotations`` hold what is there: where the data set is COCO, its own annotations with all that they say, else boxes.
Images without annotations stay. Beside them is the list ``hard_negatives`` (which COCO readers pass over) of what was
sampled, in the form of COCO results, so that ``coco.loadRes(document["hard_negatives"])`` shows them: ``image_id``,
``category_id`` (what it was taken for), ``bbox``, ``score`` (the detector's), ``reason`` (``background`` or
``confusion``) and ``item`` (the id in the run).

A suspect is an annotation with ``iscrowd`` 1, of the category that it may be: pycocotools does not count a detection
there, and MMDetection takes it for a region to ignore, which its assigners do where ``ignore_iof_thr`` is above 0. It
has no ``ignore``: Detectron2 refuses a file with one (``detectron2/data/datasets/coco.py``), and MMDetection passes
over the annotation, so that the place is background (``mmdet/datasets/coco.py``). Detectron2 and torchvision's
reference leave crowds out in training (``detectron2/data/dataset_mapper.py``, ``references/detection/coco_utils.py``):
there a suspect is background in any case.

``hard_class`` adds the category ``hard_negative`` with a box for each mined background: what lies on a thing of
another category has that thing's own box.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, TypeGuard

from hardneg.io.readers._coco_files import records
from hardneg.io.readers._masks import with_box
from hardneg.io.writers._base import ExportOptions, Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import line, opened
from hardneg.io.writers._ground_truth import BoxOf, Truth, why_not
from hardneg.io.writers._hard_class import HARD_CLASS, check_hard_class
from hardneg.io.writers._mined_boxes import Scenes, scenes
from hardneg.io.writers._photos import size_of
from hardneg.run import Run

__all__ = ["COCO", "count_images"]

Record = dict[str, Any]


def _write(export: Export) -> None:
    found = scenes(export)
    check_hard_class(export, found.truth)
    parts = {
        "images": _images(export, found),
        "categories": _categories(export, found.truth),
        "annotations": _annotations(export, found),
        "hard_negatives": _hard_negatives(found),
    }
    with opened(export.target) as file:
        for number, (name, rows) in enumerate(parts.items()):
            file.write(f'{"," if number else "{"}\n"{name}": ['.encode())
            for place, row in enumerate(rows):
                file.write((b",\n" if place else b"\n") + line(row).rstrip(b"\n"))
            file.write(b"\n]")
        file.write(b"\n}\n")
    export.rows(export.counts["images"])


def _images(export: Export, found: Scenes) -> Iterator[Record]:
    truth = found.truth
    known = truth.image_rows()
    rows: Iterable[Record] = [{}] * len(truth.images) if truth.annotations is None else _of(truth.annotations, known)
    for row, (photo, own) in enumerate(zip(truth.images, rows, strict=True)):
        if row in found.left_out:
            continue
        size = {"width": photo.width, "height": photo.height}
        if photo.width is None or photo.height is None:
            size = dict(zip(size, size_of(export, photo) or (None, None), strict=True))
        yield {**own, "id": photo.id, "file_name": photo.name, **{k: v for k, v in size.items() if v is not None}}


def _of(annotations: Path, known: Mapping[str, int]) -> Iterator[Record]:
    """The records of the images that are of the split."""
    return (dict(one) for one in records(annotations, "images") if str(one.get("id")) in known)


def _categories(export: Export, truth: Truth) -> Iterator[Record]:
    if truth.annotations is not None:
        yield from (dict(one) for one in records(truth.annotations, "categories"))
    else:
        yield from ({"id": one.id, "name": one.name} for one in truth.categories)
    if export.options.hard_class:
        yield {"id": _hard_id(truth), "name": HARD_CLASS}


def _hard_id(truth: Truth) -> int | str:
    """An id that no category has: the next number, or the name where ids are text."""
    ids = [one.id for one in truth.categories]
    return max(one for one in ids if isinstance(one, int)) + 1 if all(isinstance(i, int) for i in ids) else HARD_CLASS


class _Numbers:
    """Ids of annotations: their own where they are whole numbers that were not there before, else above all of them."""

    def __init__(self, last: int) -> None:
        self._taken: set[int] = set()
        self._new = count(last + 1)

    def of(self, own: object = None) -> int:
        number = own if _is_number(own) and own not in self._taken else next(self._new)
        self._taken.add(number)
        return number


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _annotations(export: Export, found: Scenes) -> Iterator[Record]:
    truth = found.truth
    numbers = _Numbers(truth.last)
    for own in _own(found):
        number = numbers.of(own.get("id"))
        if own.get("id") not in (None, number):
            export.skips.add("annotation_id_made_new", f"{own['id']} is now {number}")
        yield {**own, "id": number}
    ids = [one.id for one in truth.categories]
    for row, suspects in found.suspects.items():
        for one in suspects:
            more = {"score": one.score, "reason": one.reason, "item": one.item}
            yield {"id": numbers.of(), "image_id": truth.images[row].id, "category_id": ids[one.category],
                   **_shape(one.box), "iscrowd": 1, "suspect": more}  # fmt: skip
    if export.options.hard_class:
        for row, negatives in found.negatives.items():
            for box in dict.fromkeys(one.box for one in negatives if one.background):
                yield {"id": numbers.of(), "image_id": truth.images[row].id, "category_id": _hard_id(truth),
                       **_shape(box), "iscrowd": 0}  # fmt: skip


def _own(found: Scenes) -> Iterator[Record]:
    """The annotations of the data set as they are; ids of images and categories are those of its own lists."""
    truth = found.truth
    if truth.annotations is None:
        yield from _made(found)
        return
    images, categories = truth.image_rows(), {str(one.id): row for row, one in enumerate(truth.categories)}
    for one in map(with_box, records(truth.annotations, "annotations")):
        image, category = images.get(str(one.get("image_id")), -1), categories.get(str(one.get("category_id")), -1)
        if why_not(one, image, category) is None and image not in found.left_out:
            ids = {"image_id": truth.images[image].id, "category_id": truth.categories[category].id}
            yield {**_shape(tuple(one["bbox"])), "iscrowd": 0, **one, **ids}


def _made(found: Scenes) -> Iterator[Record]:
    truth = found.truth
    for row in found.rows():
        for one in truth.boxes.get(row, ()):
            yield {"image_id": truth.images[row].id, "category_id": truth.categories[one.category].id,
                   **_shape(one.box), "iscrowd": int(one.uncounted)}  # fmt: skip


def _shape(box: BoxOf) -> Mapping[str, Any]:
    """A box, its area and, as ``loadRes`` of pycocotools makes it for results, its outline."""
    left, top, width, height = box
    right, bottom = left + width, top + height
    outline = [[left, top, left, bottom, right, bottom, right, top]]
    return {"bbox": list(box), "area": width * height, "segmentation": outline}


def _hard_negatives(found: Scenes) -> Iterator[Record]:
    truth = found.truth
    for row, negatives in found.negatives.items():
        for one in negatives:
            yield {"image_id": truth.images[row].id, "category_id": truth.categories[one.category].id,
                   "bbox": list(one.box), "score": one.score, "reason": one.reason, "item": one.item}  # fmt: skip


COCO = Writer(
    "coco", "detectors that read COCO: all images and boxes, mined negatives, suspects as crowds",
    (".json", ".json.gz"), "boxes, categories, scores", _write, ("hard_class", "backgrounds"), texts=False,
)  # fmt: skip


def count_images(run: Run) -> dict[str, int]:
    """How many images, boxes, negatives and suspects there are, as an export of the run counts them.

    Raises InputError for a run whose items are not boxes in images.
    """
    work = Export(run, COCO, ExportOptions(), Path(), "")
    scenes(work)
    return dict(work.counts)
