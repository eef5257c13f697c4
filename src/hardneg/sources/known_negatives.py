"""Judged negatives: items that somebody has said are not relevant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg.context import Context
from hardneg.ragged import IntArray, Ragged
from hardneg.sources._base import Source, ranked_rows
from hardneg.table import Rows

__all__ = ["KnownNegatives"]


@dataclass(frozen=True)
class KnownNegatives(Source):
    """The items judged non-relevant for each anchor, hardest first; unranked. No filter can suspect one."""

    name: ClassVar[str] = "known_negatives"

    def prepare(self, context: Context) -> Callable[[IntArray], Rows]:
        """Read them off the relations."""
        positives, primary = context.positives, context.vectors(None)

        def propose(anchors: IntArray) -> Rows:
            known = positives.negative.take(anchors)
            at, items = known.rows(), known.values
            fit = ~positives.barred[items] & ~positives.excluded(anchors).contains(at, items)
            at, items = at[fit], items[fit]
            scores = primary.pairs(anchors[at], items)
            order = np.lexsort((items, -scores, at))
            lists = Ragged.from_lengths(np.bincount(at, minlength=len(anchors)), items[order])
            return ranked_rows(anchors, lists, scores[order], np.full(len(at), -1))

        return propose
