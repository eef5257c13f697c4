"""Parts of recordings as lists have them: which file, from when to when, who or what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hardneg.io.readers._example import Example
from hardneg.io.readers._examples import Examples
from hardneg.io.readers._ids import encodable
from hardneg.io.readers._labels import Label
from hardneg.io.readers._media import Media
from hardneg.io.readers._recordings import NotFound, Recordings
from hardneg.io.readers._times import BadTimes, span

__all__ = ["Segment", "Segments"]


class Segment(NamedTuple):
    """One line of a list; with ``reason`` it is left out. Times and columns are as they stand there."""

    number: int
    recording: str = ""
    start: object = None
    end: object = None
    duration: object = None
    label: Label = None
    columns: Mapping[str, object] = {}
    id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Segments:
    """The parts of recordings in one file; ``read`` goes through its lines."""

    path: Path
    recordings: Recordings
    read: Callable[[], Iterator[Segment]] = field(repr=False)

    def place(self, number: int) -> str:
        """Where a part stands, for people."""
        return f"{self.path.name}, line {number}"

    def feed(self, examples: Examples, media: Media) -> None:
        """Give all parts to ``examples``; what cannot be used is a counted skip."""
        for one in self.read():
            try:
                examples.add(self, _example(one, self.recordings, media))
            except (_LeftOut, NotFound, BadTimes) as reason:
                examples.skip(self, one.number, str(reason))


class _LeftOut(Exception):  # noqa: N818 - it is counted
    """The message is the reason, in one word."""


def _example(one: Segment, recordings: Recordings, media: Media) -> Example:
    if one.reason is not None:
        raise _LeftOut(one.reason)
    path = media.relative(recordings.find(one.recording))
    if path is None:
        raise _LeftOut("path_outside_folder")
    if not encodable(path):
        raise _LeftOut("broken_name")
    times = span(one.start, one.end, one.duration)
    return Example(one.number, one.id, path, one.label, None, None, one.columns, *times)
