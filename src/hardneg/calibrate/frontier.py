"""False-negative share against hardness, for fixed rules and the learnt one, measured on hidden positives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.calibrate.threshold import Curve, Pool, curve, unknown_positives
from hardneg.table import Rows

__all__ = ["Point", "frontier"]

Figures = NDArray[np.float64]
_SKIPS = (0, 1, 2, 5, 10, 20, 50)
_RELATIVE = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
_RATES = (0.005, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Point:
    """One setting of a filter.

    Args:
        family: ``naive``, ``rank``, ``margin of the best``, ``mean`` or ``weakest``, ``calibrated``.
        filter: the filter as text, empty for none.
        share: the estimated share of false negatives among the mined.
        bound: the share is at most this with a probability of 95%.
        hardness: the mean score of the mined.
        mined: negatives an anchor on average.
    """

    family: str
    filter: str
    share: float
    bound: float
    hardness: float
    mined: float

    def about(self) -> Mapping[str, Any]:
        """As plain values, for a manifest."""
        numbers = {name: _plain(getattr(self, name)) for name in ("share", "bound", "hardness", "mined")}
        return {"family": self.family, "filter": self.filter, **numbers}


def frontier(pool: Pool, rows: Rows, learnt: Curve, wanted: int, *, promised: bool = True) -> list[Point]:
    """What each filter would give on the anchors of a pool, where every anchor gets ``wanted`` negatives.

    A fixed rule's hidden positives have the rank and the reference score that they would have had. The number of
    unknown positives is the same for all rules, so that they differ only by how many of the hidden ones they let
    through and by what they mine.

    Args:
        pool: with the learnt figure.
        rows: the same rows, with ``score``, ``rank`` and ``positive_min``, ``_max`` and ``_mean``.
        learnt: the curve of the learnt figure.
        wanted: negatives an anchor is to get.
        promised: whether the learnt filter goes by the bound; else by the estimate.
    """
    anchors = max(1, len(np.unique(pool.anchor[~pool.hidden])))
    told = {int(one): unknown_positives(pool, int(one)) for one in np.unique(pool.group)}
    points = []
    for family, figure, cuts in _rules(rows):
        found = curve(replace(pool, figure=figure), wanted, told.__getitem__, np.array(list(cuts.values())))
        named = zip(cuts, range(len(found.figure)), strict=True)
        points += [_point(found, row, family if text else "naive", text, anchors) for text, row in named]
    rates = learnt.bound if promised else learnt.share
    for rate in _RATES:
        row = int(np.searchsorted(rates, rate, side="right")) - 1
        if row >= 0:
            points.append(_point(learnt, row, "calibrated", f"calibrated(false_negatives={rate:g})", anchors))
    return points


def _rules(rows: Rows) -> Iterator[tuple[str, Figures, dict[str, float]]]:
    """Each family of fixed rules: its name, a figure, and for settings as text below which figure they let pass.

    Thresholds rise, from the strictest setting on.
    """
    never = float(np.finfo(np.float64).max)
    skips = {f"rank(skip={skip})": -skip + 0.5 for skip in reversed(_SKIPS) if skip}
    yield "rank", -rows["rank"].astype(np.float64), {**skips, "": never}
    for which, name in (("max", "best"), ("mean", "mean"), ("min", "weakest")):
        positive = rows[f"positive_{which}"].astype(np.float64)
        figure = (rows["score"] - positive) / np.maximum(np.abs(positive), 1e-12)
        settings = {
            f"margin(relative={one:g}, reference={which})": float(np.nextafter(-one, 1)) for one in reversed(_RELATIVE)
        }
        yield f"margin of the {name}", np.nan_to_num(figure, nan=-1.0), settings


def _point(found: Curve, row: int, family: str, text: str, anchors: int) -> Point:
    share, bound, hardness = (float(one[row]) for one in (found.share, found.bound, found.hardness))
    return Point(family, text, share, bound, hardness, float(found.mined[row]) / anchors)


def _plain(number: float) -> float | None:
    return None if np.isnan(number) else round(number, 5)
