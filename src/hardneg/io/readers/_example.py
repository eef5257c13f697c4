"""One labelled example, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

from hardneg.collection import Id
from hardneg.io.readers._labels import Label
from hardneg.ragged import IntArray

if TYPE_CHECKING:
    from hardneg.io.readers._examples import Examples
    from hardneg.io.readers._media import Media

__all__ = ["COLUMNS", "SOUNDS", "Example", "Kind", "Part", "Place", "Taken", "Where"]

Kind = Literal["text", "path", "image", "audio", "audio_bytes", "vector"]
"""Texts; pictures or sounds, as the paths of files or as bytes; vectors alone."""
COLUMNS: dict[Kind, str] = {"text": "text", "path": "path", "image": "image", "audio": "audio", "audio_bytes": "audio"}
"""Where the content stands."""
SOUNDS: tuple[Kind, ...] = ("audio", "audio_bytes")


class Place(Protocol):
    """Where examples come from: a table, or a folder."""

    def place(self, number: int) -> str:
        """One of its rows or files, for people."""
        ...


class Part(Protocol):
    """What gives examples: a table, a folder, a list."""

    def feed(self, examples: Examples, media: Media) -> None:
        """Give all of them; paths go through ``media``."""
        ...


class Example(NamedTuple):
    """One row or one file. ``content`` is a text, a path relative to the root, or bytes; None for vectors alone.

    A part of a sound goes from ``start`` to ``end``, in seconds.
    """

    number: int
    given: Id | None
    content: Any
    label: Label = None
    group: str | None = None
    split: str | None = None
    extra: Mapping[str, object] = {}
    start: float | None = None
    end: float | None = None


class Taken(NamedTuple):
    """An example with its place, and how many rows were read before it."""

    place: Place
    example: Example
    order: int


class Where:
    """Names the rows of a table by their place, from its columns ``_place`` and ``_number``."""

    def __init__(self, table: Any, places: Sequence[Place]) -> None:
        self._place: IntArray = np.asarray(table.column("_place").to_numpy())
        self._number: IntArray = np.asarray(table.column("_number").to_numpy())
        self._places = places

    def __call__(self, row: int) -> str:
        place: Place = self._places[int(self._place[row])]
        return place.place(int(self._number[row]))
