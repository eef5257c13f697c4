"""False-negative share against hardness, for fixed rules and the learnt one, measured on hidden positives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.calibrate.threshold import Curve, Pool, curve
from hardneg.table import Rows

__all__ = [
    "LEARNT", "Family", "Point", "families", "figure_of", "frontier", "learnt_filter", "learnt_points", "point_at",
]  # fmt: skip

Figures = NDArray[np.float64]
LEARNT = "calibrated"  # the family of what was learnt
_SKIPS = (0, 1, 2, 5, 10, 20, 50)
_RELATIVE = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
_REFERENCES = {"margin of the best": "max", "margin of the mean": "mean", "margin of the weakest": "min"}
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


@dataclass(frozen=True, eq=False)
class Family:
    """A kind of fixed rule: its settings as texts, the strictest first, and what each leads to.

    A setting lets pass what is below its threshold in ``curve.figure``; :func:`figure_of` gives the figure of rows.
    """

    name: str
    settings: tuple[str, ...]
    curve: Curve


def families(pool: Pool, rows: Rows, wanted: int, unknown: Callable[[int], tuple[float, float]]) -> list[Family]:
    """What each kind of fixed rule would give on the anchors of a pool, where every anchor gets ``wanted`` negatives.

    A fixed rule's hidden positives have the rank and the reference score that they would have had. The number of
    unknown positives is the same for all rules, so that they differ only by how many of the hidden ones they let
    through and by what they mine.

    Args:
        pool: with the learnt figure.
        rows: the same rows, with ``score``, ``rank`` and ``positive_min``, ``_max`` and ``_mean``.
        wanted: negatives an anchor is to get.
        unknown: of each group how many positives are unknown, as of :func:`hardneg.calibrate.curve`.
    """
    found = []
    for name in ("rank", *_REFERENCES):
        settings = _settings(name)
        cuts = np.array(list(settings.values()))
        made = curve(replace(pool, figure=figure_of(name, rows)), wanted, unknown, cuts)
        found.append(Family(name, tuple(settings), made))
    return found


def figure_of(family: str, rows: Rows) -> Figures:
    """The figure by which a family of fixed rules judges rows: higher passes under fewer of its settings.

    Rows have ``score``, ``rank`` and ``positive_min``, ``_max`` and ``_mean``.
    """
    if family == "rank":
        return -rows["rank"].astype(np.float64)
    positive = rows[f"positive_{_REFERENCES[family]}"].astype(np.float64)
    return np.nan_to_num((rows["score"] - positive) / np.maximum(np.abs(positive), 1e-12), nan=-1.0)


def frontier(pool: Pool, fixed: Sequence[Family], learnt: Curve, rates: Figures) -> list[Point]:
    """What fixed rules and the learnt filter give on the anchors of a pool.

    Args:
        pool: with the learnt figure.
        fixed: the rules, of :func:`families`.
        learnt: the curve of the learnt figure.
        rates: of each of its thresholds, as it decides: the bound, or the estimate with what it counts for.
    """
    rules = [point_at(one.curve, row, pool, one.name, text) for one in fixed for row, text in enumerate(one.settings)]
    return [*rules, *learnt_points(pool, learnt, rates)]


def learnt_points(pool: Pool, learnt: Curve, rates: Figures) -> list[Point]:
    """What the learnt filter gives at some usual rates; arguments as in :func:`frontier`."""
    rows = [(rate, int(np.searchsorted(rates, rate, side="right")) - 1) for rate in _RATES]
    return [point_at(learnt, row, pool, LEARNT, learnt_filter(rate)) for rate, row in rows if row >= 0]


def learnt_filter(rate: float) -> str:
    """The learnt filter as text."""
    return f"{LEARNT}(false_negatives={rate:g})"


def point_at(found: Curve, row: int, pool: Pool, family: str, text: str) -> Point:
    """One threshold of a curve as a point."""
    anchors = max(1, len(np.unique(pool.anchor[pool.candidates])))
    share, bound, hardness = (float(one[row]) for one in (found.share, found.bound, found.hardness))
    return Point(family if text else "naive", text, share, bound, hardness, float(found.mined[row]) / anchors)


def _settings(family: str) -> dict[str, float]:
    """Texts, and below which figure each lets pass. Thresholds rise, from the strictest setting on."""
    if family == "rank":
        never = float(np.finfo(np.float64).max)
        return {**{f"rank(skip={skip})": -skip + 0.5 for skip in reversed(_SKIPS) if skip}, "": never}
    which = _REFERENCES[family]
    return {f"margin(relative={one:g}, reference={which})": float(np.nextafter(-one, 1)) for one in reversed(_RELATIVE)}


def _plain(number: float) -> float | None:
    return None if np.isnan(number) else round(number, 5)
