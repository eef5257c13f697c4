"""What a second round of training brought, as a section of the page of benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from hardneg.detect import Detections, Outcomes, Truth, average_precision, log_average_miss_rate, matched, outcomes

__all__ = ["page"]

Floats = NDArray[np.float64]
ARMS = ("mined", "surest, no guards", "random", "none added")
VARIANTS = {"all labels": 0.0, "a fifth deleted": 0.2}
TEST, CATEGORIES, DRAWS = 80, 3, 100  # pictures; categories; bootstrap draws of the pictures of each division

HEAD = ("labels", "second round with", "windows", "of these on a cell", "AP50", "LAMR")
AGAINST = ("labels", "mined, against", "AP50", "LAMR", "divisions better, worse (AP50)")

TEXT = """## A detector's second round: mined backgrounds against others

`python -m benchmarks.detection.second_round`: BCCD's blood cells. A sliding-window detector (channel features, a small
perceptron) learns the labelled cells of 100 pictures and 1,000 random windows of background, is run over these
pictures, and learns anew with more background, as many windows for each arm: what hardneg mines with its defaults; for
each category as many of the surest false positives, whatever they are; random windows; none. 80 other pictures test,
{seeds} divisions of the pictures; AP50 (more is better) and log-average miss rate (less is better), means over the
three categories, of which two are rare. *On a cell*: how many of the added windows lie on a cell by all labels, with
an overlap of 0.5. Differences with 95% intervals of a bootstrap over divisions and, within each, over test pictures.
Pictures of different divisions overlap, so the intervals are somewhat too narrow."""


def page(work: Path) -> str:
    """The tables of what is kept in ``work``; empty where nothing is."""
    rows, against, seeds = [], [], 0
    for name in VARIANTS:
        files = sorted(work.glob(f"{name.replace(' ', '_')}-*.npz"))
        if not files:
            continue
        seeds = len(files)
        kept = [dict(np.load(file)) for file in files]
        drawn = np.array([_figures_of(file, one) for file, one in zip(files, kept, strict=True)])
        for at, arm in enumerate(ARMS):
            added = np.array([one[f"added {arm}"] for one in kept])
            counts = [f"{added[:, 0].mean():.0f}", f"{added[:, 1].mean():.1f}"]
            rows.append([name, arm, *counts, *(f"{one:.3f}" for one in drawn[:, at, 0].mean(axis=0))])
        for at, arm in enumerate(ARMS[1:], start=1):
            less = drawn[:, 0] - drawn[:, at]
            told = [_interval(less[:, :, which]) for which in range(2)]
            signs = f"{int((less[:, 0, 0] > 0).sum())}, {int((less[:, 0, 0] < 0).sum())}"
            against.append([name, arm, *told, signs])
    if not rows:
        return ""
    return f"{TEXT.format(seeds=seeds)}\n\n{machine.table(HEAD, rows)}\n\n{machine.table(AGAINST, against)}"


def _figures_of(file: Path, kept: dict[str, Any]) -> Floats:
    """The figures of a division, shape ``(arms, draws + 1, 2)``; they are kept beside its results."""
    place = file.with_suffix(".figures.npy")
    if not place.is_file():
        np.save(place, _figures(kept, int(file.stem.rpartition("-")[2])))
    return np.asarray(np.load(place))


def _figures(kept: dict[str, Any], seed: int) -> Floats:
    """AP50 and LAMR, means over categories, of all test pictures and then of draws of them; the same for all arms."""
    there = kept["there"]
    truth = Truth(there[:, 0].astype(np.int64), there[:, 1].astype(np.int64), there[:, 2:6])
    rng = np.random.default_rng(seed)
    times = [np.ones(TEST, np.int64), *(np.bincount(rng.integers(0, TEST, TEST), minlength=TEST) for _ in range(DRAWS))]
    out = []
    for arm in ARMS:
        rows = kept[arm]
        found = Detections(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2:6], rows[:, 6])
        matches = matched(truth, found)
        each = [outcomes(truth, found, matches, TEST, category) for category in range(CATEGORIES)]
        out.append([_means([one.drawn(time) for one in each]) for time in times])
    return np.array(out)


def _means(each: list[Outcomes]) -> tuple[float, float]:
    figures = (np.mean([measure(one) for one in each]) for measure in (average_precision, log_average_miss_rate))
    first, second = figures
    return float(first), float(second)


def _interval(less: Floats) -> str:
    """The mean difference, and 95% of draws of divisions with draws of the pictures of each."""
    rng = np.random.default_rng(0)
    seeds, draws = less.shape[0], less.shape[1] - 1
    means = [less[rng.integers(0, seeds, seeds), 1 + rng.integers(0, draws, seeds)].mean() for _ in range(4000)]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{less[:, 0].mean():+.3f} ({low:+.3f} to {high:+.3f})"
