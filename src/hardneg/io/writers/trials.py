"""Verification trials: what a system must tell apart, ready to be scored.

For each anchor its positives are target trials and its sampled negatives nontarget ones: as hard as mining made them.
What is suspect, from either side, is no trial, since nobody knows which kind it is; nor is what has a label that is
doubted. A line is ``enroll test target|nontarget`` as Kaldi
has it; with ``values="label"`` it is ``1 enroll test`` or ``0 enroll test``, as VoxCeleb has it.

The names are the paths of the media, relative to their folder, where each is there once; else the ids. A pair is one
trial whichever way round it was found: the second is left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened
from hardneg.io.writers._media import are_bytes
from hardneg.io.writers._tally import tally
from hardneg.labels import own_items

__all__ = ["TRIALS"]

_SPACE = re.compile(r"\s")


_KALDI = {True: "target", False: "nontarget"}


def _write(export: Export) -> None:
    if export.options.values == "score":
        raise OptionError(
            "The format 'trials' has no scores. Leave 'values' out for Kaldi's lines, or choose 'label' for VoxCeleb's."
        )
    labels_first = export.options.values == "label"
    with opened(export.target) as file:
        for enroll, test, target in _trials(export):
            words = (str(int(target)), enroll, test) if labels_first else (enroll, test, _KALDI[target])
            file.write((" ".join(words) + "\n").encode())
            export.counts["target" if target else "nontarget"] += 1
            export.rows(1)


def _trials(export: Export) -> Iterator[tuple[str, str, bool]]:
    run = export.run
    enrolled, tested = (_names(things, what) for things, what in ((run.anchors, "anchors"), (run.items, "items")))
    pairs = _Pairs(export)
    for one in export.examples("none"):
        for target, hits in ((True, one.positives), (False, one.negatives)):
            for hit in hits:
                if (problem := pairs.problem(one.row, hit.row)) is None:
                    yield enrolled[one.row], tested[hit.row], target
                else:
                    export.skips.add(problem, f"{one.id} {hit.document.id}")


class _Pairs:
    """Which pairs may still become a trial."""

    def __init__(self, export: Export) -> None:
        found = tally(export.run)
        self._own, self._size = own_items(export.run), len(export.run.items)
        self._doubted = found.label_doubted
        anchors, items = found.suspect_pairs
        mine = self._own[anchors]
        self._suspect = set(self._keys(mine[mine >= 0], items[mine >= 0]).tolist())
        self._seen: set[int] = set()

    def problem(self, anchor: int, item: int) -> str | None:
        """Why a pair is no trial, in one word; None where it is one, from now on written."""
        own = int(self._own[anchor])
        if self._doubted[item] or (own >= 0 and self._doubted[own]):
            return "label_in_doubt"
        if own < 0:
            return None
        key = int(self._keys(own, item))
        if key in self._suspect:
            return "suspect_the_other_way_round"
        if key in self._seen:
            return "pair_written_already"
        self._seen.add(key)
        return None

    def _keys(self, left: Any, right: Any) -> Any:
        """One number for two items, whichever comes first."""
        return np.minimum(left, right) * self._size + np.maximum(left, right)


def _names(things: Collection, what: str) -> list[str]:
    """What things are called in a list without quotes.

    Raises InputError for a name with white space, which would be two.
    """
    names: list[str] = _called(things).cast(pa.string()).to_pylist()
    for name in names:
        if not name or _SPACE.search(name):
            raise InputError(
                f"The format 'trials' has names without white space. One of the {what} is {name!r}.",
                remedy="Rename it, or give ids without spaces and clips or bytes, which are called by their ids.",
            )
    return names


def _called(things: Collection) -> pa.ChunkedArray | pa.Array:
    """The paths where every thing has one of its own, else the ids."""
    for column in ("audio", "path"):
        if column not in things.table.column_names or are_bytes(things, column):
            continue
        paths = things.table.column(column)
        if not paths.null_count and pc.count_distinct(paths).as_py() == len(things):
            return paths
    return things.ids


TRIALS = Writer(
    "trials", "verification trials: enroll, test, target or nontarget (Kaldi), or 1 enroll test (VoxCeleb)",
    (".txt", ".trials", ".txt.gz"), "ids or paths, labels", _write, ("n", "positives", "values"), texts=False,
)  # fmt: skip
