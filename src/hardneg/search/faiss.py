"""Search in an index of FAISS, by the text that names it: Flat, HNSW32, IVF1024,Flat and many more."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from hardneg.errors import MissingExtraError, OptionError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.search._base import Constraints, Engine, Search
from hardneg.search._blocks import Sides
from hardneg.search._overfetch import OverFetch, calibrated
from hardneg.similarity import FloatArray, Similarity

__all__ = ["Faiss"]

_BLOCK = 16384  # items added at a time
_LEARN = 256  # items a cluster that an index learns from, and
_LEARN_LEAST = 65536  # the number that an index without clusters learns from
_FEW = 64  # with fewer items than this, looking at each is all there is to do
_LARGEST_SEARCH = 4096  # beyond, a look along the links of a graph costs more than a look at everything


@dataclass(frozen=True)
class Faiss(Engine):
    """Search in an index of FAISS; exact for ``Flat``, else as good as ``recall`` asks.

    FAISS knows no constraints. So more is fetched than wanted, what may not be had is left out, and anchors that are
    short are asked again for twice as many, in the end for all. How far an approximate index looks is no option: it is
    doubled until the recall is reached on a sample of anchors; the recall on a second sample stands in the run's
    manifest. What is found has exact scores, in exact order. The items are kept in memory, in the index.

    Args:
        index: what ``faiss.index_factory`` reads, such as Flat, HNSW32, ``IVF1024,Flat`` or ``IVF1024,SQ8``.
        recall: the least share of what exact search returns, under the same constraints.
        build_threads: threads that build the index. With one, an index of links is the same every time; with more it
            is built sooner, and the answers may differ from one time to the next.
    """

    name: ClassVar[str] = "faiss"

    index: str = "Flat"
    recall: float = 0.95
    build_threads: int = 1

    def __post_init__(self) -> None:
        require(0 < self.recall <= 1, "recall", "in (0, 1]", self.recall)
        require(self.build_threads >= 1, "build_threads", "at least 1", self.build_threads)

    def prepare(
        self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints
    ) -> Search:
        """Build the index, and measure how far it must look.

        Raises MissingExtraError without FAISS, OptionError for an index that it cannot make or that finds too little.

        >>> points = np.array([[0.0], [1.0], [3.0]], np.float32)
        >>> hits = Faiss("HNSW8").search(points[:1], points, 2, "euclidean", Constraints.none(1, 3))
        >>> hits.items[0].tolist(), hits.scores.tolist()
        ([0, 1], [-0.0, -1.0])
        """
        sides = Sides.of(anchors, items, similarity)
        rows_of = np.flatnonzero(~constraints.barred)
        index = _built(self, sides, rows_of)
        says = {"engine": "faiss", "index": self.index}
        fetch = _Fetch.of(index)
        search = OverFetch(sides, k, constraints, rows_of, fetch, says=says)
        if isinstance(index, _library().IndexFlat):
            return search
        remedy = "Choose a finer index, such as one with more links (HNSW64) or whole vectors (IVF1024,Flat); or Flat."
        return calibrated(search, self.recall, *fetch.efforts(search.first), remedy)


@dataclass(frozen=True, eq=False)
class _Fetch:
    """Asks an index; ``knob`` is its word for the effort, None where it has none; ``clusters`` is how many it has."""

    index: Any
    knob: str | None
    clusters: int = 0

    @classmethod
    def of(cls, index: Any) -> _Fetch:
        """Find out what can be set."""
        inverted = _library().try_extract_index_ivf(index)
        if inverted is not None:
            return cls(index, "nprobe", inverted.nlist)
        try:
            _library().ParameterSpace().set_index_parameter(index, "efSearch", 1)
        except RuntimeError:
            return cls(index, None)
        return cls(index, "efSearch")

    def efforts(self, first: int) -> tuple[int, int]:
        """The least and the most effort, where ``first`` items are fetched."""
        if self.knob == "efSearch":
            return first, max(first, _LARGEST_SEARCH)
        return 1, max(1, self.clusters)

    def __call__(self, left: FloatArray, count: int, effort: int) -> IntArray:
        if self.knob is not None:
            value = min(effort, self.clusters) if self.clusters else effort
            _library().ParameterSpace().set_index_parameter(self.index, self.knob, value)
        return np.asarray(self.index.search(left, count)[1], np.int64)


def _built(engine: Faiss, sides: Sides, rows_of: IntArray) -> Any:
    """The index over these items."""
    faiss = _library()
    metric = faiss.METRIC_L2 if sides.similarity == "euclidean" else faiss.METRIC_INNER_PRODUCT
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(engine.build_threads)
    try:
        text = engine.index if len(rows_of) >= _FEW else "Flat"
        index = faiss.index_factory(sides.items.shape[1], text, metric)
        if not index.is_trained:
            _train(index, sides, rows_of)
        for start in range(0, len(rows_of), _BLOCK):
            index.add(sides.right(rows_of[start : start + _BLOCK]))
    except RuntimeError as error:
        reason = str(error).rpartition(": ")[2].strip()
        raise OptionError(
            f"FAISS cannot make the index '{engine.index}' of {len(rows_of)} items: {reason}. The 'index' must be "
            "what faiss.index_factory reads, such as Flat, HNSW32 or IVF1024,Flat, with fewer clusters than items."
        ) from error
    finally:
        faiss.omp_set_num_threads(before)
    return index


def _train(index: Any, sides: Sides, rows_of: IntArray) -> None:
    """Let an index learn from items that are spread evenly over all."""
    inverted = _library().try_extract_index_ivf(index)
    count = _LEARN_LEAST
    if inverted is not None:
        inverted.cp.min_points_per_centroid = 1  # the recall is measured, so no word of warning is needed
        count = max(count, _LEARN * inverted.nlist)
    index.train(sides.right(rows_of[np.unique(np.linspace(0, len(rows_of) - 1, count).astype(np.int64))]))


def _library() -> ModuleType:
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="ann") from None
    return faiss
