"""Detections over the frames of a film: is the same thing found in the frames before and after?

A detection that the frames around it do not have is a flicker, which is typical of false alarms (Jin et al. 2018,
"Unsupervised Hard Example Mining from Videos for Improved Object Detection", ECCV). One that recurs at its place is a
thing, or a background that fools the detector each time. Where the category is labelled in the frames around, and not
in this one, the label is likely missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.boxes import Boxes, Detections, Truth, overlaps
from hardneg.detect.matching import best_overlaps
from hardneg.ragged import IntArray

__all__ = ["REACH", "Around", "Linked", "around", "linked", "neighbours"]

Floats = NDArray[np.float64]

REACH = 2  # frames before, and as many after
_LINK = 0.3  # intersection over union from which two boxes of frames side by side are one thing, as of SORT
_SAME = 0.5  # with a label
_AS_SURE = 0.5  # of a detection's own score: from here on a frame around has it, too


def neighbours(sequence: IntArray, frame: IntArray, reach: int = REACH) -> IntArray:
    """For each image those that come next in its sequence, -1 for none; shape ``(2 * reach, images)``.

    The rows are 1 to ``reach`` frames on, then 1 to ``reach`` frames back. What comes next is so by the order of the
    numbers; where frames were left out, none is further off than the same number of usual steps (the median) would be.

    Args:
        sequence: a number for each image, -1 for none, shape ``(images,)``.
        frame: its number in the sequence, -1 where nobody says.
        reach: how far to look.

    >>> neighbours(np.array([0, 0, 0, 1]), np.array([7, 5, 9, 5]), 1).tolist()
    [[2, 0, -1, -1], [1, -1, 0, -1]]
    """
    out = np.full((2 * reach, len(sequence)), -1, np.int64)
    rows = np.flatnonzero((sequence >= 0) & (frame >= 0))
    rows = rows[np.lexsort((frame[rows], sequence[rows]))]
    ends = np.flatnonzero(np.diff(sequence[rows], append=-1)) + 1
    for start, stop in pairwise([0, *ends.tolist()]):
        mine, number = rows[start:stop], frame[rows[start:stop]]
        usual = np.median(np.diff(number)) if len(mine) > 1 else 0.0
        for far in range(1, min(reach, len(mine) - 1) + 1):
            near = number[far:] - number[:-far] <= reach * usual
            out[far - 1, mine[:-far][near]] = mine[far:][near]
            out[reach + far - 1, mine[far:][near]] = mine[:-far][near]
    return out


@dataclass(frozen=True, eq=False)
class Linked:
    """For each box the detection that it goes on as in another image: its score, 0 for none, and its box."""

    score: Floats
    box: Floats


def linked(boxes: Boxes, found: Detections) -> Linked:
    """For each box the detection of its category, in its image, that overlaps it most; of equal ones the first.

    >>> one = Detections(np.zeros(1, int), np.zeros(1, int), np.array([[1.0, 0, 4, 4]]), np.array([0.7]))
    >>> linked(Boxes(np.zeros(1, int), np.zeros(1, int), np.array([[0.0, 0, 4, 4]])), one).score.tolist()
    [0.7]
    """
    score, box = np.zeros(len(boxes)), boxes.box.copy()
    for pairs in overlaps(boxes, found, _LINK):
        best = best_overlaps(pairs.only(boxes.category[pairs.left] == found.category[pairs.right]))
        score[best.left], box[best.left] = found.score[best.right], found.box[best.right]
    return Linked(score, box)


@dataclass(frozen=True, eq=False)
class Around:
    """What the frames around say of each box, shape ``(boxes,)`` each.

    Args:
        frames: how many there are around its image, 0 where it is no frame.
        seen: in how many of them it goes on, with a detection at least half as sure.
        score: the mean over them of the scores that it goes on with, 0 where it does not; NaN without frames around.
        labelled: in how many of them a thing of its category is labelled where it would be.
    """

    frames: IntArray
    seen: IntArray
    score: Floats
    labelled: IntArray


def around(boxes: Boxes, score: Floats, truth: Truth, near: IntArray, find: Callable[[Boxes], Linked]) -> Around:
    """Follow each box from frame to frame, on and back, and say where it was found and labelled.

    From its image it goes to the frame next to it, takes the place of the detection that it is linked with there, and
    keeps its own where there is none; so on, as far as ``near`` reaches.

    Args:
        boxes: what is followed.
        score: how sure each is.
        truth: what is there in all images.
        near: the frames around each image, by :func:`neighbours`.
        find: gives what boxes are linked with, in the images that they are put in, by :func:`linked`.
    """
    counts = np.zeros((3, len(boxes)), np.int64)
    total = np.zeros(len(boxes))
    reach = len(near) // 2
    for steps in (range(reach), range(reach, 2 * reach)):
        place = boxes.box.copy()
        for step in steps:
            there = np.flatnonzero(near[step][boxes.image] >= 0)
            moved = Boxes(near[step][boxes.image[there]], boxes.category[there], place[there])
            goes_on = find(moved)
            place[there] = goes_on.box
            counts[0, there] += 1
            counts[1, there] += (goes_on.score > 0) & (goes_on.score >= _AS_SURE * score[there])
            counts[2, there] += _labelled(Boxes(moved.image, moved.category, goes_on.box), truth)
            total[there] += goes_on.score
    mean = np.divide(total, counts[0], out=np.full(len(boxes), np.nan), where=counts[0] > 0)
    return Around(counts[0], counts[1], mean, counts[2])


def _labelled(boxes: Boxes, truth: Truth) -> NDArray[np.bool_]:
    out = np.zeros(len(boxes), bool)
    for pairs in overlaps(boxes, truth, _SAME):
        same = (boxes.category[pairs.left] == truth.category[pairs.right]) & ~truth.uncounted[pairs.right]
        out[pairs.left[same]] = True
    return out
