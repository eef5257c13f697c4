"""Search along a graph of neighbours (HNSW), by USearch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from hardneg.errors import MissingExtraError, OptionError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.search._base import Constraints, Engine, Search
from hardneg.search._blocks import Sides
from hardneg.search._overfetch import OverFetch, calibrated
from hardneg.similarity import FloatArray, Similarity

__all__ = ["Usearch"]

Precision = Literal["float32", "float16", "int8"]

_TYPES = {"float32": "f32", "float16": "f16", "int8": "i8"}
_BLOCK = 16384  # items added at a time
_LARGEST_SEARCH = 4096  # beyond, a look along the links of a graph costs more than a look at everything


@dataclass(frozen=True)
class Usearch(Engine):
    """Approximate search along a graph of neighbours, as good as ``recall`` asks.

    USearch knows no constraints that differ between anchors. So more is fetched than wanted, what may not be had is
    left out, and anchors that are short are asked again for twice as many, in the end for all. How far the search
    looks is no option: it is doubled until the recall is reached on a sample of anchors; the recall on a second sample
    stands in the run's manifest. What is found has exact scores, in exact order.

    Args:
        recall: the least share of what exact search returns, under the same constraints.
        precision: of the vectors in the index. float16 takes half the memory, int8 a quarter; both for cosine alone.
        links: neighbours of an item in the graph.
        build_threads: threads that build the graph. With one it is the same every time; with more it is built
            sooner, and the answers may differ from one time to the next.

    Source: Malkov and Yashunin, Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
    Small World graphs, 2016.
    """

    name: ClassVar[str] = "usearch"

    recall: float = 0.95
    precision: Precision = "float32"
    links: int = 16
    build_threads: int = 1

    def __post_init__(self) -> None:
        known = get_args(Precision)
        require(0 < self.recall <= 1, "recall", "in (0, 1]", self.recall)
        require(self.precision in known, "precision", f"one of {', '.join(known)}", self.precision)
        require(self.links >= 2, "links", "at least 2", self.links)
        require(self.build_threads >= 1, "build_threads", "at least 1", self.build_threads)

    def prepare(
        self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints
    ) -> Search:
        """Build the graph, and measure how far a search must look.

        Raises MissingExtraError without USearch, OptionError for a precision that does not fit the similarity or a
        graph that finds too little.

        >>> points = np.array([[0.0], [1.0], [3.0]], np.float32)
        >>> hits = Usearch().search(points[:1], points, 2, "euclidean", Constraints.none(1, 3))
        >>> hits.items[0].tolist(), hits.scores.tolist()
        ([0, 1], [-0.0, -1.0])
        """
        if self.precision != "float32" and similarity != "cosine":
            raise OptionError(
                f"The 'precision' must be float32 for {similarity}: fewer bits hold vectors of length 1 alone. "
                f"Got {self.precision}."
            )
        sides = Sides.of(anchors, items, similarity)
        rows_of = np.flatnonzero(~constraints.barred)
        index = _built(self, sides, rows_of)
        says = {"engine": "usearch", "precision": self.precision, "links": self.links}
        search = OverFetch(sides, k, constraints, rows_of, _Fetch(index), says=says)
        remedy = "Use more 'links', a 'precision' of float32, or the engine 'exact'."
        return calibrated(search, self.recall, search.first, max(search.first, _LARGEST_SEARCH), remedy)


@dataclass(frozen=True, eq=False)
class _Fetch:
    index: Any

    def __call__(self, left: FloatArray, count: int, effort: int) -> IntArray:
        self.index.expansion_search = effort
        found = self.index.search(left, count)
        keys = np.atleast_2d(np.asarray(found.keys)).astype(np.int64)
        out = np.full((len(left), count), -1, np.int64)
        out[:, : keys.shape[1]] = keys
        # Of one anchor the library answers without a list of counts.
        out[np.arange(count) >= np.reshape(getattr(found, "counts", len(found)), (-1, 1))] = -1
        return out


def _built(engine: Usearch, sides: Sides, rows_of: IntArray) -> Any:
    """The graph over these items."""
    try:
        from usearch.index import Index
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="ann") from None
    metric = {"cosine": "cos", "dot": "ip", "euclidean": "l2sq"}[sides.similarity]
    index = Index(ndim=sides.items.shape[1], metric=metric, dtype=_TYPES[engine.precision], connectivity=engine.links)
    for start in range(0, len(rows_of), _BLOCK):
        vectors = sides.right(rows_of[start : start + _BLOCK])
        index.add(np.arange(start, start + len(vectors)), vectors, threads=engine.build_threads)
    return index
