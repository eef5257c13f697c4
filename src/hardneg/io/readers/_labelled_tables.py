"""Labelled examples from tables: which columns they are in, and what stands in them."""

from __future__ import annotations

from array import array
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._cells import (
    Found,
    NoExample,
    bytes_in,
    further_names,
    may_be_sound,
    path_in,
    text_in,
    times_of,
)
from hardneg.io.readers._columns import Columns
from hardneg.io.readers._example import SOUNDS, Example, Kind
from hardneg.io.readers._examples import Examples
from hardneg.io.readers._ids import IdCheck, encodable
from hardneg.io.readers._labelled_names import (
    LABELLED_ROLES,
    SAME,
    SOUND_ROLES,
    UNLABELLED,
    holds_several,
    is_picture,
    is_sound,
    same_as,
)
from hardneg.io.readers._labels import Label, LabelReader, class_names
from hardneg.io.readers._media import Media
from hardneg.io.readers._names import normal
from hardneg.io.readers._rows import Record, Rows
from hardneg.io.readers._tables import schema_of

__all__ = ["Table"]

_PEEKED = 100  # rows looked at to see what kind of content there is


class Table:
    """One table of examples, or one split of a saved data set.

    ``labelled`` says whether labels are looked at; ``split`` is that of all its rows, where they have none each.
    """

    def __init__(
        self, rows: Rows, options: ReadOptions, seen: set[str], *, split: str | None = None, labelled: bool = True
    ) -> None:
        self.rows, self._options, self._split, self._labelled = rows, options, split, labelled
        self._seen, self._same = seen, same_as(options.positives)
        self._columns = Columns(LABELLED_ROLES, rows, options, seen)
        self._ids = IdCheck("item", rows)
        self._labels: dict[str, LabelReader] = {}
        self._vectors, self._width = array("f"), 0
        self._names: dict[tuple[str, ...], list[tuple[str, str]]] = {}

    def kind(self) -> Kind:
        """What the examples are: texts, pictures or sounds as paths or as bytes, or vectors alone.

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
            f"There is no text, no picture and no sound in it. Found: {names}.",
            path=self.rows.path,
            remedy="Say where it is with --column text=NAME, --column path=NAME or --column audio=NAME.",
        )

    def _kind_of(self, record: Record, found: Found) -> Kind | None:
        roles = ("image", "audio", "path", "text", "vector")
        chosen = [one for one in roles if self._options.columns.get(one) in record]
        values = {role: record[found[role][0]] for role in roles if role in found}
        if (image := values.get("image")) is not None and (not chosen or "image" in chosen):
            return "image" if bytes_in(image) is not None else "path"
        audio = values.get("audio")
        if audio and (not chosen or "audio" in chosen) and may_be_sound(audio, alone="text" not in found):
            return "audio_bytes" if bytes_in(audio) is not None else "audio"
        path = values.get("path")
        if path and (not chosen or "path" in chosen) and is_sound(str(path)):
            return "audio"
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
        roles = SOUND_ROLES if examples.kind in SOUNDS else LABELLED_ROLES
        self._columns = Columns(roles, self.rows, self._options, self._seen)
        bare, named = None, not self._labelled
        for number, record in self.rows:
            found = self._columns(record)
            named = named or self._same in found or self._same in record
            bare = bare or (number, record)
            try:
                content = self._content(number, record, found, examples.kind, media)
                example = self._example(number, record, found, examples.kind, content)
            except NoExample as skip:
                examples.skip(self.rows, number, str(skip))
                continue
            examples.add(self.rows, example)
        if bare is not None and not named and self._same in roles:
            self._columns.need(*bare, self._same)

    def vectors(self) -> NDArray[np.float32] | None:
        """The vectors that stood in the rows, shape ``(rows, d)``, in order; None where none did."""
        return np.frombuffer(self._vectors, np.float32).reshape(-1, self._width) if self._width else None

    def _content(self, number: int, record: Record, found: Found, kind: Kind, media: Media) -> Any:
        if kind == "vector":
            if "vector" in found:
                self._keep_vector(number, record[found["vector"][0]])
            return None
        if kind in ("path", "audio"):
            return path_in(self._named_file(record, found, "image" if kind == "path" else "audio"), media)
        if kind in ("image", "audio_bytes"):
            role = kind.removesuffix("_bytes")
            inside = bytes_in(record[found[role][0]]) if role in found else None
            if inside is None:
                raise NoExample(f"missing_{role}")
            return inside
        value = record[found[kind][0]] if kind in found else None
        if value is not None and not isinstance(value, str):
            raise self.rows.error(number, f"The text must be text. Got {type(value).__name__}.")
        if not value or not value.strip():
            raise NoExample("empty_text")
        return value

    def _named_file(self, record: Record, found: Found, role: str) -> object:
        roles = ("path", role) if "path" in self._options.columns else (role, "path")
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
        split, labelled = self._split, self._labelled
        if "split" in found:
            split = self._name(number, record, found["split"][0]) or split
        if split is not None and normal(split) in UNLABELLED:
            split, labelled = None, False
        own = self._ids(number, record[found["id"][0]]) if "id" in found else None
        label = self._label(number, record, found["label"][0]) if "label" in found and labelled else None
        group = self._name(number, record, found["group"][0]) if "group" in found and self._labelled else None
        extra = self._further(record, found, kind)
        times: tuple[float | None, float | None] = (None, None)
        if kind in SOUNDS:
            extra |= {one: self._name(number, record, found[one][0]) for one in ("speaker", "session") if one in found}
            times = times_of(record, found)
        if self._same not in SAME.values() and (name := self._same_column(record, found)) is not None:
            extra[self._same] = self._label(number, record, name) if labelled else None
        return Example(number, own, content, label, group, split, extra, *times)

    def _same_column(self, record: Record, found: Found) -> str | None:
        """The column that says what is the same, where that is neither a label nor a group."""
        return found[self._same][0] if self._same in found else self._same if self._same in record else None

    def _name(self, number: int, record: Record, column: str) -> str | None:
        """The name of a group or of a split."""
        name = text_in(record[column])
        if name is not None and not encodable(name):
            raise self.rows.error(number, f"The {column} {name!r} is not whole Unicode.")
        return name

    def _label(self, number: int, record: Record, column: str) -> Label:
        if column not in self._labels:
            schema = schema_of(self.rows.path, self.rows.carrier)
            names = class_names(schema, column) if schema is not None else None
            self._labels[column] = LabelReader(self.rows, names, several=holds_several(column))
        return self._labels[column](number, record[column])

    def _further(self, record: Record, found: Found, kind: Kind) -> dict[str, object]:
        """The columns without a role. Vectors are read by themselves; what is no content may not be called one."""
        key = tuple(record)
        if key not in self._names:
            self._names[key] = further_names(key, found, kind)
        return {
            to: value
            for name, to in self._names[key]
            if not (isinstance(value := record[name], list) and value and isinstance(value[0], float))
        }
