"""What was measured with a detector's mistakes, as a section of the page of benchmarks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import machine

__all__ = ["page", "told"]

HEAD = ("", "caught", "lost", "called likely, of missing", "called likely, of negatives", "missing among the first")

TEXT = """## A detector's false positives: negatives or missing labels

85 photos of rooms with 686 labelled boxes (det_map85), and what NanoDet found in them from a score of 0.05 on. A
fifth of the boxes is deleted at random: on average {deleted:.0f}, of which NanoDet finds {found:.0f}, and
{missing:.0f} of these come out as false positives on a background (the others lie beside another box: such a
detection is no item). *Caught* is the share of these planted missing labels that is not trained on, *lost* the share
of the {negative:.0f} detections that are of a background by the whole ground truth too. That one misses labels
itself, so some of the lost are no loss. *Likely* is the surer of the two verdicts. Last column: of the 20 surest kept
of each category the share of planted missing labels. EfficientNet-Lite0; means and 95% intervals (Student) over
{seeds} draws. The second detector is another one's results in the same photos. The last cuts catch what an arm
catches, which nobody could choose without the deleted boxes."""


def page(work: Path) -> str:
    """Text and table of what is kept in ``work``; empty where nothing is."""
    file = work / "detection.json"
    if not file.is_file():
        return ""
    kept = json.loads(file.read_text())
    arms = list(dict.fromkeys(one["arm"] for one in kept["outcomes"]))
    names = ("caught", "lost", "likely", "wrongly", "false")
    rows = [
        [arm, *(told([one[name] for one in kept["outcomes"] if one["arm"] == arm]) for name in names)] for arm in arms
    ]
    sizes = {name: float(np.mean([one[name] for one in kept["sizes"]])) for name in kept["sizes"][0]}
    return f"{TEXT.format(seeds=len(kept['sizes']), **sizes)}\n\n{machine.table(HEAD, rows)}"


def told(values: Sequence[float]) -> str:
    """The mean, and half the width of its 95% interval."""
    from scipy.stats import t

    if len(values) < 2:
        return f"{np.mean(values):.1%}"
    half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.1%} ± {half:.1%}"
