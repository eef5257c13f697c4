"""Did mining help? What ``hardneg impact`` has found, where the run has an ``impact.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardneg.errors import InputError
from hardneg.report.charts import Chart
from hardneg.report.facts import Facts
from hardneg.report.impact_curves import learning_charts, operating_charts
from hardneg.report.numbers import axis_ticks

__all__ = ["Impact", "impact"]

FILE, _VERSION = "impact.json", 1
_TEXT = 200
_FIRST, _BOXES = ("First before", "First after", "Right"), ("Found before", "Found after", "Labelled")


@dataclass(frozen=True)
class ArmRow:
    """One arm: its figure with interval, places in percent from the left, and what it is in training and by grade."""

    name: str
    words: str
    value: float
    low: float
    high: float
    x: float
    x_low: float
    x_high: float
    train: float | None
    grades: list[float | None]
    said: str  # the verdict on the run against it, empty for the run itself
    difference: tuple[str, str]  # with its interval in words, both empty likewise
    p: float | None


@dataclass(frozen=True)
class Curve:
    """The dose curve: dots and a band, in percent of the plot, and the figures."""

    points: Sequence[Mapping[str, float]]
    band: str
    line: str
    ticks: list[tuple[float, str]]
    best: float
    measure: str


@dataclass(frozen=True)
class Impact:
    """All that the section shows."""

    sentence: str
    verdict: str
    notes: list[str]
    measure: str
    words: str
    less: bool
    about: str
    arms: list[ArmRow]
    ticks: list[tuple[float, str]]
    others: list[dict[str, Any]]
    grades: bool
    dose: Curve | None
    operating: list[Chart]
    learning: list[Chart]
    changes: Mapping[str, Any]

    heads: tuple[str, str, str]  # of what an example was before and after, and what would be right
    stopped: bool  # whether the state is kept that is best on validation data

    @property
    def marked(self) -> bool:
        """Whether any curve has a mark at the threshold from validation data."""
        return any(line.dots for chart in self.operating for line in chart.lines)


def impact(facts: Facts) -> Impact | None:
    """What the file of the run says; None without one.

    Raises InputError for a file that is damaged or of another version.
    """
    file = facts.run.path / FILE
    if not file.is_file():
        return None
    found = _read(file)
    try:
        return _shown(found)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _damaged(file, error) from error


def _read(file: Path) -> Any:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(file, error) from error
    if not isinstance(found, dict) or found.get("impact_version") != _VERSION:
        raise InputError("This is of another version.", path=file, remedy="Run hardneg impact again, or remove it.")
    return found


def _damaged(file: Path, error: Exception) -> InputError:
    return InputError(f"The file is damaged ({error}).", path=file, remedy="Run hardneg impact again, or remove it.")


def _shown(found: Mapping[str, Any]) -> Impact:
    measures = found["measures"]
    first = measures[0]
    figures = [arm["figures"][first["name"]] for arm in found["arms"]]
    known = [one for figure in figures for one in figure.values() if isinstance(one, float)]
    scale = _Scale(min(known, default=0.0), max(known, default=1.0))
    against = {one["against"]: one for one in found["comparisons"]}
    arms = [_arm(arm, first, against.get(arm["name"]), scale) for arm in found["arms"]]
    held_out = found["held_out"]
    steps = found["plan"]["budget"]["steps"]  # none where a training of one's own takes as many as it likes
    about = (
        f"{found['kind'].capitalize()}, learnt by {found['learner']}. Held out: {held_out['how']}; "
        f"{held_out['train']:,} to train with. {found['plan']['seeds']} seeds"
        f"{f', {steps} steps each' if steps else ''}."
    )
    return Impact(
        found["sentence"], found["verdict"], list(found["notes"]), first["name"], first["words"], first["better"] < 0,
        about, arms, scale.ticks(), _others(found), any(any(one is not None for one in arm.grades) for arm in arms),
        _curve(found["dose"]) if found["dose"] else None, operating_charts(found), learning_charts(found),
        _cut(found["changes"]), _BOXES if found["kind"] == "detection" else _FIRST,
        "early stopping" in found["learner"] and found["kind"] != "classification",
    )  # fmt: skip


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def place(self, value: float) -> float:
        pad = 0.08 * (self.high - self.low) or 0.01
        return round(100 * (value - self.low + pad) / (self.high - self.low + 2 * pad), 2)

    def ticks(self) -> list[tuple[float, str]]:
        return [(self.place(one), f"{one:g}") for one in axis_ticks(self.low, self.high, 5)]


def _arm(arm: Mapping[str, Any], first: Mapping[str, Any], told: Mapping[str, Any] | None, scale: _Scale) -> ArmRow:
    figure = arm["figures"][first["name"]]
    value = float(figure["value"])
    low, high = (value if figure[name] is None else figure[name] for name in ("low", "high"))  # None of one group
    grades = [arm["grades"]["held_out"].get(name) for name in ("easy", "semi_hard", "hard")]
    difference = ("", "") if told is None else _signed(told["differences"][first["name"]])
    return ArmRow(
        arm["name"], arm["words"], value, low, high, scale.place(value), scale.place(low), scale.place(high),
        arm["train"][0], grades, "" if told is None else told["verdict"], difference,
        None if told is None else told["p_holm"],
    )  # fmt: skip


def _signed(one: Mapping[str, Any]) -> tuple[str, str]:
    value = f"{one['value']:+.3f}".replace("-", "−")
    if one["low"] is None or one["high"] is None:
        return value, ""
    return value, f"{one['low']:+.3f} to {one['high']:+.3f}".replace("-", "−")


def _others(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The other measures of every arm, each with what it is."""
    return [
        {
            "name": one["name"], "words": one["words"], "less": one["better"] < 0,
            "values": [arm["figures"][one["name"]]["value"] for arm in found["arms"]],
        }
        for one in found["measures"]
    ]  # fmt: skip


def _curve(dose: Mapping[str, Any]) -> Curve:
    points = dose["points"]
    scale = _Scale(min(one["low"] for one in points), max(one["high"] for one in points))
    at = [
        {**one, "x": round(100 * one["share"], 2), "y": round(100 - scale.place(one["value"]), 2)} for one in points
    ]  # fmt: skip
    band = [(one["x"], 100 - scale.place(one["high"])) for one in at]
    band += [(one["x"], 100 - scale.place(one["low"])) for one in reversed(at)]
    ticks = [(round(100 - place, 2), label) for place, label in scale.ticks()]
    return Curve(at, _joined(band), _joined([(one["x"], one["y"]) for one in at]), ticks, dose["best"], dose["measure"])


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:.2f}" for x, y in points)


def _cut(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The examples, with texts that can be read at a glance."""

    def short(one: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value[:_TEXT] if isinstance(value, str) else value for key, value in one.items()}

    lists = {name: [short(one) for one in changes[name]] for name in ("most_better", "most_worse")}
    return {**changes, **lists}
