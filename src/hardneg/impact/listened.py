"""Two listenings to the same recordings as one file and one page: figures, verdicts, and curves at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np

from hardneg.errors import InputError
from hardneg.impact.heard import Heard, compare_heard
from hardneg.impact.hourly import AFTER, BEFORE, Part, hourly_curves
from hardneg.impact.operating import Operating
from hardneg.impact.result import nulls
from hardneg.io.occurrences import read_occurrences
from hardneg.listening import Listened, Truth, opened
from hardneg.progress import Progress, Silent
from hardneg.report.heard import render_heard
from hardneg.storage import place, write_json

__all__ = ["measure_heard"]

FILE, PAGE = "impact.json", "impact.html"


def measure_heard(
    before: Path, after: Path, *, seed: int = 0, progress: Progress | None = None
) -> tuple[list[Heard], list[str]]:
    """Compare two folders of ``hardneg listen`` and write ``impact.json`` and ``impact.html`` into the new one.

    Args:
        before: that of the old detector.
        after: that of the new one, of the same recordings.
        seed: draws the recordings for the bands of the curves.
        progress: shows how the work goes.

    Returns what came of each keyword, and notes: what both find at an equal rate, or why there are no curves.

    Raises InputError as :func:`hardneg.impact.heard.compare_heard`.
    """
    compared, curves, notes = compare_heard(before, after), {}, []
    try:
        curves = _curves(opened(before), opened(after), seed, progress or Silent())
    except InputError as error:
        notes.append(f"No curves: {error}")
    equal = {one.keyword: _at_equal_rate(one, curves[one.keyword]) for one in compared if one.keyword in curves}
    about = nulls(
        {
            "impact_version": 1,
            "kind": "events",
            "before": before.name,
            "after": after.name,
            "notes": notes,
            "keywords": [
                {**_about(one, curves.get(one.keyword)), "at_equal_rate": equal.get(one.keyword)} for one in compared
            ],
        }
    )
    write_json(about, after / FILE)
    with place(after / PAGE) as file:
        file.write(render_heard(about).encode())
    return compared, [*(f"{name}: {words}" for name, words in equal.items() if words), *notes]


def _about(one: Heard, curve: Operating | None) -> dict[str, Any]:
    """One keyword as JSON; in the form of a run's arms where a chart is drawn from it."""
    sides = ((AFTER, one.after, one.recall_after), (BEFORE, one.before, one.recall_before))
    return {
        "keyword": one.keyword,
        "verdict": one.verdict,
        "sentence": one.sentence,
        "occurrences": one.occurrences,
        "arms": [
            {"name": name, "false_accepts_per_hour": asdict(rate), "recall": found} for name, rate, found in sides
        ],
        "ratio": asdict(one.ratio),
        "recall_difference": asdict(one.recall),
        "operating": None if curve is None else curve.about(),
    }


def _at_equal_rate(one: Heard, curve: Operating) -> str | None:
    """What both find with no more false accepts an hour than the old one had: thresholds are on no common scale."""
    at = int(np.searchsorted(curve.rates, one.before.value, side="right")) - 1
    if at < 0:
        return None
    after, before = ((float(band.value[at]), float(band.low[at]), float(band.high[at]))
                     for band in (curve.arms[name] for name in (AFTER, BEFORE)))  # fmt: skip
    told = [
        f"{value:.1%}" + (f" ({low:.1%} to {high:.1%})" if not isnan(low) else "")
        for value, low, high in (after, before)
    ]
    return f"At {curve.rates[at]:,g} false accepts an hour the new one can find {told[0]}, the old one {told[1]}."


def _curves(before: Listened, after: Listened, seed: int, progress: Progress) -> dict[str, Operating]:
    """The curve of each keyword that occurs.

    Raises InputError where the two are not of the same recordings with the same things in them.
    """
    known = [(one.name, one.seconds) for one in before.known]
    truth = read_occurrences(before.occurrences)
    if known != [(one.name, one.seconds) for one in after.known] or truth != read_occurrences(after.occurrences):
        raise InputError("The two are not of the same known recordings, with the same keywords in them.")
    out, hours = {}, np.array([seconds for _, seconds in known]) / 3600
    for keyword in before.keywords:
        rules = (before.hearing.rule(), after.hearing.rule())
        old, new = (_parts(one, truth, keyword) for one in (before, after))
        found = hourly_curves(old, new, hours, rules, seed, progress)
        if found is not None:
            out[keyword] = found
    return out


def _parts(heard: Listened, truth: Truth, keyword: str) -> Sequence[Part]:
    column, out = heard.keywords.index(keyword), []
    for one in heard.known:
        spans = truth.spans(one.name, keyword)
        out.append((one.scores()[:, column], *heard.hearing.sharing(spans[:, 0], spans[:, 1])))
    return out
