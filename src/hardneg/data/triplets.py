"""The triplets of a run, as a dataset to load from: an anchor, a positive, and its hardest negatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import Dataset

from hardneg import random
from hardneg.collection import Collection, as_ids
from hardneg.errors import InputError
from hardneg.io.writers import examples
from hardneg.io.writers._members import Members
from hardneg.labels import are_classes, label_column, own_items
from hardneg.notation import require
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run

__all__ = ["Triplet", "Triplets"]

Load = Callable[[Any], Any]


class Triplet(NamedTuple):
    """Row numbers, or what ``load`` made of them; ``negatives`` are hardest first."""

    anchor: Any
    positive: Any
    negatives: tuple[Any, ...]


class Triplets(Dataset):  # type: ignore[misc]
    """One triplet for each anchor with a positive and enough negatives; the positive changes from epoch to epoch.

    Without ``load`` a triplet holds row numbers: of ``ids`` where they are given, else of ``run.items``. An anchor
    that is no item, such as a query, has that of ``run.anchors``. With ``load`` it holds what that function makes of
    each path, bytes or text. Where the anchors are classes, their members stand for them.

    Args:
        run: a finished run.
        load: opens a picture or tokenises a text; it runs in the workers of the loader.
        n: how many negatives each triplet has, the hardest first. Anchors with fewer are left out; ``left_out`` counts
            them.
        ids: the ids of the user's own examples, in their order.
        seed: draws the positives, together with the epoch.

    Raises:
        OptionError: ``n`` below 1, or ``ids`` together with ``load``.
        InputError: no anchor has enough negatives, ``ids`` lack an item, or there is nothing to load.
    """

    def __init__(
        self, run: Run, *, load: Load | None = None, n: int = 1, ids: object = None, seed: int = 0
    ) -> None:  # fmt: skip
        require(n >= 1, "n", "at least 1", n)
        require(ids is None or load is None, "ids", "left out where 'load' is given", "both")
        self._load, self._n, self._seed = load, n, seed
        self._anchors, self._positives, self._negatives, self.left_out = _gathered(run, n)
        if not len(self._anchors):
            raise InputError(f"No anchor has a positive and {n} negatives.", remedy="Lower 'n', or mine more of them.")
        labelled = label_column(run) is not None
        if load is not None:
            self._things = _contents(run.items, "items")
            self._of_anchor = self._things if labelled else _contents(run.anchors, "anchors")
        if ids is not None:
            self._renumber(_places(run.items, ids), labelled=labelled)
        # Shared, so that workers that live on from epoch to epoch see the new one.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Draw the positives anew."""
        self._epoch[0] = epoch

    def __len__(self) -> int:
        return len(self._anchors)

    def __getitem__(self, row: int) -> Triplet:
        if not -len(self) <= row < len(self):
            raise IndexError(f"There are {len(self)} triplets. Got row {row}.")
        row %= len(self)
        choices = self._positives[row]
        draw = random.uniform(self._seed, np.full(1, int(self._epoch[0])), np.full(1, row))[0]
        positive = int(choices[int(draw * len(choices))])
        anchor, negatives = int(self._anchors[row]), self._negatives[row].tolist()
        if self._load is None:
            return Triplet(anchor, positive, tuple(negatives))
        made = [self._load(_value(self._things, one)) for one in (positive, *negatives)]
        return Triplet(self._load(_value(self._of_anchor, anchor)), made[0], tuple(made[1:]))

    def _renumber(self, place: IntArray, *, labelled: bool) -> None:
        """From rows of the run's items to those of the user's examples."""
        sides = [self._positives.values, self._negatives.ravel(), *([self._anchors] if labelled else [])]
        if (place[np.concatenate(sides)] < 0).any():
            raise InputError("The 'ids' lack items that the triplets need.", remedy="Give the ids of all examples.")
        self._positives = Ragged(self._positives.offsets, place[self._positives.values])
        self._negatives = place[self._negatives]
        self._anchors = place[self._anchors] if labelled else self._anchors


def _gathered(run: Run, n: int) -> tuple[IntArray, Ragged, IntArray, int]:
    """Rows of the anchors, their positives, their hardest ``n`` negatives, and how many had too few of them."""
    members = Members(run) if are_classes(run) else None
    own = own_items(run) if label_column(run) else np.arange(len(run.anchors))
    anchors, positives, negatives, left = [], [], [], 0
    for found in examples(run):
        for one in (found,) if members is None else members.of(found):
            row = int(own[one.row]) if members is None else one.row
            if row < 0 or not one.positives or len(one.negatives) < n:
                left += 1
                continue
            anchors.append(row)
            positives.append([hit.row for hit in one.positives])
            negatives.append([hit.row for hit in one.negatives[:n]])
    hardest = np.array(negatives, np.int64).reshape(-1, n)
    return np.array(anchors, np.int64), Ragged.from_lists(positives), hardest, left


def _places(items: Collection, ids: object) -> IntArray:
    """Where each item stands among the user's ids, -1 for one that does not."""
    return Collection.of(as_ids(ids)).positions(items.ids)


def _contents(things: Collection, what: str) -> Sequence[Any]:
    kinds = (things.texts, things.sounds, things.pictures)
    if (found := next((one for one in kinds if one is not None), None)) is None:
        raise InputError(f"The {what} have no texts, pictures or sounds to load.", remedy="Leave 'load' out.")
    return found


def _value(things: Sequence[Any], row: int) -> Any:
    one = things[row]
    return one.as_py() if isinstance(one, pa.Scalar) else one
