"""A chart with lines, bands and dots: what the template ``_chart`` draws, and shows as a table as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["STYLES", "Chart", "Dot", "Line", "band_of", "points_of", "spans"]

_STEP = 0.25  # percent of a side: as fine as a line is drawn

# Told apart by colour and by dashes, so that either is enough; and always named besides.
STYLES = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True)
class Dot:
    """A mark on a line, in percent from the left and from the top."""

    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """A line of a chart: its name, its style, its points in percent from the left and the top; its band, if any."""

    name: str
    style: str
    points: str
    band: str = ""
    dots: Sequence[Dot] = field(default=())


@dataclass(frozen=True)
class Chart:
    """A chart, and the same as a table. Places are in percent; ``hits`` are (start, width, words)."""

    id: str
    title: str
    x: str
    y: str
    lines: list[Line]
    xticks: list[tuple[float, str]]
    yticks: list[tuple[float, str]]
    hits: list[tuple[float, float, str]]
    head: list[str]
    rows: list[list[str]]


def points_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """The points of a line on a fine grid; those that come to lie on one another are one.

    >>> points_of(np.array([0.0, 0.01, 50.0]), np.array([100.0, 100.0, 40.0]))
    '0,100 50,40'
    """
    both = np.round(np.stack([x, y], axis=1) / _STEP) * _STEP
    kept = np.ones(len(both), bool)
    kept[1:] = (both[1:] != both[:-1]).any(axis=1)
    return " ".join(f"{left:g},{top:g}" for left, top in both[kept].tolist())


def band_of(x: NDArray[np.float64], upper: NDArray[np.float64], lower: NDArray[np.float64]) -> str:
    """The corners of the area between two lines.

    >>> band_of(np.array([0.0, 50.0]), np.array([10.0, 20.0]), np.array([30.0, 40.0]))
    '0,10 50,20 50,40 0,30'
    """
    return points_of(np.concatenate([x, x[::-1]]), np.concatenate([upper, lower[::-1]]))


def spans(places: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Start and width of what is pointed at for each of these places: up to half way to the next.

    >>> spans(np.array([0.0, 50.0, 100.0]))
    [(0.0, 25.0), (25.0, 50.0), (75.0, 25.0)]
    """
    edges = np.concatenate([[0.0], (places[1:] + places[:-1]) / 2, [100.0]]).round(3)
    return [(start, round(end - start, 3)) for start, end in pairwise(edges.tolist())]
