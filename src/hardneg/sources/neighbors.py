"""Nearest neighbours of the anchors among the items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from hardneg.context import Context, Vectors
from hardneg.errors import OptionError
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.search import Constraints, Exact
from hardneg.similarity import FloatArray, Similarity
from hardneg.sources._base import Source, ranked_rows
from hardneg.table import Rows

__all__ = ["Neighbors"]


@dataclass(frozen=True)
class Neighbors(Source):
    """The ``k`` items most similar to each anchor, exactly.

    Args:
        anchors: vectors of shape ``(n, d)``, one for each anchor in order; without them the run's encoder is asked.
        items: vectors of shape ``(m, d)``, one for each item in order.
        k: how many candidates an anchor gets; all admissible ones where fewer exist.
        similarity: cosine, dot or euclidean.
        encoder: another encoder than the run's, as text; its vectors search, the run's still score.
    """

    name: ClassVar[str] = "neighbors"

    anchors: FloatArray | None = field(default=None, compare=False, repr=False, metadata={"data": True})
    items: FloatArray | None = field(default=None, compare=False, repr=False, metadata={"data": True})
    k: int = field(default=100, metadata={"always": True})
    similarity: Similarity = "cosine"
    encoder: str | None = None

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)
        if (self.anchors is None) != (self.items is None):
            raise OptionError("neighbors needs both 'anchors' and 'items', or neither.")
        require(
            self.anchors is None or self.encoder is None, "encoder", "left out where vectors are given", self.encoder
        )

    def own_vectors(self, context_vectors: Callable[[], Vectors]) -> Vectors | None:
        """The vectors given in Python; else the run's, compared in this source's way."""
        if self.encoder is not None:
            return None
        if self.anchors is not None and self.items is not None:
            return Vectors(self.anchors, self.items, self.similarity)
        shared = context_vectors()
        return Vectors(shared.anchors, shared.items, self.similarity)

    def prepare(self, context: Context) -> Callable[[IntArray], Rows]:
        """Search block by block; nothing to build."""
        found = context.vectors(self.encoder)
        positives, engine = context.positives, Exact()

        def propose(anchors: IntArray) -> Rows:
            constraints = Constraints(positives.excluded(anchors), positives.barred)
            hits = engine.search(found.anchors[anchors], found.items, self.k, self.similarity, constraints)
            rows = ranked_rows(anchors, hits.items, hits.scores, hits.ranks.astype("int64"))
            # Under the run's own vectors this is the primary score already, to the last bit.
            return rows.having(score=rows["source_score"]) if found is context.primary else rows

        return propose
