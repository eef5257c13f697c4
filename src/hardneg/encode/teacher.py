"""A second opinion from vectors: the cosine that another encoder gives a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hardneg.encode._base import Encoder
from hardneg.encode._identity import fingerprint
from hardneg.encode._keys import distinct, rows_of, text_keys
from hardneg.encode._rescorer import Rescorer
from hardneg.encode._resume import Progress
from hardneg.encode.cache import EmbeddingCache
from hardneg.encode.encoding import encode_texts
from hardneg.encode.registry import make_encoder
from hardneg.encode.scores import Pair, PairScoreCache
from hardneg.similarity import FloatArray, pair_scores

__all__ = ["Teacher"]


@dataclass(frozen=True)
class Teacher(Rescorer):
    """Scores a pair by the cosine of its texts' vectors; each different text is encoded once.

    ``encoder`` is any encoder or its text. With a ``cache`` its vectors are kept, so a stopped run goes on.

    >>> teacher = Teacher("wordllama(dim=64)")
    >>> str(teacher)
    'teacher(encoder=wordllama(dim=64))'
    >>> scores = teacher.score([("a red fox", "the fox is red"), ("a red fox", "tax law")])
    >>> bool(scores[0] > scores[1])
    True
    """

    name: ClassVar[str] = "teacher"
    encoder: str | Encoder
    cache: EmbeddingCache | None = field(default=None, compare=False, metadata={"data": True})

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoder", make_encoder(self.encoder))

    @property
    def identity(self) -> str:
        """A hash of the encoder's identity; empty where the encoder has none."""
        inner = make_encoder(self.encoder).identity
        return fingerprint("teacher", inner) if inner else ""

    def score(self, pairs: Sequence[Pair]) -> FloatArray:
        """Cosines of shape ``(len(pairs),)``, float32; 0 where a vector has no length."""
        return self.score_all(pairs)

    def score_all(
        self,
        pairs: Sequence[Pair],
        cache: PairScoreCache | None = None,  # noqa: ARG002 - vectors are what is worth keeping here
        progress: Progress | None = None,
    ) -> FloatArray:
        """Like ``score``. ``progress(done, total)`` counts the anchors' texts, then those of the items."""
        if not len(pairs):
            return np.zeros(0, np.float32)
        anchors, items = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        encoder = make_encoder(self.encoder)
        left_first, left = distinct(text_keys(anchors))
        right_first, right = distinct(text_keys(items))
        left_vectors = encode_texts(encoder, rows_of(anchors, left_first), "anchor", self.cache, progress)
        right_vectors = encode_texts(encoder, rows_of(items, right_first), "item", self.cache, progress)
        return pair_scores(left_vectors, right_vectors, left, right, "cosine")
