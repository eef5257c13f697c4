"""A random choice from a window of the kept: hard, but not the very hardest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg import random
from hardneg.notation import require
from hardneg.ragged import place_within
from hardneg.samplers._base import Chooser, Preference
from hardneg.table import Rows

__all__ = ["Band"]


@dataclass(frozen=True)
class Band(Chooser):
    """``n`` at random among the kept candidates in places ``skip`` to ``within`` by score.

    Args:
        n, on_short: see :class:`hardneg.samplers.Chooser`.
        skip: leave out this many of the hardest.
        within: choose among the places before this one.
    """

    name: ClassVar[str] = "band"

    skip: int = 0
    within: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.skip >= 0, "skip", "at least 0", self.skip)
        require(self.within > self.skip, "within", f"above 'skip' ({self.skip})", self.within)

    def prefer(self, rows: Rows, seed: int) -> Preference:
        """Random numbers inside the window, never outside."""
        place = place_within(rows.anchor)
        inside = (place >= self.skip) & (place < self.within)
        return np.where(inside, random.uniform(seed, rows["anchor_key"], rows["item_key"]), -np.inf)
