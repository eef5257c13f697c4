"""A data set of boxes, opened: whatever it is written in, the rest of the way is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hardneg.collection import Collection, Id
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._box_rows import Box, Places
from hardneg.io.reading import Skips

__all__ = ["Open", "Scene"]


@dataclass(frozen=True, eq=False)
class Scene:
    """What a data set of boxes holds.

    Args:
        format: what it is written in, for people.
        images: a row for each image: its id and, if there are pictures, its ``path``.
        categories: their names.
        places: what stands for these images and categories.
        truth: the boxes that are there, read as they are asked for.
        files: those that were read.
        category_ids: what results call the categories; their names where they have no ids.
    """

    format: str
    images: Collection
    categories: Sequence[str]
    places: Places
    truth: Iterable[Box]
    files: Sequence[Path]
    category_ids: Sequence[Id]


Open = Callable[[Path, ReadOptions, Skips, Skips], Scene]
"""Opens a data set; what is left out, and what is odd, is counted in the skips and notes."""
