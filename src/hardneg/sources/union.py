"""Several sources together, each candidate once, ordered by rank fusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg.context import Context, Vectors
from hardneg.errors import OptionError
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.sources._base import Source
from hardneg.table import Rows, distinct

__all__ = ["Union"]


@dataclass(frozen=True)
class Union(Source):
    """Candidates of any of the sources; provenance is kept, ranks are fused (reciprocal rank, Cormack 2009).

    A candidate's fused score is the sum of ``1 / (constant + rank + 1)`` over the sources that rank it; it orders the
    rows. Its rank is the best of its raw ranks, and ``rank_<source>`` holds each of them; -1 where there is none.

    Args:
        sources: at least two sources of different names.
        constant: the larger, the less a first place counts; 60 in the paper.
    """

    name: ClassVar[str] = "union"

    sources: tuple[Source, ...] = ()
    constant: float = 60.0

    def __post_init__(self) -> None:
        require(len(self.sources) >= 2, "sources", "at least two sources", len(self.sources))
        require(self.constant >= 0, "constant", "at least 0", self.constant)
        if len(set(self.names)) < len(self.names):
            raise OptionError(f"A union needs sources of different names. Got {', '.join(self.names)}.")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its sources."""
        return tuple(source.name for source in self.sources)

    def own_vectors(self, context_vectors: Callable[[], Vectors]) -> Vectors | None:
        """The vectors of the first source that brings some."""
        found = (source.own_vectors(context_vectors) for source in self.sources)
        return next((vectors for vectors in found if vectors is not None), None)

    def prepare(self, context: Context) -> Callable[[IntArray], Rows]:
        """Prepare every source."""
        proposals = [(source.name, source.prepare(context)) for source in self.sources]

        def propose(anchors: IntArray) -> Rows:
            return fuse([(name, one(anchors)) for name, one in proposals], self.constant)

        return propose


def fuse(parts: list[tuple[str, Rows]], constant: float) -> Rows:
    """Join candidate lists: one row for each pair of anchor and item."""
    anchor = np.concatenate([rows.anchor for _, rows in parts])
    item = np.concatenate([rows.item for _, rows in parts])
    anchors, at = distinct(anchor)
    width = int(item.max(initial=0)) + 1
    pairs, where = np.unique(at * width + item, return_inverse=True)  # one number sorts ten times as fast as two
    anchor, item = anchors[pairs // width], pairs % width
    sums = np.zeros(len(pairs))
    bits = np.zeros(len(pairs), np.uint32)
    best = np.full(len(pairs), -1, np.int32)
    columns = {}
    start = 0
    for index, (name, rows) in enumerate(parts):
        here = where[start : start + len(rows)]
        start += len(rows)
        sums[here] += np.where(rows["rank"] < 0, 0, 1.0 / (constant + np.maximum(rows["rank"], 0) + 1))
        bits[here] |= np.uint32(1 << index)
        ranks = np.full(len(pairs), -1, np.int32)
        ranks[here] = rows["rank"]
        columns[f"rank_{name}"] = ranks
        best = np.where((ranks >= 0) & ((best < 0) | (ranks < best)), ranks, best)
    fused = sums.astype(np.float32)  # what is shown decides, so that equal sums tie whatever order they were added in
    order = np.lexsort((item, -fused, anchor))
    rows = Rows(anchor, item, {"source_score": fused, "rank": best, "source": bits, **columns})
    return rows.take(order)
