"""How often one item may serve: a guard against hubs, items that are near to everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardneg.notation import require
from hardneg.samplers._base import Limit

__all__ = ["Caps"]


@dataclass(frozen=True)
class Caps(Limit):
    """Each item serves at most ``per_item`` anchors: those for which it is hardest. The others take their next best.

    Args:
        per_item: the most anchors for one item.
    """

    name: ClassVar[str] = "caps"

    per_item: int = 20

    def __post_init__(self) -> None:
        require(self.per_item >= 1, "per_item", "at least 1", self.per_item)
