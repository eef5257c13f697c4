"""How many targets are accepted at every false-accept rate, for every arm, with bands: what ROC and DET are drawn from.

Each training has a scale of scores of its own, so curves are averaged at equal rates and scores are never pooled
(vertical averaging: Fawcett 2006, An introduction to ROC analysis, Pattern Recognition Letters 27, section 7). On a
fixed grid of rates the bands are intervals at each rate by itself, not for the whole curve at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hardneg.bootstrap import interval, redrawn
from hardneg.impact.compare import spread
from hardneg.progress import Progress

__all__ = ["Band", "Curved", "Operating", "decades", "operating_of", "rates_grid"]

Floats = NDArray[np.float64]

_LEAST = -4  # the power of ten of the lowest rate
_PIECES = [5.0 if one == 5.01 else float(one) for one in np.round(10 ** (np.arange(40) / 40), 2)]  # of a decade


class Curved(Protocol):
    """What has a curve: a part of an examination (see :class:`hardneg.impact.exam.Marking`)."""

    subjects: NDArray[np.int64]
    count: int
    draws: int
    across: str

    def grid(self, answers: Mapping[str, NDArray[Any]]) -> Floats:
        """The rates of false alarms at which curves are read, rising."""
        ...

    def found_at(self, answers: Mapping[str, NDArray[Any]], rates: Floats, weights: Floats | None = None) -> Floats:
        """The share found with no more false alarms than each rate."""
        ...


@dataclass(frozen=True, eq=False)
class Band:
    """A curve over a grid with its interval at each point, each of shape ``(points,)``."""

    value: Floats
    low: Floats
    high: Floats

    def about(self) -> dict[str, list[float]]:
        """The same as JSON."""
        return {name: getattr(self, name).tolist() for name in ("value", "low", "high")}


@dataclass(frozen=True, eq=False)
class Operating:
    """What share is found at each rate of false alarms.

    Args:
        across: what the rates are: ``false accepts``, a share of all impostors, or false positives per image.
        rates: the grid, rising, shape ``(points,)``.
        arms: of each arm, the share of the targets (or boxes) that is found, mean over seeds.
    """

    across: str
    rates: Floats
    arms: Mapping[str, Band]

    def about(self) -> dict[str, Any]:
        """The same as JSON."""
        arms = [{"name": name, **one.about()} for name, one in self.arms.items()]
        return {"across": self.across, "rates": self.rates.tolist(), "arms": arms}


def rates_grid(impostors: float) -> Floats:
    """Rates evenly spaced in log space up to 1, from the power of ten on at which an impostor or more is accepted.

    Never below 0.0001.

    >>> grid = rates_grid(2500)
    >>> len(grid), grid[:3].tolist(), float(grid[12]), float(grid[-1])
    (121, [0.001, 0.00106, 0.00112], 0.002, 1.0)
    """
    return decades(max(_LEAST, -int(np.floor(np.log10(max(impostors, 1)) + 1e-9))), 0)


def decades(first: int, last: int) -> Floats:
    """Rates from one power of ten to another, forty a decade, about evenly in log space; 1, 2 and 5 of each are there.

    >>> decades(-1, 1)[[0, 12, 28, 40, 80]].tolist()
    [0.1, 0.2, 0.5, 1.0, 10.0]
    """
    every = [float(f"{piece * 10.0**power:.2e}") for power in range(first, last) for piece in _PIECES]
    return np.array([*every, 10.0**last])


def operating_of(
    exam: Curved, arms: Mapping[str, Sequence[Mapping[str, NDArray[Any]]]], seed: int, progress: Progress
) -> Operating | None:
    """The curves of all arms from their answers with each seed, with bands; None where nothing is accepted by a score.

    Subjects are drawn anew, the same for all arms as for the figures, and seeds.
    """
    rates = max((exam.grid(some[0]) for some in arms.values()), key=len)
    if not len(rates):
        return None
    each = {name: np.stack([exam.found_at(one, rates) for one in some]) for name, some in arms.items()}
    drawn = {name: np.empty((exam.draws, len(rates))) for name in arms}
    with progress.stage("curves", exam.draws, "draws") as report:
        for draw in range(exam.draws):
            weights = redrawn(exam.count, draw, seed)[exam.subjects].astype(np.float64)
            for name, some in arms.items():
                drawn[name][draw] = np.mean([exam.found_at(one, rates, weights) for one in some], axis=0)
            report(draw + 1, exam.draws)
    return Operating(exam.across, rates, {name: _band(each[name], drawn[name], exam.count, seed) for name in arms})


def _band(each: Floats, drawn: Floats, count: int, seed: int) -> Band:
    ends = [interval(spread(each[:, at], drawn[:, at], count, seed=seed)) for at in range(each.shape[1])]
    low, high = np.clip(np.array(ends), 0, 1).T  # widened deviations may reach beyond what a share can be
    return Band(each.mean(axis=0), low, high)
