"""Boxes as items to mine: what is there with its category, and the mistakes that are negatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.detect.boxes import Detections, Truth, check_numbers
from hardneg.detect.evidence import Evidence, evidence_of
from hardneg.detect.frames import held_together, with_frames_around
from hardneg.detect.mistakes import Kind, Mistakes
from hardneg.detect.tracks import linked
from hardneg.ragged import BoolArray, IntArray, place_within

__all__ = ["items_from", "items_of"]

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

    Columns: ``path`` where the images have one, ``box``; ``found_box``, the box as the detector has it, which is where
    encoders look: of what is there that of the detection that found it, its own where none did; ``image_id``;
    ``group``, what models hold out together: the image, or its film; ``label``, the category that is there, none for
    background; ``predicted``, the category that the detector took it for, and its ``detector_score``, none for what is
    there; ``hidden_score``, of what is there the score of the detection that would be one of a background if this label
    were missing; ``mistake``, ``background`` or ``confusion``; ``overlap``, with the box that says so. With a second
    detector ``second_score``, its highest score for that category on the detection's box, or on the one that found what
    is there, 0 for none. Of images that are frames ``sequence`` and ``frame``, as they have them, and what
    :func:`hardneg.detect.with_frames_around` adds.

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
        check_numbers(boxes.image, len(images), f"{name} are in image", "images")
        check_numbers(boxes.category, len(categories), f"{name} are of category", "categories")
    said = evidence_of(truth, found, judged, least_score=least_score, second=second)
    items = items_from(truth, said, images, categories)
    return with_frames_around(items, images, categories, truth, lambda boxes: linked(boxes, found))


def items_from(truth: Truth, said: Evidence, images: Collection, categories: Sequence[str]) -> Collection:
    """The items of :func:`items_of`, from what a detector's results say."""
    there = np.flatnonzero(~truth.uncounted & (truth.area > 0))
    there = there[np.argsort(truth.image[there], kind="stable")]
    wrong, judged = said.wrong, said.judged
    image = np.concatenate([truth.image[there], wrong.image])
    order = np.argsort(image, kind="stable")
    image = image[order]
    names, kinds = pa.array(categories, pa.string()), pa.array([_NAMES.get(kind, "") for kind in Kind], pa.string())
    nothing, none = np.full(len(there), np.nan), np.full(len(there), -1)
    of = np.where(judged.kind == Kind.CONFUSION, judged.truth, -1)
    label = np.where(of >= 0, truth.category[of], -1) if len(truth) else of
    place = np.concatenate([place_within(truth.image[there]), place_within(wrong.image)])[order]

    def both(first: NDArray[Any], then: NDArray[Any]) -> NDArray[Any]:
        """Of what is there, and of the detections, in the order of the items."""
        return np.concatenate([first, then])[order]

    columns: dict[str, pa.Array] = {
        "id": _ids(images.ids.cast(pa.string()).take(pa.array(image)), place, order >= len(there)),
        "image_id": images.ids.take(pa.array(image)),
        "box": _boxes(both(truth.box[there], wrong.box)),
        "found_box": _boxes(both(_or_its_own(said.finder[there], truth.box[there]), wrong.box)),
        "label": _taken(names, both(truth.category[there], label)),
        "predicted": _taken(names, both(none, wrong.category)),
        "detector_score": _figures(both(nothing, wrong.score)),
        "hidden_score": _figures(both(said.hidden[there], np.full(len(wrong), np.nan))),
        "mistake": _taken(kinds, both(none, judged.kind)),
        "overlap": _figures(both(nothing, judged.share)),
    }
    if said.agreed is not None and said.found_by_both is not None:
        columns["second_score"] = _figures(both(said.found_by_both[there], said.agreed))
    columns["group"] = held_together(images).take(pa.array(image))
    for name in ("path", "sequence", "frame"):
        if name in images.table.column_names:
            columns[name] = images.table.column(name).take(pa.array(image)).combine_chunks()
    return Collection(pa.table(columns), images.root)


def _ids(image: pa.Array, place: IntArray, detected: BoolArray) -> pa.Array:
    """The image with a place in it, ``d`` before that of a detection."""
    signs = pa.array(["/", "/d"]).take(pa.array(detected.astype(np.int8)))
    return pc.binary_join_element_wise(image, signs, pa.array(place).cast(pa.string()), "")


def _boxes(boxes: NDArray[np.float64]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(boxes.ravel(), pa.float64()), type=_BOX)


def _or_its_own(finder: NDArray[np.float64], box: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(finder), box, finder)


def _taken(names: pa.Array, codes: NDArray[np.integer]) -> pa.Array:
    """The name of each code; none for -1."""
    return names.take(pa.array(codes, pa.int64(), mask=codes < 0))


def _figures(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))
