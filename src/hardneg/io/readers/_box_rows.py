"""Boxes as they are read, one after the other, whatever they are written in; what cannot be used is counted."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Id
from hardneg.detect import Detections, Truth
from hardneg.io.reading import Skips

__all__ = ["CROWD", "IGNORED", "Box", "Places", "Table", "gather", "image_names"]

CROWD, IGNORED = 1, 2  # flags of what is there
_FAR = 1e9  # pixels; what is farther off is no number of a picture
_ROUNDING = 1.0  # pixels that a box may stick out, as boxes are rounded


class Box(NamedTuple):
    """One box of a file: where it stands, and what is said of it, not yet looked at.

    ``box`` is left, top, width and height in pixels. With ``reason`` it is left out.
    """

    file: str
    number: int
    image: object
    category: object
    box: object = None
    score: object = None
    flags: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Places:
    """The numbers of images and of categories by what may stand for them, and what is known of the images.

    Args:
        images: the number of an image by its id as text, or by the name of its file.
        categories: the number of a category by its id as text, or by its name.
        order: for each number of a category its id, as text.
        sizes: for each number of an image its width and height in pixels, where they are known.
        unseen: the images that cannot be used: they have no picture, where others have one.
    """

    images: Mapping[str, int]
    categories: Mapping[str, int]
    order: Sequence[str]
    sizes: Sequence[tuple[float, float] | None]
    unseen: frozenset[int] = frozenset()


def image_names(ids: Sequence[Id], files: Sequence[str | None]) -> dict[str, int]:
    """The number of each image by its id; where no id says otherwise by its file: path or name, with or without suffix.

    A name that several images have stands for none. Where all ids are text, a name that is a number stands without its
    zeros, too: so Ultralytics writes ``000042.jpg`` as 42.

    >>> image_names(["x", "y"], ["one/000042.jpg", "two/b.jpg"])["42"]
    0
    """
    named = {str(one): row for row, one in enumerate(ids)}
    numbers = any(isinstance(one, int) for one in ids)
    more: dict[str, int] = {}
    for row, file in enumerate(files):
        if file is None:
            continue
        path = PurePosixPath(file.replace("\\", "/"))
        names = {str(path), path.name, str(path.with_suffix("")) if path.name else "", path.stem}
        if not numbers and path.stem.isdecimal():
            names.add(str(int(path.stem)))
        for name in names:
            more[name] = row if more.get(name, row) == row else -1
    return {name: row for name, row in more.items() if row >= 0} | named


@dataclass(eq=False)
class Table:
    """The boxes that can be used: numbers of images and categories, four numbers each, a score or flags."""

    image: array[int] = field(default_factory=lambda: array("q"))
    category: array[int] = field(default_factory=lambda: array("q"))
    box: array[float] = field(default_factory=lambda: array("d"))
    score: array[float] = field(default_factory=lambda: array("d"))
    flags: array[int] = field(default_factory=lambda: array("b"))

    def truth(self) -> Truth:
        """What is there."""
        flags = _array(self.flags, np.int8)
        return Truth(*self._columns(), (flags & CROWD) > 0, (flags & IGNORED) > 0)

    def detections(self) -> Detections:
        """What a detector found."""
        return Detections(*self._columns(), _array(self.score, np.float64))

    def _columns(self) -> tuple[Any, Any, Any]:
        return (
            _array(self.image, np.int64),
            _array(self.category, np.int64),
            _array(self.box, np.float64).reshape(-1, 4),
        )


def gather(
    rows: Iterable[Box], places: Places, skips: Skips, notes: Skips, *, scored: bool, least: float = 0.0
) -> Table:
    """Take what can be used; the rest is counted with its place.

    Text that is a whole number stands for that number where the data have it, as some tools write ids of images. A box
    that lies wholly outside its image is left out; one that sticks out by more than a pixel is used as it is, and
    noted. Scores from 0 up to ``least`` are left out: they would change nothing of what is said of the surer ones.
    """
    table = Table()
    for one in rows:
        image, category = _number(places.images, one.image), _number(places.categories, one.category)
        reason = one.reason or _wrong(one, image, category, places, scored=scored, least=least)
        if reason is None:
            box: Any = one.box
            left, top, width, height = box
            size = places.sizes[image]
            out = 0 if size is None else _sticks_out(left, top, width, height, size)
            if out == 1:
                notes.add("partly_outside_the_image", _shown(one))
            reason = "outside_the_image" if out == 2 else None
        if reason is not None:
            skips.add(reason, _shown(one))
            continue
        table.image.append(image)
        table.category.append(category)
        table.box.extend((left, top, width, height))
        if scored:
            table.score.append(one.score)  # type: ignore[arg-type]
        else:
            table.flags.append(one.flags)
    return table


def _number(known: Mapping[str, int], given: object) -> int:
    found = known.get(str(given))
    if found is None and isinstance(given, float) and given.is_integer():
        found = known.get(str(int(given)))
    return -1 if found is None else found


def _wrong(one: Box, image: int, category: int, places: Places, *, scored: bool, least: float) -> str | None:
    """Why a box cannot be used, in one word."""
    if image < 0:
        return "unknown_image"
    if image in places.unseen:
        return "image_without_a_picture"
    if category < 0:
        return "unknown_category"
    box = one.box
    if not isinstance(box, (list, tuple)) or len(box) != 4 or not all(map(_is_number, box)):
        return "no_box"
    if box[2] < 0 or box[3] < 0:
        return "negative_side"
    if not box[2] or not box[3]:
        return "no_area"
    if not scored:
        return None
    score: Any = one.score
    if not _is_number(score):
        return "no_score"
    return "below_least_score" if 0 <= score < least else None


def _is_number(value: Any) -> bool:
    """A number within bounds, which NaN is not."""
    return (type(value) is float or type(value) is int) and -_FAR < value < _FAR


def _sticks_out(left: float, top: float, width: float, height: float, size: tuple[float, float]) -> int:
    """0 for a box within its image, 1 for one that sticks out, 2 for one that is outside."""
    right, bottom = left + width, top + height
    if right <= 0 or bottom <= 0 or left >= size[0] or top >= size[1]:
        return 2
    within = left >= -_ROUNDING and top >= -_ROUNDING
    return 0 if within and right <= size[0] + _ROUNDING and bottom <= size[1] + _ROUNDING else 1


def _shown(one: Box) -> str:
    said = {"image": one.image, "category": one.category, "box": one.box, "score": one.score}
    words = ", ".join(f"{name} {value!r:.40}" for name, value in said.items() if value is not None)
    unit = "line" if one.file.endswith(".txt") else "box"
    return f"{one.file}, {unit} {one.number}: {words}"


def _array(values: array[Any], kind: type) -> NDArray[Any]:
    """The same memory as an array."""
    return np.frombuffer(values, kind) if values else np.zeros(0, kind)
