"""Boxes as they are read, one after the other, whatever they are written in; what cannot be used is counted."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Id
from hardneg.detect import Truth
from hardneg.io.reading import Skips
from hardneg.ragged import BoolArray, IntArray

__all__ = ["APART", "CROWD", "IGNORED", "Box", "Places", "Usable", "gather", "image_names", "usable"]

CROWD, IGNORED = 1, 2  # flags of what is there
APART = -2  # the number of an image of another split, which is known and not used
_BLOCK = 2048  # boxes looked at together
_NUMBERS = {int, float}  # and no bool, which is an int
_FAR = 1e9  # pixels; what is farther off is no number of a picture
_ROUNDING = 1.0  # pixels that a box may stick out, as boxes are rounded


class Box(NamedTuple):
    """One box of a file: where it stands, and what is said of it, not yet looked at.

    ``box`` is left, top, width and height in pixels. With ``reason`` it is left out; with ``odd`` it is noted.
    """

    file: str
    number: int
    image: object
    category: object
    box: object = None
    score: object = None
    flags: int = 0
    reason: str | None = None
    odd: str | None = None


@dataclass(frozen=True)
class Places:
    """The numbers of images and of categories by what may stand for them, and what is known of the images.

    Args:
        images: the number of an image by its id as text, or by the name of its file; ``APART`` of another split's.
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


class Usable(NamedTuple):
    """Some boxes that can be used, in the order of the file: numbers of images and categories, boxes, scores, flags."""

    image: IntArray
    category: IntArray
    box: NDArray[np.float64]
    score: NDArray[np.float64]
    flags: NDArray[np.int8]


def gather(rows: Iterable[Box], places: Places, skips: Skips, notes: Skips) -> Truth:
    """Take what can be used of what is there; see :func:`usable`."""
    image, category, box, flags = array("q"), array("q"), array("d"), array("b")
    for some in usable(rows, places, skips, notes, scored=False):
        image.frombytes(some.image.tobytes())
        category.frombytes(some.category.tobytes())
        box.frombytes(some.box.tobytes())
        flags.frombytes(some.flags.tobytes())
    flag = _array(flags)
    return Truth(
        _array(image), _array(category), _array(box).reshape(-1, 4), (flag & CROWD) > 0, (flag & IGNORED) > 0
    )  # fmt: skip


def usable(
    rows: Iterable[Box], places: Places, skips: Skips, notes: Skips, *, scored: bool, least: float = 0.0
) -> Iterator[Usable]:
    """Give what can be used, block by block; the rest is counted with its place.

    Text that is a whole number stands for that number where the data have it, as some tools write ids of images. A box
    that lies wholly outside its image is left out; one that sticks out by more than a pixel is used as it is, and
    noted. Scores from 0 up to ``least`` are left out: they would change nothing of what is said of the surer ones.
    """
    rest = iter(rows)
    sizes = np.array([one or (np.nan, np.nan) for one in places.sizes], np.float64).reshape(-1, 2)
    unseen = np.isin(np.arange(len(sizes)), list(places.unseen))
    while block := list(islice(rest, _BLOCK)):
        image = _numbers(places.images, [one.image for one in block])
        category = _numbers(places.categories, [one.category for one in block])
        box, whole = _figures([one.box for one in block], 4)
        score, sure = _figures([(one.score,) for one in block] if scored else [(0,)] * len(block), 1)
        known = np.maximum(image, 0)
        outside, partly = _sticking_out(box, sizes[known])
        wrong = {
            **_given(block),
            "image_of_another_split": image == APART,
            "unknown_image": image < 0,
            "image_without_a_picture": unseen[known],
            "unknown_category": category < 0,
            "no_box": ~whole,
            "negative_side": np.any(box[:, 2:] < 0, axis=1),
            "no_area": np.any(box[:, 2:] == 0, axis=1),
            "no_score": ~sure,
            "below_least_score": (score[:, 0] >= 0) & (score[:, 0] < least),
            "outside_the_image": outside,
        }
        use, lost = np.ones(len(block), bool), {}
        for reason, mask in wrong.items():
            if (mask & use).any():
                lost[reason] = np.flatnonzero(mask & use)
            use &= ~mask
        for reason in sorted(lost, key=lambda reason: int(lost[reason][0])):  # as if one came after the other
            skips.add_rows(reason, lost[reason], lambda row: _shown(block[row]))
        for odd in dict.fromkeys(one.odd for one in block if one.odd is not None):
            those = np.flatnonzero(np.array([one.odd == odd for one in block]) & use)
            notes.add_rows(odd, those, lambda row: _shown(block[row]))
        notes.add_rows("partly_outside_the_image", np.flatnonzero(partly & use), lambda row: _shown(block[row]))
        flags = np.array([one.flags for one in block], np.int8)
        yield Usable(image[use], category[use], box[use], score[use, 0], flags[use])


def _numbers(known: Mapping[str, int], given: Sequence[object]) -> IntArray:
    """The number of each; -1 for what is not known. A whole number may be written with a point."""
    found = np.array([-1 if one is None else known.get(str(one), -1) for one in given], np.int64)
    for row in np.flatnonzero(found < 0).tolist():
        if isinstance(one := given[row], float) and one.is_integer():
            found[row] = known.get(str(int(one)), -1)
    return found


def _figures(given: Sequence[Any], count: int) -> tuple[NDArray[np.float64], BoolArray]:
    """So many numbers a row, 1 where there are none such, and which rows have them. NaN and infinity are none."""
    try:
        plain = set(map(len, given)) == {count} and set(map(type, chain.from_iterable(given))) <= _NUMBERS
        figures = np.array(given, np.float64) if plain else None
    except (TypeError, OverflowError):
        figures = None
    if figures is None:
        kept = [one if _has_numbers(one, count) else (np.nan,) * count for one in given]
        figures = np.array(kept, np.float64)
    whole = np.all(np.abs(figures) < _FAR, axis=1)
    figures[~whole] = 1
    return figures, whole


def _has_numbers(one: Any, count: int) -> bool:
    return (
        isinstance(one, (list, tuple))
        and len(one) == count
        and all(type(value) in _NUMBERS and -_FAR < value < _FAR for value in one)
    )


def _sticking_out(box: NDArray[np.float64], size: NDArray[np.float64]) -> tuple[BoolArray, BoolArray]:
    """Which boxes lie wholly outside their images, and which stick out; none where a size is not known."""
    near, far = box[:, :2], box[:, :2] + box[:, 2:]
    known = np.all(size > 0, axis=1)
    outside = known & np.any((far <= 0) | (near >= size), axis=1)
    partly = known & np.any((near < -_ROUNDING) | (far > size + _ROUNDING), axis=1)
    return outside, partly


def _given(block: Sequence[Box]) -> dict[str, BoolArray]:
    """The reasons that a reader gave, and the rows of each."""
    given = [one.reason for one in block]
    return {reason: np.array([one == reason for one in given]) for reason in dict.fromkeys(given) if reason is not None}


def _shown(one: Box) -> str:
    said = {"image": one.image, "category": one.category, "box": _plain(one.box), "score": one.score}
    words = ", ".join(f"{name} {value!r:.60}" for name, value in said.items() if value is not None)
    unit = "line" if one.file.endswith(".txt") else "box"
    return f"{one.file}, {unit} {one.number}: {words}"


def _plain(box: Any) -> Any:
    return [round(one, 2) for one in box] if _has_numbers(box, 4) else box


def _array(values: array[Any]) -> NDArray[Any]:
    """The same memory as an array."""
    return np.frombuffer(values, values.typecode) if values else np.zeros(0, values.typecode)
