"""Parts of the population: strata to draw from, and bands that a reader sees."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hardneg.auditing.population import Coded
from hardneg.ragged import BoolArray, IntArray

__all__ = ["bands", "largest", "order_of", "rank_bands", "strata_of"]

# The share of the population that lies above each bound. Where most false negatives are expected the parts are small.
_BOUNDS = (0.1, 0.3, 0.6, 1.0)
_RANKS = (0, 1, 2, 5, 10, 20, 50, 100)
_SHOWN = 12

Figures = NDArray[np.floating]


def order_of(figure: Figures, *ties: IntArray) -> IntArray:
    """The places of the pairs from the highest figure down; ties by what does not depend on the order of rows."""
    return np.lexsort((*ties[::-1], -figure))


def strata_of(figure: Figures, within: BoolArray, name: str, *ties: IntArray) -> Coded:
    """Cut the pairs ``within`` into four strata by a figure, from the highest down; -1 for the others.

    >>> found = strata_of(np.arange(10.0), np.ones(10, bool), "score")
    >>> found.codes.tolist(), found.names
    ([3, 3, 3, 3, 2, 2, 2, 1, 1, 0], ['score-1', 'score-2', 'score-3', 'score-4'])
    """
    order = order_of(figure, *ties)
    order = order[within[order]]
    ends = np.round(np.array((0.0, *_BOUNDS)) * len(order)).astype(np.int64)
    codes = np.full(len(figure), -1, np.int64)
    for stratum, (start, end) in enumerate(pairwise(ends.tolist())):
        codes[order[start:end]] = stratum
    return Coded(codes, [f"{name}-{stratum + 1}" for stratum in range(len(_BOUNDS))])


def bands(figure: Figures, codes: Coded) -> Coded:
    """The strata under names that tell what they span; what is in none has its own."""
    names = []
    for code in range(len(codes.names)):
        inside = figure[codes.codes == code]
        names.append(f"{inside.min():.3g} to {inside.max():.3g}" if len(inside) else "none")
    rest = codes.codes < 0
    return Coded(np.where(rest, len(names), codes.codes), [*names, "judged before mining"])


def rank_bands(rank: NDArray[np.integer]) -> Coded:
    """Bands of raw ranks.

    >>> found = rank_bands(np.array([0, 3, 700, -1]))
    >>> [found.names[code] for code in found.codes]
    ['0', '2 to 4', '100 and more', 'no rank']
    """
    ends = [*_RANKS[1:], None]
    names = [_span(start, end) for start, end in zip(_RANKS, ends, strict=True)]
    codes = np.searchsorted(_RANKS, rank, side="right") - 1
    return Coded(np.where(rank < 0, len(names), codes), [*names, "no rank"])


def _span(start: int, end: int | None) -> str:
    if end is None:
        return f"{start} and more"
    return str(start) if end == start + 1 else f"{start} to {end - 1}"


def largest(parts: Coded) -> Coded:
    """The largest parts under their names, the rest together: a table of a thousand groups tells nobody anything."""
    counts = np.bincount(parts.codes, minlength=len(parts.names))
    if len(parts.names) <= _SHOWN + 1:
        return parts
    kept = np.sort(np.argsort(-counts, kind="stable")[:_SHOWN])
    place = np.full(len(counts), _SHOWN)
    place[kept] = np.arange(_SHOWN)
    return Coded(place[parts.codes], [*(parts.names[one] for one in kept), f"{len(counts) - _SHOWN} others"])
