"""Whether the sampled negatives are balanced: by hardness, by item, by class; and a warning where they are not.

Warnings come where

- more than half of the negatives are hard, nearer to the anchor than its positive is: training on the hardest alone may
  collapse (Schroff 2015, section 3.2), and among them are most of the positives that nobody labelled as such;
- more than 95% are easy: little is to be learned from them;
- the 1% most used of the items that serve hold more than 10% of all, and more than five times their even part: hubs
  (Radovanovic 2010); or the Gini coefficient of their uses is above 0.6, where 0 is an even spread;
- the classes of the negatives are farther than 0.5 from those that random negatives of the same anchors would have, in
  total variation: the share that would have to be exchanged;
- more than 20% of the candidates are suspect;
- a detector's recall may suffer (:mod:`hardneg.recall`).

Of fewer than 100 negatives nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.classes import Classes, together
from hardneg.collection import Collection
from hardneg.labels import classes_of
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.recall import are_boxes, recall_facts, recall_warnings
from hardneg.run import Run
from hardneg.table import Grade, names_of

__all__ = ["balance", "balance_lines", "gini", "measured"]

Floats = NDArray[np.float64]

MOST_HARD, MOST_EASY, MOST_SUSPECT = 0.5, 0.95, 0.2
MOST_OF_HUBS, TIMES_EVEN, MOST_GINI = 0.1, 5, 0.6
MOST_SKEW = 0.5
_FEW = 100  # with fewer negatives than this, a warning would be about chance
_SHOWN = 5

# What may be wrong with the hard ones, how to find harder ones, and what many suspects mean: with labels, and without.
_OF_LABELS = "labelled wrongly", "the sampler top or a better encoder", "many labels may be wrong, or missing"
_OF_PAIRS = (
    "unlabelled positives",
    "a looser margin, the sampler top or a better encoder",
    "many positives may have no label",
)


def balance(run: Run) -> Mapping[str, Any]:
    """The balance of a finished run: what its manifest says, else measured anew.

    Keys: ``grades`` (the share of each), ``items`` (``used``, ``most`` uses of one, ``top_percent``: what the 1% most
    used of them hold, ``gini``), with labels ``classes`` (``skew``, and the classes that are ``over`` most),
    ``suspects`` (their share of the candidates), of a detector's mistakes ``recall`` (:func:`recall_facts`), and
    ``warnings`` in plain words.
    """
    if "balance" in run.manifest:
        found: Mapping[str, Any] = run.manifest["balance"]
        return found
    everything = np.ones(len(run.items), bool)
    return measured(run.negatives, (run.anchors, run.items), classes_of(run), everything, run.ledger)


def measured(
    negatives: pa.Table, sides: tuple[Collection, Collection], classes: Classes | None, pool: BoolArray,
    ledger: Mapping[str, Any], doubted: BoolArray | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The balance of sampled negatives; see :func:`balance`.

    Args:
        negatives: what was sampled.
        sides: the anchors and the items.
        classes: those of anchors and items, if any.
        pool: which items there were to choose from, shape ``(items,)``.
        ledger: the account of the run.
        doubted: which items are suspect for anyone, shape ``(items,)``; none if not given.
    """
    anchor, item = (
        side.positions(negatives.column(name)) for side, name in zip(sides, ("anchor", "item"), strict=True)
    )
    grades = negatives.column("grade").cast(pa.string())
    facts: dict[str, Any] = {
        "grades": {name: _share(pc.sum(pc.equal(grades, name)).as_py() or 0, len(item)) for name in names_of(Grade)},
        "items": _uses(np.bincount(item)),
        "suspects": _share(ledger["suspect"], ledger["candidates"]),
    }
    if classes is not None and classes.closed and len(item):
        facts["classes"] = _skew(classes, anchor, item, pool)
    if are_boxes(*sides):
        none = np.zeros(len(sides[1]), bool)
        facts["recall"] = recall_facts(negatives, (anchor, item), sides[0], none if doubted is None else doubted)
    return {**facts, "warnings": _warnings(facts) if len(item) >= _FEW else []}


def gini(counts: IntArray) -> float:
    """How unevenly things are spread (Gini 1912): 0 where all have the same, towards 1 where one has everything.

    >>> gini(np.array([2, 2, 2])), round(gini(np.array([0, 0, 0, 8])), 2)
    (0.0, 0.75)
    """
    rising, n = np.sort(counts), len(counts)
    total = int(rising.sum())
    return float((2 * np.arange(1, n + 1) - n - 1) @ rising / (n * total)) if total else 0.0


def balance_lines(facts: Mapping[str, Any]) -> list[str]:
    """The balance in words: one line of figures, and one for each warning."""
    grades, items = facts["grades"], facts["items"]
    if not items["used"]:
        return []
    parts = [f"{grades[name]:.0%} {name.replace('_', '-')}" for name in ("hard", "semi_hard", "easy")]
    parts.append(f"the 1% most used items hold {items['top_percent']:.1%}")
    if "classes" in facts:
        parts.append(f"{facts['classes']['skew']:.0%} off the classes of random negatives")
    return [f"Balance: {', '.join(parts)}.", *(f"  {one}" for one in facts["warnings"])]


def _uses(counts: IntArray) -> dict[str, Any]:
    """How the negatives are spread over the items that serve."""
    used = np.sort(counts[counts > 0])[::-1]
    top = math.ceil(len(used) / 100)
    return {
        "used": len(used),
        "most": int(used.max(initial=0)),
        "top_percent": _share(int(used[:top].sum()), int(used.sum())),
        "gini": round(gini(used), 4),
    }


def _skew(classes: Classes, anchor: IntArray, item: IntArray, pool: BoolArray) -> dict[str, Any]:
    """How far the classes of the negatives are from those of random negatives of the same anchors.

    Random ones are of any class that the anchor does not share; several labels are a class of their own, none as well.
    """
    kinds, first, kind = np.unique(together(classes.items), return_index=True, return_inverse=True)
    labels = Ragged.from_codes(classes.items).take(first)
    with_label, mine = labels.inverted(len(classes.names)), Ragged.from_codes(classes.anchors)
    there = np.bincount(kind[pool], minlength=len(kinds))
    _, rows, many = np.unique(together(classes.anchors)[anchor], return_index=True, return_counts=True)
    chance, lost = 0.0, np.zeros(len(kinds))  # of each item to be drawn, summed over the negatives
    for row, number in zip(anchor[rows], many, strict=True):
        shared = np.unique(with_label.take(mine[int(row)]).values)
        each = number / max(1, there.sum() - there[shared].sum())
        chance += each
        lost[shared] += each
    expected: Floats = there * (chance - lost)
    expected /= max(1e-12, float(expected.sum()))
    found = np.bincount(kind[item], minlength=len(kinds)) / len(item)
    over = np.argsort(expected - found, kind="stable")[:_SHOWN]
    return {
        "skew": round(float(np.abs(found - expected).sum() / 2), 4),
        "over": [
            {
                "class": ", ".join(classes.names[label] for label in labels[int(one)]) or None,
                "share": round(float(found[one]), 4),
                "expected": round(float(expected[one]), 4),
            }
            for one in over
            if found[one] > expected[one]
        ],
    }


def _warnings(facts: Mapping[str, Any]) -> list[str]:
    """What is out of balance, and what to do about it."""
    grades, items = facts["grades"], facts["items"]
    even = math.ceil(items["used"] / 100) / items["used"]
    skewed = facts.get("classes", {"skew": 0.0})
    hidden, remedy, doubt = _OF_LABELS if "classes" in facts else _OF_PAIRS
    found = [
        (
            grades["hard"] > MOST_HARD,
            f"{grades['hard']:.0%} of the negatives are hard, nearer to their anchor than its positive is. Some may be "
            f"{hidden}, and training on the hardest alone may collapse. A mix: quotas(hard=0.3, easy=0.3).",
        ),
        (
            grades["easy"] > MOST_EASY,
            f"{grades['easy']:.0%} of the negatives are easy, so there is little to learn from them. Look for harder "
            f"ones with {remedy}, or stop mining: the model may know all this.",
        ),
        (
            items["top_percent"] > max(MOST_OF_HUBS, TIMES_EVEN * even) or items["gini"] > MOST_GINI,
            f"Few items serve often: the 1% most used hold {items['top_percent']:.0%} of the negatives, one of them "
            f"{items['most']:,} (Gini {items['gini']:.2f}). To spread them: caps(per_item=...).",
        ),
        (
            skewed["skew"] > MOST_SKEW,
            f"The classes of the negatives are far from those of random ones ({skewed['skew']:.0%} would have to be "
            f"others{_most(skewed)}). To spread them: quotas(per_class=...) or caps(per_pair=...).",
        ),
        (
            facts["suspects"] > MOST_SUSPECT,
            f"{facts['suspects']:.0%} of the candidates are suspect: {doubt}. Review some.",
        ),
    ]
    said = [words for out_of_balance, words in found if out_of_balance]
    return [*said, *(recall_warnings(facts["recall"]) if "recall" in facts else [])]


def _most(skewed: Mapping[str, Any]) -> str:
    """The class that is there too often, in words."""
    over: Sequence[Mapping[str, Any]] = skewed.get("over", ())
    if not over:
        return ""
    name = f"'{over[0]['class']}'" if over[0]["class"] else "what has no label"
    return f"; {name} makes up {over[0]['share']:.0%} instead of {over[0]['expected']:.0%}"


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
