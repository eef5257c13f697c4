"""What sources share whose items say what a detector took them for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa

from hardneg.classes import coded
from hardneg.context import Context
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import BoolArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.sources._base import Propose, Source
from hardneg.sources._by_class import by_class

__all__ = ["Taken"]


@dataclass(frozen=True)
class Taken(Source):
    """Proposes for each anchor what was taken for its class, the surest first.

    ``taken`` is the column that says for what, ``surely`` that of the detector's score; ``verb`` is what the detector
    does, and ``come_from`` tells where items with these columns come from.
    """

    promises_k: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = True
    taken: ClassVar[str]
    surely: ClassVar[str]
    verb: ClassVar[str]
    come_from: ClassVar[str]

    k: int = field(default=200, metadata={"always": True})

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)

    def prepare(self, context: Context) -> Propose:
        """List for each class what was taken for it.

        Raises InputError where the items lack one of the columns, and where nothing was taken for any of the classes.
        """
        classes, positives = context.classes(self.name), context.positives
        items = positives.items.table
        for name in (self.taken, self.surely):
            if name not in items.column_names:
                raise InputError(f"'{self.name}' needs items with the column '{name}'.", remedy=self.come_from)
        found = items.column(self.taken).combine_chunks()
        pairs = Ragged.from_codes(coded(found, pa.array(classes.names, pa.string())))
        if found.null_count < len(found) and not len(pairs.values):
            names = ", ".join(str(one) for one in found.unique().drop_null().to_pylist()[:5])
            raise InputError(
                f"Nothing was {self.verb} as one of the classes. {self.verb.capitalize()}: {names}; classes: "
                f"{', '.join(classes.names[:5])}.",
                remedy=f"Give what is {self.verb} and the class the same name.",
            )
        rows, of, scores = pairs.rows(), pairs.values, _numbers(items, self.surely)
        use = ~np.isnan(scores[rows]) & ~positives.barred[rows] & ~self.truly_there(items)[rows]
        lists = Ragged.from_pairs(of[use], rows[use], len(classes.names))
        counts = zip(classes.names, lists.lengths(), strict=True)
        context.notes[self.verb] = {name: int(count) for name, count in counts if count}
        return by_class(positives, classes, lists, scores[lists.values], self.k)

    def truly_there(self, items: pa.Table) -> BoolArray:
        """Which items are known to be what they were taken for: these are never proposed."""
        return np.zeros(len(items), bool)


def _numbers(items: pa.Table, name: str) -> FloatArray:
    try:
        return np.asarray(items.column(name).cast(pa.float32()).to_numpy(), np.float32)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"The column '{name}' must hold numbers: {error}.") from None
