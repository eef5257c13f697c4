"""What speaks for a candidate being an unknown positive: figures of an anchor and an item, from what is there."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.calibrate.naming import Naming
from hardneg.context import Context, Vectors
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import Similarity, pair_scores, wide_rows
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
    "near_crowd": 1,  # that to the nearest, less its nearest candidates: local density (CSLS, arXiv 1710.04087)
    "linked": 1,  # the most positives shared with an anchor that has the item, as a share of the smaller list
    "linked_share": 1,  # of the anchors that share positives with this one, how many have the item, by overlap
    "friends": 1,  # similarity to the nearest anchor that has the item
}
GROUPS = 2  # nobody else has the item; another anchor has it
LISTED = 32  # positives of an anchor that are compared with; more hardly change the nearest and the mean
_CROWD, _NEAREST = 64, 5  # candidates that local density is measured among, and how many of them are near


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
            crowd = _spread(np.where(hidden[part], -1, rows["rank"][part]))
            found = _among(self._vectors, rows.item[part], positive, crowd, hidden[part])
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
        table["linked"], table["linked_share"] = self._naming.overlap(rows, pairs, hidden)
        itself, _ = self._naming.overlap(rows, self._naming.themselves(rows), hidden)
        table["linked"] = np.fmax(table["linked"], itself)
        alike = _pairs(self._vectors, pairs.asking, pairs.asked)
        table["friends"] = pairs.highest(alike[pairs.pair], len(rows))
        return np.minimum(np.bincount(pairs.row, minlength=len(rows)), 1)


def _among(
    vectors: Vectors, items: IntArray, positive: IntArray, crowd: IntArray, hidden: BoolArray
) -> dict[str, Figures]:
    """The similarities of one anchor's items to its positives, beside those to its candidates at ``crowd``."""
    p = len(positive)
    wide = wide_rows(vectors.items, np.concatenate([positive, items]), vectors.similarity)
    known, mine = wide[:p], wide[p:]
    itself = items[:, None] == positive
    sims = _alike(mine, known, vectors.similarity)
    sims[itself] = -np.inf  # nothing is compared with itself
    many = (p - itself.sum(axis=1)).astype(np.float64)
    best, second = sims.max(axis=1), np.partition(sims, p - 2, axis=1)[:, p - 2] if p > 1 else sims[:, 0]
    out = {
        "near_max": best,
        "near_second": np.where(many > 1, second, best),
        "near_mean": np.where(itself, 0, sims).sum(axis=1) / np.maximum(many, 1),
        "near_within": best - _within(_alike(known, known, vectors.similarity), itself, hidden),
        "near_crowd": best - _crowded(mine, crowd, vectors.similarity),
        "nearest": sims.argmax(axis=1).astype(np.float64),
    }
    return {name: np.where(many > 0, values, np.nan) if name != "nearest" else values for name, values in out.items()}


def _spread(rank: NDArray[np.int32]) -> IntArray:
    """At most so many of the ranked, evenly from the first to the last."""
    order = np.argsort(rank, kind="stable")
    order = order[np.searchsorted(rank[order], 0) :]
    return order[:: -(-len(order) // _CROWD)] if len(order) else order


def _crowded(mine: Figures, crowd: IntArray, similarity: Similarity) -> Figures:
    """The mean similarity of each row to the nearest rows of a crowd, itself left out; NaN where there are few."""
    if len(crowd) <= _NEAREST:
        return np.full(len(mine), np.nan)
    sims = _alike(mine, mine[crowd], similarity)
    outside = np.ones(len(mine), bool)
    outside[crowd] = False
    sims[outside, -1] = -np.inf  # so that all are compared with as many
    sims[crowd, np.arange(len(crowd))] = -np.inf
    return np.asarray(np.partition(sims, len(crowd) - _NEAREST, axis=1)[:, -_NEAREST:].mean(axis=1))


def _within(sims: Figures, itself: BoolArray, hidden: BoolArray) -> Figures:
    """The mean similarity of the positives among themselves, without the item where it is a hidden one of them."""
    p = len(sims)
    np.fill_diagonal(sims, 0)
    total, of_each = sims.sum(), sims.sum(axis=1) + sims.sum(axis=0)
    whole = total / (p * (p - 1)) if p > 1 else np.nan
    without = (total - of_each) / ((p - 1) * (p - 2)) if p > 2 else np.full(p, np.nan)
    return np.where(hidden & itself.any(axis=1), without[itself.argmax(axis=1)], whole)


def _listed(positive: Ragged, anchor_keys: IntArray, item_keys: IntArray) -> Ragged:
    """At most ``LISTED`` positives of each anchor, drawn by their ids."""
    if int(positive.lengths().max(initial=0)) <= LISTED:
        return positive
    rows, items = positive.rows(), positive.values
    draw = random.uniform(0, anchor_keys[rows], item_keys[items])
    return positive.kept(positive.ranks(draw) < LISTED)


def _alike(left: Figures, right: Figures, similarity: Similarity) -> Figures:
    """How alike rows are that :func:`wide_rows` made.

    In float64 and then rounded to float32, so that how a product is cut up practically never shows.
    """
    products = left @ right.T
    if similarity == "euclidean":
        squares = (left * left).sum(axis=1)[:, None] + (right * right).sum(axis=1) - 2 * products
        products = -np.sqrt(np.maximum(squares, 0))
    return products.astype(np.float32).astype(np.float64)


def _pairs(vectors: Vectors, left: IntArray, right: IntArray) -> Figures:
    """The similarity of anchors with anchors."""
    return pair_scores(vectors.anchors, vectors.anchors, left, right, vectors.similarity).astype(np.float64)
