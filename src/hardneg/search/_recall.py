"""How much of the true answer an approximate one holds, measured on a sample of the anchors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardneg.ragged import IntArray
from hardneg.search._base import Hits

__all__ = ["Recall", "recall", "samples"]

_SAMPLE = 512  # anchors in each of the two samples
_Z = 1.96  # 95%


@dataclass(frozen=True)
class Recall:
    """The mean recall over ``anchors`` anchors, and a 95% interval.

    The interval is Wilson's (1927), with an anchor's neighbours counted as one observation: they are found or missed
    together, so it is rather too wide than too narrow.
    """

    mean: float
    anchors: int
    error: float  # standard error of the mean

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self._end(-1)

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self._end(1)

    @property
    def cautious(self) -> float:
        """The mean less one standard error: what a search is tuned by, so that chance does not flatter it."""
        return self.mean - self.error

    def _end(self, side: int) -> float:
        n, p = max(1, self.anchors), self.mean
        half = _Z * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return float(np.clip((p + _Z**2 / (2 * n) + side * half) / (1 + _Z**2 / n), 0, 1))


def recall(found: Hits, truth: Hits) -> Recall:
    """The share of the true neighbours of each anchor that was found, over the anchors that have any.

    >>> from hardneg.ragged import Ragged
    >>> hits = [Hits(Ragged.from_lists([one]), np.zeros(2), np.zeros(2)) for one in ([3, 8], [3, 5])]
    >>> recall(*hits).mean
    0.5
    """
    wanted = truth.items.lengths()
    hit = truth.items.contains(found.items.rows(), found.items.values)
    each = np.bincount(found.items.rows()[hit], minlength=len(wanted))[wanted > 0] / wanted[wanted > 0]
    if not len(each):
        return Recall(1.0, 0, 0.0)
    return Recall(float(each.mean()), len(each), float(each.std() / np.sqrt(len(each))))


def samples(anchors: int) -> tuple[IntArray, IntArray]:
    """Two samples of anchors, spread evenly, that share none.

    >>> [one.tolist() for one in samples(5)]
    [[0, 2, 4], [1, 3]]
    """
    rows = np.unique(np.linspace(0, anchors - 1, min(anchors, 2 * _SAMPLE)).astype(np.int64))
    return rows[::2], rows[1::2]
