"""How sure a share is: exact intervals for a share of a finite population, judged stratum by stratum.

Judged pairs are drawn at random from the pairs of a run, so nothing is assumed of the pairs themselves: not that they
are independent, nor that anchors are alike. What is random is the draw, and that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from hardneg import quantiles

__all__ = ["CONFIDENCE", "Cell", "Interval", "clopper_pearson", "stratified"]

CONFIDENCE = 0.95
_GRID = 1024  # steps from 0 to the share found, in which sums are counted
_CLOSE = 1e-5  # how near an end is to its exact place, as a share of it
_FARTHEST = 40.0  # of the multiplier, as an inverse hyperbolic sine
_UNSEEN = 0.01  # the weight of a cell without a judgement among those that have some: it goes where it is pushed

_RESERVE = 0.7  # of the error allowed; the rest pays for shares of cells that are estimated (after Berger & Boos 1994)
_NOTHING = 1e-15  # a chance that changes nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A share with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Cell:
    """A part of the population: how many pairs it holds, how many were judged, how many of these are false."""

    pairs: int
    judged: int
    false: float


def clopper_pearson(false: float, judged: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of a share (Clopper & Pearson 1934, Biometrika 26). Numbers need not be whole (an effective
    n).

    >>> found = clopper_pearson(0, 40)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0, 0.0881)
    """
    if judged <= 0:
        return Interval(float("nan"), 0.0, 1.0)
    return Interval(false / judged, *quantiles.clopper_pearson(false, judged, confidence))


def stratified(cells: Sequence[Cell], confidence: float = CONFIDENCE) -> Interval:
    """The share of false pairs over all cells, judged in each by simple random sampling without replacement.

    A share is in the interval unless what was found, or anything further off, has too small a chance on either side:
    half of ``1 - confidence``. The chance is exact (hypergeometric), with the cells as they are most likely if the
    whole has that share: Clopper & Pearson's interval where there is one cell, and after Chuang & Lai (2000,
    Statistica Sinica 10) where there are several. Then a part of the error allowed is kept back, since the shares of
    the cells are estimated. None false of 40 still gives an upper end; all judged gives the share itself.

    A cell without judgements may hold anything, and the interval says so. NaN between 0 and 1 where nothing is judged.

    >>> found = stratified([Cell(1000, 20, 1), Cell(3000, 20, 0)])
    >>> f"{found.value:.4f} {found.low:.4f} {found.high:.4f}"
    '0.0125 0.0003 0.1366'
    >>> stratified([Cell(10, 10, 3)])
    Interval(value=0.3, low=0.3, high=0.3)
    """
    return _found(tuple(cell for cell in cells if cell.pairs), confidence)


@lru_cache(maxsize=4096)
def _found(cells: tuple[Cell, ...], confidence: float) -> Interval:
    path = _Path.of(cells)
    if not path.judged.any():
        return Interval(float("nan"), 0.0, 1.0)
    if not (path.judged < path.pairs).any():  # nothing is unknown
        return Interval(path.value, path.value, path.value)
    tail = (1 - confidence) / 2 * (1 if path.drawn <= 1 else _RESERVE)
    high = path.end(lambda shares: path.chance(shares, np.floor, np.less_equal), -1.0, tail)
    low = path.end(lambda shares: 1 - path.chance(shares, np.ceil, np.less), 1.0, tail)
    return Interval(path.value, min(low, path.value), max(high, path.value))


@dataclass(frozen=True)
class _Path:
    """The likeliest shares of all cells for each share of the whole, found by one multiplier.

    To have the share of the whole at some other place than what was found, cells move where that costs least
    likelihood: ``x / p - (n - x) / (1 - p) = multiplier * weight``.
    """

    pairs: Floats
    judged: Floats
    false: Floats

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> _Path:
        columns = ([getattr(cell, name) for cell in cells] for name in ("pairs", "judged", "false"))
        return cls(*(np.array(column, np.float64) for column in columns))

    @property
    def drawn(self) -> int:
        """How many cells were judged in part."""
        return int(((self.judged > 0) & (self.judged < self.pairs)).sum())

    @property
    def weight(self) -> Floats:
        return np.asarray(self.pairs / self.pairs.sum())

    @property
    def value(self) -> float:
        """The stratified estimate; cells without judgements are taken to be like the others."""
        seen = self.judged > 0
        false = self.pairs[seen] * self.false[seen] / self.judged[seen]
        return float(false.sum() / self.pairs[seen].sum())

    def shares(self, multiplier: float) -> Floats:
        """The likeliest share in each cell, within what the judged ones leave possible."""
        left = self.pairs - self.judged
        # Judged without replacement: each judgement tells more the fewer are left.
        times = np.divide(self.pairs - 1, left, out=np.zeros_like(left), where=left > 0)
        n = np.where(self.judged > 0, self.judged * times, _UNSEEN)
        x = np.where(self.judged > 0, self.false * times, _UNSEEN / 2)
        pull = multiplier * self.weight
        middle = pull + n
        root = np.sqrt(np.maximum(middle**2 - 4 * pull * x, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(middle > 0, 2 * x / (middle + root), (middle - root) / (2 * pull))
        least = self.false / self.pairs
        return np.asarray(np.clip(np.nan_to_num(share), least, least + left / self.pairs))

    def end(self, chance: Callable[[Floats], float], side: float, tail: float) -> float:
        """The farthest share of the whole, on one side, under which what was found has a chance of ``tail`` or more."""

        def shares(at: float) -> Floats:
            return self.shares(side * np.sinh(at))

        near, far = 0.0, _FARTHEST
        if chance(shares(far)) >= tail:
            near = far
        ends = [float((self.weight * shares(at)).sum()) for at in (near, far)]
        while abs(ends[1] - ends[0]) > _CLOSE * max(ends) and near < far:
            middle = (near + far) / 2
            found = shares(middle)
            inside = chance(found) >= tail
            if middle in (near, far):
                break
            near, far = (middle, far) if inside else (near, middle)
            ends[0 if inside else 1] = float((self.weight * found).sum())
        return ends[1]

    def chance(
        self, shares: Floats, rounded: Callable[[Floats], Floats], within: Callable[[Floats, float], NDArray[np.bool_]]
    ) -> float:
        """The chance that the estimate is at most (or below) the one found; rounding errs to the wide side."""
        seen = self.judged > 0
        step = (self.weight[seen] / self.judged[seen] * self.false[seen]).sum() / _GRID
        total = np.ones(1)
        for pairs, judged, weight, share in zip(
            self.pairs[seen], self.judged[seen], self.weight[seen], shares[seen], strict=True
        ):
            most = int(judged) if step == 0 else min(int(judged), int(step * _GRID * judged / weight + 1e-6) + 1)
            number = np.arange((0 if step == 0 else most) + 1)
            place = np.zeros(1) if step == 0 else weight * number / judged / step
            towards = 1e-7 if rounded is np.floor else -1e-7
            at = rounded(place + towards)
            fits = at <= _GRID
            odds = _hypergeometric(number[fits], int(pairs), float(pairs * share), int(judged))
            total = _added(total, at[fits].astype(np.int64), odds)
        places = np.arange(len(total), dtype=np.float64)
        return float(total[within(places, _GRID if step else 0)].sum())


def _added(total: Floats, at: NDArray[np.int64], odds: Floats) -> Floats:
    """The distribution of a sum on the grid: ``total`` and a figure that is ``at[i]`` with the chance ``odds[i]``."""
    out = np.zeros(min(_GRID, len(total) - 1 + int(at.max(initial=0))) + 1)
    for place, chance in zip(at.tolist(), odds.tolist(), strict=True):
        end = min(len(out), place + len(total))
        if chance > _NOTHING:
            out[place:end] += chance * total[: end - place]
    return out


def _hypergeometric(number: NDArray[np.int64], pairs: int, false: float, judged: int) -> Floats:
    """The chance of each number of false ones among the judged; ``false`` between two whole numbers mixes these."""
    low = int(np.floor(false + 1e-9))
    part = max(0.0, false - low)
    odds = _whole(number, pairs, low, judged)
    return odds if part < 1e-9 else (1 - part) * odds + part * _whole(number, pairs, low + 1, judged)


def _whole(number: NDArray[np.int64], pairs: int, false: int, judged: int) -> Floats:
    fits = (number <= false) & (judged - number <= pairs - false)
    some = number[fits]
    out = np.zeros(len(number))
    out[fits] = np.exp(
        _choices(false, some) + _choices(pairs - false, judged - some) - _choices(pairs, np.array([judged]))
    )
    return out


def _choices(of: int, some: NDArray[np.int64]) -> Floats:
    """The logarithm of the binomial coefficient."""
    below = np.array([lgamma(one + 1) + lgamma(of - one + 1) for one in some.tolist()])
    return lgamma(of + 1) - below
