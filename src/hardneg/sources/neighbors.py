"""Nearest neighbours of the anchors among the items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from hardneg.context import Context, Vectors, clear_of, reference_scores
from hardneg.errors import OptionError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray, Ragged
from hardneg.search import ENGINES, Auto, Constraints, Engine, Hits, Search, Unlike
from hardneg.similarity import FloatArray, Similarity
from hardneg.sources._base import Source, ranked_rows
from hardneg.sources._codes import unlike
from hardneg.table import Rows

__all__ = ["Neighbors"]

_AUTO = Auto()


@dataclass(frozen=True)
class Neighbors(Source):
    """The ``k`` items most similar to each anchor. What may not be had is ruled out while searching.

    Args:
        anchors: vectors of shape ``(n, d)``, one for each anchor in order; without them the run's encoder is asked.
        items: vectors of shape ``(m, d)``, one for each item in order.
        k: how many candidates an anchor gets; all admissible ones where fewer exist.
        similarity: cosine, dot or euclidean.
        encoder: another encoder than the run's, as text; its vectors search, the run's still score.
        engine: what searches: auto, exact, approximate, torch, faiss or usearch, with options where they are wanted,
            as in ``auto(recall=0.98)``.
        unlike: columns that anchors and items have (a label, a group); who shares a value in one is no candidate.
        relative: pass over items within this relative margin of the reference positive, as the margin filter would,
            so that ``k`` clear candidates come wherever so many exist. They are not in the ledger then.
        reference: which of the anchor's positives that margin looks at: min, max or mean.
        skip: pass over this many of the first ranks.
    """

    name: ClassVar[str] = "neighbors"

    anchors: Matrix | None = field(default=None, compare=False, repr=False, metadata={"data": True})
    items: Matrix | None = field(default=None, compare=False, repr=False, metadata={"data": True})
    k: int = field(default=100, metadata={"always": True})
    similarity: Similarity = "cosine"
    encoder: str | None = None
    engine: str | Engine = _AUTO
    unlike: tuple[str, ...] | str = ()
    relative: float | None = None
    reference: Literal["min", "max", "mean"] = "min"
    skip: int = 0

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)
        require(self.skip >= 0, "skip", "at least 0", self.skip)
        require(self.relative is None or 0 <= self.relative < 1, "relative", "in [0, 1)", self.relative)
        if (self.anchors is None) != (self.items is None):
            raise OptionError("neighbors needs both 'anchors' and 'items', or neither.")
        require(
            self.anchors is None or self.encoder is None, "encoder", "left out where vectors are given", self.encoder
        )
        object.__setattr__(self, "engine", ENGINES.make(self.engine))  # text and value are one
        names = (self.unlike,) if isinstance(self.unlike, str) else tuple(self.unlike)
        object.__setattr__(self, "unlike", names)

    def own_vectors(self, context_vectors: Callable[[], Vectors]) -> Vectors | None:
        """The vectors given in Python; else the run's, compared in this source's way."""
        if self.encoder is not None:
            return None
        if self.anchors is not None and self.items is not None:
            return Vectors(self.anchors, self.items, self.similarity)
        shared = context_vectors()
        return Vectors(shared.anchors, shared.items, self.similarity)

    def prepare(self, context: Context) -> Callable[[IntArray], Rows]:
        """Make the search ready."""
        found = context.vectors(self.encoder)
        engine = ENGINES.make(self.engine)
        active = np.arange(len(found.anchors)) if context.active is None else context.active
        if told := self.explain(len(active), found.items.shape):
            context.progress.say(told)
        constraints = self._constraints(context, found)
        search = engine.prepare(found.anchors, found.items, self.k, self.similarity, constraints)
        context.notes.setdefault("search", {})[str(self)] = dict(search.about)
        if "recall" in search.about:
            context.progress.say(_told(search.about))
        ahead = _Ahead(search, active)

        def propose(anchors: IntArray) -> Rows:
            hits = ahead(anchors)
            rows = ranked_rows(anchors, hits.items, hits.scores, hits.ranks.astype("int64"))
            # Under the run's own vectors this is the primary score already, to the last bit.
            return rows.having(score=rows["source_score"]) if found is context.primary else rows

        return propose

    def explain(self, anchors: int, items: tuple[int, ...]) -> str:
        """What will search and why, and how long it takes about; empty where the user has named the engine."""
        return self.engine.explain(anchors, items) if isinstance(self.engine, Auto) else ""

    def _constraints(self, context: Context, vectors: Vectors) -> Constraints:
        positives, classes = context.positives, context.positives.classes
        of_class = () if classes is None else (Unlike(classes.anchors, classes.items),)
        return Constraints(
            positives.excluded(np.arange(len(positives.anchors))),
            positives.barred,
            (*of_class, *(unlike(positives.anchors, positives.items, name) for name in self.unlike)),
            ceiling=self._ceiling(positives.positive, vectors),
            skip=self.skip,
        )

    def _ceiling(self, positive: Ragged, vectors: Vectors) -> FloatArray | None:
        """The highest clear score of each anchor, under the similarity that searches; infinity without a positive."""
        if self.relative is None:
            return None
        highest = clear_of(reference_scores(positive, vectors.pairs)[self.reference], self.relative)
        return np.where(np.isnan(highest), np.float32(np.inf), highest)


def _told(about: Mapping[str, Any]) -> str:
    low, high = about["recall_interval"]
    return (
        f"The recall is {about['recall']:.1%} ({low:.1%} to {high:.1%}), measured against exact search for "
        f"{about['recall_anchors']:,} anchors."
    )


class _Ahead:
    """Asks for as many anchors at a time as a search likes to be asked for, and hands them out part by part."""

    def __init__(self, search: Search, anchors: IntArray) -> None:
        self._search, self._anchors = search, anchors
        self._rows = np.zeros(0, np.int64)
        self._hits = Hits(Ragged.empty(0), np.zeros(0, np.float32), np.zeros(0, np.int32))

    def __call__(self, anchors: IntArray) -> Hits:
        if not np.isin(anchors, self._rows).all():
            start = int(np.searchsorted(self._anchors, anchors[0]))
            more = self._anchors[start : start + max(len(anchors), self._search.together)]
            self._rows = more if np.array_equal(more[: len(anchors)], anchors) else anchors
            self._hits = self._search(self._rows)
        return self._hits.take(np.searchsorted(self._rows, anchors))
