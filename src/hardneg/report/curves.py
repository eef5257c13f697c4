"""Precision against recall, and misses against false positives per image, as lines to draw and figures to read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hardneg.detect import REFERENCES, MissRates, Outcomes, PrecisionRecall, miss_rates, precision_recall
from hardneg.report.charts import STYLES, Chart, Line, points_of, spans
from hardneg.report.numbers import number

__all__ = ["curves"]

_RECALLS = np.linspace(0, 1, 21)
# The marks of the axis of miss rates, from 0.05 on those of Dollar et al.; it begins at one of them.
_MARKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.64, 0.8, 1.0)


def curves(named: Sequence[tuple[str, Outcomes]]) -> list[Chart]:
    """Both charts of one or two sets of finds; nothing where no box counts."""
    if not named or not len(named[0][1].box_image):
        return []
    return [_precision(named), _misses(named)]


# --- precision and recall ---------------------------------------------------------------------------------------------


def _precision(named: Sequence[tuple[str, Outcomes]]) -> Chart:
    found = [(name, precision_recall(one)) for name, one in named]
    lines = []
    for (name, one), style in zip(found, STYLES, strict=False):
        # From the left edge on, and down to nothing where the finds end.
        recall = np.concatenate([[0.0], one.recall, one.recall[-1:]])
        precision = np.concatenate([one.highest[:1], one.highest, [0.0]])
        lines.append(Line(name, style, points_of(100 * recall, 100 * (1 - precision)) if len(one.score) else ""))
    ticks = [(100 * one, f"{one:g}") for one in (0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    rows_of_table = [[f"{recall:.2f}", *_of_each(found, recall)] for recall in _RECALLS]
    width = 100 / (len(_RECALLS) - 1)
    hits = [
        (round(100 * recall - width / 2, 3), round(width, 3), _precision_words(found, recall)) for recall in _RECALLS
    ]
    return Chart(
        "precision", "Precision and recall", "recall", "precision", lines, ticks,
        [(100 - place, text) for place, text in ticks], hits,
        ["Recall", *(head for name, _ in named for head in (f"Precision, {name}", "Score"))], rows_of_table,
    )  # fmt: skip


def _reached(one: PrecisionRecall, recall: float) -> int:
    """The first find with that recall, -1 where none has it."""
    at = int(np.searchsorted(one.recall, recall, "left"))
    return at if at < len(one.recall) else -1


def _of_each(found: Sequence[tuple[str, PrecisionRecall]], recall: float) -> list[str]:
    out = []
    for _, one in found:
        at = _reached(one, recall)
        out += ["–", "–"] if at < 0 else [number(one.highest[at]), number(one.score[at])]
    return out


def _precision_words(found: Sequence[tuple[str, PrecisionRecall]], recall: float) -> str:
    words = []
    for name, one in found:
        at = _reached(one, recall)
        figure = "not reached" if at < 0 else f"precision {number(one.highest[at])} (score {number(one.score[at])})"
        words.append(f"{name}: {figure}" if len(found) > 1 else figure)
    return f"Recall {recall:.2f}: {'; '.join(words)}"


# --- misses -----------------------------------------------------------------------------------------------------------


def _misses(named: Sequence[tuple[str, Outcomes]]) -> Chart:
    found = [(name, miss_rates(one)) for name, one in named]
    least = min((float(one.miss_rate.min()) for _, one in found if len(one.miss_rate)), default=1.0)
    bottom = max(one for one in _MARKS[:-1] if one <= max(least, _MARKS[0]))
    most = max((float(one.fppi[-1]) for _, one in found if len(one.fppi)), default=1.0)
    right = 10.0 ** max(0, min(2, math.ceil(math.log10(max(most, 1e-9)))))

    def across(fppi: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(100 * np.log(np.clip(fppi, 0.01, right) / 0.01) / math.log(right / 0.01))

    def down(missed: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(100 * np.log(np.clip(missed, bottom, 1)) / math.log(bottom))

    lines = []
    for (name, one), style in zip(found, STYLES, strict=False):
        inside = one.fppi <= right
        lines.append(Line(name, style, points_of(across(one.fppi[inside]), down(one.miss_rate[inside]))))
    marks = [one for one in (0.01, 0.1, 1.0, 10.0, 100.0) if one <= right]
    heights = [one for one in _MARKS if one >= bottom]
    asked = np.concatenate([REFERENCES, [one for one in marks if one > 1]])
    places = across(asked)
    hits = [(*span, _miss_words(found, float(one))) for span, one in zip(spans(places), asked, strict=True)]
    return Chart(
        "misses", "Misses and false positives", "false positives per image", "miss rate", lines,
        [(float(place), f"{one:g}") for place, one in zip(across(np.array(marks)).round(3), marks, strict=True)],
        [(float(place), f"{one:g}") for place, one in zip(down(np.array(heights)).round(3), heights, strict=True)],
        hits,
        ["False positives per image", *(head for name, _ in named for head in (f"Miss rate, {name}", "Score"))],
        [[f"{one:.3g}", *_of_each_at(found, float(one))] for one in asked],
    )  # fmt: skip


def _of_each_at(found: Sequence[tuple[str, MissRates]], fppi: float) -> list[str]:
    return [number(float(figure)) for _, one in found for figure in (one.at(fppi), one.threshold(fppi))]


def _miss_words(found: Sequence[tuple[str, MissRates]], fppi: float) -> str:
    words = []
    for name, one in found:
        figure = f"{number(float(one.at(fppi)))} missed (score {number(float(one.threshold(fppi)))})"
        words.append(f"{name}: {figure}" if len(found) > 1 else figure)
    return f"{fppi:.3g} false positives per image: {'; '.join(words)}"
