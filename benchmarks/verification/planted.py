"""A tenth of the identities split under two names: how many are found again, and what else is reported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.verification.data import Named
from hardneg.verify import same_identity

__all__ = ["Found", "measured"]


@dataclass(frozen=True)
class Found:
    """Of one planting: how many were split, found again, and falsely reported."""

    planted: int
    found: int
    false: int


def measured(data: Named, seed: int, share: float = 0.1) -> Found:
    """Half of the examples of some identities get another name."""
    rng = np.random.default_rng(seed)
    people = np.unique(data.codes)
    split = rng.choice(people, max(1, round(share * len(people))), replace=False)
    names = data.codes.copy()
    for person in split.tolist():
        rows = rng.permutation(np.flatnonzero(data.codes == person))
        names[rows[: len(rows) // 2]] = person + people.max() + 1
    reports = same_identity(data.vectors, names, seed=seed)
    pairs = set(zip(reports.left[reports.reported].tolist(), reports.right[reports.reported].tolist(), strict=True))
    true = {(int(person), int(person + people.max() + 1)) for person in split}
    return Found(len(true), len(true & pairs), len(pairs - true))
