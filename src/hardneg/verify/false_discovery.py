"""Many questions at once: which may be answered with yes so that few of the answers are wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.ragged import IntArray

__all__ = ["conformal_p", "q_values"]


def q_values(p: NDArray[np.float64], tests: int | None = None) -> NDArray[np.float64]:
    """The least false-discovery rate at which each would be reported (Benjamini & Hochberg 1995, JRSS B 57).

    Of what is reported at ``q <= 0.05``, at most 5% is expected to be false, if p-values are right and independent or
    positively dependent (Benjamini & Yekutieli 2001, Annals of Statistics 29).

    Args:
        p: p-values, shape ``(n,)``.
        tests: how many were looked at, where those not given have a larger p; ``n`` if not given.

    Raises InputError for fewer ``tests`` than p-values.

    >>> q_values(np.array([0.04, 0.001, 0.03]), tests=4).round(4).tolist()
    [0.0533, 0.004, 0.0533]
    """
    tests = len(p) if tests is None else tests
    if tests < len(p):
        raise InputError(f"There are {len(p)} p-values of {tests} tests.")
    order = np.argsort(p, kind="stable")
    stepped = np.asarray(p, np.float64)[order] * tests / np.arange(1, len(p) + 1)
    out = np.empty(len(p))
    out[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1)
    return out


def conformal_p(seen: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(1 + m) / (1 + n)``, where ``m`` of the ``n`` seen are no higher than the one asked about.

    If it comes from where those came from, the p-value is below ``e`` with probability at most ``e`` (Vovk, Gammerman &
    Shafer 2005, Algorithmic Learning in a Random World, section 4.5).

    >>> conformal_p(np.array([0.5, 0.7, 0.9]), np.array([0.6, 1.0])).tolist()
    [0.5, 1.0]
    """
    lower: IntArray = np.searchsorted(np.sort(seen), asked, side="right")
    return np.asarray((1 + lower) / (1 + len(seen)))
