"""Figures as a reader wants them: counts, shares, scores, axes."""

from __future__ import annotations

import math

import numpy as np

from hardneg.table import Array

__all__ = ["axis_ticks", "compact", "count", "median", "number", "plural", "shade", "share", "short"]


def count(value: float) -> str:
    """A whole number with thousands marked.

    >>> count(12345)
    '12,345'
    """
    return f"{int(value):,}"


def short(value: int) -> str:
    """A whole number in four characters or so, where many stand in a small table.

    >>> short(999), short(1234), short(56_789), short(4_200_000)
    ('999', '1.2k', '57k', '4.2M')
    """
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if value >= size:
            return f"{value / size:.{1 if value < 10 * size else 0}f}{letter}"
    return str(value)


def plural(value: float, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "copy", "copies"), plural(1200, "anchor")
    ('1 copy', '1,200 anchors')
    """
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent; what is not nothing never reads as nothing, nor what is not all as all.

    >>> share(1, 10_000), share(21, 400), share(399, 400), share(0, 0)
    ('<0.1%', '5.2%', '>99%', '–')
    """
    if not whole:
        return "–"
    value = part / whole
    if 0 < value < 0.0005:
        return "<0.1%"
    if 0.995 <= value < 1:
        return ">99%"
    return f"{value:.1%}" if 0 < value < 0.0995 else f"{value:.0%}"


def shade(value: int, most: int) -> int:
    """A shade for a count in a table, from 0 to 8: by its root, so that small ones can still be told from none.

    >>> shade(0, 100), shade(1, 100), shade(100, 100)
    (0, 1, 8)
    """
    return math.ceil(8 * math.sqrt(value / most)) if value else 0


def number(value: float) -> str:
    """A score, with as many decimals as its size asks for.

    >>> number(0.61234), number(-83.21), number(float("nan"))
    ('0.612', '−83.2', '–')
    """
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    text = f"{value:.{3 if size < 10 else 1 if size < 1000 else 0}f}"
    return "0.000" if text == "-0.000" else text.replace("-", "−")


def compact(value: float) -> float | None:
    """A score as it stands in the page's data: five digits are more than anyone reads; None for not a number."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


def median(values: Array) -> float:
    """The median, NaN of nothing."""
    return float(np.median(values)) if len(values) else math.nan


def axis_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers between two ends, roughly ``about`` of them.

    >>> axis_ticks(0.07, 0.93)
    [0.2, 0.4, 0.6, 0.8]
    """
    rough = (high - low) / about
    if not rough > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{at * step:.10g}") for at in range(first, last + 1)]
