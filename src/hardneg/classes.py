"""Which classes anchors and items are of, as whole numbers: labels, groups, identities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.ragged import BoolArray, IntArray, Ragged, places

__all__ = ["Classes", "Codes", "coded", "column_of", "listed_members", "together", "values_of"]

Codes = IntArray | Ragged  # one whole number for each thing, -1 for none, or a row of several


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of anchors and items, as numbers into ``names``.

    Who shares a class is positive. Where it is ``closed``, an item that has a class but shares none is labelled
    otherwise: a negative as far as its label is right. What has no class is unknown.

    ``kind`` says what the anchors are: ``items`` (labelled examples) or the ``classes`` themselves, in order;
    ``column`` is the column that the names come from.
    """

    names: tuple[str, ...]
    anchors: Codes
    items: Codes
    kind: Literal["items", "classes"] = "items"
    closed: bool = True
    column: str = "label"

    def about(self) -> dict[str, object]:
        """What a manifest says of them, which is enough to find them again in the tables of a run."""
        return {"column": self.column, "classes": len(self.names), "anchors": self.kind, "closed": self.closed}

    def share(self, anchors: IntArray, items: IntArray) -> BoolArray:
        """Whether each anchor has a class of its item, shape ``(len(anchors),)``.

        >>> pets = Classes(("cat", "dog"), np.array([0, 1]), np.array([0, 1, -1]))
        >>> pets.share(np.array([0, 0, 0]), np.array([0, 1, 2])).tolist()
        [True, False, False]
        """
        if not isinstance(self.anchors, Ragged) and not isinstance(self.items, Ragged):
            left = self.anchors[anchors]
            return np.asarray((left >= 0) & (left == self.items[items]))
        mine = Ragged.from_codes(self.anchors.take(anchors))
        hits = Ragged.from_codes(self.items).contains(np.repeat(items, mine.lengths()), mine.values)
        return np.asarray(np.bincount(mine.rows()[hits], minlength=len(anchors)) > 0)

    def otherwise(self, anchors: IntArray, items: IntArray) -> BoolArray:
        """Whether each item has a class and shares none with its anchor; nowhere where classes are not closed."""
        if not self.closed:
            return np.zeros(len(anchors), bool)
        return self.labelled()[items] & ~self.share(anchors, items)

    def labelled(self) -> BoolArray:
        """Which items have a class."""
        return np.asarray(self.items.lengths() > 0 if isinstance(self.items, Ragged) else self.items >= 0)

    def of_items(self, what: str) -> IntArray:
        """One class for each item, -1 for none.

        Raises InputError, naming ``what`` needs it, where items have several.
        """
        if not isinstance(self.items, Ragged):
            return self.items
        raise InputError(
            f"'{what}' needs one label for each item, and some items have several.",
            remedy="Leave this step out, or keep one label for each item.",
        )

    def items_of(self, which: BoolArray) -> Codes:
        """The classes of some of the items, as if the others had none."""
        if not isinstance(self.items, Ragged):
            return np.where(which, self.items, -1)
        kept = which[self.items.rows()]
        return Ragged.from_pairs(self.items.rows()[kept], self.items.values[kept], len(self.items))

    def take(self, anchors: IntArray) -> Classes:
        """The same classes for some of the anchors."""
        return replace(self, anchors=self.anchors.take(anchors))


def column_of(things: Collection, name: str, who: str) -> pa.Array:
    """A column of labels or groups.

    Raises InputError where it is missing.
    """
    if name not in things.table.column_names:
        known = ", ".join(one for one in things.table.column_names if one not in ("id", "text")) or "none"
        raise InputError(
            f"The {who} have no column '{name}' to tell them apart by. They have: {known}.",
            remedy="Name a column that they have.",
        )
    return things.table.column(name).combine_chunks()


def values_of(*columns: pa.Array) -> pa.Array:
    """The different values of columns of single values or of lists, as text, in order of first appearance."""
    return pa.concat_arrays([_texts(one) for one in columns]).unique().drop_null()


def coded(column: pa.Array, values: pa.Array) -> Codes:
    """The place of each value among ``values``, -1 for a missing or another one; lists give rows of places.

    >>> coded(pa.array(["dog", None]), pa.array(["cat", "dog"])).tolist()
    [1, -1]
    """
    codes = pc.fill_null(pc.index_in(_texts(column), value_set=values), -1)
    codes = np.asarray(codes.to_numpy(zero_copy_only=False), np.int64)
    if not _is_list(column):
        return codes
    owner = np.asarray(pc.list_parent_indices(column), np.int64)
    return Ragged.from_pairs(owner[codes >= 0], codes[codes >= 0], len(column))


def together(codes: Codes) -> IntArray:
    """One number for each thing: that of its class or, where things have several, of its set of them; -1 for none.

    >>> together(Ragged.from_lists([[0, 2], [], [2], [0, 2]])).tolist()
    [0, -1, 1, 0]
    """
    if not isinstance(codes, Ragged):
        return codes
    lengths, width = codes.lengths(), int(codes.values.max(initial=0)) + 2
    out = np.zeros(len(codes), np.int64)
    for place in range(int(lengths.max(initial=0))):
        some = np.flatnonzero(lengths > place)
        here = np.zeros(len(codes), np.int64)
        here[some] = codes.values[codes.offsets[:-1][some] + place] + 1
        out = np.unique(out * width + here, return_inverse=True)[1].astype(np.int64)
    sets = np.unique(out[lengths > 0])
    return np.where(lengths > 0, np.searchsorted(sets, out), -1)


def listed_members(members: Ragged, among: BoolArray, draws: NDArray[np.float64], listed: int) -> Ragged:
    """For each row the next ``listed`` of its class, where each class stands in a ring in random order.

    So each is listed as often as any other, and a list does not depend on the other classes.
    """
    use = among[members.rows()]
    row, code = members.rows()[use], members.values[use]
    order = np.lexsort((draws[row], code))
    row, code = row[order], code[order]
    sizes = np.bincount(code)
    starts, place, size = (np.cumsum(sizes) - sizes)[code], places(sizes), sizes[code]
    left, right = [], []
    for step in range(1, listed + 1):
        fits = size > step
        left.append(row[fits])
        right.append(row[(starts + (place + step) % size)[fits]])
    return Ragged.from_pairs(np.concatenate(left), np.concatenate(right), len(members))


def _texts(column: pa.Array) -> pa.Array:
    flat = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    flat = flat.flatten() if _is_list(flat) else flat
    try:
        return flat.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"Labels and groups must be text or numbers, or lists of these. Got {column.type}.",
            remedy="Name another column, or write them as text.",
        ) from error


def _is_list(column: pa.Array) -> bool:
    return bool(pa.types.is_list(column.type) or pa.types.is_large_list(column.type))
