"""What a rescorer is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from hardneg.encode._base import LazyStep
from hardneg.encode._resume import Progress
from hardneg.encode.scores import Pair, PairScoreCache, score_each
from hardneg.similarity import FloatArray

__all__ = ["Rescorer"]


class Rescorer(LazyStep):
    """Scores pairs of texts, (anchor, item); higher means that the item answers the anchor better."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """A hash of all that decides a score. Empty: never cache."""

    @abstractmethod
    def score(self, pairs: Sequence[Pair]) -> FloatArray:
        """Scores of shape ``(len(pairs),)``, float32, in the order of the pairs."""

    @property
    def chunk(self) -> int:
        """How many pairs to score in one call."""
        return 2048

    def score_all(
        self, pairs: Sequence[Pair], cache: PairScoreCache | None = None, progress: Progress | None = None
    ) -> FloatArray:
        """Like ``score``, for many pairs: each different one once, kept in the cache while going.

        ``progress(done, total)`` counts different pairs. Raises InputError for a score that is not finite.
        """
        if cache is None:
            return score_each(pairs, self.score, self.chunk, progress)
        return cache.scores(self.identity, pairs, self.score, self.chunk, progress)
