"""Boxes as items to mine: what is there with its category, and the mistakes that are negatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.detect.boxes import Detections, Truth, overlaps
from hardneg.detect.mistakes import Kind, Mistakes
from hardneg.errors import InputError
from hardneg.ragged import BoolArray, IntArray

__all__ = ["agreement", "items_of"]

_BOX = pa.list_(pa.float64(), 4)
_NAMES = {Kind.BACKGROUND: "background", Kind.CONFUSION: "confusion"}


def items_of(
    truth: Truth,
    found: Detections,
    judged: Mistakes,
    images: Collection,
    categories: Sequence[str],
    least_score: float = 0.0,
    second: Detections | None = None,
) -> Collection:
    """One item for each box that is there, and for each detection that is a background or a confusing one.

    What counts for nothing and boxes without an area are left out. Image by image come first the boxes that are there,
    with ids such as ``street/3`` (image and place), then the detections, the surest first, as ``street/d0``.

    Columns: ``path`` where the images have one, ``box``; ``image_id``, which is also the ``group``; ``label``, the
    category that is there, none for background; ``predicted``, the category that the detector took it for, and its
    ``detector_score``, none for what is there; ``hidden_score``, of what is there the score of the detection that would
    be one of a background if this label were missing; ``mistake``, ``background`` or ``confusion``; ``overlap``, with
    the box that says so. With a second detector ``second_score``, its highest score for that category on the
    detection's box, or on the one that found what is there, 0 for none. Of images that are frames ``sequence`` and
    ``frame``, as they have them.

    Args:
        truth: what is there.
        found: what a detector found.
        judged: what kind of mistake each detection is.
        images: a row for each number of an image.
        categories: a name for each number of a category.
        least_score: detections below this are left out.
        second: what a second detector found.

    Raises InputError for numbers of images or categories that there are not.
    """
    others = () if second is None else ((second, "detections"),)
    for boxes, name in ((truth, "boxes"), (found, "detections"), *others):
        _check(boxes.image, len(images), f"{name} are in image", "images")
        _check(boxes.category, len(categories), f"{name} are of category", "categories")
    there = np.flatnonzero(~truth.uncounted & (truth.area > 0))
    negative = np.isin(judged.kind, list(_NAMES))
    wrong = np.flatnonzero(negative & (found.area > 0) & (found.score >= least_score))
    wrong = wrong[np.lexsort((-found.score[wrong], found.image[wrong]))]
    there = there[np.argsort(truth.image[there], kind="stable")]
    image = np.concatenate([truth.image[there], found.image[wrong]])
    order = np.argsort(image, kind="stable")
    image = image[order]
    confused = judged.kind[wrong] == Kind.CONFUSION
    names, kinds = pa.array(categories, pa.string()), pa.array([_NAMES.get(kind, "") for kind in Kind], pa.string())
    nothing, none = np.full(len(there), np.nan), np.full(len(there), -1)
    of = np.where(confused, judged.truth[wrong], -1)
    said = np.where(of >= 0, truth.category[of], -1) if len(truth) else of
    place = np.concatenate([_places(truth.image[there]), _places(found.image[wrong])])[order]

    def both(first: NDArray[Any], then: NDArray[Any]) -> NDArray[Any]:
        """Of what is there, and of the detections, in the order of the items."""
        return np.concatenate([first, then])[order]

    columns: dict[str, pa.Array] = {
        "id": _ids(images.ids.cast(pa.string()).take(pa.array(image)), place, order >= len(there)),
        "image_id": images.ids.take(pa.array(image)),
        "box": _boxes(both(truth.box[there], found.box[wrong])),
        "label": _taken(names, both(truth.category[there], said)),
        "predicted": _taken(names, both(none, found.category[wrong])),
        "detector_score": _figures(both(nothing, found.score[wrong])),
        "hidden_score": _figures(both(_hidden(truth, found, judged)[there], np.full(len(wrong), np.nan))),
        "mistake": _taken(kinds, both(none, judged.kind[wrong])),
        "overlap": _figures(both(nothing, judged.share[wrong])),
    }
    if second is not None:
        agreed = agreement(found, second)
        columns["second_score"] = _figures(both(_by_finder(agreed, truth, judged)[there], agreed[wrong]))
    columns["group"] = columns["image_id"].cast(pa.string())
    for name in ("path", "sequence", "frame"):
        if name in images.table.column_names:
            columns[name] = images.table.column(name).take(pa.array(image)).combine_chunks()
    return Collection(pa.table(columns), images.root)


def agreement(found: Detections, second: Detections, iou: float = 0.5) -> NDArray[np.float64]:
    """For each detection the highest score of one of the second detector that has its category and lies on its box.

    Shape ``(len(found),)``; 0 where there is none that overlaps by at least ``iou``.

    >>> box = np.array([[0.0, 0, 4, 4]])
    >>> one, two = (Detections(np.zeros(1, int), np.zeros(1, int), box, np.array([score])) for score in (0.9, 0.4))
    >>> agreement(one, two).tolist()
    [0.4]
    """
    out = np.zeros(len(found))
    for pairs in overlaps(found, second, iou):
        same = pairs.only(found.category[pairs.left] == second.category[pairs.right])
        np.maximum.at(out, same.left, second.score[same.right])
    return out


def _hidden(truth: Truth, found: Detections, judged: Mistakes, background: float = 0.1) -> NDArray[np.float64]:
    """The score of the detection that found each box and that, were the box not there, would be of a background.

    It overlaps nothing else by more than ``background``; NaN where there is none. So each known box is once a missing
    label, with all others in their places: what a missing label looks like is learnt from these.
    """
    crowded = np.zeros(len(found), bool)
    for pairs in overlaps(found, truth, np.nextafter(background, 1)):
        crowded[pairs.left[judged.truth[pairs.left] != pairs.right]] = True
    return _by_finder(np.where(crowded, np.nan, found.score), truth, judged)


def _by_finder(figure: NDArray[np.float64], truth: Truth, judged: Mistakes) -> NDArray[np.float64]:
    """For each box that is there the figure of the detection that found it; NaN where none did."""
    out = np.full(len(truth), np.nan)
    right = np.flatnonzero(judged.kind == Kind.CORRECT)
    out[judged.truth[right]] = figure[right]
    return out


def _check(numbers: IntArray, count: int, what: str, kind: str) -> None:
    if len(numbers) and int(numbers.max()) >= count:
        raise InputError(f"Some {what} {int(numbers.max())}, and there are {count} {kind}, counted from 0.")


def _places(image: IntArray) -> IntArray:
    """The place of each in its image, from 0; they come image by image."""
    fresh = np.flatnonzero(np.diff(image, prepend=-1))
    return np.asarray(np.arange(len(image)) - np.repeat(fresh, np.diff(np.append(fresh, len(image)))))


def _ids(image: pa.Array, place: IntArray, detected: BoolArray) -> pa.Array:
    """The image with a place in it, ``d`` before that of a detection."""
    signs = pa.array(["/", "/d"]).take(pa.array(detected.astype(np.int8)))
    return pc.binary_join_element_wise(image, signs, pa.array(place).cast(pa.string()), "")


def _boxes(boxes: NDArray[np.float64]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(boxes.ravel(), pa.float64()), type=_BOX)


def _taken(names: pa.Array, codes: NDArray[np.integer]) -> pa.Array:
    """The name of each code; none for -1."""
    return names.take(pa.array(codes, pa.int64(), mask=codes < 0))


def _figures(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))
