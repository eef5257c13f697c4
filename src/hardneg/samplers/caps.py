"""How often one item, one confusion of two classes, or one value of any column may serve in all."""

from __future__ import annotations

from collections.abc import Mapping
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
    held back. And of one value of any column there are at most ``per_group``: ``caps(per_group=5, group=image_id)``.

    With one of them this is deferred acceptance (Gale and Shapley 1962): no anchor would rather have an item that
    would rather serve it. With several, a negative needs as many places at once, and what one cap lets through another
    may refuse: proposals would leave places empty. Then all wishes stand in one order, the most wanted first (with
    ``top`` the hardest), and each is granted that there is room for. Neither depends on the order of the work.

    Args:
        per_item: the most anchors for one item; 20 where nothing is given.
        per_pair: the most negatives for one pair of classes. Needs labels.
        per_group: the most negatives with the same value in the column ``group``; what has none is not held back.
        group: that column, as in :class:`hardneg.samplers.Quotas`. Caps on several columns go together.
    """

    name: ClassVar[str] = "caps"

    per_item: int | None = None
    per_pair: int | None = None
    per_group: int | None = None
    group: str = "group"

    def __post_init__(self) -> None:
        if self.per_item is None and self.per_pair is None and self.per_group is None:
            object.__setattr__(self, "per_item", 20)
        given = {"per_item": self.per_item, "per_pair": self.per_pair, "per_group": self.per_group}
        for name, most in given.items():
            require(most is None or most >= 1, name, "at least 1", most)

    @property
    def caps(self) -> Mapping[str, int]:
        """The ceilings by what they are of."""
        given = {"item": self.per_item, "class_pair": self.per_pair, self.group: self.per_group}
        return {name: most for name, most in given.items() if most is not None}

    @property
    def reads(self) -> tuple[str, ...]:
        """The classes, where pairs of them have a cap, and the group, which may be a column of the candidates."""
        return tuple(name for name in self.caps if name != "item")
