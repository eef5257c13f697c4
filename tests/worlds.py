"""Small minings for tests, and what a run left on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.context import Context, Vectors
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.run import Run
from hardneg.similarity import Similarity
from hardneg.sources import Neighbors, Propose, Source
from hardneg.table import Rows

TIMED = "timings.json"  # the one file of a run that differs each time


@dataclass(frozen=True)
class Rude(Source):
    """A source of somebody else that proposes every item, the positives too."""

    name = "rude"

    def prepare(self, context: Context) -> Propose:
        m = len(context.positives.items)

        def propose(anchors: NDArray[np.int64]) -> Rows:
            n = len(anchors)
            columns = {"source_score": np.zeros(n * m, np.float32), "rank": np.tile(np.arange(m, dtype=np.int32), n)}
            return Rows(np.repeat(anchors, m), np.tile(np.arange(m), n), columns)

        return propose


def scene(
    seed: int = 0, anchors: int = 12, items: int = 60, *, numbers: bool = False, texts: bool = True,
    similarity: Similarity = "cosine",
) -> tuple[Positives, Vectors]:  # fmt: skip
    """Random relations of every kind, vectors with ties, and texts with copies."""
    rng = np.random.default_rng(seed)

    def side(n: int, letter: str) -> Collection:
        ids: list[object] = [7 * row + 3 for row in range(n)] if numbers else [f"{letter}{row}" for row in range(n)]
        words = [" ".join(rng.choice(["fox", "hen", "owl", "barn", "law", "tax"], 4)) for _ in range(n)]
        return Collection.of(ids, texts=words if texts else None)

    positive = [np.unique(rng.integers(0, items, rng.integers(1, 4))) for _ in range(anchors)]
    others = [np.setdiff1d(rng.integers(0, items, 6), known) for known in positive]
    positives = Positives(
        side(anchors, "a"),
        side(items, "i"),
        Ragged.from_lists(positive),
        Ragged.from_lists([one[::2] for one in others]),
        Ragged.from_lists([one[1::2] for one in others]),
        np.where(rng.random(anchors) < 0.3, rng.integers(0, items, anchors), -1),
        rng.random(items) < 0.05,
    )
    left = rng.normal(size=(anchors, 5)).astype(np.float32)
    right = rng.normal(size=(items, 5)).astype(np.float32)
    right[items // 2 : items // 2 + 5] = right[0]
    for row, one in enumerate(positive):  # so that positives are near, as in life
        right[one[0]] = left[row] + 0.5 * right[one[0]]
    return positives, Vectors(left, right, similarity)


def neighbors(vectors: Vectors, k: int = 20) -> Neighbors:
    return Neighbors(vectors.anchors, vectors.items, k, vectors.similarity)


def pairs(table: pa.Table) -> list[tuple[object, object]]:
    return list(zip(table.column("anchor").to_pylist(), table.column("item").to_pylist(), strict=True))


def by_anchor(table: pa.Table) -> dict[object, list[object]]:
    found: dict[object, list[object]] = {}
    for anchor, item in pairs(table):
        found.setdefault(anchor, []).append(item)
    return found


def of_relation(run: Run, relation: str) -> set[tuple[object, object]]:
    table = run.relations
    return set(pairs(table.filter(pa.array([one == relation for one in table.column("relation").to_pylist()]))))


def files(run: Path) -> dict[str, bytes]:
    """Every file of a run by its name, but for the timings."""
    found = sorted(path for path in run.rglob("*") if path.is_file() and path.name != TIMED)
    return {str(path.relative_to(run)): path.read_bytes() for path in found}
