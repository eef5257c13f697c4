"""The page about an evaluation: a detector's figures, mistakes and curves, and the boxes to look at."""

from __future__ import annotations

from dataclasses import dataclass

from hardneg.detect import MEASURES, Spread, mean_of
from hardneg.evaluation import Verdict, Verdicts
from hardneg.report.curves import curves
from hardneg.report.detected import boxes_of_judged
from hardneg.report.detector import Curves, MistakesPart
from hardneg.report.gallery import BUDGET
from hardneg.report.mistaken import mistaken
from hardneg.report.numbers import number, plural
from hardneg.report.page import Part, assembled

__all__ = ["render_evaluation"]

_CATEGORIES = 60  # shown
_MEANINGS = {
    "AP": "average precision, the mean over overlaps from 0.5 to 0.95 (COCO)",
    "AP50": "average precision at an overlap of 0.5",
    "AP75": "average precision at an overlap of 0.75",
    "LAMR": "log-average miss rate, from 0.01 to 1 false positives per image (Caltech); lower is better",
}


@dataclass(frozen=True)
class Measure:
    """One measure: a figure of each detector with its interval, and the difference."""

    name: str
    meaning: str
    figures: list[tuple[str, str]]
    difference: tuple[str, str, str] | None  # figure, interval, and what it shows


@dataclass(frozen=True)
class Measures:
    """All measures, means over the categories."""

    detectors: list[str]
    rows: list[Measure]
    sentences: list[str]


@dataclass(frozen=True)
class Categories:
    """The figures of each category: name, boxes, and for each measure the figures, with a bar for the first."""

    heads: list[str]
    rows: list[tuple[str, int, list[str]]]
    of: int
    against: str


@dataclass(frozen=True)
class Head:
    """The head of the page."""

    name: str
    title: str
    sentences: list[str]


def render_evaluation(verdicts: Verdicts, budget: int = BUDGET) -> str:
    """The whole page: the same text for the same data and seed."""
    first = verdicts.detectors[0].judged
    scenes = verdicts.scenes
    parts = [
        (Part("measures", "Figures", "Figures"), _measures(verdicts)),
        (Part("mistakes", "What it got wrong", "Mistakes"), _mistakes(verdicts)),
        (Part("curves", "Curves", "Curves"), _curves(verdicts)),
        (Part("categories", "By category", "Categories"), _categories(verdicts)),
        (Part("boxes", "Boxes to look at", "Boxes"), boxes_of_judged(first, scenes, budget)),
    ]
    return assembled("evaluation.html.j2", _head(verdicts), parts, None)


def _head(verdicts: Verdicts) -> Head:
    scenes, first = verdicts.scenes, verdicts.detectors[0]
    boxes = plural(int((~scenes.truth.uncounted).sum()), "labelled box", "labelled boxes")
    said = f"{plural(len(first.judged.found), 'find')} in {plural(len(scenes.images), 'image')} with {boxes}"
    more = f", compared with {verdicts.detectors[1].name}" if len(verdicts.detectors) > 1 else ""
    sentences = [f"{said} of {plural(len(scenes.categories), 'category', 'categories')}{more}."]
    return Head(first.name, "detector", sentences)


def _measures(verdicts: Verdicts) -> Measures:
    difference = verdicts.difference
    rows = [
        Measure(
            name,
            _MEANINGS[name],
            [_figure(one, at) for one in verdicts.detectors],
            None if difference is None else _difference(difference, at, name),
        )
        for at, name in enumerate(MEASURES)
    ]
    sentences = ["Means over the categories of which a box counts."]
    if verdicts.detectors[0].spread is not None:
        sentences.append(
            f"In brackets 95% intervals: images were drawn with replacement {verdicts.draws:,} times"
            + (", the same for both, so that the differences are paired." if difference is not None else ".")
        )
    return Measures([one.name for one in verdicts.detectors], rows, sentences)


def _figure(one: Verdict, at: int) -> tuple[str, str]:
    if one.spread is None:
        return number(float(mean_of(one.evaluation.figures())[at])), ""
    interval = one.spread.interval(at)
    return number(interval.value), f"{number(interval.low)} to {number(interval.high)}"


def _difference(difference: Spread, at: int, name: str) -> tuple[str, str, str]:
    one = difference.interval(at)
    more, less = ("worse", "better") if name == "LAMR" else ("better", "worse")
    verdict = more if one.low > 0 else less if one.high < 0 else "no difference shown"
    return _signed(one.value), f"{_signed(one.low)} to {_signed(one.high)}", verdict


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def _mistakes(verdicts: Verdicts) -> MistakesPart:
    sentences = [
        "Finds and labelled boxes, matched at an overlap of 0.5; the kinds are TIDE's. AP50 without them is what it "
        "would be if these finds were gone and all else stayed."
    ]
    return MistakesPart(
        sentences, mistaken([one.judged for one in verdicts.detectors], verdicts.scenes.categories), [], ""
    )


def _curves(verdicts: Verdicts) -> Curves | None:
    charts = curves([(one.name, one.judged.together) for one in verdicts.detectors])
    return (
        Curves(["All categories together, from the surest find on, at an overlap of 0.5."], charts) if charts else None
    )


def _categories(verdicts: Verdicts) -> Categories:
    found = verdicts.by_category()
    rows = []
    for one in found[:_CATEGORIES]:
        told = [number(float(value)) for value in one.figures]
        if one.gains is not None:
            told = [f"{text} ({_signed(float(gain))})" for text, gain in zip(told, one.gains, strict=True)]
        rows.append((one.name[:80], one.boxes, told))
    against = verdicts.detectors[1].name if len(verdicts.detectors) > 1 else ""
    return Categories(list(MEASURES), rows, len(found), against)
