"""Sounds for the page, drawn once each; one that cannot be read says so and stops nothing."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from threadpoolctl import threadpool_limits

from hardneg.errors import MissingExtraError
from hardneg.parallel import each
from hardneg.ragged import IntArray
from hardneg.report.excerpts import Excerpt, excerpt_of, playable, samples_of
from hardneg.report.pictures import Album, Thumb, problem
from hardneg.report.spectrogram import spectrogram
from hardneg.sounds import BrokenSound

__all__ = ["Recordings", "time"]

_ABOUT = ("scores", "scores_start", "step", "event_start", "event_end")
_ROUND = 64  # sounds encoded at a time


@dataclass(frozen=True, eq=False)
class Recordings(Album):
    """The sounds of some things as spectrograms, and as audio to play."""

    _excerpts: dict[int, Excerpt] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.things.sounds is not None

    def thumbs(self, rows: IntArray, size: int) -> list[Thumb | None]:
        """The spectrogram of each row, ``size`` pixels wide; else as of pictures."""
        with threadpool_limits(1, "blas"):  # many small products, each on a thread of its own already
            return super().thumbs(rows, size)

    def excerpt(self, row: int) -> Excerpt | None:
        """What is shown of a sound; None for one that cannot be read, or was not asked for yet."""
        return self._excerpts.get(row)

    def audio(self, rows: IntArray, room: int) -> dict[int, str]:
        """What is to be played of each row, in this order, as long as all of it takes no more than ``room`` bytes.

        A sound that does not fit is left out, and shorter ones soon after it may still be there.
        """
        out: dict[int, str] = {}
        readable = [row for row in dict.fromkeys(rows.tolist()) if row in self._excerpts]
        for at in range(0, len(readable), _ROUND):
            some = readable[at : at + _ROUND]
            before = len(out)
            for row, data in zip(some, each(lambda row: playable(self._excerpts[row]), some), strict=True):
                if len(data) <= room:
                    out[row] = data
                    room -= len(data)
            if len(out) == before:
                break
        return out

    def about_audio(self, rows: IntArray, columns: int) -> int:
        """Roughly how much room these sounds take to be played, guessed from a few."""
        some = self.some(rows)
        self.thumbs(some, columns)
        sizes = [len(one) for one in self.audio(some, 1 << 60).values()]
        return len(rows) * (sum(sizes) // max(1, len(sizes)))

    def _make(self, row: int, size: int) -> Thumb:
        sounds = self.things.sounds
        sound = None if sounds is None else sounds[row]
        if sound is None:
            return problem("no_sound")
        try:
            found = self._excerpts[row] = excerpt_of(sound, self._about(row))
            data = spectrogram(samples_of(found), found.rate, size)
        except BrokenSound as error:  # its message names the file, and a page must be the same wherever that lies
            self._excerpts.pop(row, None)
            return problem(error.reason)
        except MissingExtraError:
            return problem("no_soundfile")
        return Thumb(b64encode(data).decode(), caption=time(found), kind="sound")

    def _about(self, row: int) -> dict[str, Any]:
        table = self.things.table
        return {name: table.column(name)[row].as_py() for name in _ABOUT if name in table.column_names}


def time(excerpt: Excerpt) -> str:
    """How long a sound is, and which part of it is shown."""
    if excerpt.end - excerpt.start >= excerpt.seconds:
        return f"{excerpt.seconds:.2f} s"
    start, end, whole = (f"{one:.2f}".rstrip("0").rstrip(".") for one in (excerpt.start, excerpt.end, excerpt.seconds))
    return f"{start} to {end} of {whole} s"
