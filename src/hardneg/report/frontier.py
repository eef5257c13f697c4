"""How many false negatives each filter would let through, against how hard what it mines is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hardneg.calibrate import Point, calibration_lines, setting_used
from hardneg.report.facts import Facts
from hardneg.report.numbers import axis_ticks, number, share

__all__ = ["Frontier", "Setting", "frontier"]


@dataclass(frozen=True)
class Setting(Point):
    """A filter's setting with its figures, and its place in percent from the left and from the top."""

    x: float
    y: float
    chosen: bool
    words: str


@dataclass(frozen=True)
class Frontier:
    """All settings by family, each family a line; ``lines`` is what the calibration says of itself."""

    settings: list[Setting]
    paths: dict[str, str]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    lines: list[str]


def frontier(facts: Facts) -> Frontier | None:
    """The settings that the manifest holds; None for a run that measured none."""
    manifest = facts.run.manifest
    found = [one for one in manifest.get("frontier", []) if one["hardness"] is not None and one["mined"]]
    if not found:
        return None
    left, right = _range([one["hardness"] for one in found])
    high = max(*(one["share"] for one in found), 0.01)
    steps = manifest["steps"]["filters"]
    used = {setting_used(manifest)} if any(one.startswith("calibrated") for one in steps) else set(steps)
    settings = [_setting(one, (left, right), high, one["filter"] in used) for one in found]
    families = dict.fromkeys(one.family for one in settings)
    paths = {name: " ".join(f"{one.x},{one.y}" for one in settings if one.family == name) for name in families}
    return Frontier(
        settings,
        paths,
        [(_place(tick, left, right), number(tick)) for tick in axis_ticks(left, right)],
        [(100 - _place(tick, 0, high), share(tick, 1)) for tick in axis_ticks(0, high)],
        calibration_lines(manifest),
    )


def _setting(one: dict[str, Any], across: tuple[float, float], high: float, chosen: bool) -> Setting:
    name = one["filter"] or "no filter"
    words = (
        f"{name}: {share(one['share'], 1)} false negatives (at most {share(one['bound'], 1)}), "
        f"mean score {number(one['hardness'])}, {one['mined']:.1f} negatives an anchor"
    )
    x, y = _place(one["hardness"], *across), round(100 - _place(one["share"], 0, high), 3)
    figures = {key: one[key] for key in ("share", "bound", "hardness", "mined")}
    return Setting(one["family"], name, x=x, y=y, chosen=chosen, words=words, **figures)


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.05 * (high - low) or 0.01
    return low - room, high + room


def _place(value: float, low: float, high: float) -> float:
    return round(100 * (value - low) / (high - low), 3)
