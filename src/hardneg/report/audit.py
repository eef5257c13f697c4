"""How many of the negatives are false, as an audit of this run has found; nothing where there was none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hardneg.auditing.result import read_audit
from hardneg.report.facts import Facts
from hardneg.report.numbers import count, share

__all__ = ["Audited", "Bar", "Found", "Group", "audited"]

_KINDS = {
    "measured": ("measured", "sampled", "by judgements of a random sample"),
    "bound": ("at most", "suspect", "a bound, if unknown positives are like the known ones"),
    "assumed": ("if stated right", "suspect", "for the completeness that was stated"),
    "uncorrected": ("uncorrected", "dropped", "a teacher's word; judgements would show whether it is right"),
}


@dataclass(frozen=True)
class Bar:
    """An interval as it is drawn: places in percent of the width, -1 for what is not there."""

    start: float
    width: float
    middle: float
    words: str


@dataclass(frozen=True)
class Found:
    """One estimate: its evidence, how far it can be trusted, and what it assumes."""

    evidence: str
    chip: str
    colour: str
    meaning: str
    bar: Bar
    assumptions: list[str]


@dataclass(frozen=True)
class Group:
    """A table of parts: of scores, ranks, sources or groups. A row is its name, three counts and its interval."""

    name: str
    heads: tuple[str, str]
    rows: list[tuple[str, str, str, str, Bar]]


@dataclass(frozen=True)
class Audited:
    """What the section shows."""

    sentence: str
    found: list[Found]
    most: str  # the right end of the axis of the estimates
    groups: list[Group]
    notes: list[str]
    advice: list[str]


def audited(facts: Facts) -> Audited | None:
    """Read what an audit wrote into the run."""
    audit = read_audit(facts.run.path)
    if audit is None:
        return None
    estimates = audit["estimates"]
    best = estimates[0]["kind"] if estimates else ""
    most = _most([one["share"] for one in estimates])
    return Audited(
        sentence=audit["sentence"],
        found=[_found(one, most) for one in estimates],
        most=share(most, 1),
        groups=[_group(name, parts, best) for name, parts in audit["by"].items()],
        notes=audit["notes"],
        advice=audit["advice"],
    )


def _found(one: Mapping[str, Any], most: float) -> Found:
    return Found(one["evidence"], *_KINDS[one["kind"]], _bar(one["share"], most, one["kind"]), one["assumptions"])


def _group(name: str, parts: Sequence[Mapping[str, Any]], kind: str) -> Group:
    heads = ("Judged", "False") if kind == "measured" else ("Hidden", "Mined")
    most = _most([one["share"] for one in parts if one["judged"]])
    rows = [
        (one["name"], count(one["pairs"]), count(one["judged"]), count(one["false"]), _part(one, most, kind))
        for one in parts
    ]
    return Group(name, heads, rows)


def _part(one: Mapping[str, Any], most: float, kind: str) -> Bar:
    return _bar(one["share"], most, kind) if one["judged"] else Bar(0, 0, -1, "nothing to go by")


def _bar(found: Mapping[str, float | None], most: float, kind: str) -> Bar:
    value, low, high = found["value"], found["low"], found["high"]
    if low is None or high is None:
        return Bar(0, 0, _place(value, most), f"{share(value or 0, 1)}, without an interval")
    start = _place(low, most)
    if kind == "bound":
        return Bar(start, round(_place(high, most) - start, 3), -1, f"0% to {share(high, 1)}")
    words = f"{share(low, 1)} to {share(high, 1)}"
    words = words if value is None else f"{share(value, 1)} ({words})"
    return Bar(start, round(_place(high, most) - start, 3), _place(value, most), words)


def _most(shares: Sequence[Mapping[str, float | None]]) -> float:
    """The right end of an axis: a round number that no interval goes beyond."""
    highest = max((one["high"] or one["value"] or 0.0 for one in shares), default=0.0)
    return next((end for end in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if highest <= end), 1.0)


def _place(value: float | None, most: float) -> float:
    return -1.0 if value is None else round(100 * min(value, most) / most, 3)
