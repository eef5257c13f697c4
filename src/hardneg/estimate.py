"""What a mining will need, measured rather than guessed: a few texts or pictures encoded, a few products timed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardneg.context import encoded
from hardneg.encode import Encoder
from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.mining import PART
from hardneg.positives import Positives
from hardneg.progress import Silent
from hardneg.samplers import Plan

__all__ = ["Estimate", "estimate"]

_SAMPLE = 64  # texts or pictures encoded to learn the rate
_MIB = 2**20
_ENCODED = 2**30  # bytes of one side's new vectors; more of them go to a temporary file


@dataclass(frozen=True)
class Estimate:
    """Seconds by stage and MiB by use; rough, on this machine as busy as it is now."""

    seconds: Mapping[str, float]
    mib: Mapping[str, float]
    dimension: int  # of the vectors


def estimate(
    positives: Positives, encoder: Encoder | None, vectors: Matrix | None, candidates: int, plan: Plan | None = None
) -> Estimate:
    """Estimate time and memory for ``candidates`` candidates an anchor, sampled by ``plan``.

    Either an encoder is given, or the vectors that came with the data. Nothing is read from a cache, so with one it
    may be much faster. The memory is what is held at once, above what the interpreter takes.

    Raises InputError or OptionError where the mining would for its encoder.
    """
    anchors, items = len(positives.anchors), len(positives.items)
    rate, dimension = (None, vectors.shape[1]) if vectors is not None else _encoding_rate(positives, encoder)
    encoded = items if positives.classes is not None else anchors + items  # labelled anchors are among the items
    candidates = min(candidates, items)
    rows = anchors * candidates
    compared = max(1.0, len(positives.positive.values) / max(1, anchors))  # positives that an item is held against
    phase, held = max(_phases(anchors, candidates, plan).items(), key=lambda one: one[1])
    return Estimate(
        seconds={
            "encode": encoded / rate if rate else 0.0,
            "search, if exact": 2.0 * anchors * items * dimension / _product_rate(dimension),
            "judge, sample and write": rows * (1.5e-6 + compared * dimension * 2.5e-9),
        },
        mib={
            "ids, texts and numbers for each": (_content(positives) + 50 * (anchors + items)) / _MIB,
            "vectors in memory": sum(_in_memory(vectors, side, dimension) for side in (anchors, items)) / _MIB,
            phase: held / _MIB,
        },
        dimension=dimension,
    )


def _phases(anchors: int, candidates: int, plan: Plan | None) -> dict[str, float]:
    """Bytes held by each stage beside what all share; the largest counts, since one follows another."""
    part = min(anchors, PART) * candidates * 450.0
    chosen = anchors * min(candidates, plan.chooser.n if plan else candidates) * 120.0
    limited = plan is not None and plan.capped  # then all anchors compete, so all lists are held
    return {
        "searching and judging a part": 512 * 8192 * 4 * 3 + part,
        "sampling": part / 3 + chosen + (anchors * candidates * 16.0 if limited else 0.0),
    }


def _content(positives: Positives) -> int:
    return int(sum(side.table.nbytes for side in (positives.anchors, positives.items)))


def _in_memory(vectors: Matrix | None, rows: int, dimension: int) -> float:
    """Bytes of one side's vectors that memory is taken for; what is on disk, or too much for memory, stays there."""
    size = rows * dimension * 4.0
    if vectors is None:
        return size if size <= _ENCODED else 0.0
    in_memory = isinstance(vectors, np.ndarray) and not isinstance(vectors, np.memmap)
    return rows * dimension * float(vectors.dtype.itemsize) if in_memory else 0.0


def _encoding_rate(positives: Positives, encoder: Encoder | None) -> tuple[float, int]:
    if encoder is None:
        raise InputError("There is neither an encoder nor vectors to estimate with.")
    items = positives.items
    sample = items.take(np.linspace(0, len(items) - 1, min(_SAMPLE, len(items))).astype(np.int64))
    encoded(encoder, sample.take(np.array([0])), "item", None, Silent())  # loads the model
    began = time.perf_counter()
    vectors = encoded(encoder, sample, "item", None, Silent())
    return len(sample) / max(time.perf_counter() - began, 1e-9), vectors.shape[1]


def _product_rate(dimension: int) -> float:
    """Floating-point operations a second of a search block, its selection included."""
    left, right = np.ones((512, dimension), np.float32), np.ones((8192, dimension), np.float32)
    left @ right.T
    began = time.perf_counter()
    np.nonzero(left @ right.T > dimension)
    return 2 * 512 * 8192 * dimension / max(time.perf_counter() - began, 1e-9)
