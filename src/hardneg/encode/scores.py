"""Scores of pairs of texts, kept between runs: what a cross-encoder said once it need not say again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._identity import fingerprint
from hardneg.encode._keys import Keys, as_keys, digest, distinct
from hardneg.encode._resume import Progress, computed
from hardneg.encode._shards import Shards
from hardneg.encode.cache import default_cache_dir
from hardneg.errors import InputError
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Compute", "Pair", "PairScoreCache", "score_each"]

Pair = tuple[str, str]
Compute = Callable[[list[Pair]], NDArray[np.generic]]


@dataclass(frozen=True)
class PairScoreCache:
    """Scores by the scorer's identity, the anchor's text and the item's text. Never out of date, like vectors.

    >>> import tempfile
    >>> cache = PairScoreCache(Path(tempfile.mkdtemp()))
    >>> cache.scores("judge 1", [("a", "b"), ("a", "ccc")], lambda pairs: np.array([len(b) for _, b in pairs])).tolist()
    [1.0, 3.0]
    >>> cache.scores("judge 1", [("a", "ccc")], lambda pairs: 1 / 0).tolist()
    [3.0]
    """

    folder: Path

    @classmethod
    def default(cls) -> PairScoreCache:
        """The cache in ``default_cache_dir()``."""
        return cls(default_cache_dir() / "scores")

    def scores(
        self,
        identity: str,
        pairs: Sequence[Pair],
        compute: Compute,
        chunk: int = 2048,
        progress: Progress | None = None,
    ) -> FloatArray:
        """Scores of shape ``(len(pairs),)``, float32. Only pairs never scored before reach ``compute``.

        They reach it ``chunk`` at a time, whatever anchors they belong to, and are kept while going. An empty
        ``identity`` keeps nothing.

        Raises InputError where ``compute`` does not give one finite number for each pair.
        """
        shards = Shards(Path(self.folder) / fingerprint("scores", identity)) if identity else None
        return score_each(pairs, compute, chunk, progress, shards)


def score_each(
    pairs: Sequence[Pair],
    compute: Compute,
    chunk: int = 2048,
    progress: Progress | None = None,
    shards: Shards | None = None,
) -> FloatArray:
    """Score every different pair once, ``chunk`` at a time; shape ``(len(pairs),)``, float32."""
    if not len(pairs):
        return np.zeros(0, np.float32)
    keys = _pair_keys(pairs)
    first, number = distinct(keys)

    def missing(rows: IntArray) -> FloatArray:
        return _column(compute, [pairs[row] for row in first[rows].tolist()])

    scores: FloatArray = computed(keys[first], shards, missing, max(1, chunk), progress)[number][:, 0]
    return scores


def _pair_keys(pairs: Sequence[Pair]) -> Keys:
    """The key of each pair, shape ``(n, 2)``, from the digests of its two texts. Each text is hashed once."""
    known: dict[str, bytes] = {}

    def of(text: str) -> bytes:
        if text not in known:
            known[text] = digest(text)
        return known[text]

    return as_keys(blake2b(of(anchor) + of(item), digest_size=16).digest() for anchor, item in pairs)


def _column(compute: Compute, pairs: list[Pair]) -> FloatArray:
    """What ``compute`` gives as float32 of shape ``(len(pairs), 1)``, or an error that names the first pair."""
    scores = np.asarray(compute(pairs), np.float32)
    if scores.shape not in ((len(pairs),), (len(pairs), 1)):
        raise InputError(f"A scorer must give one number for each of {len(pairs)} pairs. Got shape {scores.shape}.")
    scores = scores.reshape(-1, 1)
    bad = np.flatnonzero(~np.isfinite(scores[:, 0]))
    if len(bad):
        anchor, item = pairs[int(bad[0])]
        raise InputError(
            f"A scorer gave NaN or infinity for {len(bad)} pairs (first: {anchor[:60]!r} with {item[:60]!r})."
        )
    return scores
