"""The examination of a detector: what it finds in held-out pictures, at an overlap of 0.5."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.detect import (
    Detections,
    Outcomes,
    Truth,
    average_precision,
    log_average_miss_rate,
    matched,
    mean_of,
    miss_rates,
    outcomes,
)
from hardneg.impact.exam import Answers, Figures, Measure
from hardneg.impact.operating import decades
from hardneg.ragged import IntArray

__all__ = ["FPPI", "RECALL", "BoxExam", "fppi_at_recall"]

RECALL = 0.8  # at which false positives per image are counted
FPPI = decades(-2, 2)  # the grid of curves


class BoxExam:
    """Pictures of one part of the data, with the boxes in them; pictures of a film are one subject.

    Args:
        truth: the boxes, by the numbers of these pictures.
        categories: how many categories there are.
        lots: the number of what belongs together, of each picture.
    """

    measures: tuple[Measure, ...] = (
        Measure("AP50", 1, "average precision at an overlap of 0.5, mean over categories"),
        Measure("LAMR", -1, "log-average miss rate, from 0.01 to 1 false positives per image, mean over categories"),
        Measure(
            "FPPI@recall=0.8", -1, "false positives per image where 80% of the boxes are found, all categories", inf
        ),
        Measure("recall@FPPI=1", 1, "share of the boxes found at one false positive per image, all categories"),
    )
    draws = 400
    across = "false positives per image"

    def __init__(self, truth: Truth, categories: int, lots: IntArray) -> None:
        self.truth, self.categories = truth, categories
        self.rows = np.arange(len(lots))
        self.subjects = np.unique(lots, return_inverse=True)[1].astype(np.int64)
        self.count = int(self.subjects.max()) + 1

    def answers(self, found: Detections) -> Answers:
        """What counts of the finds, the surest first, each with its picture, category and whether it is right."""
        matches = matched(self.truth, found)
        kept = [outcomes(self.truth, found, matches, len(self.rows), one) for one in range(self.categories)]
        category = np.repeat(np.arange(self.categories), [len(one.score) for one in kept])
        columns = {name: np.concatenate([getattr(one, name) for one in kept]) for name in ("image", "score", "hit")}
        order = np.lexsort((columns["image"], -columns["score"]))  # also of each category: as outcomes() has them
        out = {name: one[order] for name, one in {"category": category, **columns}.items()}
        marks = self._marks(out)
        return {**out, "unit": marks, "right": marks == 1}  # all found, and nothing else

    def figures(self, answers: Mapping[str, NDArray[Any]], weights: Figures | None = None) -> Figures:
        """One figure for each measure, each picture counted so many times (a whole number)."""
        times = None if weights is None else weights.astype(np.int64)
        each = [_drawn(self._of(answers, one), times) for one in range(self.categories)]
        both = np.array([[_precision(one), log_average_miss_rate(one)] for one in each]).reshape(-1, 2)
        together = _drawn(self._of(answers), times)
        return np.array([*mean_of(both), fppi_at_recall(together), float(_recall(together, np.array([1.0]))[0])])

    def by_grade(self, answers: Mapping[str, NDArray[Any]]) -> dict[str, float]:  # noqa: ARG002 - as all examinations
        """Nothing: no similarity grades a background."""
        return {}

    def grid(self, answers: Mapping[str, NDArray[Any]]) -> Figures:  # noqa: ARG002 - as all examinations
        """False positives per image, from 0.01 to 100."""
        return FPPI

    def found_at(self, answers: Mapping[str, NDArray[Any]], rates: Figures, weights: Figures | None = None) -> Figures:
        """The share of the boxes of all categories together that is found at each."""
        return _recall(_drawn(self._of(answers), None if weights is None else weights.astype(np.int64)), rates)

    def threshold(self, answers: Mapping[str, NDArray[Any]]) -> float:
        """The lowest score with at most one false positive per image: where single pictures are compared."""
        return float(np.nan_to_num(miss_rates(self._of(answers)).threshold(1.0), nan=np.inf))

    def told(self, answers: Mapping[str, NDArray[Any]], picture: int) -> str:
        """What became of a picture, in words."""
        hits, false = self._counts(answers)
        boxes = int(self._boxes()[picture])
        return f"{int(hits[picture])} of {boxes} found, {int(false[picture])} false"

    def _of(self, answers: Mapping[str, NDArray[Any]], category: int | None = None) -> Outcomes:
        boxes, rows = ~self.truth.uncounted, np.ones(len(answers["score"]), bool)
        if category is not None:
            boxes, rows = boxes & (self.truth.category == category), answers["category"] == category
        image, score, hit = (answers[name][rows] for name in ("image", "score", "hit"))
        return Outcomes(image, score, hit, self.truth.image[boxes], len(self.rows))

    def _marks(self, answers: Mapping[str, NDArray[Any]]) -> Figures:
        """F1 of each picture at the threshold of one false positive per image; 1 where nothing is there nor found."""
        hits, false = self._counts(answers)
        of = hits + false + self._boxes()
        return np.asarray(np.divide(2 * hits, of, out=np.ones(len(of)), where=of > 0))

    def _counts(self, answers: Mapping[str, NDArray[Any]]) -> tuple[Figures, Figures]:
        sure = answers["score"] >= self.threshold(answers)
        hit = answers["hit"].astype(bool)
        both = [np.bincount(answers["image"][sure & of], minlength=len(self.rows)) for of in (hit, ~hit)]
        return both[0].astype(np.float64), both[1].astype(np.float64)

    def _boxes(self) -> IntArray:
        return np.bincount(self.truth.image[~self.truth.uncounted], minlength=len(self.rows))


def fppi_at_recall(found: Outcomes, recall: float = RECALL) -> float:
    """False positives per image where so large a share of the boxes is found; NaN where that is not reached.

    Finds of equal score are one threshold, so all of them are counted in.

    >>> found = Outcomes(np.zeros(3, int), np.array([0.9, 0.8, 0.8]), np.array([True, True, False]), np.zeros(2), 2)
    >>> fppi_at_recall(found, 0.5), fppi_at_recall(found, 1.0)
    (0.0, 0.5)
    """
    boxes, score = len(found.box_image), found.score
    if not boxes or not len(score):
        return float("nan")
    ends = np.flatnonzero(np.append(score[1:] != score[:-1], True))
    share, wrong = np.cumsum(found.hit)[ends] / boxes, np.cumsum(~found.hit)[ends]
    enough = np.flatnonzero(share >= recall - 1e-12)
    return float(wrong[enough[0]]) / max(found.images, 1) if len(enough) else float("nan")


def _recall(found: Outcomes, fppi: Figures) -> Figures:
    """The share found with no more false positives per image than asked for; NaN without a box."""
    if not len(found.box_image):
        return np.full(len(fppi), np.nan)
    return np.asarray(1 - miss_rates(found).at(fppi))


def _drawn(found: Outcomes, times: IntArray | None) -> Outcomes:
    return found if times is None else found.drawn(times)


def _precision(found: Outcomes) -> float:
    if not len(found.box_image):
        return float("nan")
    return average_precision(found) if len(found.score) else 0.0
