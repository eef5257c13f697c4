"""What a sampler is: one step that orders and counts (a chooser), and any number that hold it back (limits)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError, OptionError
from hardneg.notation import Step, require
from hardneg.positives import POSITIVES
from hardneg.ragged import IntArray
from hardneg.table import Array, Rows

if TYPE_CHECKING:
    from hardneg.collection import Collection

__all__ = ["Chooser", "Limit", "OnShort", "Preference", "Sampler", "groups_of"]

OnShort = Literal["keep", "fill", "drop"]
Preference = NDArray[np.float64]


class Sampler(Step):
    """Chooses among the kept candidates. This is where balance lives."""


@dataclass(frozen=True)
class Chooser(Sampler):
    """Says in which order an anchor wants its candidates, and how many.

    Args:
        n: negatives for each anchor.
        per_positive: where the anchors are classes, at most this many for each of the anchor's positives, so that a
            rare class has few and a frequent one many; rounded up, and never more than ``n``.
        on_short: what becomes of an anchor that gets fewer: ``keep`` it as it is, ``fill`` it up with easier
            ones (the kept that a quota left out, then random items that pass the filters), ``drop`` it.
    """

    draws: ClassVar[bool] = True  # whether it reads the columns that random numbers are drawn by

    n: int = field(default=8, metadata={"always": True})
    per_positive: float | None = field(default=None, kw_only=True)
    on_short: OnShort = field(default="keep", kw_only=True)

    def __post_init__(self) -> None:
        require(self.n >= 1, "n", "at least 1", self.n)
        require(self.per_positive is None or self.per_positive > 0, "per_positive", "above 0", self.per_positive)

    def wanted(self, anchors: Collection) -> IntArray:
        """How many negatives each anchor should have, shape ``(len(anchors),)``.

        Raises OptionError for ``per_positive`` where the anchors are no classes, which alone have a number of them.
        """
        most = np.full(len(anchors), self.n, np.int64)
        if self.per_positive is None:
            return most
        if POSITIVES not in anchors.table.column_names:
            raise OptionError(
                f"'{self}' needs anchors that are classes: per_positive counts their members. Leave it out, or mine "
                "with anchors=classes."
            )
        positives = anchors.table.column(POSITIVES).to_numpy()
        return np.asarray(np.minimum(most, np.ceil(self.per_positive * positives - 1e-9)), np.int64)

    @abstractmethod
    def prefer(self, rows: Rows, seed: int) -> Preference:
        """A number for each kept candidate: the higher, the sooner it is chosen; -inf for never.

        Rows are sorted by anchor, then score (highest first). Ties go to the earlier row. Random numbers are drawn
        by the columns ``anchor_key`` and ``item_key``, so that they do not depend on row numbers.
        """


class Limit(Sampler):
    """Holds a chooser back: so many of a kind for an anchor, or so many in all with the same value of a column."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns of the candidates that it needs beside what all samplers may read.

        Any that a candidate has (``cluster``); ``item_class``, the class of the item; and ``class_pair``, that of the
        anchor and that of the item; whole numbers, -1 for none. Several labels are a class of their own.
        """
        return ()

    def kinds(
        self, rows: Rows, wanted: IntArray, items: Collection, source_names: Sequence[str]  # noqa: ARG002 - for others to use
    ) -> list[tuple[Array, Array]]:  # fmt: skip
        """Per-anchor limits: pairs of (the kind of each row, from 0; how many of each kind an anchor may have).

        ``wanted`` is how many negatives each anchor should have, by its number.
        """
        return []

    @property
    def caps(self) -> Mapping[str, int]:
        """How many negatives there may be in all for one value of a column; what has no value is not held back.

        The columns are ``item`` (so many anchors for an item), ``class_pair`` (so many for the classes of an anchor and
        an item), or one that :func:`groups_of` finds.
        """
        return {}


def groups_of(name: str, rows: Rows, items: Collection) -> IntArray:
    """A number for the value that each row's item has in a column, -1 for none; where items lack it, of candidates.

    Raises InputError where neither has it.
    """
    if name in items.table.column_names:
        return items.codes(name)[rows.item]
    if name in rows.columns and rows[name].dtype.kind in "iu":
        return rows[name].astype(np.int64)
    raise InputError(
        f"Items and candidates have no column '{name}' for a limit to go by.",
        remedy=f"Name one of: {', '.join(items.table.column_names)}.",
    )
