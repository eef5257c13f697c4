"""The page about two listenings: each keyword before and after, and recall against false accepts an hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hardneg.report.charts import Chart
from hardneg.report.impact_curves import hourly_chart
from hardneg.report.page import Part, assembled

__all__ = ["render_heard"]


@dataclass(frozen=True)
class Head:
    """The head of the page."""

    name: str
    title: str
    sentences: list[str]


@dataclass(frozen=True)
class Row:
    """A figure of both detectors, with intervals in words where there are any, and how they compare."""

    name: str
    after: str
    before: str
    compared: str


@dataclass(frozen=True)
class Keyword:
    """One keyword: what came of it, what it would be at an equal rate, its figures, and its curve."""

    name: str
    sentence: str
    equal: str | None
    rows: list[Row]
    chart: Chart | None


def render_heard(found: Mapping[str, Any]) -> str:
    """The whole page of what :func:`hardneg.impact.listened.measure_heard` found."""
    sentences = [f"The detector of '{found['after']}' against that of '{found['before']}', on the same recordings."]
    head = Head(found["after"], "impact", [*sentences, *found["notes"]])
    part = Part("heard", "Did mining help?", "Impact")
    return assembled("heard_head.html.j2", head, [(part, [_keyword(one) for one in found["keywords"]])], None)


def _keyword(one: Mapping[str, Any]) -> Keyword:
    after, before = one["arms"]
    rate = "false_accepts_per_hour"
    rows = [Row("False accepts an hour", _rate(after[rate]), _rate(before[rate]), f"ratio {_rate(one['ratio'])}")]
    if one["occurrences"]:
        gap = one["recall_difference"]
        compared = f"{gap['value']:+.1%} ({gap['low']:+.1%} to {gap['high']:+.1%})"
        rows.append(Row("Recall", f"{after['recall']:.1%}", f"{before['recall']:.1%}", compared.replace("-", "−")))
    return Keyword(one["keyword"], one["sentence"], one["at_equal_rate"], rows, hourly_chart(one))


def _rate(rate: Mapping[str, float | None]) -> str:
    value, low, high = ("–" if rate[name] is None else f"{rate[name]:,.2f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
