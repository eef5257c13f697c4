"""How well a detector finds things: its figures for each category, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.average_precision import OVERLAPS, average_precision
from hardneg.detect.boxes import Detections, Truth, check_numbers
from hardneg.detect.matching import Matches, matched_at
from hardneg.detect.miss_rate import log_average_miss_rate
from hardneg.detect.outcomes import Outcomes, outcomes
from hardneg.progress import Report
from hardneg.ragged import BoolArray, IntArray

__all__ = ["MEASURES", "Evaluation", "ap50_without", "evaluate", "mean_of"]

MEASURES = ("AP", "AP50", "AP75", "LAMR")
"""Average precision over all ten overlaps, at 0.5, at 0.75; log-average miss rate at 0.5, of which less is better."""

_AT_50, _AT_75 = OVERLAPS.index(0.5), OVERLAPS.index(0.75)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A detector's finds, judged.

    Args:
        found: for each category its finds at each of ``OVERLAPS``.
        images: how many were looked at.
    """

    found: Sequence[Sequence[Outcomes]]
    images: int

    def figures(self, times: IntArray | None = None) -> NDArray[np.float64]:
        """``MEASURES`` of each category, shape ``(categories, 4)``; NaN for one of which no box counts.

        Args:
            times: how often each image counts, shape ``(images,)``; once if not given.
        """
        return np.array([_figures(one, times) for one in self.found]).reshape(-1, len(MEASURES))


def evaluate(
    truth: Truth,
    detections: Detections,
    *,
    images: int,
    categories: int,
    report: Report = lambda done, total: None,  # noqa: ARG005 - nobody watches
) -> Evaluation:
    """Judge a detector at all of COCO's overlaps, with at most 100 finds of an image and category.

    Args:
        truth: what is there.
        detections: what was found.
        images: how many images were looked at, those in which nothing is and nothing was found too.
        categories: how many there are.
        report: told how many overlaps are done.

    Raises InputError for numbers of images or categories that there are not.

    >>> there = Truth(np.zeros(2, int), np.array([0, 1]), np.array([[0.0, 0, 4, 4], [8, 8, 4, 4]]))
    >>> seen = Detections(np.zeros(1, int), np.zeros(1, int), np.array([[0.0, 0, 4, 3.5]]), np.array([0.9]))
    >>> judged = evaluate(there, seen, images=1, categories=2)
    >>> dict(zip(MEASURES, mean_of(judged.figures()).round(3).tolist()))
    {'AP': 0.4, 'AP50': 0.5, 'AP75': 0.5, 'LAMR': 0.5}
    """
    for one in (truth, detections):
        check_numbers(one.category, categories, "boxes are of category", "categories")
    by_overlap = []
    for matches in matched_at(truth, detections, OVERLAPS):
        by_overlap.append(matches)
        report(len(by_overlap), len(OVERLAPS))
    found = [
        [outcomes(truth, detections, matches, images, category) for matches in by_overlap]
        for category in range(categories)
    ]
    return Evaluation(found, images)


def ap50_without(
    truth: Truth, detections: Detections, matches: Matches, gone: BoolArray, *, images: int, categories: int
) -> float:
    """The mean AP50 as if some finds had not been made: what ridding a detector of a kind of mistake could bring.

    For backgrounds, duplicates and mistakes of both box and category this is how TIDE repairs them (Bolya et al. 2020,
    arXiv 2008.08115). It is an upper bound: a detector that unlearns them may lose right finds as well.

    Args:
        truth: what is there.
        detections: what was found.
        matches: which found which, at 0.5.
        gone: the finds that are left out, shape ``(detections,)``.
        images: how many images were looked at.
        categories: how many there are.
    """
    each = [
        average_precision(outcomes(truth, detections, matches, images, category, gone))
        for category in range(categories)
    ]
    return float(mean_of(np.array(each).reshape(-1, 1))[0])


def mean_of(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each measure over the categories that have one, shape ``(4,)``; NaN where none has.

    >>> mean_of(np.array([[0.5, 1.0], [0.7, np.nan]])).round(2).tolist()
    [0.6, 1.0]
    """
    known = ~np.isnan(figures)
    count = known.sum(axis=0)
    return np.asarray(
        np.divide(np.where(known, figures, 0).sum(axis=0), count, out=np.full(len(count), np.nan), where=count > 0)
    )


def _figures(found: Sequence[Outcomes], times: IntArray | None) -> list[float]:
    if not len(found[_AT_50].box_image):
        return [float("nan")] * len(MEASURES)
    if not len(found[_AT_50].score):  # so with any draw, and at any higher overlap
        some = times is None or times[found[_AT_50].box_image].any()
        return [0.0, 0.0, 0.0, 1.0] if some else [float("nan")] * len(MEASURES)
    drawn = found if times is None else [one.drawn(times) for one in found]
    precision = [average_precision(one) for one in drawn]
    mean = sum(precision) / len(precision)
    return [mean, precision[_AT_50], precision[_AT_75], log_average_miss_rate(drawn[_AT_50])]
