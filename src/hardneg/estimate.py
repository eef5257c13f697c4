"""What a mining will need, measured rather than guessed: a few texts encoded, a few products timed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardneg.encode import Encoder
from hardneg.errors import InputError
from hardneg.positives import Positives
from hardneg.similarity import Matrix

__all__ = ["Estimate", "estimate"]

_SAMPLE = 64  # texts encoded to learn the rate
_MIB = 2**20


@dataclass(frozen=True)
class Estimate:
    """Seconds by stage and MiB by use; rough, on this machine as busy as it is now."""

    seconds: Mapping[str, float]
    mib: Mapping[str, float]


def estimate(positives: Positives, encoder: Encoder | None, vectors: Matrix | None, candidates: int) -> Estimate:
    """Estimate time and memory for ``candidates`` candidates an anchor.

    Either an encoder is given, or the vectors that came with the data. Nothing is read from a cache, so with one it
    may be much faster.
    """
    anchors, items = len(positives.anchors), len(positives.items)
    texts = anchors + items
    rate, dimension = (None, vectors.shape[1]) if vectors is not None else _encoding_rate(positives, encoder)
    products = 2.0 * anchors * items * dimension / _product_rate(dimension)
    judging = anchors * candidates * (dimension * 8e-9 + 6e-6)
    content = sum(side.table.nbytes for side in (positives.anchors, positives.items))
    return Estimate(
        seconds={"encode": texts / rate if rate else 0.0, "search": products, "judge and write": judging},
        mib={
            "texts": content / _MIB,
            # float32, once as encoded and once at unit length
            "vectors": 2 * texts * dimension * 4 / _MIB,
            "a block of the search": (512 * 8192 * 4 * 3 + 1024 * candidates * 400) / _MIB,
        },
    )


def _encoding_rate(positives: Positives, encoder: Encoder | None) -> tuple[float, int]:
    texts = positives.items.texts
    if encoder is None or texts is None:
        raise InputError("There is neither an encoder with texts nor vectors to estimate with.")
    rows = np.linspace(0, len(texts) - 1, min(_SAMPLE, len(texts))).astype(int)
    sample = [texts[int(row)].as_py() for row in rows]
    encoder.encode(sample[:1], "item")  # loads the model
    began = time.perf_counter()
    vectors = encoder.encode(sample, "item")
    return len(sample) / max(time.perf_counter() - began, 1e-9), vectors.shape[1]


def _product_rate(dimension: int) -> float:
    """Floating-point operations a second of a search block, its selection included."""
    left, right = np.ones((512, dimension), np.float32), np.ones((8192, dimension), np.float32)
    left @ right.T
    began = time.perf_counter()
    np.nonzero(left @ right.T > dimension)
    return 2 * 512 * 8192 * dimension / max(time.perf_counter() - began, 1e-9)
