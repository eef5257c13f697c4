"""Which category a detector's label stands for: by its name, or by a number whose meaning must be known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hardneg.detect import Detections, Truth, overlaps
from hardneg.detecting.detectors import Labels
from hardneg.errors import InputError

__all__ = ["Label", "Naming", "check_by_truth", "unknown_told"]

_ENOUGH = 10  # boxes found by another reading, from which on it is the right one


class Label(NamedTuple):
    """What an answer said of a box: the form of the answer, a number, a name; None for what was not said."""

    form: str
    number: int | None
    name: str | None


@dataclass(frozen=True)
class Naming:
    """From labels to what stands for a category.

    Args:
        order: what stands for each category of the data, in their order; None where nothing is known of them.
        ids: whether the categories have numbers for ids.
        labels: what numbers are, as :class:`hardneg.detecting.Detector` has it.
        names: names of numbers, given by the user.

    >>> voc = Naming(("cat", "dog"), False)
    >>> voc.of(Label("dict", 2, None)), voc.of(Label("array", 0, None)), voc.of(Label("ultralytics", 0, "dog"))
    ('dog', 'cat', 'dog')
    """

    order: Sequence[str] | None
    ids: bool
    labels: Labels = "told"
    names: Mapping[int, str] | None = None

    def of(self, label: Label) -> str | int:
        """What stands for the category; something that no category is called where there is none.

        Raises InputError where nothing is said of the label and there are several categories, or none is known.
        """
        names = dict(self.names or {})
        if label.number is None and label.name is None:
            return self._only(names)
        if label.number in names:
            return names[label.number]
        named = label.name not in (None, str(label.number))  # an untrained YOLO calls its classes "0", "1", ...
        if label.name is not None and ((self.labels == "told" and named) or label.number is None):
            return label.name
        assert label.number is not None  # noqa: S101 - one of the two is said
        return self._numbered(label.number, self.reading(label.form))

    def reading(self, form: str) -> Labels:
        """What a number in an answer of this form is."""
        if self.labels != "told":
            return self.labels
        if form == "dict":
            return "ids" if self.ids or self.order is None else "from-1"
        return "from-0"

    def _only(self, names: Mapping[int, str]) -> str:
        known = list(names.values()) or list(self.order or ())
        if len(known) == 1:
            return known[0]
        raise InputError(
            f"The detector says nothing of labels, and there are {len(known)} categories.",
            remedy="Return labels, or name the one category that it finds: --label 0=face.",
        )

    def _numbered(self, number: int, reading: Labels) -> str | int:
        if self.order is None or reading == "ids":
            return number
        place = number - (reading == "from-1")
        return self.order[place] if 0 <= place < len(self.order) else f"label {number}"


def check_by_truth(truth: Truth, readings: Mapping[str, Detections]) -> None:
    """Compare readings of the same numbers by how many boxes that are there each finds; the first is the one in use.

    Raises InputError where another finds more than twice as many.
    """
    found = {name: _hits(truth, one) for name, one in readings.items()}
    used = next(iter(found))
    best = max(found, key=lambda name: (found[name], name == used))
    if best != used and found[best] >= _ENOUGH and found[best] > 2 * found[used]:
        told = ", ".join(f"{name}: {count}" for name, count in found.items())
        raise InputError(
            f"The numbers of labels were read as '{used}', and '{best}' fits better what is there (boxes found as "
            f"{told}, of {len(truth)}).",
            remedy=f"Say what they are: --labels {best}. What was detected is kept for the next run.",
        )


def _hits(truth: Truth, found: Detections, iou: float = 0.5) -> int:
    hit = np.zeros(len(truth), bool)
    for pairs in overlaps(found, truth, iou):
        hit[pairs.right[found.category[pairs.left] == truth.category[pairs.right]]] = True
    return int(hit.sum())


def unknown_told(labels: Iterable[Label], categories: Sequence[str]) -> InputError:
    """The error where not one label is a category of the data."""
    said = sorted({str(one.number if one.name is None else one.name) for one in labels})
    return InputError(
        f"Not one label of the detector is a category of the data. It says {_some(said)}; there are "
        f"{_some(categories)}.",
        remedy="Say what its numbers are with --labels, or name them: --label 1=cat.",
    )


def _some(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
