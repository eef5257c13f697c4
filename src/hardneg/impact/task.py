"""What is learnt and what is held out: the part that all arms share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from hardneg.context import Vectors
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged

__all__ = ["KINDS", "Kind", "Parts", "Task"]

Kind = Literal["retrieval", "classification", "verification"]
KINDS: tuple[Kind, ...] = ("retrieval", "classification", "verification")


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows to train with, to choose thresholds and doses by, and to be judged by; ``how`` says what keeps them apart.

    Of retrieval they are rows of anchors, else rows of items. ``lots`` numbers what belongs together (queries that
    share a positive, items of a group or an identity), one number for each row there is: subjects are drawn by it.
    """

    train: IntArray
    validation: IntArray
    test: IntArray
    lots: IntArray
    how: str


@dataclass(frozen=True, eq=False)
class Task:
    """One model's lesson and its examination.

    Args:
        kind: retrieval (queries find documents), classification (items get a label) or verification (are two items
            of one identity?).
        positives: the relations of everything, what is held out too.
        vectors: of all anchors and items; None where a learner of the user's own needs none.
        parts: who is trained with and who is held out.
        codes: the class of each item, -1 for none; empty in retrieval.
        names: the names of the classes.
    """

    kind: Kind
    positives: Positives
    vectors: Vectors | None
    parts: Parts
    codes: IntArray
    names: tuple[str, ...] = ()

    @cached_property
    def trainable(self) -> BoolArray:
        """Which items may be trained on, shape ``(items,)``: in retrieval all that are not barred, else training rows.

        A verifier may learn from what has no label, too.
        """
        free = ~self.positives.barred
        if self.kind == "retrieval":
            return free
        mine = np.zeros(len(free), bool)
        mine[self.parts.train] = True
        return mine | (free & (self.codes < 0)) if self.kind == "verification" else mine

    @cached_property
    def owner(self) -> IntArray:
        """The anchor whose negatives an item has, -1 for none: itself where anchors are items, else its class."""
        if self.positives.classes is not None and self.positives.classes.kind == "classes":
            return self.codes
        out = np.full(len(self.positives.items), -1, np.int64)
        own = self.positives.own
        out[own[own >= 0]] = np.flatnonzero(own >= 0)
        return out

    @cached_property
    def learners(self) -> IntArray:
        """The anchors that are trained with, as rows of ``positives.anchors``."""
        if self.kind == "retrieval":
            return self.parts.train
        owners = self.owner[self.parts.train]
        return np.unique(owners[owners >= 0])

    def restricted(self, lists: Ragged) -> Ragged:
        """Lists of negatives by anchor, without what is held out; rows stay in their order."""
        keep = np.zeros(len(lists), bool)
        keep[self.learners] = True
        return lists.where(keep[lists.rows()] & self.trainable[lists.values])
