"""How often one item, or one confusion of two classes, may serve in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardneg.notation import require
from hardneg.samplers._base import Limit

__all__ = ["Caps"]


@dataclass(frozen=True)
class Caps(Limit):
    """Ceilings for the whole run, for which all anchors compete; who gets nothing takes its next best.

    An item serves at most ``per_item`` anchors: those for which it is hardest. So hubs, which are near to everything,
    do not fill the training set. A pair of classes, the anchor's and the item's in this order, has at most
    ``per_pair`` negatives: the hardest. So one confusion does not drown the others; items without a label are not
    held back.

    With one of them this is deferred acceptance (Gale and Shapley 1962): no anchor would rather have an item that
    would rather serve it. With both, a negative needs two places at once, and what one cap lets through the other may
    refuse: proposals would leave places empty. Then all wishes stand in one order, the most wanted first (with ``top``
    the hardest), and each is granted that there is room for. Neither depends on the order of the work.

    Args:
        per_item: the most anchors for one item; 20 where nothing is given.
        per_pair: the most negatives for one pair of classes. Needs labels.
    """

    name: ClassVar[str] = "caps"

    per_item: int | None = None
    per_pair: int | None = None

    def __post_init__(self) -> None:
        if self.per_item is None and self.per_pair is None:
            object.__setattr__(self, "per_item", 20)
        for name, most in (("per_item", self.per_item), ("per_pair", self.per_pair)):
            require(most is None or most >= 1, name, "at least 1", most)

    @property
    def reads(self) -> tuple[str, ...]:
        """The classes, where pairs of them have a cap."""
        return () if self.per_pair is None else ("class_pair",)
