"""Lists of parts of recordings in plain text: one file, or all those of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._bytes import head
from hardneg.io.readers._labelled_sources import Source
from hardneg.io.readers._recordings import Recordings
from hardneg.io.readers._segments import Segment, Segments

__all__ = ["Lists", "first_lines", "mostly"]


T = TypeVar("T")


@dataclass(frozen=True)
class Lists:
    """Lists of one sort: how a file of it is called, what its lines are like, and what they say.

    ``fits`` says whether lines are of this sort, ``read`` goes through those of a file; ``remedy`` is for another file.
    """

    name: str
    suffix: str
    fits: Callable[[list[str]], bool]
    read: Callable[[Path], Iterator[Segment]]
    remedy: str

    def sniff(self, path: Path, options: ReadOptions) -> bool:  # noqa: ARG002
        """Whether it is such a list, or a folder with some."""
        return any(self.fits(first_lines(file)) for file in self._files(path))

    def open(self, path: Path, options: ReadOptions, seen: set[str]) -> Source:  # noqa: ARG002
        """The parts of recordings in it. The recordings are below the media root, or beside the lists.

        Raises InputError where it is no such list.
        """
        base = options.media_root or (path if path.is_dir() else path.parent)
        recordings, parts, files = Recordings(base), [], []
        for file in self._files(path):
            lines = first_lines(file)
            if fits := self.fits(lines):
                files.append(file)
            if fits or lines:  # an empty list says that nothing is in its recording
                parts.append(Segments(file, recordings, partial(self.read, file) if fits else self._other))
        if not files:
            raise InputError(f"There is no list of the format {self.name} in it.", path=path, remedy=self.remedy)
        return Source(self.name, path, base, "audio", tuple(parts), tuple(files))

    def _files(self, path: Path) -> list[Path]:
        if path.is_file():
            return [path]
        named = [one for one in path.iterdir() if one.suffix.lower() == self.suffix and not one.name.startswith(".")]
        return sorted(one for one in named if one.is_file())

    def _other(self) -> Iterator[Segment]:
        yield Segment(1, reason=f"not_{self.name}")


def mostly(lines: Sequence[T], fits: Callable[[T], object], share: float = 0.5) -> bool:
    """Whether more than this share of lines are of a sort: one that is broken does not hide what the others are.

    >>> mostly(["1.0", "x", "2.0"], lambda line: "." in line), mostly([], str)
    (True, False)
    """
    return sum(bool(fits(one)) for one in lines) > share * len(lines)


def first_lines(path: Path) -> list[str]:
    """The lines at the beginning of a file that are not blank; none of what is no text."""
    start = head(path)
    if b"\0" in start:
        return []
    lines = start.decode("utf-8-sig", "replace").splitlines()
    whole = lines[:-1] if len(start) >= 2**16 else lines  # what was cut off is no line
    return [line for line in whole if line.strip()]
