"""What other libraries give, one picture after the other, as boxes: ``supervision.Detections``, torchvision's dicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.boxes import Detections, Truth
from hardneg.errors import InputError
from hardneg.ragged import BoolArray, IntArray

__all__ = ["detections_of", "truth_of"]


def detections_of(results: Iterable[object], numbers: Mapping[int, int] | None = None) -> Detections:
    """What a detector found, from one result for each image, in the order of the images.

    Args:
        results: objects with ``xyxy``, ``class_id`` and ``confidence`` (``supervision.Detections``), or dicts with
            ``boxes``, ``labels`` and ``scores`` (torchvision); left, top, right and bottom in pixels, as lists, arrays
            or tensors. What has no box may leave the rest out.
        numbers: the number of a category, from 0, for each label; that of torchvision's 1 is mostly 0. The labels
            themselves if not given.

    Raises InputError, naming the image, for results of another form, without a label or score for each box, and for a
    label that ``numbers`` lacks.

    >>> found = detections_of([{"boxes": [[10, 10, 30, 20]], "labels": [1], "scores": [0.5]}], {1: 0})
    >>> found.box.tolist(), found.category.tolist()
    ([[10.0, 10.0, 20.0, 10.0]], [0])
    """
    parts = [_part(one, image, numbers, scored=True) for image, one in enumerate(results)]
    return Detections(*_columns(parts), np.concatenate([one.score for one in parts] or [np.zeros(0)]))


def truth_of(targets: Iterable[object], numbers: Mapping[int, int] | None = None) -> Truth:
    """What is there, from one target for each image: as in :func:`detections_of`, without scores.

    Dicts may mark crowds with ``iscrowd``, and what is ignored with ``ignore`` or ``difficult``.
    """
    parts = [_part(one, image, numbers, scored=False) for image, one in enumerate(targets)]
    marks = (np.concatenate([one[at] for one in parts] or [np.zeros(0, bool)]) for at in (3, 4))
    return Truth(*_columns(parts), *marks)


class _Part(NamedTuple):
    """The boxes of one image."""

    box: NDArray[np.float64]
    category: IntArray
    score: NDArray[np.float64]
    crowd: BoolArray
    ignored: BoolArray


def _part(given: Any, image: int, numbers: Mapping[int, int] | None, *, scored: bool) -> _Part:
    if isinstance(given, Mapping):
        said, names = given, ("boxes", "labels", "scores")
    else:
        names = ("xyxy", "class_id", "confidence")
        said = {name: getattr(given, name, None) for name in names}
    if said.get(names[0]) is None:
        raise InputError(
            f"The result of image {image} is no supervision.Detections and no dict with 'boxes'. "
            f"Got {type(given).__name__}."
        )
    ends = _array(said[names[0]]).reshape(-1, 4) if _array(said[names[0]]).size else np.zeros((0, 4))
    label, score = (
        _row(said.get(name), len(ends), name, image, needed)
        for name, needed in zip(names[1:], (True, scored), strict=True)
    )
    marks = [_row(said.get(name), len(ends), name, image, False) > 0 for name in ("iscrowd", "ignore", "difficult")]
    box = np.concatenate([ends[:, :2], ends[:, 2:] - ends[:, :2]], axis=1)
    return _Part(box, _numbered(label, image, numbers), score, marks[0], marks[1] | marks[2])


def _row(given: Any, count: int, name: str, image: int, needed: bool) -> NDArray[np.float64]:
    """A figure for each box; 0 where nothing is said and nothing need be."""
    if given is None and (not needed or not count):
        return np.zeros(count)
    found = np.zeros(0) if given is None else _array(given).reshape(-1)
    if len(found) != count:
        raise InputError(f"The '{name}' of image {image} must be one for each of {count} boxes. Got {len(found)}.")
    return found


def _array(given: Any) -> NDArray[np.float64]:
    """Numbers in float64; tensors of a graphics card and of a training step are fetched first."""
    for step in ("detach", "cpu"):
        given = getattr(given, step, lambda given=given: given)()
    return np.asarray(given, np.float64)


def _numbered(labels: NDArray[np.float64], image: int, numbers: Mapping[int, int] | None) -> IntArray:
    found = labels.astype(np.int64)
    if numbers is None:
        return found
    for one in np.unique(found).tolist():
        if one not in numbers:
            raise InputError(f"The label {one} of image {image} has no number.", remedy="Add it to 'numbers'.")
    return np.array([numbers[one] for one in found.tolist()], np.int64)


def _columns(parts: list[_Part]) -> tuple[IntArray, IntArray, NDArray[np.float64]]:
    counts = [len(one.box) for one in parts]
    return (
        np.repeat(np.arange(len(parts)), counts),
        np.concatenate([one.category for one in parts] or [np.zeros(0, np.int64)]),
        np.concatenate([one.box for one in parts] or [np.zeros((0, 4))]),
    )
