"""What speaks for a candidate being an unknown positive: figures of an anchor and an item, from what is there."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.calibrate.naming import Naming
from hardneg.context import Context, Vectors
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import Matrix, pair_scores, wide_rows
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
    "share": 1,  # of the positives, how many are among its ten nearest of the anchor's candidates and positives
    "linked": 1,  # the most positives shared with an anchor that has the item, as a share of the smaller list
    "linked_share": 1,  # of the anchors that share positives with this one, how many have the item, by overlap
    "friends": 1,  # similarity to the nearest anchor that has the item
}
_NEAREST = 10
GROUPS = 2  # nobody else has the item; another anchor has it
LISTED = 32  # positives of an anchor that are compared with; more hardly change the nearest and the mean
_LARGEST = 512  # candidates among which neighbours are sought


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
    """Works out the evidence for rows of candidates and of hidden positives; prepared once."""

    def __init__(self, context: Context) -> None:
        self._vectors = context.vectors(None)
        positives = context.positives
        self._positive = _listed(positives.positive, positives.anchors.keys, positives.items.keys)
        self._naming: Naming | None = Naming(
            positives.positive, positives.items.keys, positives.anchors.keys, positives.own
        )

    def without_naming(self) -> Evidence:
        """The same, but nothing is asked of other anchors: where hardly any two share a positive it says nothing."""
        out = copy(self)
        out._naming = None
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
        nearest = self._near(rows, hidden, table)
        group = self._linked(rows, hidden, nameless, table)
        return Found(np.stack(list(table.values()), axis=1), nearest, group)

    def _near(self, rows: Rows, hidden: BoolArray, table: dict[str, Figures]) -> IntArray:
        """How near the positives are to each item, one anchor after the other."""
        nearest = np.full(len(rows), -1, np.int64)
        starts: list[int] = np.flatnonzero(np.append(True, rows.anchor[1:] != rows.anchor[:-1]))[: len(rows)].tolist()
        for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
            anchor, part = int(rows.anchor[start]), slice(start, stop)
            positive = self._positive[anchor]
            if len(positive) == 0:
                continue
            ranked = np.flatnonzero(~hidden[part] & (rows["rank"][part] >= 0))[:_LARGEST]
            found = _among(self._vectors, rows.item[part], positive, ranked, hidden[part])
            for name, values in found.items():
                if name != "nearest":
                    table[name][part] = values
            nearest[part] = np.where(np.isnan(found["near_max"]), -1, positive[found["nearest"].astype(np.int64)])
        return nearest

    def _linked(self, rows: Rows, hidden: BoolArray, nameless: BoolArray | None, table: dict[str, Figures]) -> IntArray:
        """What the other anchors that have the item say, and the group that follows."""
        if self._naming is None:
            return np.zeros(len(rows), np.int64)
        pairs = self._naming.others(rows)
        if nameless is not None:
            pairs = pairs.without(nameless)
        row, anchor = pairs.row, pairs.anchor
        table["linked"], table["linked_share"] = self._naming.overlap(rows, pairs, hidden)
        itself, _ = self._naming.overlap(rows, self._naming.themselves(rows), hidden)
        table["linked"] = np.fmax(table["linked"], itself)
        alike = _pairs(self._vectors, rows.anchor[row], anchor)
        table["friends"] = pairs.highest(alike, len(rows))
        return np.minimum(np.bincount(row, minlength=len(rows)), 1)


def _among(
    vectors: Vectors, items: IntArray, positive: IntArray, ranked: IntArray, hidden: BoolArray
) -> dict[str, Figures]:
    """The similarities of one anchor's items to its positives, and what is nearest to each."""
    together = np.concatenate([positive, items[ranked]])
    sims = _comparer(vectors, vectors.items, together)(items)
    sims[items[:, None] == together] = -np.inf  # nothing is compared with itself
    p = len(positive)
    mine, many = sims[:, :p], (p - (items[:, None] == positive).sum(axis=1)).astype(np.float64)
    some = many > 0
    ordered = -np.sort(-mine, axis=1)[:, :2]
    best, second = ordered[:, 0], ordered[:, min(1, p - 1)]
    mean = np.where(np.isfinite(mine), mine, 0).sum(axis=1) / np.maximum(many, 1)
    out = {
        "near_max": best,
        "near_second": np.where(many > 1, second, best),
        "near_mean": mean,
        "near_within": best - _within(vectors, items, positive, hidden),
        "share": _share(sims, p) / np.maximum(np.minimum(many, _NEAREST), 1),
        "nearest": mine.argmax(axis=1).astype(np.float64),
    }
    return {name: np.where(some, values, np.nan) if name != "nearest" else values for name, values in out.items()}


def _share(sims: Figures, positives: int) -> Figures:
    """How many of the ten nearest are positives; NaN where nearly all there are would be."""
    k = min(_NEAREST, sims.shape[1])
    if sims.shape[1] - positives < _NEAREST:  # with fewer candidates than that every positive would be near
        return np.full(len(sims), np.nan)
    least = -np.partition(-sims, k - 1, axis=1)[:, k - 1]
    return np.asarray((sims[:, :positives] >= least[:, None]).sum(axis=1), np.float64)


def _within(vectors: Vectors, items: IntArray, positive: IntArray, hidden: BoolArray) -> Figures:
    """The mean similarity of the positives among themselves, without the item where it is a hidden one of them."""
    p = len(positive)
    sims = _comparer(vectors, vectors.items, positive)(positive)
    np.fill_diagonal(sims, 0)
    total, of_each = sims.sum(), sims.sum(axis=1) + sims.sum(axis=0)
    out = np.full(len(items), total / (p * (p - 1)) if p > 1 else np.nan)
    place = np.searchsorted(positive, items)
    its_own = hidden & (positive[np.minimum(place, p - 1)] == items)
    if p > 2:
        out[its_own] = (total - of_each[place[its_own]]) / ((p - 1) * (p - 2))
    else:
        out[its_own] = np.nan
    return out


def _listed(positive: Ragged, anchor_keys: IntArray, item_keys: IntArray) -> Ragged:
    """At most ``LISTED`` positives of each anchor, drawn by their ids."""
    if int(positive.lengths().max(initial=0)) <= LISTED:
        return positive
    rows, items = positive.rows(), positive.values
    draw = random.uniform(0, anchor_keys[rows], item_keys[items])
    return positive.kept(positive.ranks(draw) < LISTED)


def _comparer(vectors: Vectors, side: Matrix, rows: IntArray) -> Callable[[IntArray], Figures]:
    """Compares items with these rows of one side.

    In float64 and then rounded to float32, so that how a product is cut up practically never shows.
    """
    fixed = wide_rows(side, rows, vectors.similarity)

    def compare(items: IntArray) -> Figures:
        mine = wide_rows(vectors.items, items, vectors.similarity)
        products = mine @ fixed.T
        if vectors.similarity == "euclidean":
            squares = (mine * mine).sum(axis=1)[:, None] + (fixed * fixed).sum(axis=1) - 2 * products
            products = -np.sqrt(np.maximum(squares, 0))
        return products.astype(np.float32).astype(np.float64)

    return compare


def _pairs(vectors: Vectors, left: IntArray, right: IntArray) -> Figures:
    """The similarity of anchors with anchors."""
    return pair_scores(vectors.anchors, vectors.anchors, left, right, vectors.similarity).astype(np.float64)
