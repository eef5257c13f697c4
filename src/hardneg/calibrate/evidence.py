"""What speaks for a candidate being an unknown positive: figures of an anchor and an item, from what is there."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.calibrate.naming import Naming
from hardneg.calibrate.nearness import NEARNESS, nearness
from hardneg.calibrate.words import WORDS, Words
from hardneg.context import Context, Vectors
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import pair_scores
from hardneg.table import Rows

__all__ = ["FEATURES", "GROUPS", "LISTED", "NAMING", "Evidence", "Found"]

Figures = NDArray[np.float64]

# The figures in order, and how the probability of being a positive may move with each: 1 up, -1 down, 0 either way.
NAMING = ("linked", "linked_share", "friends")
FEATURES: dict[str, int] = {
    "score": 1,  # similarity to the anchor
    "above_mean": 1,  # the same, less the mean of the anchor's positives
    "above_max": 1,  # less that of the best
    "above_min": 1,  # less that of the weakest
    "rank": -1,  # log(1 + raw rank)
    "near_max": 1,  # similarity to the nearest positive
    "near_second": 1,  # to the second
    "near_mean": 1,  # on average
    "near_within": 1,  # that to the nearest, less what the positives have among themselves
    "near_crowd": 1,  # that to the nearest, less that to the item's nearest candidates: local density
    "words": 1,  # words in common with the anchor
    "words_above": 1,  # the same, less the mean of the anchor's positives
    "words_near": 1,  # the most in common with a positive
    "linked": 1,  # the most positives shared with an anchor that has the item, as a share of the smaller list
    "linked_share": 1,  # of the anchors that share positives with this one, how many have the item, by overlap
    "friends": 1,  # similarity to the nearest anchor that has the item
    "second_score": 1,  # similarity to the anchor in the eyes of a second encoder
    "second_near_max": 1,  # to the nearest positive in its eyes
    "second_near_mean": 1,  # on average
}
GROUPS = 2  # nobody else has the item; another anchor has it
LISTED = 32  # positives of an anchor that are compared with; more hardly change the nearest and the mean


@dataclass(frozen=True, eq=False)
class Found:
    """Evidence of some rows: ``figures`` of shape ``(n, len(FEATURES))``, NaN where there is none.

    ``nearest`` is the item row of the nearest positive, -1 without one. ``group`` says who else has the item as a
    positive: 0 nobody, 1 another anchor.
    """

    figures: Figures
    nearest: IntArray
    group: IntArray

    @property
    def shared(self) -> BoolArray:
        """Whether another anchor that has the item shares a positive with the row's anchor."""
        return np.asarray(self.figures[:, list(FEATURES).index("linked")] > 0)


class Evidence:
    """Works out the evidence for rows of candidates and of hidden positives; prepared once.

    Args:
        context: of the mining.
        second: the vectors of a second encoder, None for no second opinion.
    """

    def __init__(self, context: Context, second: Vectors | None = None) -> None:
        self._vectors, self._second = context.vectors(None), second
        positives = context.positives
        self._keys = positives.anchors.keys, positives.items.keys
        self._positive = _listed(positives.positive, *self._keys)
        self._words = Words.of(positives)
        self._naming: Naming | None = Naming(
            positives.positive, positives.items.keys, positives.anchors.keys, positives.own
        )

    def without_naming(self) -> Evidence:
        """The same, but nothing is asked of other anchors: where hardly any two share a positive it says nothing."""
        out = copy(self)
        out._naming = None
        return out

    def knowing(self, positive: Ragged) -> Evidence:
        """The same, as if each anchor asked about had these positives only; what is said of others stays."""
        out = copy(self)
        out._positive = _listed(positive, *self._keys)
        out._naming = None if self._naming is None else self._naming.asked_by(positive)
        return out

    def of(self, rows: Rows, hidden: BoolArray | None = None, nameless: BoolArray | None = None) -> Found:
        """The evidence of rows that have ``score``, ``rank`` and ``positive_min``, ``_max`` and ``_mean``.

        Args:
            rows: sorted by anchor; all candidates of an anchor together.
            hidden: which rows are known positives taken as unknown. They are no positives of their anchor then.
            nameless: which are to be looked at as if no other anchor had the item either.
        """
        n = len(rows)
        hidden = np.zeros(n, bool) if hidden is None else hidden
        table = {name: np.full(n, np.nan) for name in FEATURES}
        score = rows["score"].astype(np.float64)
        table["score"] = score
        for name in ("mean", "max", "min"):
            table[f"above_{name}"] = score - rows[f"positive_{name}"]
        table["rank"] = np.where(rows["rank"] >= 0, np.log1p(np.maximum(rows["rank"], 0)), np.nan)
        near, nearest = nearness(self._vectors, self._positive, rows, hidden)
        table.update(zip(NEARNESS, near, strict=True))
        if self._words is not None:
            table.update(zip(WORDS, self._words.figures(self._positive, rows, hidden), strict=True))
        if self._second is not None:
            table.update(_seconded(self._second, self._positive, rows, hidden))
        group = self._linked(rows, hidden, nameless, table)
        return Found(np.stack(list(table.values()), axis=1), nearest, group)

    def _linked(self, rows: Rows, hidden: BoolArray, nameless: BoolArray | None, table: dict[str, Figures]) -> IntArray:
        """What the other anchors that have the item say, and the group that follows."""
        if self._naming is None:
            return np.zeros(len(rows), np.int64)
        pairs = self._naming.others(rows)
        if nameless is not None:
            pairs = pairs.without(nameless)
        table["linked"], table["linked_share"] = self._naming.overlap(rows, pairs, hidden)
        itself, _ = self._naming.overlap(rows, self._naming.themselves(rows), hidden)
        table["linked"] = np.fmax(table["linked"], itself)
        alike = _pairs(self._vectors, pairs.asking, pairs.asked)
        table["friends"] = pairs.highest(alike[pairs.pair], len(rows))
        return np.minimum(np.bincount(pairs.row, minlength=len(rows)), 1)


def _seconded(second: Vectors, positive: Ragged, rows: Rows, hidden: BoolArray) -> dict[str, Figures]:
    """What the vectors of a second encoder say of rows."""
    unranked = Rows(rows.anchor, rows.item, {"rank": np.full(len(rows), -1, np.int32)})  # nobody asks for its crowd
    near = dict(zip(NEARNESS, nearness(second, positive, unranked, hidden)[0], strict=True))
    score = second.pairs(rows.anchor, rows.item).astype(np.float64)
    return {"second_score": score, "second_near_max": near["near_max"], "second_near_mean": near["near_mean"]}


def _listed(positive: Ragged, anchor_keys: IntArray, item_keys: IntArray) -> Ragged:
    """At most ``LISTED`` positives of each anchor, drawn by their ids."""
    if int(positive.lengths().max(initial=0)) <= LISTED:
        return positive
    rows, items = positive.rows(), positive.values
    draw = random.uniform(0, anchor_keys[rows], item_keys[items])
    return positive.where(positive.ranks(draw) < LISTED)


def _pairs(vectors: Vectors, left: IntArray, right: IntArray) -> Figures:
    """The similarity of anchors with anchors."""
    return pair_scores(vectors.anchors, vectors.anchors, left, right, vectors.similarity).astype(np.float64)
