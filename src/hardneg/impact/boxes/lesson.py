"""What a detector's training gets: pictures, the boxes in them, and the negatives of one arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardneg.detect import Boxes, Truth
from hardneg.ragged import IntArray, Ragged

__all__ = ["BoxLesson", "Shown", "lesson_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture to train with. Boxes are left, top, width and height in pixels of the upright picture.

    Args:
        id: of the image, as the data have it.
        path: of the file.
        boxes: what is labelled, shape ``(n, 4)``.
        labels: the category of each, as a place in ``BoxLesson.categories``, shape ``(n,)``.
        ignored: where nothing is to be learnt either way, shape ``(m, 4)``: crowds, difficult boxes, and what the arm
            doubts, which may be an unlabelled thing.
        negatives: where a category is not, shape ``(k, 4)``: what the arm teaches.
        taken_for: the category of each, that it was or might be taken for, shape ``(k,)``.
    """

    id: object
    path: Path
    boxes: Floats
    labels: IntArray
    ignored: Floats
    negatives: Floats
    taken_for: IntArray


@dataclass(frozen=True, eq=False)
class BoxLesson:
    """One arm's lesson for one seed: the same pictures and boxes for all arms; what is taught and doubted is the arm's.

    Args:
        categories: their names.
        pictures: all to train with, those without boxes or negatives too.
        seed: the only source of randomness that training should have.
    """

    categories: tuple[str, ...]
    pictures: Sequence[Shown]
    seed: int


def lesson_of(
    categories: Sequence[str], pictures: Sequence[tuple[object, Path]], truth: Truth, negatives: Boxes, doubted: Boxes,
    seed: int,
) -> BoxLesson:  # fmt: skip
    """Deal boxes, negatives and doubts out to their pictures.

    Args:
        categories: their names.
        pictures: the id and the file of each picture to train with.
        truth: what is there, by the numbers of these pictures.
        negatives: what the arm teaches, likewise.
        doubted: what it doubts.
        seed: of the training.
    """
    there, taught, unsure = (
        Ragged.from_codes(one.image).inverted(len(pictures)) for one in (truth, negatives, doubted)
    )
    shown = []
    for number, (key, path) in enumerate(pictures):
        here, negative = there[number], taught[number]
        mine, ignored = here[~truth.uncounted[here]], here[truth.uncounted[here]]
        shown.append(
            Shown(
                key, path, truth.box[mine], truth.category[mine],
                np.concatenate([truth.box[ignored], doubted.box[unsure[number]]]),
                negatives.box[negative], negatives.category[negative],
            )
        )  # fmt: skip
    return BoxLesson(tuple(categories), tuple(shown), seed)
