"""What a sampler is: one step that orders and counts (a chooser), and any number that hold it back (limits)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.notation import Step, require
from hardneg.ragged import IntArray
from hardneg.table import Array, Rows

if TYPE_CHECKING:
    from hardneg.collection import Collection

__all__ = ["Chooser", "Limit", "OnShort", "Preference", "Sampler", "place_within"]

OnShort = Literal["keep", "fill", "drop"]
Preference = NDArray[np.float64]


class Sampler(Step):
    """Chooses among the kept candidates. This is where balance lives."""


@dataclass(frozen=True)
class Chooser(Sampler):
    """Says in which order an anchor wants its candidates, and how many.

    Args:
        n: negatives for each anchor.
        on_short: what becomes of an anchor that gets fewer: ``keep`` it as it is, ``fill`` it up with easier
            ones (the kept that a quota left out, then random items that pass the filters), ``drop`` it.
    """

    draws: ClassVar[bool] = True  # whether it reads the columns that random numbers are drawn by

    n: int = field(default=8, metadata={"always": True})
    on_short: OnShort = field(default="keep", kw_only=True)

    def __post_init__(self) -> None:
        require(self.n >= 1, "n", "at least 1", self.n)

    @abstractmethod
    def prefer(self, rows: Rows, seed: int) -> Preference:
        """A number for each kept candidate: the higher, the sooner it is chosen; -inf for never.

        Rows are sorted by anchor, then score (highest first). Ties go to the earlier row. Random numbers are drawn
        by the columns ``anchor_key`` and ``item_key``, so that they do not depend on row numbers.
        """


class Limit(Sampler):
    """Holds a chooser back: so many of a kind for an anchor, or so many in all for an item or a pair of classes."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns of the candidates that it needs beside what all samplers may read.

        Any that a candidate has (``cluster``); ``item_class``, the class of the item; and ``class_pair``, that of the
        anchor and that of the item; whole numbers, -1 for none. Several labels are a class of their own.
        """
        return ()

    def kinds(self, rows: Rows, n: int, items: Collection, source_names: Sequence[str]) -> list[tuple[Array, Array]]:  # noqa: ARG002 - for others to use
        """Per-anchor limits: pairs of (the kind of each row, from 0; how many of each kind an anchor may have)."""
        return []

    @property
    def per_item(self) -> int | None:
        """How many anchors one item may serve; None for any number."""
        return None

    @property
    def per_pair(self) -> int | None:
        """How many negatives one pair of classes, the anchor's and the item's, may have in all; None for any number."""
        return None


def place_within(anchor: IntArray) -> IntArray:
    """Each row's place among the rows of its anchor, where rows are sorted by anchor.

    >>> place_within(np.array([4, 4, 7])).tolist()
    [0, 1, 0]
    """
    fresh = np.ones(len(anchor), bool)
    fresh[1:] = anchor[1:] != anchor[:-1]
    starts = np.flatnonzero(fresh)
    return np.arange(len(anchor)) - np.repeat(starts, np.diff(np.append(starts, len(anchor))))
