"""What kind of mistake each detection is: only some of them are negatives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.boxes import Detections, Overlaps, Truth, overlap, overlaps
from hardneg.detect.matching import Matches, best_overlaps
from hardneg.notation import require
from hardneg.ragged import IntArray

__all__ = ["Kind", "Mistakes", "mistakes"]


class Kind(IntEnum):
    """What a detection is. Only BACKGROUND and CONFUSION are negatives; the others overlap what they are named for."""

    CORRECT = 0
    UNCOUNTED = 1  # of a crowd, an ignored box or a size that is not looked at, or beyond the number looked at
    LOCALISATION = 2  # its category is there, but the box is off
    CONFUSION = 3  # something of another category is there
    DUPLICATE = 4  # what it found was found before, by a surer one
    BACKGROUND = 5  # nothing is there
    BOTH = 6  # another category, and the box is off


@dataclass(frozen=True, eq=False)
class Mistakes:
    """For each detection what it is.

    Args:
        kind: a ``Kind``, shape ``(detections,)``.
        truth: the box that says so: the one found, missed by a little, confused or found twice; of BACKGROUND and BOTH
            the one that overlaps most; -1 where none does.
        share: the intersection over union with it.
    """

    kind: NDArray[np.int8]
    truth: IntArray
    share: NDArray[np.float64]


def mistakes(
    truth: Truth, detections: Detections, matches: Matches, *, iou: float = 0.5, background: float = 0.1
) -> Mistakes:
    """Name each mistake in the order and with the thresholds of TIDE (Bolya et al. 2020, arXiv 2008.08115).

    Of a detection that found nothing: LOCALISATION if it overlaps a box of its category by ``background`` to ``iou``;
    CONFUSION if it overlaps one of another category by at least ``iou``; DUPLICATE if it overlaps a found one of its
    own by at least ``iou``; BACKGROUND if it overlaps nothing by more than ``background``; else BOTH.

    Unlike TIDE, what lies in a crowd or an ignored box of whatever category, with at least ``iou`` of its own area, is
    no mistake: nobody has said what is there.

    Args:
        truth: what is there.
        detections: what was found.
        matches: which found which, by :func:`hardneg.detect.matched` with the same ``iou``.
        iou: from which intersection over union on a box is found.
        background: up to which nothing is there.

    >>> from hardneg.detect import matched
    >>> there = Truth(np.zeros(1, int), np.zeros(1, int), np.array([[0.0, 0, 4, 4]]))
    >>> seen = Detections(np.zeros(2, int), np.array([1, 0]), np.array([[0.0, 0, 4, 4], [9, 9, 4, 4]]), np.ones(2))
    >>> [Kind(one).name for one in mistakes(there, seen, matched(there, seen)).kind]
    ['CONFUSION', 'BACKGROUND']
    """
    require(0 < background < iou <= 1, "background", f"above 0 and under 'iou' ({iou})", background)
    uncounted = truth.uncounted
    found = _nothing(len(detections))
    for pairs in overlaps(detections, truth, np.nextafter(0, 1)):
        counted = pairs.only(~uncounted[pairs.right])
        own = detections.category[counted.left] == truth.category[counted.right]
        used = matches.found[counted.right] >= 0
        best = best_overlaps(counted)
        _note(found, best, Kind.BACKGROUND)
        # What comes later in the order of TIDE is said first, and overruled by what comes earlier.
        _note(found, best.only(best.share > background), Kind.BOTH)
        best = best_overlaps(counted.only(own & used))
        _note(found, best.only(best.share >= iou), Kind.DUPLICATE)
        best = best_overlaps(counted.only(~own))
        _note(found, best.only(best.share >= iou), Kind.CONFUSION)
        best = best_overlaps(counted.only(own))
        _note(found, best.only((best.share >= background) & (best.share <= iou)), Kind.LOCALISATION)
    for pairs in overlaps(detections, truth, iou, uncounted):
        found.kind[pairs.left[uncounted[pairs.right]]] = Kind.UNCOUNTED
    found.kind[matches.uncounted | ~matches.ranked] = Kind.UNCOUNTED
    right = np.flatnonzero((matches.truth >= 0) & ~matches.uncounted)
    share = overlap(detections.box[right], truth.box[matches.truth[right]])
    _note(found, Overlaps(right, matches.truth[right], share), Kind.CORRECT)
    return found


def _nothing(rows: int) -> Mistakes:
    return Mistakes(np.full(rows, Kind.BACKGROUND, np.int8), np.full(rows, -1, np.int64), np.zeros(rows))


def _note(found: Mistakes, pairs: Overlaps, kind: Kind) -> None:
    """Write down what the left rows of the pairs are, and which box says so."""
    found.kind[pairs.left], found.truth[pairs.left], found.share[pairs.left] = kind, pairs.right, pairs.share
