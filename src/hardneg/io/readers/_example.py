"""One labelled example, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

from hardneg.collection import Id
from hardneg.io.readers._labels import Label

__all__ = ["Example", "Kind", "Place", "Taken"]

Kind = Literal["text", "path", "image", "vector"]


class Place(Protocol):
    """Where examples come from: a table, or a folder."""

    def place(self, number: int) -> str:
        """One of its rows or files, for people."""
        ...


class Example(NamedTuple):
    """One row or one file. ``content`` is a text, a path relative to the root, or bytes; None for vectors alone."""

    number: int
    given: Id | None
    content: Any
    label: Label = None
    group: str | None = None
    split: str | None = None
    extra: Mapping[str, object] = {}


class Taken(NamedTuple):
    """An example with its place, and how many rows were read before it."""

    place: Place
    example: Example
    order: int
