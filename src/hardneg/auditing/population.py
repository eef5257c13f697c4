"""The population: every pair that a run mined as a negative, as plain columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.collection import one_dictionary
from hardneg.errors import RunError
from hardneg.ragged import BoolArray, IntArray
from hardneg.run import Run
from hardneg.similarity import FloatArray

__all__ = ["Coded", "Population"]


@dataclass(frozen=True, eq=False)
class Coded:
    """A part for each pair, as numbers into names; -1 for none."""

    codes: IntArray
    names: list[str]


@dataclass(frozen=True, eq=False)
class Population:
    """The mined pairs of a run, in the order of ``negatives.parquet``; all columns have the shape ``(pairs,)``."""

    run: Run
    anchor: IntArray
    item: IntArray
    score: FloatArray
    rank: NDArray[np.int32]
    source: Coded

    @classmethod
    def of(cls, run: Run) -> Population:
        """The mined negatives of a run. Raises RunError where it mined none."""
        table = run.negatives
        if not table.num_rows:
            raise RunError(f"'{run.path}' mined no negatives, so there is nothing to audit.")
        anchor, item = run.anchors.positions(table.column("anchor")), run.items.positions(table.column("item"))
        source = one_dictionary(table.column("source"))
        names = [str(name) for name in source.dictionary.to_pylist()]
        score, rank = (table.column(name).to_numpy() for name in ("score", "rank"))
        return cls(run, anchor, item, score, rank, Coded(source.indices.to_numpy().astype(np.int64), names))

    def __len__(self) -> int:
        return len(self.anchor)

    @cached_property
    def known(self) -> BoolArray:
        """Which pairs somebody had judged to be negatives before they were mined."""
        return self.run.positives.negative.contains(self.anchor, self.item)

    @cached_property
    def group(self) -> Coded | None:
        """The label (or group) of each pair's anchor; None where the run has none."""
        name = self.run.manifest.get("labels", {}).get("column")
        if name is None or name not in self.run.anchors.table.column_names:
            return None
        told = self.run.anchors.table.column(name).to_pylist()
        texts = [", ".join(map(str, one)) if isinstance(one, list) else str(one) for one in told]
        names, codes = np.unique(np.array(texts), return_inverse=True)
        return Coded(codes.astype(np.int64)[self.anchor], names.tolist())

    @cached_property
    def keys(self) -> tuple[IntArray, IntArray]:
        """What random numbers are drawn by: hashes of the ids."""
        return self.run.anchors.keys[self.anchor], self.run.items.keys[self.item]

    def find(self, anchors: list[str], items: list[str]) -> IntArray:
        """The place of each pair of ids among the mined, -1 for one that was not mined."""
        if not anchors:
            return np.zeros(0, np.int64)
        left, right = self.run.anchors.positions(anchors), self.run.items.positions(items)
        wanted = np.where((left < 0) | (right < 0), -1, left * len(self.run.items) + right)
        order = self._sorted
        at = np.searchsorted(self._numbers, wanted, sorter=order).clip(0, len(self) - 1)
        return np.where(self._numbers[order[at]] == wanted, order[at], -1)

    @cached_property
    def _numbers(self) -> IntArray:
        return np.asarray(self.anchor * len(self.run.items) + self.item)

    @cached_property
    def _sorted(self) -> IntArray:
        return np.argsort(self._numbers, kind="stable")

    def pairs(self, which: IntArray) -> tuple[list[str | int], list[str | int]]:
        """The ids of these pairs: of the anchors and of the items."""
        run = self.run
        return (
            run.anchors.ids.take(pa.array(self.anchor[which])).to_pylist(),
            run.items.ids.take(pa.array(self.item[which])).to_pylist(),
        )
