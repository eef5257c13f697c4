"""What decides where nothing can be promised, what was learnt or a fixed rule: by what hidden positives say of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardneg.calibrate.frontier import LEARNT, Family, Point, learnt_filter, point_at
from hardneg.calibrate.threshold import Curve, Pool

__all__ = ["SEVERAL", "Choice", "chosen"]

SEVERAL = 50  # anchors with two positives from which on what is learnt from them comes first
_TIMES = {2: "double", 4: "fourfold"}
_CAUTION = 2  # times as high as it is counts an estimate from few anchors, and as much again where most are unlike them


@dataclass(frozen=True, eq=False)
class Choice:
    """What decides.

    Args:
        family: ``calibrated``, or a family of fixed rules.
        curve: what its thresholds lead to.
        point: the setting that answers the rate.
        kept: whether its estimated share keeps the rate. Where nothing does this is the fixed rule with the lowest.
        cut: the threshold of the setting: what is below passes.
        why: in words.
    """

    family: str
    curve: Curve
    point: Point
    kept: bool
    cut: float
    why: str = ""


def chosen(
    pool: Pool, learnt: Curve, plain: Sequence[Family], rate: float, wanted: int, counts: tuple[int, int]
) -> Choice:  # fmt: skip
    """Choose by the estimated share: what was learnt, if it keeps the rate; else the hardest fixed rule that does.

    With fewer than 50 anchors of two positives the estimates of what was learnt vary, and count double; fourfold where
    most of the anchors that are judged have one positive, and the others hide too few to stand in for them. It tells
    positives better than any fixed rule even so: where it had to be the harder one too, rules that let three times as
    many false negatives through took its place (docs/benchmarks.md). What leaves less than half of the negatives that
    are wanted does not count.

    Args:
        pool: of the anchors with two positives.
        learnt: the curve of what was learnt.
        plain: the families of fixed rules.
        rate: the share of false negatives that is asked for.
        wanted: negatives an anchor is to get.
        counts: how many anchors have two positives, and how many are judged by what they teach.
    """
    several, anchors = counts
    rules = [
        _choice(one.name, one.curve, row, pool, text, rate) for one in plain for row, text in enumerate(one.settings)
    ]
    few, most = several < SEVERAL, 2 * several < anchors
    usable = [one for one in rules if one.kept and one.point.mined >= wanted / 2]
    best = max(usable, key=_hardness, default=None)
    doubt = 1 if not few else _CAUTION**2 if most else _CAUTION
    mine = _learnt(replace(learnt, share=np.minimum(1, doubt * learnt.share)), pool, rate)
    if mine.kept and (not few or mine.point.mined >= wanted / 2):
        even = f"and its estimate keeps the rate even if it counts {_TIMES.get(doubt)}"
        told = even if few else "and what they teach comes first"
        return replace(mine, why=f"{several:,} anchors have two positives or more, {told}")
    if best is not None:
        return replace(best, why=_over_learnt(best, mine, wanted))
    mine = mine if mine.kept else _learnt(learnt, pool, rate)
    if mine.kept:
        return replace(mine, why="no fixed rule keeps the rate and leaves enough negatives")
    rules = [one for one in rules if one.point.filter]
    enough = [one for one in rules if one.point.mined >= wanted / 2]
    least = min(enough or rules, key=lambda one: (one.point.share, -_hardness(one)))
    return replace(least, why=f"no threshold has an estimated share below {least.point.share:.1%}")


def _learnt(found: Curve, pool: Pool, rate: float) -> Choice:
    """The highest threshold of what was learnt that keeps the rate; the lowest where none does."""
    row = int(np.searchsorted(found.share, rate, side="right")) - 1
    return _choice(LEARNT, found, max(row, 0), pool, learnt_filter(rate), rate)


def _over_learnt(best: Choice, mine: Choice, wanted: int) -> str:
    """Why a fixed rule."""
    hardness = f"mean score of {best.point.hardness:.3f}"
    if not mine.kept:
        return f"what was learnt does not keep the rate; of the fixed rules that do it has the highest {hardness}"
    return f"what was learnt leaves {mine.point.mined:.1f} of {wanted} negatives; it has a {hardness}"


def _choice(family: str, found: Curve, row: int, pool: Pool, text: str, rate: float) -> Choice:
    point = point_at(found, row, pool, family, text)
    return Choice(family, found, point, point.share <= rate, float(found.figure[row]))


def _hardness(one: Choice) -> float:
    return float(np.nan_to_num(one.point.hardness, nan=-np.inf))
