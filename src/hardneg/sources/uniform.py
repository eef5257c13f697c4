"""Random items: the easy negatives, and the baseline that every miner must beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hardneg import random
from hardneg.context import Context
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.sources._base import Source, ranked_rows
from hardneg.table import Rows

__all__ = ["Uniform"]


@dataclass(frozen=True)
class Uniform(Source):
    """``k`` admissible items drawn without replacement, each as likely as any other. They have no rank.

    Args:
        k: how many candidates an anchor gets.
    """

    name: ClassVar[str] = "uniform"

    k: int = field(default=10, metadata={"always": True})

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)

    def prepare(self, context: Context) -> Callable[[IntArray], Rows]:
        """Draw by counter, so an anchor's items do not depend on the other anchors."""
        positives = context.positives

        def propose(anchors: IntArray) -> Rows:
            excluded = positives.excluded(anchors)
            lists = Ragged.from_lists(
                [
                    draw(self.k, int(anchor), excluded[at], positives.barred, context.seed)
                    for at, anchor in enumerate(anchors)
                ]
            )
            unranked = np.full(len(lists.values), -1)
            return ranked_rows(anchors, lists, np.zeros(len(unranked), np.float32), unranked)

        return propose


def draw(k: int, anchor: int, excluded: IntArray, barred: BoolArray, seed: int) -> IntArray:
    """``k`` different items, or all admissible ones in random order where fewer exist."""
    n = len(barred)
    if n <= 4 * (k + len(excluded)) + 64:  # few enough to shuffle them all
        order = np.argsort(random.uniform(seed, np.array(anchor), np.arange(n)), kind="stable")
        return order[~barred[order] & ~np.isin(order, excluded)][:k].astype(np.int64)
    tries = 2 * k + 32
    while True:
        numbers = random.uniform(seed, np.array(anchor), np.arange(tries))
        drawn = (numbers * n).astype(np.int64)
        _, first = np.unique(drawn, return_index=True)
        distinct = drawn[np.sort(first)]
        fit = distinct[~barred[distinct] & ~np.isin(distinct, excluded)]
        if len(fit) >= k:
            return fit[:k]
        if tries > 4 * n:  # nearly everything is barred
            rest = np.setdiff1d(np.flatnonzero(~barred), np.concatenate([excluded, fit]))
            return np.concatenate([fit, rest])[:k]
        tries *= 2
