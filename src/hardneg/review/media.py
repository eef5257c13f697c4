"""The pictures and sounds of a run, by side and number: what is not in the run's own lists cannot be asked for."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from hardneg.collection import Collection
from hardneg.errors import MissingExtraError
from hardneg.images import BrokenImage, Crop, examine, thumbnail
from hardneg.report.excerpts import audio_type, playable
from hardneg.report.pictures import problem
from hardneg.report.recordings import Recordings
from hardneg.run import Run
from hardneg.sounds import BrokenSound

__all__ = ["PICTURE", "Media", "Shown", "Side"]

Side = Literal["anchor", "item"]
PICTURE = 720  # pixels of the longer side
_SPECTRUM = 256


@dataclass(frozen=True)
class Shown:
    """A picture or sound of a thing: its address on this page, or what is wrong with it.

    ``box`` (left, top, width, height) lies on a picture of ``size`` (width, height), both in the picture's pixels.
    """

    kind: Literal["picture", "scene", "sound", "problem"]
    address: str = ""
    words: str = ""
    size: tuple[int, int] = (0, 0)
    box: tuple[float, float, float, float] = (0, 0, 0, 0)


class Media:
    """Gives what is seen and heard of the anchors and items of a run."""

    def __init__(self, run: Run) -> None:
        self._sides: dict[str, Collection] = {"anchor": run.anchors, "item": run.items}
        self._recordings = {side: Recordings(things) for side, things in self._sides.items()}
        self.picture = lru_cache(maxsize=256)(self._picture)
        self._sizes = lru_cache(maxsize=4096)(self._size)

    def has(self, side: str, row: int) -> bool:
        """Whether there is such a thing at all."""
        return side in self._sides and 0 <= row < len(self._sides[side])

    def of(self, side: Side, row: int) -> list[Shown]:
        """What can be seen or heard of a thing, nothing where it is neither a picture nor a sound."""
        things = self._sides[side]
        if things.sounds is not None:
            return [self._sound(side, row)]
        if things.pictures is None:
            return []
        try:
            self.picture(side, row)
            shown = Shown("picture", f"picture/{side}/{row}")
            picture = things.pictures[row]
            if not isinstance(picture, Crop):
                return [shown]
            return [shown, Shown("scene", f"scene/{side}/{row}", "", self._sizes(side, row), picture.box)]
        except BrokenImage as error:
            return [Shown("problem", words=problem(error.reason).problem)]
        except MissingExtraError:
            return [Shown("problem", words=problem("no_pillow").problem)]

    def _picture(self, side: str, row: int, whole: bool = False) -> bytes:
        """A JPEG of a picture, or of the whole that it is a part of. Raises BrokenImage, MissingExtraError."""
        pictures = self._sides[side].pictures
        picture = None if pictures is None else pictures[row]
        if picture is None:
            raise BrokenImage("There is no picture.", reason="no_picture")
        return thumbnail(picture.picture if whole and isinstance(picture, Crop) else picture, PICTURE)

    def _size(self, side: str, row: int) -> tuple[int, int]:
        pictures = self._sides[side].pictures
        picture = None if pictures is None else pictures[row]
        found = examine(picture.picture if isinstance(picture, Crop) else picture)  # type: ignore[arg-type]
        return found.width, found.height

    def _sound(self, side: Side, row: int) -> Shown:
        thumb = self._recordings[side].thumbs(np.array([row]), _SPECTRUM)[0]
        assert thumb is not None  # noqa: S101 - the side has sounds
        if thumb.problem:
            return Shown("problem", words=thumb.problem)
        return Shown("sound", f"{side}/{row}", thumb.caption)

    def spectrum(self, side: Side, row: int) -> bytes | None:
        """The spectrogram of a sound as PNG, None for what is none."""
        if self._sides[side].sounds is None:
            return None
        thumb = self._recordings[side].thumbs(np.array([row]), _SPECTRUM)[0]
        return b64decode(thumb.data) if thumb is not None and thumb.data else None

    def sound(self, side: Side, row: int) -> tuple[bytes, str] | None:
        """A sound to play and its type, None for what is none or cannot be read."""
        if self.spectrum(side, row) is None:
            return None
        excerpt = self._recordings[side].excerpt(row)
        try:
            return None if excerpt is None else (b64decode(playable(excerpt)), audio_type())
        except BrokenSound:
            return None
