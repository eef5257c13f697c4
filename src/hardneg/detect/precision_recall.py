"""Precision and recall of a detector at each score that it could be cut at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.outcomes import Outcomes

__all__ = ["PrecisionRecall", "precision_recall"]


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """The curve, a point a find from the surest on, each of shape ``(finds,)``.

    Args:
        score: that of the last find that is counted in.
        precision: of the finds so far, the share that found a box.
        recall: of the boxes, the share that is found; NaN where there is none.
    """

    score: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]

    @property
    def highest(self) -> NDArray[np.float64]:
        """The highest precision at each recall or a higher one, which average precision is made from."""
        return np.asarray(np.maximum.accumulate(self.precision[::-1])[::-1])


def precision_recall(found: Outcomes) -> PrecisionRecall:
    """Count hits and false positives from the surest find on.

    >>> found = Outcomes(np.zeros(3, int), np.array([0.9, 0.8, 0.3]), np.array([True, False, True]), np.zeros(2), 1)
    >>> curve = precision_recall(found)
    >>> curve.precision.round(2).tolist(), curve.recall.tolist(), curve.highest.round(2).tolist()
    ([1.0, 0.5, 0.67], [0.5, 0.5, 1.0], [1.0, 0.67, 0.67])
    """
    hits = np.cumsum(found.hit, dtype=np.float64)
    boxes = len(found.box_image)
    recall = hits / boxes if boxes else np.full(len(hits), np.nan)
    return PrecisionRecall(found.score, hits / np.arange(1, len(hits) + 1), recall)
