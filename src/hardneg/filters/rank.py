"""A window of ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg.filters._base import Columns, Filter, Judgement, Rule, first_of
from hardneg.notation import require
from hardneg.table import Verdict

__all__ = ["Rank"]


@dataclass(frozen=True)
class Rank(Filter):
    """Suspects the first ranks, where unlabelled positives crowd; drops what comes too late to be hard.

    Ranks are raw: the place in the source's list before any filter, from 0, the positives counted in. Of what has no
    rank (random items, judged negatives) it says nothing.

    Args:
        skip: ranks below this are suspect.
        within: ranks from this on are dropped.
    """

    name: ClassVar[str] = "rank"
    rules: ClassVar[tuple[Rule, ...]] = (Rule("too_early", Verdict.SUSPECT), Rule("too_late", Verdict.DROP))

    skip: int = 0
    within: int | None = None

    def __post_init__(self) -> None:
        require(self.skip >= 0, "skip", "at least 0", self.skip)
        require(self.within is None or self.within > self.skip, "within", f"above 'skip' ({self.skip})", self.within)

    def judge(self, columns: Columns) -> Judgement:
        """Compare the raw rank with the window."""
        rank = columns["rank"]
        late = np.zeros(rank.shape, bool) if self.within is None else rank >= self.within
        return first_of(rank.shape, ((rank >= 0) & (rank < self.skip), rank), (late, rank))
