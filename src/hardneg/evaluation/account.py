"""What was judged, as JSON: figures with intervals, counts of mistakes, curves, and where all of it is from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.detect import (
    MEASURES,
    Interval,
    Kind,
    Outcomes,
    Spread,
    log_average_miss_rate,
    mean_of,
    miss_rates,
    precision_recall,
)
from hardneg.evaluation.judged import WRONG, Verdict, Verdicts
from hardneg.io.reading import counted
from hardneg.storage import digest, folder, refuse_taken, write_json

__all__ = ["MARK", "about", "write_evaluation"]

MARK = "evaluation.json"
_POINTS = 200  # of a curve


def about(verdicts: Verdicts) -> dict[str, Any]:
    """All of it, the same for the same data and seed."""
    scenes = verdicts.scenes
    difference = verdicts.difference
    return {
        "data": {
            "format": scenes.format,
            "images": len(scenes.images),
            "categories": len(scenes.categories),
            "boxes": int((~scenes.truth.uncounted).sum()),
            "uncounted": int(scenes.truth.uncounted.sum()),
            "files": {name: digest(file) for name, file in sorted(scenes.files.items())},
        },
        "seed": verdicts.seed,
        "draws": verdicts.draws,
        "detectors": [_detector(one, scenes.categories) for one in verdicts.detectors],
        **({} if difference is None else {"difference": _figures(difference)}),
        "skipped": counted(scenes.skips),
        "noted": counted(scenes.notes),
    }


def write_evaluation(verdicts: Verdicts, out: Path, page: str | None = None, *, overwrite: bool = False) -> None:
    """Write ``evaluation.json`` and, where there is one, ``report.html`` into a folder, whole or not at all.

    Raises RunError where ``out`` is taken, StorageError where the disk refuses.
    """
    refuse_taken(out, MARK, "holds no evaluation", overwrite=overwrite)
    with folder(out) as inside:
        write_json(about(verdicts), inside / MARK)
        if page is not None:
            (inside / "report.html").write_text(page, encoding="utf-8")


def _detector(one: Verdict, categories: Sequence[str]) -> dict[str, Any]:
    judged, figures, spread = one.judged, one.evaluation.figures(), one.spread
    known = mean_of(figures)
    means = {name: _number(known[at]) for at, name in enumerate(MEASURES)} if spread is None else _figures(spread)
    return {
        "name": one.name,
        "detections": len(judged.found),
        "figures": means,
        "figures_of_all_together": {"LAMR": _number(log_average_miss_rate(judged.together))},
        "mistakes": {
            **{kind.name.lower(): judged.count(kind) for kind in (Kind.CORRECT, *WRONG, Kind.UNCOUNTED)},
            "missed": int(judged.missed.sum()),
        },
        "AP50_without": {kind.name.lower(): _number(value) for kind, value in judged.without.items()},
        "categories": [
            {
                "name": name,
                "boxes": len(one.evaluation.found[row][0].box_image),
                **{
                    measure: _number(figures[row, at]) if spread is None else _interval(spread.interval(at, row))
                    for at, measure in enumerate(MEASURES)
                },
            }
            for row, name in enumerate(categories)
        ],
        "curves_of_all_together": _curves(judged.together),
    }


def _curves(found: Outcomes) -> dict[str, Any]:
    """Points of both curves, spread evenly over the finds."""
    precise, missed = precision_recall(found), miss_rates(found)
    count = min(_POINTS, len(found.score))
    rows = np.unique(np.linspace(0, max(len(found.score) - 1, 0), count).round().astype(np.int64))
    columns = {
        "score": precise.score, "precision": precise.precision, "recall": precise.recall,
        "false_positives_per_image": missed.fppi, "miss_rate": missed.miss_rate,
    }  # fmt: skip
    return {name: [_number(value) for value in column[rows]] for name, column in columns.items()}


def _figures(spread: Spread) -> dict[str, Any]:
    return {name: _interval(spread.interval(at)) for at, name in enumerate(MEASURES)}


def _interval(one: Interval) -> dict[str, float | None]:
    return {"value": _number(one.value), "low": _number(one.low), "high": _number(one.high)}


def _number(value: float | NDArray[np.float64]) -> float | None:
    return None if np.isnan(value) else float(value)
