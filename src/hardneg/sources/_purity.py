"""Which clusters hold what: their sizes, and how mixed their labels are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.classes import Classes
from hardneg.ragged import IntArray, Ragged

__all__ = ["Mixture", "mixture", "told"]

_SHOWN = 20  # clusters named in the manifest
_LABELS = 5  # labels named of each


@dataclass(frozen=True, eq=False)
class Mixture:
    """For each cluster the items in it, how many of them are labelled, and how many have each class.

    ``counts`` has a row a cluster, of classes, and ``numbers`` says how many have each. An item of several classes
    counts for each of them.
    """

    sizes: IntArray
    labelled: IntArray
    counts: Ragged
    numbers: IntArray

    def purity(self) -> NDArray[np.float64]:
        """The share of the labelled items that have the commonest class; NaN without labels (Manning 2008, 16.3)."""
        return np.where(self.labelled > 0, self._commonest() / np.maximum(self.labelled, 1), np.nan)

    def entropy(self) -> NDArray[np.float64]:
        """How evenly the classes are spread, in bits: 0 for one class, 1 for two of equal size."""
        rows = self.counts.rows()
        total = np.bincount(rows, self.numbers, len(self.sizes))
        share = self.numbers / total[rows]
        return np.maximum(0, -np.bincount(rows, share * np.log2(share), len(self.sizes)))

    def _commonest(self) -> IntArray:
        out = np.zeros(len(self.sizes), np.int64)
        np.maximum.at(out, self.counts.rows(), self.numbers)
        return out


def mixture(cluster: IntArray, classes: Classes | None) -> Mixture:
    """Count the items, and the classes of the labelled, in each cluster; what is in none (-1) is not counted.

    >>> pets = Classes(("cat", "dog"), np.arange(2), np.array([0, 0, 1, -1]))
    >>> mixture(np.array([0, 0, 0, 1]), pets).purity().round(2).tolist()
    [0.67, nan]
    """
    count = int(cluster.max(initial=-1)) + 1
    inside = cluster >= 0
    sizes = np.bincount(cluster[inside], minlength=count)
    if classes is None:
        return Mixture(sizes, np.zeros(count, np.int64), Ragged.empty(count), np.zeros(0, np.int64))
    labelled = np.bincount(cluster[inside & classes.labelled()], minlength=count)
    of = Ragged.from_codes(classes.items)
    at = cluster[of.rows()]
    width = max(1, len(classes.names))
    pairs, numbers = np.unique(at[at >= 0] * width + of.values[at >= 0], return_counts=True)
    return Mixture(sizes, labelled, Ragged.from_pairs(pairs // width, pairs % width, count), numbers)


def told(mix: Mixture, classes: Classes | None) -> dict[str, Any]:
    """What the manifest says of the clusters: number, sizes, and those whose classes are mixed most."""
    used = mix.sizes[mix.sizes > 0]
    about: dict[str, Any] = {"number": len(used)}
    if len(used):
        about["sizes"] = {"least": int(used.min()), "median": float(np.median(used)), "most": int(used.max())}
    if classes is None or not mix.labelled.any():
        return about
    purity, entropy = mix.purity(), mix.entropy()
    about["purity"] = round(float(np.nansum(purity * mix.labelled) / mix.labelled.sum()), 4)
    order = np.lexsort((np.arange(len(purity)), -mix.labelled, -entropy))
    order = order[entropy[order] > 0][:_SHOWN]
    about["most_mixed"] = [
        {
            "cluster": int(one),
            "items": int(mix.sizes[one]),
            "labelled": int(mix.labelled[one]),
            "purity": round(float(purity[one]), 4),
            "entropy": round(float(entropy[one]), 4),
            "labels": _labels(mix, int(one), classes.names),
        }
        for one in order
    ]
    return about


def _labels(mix: Mixture, cluster: int, names: tuple[str, ...]) -> dict[str, int]:
    """The commonest classes of a cluster with their counts."""
    part = slice(mix.counts.offsets[cluster], mix.counts.offsets[cluster + 1])
    codes, numbers = mix.counts.values[part], mix.numbers[part]
    order = np.lexsort((codes, -numbers))[:_LABELS]
    return {names[codes[at]]: int(numbers[at]) for at in order}
