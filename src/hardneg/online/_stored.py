"""What a finished run has found out about pairs, looked up for those of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.errors import OptionError
from hardneg.filters import Filter
from hardneg.ragged import IntArray, expand
from hardneg.run import Run
from hardneg.table import Array

__all__ = ["Stored", "StoredPairs"]

_OF_BATCH = ("copy_of", "reciprocal_rank:")  # evidence that a batch works out itself


@dataclass(frozen=True, eq=False)
class StoredPairs:
    """Pairs of a batch that a run speaks of: where they stand, their :class:`Relation` codes and their evidence."""

    rows: IntArray
    columns: IntArray
    relation: NDArray[np.uint8]
    values: Mapping[str, Array]


class Stored:
    """The candidates of a run that these filters hold back, by their evidence in the run.

    Only those are kept in memory, 9 bytes and 4 for each column: of what passes, nothing needs to be said.

    Args:
        run: a finished one.
        filters: of which those are looked up that read columns of a run.

    Raises:
        OptionError: the run stores nothing that one of the filters reads, or what was learnt otherwise.
    """

    def __init__(self, run: Run, filters: Sequence[Filter]) -> None:
        self._anchors, self._items = run.anchors, run.items
        parts = list(run.part_names())
        there = set(run.part(parts[0]).column_names) if parts else set()
        read = {one: [name for name in one.evidence if not name.startswith(_OF_BATCH)] for one in filters}
        judges = [one for one, names in read.items() if names and there.issuperset(names)]
        if parts and not judges:
            asked = ", ".join(f"'{one}'" for one in filters)
            raise OptionError(
                f"The run '{run.path}' stores no evidence that {asked} would read. Name a filter that it was mined "
                "with, such as 'calibrated', or take another run."
            )
        for one in judges:
            one.check_stored(run.manifest)
        self._names = list(dict.fromkeys(name for one in judges for name in read[one]))
        found = [_held_back(part, run, judges, self._names) for part in run.parts()]
        none = (np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros((0, len(self._names)), np.float32))
        keys, relation, values = (np.concatenate(some) for some in zip(none, *found, strict=True))
        order = np.argsort(keys, kind="stable")
        self._keys, self._relation, self._values = keys[order], relation[order], values[order]

    def among(self, ids: Sequence[object], ref_ids: Sequence[object], *, both: bool) -> StoredPairs:
        """The pairs that are here; with ``both``, as of a batch beside itself, what is said holds both ways."""
        anchors, items = self._anchors.positions(ids), self._items.positions(ref_ids)
        known, many = np.flatnonzero(anchors >= 0), len(self._items)
        start, stop = (np.searchsorted(self._keys, (anchors[known] + one) * many) for one in (0, 1))
        at, row = expand(start, stop - start), np.repeat(known, stop - start)
        order = np.argsort(items, kind="stable")  # an item may stand in a batch more than once
        left, right = (np.searchsorted(items[order], self._keys[at] % many, side) for side in ("left", "right"))
        row, at, column = np.repeat(row, right - left), np.repeat(at, right - left), order[expand(left, right - left)]
        if both:  # what the run says of this very direction comes last and stands
            row, column, at = np.append(column, row), np.append(row, column), np.append(at, at)
        values = {name: self._values[at, number] for number, name in enumerate(self._names)}
        return StoredPairs(row, column, self._relation[at], values)


def _held_back(
    part: pa.Table, run: Run, judges: Sequence[Filter], names: Sequence[str]
) -> tuple[IntArray, NDArray[np.uint8], NDArray[np.float32]]:
    """Keys, relations and evidence of the rows of which a filter says something."""
    columns = {
        name: part.column(name).to_numpy()
        for name in part.column_names
        if not pa.types.is_dictionary(part.schema.field(name).type)
    }
    spoken = np.zeros(len(part), bool)
    for one in judges:
        spoken |= one.judge(columns).rule >= 0
    rows = np.flatnonzero(spoken)
    some = part.select(["anchor", "item"]).take(pa.array(rows))
    keys = run.anchors.positions(some.column("anchor")) * len(run.items) + run.items.positions(some.column("item"))
    values = np.stack([columns[name][rows].astype(np.float32) for name in names], axis=1)
    return keys, columns["relation"][rows].astype(np.uint8), values
