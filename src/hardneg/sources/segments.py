"""What a detector took for the anchor's class in recordings that nobody has labelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.classes import coded
from hardneg.context import Context
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import BoolArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.sources._base import Propose, Source
from hardneg.sources._by_class import by_class

__all__ = ["Segments"]

_TRUE = ("hit", "repeat")


@dataclass(frozen=True)
class Segments(Source):
    """The parts of recordings that a detector took for the anchor's class: its false alarms, most of them.

    The items are what ``hardneg listen`` writes: in the column ``heard`` is what each was taken for, in ``peak`` the
    detector's highest score, which ranks them. Where a column ``outcome`` says that the keyword is truly there (``hit``
    or ``repeat``), the item is never proposed. Where nobody knows, it may be there all the same: the filters
    ``unlabelled`` and ``agreement`` hold back what is like the labelled positives.

    Args:
        k: at most this many for an anchor, the highest scores first.
    """

    name: ClassVar[str] = "segments"
    promises_k: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = True

    k: int = field(default=200, metadata={"always": True})

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)

    def prepare(self, context: Context) -> Propose:
        """List for each class what was taken for it.

        Raises InputError where the items lack ``heard`` or ``peak``, and where nothing was taken for any class.
        """
        classes, positives = context.classes(self.name), context.positives
        items = positives.items.table
        missing = [one for one in ("heard", "peak") if one not in items.column_names]
        if missing:
            raise InputError(
                f"'{self.name}' needs items with the column '{missing[0]}'.",
                remedy="They come from: hardneg listen RECORDINGS --detector file.py:function -o heard",
            )
        heard = coded(items.column("heard").combine_chunks(), pa.array(classes.names, pa.string()))
        pairs = Ragged.from_codes(heard)
        if not len(pairs.values):
            names = ", ".join(str(one) for one in items.column("heard").unique().drop_null().to_pylist()[:5])
            raise InputError(
                f"Nothing was heard as one of the classes. Heard: {names or 'nothing'}; classes: "
                f"{', '.join(classes.names[:5])}.",
                remedy="Name the detector's keyword like the class: hardneg listen --keyword NAME.",
            )
        rows, of = pairs.rows(), pairs.values
        peaks = _peaks(items)
        use = ~np.isnan(peaks[rows]) & ~_truly_there(items)[rows] & ~positives.barred[rows]
        rows, of = rows[use], of[use]
        lists = Ragged.from_pairs(of, rows, len(classes.names))
        context.notes["heard"] = {name: int(n) for name, n in zip(classes.names, lists.lengths(), strict=True) if n}
        return by_class(positives, classes, lists, peaks[lists.values], self.k)


def _peaks(items: pa.Table) -> FloatArray:
    try:
        return np.asarray(items.column("peak").cast(pa.float32()).to_numpy(), np.float32)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"The column 'peak' must hold numbers: {error}.") from None


def _truly_there(items: pa.Table) -> BoolArray:
    """Which items are known to hold what was heard."""
    if "outcome" not in items.column_names:
        return np.zeros(len(items), bool)
    known = pc.is_in(pc.cast(items.column("outcome"), pa.string()), value_set=pa.array(_TRUE))
    return np.asarray(known.to_numpy(), bool)
