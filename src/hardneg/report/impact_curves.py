"""The curves of an impact: ROC and DET of every set of negatives, and how figures went while a model learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import BoolArray
from hardneg.report.charts import STYLES, Chart, Dot, Line, band_of, points_of, spans
from hardneg.report.numbers import axis_ticks

__all__ = ["hourly_chart", "learning_charts", "operating_charts"]

Floats = NDArray[np.float64]

_PIECES = (1.0, 2.0, 5.0)  # of each decade, what is read and written in the table
_DET = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)
_WIDEST = 0.6  # the right end of a DET plot
_FEWEST_MISSES = 0.001
_ROOM = 10  # percent of a side between two marks


@dataclass(frozen=True, eq=False)
class _Arm:
    """One arm over the grid, and where its threshold from validation data puts it (None for nowhere)."""

    name: str
    value: Floats
    low: Floats
    high: Floats
    point: tuple[float, float] | None

    def cut(self, some: BoolArray) -> _Arm:
        """The same over a part of the grid."""
        return _Arm(self.name, self.value[some], self.low[some], self.high[some], self.point)


def _percent(value: float) -> str:
    return f"{100 * value:.3g}%"


@dataclass(frozen=True)
class _Axis:
    """From a figure to percent of a side, its marks, and how a figure is written."""

    place: Callable[[Floats], Floats]
    ticks: list[tuple[float, str]]
    said: Callable[[float], str] = _percent


def operating_charts(found: Mapping[str, Any]) -> list[Chart]:
    """ROC and DET, or misses against false positives per image; none where nothing has scores."""
    told = found.get("operating")
    if not told:
        return []
    rates = np.array(told["rates"], np.float64)
    if len(rates) < 2:
        return []
    points = _points(found)
    arms = [_arm(one["name"], one, points.get(one["name"])) for one in told["arms"]]
    if not told["across"].startswith("false accepts"):
        some = rates <= _end(rates, arms)
        return [_misses(told["across"], rates[some], [one.cut(some) for one in arms])]
    return [_roc(rates, arms), _det(rates, arms)]


def hourly_chart(found: Mapping[str, Any]) -> Chart | None:
    """Recall against false accepts an hour, with a dot where either detector was listened with; None without scores."""
    told = found["operating"]
    if not told:
        return None
    rates = np.array(told["rates"], np.float64)
    points = {one["name"]: (one["false_accepts_per_hour"]["value"], one["recall"]) for one in found["arms"]}
    arms = [_arm(one["name"], one, points[one["name"]]) for one in told["arms"]]
    titles = (told["across"], "occurrences found")
    axes = (_logarithmic(rates, "{:,g}".format), _from_the_top(arms))
    return _chart("hourly", "Recall and false accepts", titles, rates, arms, axes, np.asarray)


def _arm(name: str, told: Mapping[str, Any], point: tuple[float, float] | None = None) -> _Arm:
    return _Arm(name, _known(told["value"]), _known(told["low"]), _known(told["high"]), point)


def _end(rates: Floats, arms: Sequence[_Arm]) -> float:
    """The power of ten, 1 or more, behind which no curve goes on."""
    decades = [one for one in (1.0, 10.0) if one < rates[-1]]
    done = [all(arm.value[rates >= one].min() == arm.value[-1] for arm in arms) for one in decades]
    return next((one for one, still in zip(decades, done, strict=True) if still), float(rates[-1]))


def _known(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if one is None else one for one in values], np.float64)


def _points(found: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """False-positive rate and recall of each arm at the threshold that was set on validation data."""
    out = {}
    for arm in found["arms"]:
        both = [arm["figures"].get(name, {}).get("value") for name in ("FPR", "TPR")]
        if None not in both:
            out[arm["name"]] = (float(both[0]), float(both[1]))
    return out


# --- targets found at each rate ---------------------------------------------------------------------------------------


def _roc(rates: Floats, arms: Sequence[_Arm]) -> Chart:
    titles = ("false accepts, share of impostors", "targets accepted")
    return _chart("roc", "ROC", titles, rates, arms, (_logarithmic(rates), _from_the_top(arms)), np.asarray)


def _from_the_top(arms: Sequence[_Arm]) -> _Axis:
    """Shares from all down to a tenth below the least that is drawn."""
    least = np.nanmin([one.low if np.isfinite(one.low).any() else one.value for one in arms])
    bottom = min(0.9, np.floor(10 * least) / 10)
    return _Axis(
        lambda value: 100 * (1 - np.clip(value, bottom, 1)) / (1 - bottom),
        [(float(100 * (1 - one) / (1 - bottom)), _percent(one)) for one in axis_ticks(float(bottom), 1.0, 5)],
    )


def _det(rates: Floats, arms: Sequence[_Arm]) -> Chart:
    """Both rates on axes of normal deviates (Martin et al. 1997, Eurospeech): normal scores are a straight line."""
    some = rates <= _WIDEST
    missed = 1 - np.concatenate([one.value[some] for one in arms])
    missed = missed[(missed > 0) & (missed < 1)]
    low = max(_FEWEST_MISSES, min([0.1, *missed.tolist()]))
    high = min(0.995, max([0.5, *missed.tolist()]))
    across, up = _normal(float(rates[0]), _WIDEST), _normal(low, high)
    down = _Axis(lambda value: 100 - up.place(value), [(100 - place, text) for place, text in up.ticks])
    return _chart(
        "det", "DET", ("false accepts, share of impostors", "targets missed"), rates[some],
        [one.cut(some) for one in arms], (across, down),
        lambda value: 1 - value,
    )  # fmt: skip


def _misses(across: str, rates: Floats, arms: Sequence[_Arm]) -> Chart:
    """Misses against false positives per image, both logarithmic (Dollar et al. 2012, PAMI 34)."""
    missed = np.concatenate([1 - one.value for one in arms])
    low = max(0.01, min([0.5, *missed[missed > 0].tolist()]))
    marks = [one for one in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0) if one >= low]

    def place(value: Floats) -> Floats:
        return np.asarray(100 * np.log(np.clip(value, low, 1)) / np.log(low))

    down = _Axis(place, [(float(place(np.array(one))), _percent(one)) for one in marks])
    return _chart(
        "missed", "Misses and false positives", (across, "boxes missed"), rates, arms,
        (_logarithmic(rates, "{:g}".format), down), lambda value: 1 - value,
    )  # fmt: skip


def _logarithmic(rates: Floats, said: Callable[[float], str] = _percent) -> _Axis:
    first, last = float(rates[0]), float(rates[-1])

    def place(value: Floats) -> Floats:
        return np.asarray(100 * np.log(np.clip(value, first, last) / first) / np.log(last / first))

    decades = [one for one in (10.0**power for power in range(-4, 7)) if first * 0.999 <= one <= last * 1.001]
    return _Axis(place, [(round(float(place(np.array(one))), 3), said(one)) for one in decades], said)


def _normal(low: float, high: float) -> _Axis:
    ends = [NormalDist().inv_cdf(one) for one in (low, high)]

    def place(value: Floats) -> Floats:
        inside = np.clip(value, low, high)
        quantile = np.array([NormalDist().inv_cdf(one) for one in np.ravel(inside).tolist()]).reshape(inside.shape)
        return np.asarray(100 * (quantile - ends[0]) / (ends[1] - ends[0]))

    marks = [one for one in (1e-4, 2e-4, 5e-4, *_DET) if low * 0.999 <= one <= high * 1.001]
    return _Axis(place, _apart([(round(float(place(np.array(one))), 3), _percent(one)) for one in marks]))


def _apart(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Those of the marks that leave room for their words, from the last one back."""
    kept: list[tuple[float, str]] = []
    for one in reversed(ticks):
        if not kept or kept[-1][0] - one[0] >= _ROOM:
            kept.append(one)
    return kept[::-1]


def _chart(
    name: str, title: str, titles: tuple[str, str], rates: Floats, arms: Sequence[_Arm], axes: tuple[_Axis, _Axis],
    shown: Callable[[Floats], Floats],
) -> Chart:  # fmt: skip
    x, (across, down) = axes[0].place(rates), axes
    lines = []
    for one, style in zip(arms, _styles(len(arms)), strict=True):
        dots = []
        if one.point is not None and one.point[0] <= rates[-1]:
            fpr, found = (np.array(at) for at in one.point)
            dots = [Dot(round(float(across.place(fpr)), 2), round(float(down.place(shown(found))), 2))]
        lines.append(_line(one, style, x, down, shown, dots))
    asked = [at for at, rate in enumerate(rates.tolist()) if _leading(rate) in _PIECES]
    names = [across.said(rate) for rate in rates[asked].tolist()]
    head = titles[0].partition(",")[0].capitalize()
    hits, rows = _told(arms, asked, x, names, (f"{head} {{}}: {titles[1]} ", shown))
    return Chart(
        name, title, *titles, lines, across.ticks, down.ticks, hits, [head, *(one.name for one in arms)], rows
    )  # fmt: skip


def _line(
    one: _Arm, style: str, x: Floats, down: _Axis, shown: Callable[[Floats], Floats], dots: Sequence[Dot] | None = None
) -> Line:
    """An arm with its band; ``dots`` are its points where none are given."""
    known = np.isfinite(one.value)
    sure, y = known & np.isfinite(one.low), down.place(shown(one.value))
    band = band_of(x[sure], down.place(shown(one.high[sure])), down.place(shown(one.low[sure])))
    if dots is None:
        dots = [Dot(round(float(left), 2), round(float(top), 2)) for left, top in zip(x[known], y[known], strict=True)]
    return Line(one.name, style, points_of(x[known], y[known]), band, dots)


def _told(
    arms: Sequence[_Arm], asked: Sequence[int], x: Floats, names: Sequence[str],
    words: tuple[str, Callable[[Floats], Floats]],
) -> tuple[list[tuple[float, float, str]], list[list[str]]]:  # fmt: skip
    """What is said where one points at the chart, and the rows of its table; ``words`` begin it, and say what of."""
    begin, shown = words
    said = [[_figures(one, at, shown) for one in arms] for at in asked]
    hits = [
        (*span, begin.format(name) + "; ".join(f"{one.name} {text}" for one, text in zip(arms, row, strict=True)))
        for span, name, row in zip(spans(x[list(asked)]), names, said, strict=True)
    ]
    return hits, [[name, *row] for name, row in zip(names, said, strict=True)]


def _styles(count: int) -> list[str]:
    return [STYLES[at % len(STYLES)] for at in range(count)]


def _leading(rate: float) -> float:
    """The first digits of a rate, as 5 of 0.05."""
    return float(f"{rate:.2e}".partition("e")[0])


def _figures(one: _Arm, at: int, shown: Callable[[Floats], Floats]) -> str:
    value = float(shown(one.value[at]))
    if not np.isfinite(value):
        return "–"
    ends = sorted(float(shown(end[at])) for end in (one.low, one.high))
    return f"{value:.3f} ({ends[0]:.3f} to {ends[1]:.3f})" if np.isfinite(ends).all() else f"{value:.3f}"


# --- while it learns --------------------------------------------------------------------------------------------------


def learning_charts(found: Mapping[str, Any]) -> list[Chart]:
    """The figure that decides by the number of steps, in training and on validation data, on one scale."""
    told = found.get("learning")
    if not told:
        return []
    steps = np.array(told["steps"], np.float64)
    sides = {side: [_arm(one["name"], one[side]) for one in told["arms"]] for side in ("train", "validation")}
    every = np.concatenate([figure for some in sides.values() for one in some for figure in (one.low, one.high)])
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    pad = 0.05 * (high - low) or 0.01
    low, high = low - pad, high + pad
    down = _Axis(
        lambda value: 100 * (high - value) / (high - low),
        [(round(100 * (high - one) / (high - low), 3), f"{one:g}") for one in axis_ticks(low, high, 5)],
    )
    last = float(steps[-1])
    across = _Axis(
        lambda value: 100 * value / last, [(round(100 * one / last, 3), f"{one:g}") for one in axis_ticks(0, last, 5)]
    )
    titles = {"train": "In training", "validation": "On validation data"}
    return [_learning(told["measure"], side, titles[side], steps, arms, (across, down)) for side, arms in sides.items()]


def _learning(
    measure: str, side: str, title: str, steps: Floats, arms: Sequence[_Arm], axes: tuple[_Axis, _Axis]
) -> Chart:
    across, down = axes
    x = across.place(steps)
    lines = [_line(one, style, x, down, np.asarray) for one, style in zip(arms, _styles(len(arms)), strict=True)]
    names = [f"{step:g}" for step in steps.tolist()]
    hits, rows = _told(arms, range(len(steps)), x, names, (f"{{}} steps: {measure} ", np.asarray))
    return Chart(
        f"learning-{side}", title, "steps", measure, lines, across.ticks, down.ticks, hits,
        ["Steps", *(one.name for one in arms)], rows,
    )  # fmt: skip
