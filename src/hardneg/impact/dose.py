"""How much hardness is best: figures on validation data as the share of mined negatives grows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isnan, sqrt
from typing import Any

import numpy as np

from hardneg.impact.compare import t_quantile
from hardneg.impact.exam import Measure
from hardneg.impact.examined import Examined

__all__ = ["Dose", "Point", "dose_of"]


@dataclass(frozen=True)
class Point:
    """A share of mined negatives, and the figure there: mean over seeds, interval over seeds; ``held_out`` likewise."""

    share: float
    value: float
    low: float
    high: float
    seeds: tuple[float, ...]
    held_out: float


@dataclass(frozen=True)
class Dose:
    """The curve on validation data, and the smallest share that is as good as the best."""

    measure: str
    points: tuple[Point, ...]
    best: float

    def about(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"measure": self.measure, "best": self.best, "points": [asdict(one) for one in self.points]}


def dose_of(
    found: dict[str, list[Examined]], dosed: dict[float, list[Examined]], ends: tuple[str, str], measure: Measure
) -> Dose | None:
    """The curve from one arm (a share of 0) to that of the mined negatives (1), which ``ends`` names.

    The share is chosen on validation data, by the rule of one standard error (Breiman et al. 1984, Classification and
    Regression Trees, 3.4.3): the smallest whose figure is within one of the best. None without a point in between,
    and where validation data cannot say (no two of its items are of one identity).
    """
    if not dosed or ends[0] not in found:
        return None
    each = {0.0: found[ends[0]], **dosed, 1.0: found[ends[1]]}
    points = tuple(_point(share, some, measure.most) for share, some in sorted(each.items()))
    if any(isnan(one.value) for one in points):
        return None
    return Dose(measure.name, points, _best(points, measure.better))


def _point(share: float, some: list[Examined], most: float) -> Point:
    seeds = [float(one.validation[0]) for one in some]
    value, n = float(np.mean(seeds)), len(seeds)
    half = t_quantile(0.975, n - 1) * float(np.std(seeds, ddof=1)) / sqrt(n) if n > 1 else 0.0
    held_out = float(np.mean([one.figures[0] for one in some]))
    return Point(share, value, max(0.0, value - half), min(most, value + half), tuple(seeds), held_out)


def _best(points: tuple[Point, ...], better: int) -> float:
    top = max(points, key=lambda one: better * one.value)
    error = float(np.std(top.seeds, ddof=1)) / sqrt(len(top.seeds)) if len(top.seeds) > 1 else 0.0
    return next(one.share for one in points if better * one.value >= better * top.value - error)
