"""How sure a detector's figures are, and how sure the difference of two: images are drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.detect.evaluation import Evaluation, mean_of
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.quantiles import percentiles
from hardneg.random import redrawn

__all__ = ["Interval", "Spread", "spread"]


@dataclass(frozen=True)
class Interval:
    """A figure and the ends of its interval; NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Spread:
    """Figures of draws of images, by ``MEASURES``.

    Args:
        value: of all images: of each category and, last, the mean, shape ``(categories + 1, 4)``.
        drawn: of each draw, shape ``(draws, categories + 1, 4)``.
    """

    value: NDArray[np.float64]
    drawn: NDArray[np.float64]

    def interval(self, measure: int, category: int = -1, confidence: float = 0.95) -> Interval:
        """The figure of a category, or the mean, with the percentiles of the draws that gave one."""
        ends = percentiles(self.drawn[:, category, measure], confidence)
        return Interval(float(self.value[category, measure]), *ends)

    def less(self, other: Spread) -> Spread:
        """The differences to another's figures, draw by draw; both must come from the same images and seed."""
        return Spread(self.value - other.value, self.drawn - other.drawn)


def spread(
    judged: Evaluation,
    *,
    draws: int = 1000,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005 - nobody watches
) -> Spread:
    """Figures of images drawn with replacement, as many as there are (percentile bootstrap, Efron & Tibshirani 1993).

    Boxes of one image are not independent, so images are drawn and never boxes. A draw is the same for every detector
    on the same images: so differences are paired. A category of which a draw has no box is left out of its mean.

    The intervals are those of data sets of this size. A mean AP over rare categories is higher in few images than in
    many (it takes the highest precision of few finds), which no draw of the few repairs; see docs/benchmarks.md.

    Args:
        judged: a detector's finds.
        draws: how many.
        seed: draws the images.
        report: told how many draws are done.

    Raises InputError with fewer than 2 images.
    """
    require(draws >= 1, "draws", "at least 1", draws)
    images = judged.images
    if images < 2:
        raise InputError(f"An interval over images needs at least 2. There are {images}.")
    drawn = []
    for draw in range(draws):
        drawn.append(_with_mean(judged.figures(redrawn(seed, draw, images))))
        report(draw + 1, draws)
    return Spread(_with_mean(judged.figures()), np.array(drawn))


def _with_mean(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([figures, mean_of(figures)[None]])
