"""What other libraries give, one picture after the other, as boxes: ``supervision.Detections``, torchvision's dicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.answers import Answer, answer_of
from hardneg.detect.boxes import Detections, Truth
from hardneg.errors import InputError
from hardneg.ragged import IntArray

__all__ = ["detections_of", "truth_of"]


def detections_of(results: Iterable[object], numbers: Mapping[int, int] | None = None) -> Detections:
    """What a detector found, from one result for each image, in the order of the images.

    Args:
        results: objects of any form that :func:`hardneg.detect.answer_of` reads: dicts with ``boxes``, ``labels`` and
            ``scores`` (torchvision), ``Results`` of Ultralytics, ``supervision.Detections``, rows of numbers. What has
            no box may leave the rest out.
        numbers: the number of a category, from 0, for each label; that of torchvision's 1 is mostly 0. The labels
            themselves if not given.

    Raises InputError, naming the image, for results of another form, without a label or score for each box, and for a
    label that ``numbers`` lacks.

    >>> found = detections_of([{"boxes": [[10, 10, 30, 20]], "labels": [1], "scores": [0.5]}], {1: 0})
    >>> found.box.tolist(), found.category.tolist()
    ([[10.0, 10.0, 20.0, 10.0]], [0])
    """
    read = [answer_of(one, f"image {image}") for image, one in enumerate(results)]
    return Detections(*_columns(read, numbers), np.concatenate([one.score for one in read] or [np.zeros(0)]))


def truth_of(targets: Iterable[object], numbers: Mapping[int, int] | None = None) -> Truth:
    """What is there, from one target for each image: as in :func:`detections_of`, without scores.

    Dicts may mark crowds with ``iscrowd``, and what is ignored with ``ignore`` or ``difficult``.
    """
    read = [answer_of(one, f"image {image}", scored=False) for image, one in enumerate(targets)]

    def marked(*names: str) -> NDArray[np.bool_]:
        none = np.zeros(0, bool)
        rows = [np.any([one.marks.get(name, np.zeros(len(one), bool)) for name in names], axis=0) for one in read]
        return np.concatenate(rows or [none])

    return Truth(*_columns(read, numbers), marked("iscrowd"), marked("ignore", "difficult"))


def _columns(
    read: Sequence[Answer], numbers: Mapping[int, int] | None
) -> tuple[IntArray, IntArray, NDArray[np.float64]]:
    labels = [_numbered(one, image, numbers) for image, one in enumerate(read)]
    return (
        np.repeat(np.arange(len(read)), [len(one) for one in read]),
        np.concatenate(labels or [np.zeros(0, np.int64)]),
        np.concatenate([one.box for one in read] or [np.zeros((0, 4))]),
    )


def _numbered(one: Answer, image: int, numbers: Mapping[int, int] | None) -> IntArray:
    if one.label is None:
        if len(one):
            raise InputError(f"The 'labels' of image {image} must be numbers, one for each of {len(one)} boxes.")
        return np.zeros(0, np.int64)
    if numbers is None:
        return one.label
    for label in np.unique(one.label).tolist():
        if label not in numbers:
            raise InputError(f"The label {label} of image {image} has no number.", remedy="Add it to 'numbers'.")
    return np.array([numbers[label] for label in one.label.tolist()], np.int64)
