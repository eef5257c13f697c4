"""What stands in a label's cell, as text: one label, several, or none."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from hardneg.io.readers._ids import encodable
from hardneg.io.readers._rows import Rows

__all__ = ["Label", "LabelReader", "class_names"]

Label = str | tuple[str, ...] | None

_SEPARATORS = ("|", ";", ",")
_KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number"}


class LabelReader:
    """Turns cells into labels; all labels of one file are of one type.

    Args:
        rows: the records, for messages.
        names: what numbers stand for, where the file says so; -1 is then none.
        several: whether a cell of text may hold several labels.

    >>> from pathlib import Path
    >>> read = LabelReader(Rows(Path("a.csv"), "csv", lambda: iter([])), several=True)
    >>> read(1, "cat"), read(2, "cat|dog"), read(3, '["a, b"]'), read(4, "")
    ('cat', ('cat', 'dog'), ('a, b',), None)
    """

    def __init__(self, rows: Rows, names: Sequence[str] | None = None, *, several: bool = False) -> None:
        self._rows, self._names, self._several = rows, names, several
        self._kind: str | None = None
        self._known: dict[tuple[type, object], Label] = {}

    def __call__(self, number: int, value: object) -> Label:
        """Return the label; None for an empty cell, NaN or an empty list.

        Raises InputError for labels of mixed types, and for what is no label.
        """
        if not isinstance(value, (str, int)):
            return self._read(number, value)
        key = type(value), value  # 1 and True are equal
        if key not in self._known:
            self._known[key] = self._read(number, value)
        return self._known[key]

    def _read(self, number: int, value: object) -> Label:
        if isinstance(value, str):
            value = self._listed(value)
        if isinstance(value, (list, tuple)):
            found = [named for one in value if (named := self._one(number, one)) is not None]
            if len(set(found)) < len(found):
                raise self._rows.error(
                    number,
                    f"The label {max(found, key=found.count)!r} is twice in one list.",
                    "Give the labels themselves, each once; a row of zeros and ones is none.",
                )
            return tuple(found) or None
        return self._one(number, value)

    def _listed(self, text: str) -> Any:
        inside = text.strip()
        if inside.startswith("[") and inside.endswith("]") and self._rows.carrier in ("csv", "tsv"):
            try:
                return json.loads(inside)
            except ValueError:
                pass
        separator = next((one for one in _SEPARATORS if one in text), None) if self._several else None
        return [one.strip() for one in text.split(separator)] if separator else text

    def _one(self, number: int, value: object) -> str | None:
        if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
            return None
        if isinstance(value, str) and not value.strip():
            return None
        if isinstance(value, str) and not encodable(value):
            raise self._rows.error(number, f"The label {value!r} is not whole Unicode.")
        kind = _KINDS.get(type(value))
        if kind is None:
            raise self._rows.error(
                number, f"A label must be text or a number. Got {type(value).__name__}.", "Name another column."
            )
        self._kind = self._kind or kind
        if kind != self._kind:
            raise self._rows.error(
                number,
                f"The labels are of mixed types: {value!r} is {kind}, earlier ones are {self._kind}.",
                "Write all of them as text, or all as numbers.",
            )
        return self._named(number, value) if self._names is not None else _text(value)

    def _named(self, number: int, value: Any) -> str | None:
        names = self._names or ()
        if not isinstance(value, int):
            return _text(value)
        if value == -1:
            return None
        if not 0 <= value < len(names):
            raise self._rows.error(number, f"The label {value} is none of the {len(names)} classes of the file.")
        return names[value]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():  # whole numbers beside missing ones, as data frames keep them
        return str(int(value))
    return str(value).strip()


def class_names(schema: Any, column: str) -> list[str] | None:
    """The names of a column's classes, where ``datasets`` wrote them beside the schema (a ``ClassLabel``).

    >>> import pyarrow as pa
    >>> feature = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    >>> schema = pa.schema([("label", pa.int64())], metadata={"huggingface": json.dumps(feature)})
    >>> class_names(schema, "label")
    ['cat', 'dog']
    """
    try:
        feature = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][column]
        while isinstance(feature, (list, dict)) and "names" not in feature:  # a list of labels
            feature = feature[0] if isinstance(feature, list) else feature["feature"]
        names = feature["names"]
    except (KeyError, ValueError, TypeError, IndexError):
        return None
    return [str(one) for one in names] if isinstance(names, list) else None
