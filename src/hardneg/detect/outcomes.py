"""What counts of a detector's finds, the surest first: what every measure of detection is made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.boxes import Detections, Truth, check_numbers
from hardneg.detect.matching import Matches
from hardneg.ragged import BoolArray, IntArray

__all__ = ["Outcomes", "outcomes"]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The finds that count, of one category or of all, the surest first; and the boxes that could be found.

    Args:
        image: the image of each find, shape ``(finds,)``.
        score: how sure the detector was, falling.
        hit: whether it found a box; else it is a false positive.
        box_image: the image of each box that counts, shape ``(boxes,)``.
        images: how many images were looked at, those without boxes and finds too.
    """

    image: IntArray
    score: NDArray[np.float64]
    hit: BoolArray
    box_image: IntArray
    images: int

    def drawn(self, times: IntArray) -> Outcomes:
        """The same where each image counts so many times, shape ``(images,)``: a draw of a bootstrap.

        >>> one = Outcomes(np.array([0, 1]), np.array([0.9, 0.4]), np.array([True, False]), np.array([0]), 2)
        >>> one.drawn(np.array([0, 2])).hit.tolist()
        [False, False]
        """
        often = times[self.image]
        return Outcomes(
            np.repeat(self.image, often),
            np.repeat(self.score, often),
            np.repeat(self.hit, often),
            np.repeat(self.box_image, times[self.box_image]),
            int(times.sum()),
        )


def outcomes(
    truth: Truth,
    detections: Detections,
    matches: Matches,
    images: int,
    category: int | None = None,
    gone: BoolArray | None = None,
) -> Outcomes:
    """The finds of a category, or of all, with what became of them.

    What counts for nothing is left out: crowds, ignored boxes and what found them, and finds beyond the number that is
    looked at. Finds with equal scores stand in the order of their images, then of their rows, as in pycocotools.

    Args:
        truth: what is there.
        detections: what was found.
        matches: which found which, by :func:`hardneg.detect.matched`.
        images: how many images were looked at.
        category: only boxes and finds of this one; all if not given.
        gone: finds to leave out, shape ``(detections,)``, as if they had not been made. Where they found nothing,
            no other find matches otherwise without them.

    Raises InputError for boxes in more images than there are.

    >>> from hardneg.detect import matched
    >>> there = Truth(np.zeros(1, int), np.zeros(1, int), np.array([[0.0, 0, 4, 4]]))
    >>> box = np.array([[0.0, 0, 4, 4], [8.0, 8, 4, 4]])
    >>> seen = Detections(np.zeros(2, int), np.zeros(2, int), box, np.array([0.5, 0.9]))
    >>> outcomes(there, seen, matched(there, seen), images=1).hit.tolist()
    [False, True]
    """
    for one in (truth, detections):
        check_numbers(one.image, images, "boxes are in image", "images")
    found, there = matches.ranked & ~matches.uncounted, ~truth.uncounted
    if gone is not None:
        found = found & ~gone
    if category is not None:
        found, there = found & (detections.category == category), there & (truth.category == category)
    rows = np.flatnonzero(found)
    rows = rows[np.lexsort((detections.image[rows], -detections.score[rows]))]
    return Outcomes(
        detections.image[rows], detections.score[rows], matches.truth[rows] >= 0, truth.image[there], images
    )
