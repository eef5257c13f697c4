"""The distance of words, once more and plainly, for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import panphon


@lru_cache(maxsize=1)
def table() -> panphon.FeatureTable:
    return panphon.FeatureTable()


def change(one: str, other: str) -> float:
    """What it costs to hear one sound for another, by panphon's own reading of its tables, from 0 to 1."""
    features = table()
    # By name: panphon lists its weights in another order than its features.
    weight = dict(zip(_weight_names(), features.weights, strict=True))
    left, right = (features.fts(sound).numeric() for sound in (one, other))
    pairs = zip(features.names, left, right, strict=True)
    apart = sum(abs(a - b) * weight.get(name, 0) for name, a, b in pairs)
    return min(1.0, float(4 * apart / (2 * sum(weight.values()))))


@lru_cache(maxsize=1)
def _weight_names() -> tuple[str, ...]:
    from pathlib import Path

    path = Path(panphon.__file__).parent / "data" / "feature_weights.csv"
    return tuple(path.read_text().splitlines()[0].split(","))


def edit(left: Sequence[str], right: Sequence[str], cost: Callable[[str, str], float] = change) -> float:
    """Wagner and Fischer's table, cell by cell."""
    cells = {(0, 0): 0.0}
    for i in range(len(left) + 1):
        for j in range(len(right) + 1):
            ways = [cells[i - 1, j] + 1] if i else []
            ways += [cells[i, j - 1] + 1] if j else []
            ways += [cells[i - 1, j - 1] + cost(left[i - 1], right[j - 1])] if i and j else []
            cells[i, j] = min(ways, default=0.0)
    return cells[len(left), len(right)]


def nearest_stretch(left: Sequence[str], right: Sequence[str]) -> float:
    """The least distance to any stretch, all of them tried."""
    stretches = {tuple(right[i:j]) for i in range(len(right) + 1) for j in range(i, len(right) + 1)}
    return min(edit(left, one) for one in stretches)
