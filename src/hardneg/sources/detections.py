"""What a detector took for the anchor's category where it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa

from hardneg.classes import coded
from hardneg.context import Context
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import Ragged
from hardneg.sources._base import Propose, Source
from hardneg.sources._by_class import by_class

__all__ = ["Detections"]


@dataclass(frozen=True)
class Detections(Source):
    """The mistakes of a detector that took them for the anchor's category: backgrounds and things of another category.

    The items are those of ``Positives.from_boxes``: ``predicted`` says what each was taken for, ``detector_score`` how
    surely, which ranks them. A background that is in fact a thing without a label is proposed as well: the filters tell
    them apart.

    Args:
        k: at most this many for a category, the highest scores first.
    """

    name: ClassVar[str] = "detections"
    promises_k: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = True

    k: int = field(default=200, metadata={"always": True})

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)

    def prepare(self, context: Context) -> Propose:
        """List for each category what was taken for it.

        Raises InputError where the items lack ``predicted`` or ``detector_score``.
        """
        classes, positives = context.classes(self.name), context.positives
        items = positives.items.table
        for name in ("predicted", "detector_score"):
            if name not in items.column_names:
                raise InputError(
                    f"'{self.name}' needs items with the column '{name}'.",
                    remedy="They come from Positives.from_boxes, or: hardneg mine boxes.json --predictions found.json",
                )
        predicted = Ragged.from_codes(coded(items.column("predicted"), pa.array(classes.names, pa.string())))
        rows, of = predicted.rows(), predicted.values
        scores = items.column("detector_score").to_numpy().astype(np.float32)
        use = ~np.isnan(scores[rows]) & ~positives.barred[rows]
        lists = Ragged.from_pairs(of[use], rows[use], len(classes.names))
        context.notes["detected"] = {name: int(n) for name, n in zip(classes.names, lists.lengths(), strict=True) if n}
        return by_class(positives, classes, lists, scores[lists.values], self.k)
