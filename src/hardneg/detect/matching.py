"""Which detection found which box: the rule of COCO, box for box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hardneg.detect.boxes import Detections, Overlaps, Truth, overlaps
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray, place_within

__all__ = ["Matches", "matched", "matched_at"]

Bounds = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of each detection.

    Args:
        truth: the row of the box that it found, -1 for none, shape ``(detections,)``.
        uncounted: whether it counts neither for nor against the detector: it found a crowd or an ignored box, or found
            nothing and is not of the size that is looked at.
        ranked: whether it was among the first ``most`` of its image and category; the others are not looked at.
        found: for each box of the truth the row of the detection that found it, -1 for none. Of a crowd, the last.
    """

    truth: IntArray
    uncounted: BoolArray
    ranked: BoolArray
    found: IntArray


def matched(
    truth: Truth, detections: Detections, *, iou: float = 0.5, most: int = 100, area: Bounds | None = None
) -> Matches:
    """Match detections and boxes of one image and category as pycocotools does (COCOeval.evaluateImg).

    In the order of their scores each detection takes the free box with the highest intersection over union of at least
    ``iou``; of equal ones the last. What counts for nothing (``Truth.uncounted``) is taken only where nothing else
    fits; a crowd can be taken many times, and of it the share is that of the detection's own area.

    Args:
        truth: what is there.
        detections: what was found.
        iou: the least share, in (0, 1].
        most: of each image and category so many detections are looked at, the surest first; of equal ones the first.
        area: only boxes of this size count, from the first number to the second, both included. All if not given.

    All images go on side by side: what is done one after the other is only the ranks within an image and category.

    >>> there = Truth(np.zeros(1, int), np.zeros(1, int), np.array([[0.0, 0, 4, 4]]))
    >>> twice = Detections(np.zeros(2, int), np.zeros(2, int), np.array([[0.0, 0, 4, 4]] * 2), np.array([0.5, 0.9]))
    >>> matched(there, twice).truth.tolist()
    [-1, 0]
    """
    return next(matched_at(truth, detections, (iou,), most=most, area=area))


def matched_at(
    truth: Truth, detections: Detections, ious: Sequence[float], *, most: int = 100, area: Bounds | None = None
) -> Iterator[Matches]:
    """The matches at each of several shares, as :func:`matched` gives them; what overlaps is looked for once."""
    for iou in ious:
        require(0 < iou <= 1, "iou", "above 0 and at most 1", iou)
    require(most >= 1, "most", "at least 1", most)
    rank = ranks(detections)
    uncounted = truth.uncounted
    if area is not None:
        uncounted = uncounted | (truth.area < area[0]) | (truth.area > area[1])
    near = _near(truth, detections, min(map(_least, ious)))
    near = near.only(rank[near.left] < most)
    for iou in ious:
        found, taken = np.full(len(detections), -1, np.int64), np.full(len(truth), -1, np.int64)
        _take(near.only(near.share >= _least(iou)), rank, uncounted, truth.crowd, found, taken)
        nothing = np.zeros(len(found), bool)
        nothing[found >= 0] = uncounted[found[found >= 0]]
        if area is not None:
            nothing |= (found < 0) & ((detections.area < area[0]) | (detections.area > area[1]))
        yield Matches(found, nothing, rank < most, taken)


def _least(iou: float) -> float:
    """The share that is enough, as pycocotools has it: 1 need not be met to the last bit."""
    return min(iou, 1 - 1e-10)


def _near(truth: Truth, detections: Detections, least: float) -> Overlaps:
    """All pairs of detections and boxes of one image and category that overlap by so much."""
    every = [Overlaps(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for pairs in overlaps(detections, truth, least, truth.crowd):
        every.append(pairs.only(detections.category[pairs.left] == truth.category[pairs.right]))
    return Overlaps(*(np.concatenate([getattr(one, name) for one in every]) for name in ("left", "right", "share")))


def ranks(detections: Detections) -> IntArray:
    """The place of each detection in its image and category, the surest first, from 0; of equal ones the first.

    >>> ranks(Detections(np.zeros(3, int), np.array([0, 1, 0]), np.zeros((3, 4)), np.array([0.1, 0.5, 0.9]))).tolist()
    [1, 0, 0]
    """
    order = np.lexsort((-detections.score, detections.category, detections.image))
    image, category = detections.image[order], detections.category[order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (image[1:] != image[:-1]) | (category[1:] != category[:-1])
    out = np.empty(len(order), np.int64)
    out[order] = place_within(np.cumsum(fresh))
    return out


def _take(
    pairs: Overlaps, rank: IntArray, uncounted: BoolArray, crowd: BoolArray, found: IntArray, taken: IntArray
) -> None:
    """Let the detections of one rank after the other take their boxes; ``found`` and ``taken`` are written."""
    of = rank[pairs.left]
    # The best of each detection comes last among its pairs.
    order = np.lexsort((pairs.right, pairs.share, ~uncounted[pairs.right], pairs.left, of))
    left, right, of = pairs.left[order], pairs.right[order], of[order]
    edges = np.flatnonzero(np.diff(of, prepend=-1, append=-1))
    for start, stop in pairwise(edges):
        free = (taken[right[start:stop]] < 0) | crowd[right[start:stop]]
        mine, theirs = left[start:stop][free], right[start:stop][free]
        last = np.flatnonzero(np.diff(mine, append=-1))
        found[mine[last]] = theirs[last]
        taken[theirs[last]] = mine[last]


def best_overlaps(pairs: Overlaps) -> Overlaps:
    """Of each left row the pair with the highest share, by left row; of equal ones the one with the first right row.

    >>> best_overlaps(Overlaps(np.array([0, 0, 2]), np.array([3, 4, 3]), np.array([0.5, 0.7, 0.1]))).right.tolist()
    [4, 3]
    """
    order = np.lexsort((-pairs.right, pairs.share, pairs.left))
    return pairs.only(order[np.flatnonzero(np.diff(pairs.left[order], append=-1))])
