"""Quantiles of the gamma and the beta distribution, for exact intervals without a dependency; and those of draws."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, isfinite, lgamma, log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["beta_quantile", "gamma_quantile", "percentiles"]

_TINY, _SMALL, _HALVINGS = 1e-300, 1e-15, 200


def gamma_quantile(p: float, shape: float) -> float:
    """Where the distribution function of a gamma variable of scale 1 reaches ``p``.

    >>> round(gamma_quantile(0.975, 1.0), 4)
    3.6889
    """
    top = shape + 10 * sqrt(shape) + 10
    while _gamma(shape, top) < p:
        top *= 2
    return _reached(lambda x: _gamma(shape, x), p, top)


def beta_quantile(p: float, a: float, b: float) -> float:
    """Where the distribution function of a beta variable reaches ``p``.

    >>> round(beta_quantile(0.5, 2.0, 2.0), 6)
    0.5
    """
    return _reached(lambda x: _beta(a, b, x), p, 1.0)


def percentiles(drawn: NDArray[np.float64], confidence: float = 0.95) -> tuple[float, float]:
    """The ends of a percentile interval (Efron & Tibshirani 1993) over the draws that gave a figure; NaN without any.

    >>> percentiles(np.array([1.0, 2.0, 3.0, np.nan]), 0.5)
    (1.5, 2.5)
    """
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _reached(function: Callable[[float], float], p: float, high: float) -> float:
    """The place between 0 and ``high`` where a rising function reaches ``p``, by halving."""
    low = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if function(middle) < p else (low, middle)
    return (low + high) / 2


def _gamma(a: float, x: float) -> float:
    """The regularised lower incomplete gamma function (Abramowitz & Stegun 1964, 6.5.29 and 6.5.31)."""
    if x <= 0:
        return 0.0
    front = exp(a * log(x) - x - lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while abs(term) > abs(total) * _SMALL:
            n += 1
            term *= x / n
            total += term
        return front * total

    def step(i: int) -> tuple[float, float]:
        return -i * (i - a), x + 2 * i + 1 - a

    return 1 - front / _fraction(x + 1 - a, step)


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function (Abramowitz & Stegun 1964, 26.5.8)."""
    if not 0 < x < 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a

    def step(i: int) -> tuple[float, float]:
        m = i // 2
        if i % 2 == 0:
            return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0

    return front / _fraction(1.0, step)


def _fraction(start: float, step: Callable[[int], tuple[float, float]]) -> float:
    """A continued fraction by the modified Lentz method (Thompson & Barnett 1986, J. Comput. Phys. 64)."""
    value = start or _TINY
    c, d, i = value, 0.0, 0
    while True:
        i += 1
        above, below = step(i)
        d = below + above * d or _TINY
        c = below + above / c or _TINY
        d = 1 / d
        value *= c * d
        if abs(c * d - 1) < _SMALL * 4 or not isfinite(value) or i > 100_000:
            return value
