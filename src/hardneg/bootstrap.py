"""Things drawn anew with replacement, and the interval of a figure over such draws.

The percentile bootstrap of Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.ragged import IntArray

__all__ = ["interval", "redrawn"]


def redrawn(n: int, draw: int, seed: int) -> IntArray:
    """How often each of ``n`` things comes when as many are drawn with replacement, shape ``(n,)``.

    >>> redrawn(4, draw=0, seed=1).sum()
    np.int64(4)
    """
    chosen = (random.uniform(seed, np.array([draw]), np.arange(n)) * n).astype(np.int64)
    return np.bincount(chosen, minlength=n)


def interval(drawn: NDArray[np.float64], confidence: float = 0.95) -> tuple[float, float]:
    """The two values between which so large a share of the draws lies; NaN where no draw gave a figure.

    >>> interval(np.array([0.0, 1.0, 2.0, np.nan]), 0.5)
    (0.5, 1.5)
    """
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
