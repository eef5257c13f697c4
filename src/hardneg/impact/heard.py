"""A detector of sounds before and after: false accepts an hour, by events on real hours, with a guard of recall."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

from hardneg.errors import InputError
from hardneg.impact.verdict import HELPED, HURT, UNKNOWN
from hardneg.verify import Rate, rate_per_hour, rate_ratio

__all__ = ["Heard", "compare_heard", "newcombe"]


@dataclass(frozen=True)
class Heard:
    """One keyword under two detectors.

    Args:
        keyword: its name.
        before: false accepts an hour of the old one.
        after: of the new one.
        ratio: after by before; below 1 is better.
        recall_before: share of the occurrences that the old one found.
        recall_after: that of the new one.
        recall: the difference, after minus before.
        occurrences: how many there are.
        verdict: helped, hurt or cannot tell.
        sentence: the same with the figures.
    """

    keyword: str
    before: Rate
    after: Rate
    ratio: Rate
    recall_before: float
    recall_after: float
    recall: Rate
    occurrences: int
    verdict: str
    sentence: str


def compare_heard(before: Path, after: Path, *, confidence: float = 0.95) -> list[Heard]:
    """Compare two folders of ``hardneg listen``, of the same recordings and the same known occurrences.

    Of several keywords each is held to a stricter level (Bonferroni), so that all verdicts hold together. The ratio of
    two counts of one recording is taken as if they were independent, which mostly makes its interval too wide.

    Raises InputError where the two are not of the same hours or occurrences, or where no hours are known.
    """
    old, new = _summary(before), _summary(after)
    if abs(old["hours_known"] - new["hours_known"]) > 1e-6 or set(old["keywords"]) != set(new["keywords"]):
        raise InputError(
            f"'{before}' is of {old['hours_known']:.3f} known hours and {', '.join(old['keywords'])}, '{after}' of "
            f"{new['hours_known']:.3f} and {', '.join(new['keywords'])}.",
            remedy="Listen to the same recordings with both detectors.",
        )
    if not old["hours_known"] > 0:
        raise InputError(
            "No recording is known, so no event is known to be false.", remedy="Give hardneg listen the --truth."
        )
    level = 1 - (1 - confidence) / len(old["keywords"])
    return [_compared(name, old, new, level) for name in old["keywords"]]


def _summary(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        return {name: found[name] for name in ("hours_known", "keywords")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("This is no folder of hardneg listen.", path=folder, remedy="Name what it wrote.") from error


def _compared(name: str, old: dict[str, Any], new: dict[str, Any], level: float) -> Heard:
    hours, sides = float(old["hours_known"]), (old["keywords"][name], new["keywords"][name])
    n = int(sides[0]["occurrences"])
    if n != sides[1]["occurrences"]:
        raise InputError(f"'{name}' occurs {n} times before and {sides[1]['occurrences']} times after.")
    false, hits = ([int(one[what]) for one in sides] for what in ("false_accepts", "hits"))
    ratio = rate_ratio(false[1], hours, false[0], hours, confidence=level)
    recall = newcombe(hits[1], n, hits[0], n, confidence=level) if n else Rate(0.0, float("nan"), float("nan"))
    verdict = _verdict(ratio, recall)
    rates = [rate_per_hour(one, hours) for one in false]
    shares = [one / n if n else float("nan") for one in hits]
    began = {HELPED: "Helped", HURT: "Hurt", UNKNOWN: "Cannot tell"}[verdict]
    sentence = (
        f"{name}: {began}. False accepts {rates[1].value:.2f} an hour "
        f"({rates[1].low:.2f} to {rates[1].high:.2f}), before {rates[0].value:.2f} ({rates[0].low:.2f} to "
        f"{rates[0].high:.2f}), in {hours:,.2f} h; ratio {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})."
    )
    if n:
        fell = " Recall fell, so fewer false accepts would prove nothing." if recall.high < 0 else ""
        sentence += (
            f" Recall {shares[1]:.1%} of {n:,}, before {shares[0]:.1%} ({recall.low:+.1%} to {recall.high:+.1%}).{fell}"
        )
    else:
        sentence += " It never occurs, so nothing is known of recall: a detector that hears nothing looks as good."
    return Heard(name, rates[0], rates[1], ratio, shares[0], shares[1], recall, n, verdict, sentence)


def _verdict(ratio: Rate, recall: Rate) -> str:
    """Fewer false accepts count where recall is known and did not fall."""
    if recall.high < 0 or ratio.low > 1:
        return HURT
    return HELPED if ratio.high < 1 and recall.low == recall.low else UNKNOWN  # not NaN


def newcombe(hits: int, n: int, other_hits: int, other_n: int, *, confidence: float = 0.95) -> Rate:
    """The difference of two shares with an interval (Newcombe 1998, Statistics in Medicine 17, method 10).

    >>> one = newcombe(56, 70, 48, 80)
    >>> round(one.value, 2), round(one.low, 4), round(one.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    p, q = hits / n, other_hits / other_n
    (low, high), (other_low, other_high) = _wilson(p, n, confidence), _wilson(q, other_n, confidence)
    return Rate(
        p - q,
        p - q - sqrt((p - low) ** 2 + (other_high - q) ** 2),
        p - q + sqrt((high - p) ** 2 + (q - other_low) ** 2),
    )


def _wilson(p: float, n: int, confidence: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
