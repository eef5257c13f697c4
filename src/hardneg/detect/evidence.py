"""What a detector's results say that items are made of: its negatives, and what it said of the boxes that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.boxes import Detections, Truth, overlaps
from hardneg.detect.mistakes import Kind, Mistakes
from hardneg.ragged import BoolArray, IntArray, place_within

__all__ = ["NEGATIVE", "Evidence", "agreement", "evidence_of"]

NEGATIVE = (Kind.BACKGROUND, Kind.CONFUSION)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evidence:
    """The negatives among a detector's results, and what it said of each box that is there.

    Args:
        wrong: the negatives, image by image, the surest first.
        judged: what each of them is.
        hidden: for each box that is there the score of the detection that found it and that, were the box not there,
            would be of a background; NaN where there is none.
        finder: for each box that is there the box of the detection that found it, shape ``(boxes, 4)``; NaN where none
            did.
        agreed: for each negative the score of a second detector, and for each box that is there (``found_by_both``)
            that of its finder; None without one.
        found_by_both: see ``agreed``.
    """

    wrong: Detections
    judged: Mistakes
    hidden: Floats
    finder: Floats
    agreed: Floats | None = None
    found_by_both: Floats | None = None

    def surest(self, most: int) -> Evidence:
        """Of each category that something was taken for, only so many negatives; of equal ones the first."""
        order = np.lexsort((-self.wrong.score, self.wrong.category))
        keep = np.zeros(len(order), bool)
        keep[order[place_within(self.wrong.category[order]) < most]] = True
        return self if keep.all() else self._only(keep)

    def _only(self, keep: BoolArray | IntArray) -> Evidence:
        wrong, judged = self.wrong, self.judged
        return replace(
            self,
            wrong=Detections(wrong.image[keep], wrong.category[keep], wrong.box[keep], wrong.score[keep]),
            judged=Mistakes(judged.kind[keep], judged.truth[keep], judged.share[keep]),
            agreed=None if self.agreed is None else self.agreed[keep],
        )

    def within(self, image: int, rows: IntArray) -> Evidence:
        """The same with numbers of a whole of which this is a part: its first image, and the rows of its boxes."""
        wrong, truth = self.wrong, self.judged.truth.copy()
        truth[truth >= 0] = rows[truth[truth >= 0]]
        moved = Detections(wrong.image + image, wrong.category, wrong.box, wrong.score)
        return replace(self, wrong=moved, judged=Mistakes(self.judged.kind, truth, self.judged.share))

    @staticmethod
    def joined(parts: Sequence[Evidence], hidden: Floats, finder: Floats, found_by_both: Floats | None) -> Evidence:
        """The negatives of parts of one whole, in their order, with what was said of all boxes that are there."""
        none = np.zeros(0, np.int64)
        empty = Evidence(
            Detections(none, none, np.zeros((0, 4)), np.zeros(0)),
            Mistakes(np.zeros(0, np.int8), none, np.zeros(0)),
            hidden,
            finder,
            None if found_by_both is None else np.zeros(0),
        )
        every = [empty, *parts]
        wrong, judged = [one.wrong for one in every], [one.judged for one in every]
        return Evidence(
            Detections(*(np.concatenate([getattr(one, name) for one in wrong]) for name in _BOXES)),
            Mistakes(*(np.concatenate([getattr(one, name) for one in judged]) for name in _JUDGED)),
            hidden,
            finder,
            None if found_by_both is None else np.concatenate([one.agreed for one in every if one.agreed is not None]),
            found_by_both,
        )


_BOXES, _JUDGED = ("image", "category", "box", "score"), ("kind", "truth", "share")


def evidence_of(
    truth: Truth, found: Detections, judged: Mistakes, *, least_score: float = 0.0, second: Detections | None = None
) -> Evidence:
    """Find the negatives, and what was said of the boxes that are there.

    Args:
        truth: what is there.
        found: what a detector found.
        judged: what each of it is, by :func:`hardneg.detect.mistakes`.
        least_score: negatives with a lower score are left out.
        second: what a second detector found.
    """
    negative = np.isin(judged.kind, NEGATIVE) & (found.area > 0) & (found.score >= least_score)
    rows = np.flatnonzero(negative)
    rows = rows[np.lexsort((-found.score[rows], found.image[rows]))]
    agreed = None if second is None else agreement(found, second)
    every = Evidence(
        found,
        judged,
        _hidden(truth, found, judged),
        _by_finder(found.box, truth, judged),
        agreed,
        None if agreed is None else _by_finder(agreed, truth, judged),
    )
    return every._only(rows)


def agreement(found: Detections, second: Detections, iou: float = 0.5) -> Floats:
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


def _hidden(truth: Truth, found: Detections, judged: Mistakes, background: float = 0.1) -> Floats:
    """The score of the detection that found each box and that, were the box not there, would be of a background.

    It overlaps nothing else by more than ``background``; NaN where there is none. So each known box is once a missing
    label, with all others in their places: what a missing label looks like is learnt from these.
    """
    crowded = np.zeros(len(found), bool)
    for pairs in overlaps(found, truth, np.nextafter(background, 1)):
        crowded[pairs.left[judged.truth[pairs.left] != pairs.right]] = True
    return _by_finder(np.where(crowded, np.nan, found.score), truth, judged)


def _by_finder(figure: Floats, truth: Truth, judged: Mistakes) -> Floats:
    """For each box that is there the figure (or figures) of the detection that found it; NaN where none did."""
    out = np.full((len(truth), *figure.shape[1:]), np.nan)
    right = np.flatnonzero(judged.kind == Kind.CORRECT)
    out[judged.truth[right]] = figure[right]
    return out
