"""False accepts per hour, exactly: the interval of a rate, and that of the ratio of two."""

from __future__ import annotations

from dataclasses import dataclass

from hardneg.notation import require
from hardneg.quantiles import clopper_pearson, gamma_quantile

__all__ = ["Rate", "rate_per_hour", "rate_ratio"]


@dataclass(frozen=True)
class Rate:
    """A rate or a ratio of two, with the ends of its interval."""

    value: float
    low: float
    high: float


def rate_per_hour(count: int, hours: float, *, confidence: float = 0.95) -> Rate:
    """How many a hour, with the exact interval of a Poisson count (Garwood 1936, Biometrika 28).

    It holds the truth at least as often as ``confidence`` says. None in 10 hours may still be 0.37 an hour.

    Raises OptionError for a count below 0 or no hours.

    >>> rate = rate_per_hour(0, 10)
    >>> rate.value, rate.low, round(rate.high, 3)
    (0.0, 0.0, 0.369)
    """
    require(count >= 0, "count", "at least 0", count)
    require(hours > 0, "hours", "above 0", hours)
    require(0 < confidence < 1, "confidence", "above 0 and under 1", confidence)
    tail = (1 - confidence) / 2
    low = gamma_quantile(tail, count) if count else 0.0
    return Rate(count / hours, low / hours, gamma_quantile(1 - tail, count + 1) / hours)


def rate_ratio(count: int, hours: float, other_count: int, other_hours: float, *, confidence: float = 0.95) -> Rate:
    """One rate divided by another, with an exact interval: below 1 the first is lower.

    Given how many there are of both, those of the first are binomial (Przyborowski & Wilenski 1940, Biometrika 31),
    whose interval is that of Clopper & Pearson 1934, Biometrika 26. The counts must be independent: those of two
    detectors on one recording are not, and the interval is then mostly too wide.

    The value is NaN where there are none of either, and infinity where there are none of the other.

    Raises OptionError as :func:`rate_per_hour`.

    >>> ratio = rate_ratio(5, 10, 20, 10)
    >>> ratio.value, round(ratio.low, 3), round(ratio.high, 3)
    (0.25, 0.073, 0.686)
    """
    for name, number in (("count", count), ("other_count", other_count)):
        require(number >= 0, name, "at least 0", number)
    for name, length in (("hours", hours), ("other_hours", other_hours)):
        require(length > 0, name, "above 0", length)
    require(0 < confidence < 1, "confidence", "above 0 and under 1", confidence)
    low, high = clopper_pearson(count, count + other_count, confidence)
    scale = other_hours / hours
    value = scale * count / other_count if other_count else float("inf" if count else "nan")
    return Rate(value, scale * low / (1 - low), scale * high / (1 - high) if high < 1 else float("inf"))
