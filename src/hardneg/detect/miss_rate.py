"""Misses against false positives per image, and the one figure made from that curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.outcomes import Outcomes

__all__ = ["REFERENCES", "MissRates", "log_average_miss_rate", "miss_rates"]

REFERENCES = 10.0 ** np.linspace(-2, 0, 9)
"""The false positives per image at which the curve is read: nine, evenly spaced in log space from 0.01 to 1."""

_LEAST = 1e-10  # a miss rate of 0 has no logarithm; the Caltech toolbox puts this in its place


@dataclass(frozen=True, eq=False)
class MissRates:
    """The curve, a point a find from the surest on, each of shape ``(finds,)``.

    Args:
        score: that of the last find that is counted in.
        fppi: false positives per image so far.
        miss_rate: of the boxes, the share that is not found yet; NaN where there is none.
    """

    score: NDArray[np.float64]
    fppi: NDArray[np.float64]
    miss_rate: NDArray[np.float64]

    def at(self, fppi: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """The miss rate of the last point with no more false positives per image than asked for.

        Where the curve ends before that, its last miss rate; where it begins behind it, 1.

        >>> MissRates(np.array([0.9]), np.array([0.5]), np.array([0.25])).at(np.array([0.1, 1.0])).tolist()
        [1.0, 0.25]
        """
        return np.asarray(np.concatenate([[1.0], self.miss_rate])[self._last(fppi)])

    def threshold(self, fppi: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """The lowest score that a detector may be cut at with no more false positives per image than asked for.

        NaN where even the surest find is too many.

        >>> MissRates(np.array([0.9, 0.4]), np.array([0.0, 0.5]), np.array([0.5, 0.5])).threshold(0.1).item()
        0.9
        """
        return np.asarray(np.concatenate([[np.nan], self.score])[self._last(fppi)])

    def _last(self, fppi: float | NDArray[np.float64]) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(self.fppi, fppi, "right"))


def miss_rates(found: Outcomes) -> MissRates:
    """Count misses and false positives from the surest find on.

    Of finds with equal scores each is a point of its own, as in the Caltech toolbox.

    >>> found = Outcomes(np.zeros(3, int), np.array([0.9, 0.8, 0.3]), np.array([True, False, True]), np.zeros(2), 2)
    >>> curve = miss_rates(found)
    >>> curve.fppi.tolist(), curve.miss_rate.tolist()
    ([0.0, 0.5, 0.5], [0.5, 0.5, 0.0])
    """
    wrong = np.cumsum(~found.hit, dtype=np.float64)
    boxes = len(found.box_image)
    missed = 1 - np.cumsum(found.hit) / boxes if boxes else np.full(len(wrong), np.nan)
    return MissRates(found.score, wrong / max(found.images, 1), missed)


def log_average_miss_rate(found: Outcomes) -> float:
    """The geometric mean of the miss rates at nine numbers of false positives per image; lower is better.

    From Dollar, Wojek, Schiele & Perona 2012, "Pedestrian detection: an evaluation of the state of the art" (PAMI 34),
    as their toolbox reckons it (``bbGt('compRoc')``): see :meth:`MissRates.at`, and a miss rate of 0 counts as 1e-10.
    So a detector that finds all with fewer than 0.01 false positives per image is at 1e-10. With fewer than 100
    images one false positive alone is more than 0.01 per image.

    NaN where no box counts; 1 where nothing was found.

    >>> found = Outcomes(np.zeros(2, int), np.array([0.9, 0.8]), np.array([True, False]), np.zeros(2), images=10)
    >>> log_average_miss_rate(found)
    0.5
    """
    if not len(found.box_image):
        return float("nan")
    missed = miss_rates(found).at(REFERENCES)
    return float(np.exp(np.log(np.maximum(missed, _LEAST)).mean()))
