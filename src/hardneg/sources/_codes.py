"""Columns of labels or groups as whole numbers, the same for anchors and items."""

from __future__ import annotations

from hardneg.classes import coded, column_of, values_of
from hardneg.collection import Collection
from hardneg.search import Unlike

__all__ = ["unlike"]


def unlike(anchors: Collection, items: Collection, name: str) -> Unlike:
    """What anchors and items may not share in a column that both have: one value each, or lists of values.

    Raises InputError where one of them lacks the column.

    >>> import pyarrow as pa
    >>> both = Collection(pa.table({"id": ["a", "b"], "label": ["cat", None]}))
    >>> unlike(both, both, "label").items.tolist()
    [0, -1]
    """
    left, right = column_of(anchors, name, "anchors"), column_of(items, name, "items")
    values = values_of(left, right)
    return Unlike(coded(left, values), coded(right, values))
