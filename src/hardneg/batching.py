"""Batches of negatives that lie together: hard for one another, as in-batch negatives are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg import random
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import IntArray, places
from hardneg.run import Run
from hardneg.storage import read_table

__all__ = ["batches_by", "grouped_batches", "packed"]


def batches_by(
    run: Run, column: str = "cluster", size: int = 64, seed: int = 0, negatives: pa.Table | None = None
) -> Iterator[list[int]]:  # fmt: skip
    """Give the row numbers of negatives in batches, so that those of one cluster are in one batch.

    A cluster with more rows than fit is cut into full batches and a rest; rests share batches, but none is torn apart.
    Each row comes once. Batches come in random order.

    Args:
        run: a finished run.
        column: what lies together: a column of the negatives, of the items, or of the candidates (``cluster``, which
            the source ``clusters`` gives). A missing value, or -1 of the candidates, is by itself.
        size: the most rows in a batch.
        seed: decides which rows of a large cluster go together, and the order of the batches.
        negatives: rows of this run to batch, such as those of an epoch; ``run.negatives`` if not given.

    Raises InputError where there is no such column.
    """
    table = run.negatives if negatives is None else negatives
    yield from grouped_batches(_groups(run, table, column), size, seed)


def grouped_batches(groups: IntArray, size: int, seed: int = 0, *counters: IntArray) -> Iterator[list[int]]:
    """Give all row numbers in batches of at most ``size``, so that those of one group are in one batch.

    Args:
        groups: the group of each row, whole numbers.
        size: the most rows in a batch. A larger group is cut; rests share batches.
        seed: decides what is cut where, and the order of the batches, together with
        counters: such as the number of the epoch.

    >>> sorted(sorted(batch) for batch in grouped_batches(np.array([0, 1, 0, 1, 2]), 2))
    [[0, 2], [1, 3], [4]]
    """
    require(size >= 1, "size", "at least 1", size)
    keys = random.uniform(seed, *counters, np.arange(len(groups)))
    order = np.lexsort((keys, groups))
    counts = np.unique(groups, return_counts=True)[1]
    pieces = np.split(order, np.flatnonzero(places(counts) % size == 0)[1:]) if len(order) else []
    batches = packed([len(one) for one in pieces], size)
    for which in np.argsort(random.uniform(seed, *counters, np.array(-1), np.arange(len(batches))), kind="stable"):
        yield np.concatenate([pieces[one] for one in batches[which]]).tolist()


def packed(lengths: list[int], size: int) -> list[list[int]]:
    """Pack pieces into batches of at most ``size``, the longest first, each where it leaves the least room.

    >>> packed([2, 3, 1, 4], 4)
    [[3], [1, 2], [0]]
    """
    open_: list[deque[int]] = [deque() for _ in range(size + 1)]  # batches by the room they have left
    batches: list[list[int]] = []
    for piece in sorted(range(len(lengths)), key=lambda one: (-lengths[one], one)):
        room = next((room for room in range(lengths[piece], size + 1) if open_[room]), None)
        at = len(batches) if room is None else open_[room].popleft()
        if room is None:
            batches.append([])
        batches[at].append(piece)
        left = (size if room is None else room) - lengths[piece]
        if left:
            open_[left].append(at)
    return batches


def _groups(run: Run, table: pa.Table, column: str) -> IntArray:
    """A number for each row's group; what has none has a number of its own."""
    if column in table.column_names:
        values = table.column(column)
    elif column in run.items.table.column_names:
        values = run.items.table.column(column).take(pa.array(run.items.positions(table.column("item"))))
    else:
        values = _of_candidates(run, table, column)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    codes: IntArray = pc.rank(values.cast(pa.string()), tiebreaker="dense").to_numpy().astype(np.int64)
    alone = values.is_null().to_numpy()
    codes[alone] = len(codes) + 1 + np.arange(int(alone.sum()))
    return codes


def _of_candidates(run: Run, table: pa.Table, column: str) -> pa.Array:
    """A column of the candidates for these negatives."""
    width = max(1, len(run.items))

    def pairs(one: pa.Table) -> IntArray:
        return run.anchors.positions(one.column("anchor")) * width + run.items.positions(one.column("item"))

    wanted = pairs(table)
    order = np.argsort(wanted, kind="stable")
    rising = wanted[order]
    out, known = np.full(len(wanted), -1, np.int64), np.zeros(len(wanted), bool)
    for part in run.manifest["parts"]:
        found = read_table(run.path / part["file"])
        if column not in found.column_names or not pa.types.is_integer(found.schema.field(column).type):
            raise InputError(
                f"Neither negatives, items nor candidates have a column '{column}' to batch by.",
                remedy="Mine with the source clusters(...), or name a column of the items.",
            )
        theirs = pairs(found)
        at = np.minimum(np.searchsorted(rising, theirs), max(0, len(order) - 1))
        hit = rising[at] == theirs if len(order) else np.zeros(len(theirs), bool)
        out[order[at[hit]]], known[order[at[hit]]] = found.column(column).to_numpy()[hit], True
    return pa.chunked_array([pa.array(out, mask=~known | (out < 0))])
