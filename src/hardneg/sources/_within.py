"""The best admissible items of each anchor within its cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hardneg.context import Vectors
from hardneg.positives import Positives
from hardneg.ragged import IntArray, Ragged, places
from hardneg.search import Constraints, Exact, Unlike
from hardneg.similarity import FloatArray
from hardneg.sources._base import ranked_rows
from hardneg.table import Rows

__all__ = ["Within"]

_SEARCHED = 50_000  # from so many pairs of a cluster on, a search is quicker than to compare each
_AT_ONCE = 2_000_000  # pairs compared at a time
_AHEAD = 3_000_000  # candidates found at a time, where others are asked for later: the work of a cluster is shared


@dataclass(frozen=True, eq=False)
class Within:
    """For each anchor the ``k`` most similar of ``members[place[anchor]]`` that it may have; of -1 nothing."""

    vectors: Vectors
    positives: Positives
    place: IntArray
    members: Ragged
    k: int

    def __call__(self, anchors: IntArray) -> Rows:
        """Candidates of anchors, which rise; by anchor, most similar first, with the place as rank."""
        mine = self.place[anchors]
        anchors, mine = anchors[mine >= 0], mine[mine >= 0]
        clusters, number = np.unique(mine, return_counts=True)
        large = clusters[number * self.members.lengths()[clusters] > _SEARCHED]
        parts = [self._searched(anchors[mine == one], self.members[one]) for one in large.tolist()]
        small = ~np.isin(mine, large)
        parts += [self._compared(some) for some in self._cut(anchors[small], mine[small])]
        rows = Rows.concatenated([self._rows(np.zeros(0, np.int64), Ragged.empty(0), np.zeros(0, np.float32)), *parts])
        return rows.take(np.argsort(rows.anchor, kind="stable"))

    def ahead(self, anchors: IntArray) -> Callable[[IntArray], Rows]:
        """The same for any of these anchors, which are asked for in their order: some are found before they are."""
        asked, rows = np.zeros(0, np.int64), self(anchors[:0])
        together = max(1, _AHEAD // self.k)

        def propose(some: IntArray) -> Rows:
            nonlocal asked, rows
            if not np.isin(some, asked).all():
                start = int(np.searchsorted(anchors, some[0]))
                more = anchors[start : start + max(together, len(some))]
                asked = more if np.isin(some, more).all() else some
                rows = self(asked)
            return rows.take(np.isin(rows.anchor, some))

        return propose

    def _cut(self, anchors: IntArray, mine: IntArray) -> Iterator[IntArray]:
        """Anchors by cluster, so that vectors on disk are read together, in stretches of not too many pairs."""
        order = np.argsort(mine, kind="stable")
        pairs = np.cumsum(self.members.lengths()[mine[order]])
        for one in np.split(order, np.flatnonzero(np.diff(pairs // _AT_ONCE)) + 1):
            yield np.sort(anchors[one])

    def _compared(self, anchors: IntArray) -> Rows:
        """Each anchor with each member of its cluster."""
        pairs = self.members.take(self.place[anchors])
        at, items = pairs.rows(), pairs.values
        fit = ~(self.positives.forbids(anchors[at], items) | self.positives.excluded(anchors).contains(at, items))
        at, items = at[fit], items[fit]
        scores = self.vectors.pairs(anchors[at], items)
        order = np.lexsort((items, -scores, at))
        best = order[places(np.bincount(at, minlength=len(anchors))) < self.k]
        lists = Ragged.from_lengths(np.bincount(at[best], minlength=len(anchors)), items[best])
        return self._rows(anchors, lists, scores[best])

    def _searched(self, anchors: IntArray, members: IntArray) -> Rows:
        """The anchors of one cluster, all at once."""
        positives, classes, vectors = self.positives, self.positives.classes, self.vectors
        excluded = positives.excluded(anchors)
        local = np.minimum(np.searchsorted(members, excluded.values), len(members) - 1)
        inside = members[local] == excluded.values
        rules = Constraints(
            Ragged.from_pairs(excluded.rows()[inside], local[inside], len(anchors)),
            positives.barred[members],
            () if classes is None else (Unlike(classes.anchors.take(anchors), classes.items.take(members)),),
        )
        hits = Exact().search(vectors.anchors[anchors], vectors.items[members], self.k, vectors.similarity, rules)
        return self._rows(anchors, Ragged(hits.items.offsets, members[hits.items.values]), hits.scores)

    @staticmethod
    def _rows(anchors: IntArray, lists: Ragged, scores: FloatArray) -> Rows:
        rows = ranked_rows(anchors, lists, scores, places(lists.lengths()))
        return rows.having(score=rows["source_score"])
