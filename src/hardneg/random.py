"""Random numbers by counter: a number depends on the seed and on what it is for, never on when it was drawn.

So a random choice is the same whatever the block size, the number of workers or the order of the work.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["redrawn", "uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def uniform(seed: int, *counters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Numbers in the open interval (0, 1), one for each position of the (broadcast) counters.

    >>> a = uniform(0, np.array([1, 2, 3]))
    >>> bool((a == uniform(0, np.array([1, 2, 3]))).all()), bool((a == uniform(1, np.array([1, 2, 3]))).any())
    (True, False)
    """
    with np.errstate(over="ignore"):
        state = _mix(np.full(1, seed % 2**64, np.uint64) + _GOLDEN)
        for counter in counters:
            state = _mix(state ^ (np.asarray(counter).astype(np.uint64) + _GOLDEN) * np.uint64(0xD6E8FEB86659FD93))
    return _fraction(state)


def redrawn(seed: int, draw: int, n: int) -> NDArray[np.int64]:
    """How often each of ``n`` things comes when as many are drawn with replacement: one draw of a bootstrap.

    >>> int(redrawn(1, 0, 5).sum())
    5
    """
    return np.bincount((uniform(seed, np.array([draw]), np.arange(n)) * n).astype(np.int64), minlength=n)


def _fraction(state: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The 52 upper bits as a number in the open interval; with a 53rd the last one would round up to 1."""
    return np.asarray((state >> np.uint64(12)).astype(np.float64) * 2.0**-52 + 2.0**-53)
