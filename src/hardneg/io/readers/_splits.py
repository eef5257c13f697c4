"""Which rows may be mined: those of one split, and what has neither a label nor a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.io.readers._base import ReadOptions, choose_split
from hardneg.io.readers._labelled_names import EVALUATION, TRAINING, same_as
from hardneg.io.readers._names import normal
from hardneg.io.reading import Skips
from hardneg.ragged import BoolArray

__all__ = ["Chosen", "choose_minable", "mined_split"]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The split that is mined, all splits, and the rows that may be mined; no splits where there are none."""

    split: str
    splits: list[str]
    minable: BoolArray

    def __str__(self) -> str:
        return f", split {self.split} of {', '.join(self.splits)}" if self.splits else ""


def choose_minable(items: Collection, options: ReadOptions, path: Path, notes: Skips) -> Chosen:
    """Choose the split: the one asked for, that for training, or the only one.

    Raises InputError where the choice is open or there is no such split, OptionError for one that is for evaluation.
    """
    if "split" not in items.table.column_names:
        if options.split or options.exclude_split:
            raise InputError("The data have no splits.", path=path, remedy="Leave --split and --exclude-split out.")
        return Chosen("", [], np.ones(len(items), bool))
    column = items.table.column("split")
    _refuse_synthetic(items, path)
    names = sorted(one for one in column.unique().to_pylist() if one is not None)
    split = mined_split(names, options, path)
    without = column.is_null().to_numpy()
    telling = {"label", "group", same_as(options.positives)} & set(items.table.column_names)
    told = [items.table.column(one).is_null().to_numpy() for one in sorted(telling)]
    unlabelled = np.all(told, axis=0)
    lost = np.flatnonzero(without & ~unlabelled)
    notes.add_rows("label_without_split_not_mined", lost, lambda row: str(items.ids[row]))
    mine = pc.fill_null(pc.equal(column, split), False).to_numpy()
    return Chosen(split, names, np.asarray(mine | (without & unlabelled), bool))


def mined_split(names: Sequence[str], options: ReadOptions, path: Path) -> str:
    """Choose among these splits: the one asked for, that for training, or the only one.

    Raises InputError where the choice is open or there is no such split, OptionError for one that is for evaluation.
    """
    split = _chosen(names, options, path)
    if normal(split) in EVALUATION and not options.mine_evaluation:
        raise OptionError(
            f"The split '{split}' is for evaluation: what is mined from it leaks into training. "
            "Choose another with --split, or insist with --mine-evaluation."
        )
    return split


def _chosen(names: Sequence[str], options: ReadOptions, path: Path) -> str:
    training = [one for one in names if normal(one) in TRAINING and one not in options.exclude_split]
    if options.split is None and len(training) == 1 and set(options.exclude_split) <= set(names):
        return training[0]
    return choose_split(names, options, path)


def _refuse_synthetic(items: Collection, path: Path) -> None:
    """Raise InputError for what was made by a synthesiser and is to measure a model: it sounds like nobody."""
    if "synthetic" not in items.table.column_names:
        return
    both = zip(items.table.column("synthetic").to_pylist(), items.table.column("split").to_pylist(), strict=True)
    wrong = [row for row, (made, split) in enumerate(both) if _yes(made) and split and normal(split) in EVALUATION]
    if wrong:
        raise InputError(
            f"{len(wrong)} synthetic rows are in a split for evaluation (first: '{items.ids[wrong[0]]}').",
            path=path,
            remedy="Measure on recordings alone: move these rows to the training split, or leave them out.",
        )


def _yes(value: object) -> bool:
    return normal(str(value)) in ("true", "yes", "1", "1.0")
