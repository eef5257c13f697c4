"""Labelled examples from tables: which columns they are in, and what stands in them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._columns import Columns
from hardneg.io.readers._example import Example, Kind
from hardneg.io.readers._examples import Examples
from hardneg.io.readers._ids import IdCheck, encodable
from hardneg.io.readers._labelled_names import LABELLED_ROLES, UNLABELLED, holds_several, is_picture
from hardneg.io.readers._labels import Label, LabelReader, class_names
from hardneg.io.readers._media import Media
from hardneg.io.readers._names import normal
from hardneg.io.readers._rows import Record, Rows
from hardneg.io.readers._tables import schema_of

__all__ = ["Table"]

_PEEKED = 100  # rows looked at to see what kind of content there is
Found = Mapping[str, tuple[str, ...]]


class Table:
    """One table of examples, or one split of a saved data set.

    ``labelled`` says whether labels are looked at; ``split`` is that of all its rows, where they have none each.
    """

    def __init__(
        self, rows: Rows, options: ReadOptions, seen: set[str], *, split: str | None = None, labelled: bool = True
    ) -> None:
        self.rows, self._options, self._split, self._labelled = rows, options, split, labelled
        self._columns = Columns(LABELLED_ROLES, rows, options, seen)
        self._ids = IdCheck("item", rows)
        self._labels: LabelReader | None = None
        self._vectors, self._width = array("f"), 0
        self._names: dict[tuple[str, ...], list[tuple[str, str]]] = {}

    def kind(self) -> Kind:
        """What the examples are: texts, paths of pictures, pictures, or vectors alone.

        Raises InputError where there is none of these.
        """
        first = None
        for number, record in islice(self.rows, _PEEKED):
            first = first or (number, record)
            if (kind := self._kind_of(record, self._columns(record))) is not None:
                return kind
        if first is None:
            raise InputError("There is no row in it.", path=self.rows.path, remedy="Check that it is complete.")
        if self._options.item_vectors is not None or self._has_vectors():
            return "vector"
        names = ", ".join(first[1]) or "nothing"
        raise InputError(
            f"There is neither a text nor a picture in it. Found: {names}.",
            path=self.rows.path,
            remedy="Say where it is with --column text=NAME or --column path=NAME.",
        )

    def _kind_of(self, record: Record, found: Found) -> Kind | None:
        chosen = [one for one in ("image", "path", "text", "vector") if self._options.columns.get(one) in record]
        values = {role: record[found[role][0]] for role in ("image", "path", "text", "vector") if role in found}
        if (image := values.get("image")) is not None and (not chosen or "image" in chosen):
            inside = image.get("bytes") if isinstance(image, Mapping) else image
            return "image" if isinstance(inside, bytes) else "path"
        path = values.get("path")
        if path and (not chosen or "path" in chosen) and ("text" not in found or is_picture(str(path))):
            return "path"
        if values.get("text") and (not chosen or "text" in chosen):
            return "text"
        return "vector" if values.get("vector") else None

    def _has_vectors(self) -> bool:
        """Whether a Parquet file or a saved data set holds vectors, which do not pass through its records."""
        schema = schema_of(self.rows.path, self.rows.carrier)
        named = LABELLED_ROLES["vector"]
        return schema is not None and any(normal(name) in named for name in schema.names)

    def feed(self, examples: Examples, media: Media) -> None:
        """Give all rows to ``examples``.

        Raises InputError where no row has a column for the label, naming what there is.
        """
        needed = "group" if self._options.positives == "groups" else "label"
        bare, named = None, not self._labelled
        for number, record in self.rows:
            found = self._columns(record)
            named = named or needed in found
            bare = bare or (number, record)
            content = self._content(number, record, found, examples.kind, media)
            if isinstance(content, _Skip):
                examples.skip(self.rows, number, content)
                continue
            examples.add(self.rows, self._example(number, record, found, examples.kind, content))
        if bare is not None and not named:
            self._columns.need(*bare, needed)

    def vectors(self) -> NDArray[np.float32] | None:
        """The vectors that stood in the rows, shape ``(rows, d)``, in order; None where none did."""
        return np.frombuffer(self._vectors, np.float32).reshape(-1, self._width) if self._width else None

    def _content(self, number: int, record: Record, found: Found, kind: Kind, media: Media) -> Any:
        if kind == "vector":
            if "vector" in found:
                self._keep_vector(number, record[found["vector"][0]])
            return None
        if kind == "path":
            return _path(self._named_file(record, found), media)
        value = record[found[kind][0]] if kind in found else None
        if kind == "image":
            inside = value.get("bytes") if isinstance(value, Mapping) else value
            return inside if isinstance(inside, bytes) else _Skip("missing_image")
        if value is not None and not isinstance(value, str):
            raise self.rows.error(number, f"The text must be text. Got {type(value).__name__}.")
        return value if value and value.strip() else _Skip("empty_text")

    def _named_file(self, record: Record, found: Found) -> object:
        roles = ("path", "image") if "path" in self._options.columns else ("image", "path")
        return next((value for one in roles if one in found and (value := record[found[one][0]])), None)

    def _keep_vector(self, number: int, value: Any) -> None:
        whole = isinstance(value, list) and value and all(isinstance(one, (int, float)) for one in value)
        if not whole or (self._width and len(value) != self._width):
            raise self.rows.error(
                number, f"The vector must be a list of {self._width or 'at least one'} numbers.", "Encode it again."
            )
        self._width = len(value)
        try:
            self._vectors.extend(value)
        except OverflowError:
            raise self.rows.error(number, "The vector holds a number beyond all bounds.", "Encode it again.") from None

    def _example(self, number: int, record: Record, found: Found, kind: Kind, content: Any) -> Example:
        split, label = self._split, None
        if "split" in found:
            split = self._name(number, record, found["split"][0]) or split
        if "label" in found and self._labelled:
            label = self._label(number, record, found["label"][0])
        if split is not None and normal(split) in UNLABELLED:
            split, label = None, None
        own = self._ids(number, record[found["id"][0]]) if "id" in found else None
        group = self._name(number, record, found["group"][0]) if "group" in found and self._labelled else None
        return Example(number, own, content, label, group, split, self._further(record, found, kind))

    def _name(self, number: int, record: Record, column: str) -> str | None:
        """The name of a group or of a split."""
        name = _text(record[column])
        if name is not None and not encodable(name):
            raise self.rows.error(number, f"The {column} {name!r} is not whole Unicode.")
        return name

    def _label(self, number: int, record: Record, column: str) -> Label:
        if self._labels is None:
            schema = schema_of(self.rows.path, self.rows.carrier)
            names = class_names(schema, column) if schema is not None else None
            self._labels = LabelReader(self.rows, names, several=holds_several(column))
        return self._labels(number, record[column])

    def _further(self, record: Record, found: Found, kind: Kind) -> Record:
        """The columns without a role. Vectors are read by themselves; what is no picture may not be called one."""
        key = tuple(record)
        if key not in self._names:
            self._names[key] = _further_names(key, found, pictures=kind in ("path", "image"))
        return {
            to: value
            for name, to in self._names[key]
            if not (isinstance(value := record[name], list) and value and isinstance(value[0], float))
        }


def _further_names(names: Iterable[str], found: Found, *, pictures: bool) -> list[tuple[str, str]]:
    used = ("id", "label", "group", "split", *(("image", "path") if pictures else ("text",)))
    gone = {found[role][0] for role in used if role in found}
    other = {"path": "path_", "image": "image_"}
    if pictures and "text" in found:
        other[found["text"][0]] = "text"
    return [(name, other.get(name, name)) for name in names if name not in gone]


class _Skip(str):
    """Why a row is no example."""


def _path(value: Any, media: Media) -> Any:
    value = value.get("path") if isinstance(value, Mapping) else value
    text = _text(value)
    if text is None:
        return _Skip("missing_path")
    if "://" in text:
        return _Skip("no_local_file")
    if not encodable(text):
        return _Skip("broken_name")
    return media.relative(text) or _Skip("path_outside_folder")


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value).strip() or None
