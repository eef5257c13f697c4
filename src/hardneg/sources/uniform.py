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

            def drawn(at: int, anchor: int) -> IntArray:
                def fit(items: IntArray) -> BoolArray:
                    ruled_out = positives.forbids(np.full(len(items), anchor), items) | np.isin(items, excluded[at])
                    return ~ruled_out

                return draw(self.k, anchor, fit, len(positives.items), len(excluded[at]), context.seed)

            lists = Ragged.from_lists([drawn(at, int(anchor)) for at, anchor in enumerate(anchors)])
            unranked = np.full(len(lists.values), -1)
            return ranked_rows(anchors, lists, np.zeros(len(unranked), np.float32), unranked)

        return propose


def draw(k: int, anchor: int, fit: Callable[[IntArray], BoolArray], n: int, excluded: int, seed: int) -> IntArray:
    """``k`` different items of ``n`` that ``fit``, or all of these in random order where fewer exist.

    ``excluded`` is about how many do not fit; it decides how to draw.
    """
    if n <= 4 * (k + excluded) + 64:  # few enough to shuffle them all
        order = np.argsort(random.uniform(seed, np.array(anchor), np.arange(n)), kind="stable")
        return order[fit(order)][:k].astype(np.int64)
    tries = 2 * k + 32
    while True:
        numbers = random.uniform(seed, np.array(anchor), np.arange(tries))
        drawn = (numbers * n).astype(np.int64)
        _, first = np.unique(drawn, return_index=True)
        distinct = drawn[np.sort(first)]
        fitting = distinct[fit(distinct)]
        if len(fitting) >= k:
            return fitting[:k]
        if tries > 4 * n:  # nearly everything is ruled out
            rest = np.setdiff1d(np.arange(n), fitting)
            return np.concatenate([fitting, rest[fit(rest)]])[:k]
        tries *= 2
