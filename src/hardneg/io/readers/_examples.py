"""Labelled examples, row by row, into a collection; Arrow holds all but the last few thousand rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.readers._copies import settled
from hardneg.io.readers._examined import examined
from hardneg.io.readers._example import COLUMNS, SOUNDS, Example, Kind, Place, Taken, Where
from hardneg.io.readers._gather import column_of_values, joined_tables
from hardneg.io.readers._heard import heard, note_rates
from hardneg.io.readers._ids import encodable, text_id
from hardneg.io.readers._labels import Label
from hardneg.io.reading import Skips
from hardneg.ragged import IntArray

__all__ = ["Examples", "Found"]

_CHUNK_ROWS = 16_384
_CHUNK_SIZE = 64_000_000  # characters or bytes held before they become Arrow columns
_FIXED = ("id", "path", "image", "label", "group", "split", "_given", "_key", "_order", "_place", "_number")
_FIXED_OF_SOUNDS = ("audio", "start", "end")
_TEXTS = ("text", "title", "body")  # what is read as text wherever there is such a column
_CONTENT = {
    **{"text": pa.large_string(), "path": pa.string(), "image": pa.large_binary()},
    **{"audio": pa.string(), "audio_bytes": pa.large_binary()},
}


@dataclass(frozen=True, eq=False)
class Found:
    """The items; ``order[i]`` is the place of item ``i`` among all rows read, ``total`` of them."""

    items: Collection
    order: IntArray
    total: int


@dataclass(eq=False)
class Examples:
    """Takes examples of one kind. What is broken or repeats is counted in ``skips``, what is odd in ``notes``.

    Paths are relative to ``root``; an id made from a path is without its beginning ``prefix``. Items that differ in
    the column ``same`` are no copies of one another.
    """

    kind: Kind
    root: Path
    skips: Skips
    notes: Skips
    prefix: str = ""
    same: str = "label"
    total: int = 0
    _chunk: list[Taken] = field(default_factory=list)
    _size: int = 0
    _id_kind: type[object] = object
    _places: list[Place] = field(default_factory=list)
    _tables: list[Any] = field(default_factory=list)

    def add(self, place: Place, example: Example) -> None:
        """Take one example."""
        if self.kind == "text" and not encodable(example.content):
            self.skip(place, example.number, "broken_text")
            return
        if example.given is not None:
            self._check_id(place, example)
        self._chunk.append(Taken(place, example, self.total))
        self.total += 1
        self._size += len(example.content) if example.content is not None else 0
        if len(self._chunk) >= _CHUNK_ROWS or self._size >= _CHUNK_SIZE:
            self._spill()

    def _check_id(self, place: Place, example: Example) -> None:
        """Raise InputError where one table has numbers for ids and another text; within one that was looked at."""
        if not isinstance(example.given, self._id_kind):
            raise InputError(
                f"{place.place(example.number)}: The item id {example.given!r} is {type(example.given).__name__}, "
                f"those of the other table are {self._id_kind.__name__}.",
                remedy="Write all of them as text, or all as whole numbers.",
            )
        self._id_kind = type(example.given)

    def skip(self, place: Place, number: int, reason: str) -> None:
        """Count a row that is no example; it keeps its place in the order of the file."""
        self.skips.add(reason, place.place(number))
        self.total += 1

    def finish(self) -> Found:
        """Return all that can be used; no items where nothing can."""
        self._spill()
        sounds = _FIXED_OF_SOUNDS if self.kind in SOUNDS else ()
        if not self._tables:
            return Found(Collection(pa.table({"id": pa.array([], pa.string())})), np.zeros(0, np.int64), self.total)
        table, self._tables = joined_tables(self._tables, (*_FIXED, *sounds)), []
        if self.kind == "audio":  # only now, so that a file is decoded once for all rows that name parts of it
            table = heard(table, self.root, self._places, self.skips, self.notes)
        if sounds and len(table):
            note_rates(table.column("rate"), Where(table, self._places), self.notes)
        table = settled(table, self._places, self.skips, self.notes, self.prefix, self.same)
        order = table.column("_order").to_numpy()
        root = self.root if self.kind in ("path", "audio") else None
        return Found(Collection(table.drop_columns(["_order"]), root), order, self.total)

    def _spill(self) -> None:
        """Turn what was taken into Arrow columns; of pictures, and of sounds in memory, without what is broken."""
        chunk, self._chunk, self._size = self._chunk, [], 0
        columns: dict[str, pa.Array] = {}
        if self.kind in ("path", "image"):
            chunk, columns = examined(chunk, self.root if self.kind == "path" else None, self.skips, self.notes)
        elif self.kind in ("text", "vector"):
            columns = {"_key": pa.array([self._key(one) for one in chunk], pa.binary())}
        if not chunk:
            return
        columns["_order"] = pa.array([one.order for one in chunk], pa.int64())
        columns["_place"] = pa.array([self._number_of(one.place) for one in chunk], pa.int32())
        table = pa.table({**_columns([one.example for one in chunk], self.kind), **columns})
        if self.kind == "audio_bytes":
            table = heard(table, None, self._places, self.skips, self.notes)
        self._tables.append(table)

    def _key(self, one: Taken) -> bytes:
        """What stands for the content of a text; a row with a vector alone is like no other."""
        return (text_id(one.example.content) if self.kind == "text" else str(one.order)).encode()

    def _number_of(self, place: Place) -> int:
        if not self._places or self._places[-1] is not place:
            self._places.append(place)
        return len(self._places) - 1


def _columns(examples: Sequence[Example], kind: Kind) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "_given": pa.array([one.given for one in examples]),
        "_number": pa.array([one.number for one in examples], pa.int64()),
    }
    if kind != "vector":
        columns[COLUMNS[kind]] = pa.array([one.content for one in examples], _CONTENT[kind])
    if kind in SOUNDS:
        columns["start"] = pa.array([one.start for one in examples], pa.float64())
        columns["end"] = pa.array([one.end for one in examples], pa.float64())
    # Labels stay JSON until all are known: one list among them makes all of them lists.
    columns["label"] = pa.array([_dumped(one.label) for one in examples], pa.string())
    columns["group"] = pa.array([one.group for one in examples], pa.string())
    columns["split"] = pa.array([one.split for one in examples], pa.string())
    for name in dict.fromkeys(name for one in examples for name in one.extra):
        if name not in _FIXED and name not in columns:
            values = [one.extra.get(name) for one in examples]
            columns[name] = _as_text(values) if name in _TEXTS else column_of_values(values)
    return columns


def _as_text(values: Sequence[object]) -> pa.Array:
    """Text, whatever stood there."""
    said = [None if one is None else str(one).encode("utf-8", "backslashreplace").decode() for one in values]
    return pa.array(said, _CONTENT["text"])


def _dumped(label: Label) -> str | None:
    return None if label is None else json.dumps(label, ensure_ascii=False)
