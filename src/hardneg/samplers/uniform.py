"""A random choice of the kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardneg import random
from hardneg.samplers._base import Chooser, Preference
from hardneg.table import Rows

__all__ = ["Uniform"]


@dataclass(frozen=True)
class Uniform(Chooser):
    """``n`` kept candidates of each anchor, each as likely as any other.

    Args:
        n, on_short: see :class:`hardneg.samplers.Chooser`.
    """

    name: ClassVar[str] = "uniform"

    def prefer(self, rows: Rows, seed: int) -> Preference:
        """Random numbers."""
        return random.uniform(seed, rows["anchor_key"], rows["item_key"])
