"""What a detector found, with its labels named: checked, counted, and as COCO results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Id
from hardneg.detect import Detections
from hardneg.detecting.asking import Asked
from hardneg.detecting.detectors import Detector, Labels
from hardneg.detecting.naming import Label, Naming, check_by_truth, unknown_told
from hardneg.detecting.pictures import Picture, Pictures
from hardneg.io.readers._box_rows import Box, Places, Usable, gather, usable
from hardneg.io.readers._scene import Scene
from hardneg.io.reading import Skips
from hardneg.ragged import IntArray
from hardneg.storage import place as new_file

__all__ = ["Found", "write_results"]

_CHECKED = 20_000  # detections that readings of numbers are compared by
_PIXEL, _SCORE = 3, 6  # places after the point
_OTHERS: tuple[Labels, ...] = ("ids", "from-0", "from-1")


@dataclass(frozen=True, eq=False)
class Found:
    """The answers, and what their images and labels stand for.

    Args:
        asked: the answers.
        keys: of each picture what stands for its image.
        places: the numbers of images and categories.
        of: what stands for the category of each label.
        images: the id of each number of an image.
        categories: of each number of a category its id, where the data have any, and its name, where it has one.
        said: who found it.
    """

    asked: Asked
    keys: Sequence[str]
    places: Places
    of: Mapping[Label, str | int]
    images: Sequence[Id]
    categories: Sequence[Mapping[str, Id]]
    said: str

    @classmethod
    def named(cls, asked: Asked, shown: Pictures, detector: Detector) -> Found:
        """Decide what the labels stand for.

        Raises InputError where that cannot be said: nothing is said of labels and there are several categories, no
        label is a category of the data, or another reading of the numbers fits what is there better.
        """
        if shown.scene is None:
            return cls._freely(asked, shown.pictures, detector)
        return cls._in_scene(asked, shown.pictures, shown.scene, detector)

    @classmethod
    def _freely(cls, asked: Asked, pictures: Sequence[Picture], detector: Detector) -> Found:
        """Categories are what the detector says, images are their paths."""
        naming = Naming(None, False, detector.labels, dict(detector.names))
        of = {one: naming.of(one) for one in asked.labels()}
        known = sorted(set(of.values()), key=lambda one: (isinstance(one, str), one))
        categories = [{"category_name" if isinstance(one, str) else "category_id": one} for one in known]
        numbers = {str(one): row for row, one in enumerate(known)}
        keys = [str(one.id) for one in pictures]
        images = {key: row for row, key in enumerate(keys)}
        places = Places(images, numbers, list(numbers), [one.size for one in pictures])
        return cls(asked, keys, places, of, [one.id for one in pictures], categories, detector.target)

    @classmethod
    def _in_scene(cls, asked: Asked, pictures: Sequence[Picture], scene: Scene, detector: Detector) -> Found:
        """Categories and images are those of the data."""
        ids = scene.format.startswith("coco") and all(isinstance(one, int) for one in scene.category_ids)
        naming = Naming(scene.places.order, ids, detector.labels, dict(detector.names))
        of = {one: naming.of(one) for one in asked.labels()}
        if of and not any(str(one) in scene.places.categories for one in of.values()):
            raise unknown_told(of, scene.categories)
        keys, sizes = [str(one.id) for one in pictures], list(scene.places.sizes)
        for key, one in zip(keys, pictures, strict=True):
            sizes[scene.places.images[key]] = one.size
        both = zip(scene.category_ids, scene.categories, strict=True)
        categories = [{"category_id": key, "category_name": name} for key, name in both]
        places, images = replace(scene.places, sizes=sizes), scene.images.ids.to_pylist()
        made = cls(asked, keys, places, of, images, categories, detector.target)
        made._check(naming, scene)
        return made

    def boxes(self, view: int, skips: Skips, notes: Skips) -> Detections:
        """What was found in a view (0 is the picture itself); what cannot be used is counted."""
        rows = self.asked.boxes(view, self.of, self.keys, self.said)
        return _detections(rows, self.places, skips, notes)

    def records(self, boxes: Detections, rows: IntArray, score: NDArray[np.float64]) -> Iterator[dict[str, Any]]:
        """Some of the boxes as COCO results, with these scores."""
        for row in rows.tolist():
            yield {
                "image_id": self.images[int(boxes.image[row])],
                **self.categories[int(boxes.category[row])],
                "bbox": [round(one, _PIXEL) for one in boxes.box[row].tolist()],
                "score": round(float(score[row]), _SCORE),
            }

    def counts(self, boxes: Detections) -> dict[str, int]:
        """How many there are of each category that was found."""
        count = np.bincount(boxes.category, minlength=len(self.categories)).tolist()
        names = [str(one.get("category_name", one.get("category_id"))) for one in self.categories]
        return {name: number for name, number in zip(names, count, strict=True) if number}

    def _check(self, naming: Naming, scene: Scene) -> None:
        """Compare readings of numbers, where they are not told by names or by the user."""
        forms = {one.form for one in self.of if one.number is not None and one.name in (None, str(one.number))}
        if naming.labels != "told" or naming.names or len(forms) != 1:
            return
        truth = gather(scene.truth, self.places, Skips(), Skips())
        used = naming.reading(forms.pop())
        found: dict[str, Detections] = {}
        for reading in (used, *(one for one in _OTHERS if one != used)):
            other = replace(naming, labels=reading)
            of = {one: other.of(one) for one in self.of}
            rows = islice(self.asked.boxes(0, of, self.keys, self.said), _CHECKED)
            found[reading] = _detections(rows, self.places, Skips(), Skips())
        check_by_truth(truth, found)


def write_results(records: Iterator[Mapping[str, Any]], file: Path) -> None:
    """Write COCO results, one a line."""
    with new_file(file) as written:
        written.write(b"[")
        for number, one in enumerate(records):
            written.write((",\n" if number else "\n").encode() + json.dumps(one, ensure_ascii=False).encode())
        written.write(b"\n]\n")


def _detections(rows: Iterable[Box], places: Places, skips: Skips, notes: Skips) -> Detections:
    """The rows that can be used."""
    none = np.zeros(0, np.int64)
    parts = [Usable(none, none, np.zeros((0, 4)), np.zeros(0), none.astype(np.int8))]
    parts += usable(rows, places, skips, notes, scored=True)
    image, category, box, score, _ = (np.concatenate(one) for one in zip(*parts, strict=True))
    return Detections(image, category, box, score)
