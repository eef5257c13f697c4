"""A small mining whose truth is known: half of the positives are hidden before it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.run import Run

FILTERS = ("known", "duplicates", "margin(relative=0.05, reference=mean)")


@cache
def things(seed: int = 0) -> tuple[Vectors, NDArray[np.bool_]]:
    """Vectors of 60 anchors and 300 items of 30 topics, and who is positive for whom."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(30, 16))
    of_anchor, of_item = rng.integers(0, 30, 60), rng.integers(0, 30, 300)
    anchors = topics[of_anchor] + 0.8 * rng.normal(size=(60, 16))
    items = topics[of_item] + 0.8 * rng.normal(size=(300, 16))
    return Vectors(anchors.astype("f4"), items.astype("f4")), of_anchor[:, None] == of_item[None, :]


def mined(known: NDArray[np.bool_], *, filters: tuple[str, ...] = FILTERS, sampler: str | list[str] = "top(n=6)",
          out: Path | None = None) -> Run:  # fmt: skip
    """Mine with these pairs known; every anchor takes part, so that rows stay what they are."""
    anchors = Collection.of([f"a{row}" for row in range(60)], texts=[f"question {row}" for row in range(60)])
    items = Collection.of([f"i{row}" for row in range(300)], texts=[f"answer {row}" for row in range(300)])
    none, own = Ragged.empty(60), np.full(60, -1, np.int64)
    at = np.nonzero(known)
    lists = Ragged.from_pairs(at[0], at[1], 60)
    positives = Positives(anchors, items, lists, none, none, own, np.zeros(300, bool))
    return mine(positives, encoder=things()[0], sources="neighbors(k=40)", filters=filters, sampler=sampler, out=out)


def numbers(column: object) -> NDArray[np.int64]:
    """The row of each id: what follows its letter."""
    return np.array([int(one[1:]) for one in column.to_pylist()], np.int64)  # type: ignore[attr-defined]


@cache
def scene(sampler: str = "top(n=6)") -> tuple[Run, NDArray[np.bool_], NDArray[np.bool_]]:
    """A run with half known, what was known, and which of the mined are false."""
    truth = things()[1]
    known = truth & (np.random.default_rng(1).random(truth.shape) < 0.5)
    run = mined(known, sampler=sampler)
    table = run.negatives
    return run, known, truth[numbers(table["anchor"]), numbers(table["item"])]
