"""Columns of labels or groups as whole numbers, the same for anchors and items."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.ragged import IntArray, Ragged
from hardneg.search import Unlike

__all__ = ["unlike"]


def unlike(anchors: Collection, items: Collection, name: str) -> Unlike:
    """What anchors and items may not share in a column that both have: one value each, or lists of values.

    Raises InputError where one of them lacks the column.

    >>> both = Collection(pa.table({"id": ["a", "b"], "label": ["cat", None]}))
    >>> unlike(both, both, "label").items.tolist()
    [0, -1]
    """
    for side, who in ((anchors, "anchors"), (items, "items")):
        if name not in side.table.column_names:
            known = ", ".join(one for one in side.table.column_names if one not in ("id", "text")) or "none"
            raise InputError(
                f"The {who} have no column '{name}' to tell them apart by. They have: {known}.",
                remedy="Name a column that anchors and items both have.",
            )
    left, right = (side.table.column(name).combine_chunks() for side in (anchors, items))
    values = pa.concat_arrays([_flat(one).cast(pa.string()) for one in (left, right)]).unique().drop_null()
    return Unlike(_coded(left, values), _coded(right, values))


def _flat(column: pa.Array) -> pa.Array:
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return column.flatten() if _is_list(column) else column


def _is_list(column: pa.Array) -> bool:
    return bool(pa.types.is_list(column.type) or pa.types.is_large_list(column.type))


def _coded(column: pa.Array, values: pa.Array) -> IntArray | Ragged:
    codes = pc.fill_null(pc.index_in(_flat(column).cast(pa.string()), value_set=values), -1)
    codes = np.asarray(codes.to_numpy(zero_copy_only=False), np.int64)
    if not _is_list(column):
        return codes
    owner = np.asarray(pc.list_parent_indices(column), np.int64)
    return Ragged.from_pairs(owner[codes >= 0], codes[codes >= 0], len(column))
