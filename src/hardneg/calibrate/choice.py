"""What decides where nothing can be promised, what was learnt or a fixed rule: by what hidden positives say of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardneg.calibrate.frontier import LEARNT, Family, Point, learnt_filter, point_at
from hardneg.calibrate.threshold import Curve, Pool

__all__ = ["SEVERAL", "Choice", "chosen"]

SEVERAL = 50  # anchors with two positives from which on what is learnt from them comes first
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
    """Choose by the estimated share, the hardest negatives first.

    With 50 anchors of two positives what was learnt from them comes first. With fewer it must be harder than all fixed
    rules that keep the rate, and its estimates, which vary, count double. Where most of the anchors that are judged
    have one positive, and the others hide too few to stand in for them, they count fourfold, and it decides where it
    keeps the rate even so: it tells positives better than any fixed rule, but how many of them pass is another matter
    (docs/benchmarks.md has the figures). What leaves less than half of the negatives that are wanted does not count.

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
    few = several < SEVERAL
    single = few and 2 * several < anchors
    doubt = _CAUTION**2 if single else _CAUTION if few else 1
    usable = [one for one in rules if one.kept and one.point.mined >= wanted / 2]
    best = max(usable, key=_hardness, default=None)
    mine = _learnt(replace(learnt, share=np.minimum(1, doubt * learnt.share)), pool, rate)
    if best is None and not mine.kept:
        mine = _learnt(learnt, pool, rate)
    if several >= SEVERAL and mine.kept:
        return replace(mine, why=f"{several:,} anchors have two positives or more, and what they teach comes first")
    if best is None and not mine.kept:
        rules = [one for one in rules if one.point.filter]
        enough = [one for one in rules if one.point.mined >= wanted / 2]
        least = min(enough or rules, key=lambda one: (one.point.share, -_hardness(one)))
        return replace(least, why=f"no threshold has an estimated share below {least.point.share:.1%}")
    if best is None or (mine.kept and not single and _hardness(mine) >= _hardness(best)):
        return replace(mine, why=_over_rules(mine, best))
    if mine.kept and single and mine.point.mined >= wanted / 2:
        why = f"{several:,} of {anchors:,} anchors have two positives, and its estimate keeps the rate even fourfold"
        return replace(mine, why=why)
    return replace(best, why=_over_learnt(best, mine, wanted))


def _learnt(found: Curve, pool: Pool, rate: float) -> Choice:
    """The highest threshold of what was learnt that keeps the rate; the lowest where none does."""
    row = int(np.searchsorted(found.share, rate, side="right")) - 1
    return _choice(LEARNT, found, max(row, 0), pool, learnt_filter(rate), rate)


def _over_rules(mine: Choice, best: Choice | None) -> str:
    """Why what was learnt."""
    if best is None:
        return "no fixed rule keeps the rate and leaves enough negatives"
    other = f"{best.point.filter or 'no filter'} has {best.point.hardness:.3f}"
    return f"its mean score is {mine.point.hardness:.3f}, and {other}"


def _over_learnt(best: Choice, mine: Choice, wanted: int) -> str:
    """Why a fixed rule."""
    hardness = f"mean score of {best.point.hardness:.3f}"
    if not mine.kept:
        return f"what was learnt does not keep the rate; of the fixed rules that do it has the highest {hardness}"
    if mine.point.mined < wanted / 2:
        return f"what was learnt leaves {mine.point.mined:.1f} of {wanted} negatives; it has a {hardness}"
    return f"it has a {hardness}, and what was learnt {mine.point.hardness:.3f}"


def _choice(family: str, found: Curve, row: int, pool: Pool, text: str, rate: float) -> Choice:
    point = point_at(found, row, pool, family, text)
    return Choice(family, found, point, point.share <= rate, float(found.figure[row]))


def _hardness(one: Choice) -> float:
    return float(np.nan_to_num(one.point.hardness, nan=-np.inf))
