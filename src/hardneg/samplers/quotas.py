"""So many of a kind for each anchor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hardneg.errors import OptionError
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.samplers._base import Limit, groups_of
from hardneg.table import Array, Rows

if TYPE_CHECKING:
    from hardneg.collection import Collection

__all__ = ["Quotas"]


@dataclass(frozen=True)
class Quotas(Limit):
    """A mix of hard, semi-hard and easy negatives, and ceilings for sources, groups and classes, anchor by anchor.

    Grades compare a negative's score with the anchor's reference positive: the lowest, highest or mean score of its
    positives, as the first margin says (else the lowest). With labels these are the members of the anchor's class that
    are listed as its positives, so a hard negative is nearer than one's own class is.

    Args:
        hard: share of ``n`` for negatives at or above the positive's score; 0 to 1.
        semi_hard: share of ``n`` for those just below it.
        easy: share of ``n`` for the rest. Shares not given divide what is left evenly.
        per_source: at most this many with the same provenance.
        per_group: at most this many with the same value in the column ``group``; what has none is not held back.
        group: that column: of the items or, where these have none of the name, of the candidates, such as ``cluster``.
            Of boxes ``image_id``, ``sequence`` (of the film), ``mistake`` (background or confusion) and ``label`` (what
            is there) are columns. Several quotas go together.
        per_class: at most this many of the same class; several labels together are a class of their own, and what
            has none is not held back. Needs labels.
    """

    name: ClassVar[str] = "quotas"

    hard: float | None = None
    semi_hard: float | None = None
    easy: float | None = None
    per_source: int | None = None
    per_group: int | None = None
    group: str = "group"
    per_class: int | None = None

    def __post_init__(self) -> None:
        given = [share for share in self._shares if share is not None]
        for name, share in zip(("easy", "semi_hard", "hard"), self._shares, strict=True):
            require(share is None or 0 <= share <= 1, name, "in [0, 1]", share)
        require(sum(given) <= 1 + 1e-9, "sum of the shares", "at most 1", sum(given))
        require(len(given) < 3 or sum(given) > 1 - 1e-9, "sum of the three shares", "1", sum(given))
        ceilings = {"per_source": self.per_source, "per_group": self.per_group, "per_class": self.per_class}
        for name, most in ceilings.items():
            require(most is None or most >= 1, name, "at least 1", most)
        if not given and all(most is None for most in ceilings.values()):
            raise OptionError("quotas needs at least one quota, as in quotas(semi_hard=0.5, easy=0.5).")

    @property
    def _shares(self) -> tuple[float | None, float | None, float | None]:
        return self.easy, self.semi_hard, self.hard  # in the order of Grade

    @property
    def reads(self) -> tuple[str, ...]:
        """The class of the item, and the group, which may be a column of the candidates."""
        group = () if self.per_group is None else (self.group,)
        return group if self.per_class is None else (*group, "item_class")

    def counts(self, n: int) -> list[int]:
        """How many of ``n`` are easy, semi-hard and hard: shares rounded by largest remainder.

        >>> Quotas(hard=0.5, semi_hard=0.3, easy=0.2).counts(8)
        [2, 2, 4]
        """
        free = [share is None for share in self._shares]
        left = 1 - sum(share or 0 for share in self._shares)
        exact = [n * (left / sum(free) if share is None else share) for share in self._shares]
        counts = [int(value + 1e-9) for value in exact]
        by_remainder = sorted(range(3), key=lambda i: (counts[i] - exact[i], -i))
        for i in by_remainder[: n - sum(counts)]:
            counts[i] += 1
        return counts

    def kinds(
        self, rows: Rows, wanted: IntArray, items: Collection, source_names: Sequence[str]  # noqa: ARG002
    ) -> list[tuple[Array, Array]]:  # fmt: skip
        """Grade, source and group of every row, with their limits."""
        found: list[tuple[Array, Array]] = []
        if any(share is not None for share in self._shares):
            sizes, size = np.unique(wanted, return_inverse=True)  # the grades of an anchor that wants so many
            limits = np.array([self.counts(int(n)) for n in sizes]).reshape(-1)
            found.append((size[rows.anchor] * 3 + rows["grade"].astype(np.int64), limits))
        if self.per_source is not None:
            found.append(_at_most(np.unique(rows["source"], return_inverse=True)[1], self.per_source))
        if self.per_group is not None:
            found.append(_at_most(_apart(groups_of(self.group, rows, items)), self.per_group))
        if self.per_class is not None:
            found.append(_at_most(_apart(rows["item_class"]), self.per_class))
        return found


def _apart(codes: Array) -> Array:
    """Codes from 0 on, where each -1 has become one of its own."""
    codes = codes.astype(np.int64)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = codes.max(initial=0) + 1 + np.arange(len(alone))
    return np.unique(codes, return_inverse=True)[1]


def _at_most(kinds: Array, most: int) -> tuple[Array, Array]:
    return kinds, np.full(int(kinds.max(initial=0)) + 1, most)
