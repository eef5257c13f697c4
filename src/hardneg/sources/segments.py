"""What a detector took for the anchor's class in recordings that nobody has labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.ragged import BoolArray
from hardneg.sources._taken import Taken

__all__ = ["Segments"]

_TRUE = ("hit", "repeat")


@dataclass(frozen=True)
class Segments(Taken):
    """The parts of recordings that a detector took for the anchor's class: its false alarms, most of them.

    The items are what ``hardneg listen`` writes: in the column ``heard`` is what each was taken for, in ``peak`` the
    detector's highest score, which ranks them. Where a column ``outcome`` says that the keyword is truly there (``hit``
    or ``repeat``), the item is never proposed. Where nobody knows, it may be there all the same: the filters
    ``unlabelled`` and ``agreement`` hold back what is like the labelled positives.

    Args:
        k: at most this many for an anchor, the highest scores first.
    """

    name: ClassVar[str] = "segments"
    taken: ClassVar[str] = "heard"
    surely: ClassVar[str] = "peak"
    verb: ClassVar[str] = "heard"
    come_from: ClassVar[str] = "They come from: hardneg listen RECORDINGS --detector file.py:function -o heard"

    def truly_there(self, items: pa.Table) -> BoolArray:
        """Which items are known to hold what was heard."""
        if "outcome" not in items.column_names:
            return super().truly_there(items)
        known = pc.is_in(pc.cast(items.column("outcome"), pa.string()), value_set=pa.array(_TRUE))
        return np.asarray(known.to_numpy(), bool)
