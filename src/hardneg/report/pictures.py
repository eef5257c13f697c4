"""Small pictures for the page, made once each; one that cannot be read says so and stops nothing."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from hardneg.collection import Collection
from hardneg.errors import MissingExtraError
from hardneg.images import BrokenImage, Picture, thumbnail
from hardneg.parallel import each
from hardneg.ragged import IntArray

__all__ = ["Album", "Thumb", "problem", "thumb_of"]

_SAMPLE = 24  # pictures that are looked at to guess how large all are
_PROBLEMS = {
    "missing_file": "file not found",
    "empty_file": "the file is empty",
    "not_an_image": "not an image",
    "truncated_image": "the file is damaged",
    "image_too_large": "the image is too large",
    "no_picture": "no picture",
    "not_audio": "not a sound",
    "truncated_audio": "the file is damaged",
    "zero_length": "there is nothing in it",
    "out_of_range": "the clip lies beyond its file",
    "no_sound": "no sound",
    "no_soundfile": 'not shown: run pip install "hardneg[audio]"',
    "no_pillow": 'not shown: run pip install "hardneg[image]"',
}


@dataclass(frozen=True)
class Thumb:
    """A small JPEG in base64, of a sound a PNG, or empty with the problem in words; ``caption`` says what it shows."""

    data: str
    problem: str = ""
    caption: str = ""
    kind: Literal["picture", "sound"] = "picture"


@dataclass(frozen=True, eq=False)
class Album:
    """The pictures of some things as thumbnails."""

    things: Collection
    _made: dict[tuple[int, int], Thumb] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.things.pictures is not None

    def thumbs(self, rows: IntArray, size: int) -> list[Thumb | None]:
        """The thumbnail of each row, no side longer than ``size``; None for row -1, or where things are no pictures."""
        if not self:
            return [None] * len(rows)
        fresh = [row for row in np.unique(rows[rows >= 0]).tolist() if (row, size) not in self._made]
        self._made.update(
            zip([(row, size) for row in fresh], each(lambda row: self._make(row, size), fresh), strict=True)
        )
        return [self._made.get((row, size)) for row in rows.tolist()]

    def about_bytes(self, rows: IntArray, size: int) -> int:
        """Roughly how much room these thumbnails take, guessed from a few."""
        if not self or not len(rows):
            return 0
        lengths = [len(one.data or one.problem) for one in self.thumbs(self.some(rows), size) if one is not None]
        return len(rows) * (sum(lengths) // max(1, len(lengths)) + 3)

    @staticmethod
    def some(rows: IntArray) -> IntArray:
        """A few of the rows, spread evenly."""
        found = np.unique(rows)
        return np.asarray(found[:: max(1, len(rows) // _SAMPLE)][:_SAMPLE])

    def _make(self, row: int, size: int) -> Thumb:
        pictures = self.things.pictures
        return thumb_of(None if pictures is None else pictures[row], size)


def thumb_of(picture: Picture | None, size: int) -> Thumb:
    """A picture, no side longer than ``size``, or why it cannot be shown."""
    if picture is None:
        return problem("no_picture")
    try:
        return Thumb(b64encode(thumbnail(picture, size)).decode())
    except BrokenImage as error:  # its message names the file, and a page must be the same wherever that lies
        return problem(error.reason)
    except MissingExtraError:
        return problem("no_pillow")


def problem(reason: str) -> Thumb:
    """What stands where there is nothing to show: the reason in words."""
    return Thumb("", _PROBLEMS.get(reason, reason.replace("_", " ")))
