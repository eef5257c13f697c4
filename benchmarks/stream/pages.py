"""What was measured on streams, as a section of the page of benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.stream.measure import ARMS, MISS_RATES
from hardneg.verify import rate_per_hour, rate_ratio

__all__ = ["page"]

Rows = list[dict[str, Any]]

TEXT = """## False alarms of a keyword spotter, mined in a stream

The word *five* in streams of spoken digits (FSDD) and other words (Speech Commands), one about every 1.3 seconds,
in hiss, rumble and babble 5 to 60 dB below. No speaker is in two of the three streams: {train:g} minutes with
{known} keywords, all of whose words are known, train a detector (openWakeWord's embedding, 48 hidden units);
{mine:g} minutes that nobody has labelled are listened to, with {planted} keywords in them that nobody wrote down;
{test:g} minutes with {tested} keywords test. The false alarms are mined (`listen`, then `segments`), and the
detector is trained again with them, or with as many random segments of the same stream. {seeds} divisions of the
speakers, {hours:g} hours of test in all. False accepts an hour at the threshold that misses so many, found on the
test itself, for each arm alike; exact Poisson intervals, which do not count how speakers differ. *Keywords*: how
many of the segments added as negatives truly hold the keyword."""

GUARDS = """How much of what was heard do filters leave? *Keywords left* are those that would be trained on as
negatives, *false alarms left* what there is to mine. All divisions of the speakers together;
similarities are openWakeWord's."""


def page(work: Path) -> str:
    """The section, of what is kept in the working folder."""
    file = work / "stream.json"
    if not file.is_file():
        return ""
    kept = json.loads(file.read_text())
    outcomes, guards, size = kept["outcomes"], kept["guards"], kept["size"]
    seeds = len({one["seed"] for one in outcomes})
    hours = sum(one["hours"] for one in outcomes if one["arm"] == "before")
    told = TEXT.format(**size, seeds=seeds, hours=round(hours, 2))
    parts = [told, _arms(outcomes, hours), _compared(outcomes, hours), GUARDS, _guards(guards)]
    return "\n\n".join(parts)


def _arms(outcomes: Rows, hours: float) -> str:
    head = ("arm", "segments", "keywords", *(f"FA/h at {one:.0%} missed" for one in MISS_RATES))
    rows = []
    for arm in ARMS:
        mine = [one for one in outcomes if one["arm"] == arm]
        rates = [_rate(sum(one["false_accepts"][at] for one in mine), hours) for at in range(len(MISS_RATES))]
        rows.append([arm, *(str(sum(one[name] for one in mine)) for name in ("segments", "keywords")), *rates])
    return machine.table(head, rows)


def _rate(count: int, hours: float) -> str:
    rate = rate_per_hour(count, hours)
    return f"{rate.value:.1f} ({rate.low:.1f} to {rate.high:.1f})"


def _compared(outcomes: Rows, hours: float) -> str:
    """Mined with guards against the others: the ratio of rates, and in how many divisions it was lower."""
    head = ("mined, guards, against", *(f"ratio at {one:.0%} missed" for one in MISS_RATES), "lower, equal, higher")
    best, rows = "mined, guards", []
    for arm in ARMS:
        if arm == best:
            continue
        cells, signs = [], []
        for at in range(len(MISS_RATES)):
            counts = {
                name: np.array([one["false_accepts"][at] for one in outcomes if one["arm"] == name])
                for name in (best, arm)
            }
            ratio = rate_ratio(int(counts[best].sum()), hours, int(counts[arm].sum()), hours)
            cells.append(f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})")
            gap = np.sign(counts[best] - counts[arm])
            signs.append(", ".join(str(int((gap == sign).sum())) for sign in (-1, 0, 1)))
        rows.append([arm, *cells, "; ".join(signs)])
    return machine.table(head, rows)


def _guards(guards: Rows) -> str:
    head = ("filter", "keywords left", "false alarms left")
    rows = []
    for name in dict.fromkeys(one["filters"] for one in guards):
        mine = [one for one in guards if one["filters"] == name]
        cells = [
            f"{sum(one[f'{what}_kept'] for one in mine)} of {sum(one[what] for one in mine)}"
            for what in ("keywords", "alarms")
        ]
        rows.append([f"`{name}`" if name != "none" else name, *cells])
    return machine.table(head, rows)
