"""Average precision as COCO counts it, by hotcoco."""

from __future__ import annotations

from hardneg.detect.outcomes import Outcomes
from hardneg.errors import MissingExtraError

__all__ = ["OVERLAPS", "average_precision"]

OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""The least intersections over union that COCO's AP is the mean over; AP50 and AP75 are at one of them."""


def average_precision(found: Outcomes) -> float:
    """The mean over 101 recalls, from 0 to 1, of the highest precision at that recall or a higher one.

    From Lin et al. 2014, "Microsoft COCO" (arXiv 1405.0312), and its evaluation code. NaN where no box counts, as
    COCO leaves such a category out of its means; 0 where nothing was found.

    Raises MissingExtraError without hotcoco.

    >>> import numpy as np
    >>> box = np.array([0, 0])
    >>> found = Outcomes(np.zeros(3, int), np.array([0.9, 0.8, 0.3]), np.array([True, False, True]), box, images=1)
    >>> round(average_precision(found), 4)
    0.835
    """
    try:
        from hotcoco import metrics
    except ImportError:
        raise MissingExtraError("hotcoco", extra="detection") from None
    if not len(found.box_image):
        return float("nan")
    return float(metrics.average_precision(found.score, found.hit, num_gt=len(found.box_image)))
