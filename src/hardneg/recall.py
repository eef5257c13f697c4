"""Whether what was sampled of a detector's mistakes may cost it recall: things that it found before and finds no more.

Warnings come where

- a category has more negatives than boxes: what it is not then outweighs what it is;
- more than half of a category's negatives are nearer to it than its boxes are on average: they look like the thing, and
  are perhaps things without a label;
- more than 5% of what was sampled is suspect as another category.

Of a category with fewer than 20 negatives nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.positives import POSITIVES
from hardneg.ragged import BoolArray, IntArray

__all__ = ["are_boxes", "recall_facts", "recall_warnings"]

PER_BOX, MOST_ALIKE, MOST_DOUBTED = 1, 0.5, 0.05
_FEW, _SHOWN = 20, 5


def recall_facts(
    negatives: pa.Table, rows: tuple[IntArray, IntArray], anchors: Collection, doubted: BoolArray
) -> dict[str, Any]:
    """What the warnings are about.

    Keys: ``crowded``, the categories with more negatives than boxes, and ``alike``, those whose negatives look like
    their boxes, the worst five of each, with their number (``categories_crowded``, ``categories_alike``); ``doubted``,
    the share of what was sampled that is suspect for another category.

    Args:
        negatives: what was sampled.
        rows: its anchors and items by number.
        anchors: the categories, with how many boxes each has.
        doubted: which items are suspect for anyone, shape ``(items,)``.
    """
    anchor, item = rows
    boxes = anchors.table.column(POSITIVES).to_numpy()
    sampled = np.bincount(anchor, minlength=len(anchors))
    hard = np.asarray(pc.equal(negatives.column("grade").cast(pa.string()), "hard").to_numpy(), bool)
    alike = np.bincount(anchor[hard], minlength=len(anchors)) / np.maximum(sampled, 1)
    ratio, enough = sampled / np.maximum(boxes, 1), sampled >= _FEW

    def worst(which: BoolArray, by: Any) -> list[dict[str, Any]]:
        first = np.flatnonzero(which)[np.argsort(-by[which], kind="stable")][:_SHOWN]
        return [
            {
                "category": anchors.ids[row].as_py(),
                "negatives": int(sampled[row]),
                "boxes": int(boxes[row]),
                "alike": round(float(alike[row]), 4),
            }
            for row in first.tolist()
        ]

    crowded, near = enough & (ratio > PER_BOX), enough & (alike > MOST_ALIKE)
    return {
        "crowded": worst(crowded, ratio),
        "categories_crowded": int(crowded.sum()),
        "alike": worst(near, alike),
        "categories_alike": int(near.sum()),
        "doubted": round(float(doubted[item].mean()), 4) if len(item) else 0.0,
    }


def recall_warnings(facts: Mapping[str, Any]) -> list[str]:
    """What may cost recall, and what to do about it."""
    out = []
    if facts["crowded"]:
        first = facts["crowded"][0]
        out.append(
            f"'{first['category']}' has {first['negatives']:,} negatives and {first['boxes']:,} boxes"
            f"{_others(facts['categories_crowded'], 'have more negatives than boxes')}: recall may suffer. "
            "Fewer: top(n=1000, per_positive=1)."
        )
    if facts["alike"]:
        first = facts["alike"][0]
        out.append(
            f"{first['alike']:.0%} of the negatives of '{first['category']}' are nearer to it than its boxes are on "
            f"average{_others(facts['categories_alike'], 'have such')}: they look like the thing, perhaps without a "
            "label, and recall may suffer. Look at them, or leave them out: margin(relative=0.05, reference=mean)."
        )
    if facts["doubted"] > MOST_DOUBTED:
        out.append(
            f"{facts['doubted']:.0%} of the negatives are suspect as another category, so exports leave them out. Look "
            "at the suspects, and label what is there."
        )
    return out


def _others(count: int, what: str) -> str:
    return f", and {count - 1} more categories {what}" if count > 1 else ""


def are_boxes(anchors: Collection, items: Collection) -> bool:
    """Whether these are a detector's mistakes, with categories for anchors."""
    return POSITIVES in anchors.table.column_names and {"box", "predicted"} <= set(items.table.column_names)
